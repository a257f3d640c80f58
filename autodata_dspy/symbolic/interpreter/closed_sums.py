"""`sum(k**2 for k in range(1, n + 1))` with a symbol in the range: no loop, but every reader knows the sum."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

import sympy

from autodata_dspy.symbolic.interpreter import limits
from autodata_dspy.symbolic.interpreter.builtins import BUILTINS
from autodata_dspy.symbolic.interpreter.values import Scope


@dataclass(frozen=True, slots=True)
class SymbolicLoop:
    """`term` for every whole `index` from `first` to `last`, of which at least one holds a symbol."""

    term: Any
    index: sympy.Symbol
    first: Any
    last: Any

    def closed(self, name: str) -> Any:
        """The closed form of the sum (`name` "sum") or of the product ("prod")."""
        work = sympy.summation if name == "sum" else sympy.product
        return limits.check_size(work(self.term, (self.index, self.first, self.last)))


def over_symbolic_range(interpreter: Any, call: ast.Call, scope: Scope) -> SymbolicLoop | None:
    """The loop of a call `sum(… for k in range(…))` whose range is symbolic; None for any other call."""
    loop = call.args[0] if len(call.args) == 1 and not call.keywords else None
    if not isinstance(loop, (ast.GeneratorExp, ast.ListComp)) or len(loop.generators) != 1:
        return None
    generator = loop.generators[0]
    bounds = generator.iter
    plain = isinstance(generator.target, ast.Name) and not generator.ifs
    if not plain or not isinstance(bounds, ast.Call) or not 1 <= len(bounds.args) <= 2 or bounds.keywords:
        return None
    if not isinstance(bounds.func, ast.Name) or interpreter.name(bounds.func.id, scope) is not BUILTINS["range"]:
        return None
    values = [interpreter.value(argument, scope) for argument in bounds.args]
    if not any(isinstance(v, sympy.Expr) and v.free_symbols for v in values):
        return None
    first, end = values if len(values) == 2 else (sympy.S.Zero, values[0])
    index = sympy.Dummy(generator.target.id, integer=True)
    term = interpreter.evaluate(loop.elt, Scope({generator.target.id: index}, scope))
    return SymbolicLoop(term, index, first, end - 1)
