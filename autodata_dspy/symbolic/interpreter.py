"""Evaluates parsed Python syntax over the tables of this folder. Nothing is compiled or executed.

Only the node types with an entry in `Interpreter._nodes` mean anything; every other one is refused
by name. Statements stand in `statements.py`.
"""

from __future__ import annotations

import ast
import difflib
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import sympy
from sympy.core.function import UndefinedFunction
from sympy.logic.boolalg import Boolean

from autodata_dspy.symbolic import limits
from autodata_dspy.symbolic.builtins import BUILTINS, MODULES, Builtin, items
from autodata_dspy.symbolic.limits import ProgramError
from autodata_dspy.symbolic.members import member
from autodata_dspy.symbolic.names import NAMES, Operation, Text, make_symbol

_KEYWORDS = frozenset(
    "dict domain relational rational force dir x0 n evaluate deep full check simplify positive order set minimal noconds func "
    "x y ics generator multiple extension modulus key reverse start default repeat strict subs maxn "
    "cls wrt symmetric polys real complex integer rational natural negative nonnegative nonpositive nonzero zero "
    "irrational imaginary even odd prime composite finite infinite commutative extended_real noninteger "
    "left_open right_open trig exact quintics cubics quartics gens particular quick visual limit ratio inverse "
    "log basic mul multinomial power_base power_exp power trig numer denom frac modulus".split()
)


@dataclass(frozen=True, slots=True)
class Module:
    """An imported module's name: its members are those of our table, whatever the real one offers."""

    name: str


@dataclass(slots=True)
class Scope:
    """Names bound by the program; a function body sees its definition's scope behind its own."""

    names: dict[str, Any] = field(default_factory=dict)
    outer: Scope | None = None

    def find(self, name: str) -> Scope | None:
        scope: Scope | None = self
        while scope is not None and name not in scope.names:
            scope = scope.outer
        return scope


@dataclass(frozen=True, slots=True)
class Routine:
    """A function the program defined; `body` is an expression (lambda) or a list of statements (def)."""

    name: str
    parameters: tuple[str, ...]
    defaults: tuple[Any, ...]
    body: ast.expr | list[ast.stmt]
    scope: Scope


class Return(Exception):  # noqa: N818 - control flow of the interpreted program, not an error
    """Carries a function's result out of its nested statements."""

    def __init__(self, value: Any):
        super().__init__()
        self.value = value


def unknown_name(name: str, available: Iterable[str]) -> ProgramError:
    """The error for a name that neither the program nor our tables define."""
    near = difflib.get_close_matches(name, list(available), n=1, cutoff=0.7)
    hint = f"did you mean {near[0]!r}?" if near else "define it first, or use a sympy name"
    return ProgramError(f"{name[:40]!r} is not defined; {hint}")


def _divide(a: Any, b: Any) -> Any:
    if isinstance(b, (int, sympy.Integer)) and b == 0:
        raise ProgramError("division by zero")
    return sympy.Rational(a, b) if isinstance(a, int) and isinstance(b, int) else a / b


def _xor(a: Any, b: Any) -> Any:
    if isinstance(a, sympy.Expr) or isinstance(b, sympy.Expr):
        raise ProgramError("^ is not a power in Python; write x**2")
    return operator.xor(a, b)


def _repeat(a: Any, b: Any) -> Any:
    for many, times in ((a, b), (b, a)):
        if (
            isinstance(many, (list, tuple))
            and len(many) * limits.whole(times, "a repetition") > limits.MAX_ITEMS
        ):
            raise ProgramError(f"a collection has more than {limits.MAX_ITEMS} elements")
    if isinstance(a, (list, tuple)) or isinstance(b, (list, tuple)):
        return operator.mul(*(int(v) if isinstance(v, sympy.Integer) else v for v in (a, b)))
    return a * b


_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: _repeat,
    ast.Div: _divide,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: limits.power,
    ast.MatMult: operator.matmul,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: _xor,
    ast.LShift: lambda a, b: limits.shift(a, b, True),
    ast.RShift: lambda a, b: limits.shift(a, b, False),
}
_COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in (b if isinstance(b, (sympy.Set, dict)) else list(items(b))),
    ast.NotIn: lambda a, b: a not in (b if isinstance(b, (sympy.Set, dict)) else list(items(b))),
}
_UNARY: dict[type, Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
    ast.Invert: lambda v: sympy.Not(v) if isinstance(v, Boolean) else operator.invert(v),
}


class Interpreter:
    """Evaluates expressions in a scope, counting steps.

    Args:
        unknown: what an undefined name becomes (a symbol, when reading a plain-text object);
            None makes it an error that names the likely misspelling.
    """

    def __init__(self, unknown: Callable[[str], Any] | None = None):
        self.steps = 0
        self.depth = 0
        self.line = 0
        self.unknown = unknown
        self.run_body: Callable[[list[ast.stmt], Scope], None] | None = None  # set by statements.py
        self._nodes: dict[type, Callable[[Any, Scope], Any]] = {
            ast.Constant: self._constant,
            ast.Name: lambda node, scope: self.name(node.id, scope),
            ast.BinOp: self._binary,
            ast.UnaryOp: lambda node, scope: _UNARY[type(node.op)](self.value(node.operand, scope)),
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
            raise ProgramError(
                f"{type(node).__name__} is not allowed; use plain assignments, calls and expressions"
            )
        return handler(node, scope)

    def value(self, node: ast.AST, scope: Scope) -> Any:
        """As `evaluate`, for an operand: neither a text nor a function's bare name."""
        found = self.evaluate(node, scope)
        if isinstance(found, Text):
            raise ProgramError(
                f"the text {found.value[:30]!r} cannot be computed with; write it without quotes"
            )
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
        if name in ("e", "i", "j"):
            raise ProgramError(
                f"{name!r} is not defined; write {'E' if name == 'e' else 'I'} for the constant"
            )
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
            return slice(
                *(None if p is None else limits.whole(self.value(p, scope), "a slice bound") for p in parts)
            )
        if isinstance(node, ast.Tuple):
            return tuple(self.index(element, scope) for element in node.elts)
        found = self.value(node, scope)
        return int(found) if isinstance(found, sympy.Integer) else found

    def routine(self, name: str, args: ast.arguments, body: Any, scope: Scope) -> Routine:
        if args.vararg or args.kwarg or args.kwonlyargs:
            raise ProgramError(f"{name} may only take plain parameters")
        defaults = tuple(self.evaluate(d, scope) for d in args.defaults)
        return Routine(name, tuple(a.arg for a in [*args.posonlyargs, *args.args]), defaults, body, scope)

    def call(self, function: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        """Apply a value of the program; every path into sympy goes through here."""
        kwargs = kwargs or {}
        if isinstance(function, Routine):
            return self._call_routine(function, args, kwargs)
        for key in kwargs:
            if key not in _KEYWORDS:
                raise ProgramError(f"the keyword {key[:30]!r} is not available here; leave it out")
        if isinstance(function, Builtin):
            _refuse_text(function.name, args, kwargs, frozenset())
            return limits.check_size(function.run(self.call, *args, **kwargs))
        if isinstance(function, Operation):
            _refuse_text(function.name, args, kwargs, function.takes_text)
            args, kwargs = self._functions(function, args, kwargs)
            if function.guard:
                function.guard(*args, **kwargs)
            return limits.check_size(function.target(*args, **kwargs))
        if isinstance(function, (UndefinedFunction, sympy.Lambda, sympy.Poly)):
            _refuse_text(str(function)[:30], args, kwargs, frozenset())
            return function(*args)
        raise ProgramError(f"{str(function)[:40]} is not a function; write * to multiply")

    def _functions(
        self, operation: Operation, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Any, Any]:
        """Arguments with the program's functions made callable where the operation takes them, else refused."""

        def convert(value: Any) -> Any:
            if isinstance(value, Operation) and operation.name in ("rewrite", "has"):
                return value.target
            if isinstance(value, Operation) and operation.name == "symbols":
                return value
            if isinstance(value, (Routine, Builtin, Operation)):
                if operation.takes_functions:
                    return lambda *inner: self.call(value, inner)
                raise ProgramError(f"{value.name} is a function; pass {value.name}(x), not {value.name}")
            if isinstance(value, Module):
                raise ProgramError(f"the module {value.name} is not a value")
            if isinstance(value, range):
                return list(value)
            return value

        return tuple(map(convert, args)), {k: convert(v) for k, v in kwargs.items()}

    def _call_routine(self, routine: Routine, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        given = dict(zip(routine.parameters, args, strict=False))
        missing = routine.parameters[len(args) :]
        for name, value in zip(routine.parameters[::-1], routine.defaults[::-1], strict=False):
            given.setdefault(name, value)
        for key, value in kwargs.items():
            if key not in missing:
                raise ProgramError(f"{routine.name}() has no free parameter {key[:30]!r}")
            given[key] = value
        if len(args) > len(routine.parameters) or len(given) < len(routine.parameters):
            raise ProgramError(f"{routine.name}() takes {len(routine.parameters)} arguments, not {len(args)}")
        if self.depth >= limits.MAX_DEPTH:
            raise ProgramError(f"functions call each other more than {limits.MAX_DEPTH} deep; use a loop")
        self.depth += 1
        try:
            scope = Scope(given, routine.scope)
            if not isinstance(routine.body, list):
                return self.evaluate(routine.body, scope)
            if self.run_body is not None:
                self.run_body(routine.body, scope)
            return None
        except Return as signal:
            return signal.value
        finally:
            self.depth -= 1

    def _constant(self, node: ast.Constant, _: Scope) -> Any:
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
            total = limits.check_size(_BINARY[type(parent.op)](total, self.value(parent.right, scope)))
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
            outcomes.append(_COMPARE[type(op)](left, right))
            left = right
        # A chain over symbols, 0 < x < 1, is the conjunction a reader means.
        return outcomes[0] if len(outcomes) == 1 else sympy.And(*outcomes)

    def _call(self, node: ast.Call, scope: Scope) -> Any:
        function = self.evaluate(node.func, scope)
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
            owner[self.index(target.slice, scope)] = value
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


def _refuse_text(
    name: str, args: tuple[Any, ...], kwargs: dict[str, Any], allowed: frozenset[int | str]
) -> None:
    """Keep every text away from sympy, however deep it sits in the arguments."""

    def walk(value: Any, depth: int = 0) -> None:
        if isinstance(value, (Text, str)):
            text = value.value if isinstance(value, Text) else value
            raise ProgramError(f"{name}() does not take the text {text[:30]!r}; write it without quotes")
        if depth > 20:
            raise ProgramError(f"an argument of {name}() is nested too deeply")
        if isinstance(value, (list, tuple, set, frozenset)):
            for part in value:
                walk(part, depth + 1)
        elif isinstance(value, dict):
            for key, part in value.items():
                walk(key, depth + 1)
                walk(part, depth + 1)

    for position, value in [*enumerate(args), *kwargs.items()]:
        if position not in allowed:
            walk(value)
