"""How large a model-written program may get, and the one error that says it went too far.

These limits answer politely and early. What slips past them (a huge intermediate result inside
sympy) is stopped by the worker process: wall clock, CPU time and memory.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import sympy

from autodata_dspy.errors import AutodataError

MAX_SOURCE = 4096  # characters


MAX_STEPS = 50_000  # evaluated syntax nodes


MAX_ITEMS = 10_000  # elements of a collection, a range or a loop


MAX_BITS = 20_000  # of an integer, about 6000 digits


MAX_DEPTH = 40  # nested calls of the program's own functions


MAX_MATRIX = 900  # entries


class ProgramError(AutodataError):
    """A program (or a plain-text object) that cannot be run; the message is one line for its author."""


def check_size(value: Any) -> Any:
    """Return `value`, or raise ProgramError if it is an oversized integer, fraction or collection."""
    if isinstance(value, (int, sympy.Rational)):
        p, q = (value, 1) if isinstance(value, int) else (value.p, value.q)
        if max(int(p).bit_length(), int(q).bit_length()) > MAX_BITS:
            raise ProgramError(f"a number has more than {MAX_BITS} bits; use smaller numbers")
    elif isinstance(value, (list, tuple, set, frozenset, dict)) and len(value) > MAX_ITEMS:
        raise ProgramError(f"a collection has more than {MAX_ITEMS} elements")
    return value


def power(base: Any, exponent: Any) -> Any:
    """`base ** exponent`, refused when it would be an integer or fraction of more than MAX_BITS bits."""
    if isinstance(base, (int, sympy.Rational)) and isinstance(exponent, (int, sympy.Integer)):
        base = sympy.Rational(base)
        size = max(abs(int(base.p)), int(base.q))
        if size > 1 and (size.bit_length() > MAX_BITS or math.log2(size) * abs(int(exponent)) > MAX_BITS):
            raise ProgramError(f"a power has more than {MAX_BITS} bits; use smaller numbers")
        if base == 0 and exponent < 0:
            raise ProgramError("division by zero")
    if isinstance(base, sympy.MatrixBase) and isinstance(exponent, (int, sympy.Integer)) and abs(exponent) > 1000:
        raise ProgramError("a matrix power above 1000 is too large")
    return base**exponent


def shift(value: Any, by: Any, left: bool) -> Any:
    """Integer shift with a bounded result."""
    value, by = whole(value, "a shifted value"), whole(by, "a shift")
    if by < 0 or by > MAX_BITS:
        raise ProgramError(f"a shift must lie in 0..{MAX_BITS}, not {by}")
    return sympy.Integer(value << by if left else value >> by)


def whole(value: Any, what: str) -> int:
    """The Python int of an integral value; ProgramError otherwise."""
    if isinstance(value, (int, sympy.Integer)):
        return int(value)
    raise ProgramError(f"{what} must be an integer, not {str(value)[:40]!r}")


def bounded(items: Any) -> Iterator[Any]:
    """Iterate, and raise ProgramError instead of yielding element MAX_ITEMS + 1 (sets may be infinite)."""
    iterator = iter(items)
    yield from itertools.islice(iterator, MAX_ITEMS)
    for _ in iterator:
        raise ProgramError(f"a loop or collection has more than {MAX_ITEMS} elements")


def at_most(limit: int, what: str):
    """A guard for functions that explode with their integer arguments: each |n| ≤ `limit`."""

    def guard(*args: Any, **_: Any) -> None:
        for n in args:
            if isinstance(n, (int, sympy.Rational)) and abs(n) > limit:
                raise ProgramError(f"{what} takes numbers up to {limit}, not {str(n)[:20]}")

    return guard


def bits_at_most(limit: int, what: str):
    """A guard for number-theoretic functions whose time grows with the size of the number."""

    def guard(*args: Any, **_: Any) -> None:
        for n in args:
            if isinstance(n, (int, sympy.Integer)) and int(n).bit_length() > limit:
                raise ProgramError(f"{what} takes numbers of up to {limit} bits")

    return guard


def matrix_size(*args: Any, **_: Any) -> None:
    """A guard for eye(n), zeros(n, m) and Matrix(n, m, f)."""
    numbers = [abs(int(n)) for n in args[:2] if isinstance(n, (int, sympy.Integer))]
    if numbers and (numbers[0] * (numbers[1] if len(numbers) > 1 else numbers[0])) > MAX_MATRIX:
        raise ProgramError(f"a matrix has more than {MAX_MATRIX} entries")
