"""Normalised mathematical text (see `normalising`), cut into numbers, names, commands, words and signs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from autodata_dspy.symbolic.notation.braces import matching_brace
from autodata_dspy.symbolic.objects import UnreadableError

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
