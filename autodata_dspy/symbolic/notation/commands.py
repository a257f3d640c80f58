"""What the atoms of the grammar mean: numbers, names, brackets, and every LaTeX command it knows."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

import sympy

from autodata_dspy.symbolic.notation import environments
from autodata_dspy.symbolic.notation.arithmetic import combine
from autodata_dspy.symbolic.notation.calculus import derivative, integral, limit, product_over, sum_over
from autodata_dspy.symbolic.notation.functions import function, several_arguments
from autodata_dspy.symbolic.notation.grammar import Grammar
from autodata_dspy.symbolic.notation.literals import based, first_digit, number
from autodata_dspy.symbolic.notation.vocabulary import FUNCTIONS, GREEK, MANY
from autodata_dspy.symbolic.objects import (
    Group,
    TooHardError,
    UnreadableError,
    Words,
    is_expression,
    unreadable,
    variable,
)

_FUNCTION_LETTERS = frozenset("fghFGH")


_SETS = {
    "R": sympy.S.Reals, "Z": sympy.S.Integers, "N": sympy.S.Naturals, "Q": sympy.S.Rationals, "C": sympy.S.Complexes,
}  # fmt: skip


_ACCENTS = {"vec": "_vec", "overrightarrow": "_vec", "underline": "_underline", "mathcal": "_cal", "mathscr": "_cal"}
_ACCENTS |= {"hat": "_hat", "widehat": "_hat", "tilde": "_tilde", "widetilde": "_tilde", "dot": "_dot", "ddot": "_ddot"}


class Parser(Grammar):
    """The complete grammar."""

    def atom(self) -> Any:
        """The object that starts here, without postfixes.

        Raises:
            UnreadableError: none does.
        """
        token = self.take()
        if token.kind == "number":
            return number(self, token.text)
        if token.kind == "name" or (token.kind == "words" and len(token.text) == 1):
            return named(self, token.text)
        if token.kind == "command":
            return command(self, token.text)
        if token.kind == "sign":
            return opened(self, token.text)
        raise UnreadableError(f"no object starts with {token.text[:20] or 'nothing'!r}")


def command(p: Grammar, name: str) -> Any:
    r"""The object of a command, \\frac or \\alpha, or of a function's plain name."""
    if (handler := COMMANDS.get(name)) is not None:
        return handler(p)
    if name in FUNCTIONS:
        return function(p, name)
    if name in GREEK:
        return named(p, name)
    if name in MANY:
        return several_arguments(p, MANY[name])
    if name in _ACCENTS:
        return accented(p, _ACCENTS[name])
    raise UnreadableError(f"the command \\{name[:20]} is not known")


def opened(p: Grammar, sign: str) -> Any:
    if sign == "(":
        return based(p, p.bracket("("))
    if sign == "[":
        return p.bracket("[")
    if sign == "|":
        return bars(p, "|")
    if sign == "{":
        if not p.latex:
            return p.bracket("{")
        found = p.listing("{", "}")
        p.expect("}")
        return found.items[0] if len(found.items) == 1 else found
    raise UnreadableError(f"no object starts with {sign!r}")


def bars(p: Grammar, closing: str) -> Any:
    p.bars += 1
    found = p.sum()
    p.bars -= 1
    p.expect(closing)
    if isinstance(found, Group) and len(found.items) == 1:
        found = found.items[0]
    if isinstance(found, sympy.MatrixBase):
        return found.det() if found.is_square else unreadable("the determinant of a matrix that is not square")
    if not is_expression(found):
        raise UnreadableError("bars around something that has no absolute value")
    return sympy.Abs(found)


def named(p: Grammar, name: str) -> Any:
    if name == "e" and not p.at("_"):
        return sympy.E
    if name == "i" and not p.at("_") and "i" not in p.bound:
        return sympy.I
    if p.next.kind == "number" and not p.next.spaced and p.next.text.isdigit() and len(name) == 1 and name not in "ei":
        name = f"{name}_{p.take().text}"
    if p.at("_"):
        p.take()
        name = f"{name}_{re.sub(r'[^A-Za-z0-9+,-]', '', p.raw_argument())}"
    while p.accept("'"):
        name += "'"
    if p.at("(") and (name.rstrip("'") in _FUNCTION_LETTERS):
        return _applied(p, name)
    return sympy.Symbol(name) if name in p.complex_letters else variable(name)


def _applied(p: Grammar, name: str) -> Any:
    p.take()
    arguments = p.listing("(", ")")
    p.expect(")")
    if not arguments.items or not all(is_expression(a) for a in arguments.items):
        raise UnreadableError(f"the arguments of {name}")
    return sympy.Function(name)(*arguments.items)


def accented(p: Grammar, mark: str) -> Any:
    r"""\vec{v}, \hat{p} and \dot{x} are other variables than v, p and x."""
    name = p.raw_argument()
    if name in ("i", "j", "k"):
        return variable(f"{name}vec")
    if not re.fullmatch(r"[A-Za-z]{1,10}(?:_?\d+)?", name):
        raise UnreadableError("a decoration over an expression")
    return variable(name + mark)


def _fraction(p: Grammar) -> Any:
    if (found := derivative(p)) is not None:
        return found
    numerator, denominator = _fraction_part(p), _fraction_part(p)
    return combine("/", numerator, denominator)


def _fraction_part(p: Grammar) -> Any:
    if p.next.kind == "number" and len(p.next.text) > 1 and p.next.text.isdigit():
        return sympy.Integer(first_digit(p))
    return p.argument()


def _root(p: Grammar) -> Any:
    index: Any = sympy.Integer(2)
    if p.at("[") and p.latex:
        p.take()
        index = p.sum()
        p.expect("]")
    if p.next.kind == "number" and p.latex and len(p.next.text) > 1 and p.next.text.isdigit():
        radicand: Any = sympy.Integer(first_digit(p))
    elif p.at("("):
        p.take()
        radicand = p.bracket("(")
    else:
        radicand = p.argument()
    if not is_expression(radicand) or not is_expression(index):
        raise UnreadableError("the root of something that is no number")
    if index.is_Integer and index.is_odd and radicand.is_negative:
        return -sympy.root(-radicand, index)  # the real root, as school mathematics has it
    return sympy.root(radicand, index)


def _geometric(p: Grammar) -> Any:
    r"""\angle ABC, \triangle ABC, \overline{AB} are names."""
    letters = ""
    while p.next.kind == "name" and p.next.text.isupper():
        letters += p.take().text
    return variable(f"angle {letters}") if letters else named(p, p.take().text)


def _overline(p: Grammar) -> Any:
    value = p.argument()
    if not is_expression(value):
        raise UnreadableError("a bar over something that is no number")
    if value.has(sympy.I) or value.is_number or any(s.is_real is None for s in value.free_symbols):
        return sympy.conjugate(value)
    # Of something real it is a mean, a complement, a line: another object than what stands below the bar.
    return variable(f"{value.name}_bar") if isinstance(value, sympy.Symbol) else sympy.Function("overline")(value)


def _binomial(p: Grammar) -> Any:
    top, bottom = p.argument(), p.argument()
    if any(isinstance(v, sympy.Number) and abs(v) > 1000 for v in (top, bottom)):
        raise TooHardError("a binomial coefficient of numbers above 1000")
    return sympy.binomial(top, bottom)


def _number_set(p: Grammar) -> Any:
    letter = p.raw_argument()
    if letter not in _SETS:
        raise UnreadableError(f"the set {letter[:10]}")
    found = _SETS[letter]
    if p.at("^", "_") and letter in "RZQN":
        p.take()
        mark = p.raw_argument()
        if mark == "+" and letter in "RZ":
            return sympy.Interval.open(0, sympy.oo) if letter == "R" else sympy.S.Naturals
        if mark in ("-", "*") and letter == "R":
            negative = sympy.Interval.open(-sympy.oo, 0)
            return negative if mark == "-" else sympy.Union(negative, sympy.Interval.open(0, sympy.oo))
        if mark == "0" and letter == "N":
            return sympy.S.Naturals0
        raise UnreadableError(f"the set {letter}^{mark[:10]}")
    return found


def _gamma(p: Grammar) -> Any:
    """The function where every Γ of the text stands before a bracket, else a letter."""
    following = [after.text for t, after in itertools.pairwise(p.tokens) if (t.kind, t.text) == ("command", "Gamma")]
    if set(following) != {"("}:
        return named(p, "Gamma")
    p.take()
    argument = p.bracket("(")
    if not is_expression(argument):
        raise UnreadableError("the argument of Γ")
    if argument.is_number and abs(argument) > 1000:
        raise TooHardError("the gamma function of a number above 1000")
    return sympy.gamma(argument)


def _floor(p: Grammar, closing: str, target: Callable[[Any], Any]) -> Any:
    value = p.sum()
    if not (p.next.kind == "command" and p.next.text == closing) or not is_expression(value):
        raise UnreadableError(f"expected \\{closing}")
    p.take()
    return target(value)


def _norm(p: Grammar, closing: str) -> Any:
    p.bars += 1
    found = p.sum()
    p.bars -= 1
    if not (p.next.kind == "command" and p.next.text == closing):
        raise UnreadableError("bars that are never closed")
    p.take()
    if isinstance(found, Group) and found.is_sequence:
        found = sympy.Matrix(found.items)
    if isinstance(found, sympy.MatrixBase):
        return found.norm() if closing in ("Vert", "rVert") else found.det()
    return sympy.Abs(found)


COMMANDS: dict[str, Callable[[Grammar], Any]] = {
    "frac": _fraction,
    "sqrt": _root,
    "overline": _overline,
    "bar": _overline,
    "binom": _binomial,
    "tbinom": _binomial,
    "dbinom": _binomial,
    "mathbb": _number_set,
    "Bbb": _number_set,
    "pi": lambda p: sympy.pi,
    "infty": lambda p: sympy.oo,
    "imath": lambda p: sympy.I,
    "emptyset": lambda p: sympy.S.EmptySet,
    "varnothing": lambda p: sympy.S.EmptySet,
    "{": lambda p: p.bracket("{", closing="\\}"),
    "langle": lambda p: p.bracket("<", closing="⟩"),
    "lfloor": lambda p: _floor(p, "rfloor", sympy.floor),
    "lceil": lambda p: _floor(p, "rceil", sympy.ceiling),
    "lvert": lambda p: _norm(p, "rvert"),
    "vert": lambda p: bars(p, "|"),
    "Vert": lambda p: _norm(p, "Vert"),
    "lVert": lambda p: _norm(p, "rVert"),
    "angle": _geometric,
    "measuredangle": _geometric,
    "triangle": _geometric,
    "boxed": lambda p: p.argument(),
    "Gamma": _gamma,
    "begin": environments.environment,
    "int": integral,
    "sum": sum_over,
    "prod": product_over,
    "lim": limit,
    "text": lambda p: Words(p.raw_argument()),
}
