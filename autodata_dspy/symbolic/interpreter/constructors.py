"""Symbols, functions and numbers from a program's texts, each checked against a conservative pattern."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import sympy

from autodata_dspy.symbolic.interpreter.limits import ProgramError
from autodata_dspy.symbolic.interpreter.values import Operation, Text

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*")


_NAME_RANGE = re.compile(r"([A-Za-z]+)(\d*):(\d+)")


_NUMERAL = re.compile(r"[+-]?\d{1,400}(?:\.\d{1,400}|/\d{1,400})?")


_ASSUMPTIONS = frozenset(
    "real positive negative nonnegative nonpositive nonzero zero integer rational irrational complex "
    "imaginary even odd prime composite finite infinite commutative extended_real noninteger".split()
)


_DIRECTIONS = ("+", "-", "+-")


def identifier(name: Any) -> str:
    """The text of a symbol's name, checked against a conservative pattern (letters, digits, `_`)."""
    text = name.value if isinstance(name, Text) else name
    if not isinstance(text, str) or len(text) > 32 or not _IDENTIFIER.fullmatch(text):
        raise ProgramError(f"{str(text)[:40]!r} is not a symbol name; use letters, digits and _, e.g. 'x1'")
    return text


def _assume(assumptions: dict[str, Any]) -> dict[str, bool]:
    for key, value in assumptions.items():
        if key not in _ASSUMPTIONS or not isinstance(value, bool):
            raise ProgramError(f"unknown assumption {key}={str(value)[:20]}; allowed: real=True, positive=True, …")
    return assumptions


def make_symbol(name: Any, **assumptions: Any) -> sympy.Symbol:
    return sympy.Symbol(identifier(name), **_assume(assumptions))


def make_dummy(name: Any = None, **assumptions: Any) -> sympy.Dummy:
    return sympy.Dummy("d" if name is None else identifier(name), **_assume(assumptions))


def make_function(name: Any, **assumptions: Any) -> Any:
    return sympy.Function(identifier(name), **_assume(assumptions))


def _names_in(text: str) -> list[str]:
    names: list[str] = []
    for word in re.split(r"[\s,]+", text.strip(" ,()[]")):
        if span := _NAME_RANGE.fullmatch(word):
            stem, first, last = span[1], int(span[2] or 0), int(span[3])
            if last - first > 50:
                raise ProgramError(f"{word[:40]!r} names more than 50 symbols")
            names += [f"{stem}{i}" for i in range(first, last)]
        else:
            names.append(word)
    if not names or len(names) > 50:
        raise ProgramError("symbols() takes 1 to 50 names, e.g. symbols('x y')")
    return names


def make_symbols(names: Any, *more: Any, cls: Any = None, **assumptions: Any) -> Any:
    """symbols('x y'), symbols('a0:3'), symbols('f', cls=Function); one name gives one symbol."""
    build = make_function if isinstance(cls, Operation) and cls.name == "Function" else make_symbol
    if more or isinstance(names, (list, tuple)):
        parts = (names, *more) if more else tuple(names)
        return tuple(build(part, **assumptions) for part in parts)
    if not isinstance(names, Text):
        raise ProgramError("symbols() takes names in quotes, e.g. symbols('x y')")
    found = [build(Text(name), **assumptions) for name in _names_in(names.value)]
    plural = len(found) > 1 or "," in names.value or ":" in names.value
    return tuple(found) if plural else found[0]


def numeral(value: Any) -> Any:
    if not isinstance(value, Text):
        return value
    if not _NUMERAL.fullmatch(value.value):
        raise ProgramError(f"{value.value[:40]!r} is not a number; write expressions without quotes")
    return sympy.Rational(value.value)


def make_number(value: Any, *_: Any, **__: Any) -> Any:
    """S(1), sympify(2), S('1/3'): numbers and objects pass, a text must be a plain numeral."""
    if isinstance(value, list):
        return [make_number(v) for v in value]
    return sympy.sympify(numeral(value), strict=True)


def make_rational(p: Any, q: Any = 1) -> Any:
    p, q = numeral(p), numeral(q)
    if q == 0:
        raise ProgramError("division by zero")
    if isinstance(p, (sympy.Float, float)) or isinstance(q, (sympy.Float, float)):
        raise ProgramError("Rational of a decimal is inexact; write Rational(1, 3)")
    return sympy.sympify(p, strict=True) / sympy.sympify(q, strict=True)


def make_integer(value: Any = 0) -> Any:
    value = numeral(value)
    if isinstance(value, bool):
        return sympy.Integer(int(value))
    if getattr(value, "is_number", False) or isinstance(value, int):
        return sympy.Integer(int(value))
    raise ProgramError(f"Integer() takes a number, not {str(value)[:40]!r}")


def directed(target: Callable[..., Any]) -> Callable[..., Any]:
    """Let `target` (a limit or a series) take its direction as a text, and no other text."""

    def plain(value: Any) -> Any:
        if isinstance(value, Text):
            if value.value not in _DIRECTIONS:
                raise ProgramError(f"a direction is '+', '-' or '+-', not {value.value[:20]!r}")
            return value.value
        return value

    return lambda *args, **kwargs: target(*map(plain, args), **{k: plain(v) for k, v in kwargs.items()})
