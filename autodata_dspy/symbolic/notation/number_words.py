"""Numbers in English words: twenty-one, one hundred and five, two thirds, one and a half, minus four.

Only what has one reading: "twenty one-fifths" and "six hundredths" name two numbers each, so that neither is read.
"""

from __future__ import annotations

import re
from typing import Any

import sympy

_UNITS = {
    word: n
    for n, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
}
_TENS = {word: 10 * n for n, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
_GROUPS = {"million": 10**6, "thousand": 10**3}  # the largest first
_DENOMINATORS = {
    "half": 2, "halve": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
    "ninth": 9, "tenth": 10,
}  # fmt: skip
_MOST_WORDS = 20


def number_in_words(text: str) -> Any:
    """The number that a text in lower case spells out; None for any other text."""
    words = re.split(r"[ -]+", text.strip())
    if len(words) > _MOST_WORDS or not all(word.isalpha() for word in words):
        return None
    if len(words) > 1 and words[0] in ("minus", "negative"):
        value = _value(words[1:])
        return None if value is None else -value
    return _value(words)


def _value(words: list[str]) -> Any:
    if (whole := _cardinal(words)) is not None:
        return sympy.Integer(whole)
    if (part := _fraction(words)) is not None:
        return part
    if "and" in words:  # two and a half
        cut = len(words) - 1 - words[::-1].index("and")
        whole, part = _cardinal(words[:cut]), _fraction(words[cut + 1 :])
        return None if whole is None or part is None or part >= 1 else whole + part
    return None


def _fraction(words: list[str]) -> Any:
    """A numerator of one word before a denominator: in "twenty one fifths" they could not be told apart."""
    if words == ["half"]:
        return sympy.Rational(1, 2)
    if len(words) != 2:
        return None
    numerator = 1 if words[0] in ("a", "an") else _UNITS.get(words[0], 0)
    plural = numerator != 1
    denominator = _DENOMINATORS.get(words[1].removesuffix("s"))
    if not numerator or denominator is None or words[1].endswith("s") != plural:
        return None
    return sympy.Rational(numerator, denominator)


def _cardinal(words: list[str]) -> int | None:
    for name, size in _GROUPS.items():
        if name in words:
            cut = words.index(name)
            above, below = _hundreds(words[:cut]), words[cut + 1 :]
            if below[:1] == ["and"]:  # one thousand and five
                rest = _below_hundred(below[1:])
            else:
                rest = _cardinal(below) if below else 0
            return None if not above or rest is None or rest >= size else above * size + rest
    return _hundreds(words)


def _hundreds(words: list[str]) -> int | None:
    if "hundred" not in words:
        return _below_hundred(words)
    if words[1:2] != ["hundred"] or not 1 <= _UNITS.get(words[0], 0) <= 9:
        return None
    below = words[2:]
    rest = _below_hundred(below[1:] if below[:1] == ["and"] else below) if below else 0
    return None if rest is None or (below and not rest) else 100 * _UNITS[words[0]] + rest


def _below_hundred(words: list[str]) -> int | None:
    if len(words) == 1:
        return _UNITS.get(words[0], _TENS.get(words[0]))
    if len(words) == 2 and words[0] in _TENS and 1 <= _UNITS.get(words[1], 0) <= 9:
        return _TENS[words[0]] + _UNITS[words[1]]
    return None
