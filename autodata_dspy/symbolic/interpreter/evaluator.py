"""Evaluates parsed Python syntax over the tables of this folder. Nothing is compiled or executed.

Only the node types with an entry in `Interpreter._nodes` mean anything; every other one is refused
by name. Statements stand in `statements.py`.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Iterable
from typing import Any

import sympy
from sympy.logic.boolalg import Boolean

from autodata_dspy.symbolic.interpreter import limits
from autodata_dspy.symbolic.interpreter.builtins import BUILTINS, items
from autodata_dspy.symbolic.interpreter.calls import Caller
from autodata_dspy.symbolic.interpreter.closed_sums import over_symbolic_range
from autodata_dspy.symbolic.interpreter.constructors import make_symbol
from autodata_dspy.symbolic.interpreter.limits import ProgramError
from autodata_dspy.symbolic.interpreter.members import member
from autodata_dspy.symbolic.interpreter.modules import MODULES
from autodata_dspy.symbolic.interpreter.names import NAMES
from autodata_dspy.symbolic.interpreter.operators import BINARY, COMPARE, UNARY
from autodata_dspy.symbolic.interpreter.values import Builtin, Module, Routine, Scope, Text


def unknown_name(name: str, available: Iterable[str]) -> ProgramError:
    """The error for a name that neither the program nor our tables define."""
    near = difflib.get_close_matches(name, list(available), n=1, cutoff=0.7)
    hint = f"did you mean {near[0]!r}?" if near else "define it first, or use a sympy name"
    return ProgramError(f"{name[:40]!r} is not defined; {hint}")


class Interpreter(Caller):
    """Evaluates expressions in a scope, counting steps.

    Args:
        unknown: what an undefined name becomes (a symbol, when reading a plain-text object);
            None makes it an error that names the likely misspelling.
    """

    def __init__(self, unknown: Callable[[str], Any] | None = None):
        super().__init__()
        self.steps = 0
        self.line = 0
        self.unknown = unknown
        self._nodes: dict[type, Callable[[Any, Scope], Any]] = {
            ast.Constant: self._constant,
            ast.Name: lambda node, scope: self.name(node.id, scope),
            ast.BinOp: self._binary,
            ast.UnaryOp: lambda node, scope: UNARY[type(node.op)](self.value(node.operand, scope)),
            ast.BoolOp: self._bool_op,
            ast.Compare: self._compare,
            ast.Call: self._call,
            ast.IfExp: lambda n, s: self.evaluate(n.body if self.truth(n.test, s) else n.orelse, s),
            ast.Attribute: self._attribute,
            ast.Subscript: lambda n, s: limits.check_size(self.value(n.value, s)[self.index(n.slice, s)]),
            ast.List: lambda node, scope: self.elements(node.elts, scope),
            ast.Tuple: lambda node, scope: tuple(self.elements(node.elts, scope)),
            ast.Set: lambda node, scope: set(self.elements(node.elts, scope)),
            ast.Dict: self._dict,
            ast.ListComp: lambda n, s: list(self._comprehend(n, s)),
            ast.GeneratorExp: lambda n, s: list(self._comprehend(n, s)),
            ast.SetComp: lambda n, s: set(self._comprehend(n, s)),
            ast.DictComp: lambda n, s: dict(self._comprehend(n, s)),
            ast.Lambda: lambda node, scope: self.routine("lambda", node.args, node.body, scope),
            ast.NamedExpr: self._named,
        }

    def evaluate(self, node: ast.AST, scope: Scope) -> Any:
        """The value of an expression node. Raises ProgramError for anything not allowed."""
        self.steps += 1
        self.line = getattr(node, "lineno", self.line)
        if self.steps > limits.MAX_STEPS:
            raise ProgramError(f"stopped after {limits.MAX_STEPS} steps; use a closed form or a smaller loop")
        handler = self._nodes.get(type(node))
        if handler is None:
            raise ProgramError(f"{type(node).__name__} is not allowed; use plain assignments, calls and expressions")
        return handler(node, scope)

    def value(self, node: ast.AST, scope: Scope) -> Any:
        """As `evaluate`, for an operand: neither a text nor a function's bare name."""
        found = self.evaluate(node, scope)
        if isinstance(found, Text):
            raise ProgramError(f"the text {found.value[:30]!r} cannot be computed with; write it without quotes")
        if isinstance(found, (Builtin, Routine)):
            raise ProgramError(f"{found.name} is a function; call it: {found.name}(…)")
        return found

    def truth(self, node: ast.AST, scope: Scope) -> bool:
        found = self.value(node, scope)
        if isinstance(found, sympy.core.relational.Relational):
            raise ProgramError(f"cannot tell whether {str(found)[:60]} is true; it contains symbols")
        return bool(found)

    def name(self, name: str, scope: Scope) -> Any:
        home = scope.find(name)
        if home is not None:
            return home.names[name]
        for table in (BUILTINS, NAMES):
            if name in table:
                return table[name]
        if self.unknown is not None:
            return self.unknown(name)
        if name == "e":  # what models write for the constant when they forget sympy's spelling
            return sympy.E
        if name in ("i", "j"):
            raise ProgramError(f"{name!r} is not defined; write I for the imaginary unit, or define it")
        if len(name) == 1 and name.islower() and name.isascii():
            return make_symbol(Text(name))
        if name in MODULES:
            return Module(name)
        raise unknown_name(name, [*NAMES, *BUILTINS, *scope.names])

    def elements(self, nodes: list[ast.expr], scope: Scope) -> list[Any]:
        found: list[Any] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                found += items(self.value(node.value, scope))
            else:
                found.append(self.evaluate(node, scope))
        return limits.check_size(found)

    def index(self, node: ast.AST, scope: Scope) -> Any:
        """A subscript: slices and integers become Python's, anything else stays (dictionary keys)."""
        if isinstance(node, ast.Slice):
            parts = (node.lower, node.upper, node.step)
            return slice(*(None if p is None else limits.whole(self.value(p, scope), "a slice bound") for p in parts))
        if isinstance(node, ast.Tuple):
            return tuple(self.index(element, scope) for element in node.elts)
        found = self.value(node, scope)
        return int(found) if isinstance(found, sympy.Integer) else found

    def routine(self, name: str, args: ast.arguments, body: Any, scope: Scope) -> Routine:
        if args.vararg or args.kwarg or args.kwonlyargs:
            raise ProgramError(f"{name} may only take plain parameters")
        defaults = tuple(self.evaluate(d, scope) for d in args.defaults)
        return Routine(name, tuple(a.arg for a in [*args.posonlyargs, *args.args]), defaults, body, scope)

    def _constant(self, node: ast.Constant, scope: Scope) -> Any:
        found = node.value
        if found is None or isinstance(found, bool):
            return found
        if isinstance(found, int):
            return limits.check_size(sympy.Integer(found))
        if isinstance(found, float):
            return sympy.Float(found)
        if isinstance(found, complex) and found.imag == int(found.imag):
            return sympy.Integer(int(found.imag)) * sympy.I
        if isinstance(found, str):
            return Text(found)
        raise ProgramError(f"the literal {str(found)[:30]} is not allowed")

    def _binary(self, node: ast.BinOp, scope: Scope) -> Any:
        # Long sums nest to the left: walk down the left spine in a loop, not by recursion.
        spine: list[ast.BinOp] = []
        left: ast.AST = node
        while isinstance(left, ast.BinOp):
            spine.append(left)
            left = left.left
        total = self.value(left, scope)
        for parent in reversed(spine):
            total = limits.check_size(BINARY[type(parent.op)](total, self.value(parent.right, scope)))
        return total

    def _bool_op(self, node: ast.BoolOp, scope: Scope) -> Any:
        stop_at = isinstance(node.op, ast.Or)
        found: Any = not stop_at
        open_conditions: list[Any] = []  # x > 1 and x < 3: relations over symbols, joined as a reader means
        for part in node.values:
            found = self.value(part, scope)
            if isinstance(found, Boolean) and found not in (sympy.true, sympy.false):
                open_conditions.append(found)
            elif bool(found) is stop_at:
                return found
        if open_conditions:
            return (sympy.Or if stop_at else sympy.And)(*open_conditions)
        return found

    def _compare(self, node: ast.Compare, scope: Scope) -> Any:
        left = self.value(node.left, scope)
        outcomes: list[Any] = []
        for op, comparator in zip(node.ops, node.comparators, strict=True):
            right = self.value(comparator, scope)
            outcomes.append(COMPARE[type(op)](left, right))
            left = right
        # A chain over symbols, 0 < x < 1, is the conjunction a reader means.
        return outcomes[0] if len(outcomes) == 1 else sympy.And(*outcomes)

    def _call(self, node: ast.Call, scope: Scope) -> Any:
        function = self.evaluate(node.func, scope)
        if function in (BUILTINS["sum"], BUILTINS["prod"]) and (found := over_symbolic_range(self, node, scope)):
            return found.closed(function.name)
        args = tuple(self.elements(node.args, scope))
        kwargs: dict[str, Any] = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                raise ProgramError("**keywords are not allowed; write them out")
            kwargs[keyword.arg] = self.evaluate(keyword.value, scope)
        return self.call(function, args, kwargs)

    def _attribute(self, node: ast.Attribute, scope: Scope) -> Any:
        owner = self.evaluate(node.value, scope)
        if not isinstance(owner, Module):
            return member(owner, node.attr)
        if f"{owner.name}.{node.attr}" in MODULES:
            return Module(f"{owner.name}.{node.attr}")
        table = MODULES[owner.name]
        if node.attr in table:
            return table[node.attr]
        raise unknown_name(f"{owner.name}.{node.attr}", [f"{owner.name}.{name}" for name in table])

    def _dict(self, node: ast.Dict, scope: Scope) -> dict[Any, Any]:
        if any(key is None for key in node.keys):
            raise ProgramError("** inside a dict is not allowed; write the pairs out")
        pairs = zip(node.keys, node.values, strict=True)
        return {self.value(k, scope): self.evaluate(v, scope) for k, v in pairs if k is not None}

    def _named(self, node: ast.NamedExpr, scope: Scope) -> Any:
        scope.names[node.target.id] = found = self.evaluate(node.value, scope)
        return found

    def _comprehend(self, node: Any, scope: Scope) -> Any:
        inner = Scope(outer=scope)
        produced = 0

        def walk(level: int) -> Any:
            if level == len(node.generators):
                if isinstance(node, ast.DictComp):
                    yield self.value(node.key, inner), self.evaluate(node.value, inner)
                else:
                    yield self.evaluate(node.elt, inner)
                return
            generator = node.generators[level]
            for item in items(self.value(generator.iter, inner if level else scope)):
                self.bind(generator.target, item, inner)
                if all(self.truth(test, inner) for test in generator.ifs):
                    yield from walk(level + 1)

        for found in walk(0):
            produced += 1
            if produced > limits.MAX_ITEMS:
                raise ProgramError(f"a collection has more than {limits.MAX_ITEMS} elements")
            yield found

    def bind(self, target: ast.AST, value: Any, scope: Scope) -> None:
        """Assign to a name, a tuple of targets, or an element of a list, dictionary or matrix."""
        if isinstance(value, int) and not isinstance(value, bool):
            value = sympy.Integer(value)  # range() and len() stay exact under division
        if isinstance(target, ast.Name):
            if target.id.startswith("__"):
                raise ProgramError(f"{target.id[:40]!r} cannot be assigned; use another name")
            scope.names[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target.elts, list(items(value)), scope)
        elif isinstance(target, ast.Subscript):
            owner = self.value(target.value, scope)
            if not isinstance(owner, (list, dict, sympy.MatrixBase)):
                raise ProgramError("only elements of a list, dict or Matrix can be assigned")
            container: Any = owner
            container[self.index(target.slice, scope)] = value
        else:
            raise ProgramError(f"cannot assign to {type(target).__name__}; assign to a plain name")

    def _unpack(self, targets: list[ast.expr], values: list[Any], scope: Scope) -> None:
        starred = next((i for i, t in enumerate(targets) if isinstance(t, ast.Starred)), None)
        if starred is not None and len(values) >= len(targets) - 1:
            tail = len(targets) - starred - 1
            middle = values[starred : len(values) - tail]
            values = [*values[:starred], middle, *values[len(values) - tail :]]
            targets = [t.value if isinstance(t, ast.Starred) else t for t in targets]
        if len(values) != len(targets):
            raise ProgramError(f"cannot unpack {len(values)} values into {len(targets)} names")
        for target, value in zip(targets, values, strict=True):
            self.bind(target, value, scope)
