"""What a text can be read as, beyond what sympy has a type for, and the errors of reading.

A bracket keeps its shape until it is compared: `(1, 2)` is a point beside a point and an open
interval beside an interval.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from dataclasses import dataclass
from typing import Any

import sympy

from autodata_dspy.errors import AutodataError

DEGREE = sympy.Symbol("°", positive=True)  # one degree; replaced by pi/180 wherever it is computed with


CONSTANT = sympy.Symbol("C", real=True)  # of an indefinite integral


class UnreadableError(AutodataError):
    """The text is not an object this package can read."""


def unreadable(what: str) -> Any:
    """Raise UnreadableError, as an expression."""
    raise UnreadableError(f"cannot read {what}")


class TooHardError(AutodataError):
    """The text is too long, too deep or too large to be worked on, or hostile: undecided, never retried."""


@dataclass(frozen=True, slots=True)
class Group:
    """Objects between brackets, or separated by commas without any (`opening` empty).

    `opening` is one of "(", "[", "{", "<" or ""; `closing` ")", "]", "}", ">" or "".
    """

    opening: str
    closing: str
    items: tuple[Any, ...]

    @property
    def is_mixed(self) -> bool:
        return self.opening + self.closing in ("(]", "[)")

    @property
    def is_sequence(self) -> bool:
        """Ordered: a point or vector."""
        return self.opening + self.closing in ("()", "<>")

    @property
    def is_collection(self) -> bool:
        """Unordered: a set, a list of solutions."""
        return self.opening + self.closing in ("{}", "[]", "")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with a unit; `dimension` maps base units to exponents, `factor` converts into them."""

    value: Any
    factor: Any
    dimension: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Definition:
    """`f(x) = body`; also an arrow or a Lambda, with an empty name."""

    name: str
    parameters: tuple[Any, ...]
    body: Any


@dataclass(frozen=True, slots=True)
class Membership:
    """`x in set`."""

    element: Any
    of: Any


@dataclass(frozen=True, slots=True)
class Alternatives:
    """Objects joined by `or`."""

    items: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """All values of `items` as the integer parameter runs through `domain` (Integers, Naturals…)."""

    items: tuple[Any, ...]
    parameter: Any
    domain: Any


@dataclass(frozen=True, slots=True)
class SetBuilder:
    """`{variable : condition}`."""

    variable: Any
    condition: Any


@dataclass(frozen=True, slots=True)
class Words:
    """A text in plain words: yes, even, no solution."""

    text: str


def is_expression(value: Any) -> bool:
    """A scalar expression. sympy counts its matrices among the expressions, this package does not."""
    return isinstance(value, sympy.Expr) and not isinstance(value, sympy.MatrixBase)


def is_number(value: Any) -> bool:
    return is_expression(value) and not value.free_symbols


_LETTERS_DIGITS = re.compile(r"([A-Za-z]+)_?\{?(\d+)\}?")


_COMPLEX = re.compile(r"[zw](?:_\w+)?'*")  # letters that usually stand for complex numbers


_COMPLEX_FUNCTIONS = (sympy.conjugate, sympy.re, sympy.im, sympy.arg)


_SAME_NAME = {"lamda": "lambda", "varphi": "phi", "varepsilon": "epsilon", "vartheta": "theta", "varrho": "rho"}


@functools.cache
def variable(name: str) -> sympy.Symbol:
    """The one symbol of a name: `C1`, `C_1` and `C_{1}` are the same. Real, except z and w."""
    stem = _SAME_NAME.get(name, name)
    if match := _LETTERS_DIGITS.fullmatch(stem):
        stem = f"{_SAME_NAME.get(match[1], match[1])}_{match[2]}"
    return sympy.Symbol(stem) if _COMPLEX.fullmatch(stem) else sympy.Symbol(stem, real=True)


def over_the_reals(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The objects with z and w real, unless one of them uses a conjugate, a real part or an argument."""
    complex_symbols = {s for s in symbols_in(values) if s.is_real is None and _COMPLEX.fullmatch(s.name)}
    if not complex_symbols or any(e.has(*_COMPLEX_FUNCTIONS) for e in expressions_in(values)):
        return values
    return substitute(values, {s: sympy.Symbol(s.name, real=True) for s in complex_symbols})


def expressions_in(value: Any) -> list[Any]:
    """Every sympy object inside an object."""
    if isinstance(value, (sympy.Basic, sympy.MatrixBase)):
        return [value]
    if isinstance(value, tuple):
        return [e for v in value for e in expressions_in(v)]
    if dataclasses.is_dataclass(value) and not isinstance(value, Words):
        return [e for f in dataclasses.fields(value) for e in expressions_in(getattr(value, f.name))]
    return []


@dataclass(frozen=True, slots=True)
class Equation:
    """`left = right`, of any objects; never evaluated to a truth value."""

    left: Any
    right: Any


@dataclass(frozen=True, slots=True)
class SetOperation:
    """`union`, `intersection`, `difference` or `product` of two objects read as sets."""

    operation: str
    left: Any
    right: Any


@dataclass(frozen=True, slots=True)
class Cases:
    """A piecewise definition: (value, condition) pairs; the first true condition wins, None is `otherwise`."""

    branches: tuple[tuple[Any, Any], ...]


def substitute(value: Any, mapping: dict[Any, Any]) -> Any:
    """Replace symbols throughout an object, whatever its type."""
    if isinstance(value, (sympy.Basic, sympy.MatrixBase)):
        return value.xreplace(mapping) if not isinstance(value, sympy.MatrixBase) else value.subs(mapping)
    if isinstance(value, tuple):
        return tuple(substitute(v, mapping) for v in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, (Words, Quantity)):
        return type(value)(*(substitute(getattr(value, f.name), mapping) for f in dataclasses.fields(value)))
    if isinstance(value, Quantity):
        return dataclasses.replace(value, value=substitute(value.value, mapping))
    return value


def symbols_in(value: Any) -> set[Any]:
    """The free symbols of an object, whatever its type."""
    if isinstance(value, (sympy.Basic, sympy.MatrixBase)):
        return set(value.free_symbols)
    if isinstance(value, tuple):
        return {s for v in value for s in symbols_in(v)}
    if dataclasses.is_dataclass(value) and not isinstance(value, Words):
        return {s for f in dataclasses.fields(value) for s in symbols_in(getattr(value, f.name))}
    return set()
