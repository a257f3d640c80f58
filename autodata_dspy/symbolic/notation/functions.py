r"""Named functions with their powers, bases and arguments: `\\sin^2 2x`, `\\log_2 8`, `max(x, 0)`."""

from __future__ import annotations

from typing import Any

import sympy

from autodata_dspy.symbolic.notation.arithmetic import combine
from autodata_dspy.symbolic.notation.grammar import Grammar
from autodata_dspy.symbolic.notation.literals import first_digit
from autodata_dspy.symbolic.notation.vocabulary import FUNCTIONS
from autodata_dspy.symbolic.objects import Group, TooHardError, UnreadableError, is_expression


def function(p: Grammar, name: str) -> Any:
    """A named function with its power (sin^2 x), base (log_2 x) and argument."""
    base: Any = None
    exponent: Any = None
    while p.at("_", "^"):
        if p.accept("_"):
            base = _log_base(p)
        else:
            p.take()
            exponent = p.argument()
    argument = function_argument(p)
    if isinstance(argument, sympy.MatrixBase) and name in ("det", "tr"):
        return argument.det() if name == "det" else argument.trace()
    if not is_expression(argument):
        raise UnreadableError(f"the argument of {name}")
    if exponent == -1 and name in ("sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh"):
        return getattr(sympy, f"a{FUNCTIONS[name]}")(argument)
    value = _named_function(name, argument, base)
    return value if exponent is None else combine("^", value, exponent)


def _log_base(p: Grammar) -> Any:
    if p.next.kind == "number" and len(p.next.text) > 1 and p.latex:
        following = p.peek()
        if following.kind in ("end", "sign") and following.text != "(":
            return sympy.Integer(first_digit(p))  # \log_28 is the logarithm of 8 to base 2
    return p.argument()


def _named_function(name: str, argument: Any, base: Any) -> Any:
    target = FUNCTIONS[name]
    if target == "lg":
        return sympy.log(argument) / sympy.log(10)
    if target == "log" and base is not None:
        return sympy.log(argument) / sympy.log(base)
    if base is not None:
        raise UnreadableError(f"an index at {name}")
    if target == "factorial" and argument.is_number and abs(argument) > 1000:
        raise TooHardError("a factorial of a number above 1000")
    return getattr(sympy, target)(argument)


def function_argument(p: Grammar) -> Any:
    """The argument after a function's name: in brackets, or the factors up to the next sign or function."""
    if p.at("("):
        p.take()
        found = p.bracket("(")
        if isinstance(found, Group) and len(found.items) == 2:
            return sympy.log(found.items[0]) / sympy.log(found.items[1])
        return found
    if p.at("{") and p.latex:
        return p.argument()
    found = p.power()
    while p.starts_factor() and not p.at("(", "[", "|") and not _starts_function(p):
        found = combine("*", found, p.power())
    return found


def _starts_function(p: Grammar) -> bool:
    if p.next.kind == "name":
        return p.next.text == "e" and p.peek().text == "^"
    return p.next.kind == "command" and (p.next.text in FUNCTIONS or p.next.text in ("begin", "int", "sum", "lim"))


def several_arguments(p: Grammar, target: str) -> Any:
    if p.at("\\{"):
        p.take()
        found = p.bracket("{", closing="\\}")
    else:
        p.expect("(")
        found = p.bracket("(")
    items = found.items if isinstance(found, Group) else (found,)
    if not items or not all(is_expression(v) for v in items):
        raise UnreadableError(f"the arguments of {target}")
    if target in ("gcd", "lcm"):
        return sympy.gcd(list(items)) if target == "gcd" else sympy.lcm(list(items))
    return getattr(sympy, target)(*items)
