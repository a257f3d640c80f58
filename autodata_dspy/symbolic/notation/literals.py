"""Numbers as they are written: decimals, repeating decimals, mixed numbers, other bases."""

from __future__ import annotations

import re
from typing import Any

import sympy

from autodata_dspy.symbolic.notation.grammar import Grammar
from autodata_dspy.symbolic.objects import TooHardError, UnreadableError

_BIG_NUMBER = 400  # digits


def number(p: Grammar, text: str) -> Any:
    if len(text) > _BIG_NUMBER:
        raise TooHardError(f"a number has {len(text)} digits")
    if text[:2].lower() in ("0x", "0b", "0o"):
        return sympy.Integer(int(text, 0))
    if match := re.fullmatch(r"(\d+(?:\.\d+)?)[eE]([+-]?\d+)", text):
        if abs(int(match[2])) > 1000:
            raise TooHardError("an exponent above 1000")
        return sympy.Rational(match[1]) * sympy.Integer(10) ** int(match[2])
    text = _repeating(p, text)
    if "/" in text:
        return sympy.Rational(text)
    if p.at("_"):
        return _in_base(text, _base(p))
    value = sympy.Rational(text)
    if p.at("(") and "." in text and p.peek().kind == "number" and p.peek(2).text == ")" and not p.next.spaced:
        raise UnreadableError("a decimal with a number in brackets, which may repeat or be a factor")
    # In x^2\frac{1}{2} the 2 is an exponent, and no part of a mixed number.
    is_argument = p.position - 1 == p.argument_at
    return value + fraction if value.is_Integer and not is_argument and (fraction := _mixed(p)) is not None else value


def _repeating(p: Grammar, text: str) -> str:
    r"""`0.1\overline{6}` as a fraction; the text itself when nothing repeats."""
    if "." not in text or not (p.next.kind == "command" and p.next.text in ("overline", "bar", "dot")):
        return text
    p.take()
    digits = p.raw_argument()
    if not digits.isdigit():
        raise UnreadableError("a bar after a decimal covers digits")
    whole, _, fixed = text.partition(".")
    scale = 10 ** len(fixed)
    value: Any = sympy.Rational(int(whole + fixed or "0"), scale) + sympy.Rational(
        int(digits), (10 ** len(digits) - 1) * scale
    )
    return f"{value.p}/{value.q}"


def _mixed(p: Grammar) -> Any:
    r"""The fraction of a mixed number, `3\frac{1}{2}` or `3 1/2`; None if the next tokens are none."""
    start = p.position
    if p.next.kind == "command" and p.next.text == "frac":
        p.take()
        parts = [_digits(p), _digits(p)]
    elif p.next.kind == "number" and p.next.spaced and p.peek().text == "/" and p.peek(2).kind == "number":
        parts = [p.take().text, (p.take(), p.take())[1].text]
    else:
        return None
    if all(part.isdigit() for part in parts) and 0 < int(parts[0]) < int(parts[1]):
        return sympy.Rational(int(parts[0]), int(parts[1]))
    p.position = start
    return None


def _digits(p: Grammar) -> str:
    if p.next.kind == "number" and not p.next.text.isdigit():
        return ""
    if p.next.kind == "number" and len(p.next.text) > 1:
        return first_digit(p)
    return p.raw_argument() if p.at("{") or p.next.kind == "number" else ""


def first_digit(p: Grammar) -> str:
    r"""`\frac12` is one half: take one digit and leave the rest."""
    token = p.next
    p.tokens[p.position] = type(token)("number", token.text[1:])
    return token.text[0]


def _base(p: Grammar) -> int:
    p.expect("_")
    text = p.raw_argument()
    words = {"two": "2", "three": "3", "eight": "8", "ten": "10", "sixteen": "16"}
    text = words.get(text.lower(), text)
    if not text.isdigit() or len(text) > 2 or not 2 <= int(text) <= 36:
        raise UnreadableError(f"{text[:10]!r} is not a base")
    return int(text)


def _in_base(digits: str, base: int) -> Any:
    whole, _, fixed = digits.partition(".")
    try:
        value = sympy.Integer(int((whole + fixed) or "0", base))
    except ValueError:
        raise UnreadableError(f"{digits[:20]} has a digit that base {base} lacks") from None
    return value / sympy.Integer(base) ** len(fixed)


def based(p: Grammar, value: Any) -> Any:
    """`(1101)_2`: a number in brackets with its base."""
    if p.at("_") and isinstance(value, sympy.Rational) and value >= 0:
        digits = str(value) if value.is_Integer else _decimal(value)
        return _in_base(digits, _base(p))
    return value


def _decimal(value: sympy.Rational) -> str:
    for places in range(1, 30):
        scaled = value * 10**places
        if scaled.is_Integer:
            text = str(scaled).rjust(places + 1, "0")
            return f"{text[:-places]}.{text[-places:]}"
    raise UnreadableError("a fraction in another base")
