"""Units of measurement: names to dimensions and exact factors. 5 cm is 50 mm and is not 5 m."""

from __future__ import annotations

import re
from typing import Any

import sympy

R = sympy.Rational


_BASE: dict[str, tuple[Any, dict[str, int]]] = {
    "m": (1, {"m": 1}),
    "g": (R(1, 1000), {"kg": 1}),
    "s": (1, {"s": 1}),
    "A": (1, {"A": 1}),
    "K": (1, {"K": 1}),
    "mol": (1, {"mol": 1}),
    "cd": (1, {"cd": 1}),
    "L": (R(1, 1000), {"m": 3}),
    "l": (R(1, 1000), {"m": 3}),
    "N": (1, {"kg": 1, "m": 1, "s": -2}),
    "J": (1, {"kg": 1, "m": 2, "s": -2}),
    "W": (1, {"kg": 1, "m": 2, "s": -3}),
    "Pa": (1, {"kg": 1, "m": -1, "s": -2}),
    "Hz": (1, {"s": -1}),
    "C": (1, {"A": 1, "s": 1}),
    "V": (1, {"kg": 1, "m": 2, "s": -3, "A": -1}),
    "Ω": (1, {"kg": 1, "m": 2, "s": -3, "A": -2}),
    "F": (1, {"A": 2, "s": 4, "kg": -1, "m": -2}),
    "T": (1, {"kg": 1, "s": -2, "A": -1}),
    "Wh": (3600, {"kg": 1, "m": 2, "s": -2}),
    "eV": (R("1.602176634e-19"), {"kg": 1, "m": 2, "s": -2}),
    "cal": (R("4.184"), {"kg": 1, "m": 2, "s": -2}),
    "bar": (100000, {"kg": 1, "m": -1, "s": -2}),
    "B": (8, {"bit": 1}),
}


_PREFIX = {
    "T": 10**12, "G": 10**9, "M": 10**6, "k": 1000, "h": 100, "d": R(1, 10), "c": R(1, 100), "m": R(1, 1000),
    "µ": R(1, 10**6), "μ": R(1, 10**6), "u": R(1, 10**6), "n": R(1, 10**9), "p": R(1, 10**12),
}  # fmt: skip


_INCH = R("0.0254")


MONEY = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}


# Names written out or without prefixes; a plural s is stripped when looked up.
_NAMED: dict[str, tuple[Any, dict[str, int]]] = {
    "meter": (1, {"m": 1}), "metre": (1, {"m": 1}), "gram": (R(1, 1000), {"kg": 1}), "second": (1, {"s": 1}),
    "sec": (1, {"s": 1}), "liter": (R(1, 1000), {"m": 3}), "litre": (R(1, 1000), {"m": 3}),
    "newton": (1, {"kg": 1, "m": 1, "s": -2}), "joule": (1, {"kg": 1, "m": 2, "s": -2}),
    "watt": (1, {"kg": 1, "m": 2, "s": -3}), "pascal": (1, {"kg": 1, "m": -1, "s": -2}),
    "volt": (1, {"kg": 1, "m": 2, "s": -3, "A": -1}), "ohm": (1, {"kg": 1, "m": 2, "s": -3, "A": -2}),
    "ampere": (1, {"A": 1}), "amp": (1, {"A": 1}), "kelvin": (1, {"K": 1}), "mole": (1, {"mol": 1}),
    "hertz": (1, {"s": -1}), "tonne": (1000, {"kg": 1}), "ton": (1000, {"kg": 1}),
    "min": (60, {"s": 1}), "minute": (60, {"s": 1}), "h": (3600, {"s": 1}), "hr": (3600, {"s": 1}),
    "hour": (3600, {"s": 1}), "day": (86400, {"s": 1}), "week": (604800, {"s": 1}),
    "month": (1, {"month": 1}), "year": (12, {"month": 1}), "yr": (12, {"month": 1}),
    "in": (_INCH, {"m": 1}), "inch": (_INCH, {"m": 1}), "inche": (_INCH, {"m": 1}), "ft": (12 * _INCH, {"m": 1}),
    "foot": (12 * _INCH, {"m": 1}), "feet": (12 * _INCH, {"m": 1}), "yd": (36 * _INCH, {"m": 1}),
    "yard": (36 * _INCH, {"m": 1}), "mi": (63360 * _INCH, {"m": 1}), "mile": (63360 * _INCH, {"m": 1}),
    "lb": (R("0.45359237"), {"kg": 1}), "pound": (R("0.45359237"), {"kg": 1}), "oz": (R("0.028349523125"), {"kg": 1}),
    "ounce": (R("0.028349523125"), {"kg": 1}), "ha": (10000, {"m": 2}), "hectare": (10000, {"m": 2}),
    "acre": (43560 * (12 * _INCH) ** 2, {"m": 2}), "mph": (63360 * _INCH / 3600, {"m": 1, "s": -1}),
    "cc": (R(1, 10**6), {"m": 3}), "dollar": (1, {"USD": 1}), "usd": (1, {"USD": 1}), "cent": (R(1, 100), {"USD": 1}),
    "euro": (1, {"EUR": 1}), "eur": (1, {"EUR": 1}), "bit": (1, {"bit": 1}), "byte": (8, {"bit": 1}),
    "celsius": (1, {"celsius": 1}), "fahrenheit": (1, {"fahrenheit": 1}),
    "rad": (1, {"rad": 1}), "radian": (1, {"rad": 1}),
}  # fmt: skip


_LONG_PREFIX = {"kilo": 1000, "mega": 10**6, "giga": 10**9, "centi": R(1, 100), "milli": R(1, 1000),
                "micro": R(1, 10**6), "nano": R(1, 10**9), "deci": R(1, 10)}  # fmt: skip


# Counted things with a conversion in themselves: a number in front is simply multiplied.
MULTIPLIERS = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12}
MULTIPLIERS |= {f"{word}s": size for word, size in MULTIPLIERS.items()} | {"tens": 10}


_TERM = re.compile(r"([A-Za-zµμΩ€£¥$]+)(?:\s*\^\s*\{?\s*(-?\d{1,2})\s*\}?|(\d))?")


def _simple(name: str) -> tuple[Any, dict[str, int]] | None:
    if name in MONEY:
        return 1, {MONEY[name]: 1}
    if name in _NAMED:
        return _NAMED[name]
    if name in _BASE:
        return _BASE[name]
    prefix, rest = name[:1], name[1:]
    if prefix in _PREFIX and rest in _BASE:
        factor, dimension = _BASE[rest]
        return factor * _PREFIX[prefix], dimension
    lower = name.lower()
    for word in (lower, lower.removesuffix("s")):
        if len(word) > 1 and word in _NAMED:
            return _NAMED[word]
        for long, factor in _LONG_PREFIX.items():
            if word.startswith(long) and word[len(long) :] in _NAMED:
                base, dimension = _NAMED[word[len(long) :]]
                return base * factor, dimension
    return None


def unit(text: str) -> tuple[Any, tuple[tuple[str, Any], ...]] | None:
    """(factor, dimension) of a unit such as `km/h`, `m^2`, `square meters`, `kg m/s^2`; None if it is none."""
    words = re.sub(r"\bper\b", "/", text.replace("²", "^2").replace("³", "^3").replace("·", " ").strip())
    words = re.sub(r"\b(?:square|sq\.?)\s+([a-z]+)", r"\1^2", words, flags=re.IGNORECASE)
    words = re.sub(r"\bcubic\s+([a-z]+)", r"\1^3", words, flags=re.IGNORECASE)
    factor: Any = sympy.S.One
    dimension: dict[str, int] = {}
    position, sign = 0, 1
    while position < len(words):
        if words[position] in " *.()":
            position += 1
            continue
        if words[position] == "/":
            sign, position = -1, position + 1
            continue
        match = _TERM.match(words, position)
        found = _simple(match[1]) if match else None
        if match is None or found is None:
            return None
        power = sign * int(match[2] or match[3] or 1)
        factor *= sympy.sympify(found[0]) ** power
        for base, exponent in found[1].items():
            dimension[base] = dimension.get(base, 0) + exponent * power
        position = match.end()
    kept = tuple(sorted((base, exponent) for base, exponent in dimension.items() if exponent))
    return (factor, kept) if kept or dimension else None


# Words behind a number that are part of the number, or of another statement.
_NO_THINGS = re.compile(
    r"\w+(?:ths|ieths)|halves|thirds|quarters|fourths|fifths|hundreds|thousands|\w+illions|tens|dozens?|scores?|gross"
    r"|times|minus|plus|less|versus|degrees|percents?|percentage|basis|points?|deviations?|squares|cubes|this|modulus"
    r"|roots|solutions|answers|values|pairs|triples|fails|does|was|is|has"
)
_IRREGULAR = frozenset("people men women children feet mice sheep fish".split())
_COUNTED = frozenset(
    """people men women children students boys girls apples oranges balls marbles coins cards books cookies pencils
    dogs cats eggs cars ways tickets pages games members houses trees fish sheep mice""".split()
)
_DESCRIBING = frozenset("red blue green yellow white black small large different distinct possible".split())


def things(text: str) -> str | None:
    """What `5 apples` counts: apples, red apples. None for words that may mean something else."""
    words = text.lower().split()
    if not 1 <= len(words) <= 3 or not all(re.fullmatch(r"[a-z]{2,20}", word) for word in words):
        return None
    last = words[-1]
    if any(_NO_THINGS.fullmatch(word) or unit(word) is not None for word in words):
        return None
    return " ".join(words) if last in _IRREGULAR or (last.endswith("s") and len(last) > 3) else None


def is_counted(dimension: tuple[tuple[str, Any], ...]) -> bool:
    """Whether a dimension is a name of things (see `things`), which no unit is."""
    return len(dimension) == 1 and _SYMBOLS.get(dimension[0][0]) is None


def may_be_missing(counted: str, named: frozenset[str]) -> bool:
    """Whether `5` may stand for `5 apples`: a plain noun, or one that the question (its words: `named`) uses."""
    *others, noun = counted.split()
    asked = all(word in named or word.removesuffix("s") in named for word in (*others, noun))
    return asked or (noun in _COUNTED and all(word in _DESCRIBING for word in others))


_SYMBOLS = {
    base: True for table in (_BASE, _NAMED) for _, dimension in table.values() for base in (*dimension, *MONEY.values())
}


def is_money(dimension: tuple[tuple[str, Any], ...]) -> bool:
    return len(dimension) == 1 and dimension[0][0] in MONEY.values()
