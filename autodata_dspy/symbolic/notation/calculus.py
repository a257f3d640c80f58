"""Integrals, sums, products, limits and derivatives as unevaluated sympy objects."""

from __future__ import annotations

from typing import Any

import sympy

from autodata_dspy.symbolic.notation.grammar import Grammar
from autodata_dspy.symbolic.objects import CONSTANT, Equation, TooHardError, UnreadableError, is_expression, variable


def _bounds(p: Grammar) -> tuple[Any, Any]:
    """What stands below and above the sign, in either order; None for what is missing."""
    below: Any = None
    above: Any = None
    while p.at("_", "^"):
        if p.accept("_"):
            below = p.argument()
        else:
            p.take()
            above = p.argument()
    return below, above


def _expression(value: Any, what: str) -> Any:
    if not is_expression(value):
        raise UnreadableError(f"the {what} is not an expression")
    return value


def integral(p: Grammar) -> Any:
    r"""`\int_a^b f\,dx`; without limits the antiderivative plus a constant."""
    low, high = _bounds(p)
    p.differentials += 1
    body = sympy.S.One if _at_differential(p) else _expression(p.sum(), "integrand")
    p.differentials -= 1
    symbol = _differential(p)
    if low is None and high is None:
        return sympy.Integral(body, symbol) + _free_constant(body)
    return sympy.Integral(body, (symbol, _expression(low, "lower limit"), _expression(high, "upper limit")))


def _free_constant(body: Any) -> Any:
    """C, or C_0 beside an integrand that has a C of its own: the integral of C is Cx + C_0, not Cx + C."""
    return variable("C_0") if CONSTANT in body.free_symbols else CONSTANT


def _at_differential(p: Grammar) -> bool:
    return p.next.kind == "name" and p.next.text == "d" and p.peek().kind in ("name", "command")


def _differential(p: Grammar) -> Any:
    if not _at_differential(p):
        raise UnreadableError("an integral without its dx")
    p.take()
    return variable(p.take().text)


def _indexed(p: Grammar, what: str) -> tuple[Any, Any, Any, Any]:
    if not p.accept("_"):
        raise UnreadableError(f"a {what} without its index")
    start = p.position + (1 if p.at("{") else 0)
    index = p.tokens[start].text
    p.bound.append(index)
    below = p.argument()
    if not isinstance(below, Equation) or not isinstance(below.left, sympy.Symbol) or not p.accept("^"):
        raise UnreadableError(f"a {what} runs from k = … to …")
    above = p.argument()
    body = _expression(p.product(), "summand")
    p.bound.pop()
    return body, below.left, _expression(below.right, "lower limit"), _expression(above, "upper limit")


def sum_over(p: Grammar) -> Any:
    body, index, low, high = _indexed(p, "sum")
    return sympy.Sum(body, (index, low, high))


def product_over(p: Grammar) -> Any:
    body, index, low, high = _indexed(p, "product")
    return sympy.Product(body, (index, low, high))


def limit(p: Grammar) -> Any:
    r"""`\lim_{x \to a^+} f`."""
    p.expect("_")
    p.expect("{")
    if p.next.kind not in ("name", "command"):
        raise UnreadableError("a limit without its variable")
    symbol = variable(p.take().text)
    if p.next.text not in ("to", "rightarrow", "->"):
        raise UnreadableError("a limit without its arrow")
    p.take()
    target, direction = _limit_point(p)
    p.expect("}")
    body = _expression(p.product(), "function")
    if target in (sympy.oo, -sympy.oo):
        return sympy.Limit(body, symbol, target)
    return sympy.Limit(body, symbol, target, direction)


def _limit_point(p: Grammar) -> tuple[Any, str]:
    """The point and the side it is approached from: 0, 0^+, 0^{-}, 0+."""
    start = p.position
    while p.next.kind != "end" and not (p.at("}") and p.next.text == "}"):
        mark = [p.peek(k).text for k in range(4)]
        for sign in ("+", "-"):
            if mark[:3] == ["^", sign, "}"] or mark[:2] == [sign, "}"] or mark == ["^", "{", sign, "}"]:
                stop = p.position
                p.position = start
                point = p.limited_sum(stop)
                p.position = stop + mark.index(sign) + (2 if "{" in mark[:3] else 1)
                return _expression(point, "limit point"), sign
        p.take()
    p.position = start
    return _expression(p.sum(), "limit point"), "+-"


def derivative(p: Grammar) -> Any:
    r"""`\frac{d^n}{dx^n} f` or `\frac{dy}{dx}` (a name); None and nothing consumed for other fractions."""
    start = p.position
    top, bottom = _differential_tokens(p), _differential_tokens(p)
    if not top or not bottom or len(bottom) < 2 or bottom[0] not in ("d", "partial") or top[0] != bottom[0]:
        p.position = start
        return None
    order = int(top[2]) if len(top) >= 3 and top[1] == "^" and top[2].isdigit() else 1
    if order > 20:
        raise TooHardError("a derivative of order above 20")
    if len(top) == (3 if order > 1 else 1):
        return sympy.Derivative(_expression(p.product(), "function"), (variable(bottom[1]), order))
    return variable(f"{''.join(top)}/{''.join(bottom)}")


def _differential_tokens(p: Grammar) -> list[str]:
    if not p.accept("{"):
        return []
    texts: list[str] = []
    while p.next.kind in ("name", "number", "command") or p.at("^", "{", "}"):
        token = p.take()
        if token.text == "}" and token.kind == "sign" and texts.count("{") == texts.count("}"):
            return [t for t in texts if t not in "{}"]
        texts.append(token.text)
    return []
