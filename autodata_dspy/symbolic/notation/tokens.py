"""Mathematical text to tokens: LaTeX, Unicode and plain notation meet here.

`normalise` undoes presentation (delimiters, spacing, styles, Unicode signs); `tokenise` cuts what is
left into numbers, names, commands, words and signs.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from autodata_dspy.symbolic.latex_repair import repair_latex
from autodata_dspy.symbolic.objects import TooHardError, UnreadableError

MAX_TEXT = 2000  # characters of one object


_UNICODE = {
    "−": "-", "–": "-", "—": "-", "‐": "-", "×": r"\times ", "÷": "/", "·": r"\cdot ", "⋅": r"\cdot ", "∗": "*",
    "≤": r"\le ", "≥": r"\ge ", "⩽": r"\le ", "⩾": r"\ge ", "≠": r"\ne ", "≈": r"\approx ", "≡": r"\equiv ",
    "∞": r"\infty ", "√": r"\sqrt ", "±": r"\pm ", "∓": r"\mp ", "∪": r"\cup ", "∩": r"\cap ", "∈": r"\in ",
    "∖": r"\setminus ", "∅": r"\emptyset ", "ℝ": r"\mathbb{R}", "ℤ": r"\mathbb{Z}", "ℕ": r"\mathbb{N}",
    "ℚ": r"\mathbb{Q}", "ℂ": r"\mathbb{C}", "→": r"\to ", "↦": r"\mapsto ", "∧": r"\wedge ", "∨": r"\vee ",
    "′": "'", "’": "'", "″": "''", "°": r"^{\circ}", "º": r"^{\circ}", "⟨": r"\langle ", "⟩": r"\rangle ",
    "⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ", "∑": r"\sum ", "∏": r"\prod ",
    "∫": r"\int ", "∂": r"\partial ", "⁄": "/", "∣": "|", "％": "%", "ℯ": "e", "∘": r"\circ ",
}  # fmt: skip


_GREEK = dict(
    zip(
        "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩϕϵ",
        r"""\alpha \beta \gamma \delta \epsilon \zeta \eta \theta \iota \kappa \lambda \mu \nu \xi \pi \rho \sigma
        \tau \upsilon \phi \chi \psi \omega \Gamma \Delta \Theta \Lambda \Xi \Pi \Sigma \Phi \Psi \Omega
        \phi \epsilon""".split(),
        strict=True,
    )
)


_SUPERSCRIPT = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ", "0123456789+-n", strict=True))


_SUBSCRIPT = dict(zip("₀₁₂₃₄₅₆₇₈₉ₙ", "0123456789n", strict=True))


_CONTROL = re.compile(r"[\x01-\x08\x0b-\x1f\x7f-\x9f]")


_ZERO_WIDTH = re.compile(r"[\u200b-\u200d\u2060-\u2064\ufeff\xad]")


_DIRECTION = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


_SPACING = re.compile(
    r"(?<!\\)\\(?:[,;:!> ]|quad(?![A-Za-z])|qquad(?![A-Za-z])|hspace\*?\{[^{}]*\}|phantom\{[^{}]*\}|/)|~"
)


_STYLE = re.compile(
    r"\\(?:displaystyle|textstyle|scriptstyle|limits|nolimits|left|right|middle|[bB]igg?[lrm]?|mathstrut|strut"
    r"|rm|bf|it|hfill|allowbreak|nobreak|thinspace|negthinspace)(?![A-Za-z])"
)


_INVISIBLE_DELIMITER = re.compile(r"\\(?:left|right)\s*\.")


_THOUSANDS = re.compile(r"(?<![\d.])\d{1,3}(?:\s*(?:\{,\}|,?\\[,! :;]|,\\!)\s*\d{3})+(?!\d)")


_PLAIN_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")


_LETTER_UNION = re.compile(r"(,[^,()\[\]]*[)\]])\s*U\s*(?=[(\[][^,()\[\]]*,)")  # (-oo, 1) U (2, 3)
_HEXADECIMAL = re.compile(r"(?<![A-Za-z0-9.])\(?([0-9]*[A-F][0-9A-F]*)\)?_\{?16\}?(?!\d)")


_TEMPERATURE = re.compile(r"\^\s*\{?\s*\\circ\s*\}?\s*(?:\\(?:text|mathrm)\s*\{\s*)?([CF])(?![A-Za-z])\s*\}?")


_ALPHA = re.compile(r"[A-Za-z]+")


_NUMBER = re.compile(r"\d+\.\d+|\d+\.(?!\d)|\.\d+|\d+")


_RADIX = re.compile(r"0[xX][0-9A-Fa-f]+|0[bB][01]+|0[oO][0-7]+")


_SCIENTIFIC = re.compile(r"(\d+(?:\.\d+)?)[eE]([+-]?\d+)(?![A-Za-z0-9])")


@dataclass(frozen=True, slots=True)
class Token:
    """kind: number, letters, command, words, sign, end. `spaced` tells whether white space stood before."""

    kind: str
    text: str
    spaced: bool = False


def check_input(text: str) -> str:
    """The text with lost backslashes restored and control characters removed.

    Raises:
        TooHardError: it is longer than MAX_TEXT, or what it shows is not what it says (a NUL hides
            the rest, direction marks reorder it).
    """
    if len(text) > MAX_TEXT:
        raise TooHardError(f"the text has {len(text)} characters; at most {MAX_TEXT} are read")
    if "\x00" in text:
        raise TooHardError("the text contains a NUL character")
    if _DIRECTION.search(text):
        raise TooHardError("the text contains characters that change the direction of reading")
    # A control character becomes a space, so that it cannot join two numbers into one.
    return _ZERO_WIDTH.sub("", _CONTROL.sub(" ", repair_latex(text)))


def normalise(text: str) -> str:
    """One line of mathematics without delimiters, spacing commands, styles and Unicode signs."""
    text = _scripts(text)
    text = "".join(_UNICODE.get(c) or (f"{_GREEK[c]} " if c in _GREEK else c) for c in text)
    text = _vulgar_fractions(text)
    text = unicodedata.normalize("NFKC", text)
    text = re.sub(r"\bper\s+cent\b", "percent", re.sub(r"(?<!\\)%\s*$", r"\%", text))
    text = _strip_delimiters(text.strip())
    if re.fullmatch(r"[-+]?\d{1,3}(?: \d{3})+(?:\.\d+)?", text):
        text = text.replace(" ", "")
    text = _THOUSANDS.sub(lambda m: re.sub(r"\D", "", m[0]), text)
    text = _SPACING.sub(" ", text)
    text = _INVISIBLE_DELIMITER.sub(" ", text)
    text = _STYLE.sub(" ", text)
    text = re.sub(r"\\(?:dfrac|tfrac|cfrac|nicefrac)(?![A-Za-z])", r"\\frac", text)
    text = re.sub(r"\\(?:lbrace|lbrack)(?![A-Za-z])", lambda m: r"\{" if "brace" in m[0] else "[", text)
    text = re.sub(r"\\(?:rbrace|rbrack)(?![A-Za-z])", lambda m: r"\}" if "brace" in m[0] else "]", text)
    text = re.sub(r"(?<!\\)\\$", "", text.strip()).strip()  # a control space at the end
    if text.endswith(".") and not text.endswith(".."):
        text = text[:-1].strip()
    text = _TEMPERATURE.sub(lambda m: rf" \text{{{'celsius' if m[1] == 'C' else 'fahrenheit'}}}", text)
    text = _HEXADECIMAL.sub(r"0x\1", text)
    text = _LETTER_UNION.sub(r"\1 \\cup ", text)
    if _PLAIN_THOUSANDS.search(text) and not re.search(r"[()\[\]{}<>=;]|,\s", text.replace("{,}", "")):
        text = _PLAIN_THOUSANDS.sub(lambda m: m[0].replace(",", ""), text)
    return text


def _scripts(text: str) -> str:
    for table, mark in ((_SUPERSCRIPT, "^"), (_SUBSCRIPT, "_")):
        run = re.compile(f"[{''.join(table)}]+")
        text = run.sub(lambda m, t=table, k=mark: f"{k}{{{''.join(t[c] for c in m[0])}}}", text)
    return text


def _vulgar_fractions(text: str) -> str:
    def spell(character: str) -> str:
        if unicodedata.category(character) == "No" and "FRACTION" in unicodedata.name(character, ""):
            parts = unicodedata.normalize("NFKC", character).split("⁄")
            if len(parts) == 2 and all(parts):
                return rf"\frac{{{parts[0]}}}{{{parts[1]}}}"
        return character

    return "".join(map(spell, text))


def _strip_delimiters(text: str) -> str:
    r"""Remove $…$, \(…\), \[…\] and \boxed{…} around the whole text."""
    for _ in range(6):
        before = text
        if (
            text.count("$") == 1
            and text.endswith("$")
            and not text.endswith("\\$")
            and not re.search(r"\d\s*\$$", text)
        ):
            text = text[:-1].strip()  # the closing half of a pair
        for opening, closing in (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"), ("`", "`"), ("**", "**")):
            inner = text[len(opening) : -len(closing)]
            if len(text) > len(opening) + len(closing) and text.startswith(opening) and text.endswith(closing):
                if opening not in inner and not inner.endswith("\\"):
                    text = inner.strip()
        if match := re.match(r"\\(?:boxed|fbox|mbox)\s*\{", text):
            close = matching_brace(text, match.end() - 1)
            if close == len(text) - 1:
                text = text[match.end() : close].strip()
        if text.endswith((".", ",", ";")) and not text.endswith((r"\,", r"\;", "..")):
            text = text[:-1].strip()
        if text == before:
            break
    return text


def brace_pairs(text: str) -> dict[int, int]:
    """Index of each opening brace → index of the brace that closes it, in one pass."""
    pairs: dict[int, int] = {}
    opened: list[int] = []
    i = 0
    while i < len(text):
        if text[i] == "\\":
            i += 2
            continue
        if text[i] == "{":
            opened.append(i)
        elif text[i] == "}" and opened:
            pairs[opened.pop()] = i
        i += 1
    return pairs


def matching_brace(text: str, start: int) -> int:
    """Index of the brace that closes the one at `start`, or -1."""
    depth, i = 0, start
    while i < len(text):
        if text[i] == "\\":
            i += 2
            continue
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if depth == 0:
            return i
        i += 1
    return -1


_TEXT_COMMANDS = frozenset("text textrm textbf textit textsf texttt textup textnormal mbox hbox".split())


_FONT_COMMANDS = frozenset("mathrm mathit mathbf mathsf mathtt boldsymbol bm operatorname mathop mathord pmb".split())


def tokenise(text: str) -> list[Token]:
    """Cut normalised text into tokens, ending with one of kind "end".

    Raises:
        UnreadableError: a character has no meaning here.
    """
    tokens: list[Token] = []
    i, spaced = 0, False
    while i < len(text):
        if text[i].isspace():
            i, spaced = i + 1, True
            continue
        found, i = _next_token(text, i, spaced)
        tokens += found
        spaced = False
    return [*tokens, Token("end", "", True)]


def _next_token(text: str, i: int, spaced: bool) -> tuple[list[Token], int]:
    if text[i] == "\\":
        return _command(text, i, spaced)
    for pattern in (_RADIX, _SCIENTIFIC, _NUMBER):
        if match := pattern.match(text, i):
            return [Token("number", match[0], spaced)], match.end()
    if match := _ALPHA.match(text, i):
        return [Token("letters", match[0], spaced)], match.end()
    if text.startswith(("<=", ">=", "!=", "==", "**", "->", "=>", ":="), i) and not text.startswith("=>", i):
        return [Token("sign", {"**": "^", "==": "=", ":=": "="}.get(text[i : i + 2], text[i : i + 2]), spaced)], i + 2
    if text[i] in "+-*/^_=<>()[]{}|,;:!%'&$€£¥" or text[i] in '?~@#"`':
        if text[i] in '?~@#"`':
            raise UnreadableError(f"the character {text[i]!r} has no meaning here")
        return [Token("sign", text[i], spaced)], i + 1
    raise UnreadableError(f"the character {text[i]!r} has no meaning here")


def _command(text: str, i: int, spaced: bool) -> tuple[list[Token], int]:
    match = _ALPHA.match(text, i + 1)
    if match is None:
        character = text[i + 1 : i + 2]
        if not character or character not in "{}%$|&\\_#":
            raise UnreadableError(f"the command {text[i : i + 2]!r} is not known")
        kind = "sign" if character in "%$&" else "command"
        return [Token(kind, {"|": "Vert", "\\": "row"}.get(character, character), spaced)], i + 2
    name, end = match[0], match.end()
    rest = re.compile(r"\s*\{").match(text, end)
    if name in _TEXT_COMMANDS | _FONT_COMMANDS and rest:
        close = matching_brace(text, rest.end() - 1)
        if close < 0:
            raise UnreadableError("a brace is never closed")
        return _styled(name, text[rest.end() : close], spaced), close + 1
    return [Token("command", name, spaced)], end


def _styled(name: str, content: str, spaced: bool) -> list[Token]:
    r"""\text{…} is words unless it holds mathematics; \mathrm{d}, \mathbf{v} are the letters themselves."""
    plain = re.sub(r"\\[ ,;:!]|~", " ", content).strip()
    if name in ("operatorname", "mathop"):
        return [Token("command", re.sub(r"[^A-Za-z]", "", content), spaced)]
    if re.fullmatch(r"[\d.,\s]+", plain) or (name in _TEXT_COMMANDS and re.fullmatch(r"\(?\s*[-\d./]+\s*\)?", plain)):
        return tokenise(plain)[:-1]
    upright_letter = name in ("mathrm", "mathsf") and len(plain) == 1 and plain not in "deiT"
    if name in _FONT_COMMANDS and not upright_letter and (len(plain) == 1 or re.search(r"[\d^_{}\\]", plain)):
        return _marked(name, tokenise(plain)[:-1], spaced)
    return [Token("words", plain, spaced)]


def _marked(name: str, tokens: list[Token], spaced: bool) -> list[Token]:
    # A bold or upright single i, j, k is a basis vector, not the imaginary unit.
    if name in ("mathbf", "boldsymbol", "bm") and len(tokens) == 1 and tokens[0].text in ("i", "j", "k", "e"):
        return [Token("name", f"{tokens[0].text}vec", spaced)]
    return [Token(t.kind, t.text, spaced or t.spaced) if k == 0 else t for k, t in enumerate(tokens)]
