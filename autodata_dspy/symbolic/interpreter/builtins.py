"""The Python built-ins a symbolic program may use, exact and bounded.

Each takes the interpreter's `call` first, so that it can apply the program's own functions.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import sympy

from autodata_dspy.symbolic.interpreter.constructors import make_integer
from autodata_dspy.symbolic.interpreter.limits import MAX_ITEMS, ProgramError, bounded, check_size, power, whole
from autodata_dspy.symbolic.interpreter.values import Builtin, Call


def items(value: Any) -> Iterable[Any]:
    """What a loop over `value` sees, in an order that does not depend on hashing, bounded in number."""
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=sympy.default_sort_key)
    if isinstance(value, (list, tuple, dict, range, sympy.Tuple, sympy.Range, sympy.MatrixBase)):
        return bounded(value)
    if isinstance(value, sympy.FiniteSet):
        return list(value.args)
    if isinstance(value, (type({}.keys()), type({}.values()), type({}.items()))):
        return bounded(list(value))
    if isinstance(value, sympy.Set) and getattr(value, "is_iterable", False):
        return bounded(value)
    raise ProgramError(f"cannot loop over {_show(value)}; it is not a list, tuple, set or range")


def _show(value: Any) -> str:
    text = getattr(value, "name", None) if callable(value) else str(value)
    return repr(str(text)[:40])


def _range(_: Call, *args: Any) -> range:
    found = range(*(whole(a, "range()'s argument") for a in args))
    if len(found) > MAX_ITEMS:
        raise ProgramError(f"range() has more than {MAX_ITEMS} elements; use summation() or a smaller range")
    return found


def _len(_: Call, value: Any) -> sympy.Integer:
    if isinstance(value, (sympy.FiniteSet, sympy.MatrixBase, list, tuple, set, frozenset, dict, range, sympy.Tuple)):
        return sympy.Integer(len(value))
    return sympy.Integer(len(list(items(value))))


def _sum(_: Call, values: Any, start: Any = sympy.S.Zero) -> Any:
    return functools.reduce(lambda a, b: check_size(a + b), items(values), start)


def _prod(_: Call, values: Any, start: Any = sympy.S.One) -> Any:
    return functools.reduce(lambda a, b: check_size(a * b), items(values), start)


def _extreme(name: str) -> Callable[..., Any]:
    symbolic = {"max": sympy.Max, "min": sympy.Min}[name]
    pick = {"max": max, "min": min}[name]

    def choose(call: Call, *args: Any, key: Any = None, default: Any = None) -> Any:
        values = list(items(args[0])) if len(args) == 1 else list(args)
        if not values:
            if default is None:
                raise ProgramError(f"{name}() of nothing")
            return default
        if key is not None:
            return pick(values, key=lambda v: call(key, (v,)))
        if all(isinstance(v, (int, sympy.Expr)) for v in values):
            return symbolic(*values)
        return pick(values)

    return choose


def _sorted(call: Call, values: Any, key: Any = None, reverse: bool = False) -> list[Any]:
    if key is not None:
        return sorted(items(values), key=lambda v: call(key, (v,)), reverse=bool(reverse))
    found = list(items(values))
    try:
        return sorted(found, reverse=bool(reverse))
    except TypeError:  # symbols have no order; sympy's canonical one is at least reproducible
        return sorted(found, key=sympy.default_sort_key, reverse=bool(reverse))


def whole_numbers(values: Iterable[Any]) -> list[Any]:
    return [sympy.Integer(v) if isinstance(v, int) and not isinstance(v, bool) else v for v in values]


def _dict(_: Call, *args: Any, **kwargs: Any) -> dict[Any, Any]:
    if kwargs or len(args) > 1:
        raise ProgramError("dict() takes pairs, e.g. dict(zip(names, values))")
    if not args:
        return {}
    return dict(args[0] if isinstance(args[0], dict) else (tuple(pair) for pair in items(args[0])))


def _round(_: Call, value: Any, digits: Any = None) -> Any:
    rounded = round(sympy.sympify(value, strict=True), None if digits is None else whole(digits, "digits"))
    return sympy.sympify(rounded, strict=True)


def _pow(_: Call, base: Any, exponent: Any, modulus: Any = None) -> Any:
    if modulus is None:
        return power(base, exponent)
    return sympy.Integer(pow(*(whole(v, "pow()'s argument") for v in (base, exponent, modulus))))


def _divmod(_: Call, a: Any, b: Any) -> tuple[Any, Any]:
    return a // b, a % b


def _truth(value: Any) -> bool:
    return bool(value)


_RUN: dict[str, Callable[..., Any]] = {
    "range": _range,
    "len": _len,
    "sum": _sum,
    "prod": _prod,
    "max": _extreme("max"),
    "min": _extreme("min"),
    "sorted": _sorted,
    "abs": lambda _, v: sympy.Abs(v) if not isinstance(v, sympy.MatrixBase) else abs(v),
    "round": _round,
    "pow": _pow,
    "divmod": _divmod,
    "int": lambda _, v=0: make_integer(v),
    "float": lambda _, v: sympy.Float(sympy.sympify(v, strict=True)),
    "bool": lambda _, v=False: _truth(v),
    "list": lambda _, v=(): whole_numbers(items(v)),
    "tuple": lambda _, v=(): tuple(whole_numbers(items(v))),
    "set": lambda _, v=(): set(whole_numbers(items(v))),
    "frozenset": lambda _, v=(): frozenset(whole_numbers(items(v))),
    "dict": _dict,
    "zip": lambda _, *vs: list(zip(*(whole_numbers(items(v)) for v in vs), strict=False)),
    "enumerate": lambda _, v, start=0: [
        (sympy.Integer(i), x) for i, x in enumerate(items(v), whole(start, "enumerate()'s start"))
    ],
    "reversed": lambda _, v: list(items(v))[::-1],
    "map": lambda call, f, *vs: [call(f, args) for args in zip(*(whole_numbers(items(v)) for v in vs), strict=False)],
    "filter": lambda call, f, v: [x for x in whole_numbers(items(v)) if _truth(x if f is None else call(f, (x,)))],
    "any": lambda _, v: any(_truth(x) for x in items(v)),
    "all": lambda _, v: all(_truth(x) for x in items(v)),
}


BUILTINS = {name: Builtin(name, run) for name, run in _RUN.items()}
