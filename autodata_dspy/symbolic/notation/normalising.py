"""Mathematical text as it is read: presentation undone, LaTeX, Unicode and plain notation brought together."""

from __future__ import annotations

import re
import unicodedata

from autodata_dspy.symbolic.latex_repair import repair_latex
from autodata_dspy.symbolic.notation.braces import matching_brace
from autodata_dspy.symbolic.objects import TooHardError

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


# Formulas in delimiters of their own: $x=2$ and $x=3$. Prices, $5 and $6, have no second sign each.
_FORMULA = r"(?:\$[^$]+\$|\\\((?:(?!\\[()]).)+\\\))"
_LISTED = re.compile(rf"{_FORMULA}(?:\s*(?:[,;]|[,;]?\s*\b(?:and|or)\b)\s*{_FORMULA}){{1,20}}\.?")


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


_NAMED_THOUSANDS = re.compile(r"([^=,]{1,40}=\s*)([-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?)")  # x = 1,000
_PLAIN_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")


_LETTER_UNION = re.compile(r"(,[^,()\[\]]*[)\]])\s*U\s*(?=[(\[][^,()\[\]]*,)")  # (-oo, 1) U (2, 3)
_HEXADECIMAL = re.compile(r"(?<![A-Za-z0-9.])\(?([0-9]*[A-F][0-9A-F]*)\)?_\{?16\}?(?!\d)")


_TEMPERATURE = re.compile(r"\^\s*\{?\s*\\circ\s*\}?\s*(?:\\(?:text|mathrm)\s*\{\s*)?([CF])(?![A-Za-z])\s*\}?")


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
    text = _strip_delimiters(_joined(text.strip()))
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
    if named := _NAMED_THOUSANDS.fullmatch(text):
        text = named[1] + named[2].replace(",", "")
    return text


def _joined(text: str) -> str:
    """`$x=2$ and $x=3$` as one formula: what stands between the formulas only lists them."""
    return re.sub(r"\$|\\[()]", " ", text).strip() if _LISTED.fullmatch(text) else text


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
