"""What an import brings into a program: names of our own tables, never the module itself."""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Callable, Iterable
from typing import Any

import sympy

from autodata_dspy.symbolic.interpreter.builtins import BUILTINS, items, whole_numbers
from autodata_dspy.symbolic.interpreter.constructors import make_symbol
from autodata_dspy.symbolic.interpreter.limits import bounded, whole
from autodata_dspy.symbolic.interpreter.names import NAMES
from autodata_dspy.symbolic.interpreter.values import Builtin, Call, Text


def _isqrt(_: Call, n: Any) -> sympy.Integer:
    return sympy.Integer(math.isqrt(whole(n, "isqrt()'s argument")))


def _reduce(call: Call, f: Any, values: Any, *start: Any) -> Any:
    return functools.reduce(lambda a, b: call(f, (a, b)), items(values), *start)


def _itertool(tool: Callable[..., Iterable[Any]]) -> Callable[..., list[Any]]:
    def run(_: Call, *args: Any, repeat: Any = 1) -> list[Any]:
        if tool is itertools.product:
            return list(
                bounded(tool(*(whole_numbers(items(a)) for a in args), repeat=min(whole(repeat, "repeat"), 20)))
            )
        return list(bounded(tool(whole_numbers(items(args[0])), *(whole(a, "a length") for a in args[1:]))))

    return run


_ITERTOOLS = {
    "combinations": _itertool(itertools.combinations),
    "permutations": _itertool(itertools.permutations),
    "product": _itertool(itertools.product),
    "combinations_with_replacement": _itertool(itertools.combinations_with_replacement),
    "accumulate": lambda _, v: list(itertools.accumulate(whole_numbers(items(v)), operator.add)),
}


_MATH = "sqrt exp log sin cos tan asin acos atan atan2 sinh cosh tanh floor ceil factorial gcd lcm comb perm pi gamma"


_LETTERS = [*"abcdefghjklmnopqrstuvwxyz", "alpha", "beta", "delta", "epsilon", "theta", "lamda", "mu", "nu"]
_LETTERS += [
    "phi",
    "psi",
    "rho",
    "sigma",
    "tau",
    "omega",
    "A",
    "B",
    "C",
    "D",
    "F",
    "G",
    "H",
    "K",
    "L",
    "M",
    "P",
    "T",
]


# What `import <module>` or `from <module> import name` brings into a program: name → object of our tables.
MODULES: dict[str, dict[str, Any]] = {
    "sympy": NAMES,
    "sympy.abc": {name: make_symbol(Text(name)) for name in _LETTERS},
    "math": {name: NAMES[name] for name in _MATH.split()}
    | {"e": sympy.E, "inf": sympy.oo, "fabs": NAMES["Abs"], "isqrt": Builtin("isqrt", _isqrt)}
    | {name: BUILTINS[name] for name in ("prod", "pow")},
    "fractions": {"Fraction": NAMES["Rational"]},
    "itertools": {name: Builtin(name, run) for name, run in _ITERTOOLS.items()},
    "functools": {"reduce": Builtin("reduce", _reduce)},
}
