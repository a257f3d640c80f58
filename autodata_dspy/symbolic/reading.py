"""Text to mathematical objects: LaTeX, sympy syntax or plain notation.

`read` returns every reasonable reading, most plausible first ("5 m" is five metres, and five times
m beside another multiple of m). Values of our own types are in `objects`; the rest is sympy.
"""

from __future__ import annotations

import contextlib
import itertools
import re
from typing import Any

import sympy

from autodata_dspy.symbolic.interpreter.limits import ProgramError
from autodata_dspy.symbolic.notation.commands import Parser
from autodata_dspy.symbolic.notation.normalising import check_input, normalise
from autodata_dspy.symbolic.notation.number_words import number_in_words
from autodata_dspy.symbolic.notation.sympy_syntax import looks_like_sympy, read_sympy
from autodata_dspy.symbolic.notation.units import unit
from autodata_dspy.symbolic.objects import (
    Definition,
    Equation,
    Family,
    Group,
    Membership,
    Quantity,
    TooHardError,
    UnreadableError,
    Words,
    expressions_in,
    is_expression,
    substitute,
    symbols_in,
    variable,
)

_PROSE = re.compile(r"[A-Za-z]{2,}(?:[ '-][A-Za-z]{1,}){1,}")


_NUMBER = r"[-+]?(?:\d[\d,]*(?:\.\d+)?|\.\d+)(?:/\d+|[eE][-+]?\d{1,3})?"
_POWER_OF_TEN = r"10\s*\^\s*(?:\{\s*(?P<braced>-?\d{1,3})\s*\}|(?P<bare>-?\d{1,3}))"
_SCALED = rf"(?:(?P<times>{_NUMBER})\s*(?:\\times|\\cdot|\*)\s*)?{_POWER_OF_TEN}"  # 3.2\times10^4
_UNIT = r"(?P<unit>[A-Za-zµμΩ][A-Za-zµμΩ0-9 ^/*²³·]{0,30})"
_NUMBER_THEN_UNIT = re.compile(rf"(?:(?P<number>{_NUMBER})|{_SCALED})\s+{_UNIT}")
_LEAD_IN = re.compile(r"^(?:the )?(?:solutions?|answer|result)(?: set)?(?: is| are)?\s*:\s*", re.IGNORECASE)


_SET_WORDS = {
    "no solution": sympy.S.EmptySet, "no solutions": sympy.S.EmptySet, "no real solution": sympy.S.EmptySet,
    "no real solutions": sympy.S.EmptySet, "empty set": sympy.S.EmptySet, "the empty set": sympy.S.EmptySet,
    "all real numbers": sympy.S.Reals, "all reals": sympy.S.Reals, "all real": sympy.S.Reals,
}  # fmt: skip


def read(text: str, complex_letters: frozenset[str] = frozenset()) -> list[Any]:
    """The readings of a text, at least one.

    Args:
        text: LaTeX, sympy syntax or plain notation.
        complex_letters: letters that stand for complex numbers here, besides z and w.

    Raises:
        UnreadableError: it is not mathematics this package can read.
        TooHardError: it is too long, too deep, too large or deceptive.
    """
    readings = _readings(text, complex_letters)
    if any(e.has(sympy.nan, sympy.zoo) for r in readings for e in expressions_in(r)):
        raise TooHardError("an undefined value")  # even beside itself: not a number equals nothing
    return readings


def _readings(text: str, complex_letters: frozenset[str]) -> list[Any]:
    cleaned = check_input(text)
    line = _LEAD_IN.sub("", normalise(cleaned))
    if not line:
        raise UnreadableError("the text is empty")
    if looks_like_sympy(cleaned.strip().strip("$`")):
        try:
            return [read_sympy(_python_text(cleaned))]
        except UnreadableError:
            pass  # school notation may still read it
    if (words := _as_words(line)) is not None:
        return [words]
    readings = []
    if (quantity := _plain_quantity(line)) is not None:
        readings.append(quantity)
    try:
        found = _read_notation(line, complex_letters)
    except UnreadableError:
        if not readings:
            raise
        return readings
    if "\\" not in line:  # sympy prints the imaginary unit as I and Euler's number as E
        constants = {variable("I"): sympy.I, variable("E"): sympy.E}
        used = {s: v for s, v in constants.items() if s in symbols_in(found)}
        with contextlib.suppress(TypeError):  # I > 3 only makes sense for a variable I
            readings += [substitute(found, used)] if used else []
    return [*readings, found]


def _python_text(text: str) -> str:
    text = text.strip().strip("$`").strip()
    return re.sub(r"(?<![*<>=!])\^(?!\^)", "**", text)


def _as_words(line: str) -> Any:
    plain = re.sub(r"\\(?:text|textbf|textrm|mathrm|mbox)\s*\{([^{}]*)\}", r"\1", line).strip(" .")
    if match := re.fullmatch(r"\(?\s*([A-Ja-e])\s*\)", plain):
        return Words(match[1].upper())  # a multiple-choice letter
    lower = plain.lower()
    if lower in _SET_WORDS:
        return _SET_WORDS[lower]
    if (number := number_in_words(lower)) is not None:
        return number
    if plain != line and re.fullmatch(r"[A-Za-z]", plain):
        return None
    if lower in ("nan", "zoo", "null", "undefined"):
        raise TooHardError("an undefined value")
    connected = re.search(r"\b(?:or|and)\b", plain)
    if _PROSE.fullmatch(plain) and not connected:
        return Words(lower)
    return None


def _plain_quantity(line: str) -> Any:
    match = _NUMBER_THEN_UNIT.fullmatch(line)
    found = unit(match["unit"]) if match else None
    if match is None or found is None:
        return None
    number = (match["number"] or match["times"] or "1").replace(",", "")
    power = int(match["braced"] or match["bare"] or 0)
    if not re.fullmatch(r"[-+]?[\d./eE+-]+", number):
        return None
    return Quantity(sympy.Rational(number) * sympy.Integer(10) ** power, *found)


def _read_notation(line: str, complex_letters: frozenset[str]) -> Any:
    latex = "\\" in line or bool(re.search(r"[\^_]\{", line))
    try:
        parser = Parser(line, latex, complex_letters)
        found = parser.parse()
    except ProgramError as error:  # an oversized power or factorial
        raise TooHardError(str(error)) from None
    except RecursionError:
        raise TooHardError("nested too deeply") from None
    except (TypeError, ValueError, AttributeError, NotImplementedError, ZeroDivisionError, IndexError) as error:
        raise UnreadableError(" ".join(f"{type(error).__name__}: {error}".split())[:120]) from None
    return _with_family(_with_signs(found, parser.signs))


def _with_signs(found: Any, signs: list[sympy.Symbol]) -> Any:
    """Both values of every plus-minus, as a list."""
    if not signs:
        return found
    if isinstance(found, Group) and not found.opening:
        items: list[Any] = []
        for item in found.items:
            used = [s for s in signs if s in symbols_in(item)]
            items += _expanded(item, used)
        return Group("", "", tuple(items))
    return Group("", "", tuple(_expanded(found, signs)))


def _expanded(item: Any, signs: list[sympy.Symbol]) -> list[Any]:
    choices = itertools.product(*([sympy.S.One, sympy.S.NegativeOne] for _ in signs))
    return [substitute(item, dict(zip(signs, choice, strict=True))) for choice in choices]


def _with_family(found: Any) -> Any:
    """`n pi, n in Z`: all multiples of pi."""
    if not isinstance(found, Group) or found.opening or len(found.items) < 2:
        return found
    *values, last = found.items
    if not isinstance(last, Membership) or not isinstance(last.element, sympy.Symbol):
        return found
    if last.of not in (sympy.S.Integers, sympy.S.Naturals, sympy.S.Naturals0):
        # "…, C real" only says what kind of constant it is
        return values[0] if len(values) == 1 and last.of in (sympy.S.Reals, sympy.S.Complexes) else found
    values = [v.right if isinstance(v, Equation) and isinstance(v.left, sympy.Symbol) else v for v in values]
    if all(is_expression(v) for v in values) and any(last.element in symbols_in(v) for v in values):
        return Family(tuple(values), last.element, last.of)
    return found


def definition_of(equation: Equation) -> Any:
    """`a_n = 2^n` as the sequence n -> 2^n, when the index occurs on the right."""
    if isinstance(equation.left, sympy.Symbol) and is_expression(equation.right):
        match = re.fullmatch(r"([A-Za-z])_([a-z])", equation.left.name)
        indices = [s for s in symbols_in(equation.right) if match and s.name == match[2]]
        if match and indices:
            return Definition(match[1], (indices[0],), equation.right)
    return equation
