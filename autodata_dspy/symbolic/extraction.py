r"""Finds the answer in a solver's text: \boxed{…}, "the answer is …", "Answer: …", or the last line.

Where a text gives several answers they are all returned: choosing is not the verifier's business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from autodata_dspy.symbolic.latex_repair import repair_latex
from autodata_dspy.symbolic.notation.braces import brace_pairs

MAX_RESPONSE = 100_000  # characters


_SHORT = 160  # a single line up to this length may be an answer as it stands


_BOX = re.compile(r"\\(?:boxed|fbox)\s*(?=\{)")


_ANY_BOX = re.compile(r"\\(?:boxed|fbox)(?![A-Za-z])")


_CUT_OFF = re.compile(r"(?:\.\.|…|\\[lc]?dots)[\s.,;:]*$|[-+*/^=<>][\s.,;:]+$")


_BARE_BOX = re.compile(r"\\boxed\s+([A-Za-z0-9])")


_PHRASE = re.compile(
    r"(?:(?:final|correct|required)\s+)?(?:answer|result|solution|option|choice)\s*"
    r"(?:(?:is|are|equals|:|=)\s*){1,4}(?!in\b|not\b|given\b)",
    re.IGNORECASE,
)


_ENDING = re.compile(r"\n|(?<=[^\s.])\.(?:\s|$)|[!?](?:\s|$)|;\s+(?=[A-Z])")


_HEDGE = re.compile(
    r"\b(?:maybe|perhaps|possibly|probably|not sure|i guess|or else|unsure|might be|could be)\b", re.IGNORECASE
)


# "5 is not the answer", "\boxed{5} is wrong; it should be 6": what is rejected is not given.
_REJECTED = re.compile(
    r"\b(?:wrong|incorrect|mistaken|invalid|untrue|rejected|should (?:be|have been)|rather than|instead of)\b"
    r"|(?:\bnot|n['’]t) (?:the |a )?(?:final |right |correct )?(?:answer|solution|result|correct|right|valid)\b",
    re.IGNORECASE,
)


_IS_NOT = re.compile(
    r"\b(?:(?:is|are|was|were|can|could) not|(?:is|are|was|were|ca|could)n['’]t|cannot|never)\b", re.IGNORECASE
)


_NEGATED = re.compile(r"(?:\bnot|n['’]t|\bnever|\bneither)\s+(?:equal\s+to\s+)?(?:\\?[$(\[]|\*)*\s*$", re.IGNORECASE)


# "The answer is 3. Wait, I forgot a factor": what comes then may be another answer.
_RECONSIDERED = re.compile(
    r"\b(?:wait|actually|hmm+|on second thoughts?|correction|(?:after|on) correcting|i (?:forgot|missed|made a))\b",
    re.IGNORECASE,
)


# Behind an answer: there is more of it than was written down.
_GOES_ON = re.compile(r"[\s$,;)\]\\]*(?:\.\.|…|\\[lc]?dots)")


# A formula holds no other formula's beginning, so that a thousand openings are read once.
_MATHS = re.compile(r"\$\$([^$]+)\$\$|\$([^$]+)\$|\\\(((?:(?!\\\().)+?)\\\)|\\\[((?:(?!\\\[).)+?)\\\]", re.DOTALL)


# "The roots of x^2 = 4 are 2 and -2." The last verb counts; what follows must not be prose itself.
_STATED = re.compile(r".*\b(?:is|are|equals|is given by)\s+(?!not\b|given\b|the\b|an?\b|no\b|all\b)(\S.*)$", re.DOTALL)


_MARKER = re.compile(r"\[\[ ## ?\w+ ?## \]\]")


@dataclass(frozen=True, slots=True)
class Extraction:
    """The different answers a text gives, in order, and how they were found."""

    answers: tuple[str, ...]
    how: str

    @property
    def answer(self) -> str | None:
        """The one answer; None when there is none or when there are several."""
        return self.answers[0] if len(self.answers) == 1 else None

    @property
    def why(self) -> str:
        """Why there is no single answer; empty if there is one."""
        if len(self.answers) == 1:
            return ""
        return "the text gives no answer" if not self.answers else f"the text gives {len(self.answers)} answers"


def extract_answer(text: str) -> Extraction:
    """Find the answers of a response (see the module's docstring for the order of preference)."""
    if len(text) > MAX_RESPONSE:
        return Extraction((), f"the text is longer than {MAX_RESPONSE} characters")
    text = repair_latex(text).strip()
    if boxes := _boxes(text):
        return _unless_taken_back(_distinct(boxes), "boxed", text, max(m.start() for m in _ANY_BOX.finditer(text)))
    if _BOX.search(text):
        return Extraction((), "an empty box, or one that is never closed")
    found = [(m.end(), _tidy(_up_to_end(text, m.end()))) for m in _PHRASE.finditer(text)]
    if found := [(start, p) for start, p in found if p and len(p) <= _SHORT]:
        return _unless_taken_back(_distinct([p for _, p in found]), "phrase", text, found[-1][0])
    if not text:
        return Extraction((), "empty")
    if "\n" not in text and _is_rejected(text):
        return Extraction((), "the text rejects an answer")
    if "\n" not in text and (stated := _sentence(text)):
        return _unless_hedged(stated, "sentence")
    one_object = "\n" not in text or text.startswith(("\\begin{", "\\left", "$\\begin{", "$$\\begin{"))
    if one_object and len(text) <= 2000 and not _is_prose(text):
        return _unless_hedged(_tidy(text), "whole text")
    return _last_line(text)


def _boxes(text: str) -> list[str]:
    found = []
    pairs = brace_pairs(text)
    for match in _BOX.finditer(text):
        close = pairs.get(match.end(), 0)
        if close and (content := _tidy(text[match.end() + 1 : close])):
            found.append(content)
    found += [m[1] for m in _BARE_BOX.finditer(text)]
    return [b for b in found if not _BOX.search(b)] or found


def _distinct(answers: list[str]) -> tuple[str, ...]:
    kept: dict[str, str] = {}
    for answer in answers:
        kept.setdefault(re.sub(r"\s+", "", answer), answer)
    return tuple(kept.values())


def _unless_taken_back(answers: tuple[str, ...], how: str, text: str, last: int) -> Extraction:
    """The answers, unless the text rejects the last of them (at index `last`) or says that it goes on."""
    behind = max(text.find(answers[-1], last) + len(answers[-1]), last)
    rest = text[behind : behind + _SHORT].replace("}", " ").lstrip(" $*`)")
    denied = _NEGATED.search(text[max(0, last - _SHORT) : last]) or _IS_NOT.match(rest)
    if denied or _REJECTED.search(text, last) or _RECONSIDERED.search(text, behind):
        return Extraction((), "the text rejects an answer")
    if _GOES_ON.match(rest):
        return Extraction((), "the answer goes on")
    return Extraction(answers, how)


def _up_to_end(text: str, start: int) -> str:
    """The piece from `start` to the end of its sentence; what is too long for an answer is cut anywhere."""
    window = text[start : start + 4 * _SHORT]
    piece = window.lstrip(" *_`:\n")
    lead = window[: len(window) - len(piece)]
    if piece.startswith("$$"):
        end = piece.find("$$", 2)
        return piece[: end + 2] if end > 0 else piece
    match = _ENDING.search(piece)
    piece = piece[: match.start()] if match else piece
    line = text[max(0, start - _SHORT) : start].rpartition("\n")[2]
    for mark in ("**", "*", "`"):  # a mark that was opened before the piece closes behind it
        if (line + lead).count(mark) % 2:
            return piece.rstrip(" .,").removesuffix(mark)
    return piece


def _tidy(text: str) -> str:
    """The text without marks around it and punctuation behind it; an ellipsis or a last operator is no punctuation."""
    text = _MARKER.sub("", text).strip()
    text = re.sub(r"^(?:=|is\b|are\b)\s*", "", text)
    before = ""
    while text != before:
        before = text
        for mark in ("**", "*", "`"):
            if len(text) > 2 * len(mark) and text.startswith(mark) and text.endswith(mark):
                text = text[len(mark) : -len(mark)].strip()
        if text and text[-1] in ".,;:" and not text.endswith(("..", "\\,", "\\;", "\\:")):
            text = text[:-1].rstrip()
        if _CUT_OFF.search(text):
            return before
    return text


def _is_prose(text: str) -> bool:
    plain = re.sub(r"\\text(?:rm|bf|it)?\{[^{}]*\}|\\[A-Za-z]+|\$[^$]*\$", " ", text)
    return len(re.findall(r"\b[A-Za-z]{3,}\b", plain)) > 6


def _is_rejected(line: str) -> bool:
    return bool(_REJECTED.search(line) or _IS_NOT.search(line))


def _unless_hedged(answer: str, how: str) -> Extraction:
    if _HEDGE.search(answer):
        return Extraction((), "the text does not commit itself to an answer")
    return Extraction((answer,), how) if answer else Extraction((), "empty")


def _last_line(text: str) -> Extraction:
    line = [part for part in text.splitlines() if part.strip()][-1].strip()
    if _HEDGE.search(line):
        return Extraction((), "the text does not commit itself to an answer")
    if _is_rejected(line):
        return Extraction((), "the text rejects an answer")
    if line in ("$$", "\\]"):  # a displayed formula on lines of its own ends the text
        displayed = [m for m in _MATHS.finditer(text) if m.end() == len(text)]
        line = displayed[-1][0] if displayed else line
    formulas = [_tidy(next(g for g in m.groups() if g)) for m in _MATHS.finditer(line)]
    if formulas and _GOES_ON.match(line, list(_MATHS.finditer(line))[-1].end()):
        return Extraction((), "the answer goes on")
    if formulas:
        return Extraction(_distinct(formulas), "formulas of the last line")
    if not _is_prose(line) and len(line) <= _SHORT:
        return Extraction((_tidy(line),), "last line")
    if stated := _sentence(line):
        return Extraction((stated,), "sentence")
    return Extraction((), "the last line is prose")


def _sentence(line: str) -> str:
    """What a sentence such as "the roots of … are 1 and 2" states, or ""; a list of values needs few words."""
    match = _STATED.match(_tidy(line))
    if match is None or len(match[1]) > _SHORT or not re.search(r"\d|[-+*/^=<>]", match[1]):
        return ""
    words = re.findall(r"(?<!\\)\b(?!and\b|sqrt\b|log\b|exp\b)[A-Za-z]{3,}\b", match[1])
    return "" if len(words) > 1 else _tidy(match[1])
