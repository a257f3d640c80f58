"""Small changes of a function, each of which good tests notice. Syntax trees only; nothing runs here."""

from __future__ import annotations

import ast
import copy
import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
}
_TWINS = {"min": "max", "max": "min", "any": "all", "all": "any"}
_REMOVED = (ast.Assign, ast.AugAssign, ast.If, ast.For, ast.While, ast.Continue, ast.Break)
_CONDITIONAL = (ast.If, ast.While, ast.IfExp)
Change = tuple[str, Callable[[Any], Any]]  # kind, and what makes a changed node of a copied one


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed solution: its source, the kind of change, and the place as a reader finds it."""

    source: str
    kind: str
    where: str


def mutants(source: str, limit: int = 12, seed: int = 0) -> list[Mutant]:
    """At most `limit` different mutants of the top-level functions, of every kind in turn, drawn by the seed.

    Changes are: comparisons (`<` to `<=` or `>`), arithmetic (`+` to `-`), negated conditions, constants one up or
    down, the bound of a range, `min` for `max`, `and` for `or`, one condition less, a return of None, a removed
    statement. What leaves the code as it is counts for nothing.

    Raises:
        SyntaxError: the source cannot be read.
    """
    tree = ast.parse(source)
    kinds: dict[str, list[tuple[int, int]]] = {}
    for number, node in enumerate(_nodes(tree)):
        for index, (kind, _) in enumerate(_changes(node)):
            kinds.setdefault(kind, []).append((number, index))
    rng = random.Random(f"{seed}|{source}")
    for group in kinds.values():
        rng.shuffle(group)
    order = sorted(kinds)
    rng.shuffle(order)
    seen, found = {ast.dump(tree)}, []
    for place in (p for turn in zip_longest(*(kinds[kind] for kind in order)) for p in turn if p is not None):
        if len(found) == limit:
            break
        changed, mutant = _mutant(tree, *place)
        if ast.dump(changed) not in seen:
            seen.add(ast.dump(changed))
            found.append(mutant)
    return found


def _mutant(tree: ast.Module, number: int, index: int) -> tuple[ast.Module, Mutant]:
    changed = copy.deepcopy(tree)
    node = _nodes(changed)[number]
    kind, make = _changes(node)[index]
    new = make(copy.deepcopy(node))
    where = f"line {getattr(node, 'lineno', 0)}: `{_short(node)}` → `{_short(new)}`"
    changed = ast.fix_missing_locations(_Swap(node, new).visit(changed))
    return changed, Mutant(ast.unparse(changed), kind, where)


def with_body(source: str, name: str, body: str) -> str:
    """The source with another body for one of its top-level functions.

    Raises:
        SyntaxError: source or body cannot be read.
    """
    tree = ast.parse(source)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            node.body = ast.parse(body).body
            node.decorator_list = []
    return ast.unparse(ast.fix_missing_locations(tree))


class _Swap(ast.NodeTransformer):
    """Puts one node in another's place."""

    def __init__(self, old: ast.AST, new: ast.AST):
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> Any:
        return ast.copy_location(self.new, self.old) if node is self.old else self.generic_visit(node)


def _nodes(tree: ast.Module) -> list[ast.AST]:
    """What runs when the top-level functions do: no hints, defaults, decorators or docstrings."""
    found: list[ast.AST] = []
    waiting: list[ast.AST] = [s for f in tree.body if isinstance(f, ast.FunctionDef) for s in f.body]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        found.append(node)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            waiting += node.body
        elif isinstance(node, ast.AnnAssign):
            waiting += [node.value] if node.value else []
        elif isinstance(node, ast.FormattedValue):  # not how it is formatted: any change there is an error
            waiting.append(node.value)
        else:
            waiting += ast.iter_child_nodes(node)
    return found


def _changes(node: ast.AST) -> list[Change]:
    return [*_of_operators(node), *_of_values(node), *_of_statements(node)]


def _of_operators(node: ast.AST) -> list[Change]:
    found: list[Change] = []
    if isinstance(node, ast.Compare):
        swaps = [(i, new) for i, op in enumerate(node.ops) for new in _COMPARISONS[type(op)]]
        found += [("comparison", lambda n, i=i, new=new: _compared(n, i, new)) for i, new in swaps]
    if isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in _ARITHMETIC:
        found.append(("arithmetic", lambda n: _set(n, op=_ARITHMETIC[type(n.op)]())))
    if isinstance(node, ast.BoolOp):
        other = ast.Or if isinstance(node.op, ast.And) else ast.And
        found.append(("connective", lambda n: _set(n, op=other())))
        found += [("operand", lambda n, i=i: _without(n, i)) for i in range(len(node.values))]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        found.append(("sign", lambda n: n.operand))
    return found


def _of_values(node: ast.AST) -> list[Change]:
    if isinstance(node, ast.Name) and node.id in _TWINS:
        return [("built-in", lambda n: ast.Name(_TWINS[n.id], n.ctx))]
    if isinstance(node, ast.Constant):
        return [("constant", lambda n, v=v: ast.Constant(v)) for v in _near(node.value)]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range" and node.args:
        return [("range", lambda n, step=step: _longer(n, step)) for step in (1, -1)]
    return []


def _of_statements(node: ast.AST) -> list[Change]:
    found: list[Change] = []
    if isinstance(node, _CONDITIONAL):
        found.append(("condition", lambda n: _set(n, test=ast.UnaryOp(ast.Not(), n.test))))
    if isinstance(node, ast.Return) and not (node.value is None or _is_none(node.value)):
        found.append(("return", lambda n: ast.Return(ast.Constant(None))))
    if isinstance(node, _REMOVED):
        found.append(("removal", lambda n: ast.Pass()))
    return found


def _compared(node: ast.Compare, index: int, new: type[ast.cmpop]) -> ast.Compare:
    node.ops[index] = new()
    return node


def _without(node: ast.BoolOp, index: int) -> ast.expr:
    del node.values[index]
    return node if len(node.values) > 1 else node.values[0]


def _set(node: Any, **fields: Any) -> Any:
    for name, value in fields.items():
        setattr(node, name, value)
    return node


def _near(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, (int, float)):
        return [value + 1, value - 1]
    return [f"{value}?"] if isinstance(value, str) else []


def _longer(node: ast.Call, step: int) -> ast.Call:
    at = min(1, len(node.args) - 1)  # the stop, whether or not a start stands before it
    node.args[at] = ast.BinOp(node.args[at], ast.Add() if step > 0 else ast.Sub(), ast.Constant(1))
    return node


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _short(node: ast.AST) -> str:
    first = ast.unparse(ast.fix_missing_locations(node)).split("\n", 1)[0]
    return first if len(first) <= 60 else first[:57] + "..."
