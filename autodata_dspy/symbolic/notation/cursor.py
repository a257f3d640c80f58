"""A position in a list of tokens."""

from __future__ import annotations

import sympy

from autodata_dspy.symbolic.notation.tokens import Token, tokenise
from autodata_dspy.symbolic.notation.vocabulary import COMMAND_SIGNS, split_letters
from autodata_dspy.symbolic.objects import UnreadableError


class Cursor:
    """One text's tokens, and what is open around the current one.

    Args:
        text: normalised mathematics (see `normalising.normalise`).
        latex: braces group (LaTeX) instead of denoting sets (plain text).
        complex_letters: letters that stand for complex numbers here, besides z and w.
    """

    def __init__(self, text: str, latex: bool, complex_letters: frozenset[str] = frozenset()):
        self.latex = latex
        self.complex_letters = complex_letters
        self.tokens = split_letters(tokenise(text))
        self.position = 0
        self.argument_at = -1  # where the last argument without braces began
        self.depth = 0
        self.bars = 0  # open | … | around the current position
        self.separators = 0  # set builders around: | separates there
        self.differentials = 0  # integrals around: d x ends the integrand
        self.bound: list[str] = []  # index names of sums around
        self.signs: list[sympy.Symbol] = []  # one symbol, worth 1 or -1, for each plus-minus

    @property
    def next(self) -> Token:
        return self.tokens[self.position]

    def peek(self, ahead: int = 1) -> Token:
        return self.tokens[min(self.position + ahead, len(self.tokens) - 1)]

    def take(self) -> Token:
        token = self.tokens[self.position]
        self.position = min(self.position + 1, len(self.tokens) - 1)
        return token

    def at(self, *texts: str) -> bool:
        """Whether the next token is one of these signs (a command counts by the sign it stands for)."""
        token = self.next
        text = COMMAND_SIGNS.get(token.text, token.text) if token.kind == "command" else token.text
        return token.kind in ("sign", "command") and text in texts

    def accept(self, *texts: str) -> bool:
        if self.at(*texts):
            self.take()
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise UnreadableError(f"expected {text!r}, found {self.next.text[:20] or 'the end'!r}")

    def at_words(self, words: frozenset[str]) -> bool:
        return self.next.kind == "words" and self.next.text.lower() in words

    def _at_command(self, name: str) -> bool:
        return self.next.kind == "command" and self.next.text == name

    def raw_argument(self) -> str:
        """The tokens of `{…}` (or the next token) as text: subscripts, names of sets."""
        if not self.accept("{"):
            return self.take().text
        depth, text = 1, ""
        while self.next.kind != "end":
            token = self.take()
            depth += {"{": 1, "}": -1}.get(token.text, 0) if token.kind == "sign" else 0
            if depth == 0:
                return text
            text += token.text
        raise UnreadableError("a brace is never closed")
