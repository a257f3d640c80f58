"""A recursive-descent parser from tokens to mathematical objects.

Levels, loosest first: lists, `or`, `and`, relations, set operations, sums, products, powers, atoms.
What a command means stands in `commands.py`. Nothing is evaluated beyond what sympy's constructors
do; integrals and sums stay unevaluated until they are compared.
"""

from __future__ import annotations

import re
from typing import Any

import sympy

from autodata_dspy.symbolic import limits
from autodata_dspy.symbolic.objects import (
    DEGREE,
    Alternatives,
    Definition,
    Equation,
    Family,
    Group,
    Membership,
    Quantity,
    SetBuilder,
    SetOperation,
    TooHardError,
    UnreadableError,
    Words,
    variable,
)
from autodata_dspy.symbolic.tokens import Token, tokenise
from autodata_dspy.symbolic.units import MULTIPLIERS, unit
from autodata_dspy.symbolic.vocabulary import (
    AND_WORDS,
    COMMAND_SIGNS,
    CONNECTIVES,
    FILLERS,
    FUNCTIONS,
    GREEK,
    OR_WORDS,
    RELATIONS,
    SET_OPERATORS,
    split_letters,
)

_MAX_DEPTH = 40
_MAX_SIGNS = 4
_MONEY = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
_CLOSERS = {"(": (")", "]"), "[": ("]", ")"), "{": ("}",), "<": (">",)}


class Grammar:
    """One text's parser.

    Args:
        text: normalised mathematics (see `tokens.normalise`).
        latex: braces group (LaTeX) instead of denoting sets (plain text).
    """

    def __init__(self, text: str, latex: bool):
        self.latex = latex
        self.tokens = split_letters(tokenise(text))
        self.position = 0
        self.depth = 0
        self.bars = 0  # open | … | around the current position
        self.separators = 0  # set builders around: | separates there
        self.differentials = 0  # integrals around: d x ends the integrand
        self.bound: list[str] = []  # index names of sums around
        self.signs: list[sympy.Symbol] = []  # one symbol, worth 1 or -1, for each plus-minus

    # Tokens

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

    # Statements

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
            separated = False
            while self.accept(",", ";", "row") or (not opening and self._skip(AND_WORDS)):
                separated = True
            if len(items) > 200:
                raise TooHardError("a list has more than 200 elements")
        return Group(opening, closing, tuple(items))

    def _at_end_of_list(self) -> bool:
        if self.separators and self.at("|", "mid", ":"):
            return True
        return self.next.kind == "end" or self.at(")", "]", "}", "⟩", "\\}", "&") or self._at_command("end")

    def _at_command(self, name: str) -> bool:
        return self.next.kind == "command" and self.next.text == name

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
                return Definition("", _parameters(sides[0]), self.alternatives())
            if sign == "in":
                return Membership(sides[-1], self.side()) if len(sides) == 1 else _unreadable("a chain with ∈")
            signs.append(sign)
            sides.append(self.side())
        if not signs:
            return sides[0]
        if any(isinstance(s, Quantity) for s in sides) and set(signs) != {"="}:
            raise UnreadableError("an inequality of quantities")
        return _relations(sides, signs)

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
        negative = self.at("-") and self.peek().text in _MONEY
        if negative:
            self.take()
        if self.next.text in _MONEY and self.next.kind in ("sign", "words"):
            currency = _MONEY[self.take().text]
            value = self.sum() * (-1 if negative else 1)
            return Quantity(self._multiplied(value), sympy.S.One, ((currency, 1),))
        if self.next.kind == "words":
            return self._words()
        found = self.set_expression()
        if self.next.kind == "words" or (self.next.kind == "sign" and self.next.text in _MONEY):
            found = self._with_unit(found)
        return found

    def _words(self) -> Words:
        words = []
        while self.next.kind == "words" and self.next.text.lower() not in OR_WORDS | AND_WORDS:
            words.append(self.take().text)
        return Words(" ".join(words)) if words else _unreadable("a connecting word without its objects")

    def _multiplied(self, value: Any) -> Any:
        while self.next.kind == "words" and self.next.text.lower() in MULTIPLIERS:
            value = value * MULTIPLIERS[self.take().text.lower()]
        return value

    def _with_unit(self, value: Any) -> Any:
        """The unit after a number: words with exponents, `/` between them; a name of things is its own unit."""
        if not isinstance(value, sympy.Expr):
            raise UnreadableError("a unit behind something that is no number")
        value = self._multiplied(value)
        start, text = self.position, ""
        while self.next.kind in ("words", "number") or self.at("^", "/", "{", "}", "-", "*", "$", "€", "£", "¥"):
            if self.next.kind == "words" and self.next.text.lower() in CONNECTIVES:
                break
            token = self.take()
            text += "·" if token.text == "*" else f" {token.text}" if token.kind == "words" else token.text
        if not text:
            return value
        if (found := unit(text)) is not None:
            return Quantity(value, *found)
        if re.fullmatch(r"[ A-Za-z]{1,40}", text) and isinstance(value, sympy.Expr) and not value.free_symbols:
            return Quantity(value, sympy.S.One, ((text.strip().lower().removesuffix("s"), 1),))
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

    # Expressions

    def sum(self) -> Any:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise TooHardError(f"brackets are nested more than {_MAX_DEPTH} deep")
        found = self._signed_product()
        while self.at("+", "-", "pm", "mp"):
            sign = self._sign()
            found = combine("+", found, combine("*", sign, self.product()))
        self.depth -= 1
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
        from autodata_dspy.symbolic.commands import atom

        found = atom(self)
        while True:
            if self.at("^"):
                found = self._raised(found)
            elif self.at("!") and isinstance(found, sympy.Expr):
                found = self._factorial(found)
            elif self.at("%") and isinstance(found, sympy.Expr):
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
            return _powered_set(base, exponent)
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
        mark = {"T": "transpose", "top": "transpose", "intercal": "transpose", "dagger": "adjoint", "*": "adjoint"}.get(bare)
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
        from autodata_dspy.symbolic.commands import atom

        found = atom(self)
        return combine("^", found, self._exponent_tail()) if self.at("^") and not self.latex else found

    def _exponent_tail(self) -> Any:
        self.take()
        return self.argument()

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

    def bracket(self, opening: str, closing: str = "") -> Any:
        """What stands between brackets; the closing one may differ, as in [0, 1)."""
        outer = self.bars, self.separators
        self.bars = self.separators = 0
        if opening == "{":
            self.separators = 1
        found = self.listing(opening, "")
        if opening == "{" and len(found.items) == 1 and self.accept("|", "mid", ":"):
            self.separators = 0
            found = _builder(found.items[0], self.listing("", "").items)
        self.bars, self.separators = outer
        for sign in (closing,) if closing else _CLOSERS[opening]:
            if self.accept(sign):
                return _closed(found, opening, {"\\}": "}", "⟩": ">"}.get(sign, sign))
        raise UnreadableError(f"the bracket {opening!r} is never closed")


def _unreadable(what: str) -> Any:
    raise UnreadableError(f"cannot read {what}")


def _closed(found: Any, opening: str, closing: str) -> Any:
    if not isinstance(found, Group):
        return found
    if len(found.items) == 1:
        (only,) = found.items
        if opening == "(" and closing == ")" and not isinstance(only, Group):
            return only
        if opening in "([" and isinstance(only, sympy.MatrixBase):  # brackets drawn around an array
            return only
    if opening + closing in ("(]", "[)") and len(found.items) != 2:
        raise UnreadableError(f"an interval {opening}…{closing} needs two ends")
    return Group(opening, closing, found.items)


def _builder(element: Any, conditions: tuple[Any, ...]) -> Any:
    if isinstance(element, Membership):
        element, conditions = element.element, (element, *conditions)
    if not conditions:
        raise UnreadableError("a set builder without its condition")
    first = conditions[0]
    if len(conditions) == 1 and isinstance(first, Membership) and isinstance(first.element, sympy.Symbol):
        if isinstance(element, sympy.Expr) and element != first.element:
            return Family((element,), first.element, first.of)
    return SetBuilder(element, conditions if len(conditions) > 1 else conditions[0])


def _parameters(value: Any) -> tuple[Any, ...]:
    items = value.items if isinstance(value, Group) else (value,)
    if not all(isinstance(v, sympy.Symbol) for v in items):
        raise UnreadableError("an arrow maps variables")
    return tuple(items)


def _powered_set(base: sympy.Set, exponent: Any) -> Any:
    raise UnreadableError(f"a power of the set {base}")


_INEQUALITIES = {"<": sympy.Lt, "<=": sympy.Le, ">": sympy.Gt, ">=": sympy.Ge, "!=": sympy.Ne}


def _relations(sides: list[Any], signs: list[str]) -> Any:
    if set(signs) == {"="}:
        return Equation(sides[0], sides[1]) if len(sides) == 2 else Equation(sides[0], tuple(sides[1:]))
    if not all(isinstance(s, sympy.Expr) for s in sides) or "=" in signs:
        raise UnreadableError("a relation between objects that have no order")
    parts = [
        _INEQUALITIES[sign](a, b, evaluate=False) for sign, a, b in zip(signs, sides, sides[1:], strict=False)
    ]
    return parts[0] if len(parts) == 1 else sympy.And(*parts)


def combine(operation: str, a: Any, b: Any) -> Any:
    """Arithmetic of expressions, matrices and vectors in brackets, with the limits of `limits`.

    Raises:
        UnreadableError: the objects cannot be combined.
    """
    a, b = _operand(a), _operand(b)
    if isinstance(a, Group) or isinstance(b, Group):
        return _vector(operation, a, b)
    if not all(isinstance(v, (sympy.Expr, sympy.MatrixBase)) for v in (a, b)):
        raise UnreadableError("these objects cannot be combined")
    try:
        if operation == "+":
            return a + b
        if operation == "*":
            return a * b
        if operation == "^":
            return limits.power(a, b)
        if b == 0:
            raise UnreadableError("a division by zero")
        return a / b
    except (TypeError, ValueError, AttributeError, NotImplementedError, sympy.matrices.exceptions.MatrixError) as error:
        raise UnreadableError(f"these objects cannot be combined: {str(error)[:60]}") from None


def _operand(value: Any) -> Any:
    if isinstance(value, Group) and len(value.items) == 1 and value.opening in ("[", "("):
        return value.items[0]
    return value


def _vector(operation: str, a: Any, b: Any) -> Any:
    if isinstance(a, Group) and isinstance(b, Group) and operation == "+" and len(a.items) == len(b.items):
        if a.is_sequence and b.is_sequence:
            return Group("(", ")", tuple(combine("+", x, y) for x, y in zip(a.items, b.items, strict=True)))
    elif operation in "*/" and isinstance(a, Group) != isinstance(b, Group):
        group, scalar = (a, b) if isinstance(a, Group) else (b, a)
        if group.is_sequence and isinstance(scalar, sympy.Expr) and (operation == "*" or group is a):
            return Group("(", ")", tuple(combine(operation, x, scalar) for x in group.items))
    raise UnreadableError("brackets in arithmetic")


__all__ = ["FUNCTIONS", "Grammar", "combine"]
