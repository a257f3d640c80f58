"""Text made comparable: Unicode, quotes, dashes, white space, hyphenation and case no longer matter.

Nothing that carries meaning is dropped: a negation, a number, a sign, a power and the edges of words
stay (`10²` is not `102`, `1.5` holds no `5`, `unlawful` no `lawful`).
"""

from __future__ import annotations

import functools
import re
import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_DOUBLE = re.compile("[“”„‟«»″〝〞＂]|``|''|′′")
_SINGLE = re.compile("[‘’‚‛ʼʹ′`´‹›]")
_DASHES = re.compile("[‐‑‒–—―−⁃﹘﹣－]")
_HYPHENS = re.compile("[‐‑⁃﹣－]")
_POWERS = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_FRACTION = re.compile("(?=[¼-¾⅐-⅞↉])")
_EMPHASIS = re.compile(r"(?<![\w*_])[*_]{1,3}(?=[^\W_])|(?<=[\w.,;:!?)])[*_]{1,3}(?![\w*_])")
_BRACKETED_LETTER = re.compile(r"(?<!\w)\[([^\W\d_])\](?=[^\W\d_])")  # [t]he: a first letter changed by a writer

_BROKEN_WORD = re.compile(r"(?<=[^\W\d_])-[^\S\n]*\n\s*(?=[^\W\d_])")
# One letter on both sides is mathematics (a - b); there a dash is a minus.
_WORD_DASH = re.compile(r"(?<=[^\W\d_]{2})\s*-+\s*(?=[^\W\d_])|(?<=[^\W\d_])\s*-+\s*(?=[^\W\d_]{2})")
_HYPHEN = re.compile(r"(?<=[^\W\d_]{2})-(?=[^\W\d_])|(?<=[^\W\d_])-(?=[^\W\d_]{2})")
_GLUE = "\x00"
_TOKEN = re.compile(r"\x00|(?<![\w)\]])[-+]?\d+(?:[.,]\d+)*[^\W_]*|\d+(?:[.,]\d+)*[^\W_]*|[^\W_]+(?:'[^\W_]+)*|\S")
_CJK = "぀-ヿ㐀-䶿一-鿿가-힯"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+(?:'[^\W_{_CJK}]+)*")
ABBREVIATION = re.compile(
    r"(?:\b(?i:e\.g|i\.e|etc|cf|vs?|art|sec|mr|mrs|ms|dr|inc|ltd|co|st)|\b(?:Nos?|al|[A-Z]))\.$"  # or an initial
)
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])[\"')\]]*\s+|\n\s*\n")

NEGATIONS = frozenset(
    "not no never neither nor none nothing nobody without unless except excluding cannot "
    "don't doesn't didn't isn't aren't wasn't weren't won't wouldn't can't couldn't shouldn't hasn't haven't hadn't "
    "nicht kein keine nie ohne ne pas jamais sans nunca sin non mai senza não nunca sem niet geen nooit".split()
)
STOPWORDS = frozenset(
    "a about after all also an and any are as at be been before being but by can could did do does each for from had "
    "has have he her his how i if in into is it its may me more most must my no nor not of on one only or other our "
    "out over shall she should so some such than that the their them then there these they this those to under up "
    "upon us was we were what when where which while who whom whose why will with would you your".split()
)

_BREAKS = re.compile("\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
# Controls, formats (zero width, direction, tags), surrogates, private use, variation selectors: nothing a reader sees.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb\ud800-\udfff\ue000-\uf8ff\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)
_FIELD = re.compile(  # DSPy's [[ ## name ## ]]; a list of lists, or one with a remark, is none
    r"[\[［]\s*[\[［](\s*[#＃]\s*[#＃])|([#＃]\s*[#＃]\s*)[\]］]\s*[\]］]"
)
_SPECIAL = re.compile(r"<([|｜])([^<>\n]{0,60}?)([|｜])>")  # <|im_end|> and its like
_NAME = re.compile(r"\s*([\w▁/ .-]*[^\W\d_]{3}[\w▁/ .-]*?)\s*")
_TURN = re.compile(
    r"<(/?\s*(?:s|bos|eos|think|start_of_turn|end_of_turn|system|user|assistant|tool_call|tool_response|repo_name|file_sep"
    r"|fim_\w{1,20}))>|\[(/?INST)\]|<<(/?SYS)>>",
    re.IGNORECASE,
)


def defused(text: str) -> str:
    """`text` without unseen characters and with nothing that an adapter or a chat template takes for its own.

    Field markers and special tokens lose their brackets; words, white space and formulas (`[[1, 2], [3, 4]]`,
    `0<|x|<5`) stay.
    """
    text = _UNSEEN.sub("", _BREAKS.sub("\n", text))
    text = _FIELD.sub(lambda found: f"(( {found[1].strip()}" if found[1] else f"{found[2].strip()} ))", text)
    while (again := _SPECIAL.sub(_without_brackets, text)) != text:  # nested ones, from the inside out
        text = again
    return _TURN.sub(lambda found: f"({found[1] or found[2] or found[3]})", text)


def _without_brackets(found: re.Match[str]) -> str:
    name = _NAME.fullmatch(found[2])
    return f"({name[1]})" if name else f"< {found[1]}{found[2]}{found[3]} >"  # "a<|b| and |c|>d" stays readable


def clean(text: str) -> str:
    """`text` defused, without white space around it and without more than one blank line in a row."""
    return re.sub(r"\n\s*\n\s*\n+", "\n\n", defused(text)).strip()


def fold(text: str) -> str:
    """Unicode, quotes, dashes and case made one; white space and punctuation are kept."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text.replace(_GLUE, " ")))
    text = _POWERS.sub(lambda m: "^" + unicodedata.normalize("NFKC", m[0]), text)
    text = _FRACTION.sub(" ", text)
    text = _SINGLE.sub("'", _DOUBLE.sub('"', text))
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).replace("⁄", "/")
    return text


def words(text: str) -> list[str]:
    """Words and numbers of the folded text, without punctuation; Chinese, Japanese, Korean signs count one each."""
    return _WORD.findall(_DASHES.sub("-", fold(text)))


def content_words(text: str) -> list[str]:
    """`words` without the English function words."""
    return [w for w in words(text) if w not in STOPWORDS]


def sentences(text: str) -> list[str]:
    """Sentences, in order; abbreviations and initials do not end one."""
    parts: list[str] = []
    for part in _SENTENCE_END.split(text):
        if parts and ABBREVIATION.search(parts[-1][-12:]):
            parts[-1] += f" {part}"
        elif part.strip():
            parts.append(part.strip())
    return parts


@dataclass(frozen=True, slots=True)
class Tokens:
    """Words, numbers and punctuation marks of a folded text, searchable; quotation marks are left out.

    Attributes:
        line: all tokens, each between two spaces.
        starts: where each token begins in `line`.
        glued: indices of the tokens that a hyphen binds to the one before; no quote may begin there.
    """

    line: str
    starts: array[int]  # a document of 5 MB has a million tokens: as a tuple of texts they took 100 MB
    glued: frozenset[int]

    @classmethod
    def of(cls, tokens: Sequence[str], glued: Iterable[int] = ()) -> Tokens:
        starts = array("L", accumulate((len(t) + 1 for t in tokens[:-1]), initial=1) if tokens else ())
        return cls(f" {' '.join(tokens)} ", starts, frozenset(glued))

    def __len__(self) -> int:
        return len(self.starts)

    def part(self, start: int = 0, stop: int | None = None) -> list[str]:
        """The tokens `start` to `stop` (exclusive; all that follow unless given)."""
        stop = len(self) if stop is None else min(stop, len(self))
        if start >= stop:
            return []
        return self.line[self.starts[start] : self.starts[stop] if stop < len(self) else None].split()

    def trimmed(self, edges: frozenset[str]) -> Tokens:
        """Without the tokens of `edges` at either end."""
        tokens = self.part()
        start, stop = 0, len(tokens)
        while start < stop and tokens[start] in edges:
            start += 1
        while stop > start and tokens[stop - 1] in edges:
            stop -= 1
        return Tokens.of(tokens[start:stop], (i - start for i in self.glued if start < i < stop))

    def find(self, other: Tokens, start: int = 0) -> int:
        """Index of the token from which `other` stands in these tokens, at or after `start`; -1 if nowhere."""
        if not len(other) or start >= len(self):
            return -1
        at = self.starts[start] - 1
        while (at := self.line.find(other.line, at)) >= 0:
            index = bisect_left(self.starts, at + 1)
            if index not in self.glued and index + len(other) not in self.glued:
                return index
            at += 1
        return -1


def tokenise(text: str) -> tuple[Tokens, Tokens]:
    """Two readings of a text, to be compared with the same reading of another.

    Joined: a dash between letters binds (`well-known`, `well-\\nknown`, `wellknown` are one).
    Split: a broken word is joined, a hyphen separates but leaves no edge, other dashes are dropped
    (`well-known` and `well known` are one, and `exclusive` does not stand in `non-exclusive`).
    """
    folded = fold(text)
    folded = _BRACKETED_LETTER.sub(r"\1", _EMPHASIS.sub("", folded))
    joined = _WORD_DASH.sub("", _DASHES.sub("-", folded))
    broken = _BROKEN_WORD.sub("", _HYPHENS.sub("-", folded))
    split = _WORD_DASH.sub(" ", _DASHES.sub("-", _HYPHEN.sub(_GLUE, broken)))
    return _tokens(joined), _tokens(split)


def _tokens(text: str) -> Tokens:
    found: list[str] = []
    glued: list[int] = []
    for token in _TOKEN.findall(text):
        if token == _GLUE:
            glued.append(len(found))
        elif token not in "\"'":
            found.append(token)
    return Tokens.of(found, glued)


@functools.lru_cache(maxsize=16)
def source_tokens(text: str) -> tuple[Tokens, Tokens]:
    """`tokenise`, remembered: many quotes are looked up in one document."""
    return tokenise(text)
