"""Sums, products, powers: the arithmetic half of the grammar."""

from __future__ import annotations

from typing import Any

import sympy

from autodata_dspy.symbolic.notation.arithmetic import combine
from autodata_dspy.symbolic.notation.cursor import Cursor
from autodata_dspy.symbolic.notation.tokens import Token
from autodata_dspy.symbolic.notation.vocabulary import COMMAND_SIGNS, RELATIONS, SET_OPERATORS
from autodata_dspy.symbolic.objects import DEGREE, Group, SetOperation, TooHardError, UnreadableError, is_expression

_MAX_DEPTH = 40


_MAX_SIGNS = 4


class Expressions(Cursor):
    """Recursive descent through arithmetic. Atoms and lists are left to the subclasses."""

    def atom(self) -> Any:
        """The object that starts here, without postfixes (see commands.py)."""
        raise NotImplementedError

    def listing(self, opening: str, closing: str) -> Group:
        """Objects up to a closing token (see grammar.py)."""
        raise NotImplementedError

    def bracket(self, opening: str, closing: str = "") -> Any:
        """What stands between brackets (see grammar.py)."""
        raise NotImplementedError

    def sum(self) -> Any:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise TooHardError(f"brackets are nested more than {_MAX_DEPTH} deep")
        found = self._signed_product()
        while self.at("+", "-", "pm", "mp"):
            sign = self._sign()
            found = combine("+", found, combine("*", sign, self._signed_product()))
        self.depth -= 1
        return found

    def limited_sum(self, stop: int) -> Any:
        """A sum that ends at the token of index `stop`."""
        token = self.tokens[stop]
        self.tokens[stop] = Token("end", "")
        found = self.sum()
        self.tokens[stop] = token
        if self.position != stop:
            raise UnreadableError("an expression that ends too early")
        return found

    def _sign(self) -> Any:
        if self.accept("+"):
            return sympy.S.One
        if self.accept("-"):
            return sympy.S.NegativeOne
        opposite = self.at("mp")
        self.take()
        if opposite and self.signs:
            return -self.signs[-1]
        if len(self.signs) >= _MAX_SIGNS:
            raise TooHardError(f"more than {_MAX_SIGNS} plus-minus signs")
        self.signs.append(sympy.Symbol(f"±{len(self.signs)}", real=True, nonzero=True))
        return -self.signs[-1] if opposite else self.signs[-1]

    def _signed_product(self) -> Any:
        sign: Any = sympy.S.One
        count = 0
        while self.at("+", "-", "pm", "mp"):
            sign, count = sign * self._sign(), count + 1
            if count > 8:
                raise TooHardError("a run of signs")
        found = self.product()
        return found if sign == 1 else combine("*", sign, found)

    def product(self) -> Any:
        found = self.power()
        while True:
            if self.at("*"):
                cross = self.next.text == "times"
                self.take()
                right = self._factor()
                if cross and isinstance(found, Group) and isinstance(right, Group) and found.opening == "{":
                    found = SetOperation("product", found, right)
                else:
                    found = combine("*", found, right)
            elif self.at("/"):
                self.take()
                found = combine("/", found, self._factor())
            elif self.starts_factor():
                found = combine("*", found, self.power())
            else:
                return found

    def _factor(self) -> Any:
        """An operand after * or /, which may carry its own sign: 2 * -3."""
        return self._signed_power() if self.at("+", "-") else self.power()

    def _signed_power(self) -> Any:
        sign = self._sign()
        return combine("*", sign, self.power())

    def starts_factor(self) -> bool:
        """Whether the next token can begin a factor written without a multiplication sign."""
        token = self.next
        if token.kind == "name":
            is_differential = token.text == "d" and self.differentials and self.peek().kind in ("name", "command")
            return not is_differential
        if token.kind == "number":
            return False
        if token.kind == "command":
            return token.text not in COMMAND_SIGNS and token.text not in RELATIONS and token.text not in (
                *SET_OPERATORS, "end", "bmod", "pmod", "mod", "rfloor", "rceil", "rvert", "rVert", "hline",
            ) and not (token.text == "Vert" and self.bars)  # fmt: skip
        if self.at("("):
            return True
        if self.at("["):
            return True
        if self.at("{"):
            return self.latex
        return self.at("|") and not self.bars and not self.separators

    def power(self) -> Any:
        """An atom with its postfixes: powers, factorials, percent, degrees, primes."""
        found = self.atom()
        while True:
            if self.at("^"):
                found = self._raised(found)
            elif self.at("!") and is_expression(found):
                found = self._factorial(found)
            elif self.at("%") and is_expression(found):
                self.take()
                found = found / 100
            else:
                return found

    def _raised(self, base: Any) -> Any:
        self.take()
        if self._degree_sign():
            return self._minutes(combine("*", base, DEGREE))
        if isinstance(base, sympy.MatrixBase) and (mark := self._matrix_mark()):
            return base.T if mark == "transpose" else base.conjugate().T
        exponent = self.argument()
        if isinstance(base, sympy.Set):
            raise UnreadableError("a power of a set")
        return combine("^", base, exponent)

    def _degree_sign(self) -> bool:
        names = [self.peek(k).text for k in range(3)]
        if names[0] in ("circ", "degree"):
            self.take()
            return True
        if names[0] == "{" and names[1] in ("circ", "degree") and names[2] == "}":
            self.position += 3
            return True
        return False

    def _minutes(self, degrees: Any) -> Any:
        """`30^\\circ 15' 20''`: arc minutes and seconds after degrees."""
        for share, primes in ((60, 1), (3600, 2)):
            marks = [self.peek(k).text for k in range(1, 1 + primes)]
            if self.next.kind == "number" and marks == ["'"] * primes and self.peek(1 + primes).text != "'":
                degrees += sympy.Rational(self.take().text) / share * DEGREE
                self.position += primes
            elif self.next.kind == "number" and self.peek().text == "^" and self.peek(2).text == "{":
                return degrees
        return degrees

    def _matrix_mark(self) -> str | None:
        words = [self.peek(k).text for k in range(3)]
        bare = words[1] if words[0] == "{" and words[2] == "}" else words[0]
        mark = {"T": "transpose", "top": "transpose", "intercal": "transpose", "dagger": "adjoint", "*": "adjoint"}.get(
            bare
        )
        if mark:
            self.position += 3 if words[0] == "{" else 1
        return mark

    def _factorial(self, value: Any) -> Any:
        count = 0
        while self.accept("!"):
            count += 1
        if count > 2 or (isinstance(value, sympy.Number) and abs(value) > 1000):
            raise TooHardError("a factorial of a number above 1000")
        return sympy.factorial(value) if count == 1 else sympy.factorial2(value)

    def argument(self) -> Any:
        """A command's argument or an exponent: `{…}`, or the next atom (signed for exponents)."""
        if self.at("{") and self.next.text == "{":
            self.take()
            found = self.listing("{", "}")
            self.expect("}")
            if len(found.items) != 1:
                raise UnreadableError("an argument holds a list or nothing")
            return found.items[0]
        if self.at("-", "+"):
            return self._signed_power()
        self.argument_at = self.position
        found = self.atom()
        return combine("^", found, self._exponent_tail()) if self.at("^") and not self.latex else found

    def _exponent_tail(self) -> Any:
        self.take()
        return self.argument()
