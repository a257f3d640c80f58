"""What the atoms of the grammar mean: numbers, names, brackets, and every LaTeX command it knows."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import sympy

from autodata_dspy.symbolic import environments
from autodata_dspy.symbolic.calculus import derivative, integral, limit, product_over, sum_over
from autodata_dspy.symbolic.grammar import Grammar, combine
from autodata_dspy.symbolic.objects import Group, TooHardError, UnreadableError, Words, variable
from autodata_dspy.symbolic.vocabulary import FUNCTIONS, GREEK, MANY

_FUNCTION_LETTERS = frozenset("fghFGH")
_BIG_NUMBER = 400  # digits
_SETS = {
    "R": sympy.S.Reals, "Z": sympy.S.Integers, "N": sympy.S.Naturals, "Q": sympy.S.Rationals, "C": sympy.S.Complexes,
}  # fmt: skip
_ACCENTS = frozenset("vec hat widehat tilde widetilde mathcal mathscr mathfrak underline dot ddot overrightarrow".split())


def atom(p: Grammar) -> Any:
    """The object that starts here, without postfixes.

    Raises:
        UnreadableError: none does.
    """
    token = p.take()
    if token.kind == "number":
        return _number(p, token.text)
    if token.kind == "name":
        return _name(p, token.text)
    if token.kind == "command":
        handler = _COMMANDS.get(token.text)
        if handler is not None:
            return handler(p)
        if token.text in FUNCTIONS:
            return function(p, token.text)
        if token.text in GREEK:
            return _name(p, token.text)
        if token.text in MANY:
            return _many(p, MANY[token.text])
        if token.text in _ACCENTS:
            return _accented(p)
        raise UnreadableError(f"the command \\{token.text[:20]} is not known")
    if token.kind == "words" and len(token.text) == 1:
        return _name(p, token.text)
    if token.kind == "sign":
        return _opened(p, token.text)
    raise UnreadableError(f"no object starts with {token.text[:20] or 'nothing'!r}")


def _opened(p: Grammar, sign: str) -> Any:
    if sign == "(":
        return _based(p, p.bracket("("))
    if sign == "[":
        return p.bracket("[")
    if sign == "|":
        return _bars(p, "|")
    if sign == "{":
        if not p.latex:
            return p.bracket("{")
        found = p.listing("{", "}")
        p.expect("}")
        return found.items[0] if len(found.items) == 1 else found
    raise UnreadableError(f"no object starts with {sign!r}")


def _bars(p: Grammar, closing: str) -> Any:
    p.bars += 1
    found = p.sum()
    p.bars -= 1
    p.expect(closing)
    if isinstance(found, Group) and len(found.items) == 1:
        found = found.items[0]
    if isinstance(found, sympy.MatrixBase):
        return found.det() if found.is_square else _fail("the determinant of a matrix that is not square")
    if not isinstance(found, sympy.Expr):
        raise UnreadableError("bars around something that has no absolute value")
    return sympy.Abs(found)


def _fail(what: str) -> Any:
    raise UnreadableError(what)


# Numbers


def _number(p: Grammar, text: str) -> Any:
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
    return value + fraction if value.is_Integer and (fraction := _mixed(p)) is not None else value


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
    value = sympy.Rational(int(whole + fixed or "0"), scale) + sympy.Rational(int(digits), (10 ** len(digits) - 1) * scale)
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
        return _first_digit(p)
    return p.raw_argument() if p.at("{") or p.next.kind == "number" else ""


def _first_digit(p: Grammar) -> str:
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


def _based(p: Grammar, value: Any) -> Any:
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


# Names


def _name(p: Grammar, name: str) -> Any:
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
    return variable(name)


def _applied(p: Grammar, name: str) -> Any:
    p.take()
    arguments = p.listing("(", ")")
    p.expect(")")
    if not arguments.items or not all(isinstance(a, sympy.Expr) for a in arguments.items):
        raise UnreadableError(f"the arguments of {name}")
    return sympy.Function(name)(*arguments.items)


def _accented(p: Grammar) -> Any:
    r"""\vec{v}, \hat{x}: decorations do not make another variable, except over basis vectors."""
    name = p.raw_argument()
    if name in ("i", "j", "k"):
        return variable(f"{name}vec")
    if not re.fullmatch(r"[A-Za-z]{1,10}(?:_?\d+)?", name):
        raise UnreadableError("a decoration over an expression")
    return variable(name)


# Functions


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
    if not isinstance(argument, sympy.Expr):
        raise UnreadableError(f"the argument of {name}")
    if exponent == -1 and name in ("sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh"):
        return getattr(sympy, f"a{FUNCTIONS[name]}")(argument)
    value = _call(name, argument, base)
    return value if exponent is None else combine("^", value, exponent)


def _log_base(p: Grammar) -> Any:
    if p.next.kind == "number" and len(p.next.text) > 1 and p.latex:
        following = p.peek()
        if following.kind in ("end", "sign") and following.text != "(":
            return sympy.Integer(_first_digit(p))  # \log_28 is the logarithm of 8 to base 2
    return p.argument()


def _call(name: str, argument: Any, base: Any) -> Any:
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
        return _raised_argument(p, found)
    if p.at("{") and p.latex:
        return p.argument()
    found = p.power()
    while p.starts_factor() and not p.at("(", "[", "|") and not _starts_function(p):
        found = combine("*", found, p.power())
    return found


def _raised_argument(p: Grammar, found: Any) -> Any:
    return found


def _starts_function(p: Grammar) -> bool:
    if p.next.kind == "name":
        return p.next.text == "e" and p.peek().text == "^"
    return p.next.kind == "command" and (p.next.text in FUNCTIONS or p.next.text in ("begin", "int", "sum", "lim"))


def _many(p: Grammar, target: str) -> Any:
    if p.at("\\{"):
        p.take()
        found = p.bracket("{", closing="\\}")
    else:
        p.expect("(")
        found = p.bracket("(")
    items = found.items if isinstance(found, Group) else (found,)
    if not items or not all(isinstance(v, sympy.Expr) for v in items):
        raise UnreadableError(f"the arguments of {target}")
    if target in ("gcd", "lcm"):
        return sympy.gcd(list(items)) if target == "gcd" else sympy.lcm(list(items))
    return getattr(sympy, target)(*items)


# LaTeX commands


def _fraction(p: Grammar) -> Any:
    if (found := derivative(p)) is not None:
        return found
    numerator, denominator = _fraction_part(p), _fraction_part(p)
    return combine("/", numerator, denominator)


def _fraction_part(p: Grammar) -> Any:
    if p.next.kind == "number" and len(p.next.text) > 1 and p.next.text.isdigit():
        return sympy.Integer(_first_digit(p))
    return p.argument()


def _root(p: Grammar) -> Any:
    index: Any = sympy.Integer(2)
    if p.at("[") and p.latex:
        p.take()
        index = p.sum()
        p.expect("]")
    if p.next.kind == "number" and p.latex and len(p.next.text) > 1 and p.next.text.isdigit():
        radicand: Any = sympy.Integer(_first_digit(p))
    elif p.at("("):
        p.take()
        radicand = p.bracket("(")
    else:
        radicand = p.argument()
    if not isinstance(radicand, sympy.Expr) or not isinstance(index, sympy.Expr):
        raise UnreadableError("the root of something that is no number")
    if index.is_Integer and index.is_odd and radicand.is_negative:
        return -sympy.root(-radicand, index)  # the real root, as school mathematics has it
    return sympy.root(radicand, index)


def _overline(p: Grammar) -> Any:
    value = p.argument()
    if not isinstance(value, sympy.Expr):
        raise UnreadableError("a bar over something that is no number")
    return sympy.conjugate(value)


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


def _floor(p: Grammar, closing: str, target: Callable[[Any], Any]) -> Any:
    value = p.sum()
    if not (p.next.kind == "command" and p.next.text == closing) or not isinstance(value, sympy.Expr):
        raise UnreadableError(f"expected \\{closing}")
    p.take()
    return target(value)


def _norm(p: Grammar, closing: str) -> Any:
    found = p.sum()
    if not (p.next.kind == "command" and p.next.text == closing):
        raise UnreadableError("bars that are never closed")
    p.take()
    if isinstance(found, Group) and found.is_sequence:
        found = sympy.Matrix(found.items)
    if isinstance(found, sympy.MatrixBase):
        return found.norm() if closing in ("Vert", "rVert") else found.det()
    return sympy.Abs(found)


def _boxed(p: Grammar) -> Any:
    return p.argument()


_COMMANDS: dict[str, Callable[[Grammar], Any]] = {
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
    "vert": lambda p: _bars(p, "|"),
    "Vert": lambda p: _norm(p, "Vert"),
    "lVert": lambda p: _norm(p, "rVert"),
    "boxed": _boxed,
    "begin": environments.environment,
    "int": integral,
    "sum": sum_over,
    "prod": product_over,
    "lim": limit,
    "text": lambda p: Words(p.raw_argument()),
}
