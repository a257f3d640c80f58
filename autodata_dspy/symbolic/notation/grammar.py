"""A recursive-descent parser from tokens to mathematical objects.

Levels, loosest first: lists, `or`, `and`, relations, set operations, sums, products, powers, atoms.
What a command means stands in `commands.py`. Nothing is evaluated beyond what sympy's constructors
do; integrals and sums stay unevaluated until they are compared.
"""

from __future__ import annotations

from typing import Any

import sympy

from autodata_dspy.symbolic.notation.assembly import closed, parameters, relations, set_builder
from autodata_dspy.symbolic.notation.expressions import Expressions
from autodata_dspy.symbolic.notation.units import MONEY, MULTIPLIERS, things, unit
from autodata_dspy.symbolic.notation.vocabulary import (
    AND_WORDS,
    CONNECTIVES,
    FILLERS,
    GREEK,
    OR_WORDS,
    RELATIONS,
    SET_OPERATORS,
)
from autodata_dspy.symbolic.objects import (
    DEGREE,
    Alternatives,
    Definition,
    Group,
    Membership,
    Quantity,
    SetOperation,
    TooHardError,
    UnreadableError,
    Words,
    is_expression,
    unreadable,
    variable,
)

_PERCENT = frozenset({"percent", "percents", "per cent", "pct"})
_DEGREES = frozenset({"degree", "degrees", "deg"})
_CLOSERS = {"(": (")", "]"), "[": ("]", ")"), "{": ("}",), "<": (">",)}


class Grammar(Expressions):
    """Lists, alternatives, relations, definitions, sets. `commands.Parser` adds the atoms."""

    def parse(self) -> Any:
        """The whole text as one object."""
        found = self.listing("", "")
        if self.next.kind != "end":
            raise UnreadableError(f"cannot go on at {self.next.text[:20]!r}")
        return found.items[0] if len(found.items) == 1 else found

    def listing(self, opening: str, closing: str) -> Group:
        """Objects separated by commas, semicolons, rows or `and`, up to a closing token."""
        items: list[Any] = []
        separated = True
        while not self._at_end_of_list():
            if not separated:
                raise UnreadableError(f"cannot go on at {self.next.text[:20]!r}")
            items.append(self.alternatives())
            separated = self._separator(bare=not opening)
            if len(items) > 200:
                raise TooHardError("a list has more than 200 elements")
        if separated and items and opening:
            raise UnreadableError("a separator with nothing behind it")
        return Group(opening, closing, tuple(items))

    def _separator(self, bare: bool) -> bool:
        """Take one comma or semicolon; outside brackets also a line break or `and`, alone or after a comma."""
        if self.accept(",", ";"):
            if bare:
                self._skip(AND_WORDS)
            return True
        return bare and (self.accept("row") or self._skip(AND_WORDS))

    def _at_end_of_list(self) -> bool:
        if self.separators and self.at("|", "mid", ":"):
            return True
        return self.next.kind == "end" or self.at(")", "]", "}", "⟩", "\\}", "&") or self._at_command("end")

    def _skip(self, words: frozenset[str]) -> bool:
        if self.at_words(words):
            self.take()
            return True
        return False

    def alternatives(self) -> Any:
        """`a or b or c`."""
        found = [self.conjunction()]
        while self.at_words(OR_WORDS) or self.at("or"):
            self.take()
            found.append(self.conjunction())
        return found[0] if len(found) == 1 else Alternatives(tuple(found))

    def conjunction(self) -> Any:
        """`x > 1 and x < 3`; `1 and 2` is left to the list around."""
        found = self.relation()
        while (self.at_words(AND_WORDS) or self.at("and")) and isinstance(found, sympy.logic.boolalg.Boolean):
            self.take()
            found = sympy.And(found, self.condition())
        return found

    def condition(self) -> Any:
        found = self.relation()
        if not isinstance(found, sympy.logic.boolalg.Boolean) or isinstance(found, sympy.Symbol):
            raise UnreadableError("expected an inequality")
        return found

    def relation(self) -> Any:
        """`a = b`, `a < b <= c`, `x in S`, `f(x) = …`, `x maps to …`, or a single object."""
        while self.at_words(FILLERS):
            self.take()
        if (definition := self._definition()) is not None:
            return definition
        sides, signs = [self.side()], []
        while (sign := self._relation_sign()) is not None:
            if sign == "maps" and len(sides) == 1:
                return Definition("", parameters(sides[0]), self.alternatives())
            if sign == "in":
                return Membership(sides[-1], self.side()) if len(sides) == 1 else unreadable("a chain with ∈")
            signs.append(sign)
            sides.append(self.side())
        if not signs:
            return sides[0]
        if any(isinstance(s, Quantity) for s in sides) and set(signs) != {"="}:
            raise UnreadableError("an inequality of quantities")
        return relations(sides, signs)

    def _relation_sign(self) -> str | None:
        if self.next.kind == "words" and self.next.text.lower() in ("is", "equals"):
            self.take()
            return "="
        if self.next.kind not in ("sign", "command") or self.next.text not in RELATIONS:
            return None
        if self.next.text == "in" and self.next.kind != "command":
            return None
        return RELATIONS[self.take().text]

    def _definition(self) -> Definition | None:
        """`f(x) = …`, `g^{-1}(x) = …`, `f'(x) = …`; None (and nothing consumed) for anything else."""
        start = self.position
        name = self._definition_name()
        if name is not None and self.accept("("):
            parameters = []
            while self.next.kind == "name" or (self.next.kind == "command" and self.next.text in GREEK):
                parameters.append(variable(self.take().text))
                if not self.accept(","):
                    break
            if parameters and self.accept(")") and self.at("="):
                self.take()
                self.bound += [str(p) for p in parameters]
                return Definition(name, tuple(parameters), self.side())
        self.position = start
        return None

    def _definition_name(self) -> str | None:
        if self.next.kind != "name":
            return None
        name = self.take().text
        while self.accept("'"):
            name += "'"
        if self.at("^") and [self.peek(k).text for k in range(1, 5)] == ["{", "-", "1", "}"]:
            self.position += 5
            name += "^-1"
        return name

    def side(self) -> Any:
        """One side of a relation: a set expression, with money in front or a unit behind."""
        negative = self.at("-") and self.peek().text in MONEY
        if negative:
            self.take()
        if self.next.text in MONEY and self.next.kind in ("sign", "words"):
            currency = MONEY[self.take().text]
            value = self.sum() * (-1 if negative else 1)
            return Quantity(self._multiplied(value), sympy.S.One, ((currency, 1),))
        if self.next.kind == "words":
            return self._words()
        found = self.set_expression()
        if self.next.kind == "words" or (self.next.kind == "sign" and self.next.text in MONEY):
            found = self._with_unit(found)
        return found

    def _words(self) -> Words:
        words = []
        while self.next.kind == "words" and self.next.text.lower() not in OR_WORDS | AND_WORDS:
            words.append(self.take().text)
        return Words(" ".join(words)) if words else unreadable("a connecting word without its objects")

    def _multiplied(self, value: Any) -> Any:
        while self.next.kind == "words" and self.next.text.lower() in MULTIPLIERS:
            value = value * MULTIPLIERS[self.take().text.lower()]
        return value

    def _with_unit(self, value: Any) -> Any:
        """The unit after a number: words with exponents, `/` between them; a name of things is its own unit."""
        if not is_expression(value) or (self.next.kind == "sign" and value.free_symbols):
            raise UnreadableError("a unit behind something that is no number")
        value = self._multiplied(value)
        if self._skip(_PERCENT):
            return value / 100
        if self.at_words(_DEGREES) and self.peek().kind != "words":
            self.take()
            return value * DEGREE
        self._skip(_DEGREES)
        start, text = self.position, ""
        while self.next.kind in ("words", "number") or self.at("^", "/", "{", "}", "-", "*", "$", "€", "£", "¥"):
            if self.next.kind == "words" and self.next.text.lower() in CONNECTIVES:
                break
            if self.next.kind == "number" and self.next.spaced:
                break
            token = self.take()
            text += "·" if token.text == "*" else f" {token.text}" if token.kind == "words" else token.text
        if not text:
            return value
        if (found := unit(text)) is not None:
            return Quantity(value, *found)
        if not value.free_symbols and (counted := things(text)) is not None:
            return Quantity(value, sympy.S.One, ((counted, 1),))
        self.position = start
        return value

    def set_expression(self) -> Any:
        """Unions and differences of intersections."""
        found = self._intersection()
        while (operation := self._set_operator("union", "difference")) is not None:
            found = SetOperation(operation, found, self._intersection())
        return found

    def _intersection(self) -> Any:
        found = self.sum()
        while (operation := self._set_operator("intersection")) is not None:
            found = SetOperation(operation, found, self.sum())
        return found

    def _set_operator(self, *wanted: str) -> str | None:
        if self.next.kind == "command" and SET_OPERATORS.get(self.next.text) in wanted:
            return SET_OPERATORS[self.take().text]
        return None

    def bracket(self, opening: str, closing: str = "") -> Any:
        """What stands between brackets; the closing one may differ, as in [0, 1)."""
        outer = self.bars, self.separators
        self.bars = self.separators = 0
        if opening == "{":
            self.separators = 1
        found = self.listing(opening, "")
        if opening == "{" and len(found.items) == 1 and self.accept("|", "mid", ":"):
            self.separators = 0
            found = set_builder(found.items[0], self.listing("", "").items)
        self.bars, self.separators = outer
        for sign in (closing,) if closing else _CLOSERS[opening]:
            if self.accept(sign):
                return closed(found, opening, {"\\}": "}", "⟩": ">"}.get(sign, sign))
        raise UnreadableError(f"the bracket {opening!r} is never closed")
