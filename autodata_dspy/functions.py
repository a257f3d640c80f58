"""Reading a Python function that a model wrote, without running anything: stub, body, results and calls."""

from __future__ import annotations

import ast
import bisect
import builtins
import collections
import copy
import functools
import heapq
import itertools
import math
import re
import string
import warnings
from dataclasses import dataclass
from typing import Any

TYPING = ("Any", "Callable", "Dict", "Iterable", "Iterator", "List", "Optional", "Sequence", "Set", "Tuple", "Union")
# What models use and forget to import. A name that two of them have is taken from the first.
LIBRARY = (math, itertools, collections, functools, heapq, bisect, re, string)
_SPARED = ("re", "string")  # their names are words of every day: `match`, `digits`; only the module itself is imported
ITEM = re.compile(r"^\s*(?:[-*•]\s+|\d+[.)]\s+)?(?:>>>\s*)?")  # a bullet, a number, a prompt
RESULT = re.compile(r"\s(?:->|=>|→)\s")


@dataclass(frozen=True)
class Function:
    """A top-level function with what a solver is shown of it and what it has to write.

    Attributes:
        name: of the function.
        imports: those that stand above stub and solution, with two empty lines below them.
        solution: imports, other definitions it uses, and the function without its docstring.
        docstring: cleaned of its indentation.
        node: the definition.
    """

    name: str
    imports: str
    solution: str
    docstring: str
    node: ast.FunctionDef

    def stub(self, docstring: str) -> str:
        """Imports, signature and a docstring."""
        text = "\n".join(f"    {line}".rstrip() for line in docstring.splitlines())
        return self.imports + _with_body(self.node, [ast.Expr(ast.Constant(f"{text.strip()}\n    "))])


def parse(source: str) -> ast.Module:
    """`ast.parse` that has one exception for everything unreadable, and no warnings.

    Raises:
        SyntaxError: not Python, or nested deeper than anyone means.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as an invalid escape in a string
            return ast.parse(source)
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError(str(error) or type(error).__name__) from None


def literal(node: ast.AST | str) -> Any:
    """The value of a literal.

    Raises:
        ValueError: it is none.
    """
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError(str(error)) from None


def split(tree: ast.Module, node: ast.FunctionDef) -> Function:
    """The function `node` of `tree`, its parts freshly written from their syntax.

    Imports stand in stub and solution (a solver needs those of the type hints); other statements only in the solution,
    and imports of well-known names that were forgotten; calls and assertions after the function, with which models like
    to try their work, in neither.
    """
    kept = [n for n in tree.body if n is not node and isinstance(n, (ast.Import, ast.ImportFrom, ast.Assign))]
    imports = [ast.unparse(n) for n in kept if not isinstance(n, ast.Assign)]
    missing = sorted(_names(node) & set(TYPING) - {a.asname or a.name for n in kept for a in getattr(n, "names", ())})
    imports += [f"from typing import {', '.join(missing)}"] if missing else []
    constants = [*_forgotten(tree, set(missing)), *(ast.unparse(n) for n in kept if isinstance(n, ast.Assign))]
    docstring = ast.get_docstring(node) or ""
    solution = _with_body(node, node.body[1:] if docstring else node.body)
    above = "".join(f"{line}\n" for line in imports) + "\n\n" * bool(imports)
    between = "".join(f"{line}\n" for line in constants) + "\n\n" * bool(constants)
    return Function(node.name, above, f"{above}{between}{solution}", docstring, node)


def calls(text: str, name: str) -> list[str]:
    """The calls of a function with literal arguments in a text of code lines, each once, as they are first met."""
    found: dict[str, None] = {}
    for line in text.splitlines():
        try:
            tree = parse(RESULT.split(ITEM.sub("", line).strip().rstrip(","), maxsplit=1)[0])
        except SyntaxError:
            continue
        nodes = [n for n in ast.walk(tree) if isinstance(n, ast.Call)]
        found.update(dict.fromkeys(ast.unparse(n) for n in nodes if _is_plain_call(n, name)))
    return list(found)


def neighbours(call: str) -> list[str]:
    """Calls that differ from a plain one in one argument: a number by one, or doubled; a text or a list by its last or
    first item, with its first once more at the end, with something of another kind in it (a digit and a space in texts,
    a 0 or a slightly greater first item among numbers), empty, or in reverse. Nothing becomes negative that was not."""
    found: dict[str, None] = {}
    known = ast.parse(call, mode="eval").body
    assert isinstance(known, ast.Call)
    places = [*(("args", i) for i in range(len(known.args))), *(("keywords", i) for i in range(len(known.keywords)))]
    for kind, i in places:
        argument = getattr(known, kind)[i]
        for value in _near(literal(argument if kind == "args" else argument.value)):
            changed = copy.deepcopy(known)
            written = ast.parse(repr(value), mode="eval").body
            if kind == "args":
                changed.args[i] = written
            else:
                changed.keywords[i].value = written
            found[ast.unparse(changed)] = None
    return [near for near in found if near != call]


def _near(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, *([value - 1, 2 * value] if value else [])]
    if isinstance(value, str) and value:
        return [value + value[:1], f"{value} 7", value[:-1], value.swapcase(), "", value[1:], value[::-1]]
    if isinstance(value, (list, tuple)) and value:
        more: Any = value[:1]
        numbers: list[Any] = []
        if all(type(item) is int for item in value):
            kind: Any = type(value)
            numbers = [kind([value[0] + 1]) + value[1:], value + kind([0])]
        return [value + more, *numbers, value[:-1], value[:0], value[1:], value[::-1]]
    if isinstance(value, dict) and value:
        return [dict(list(value.items())[:-1])]
    return []


def same_work(one: ast.FunctionDef, other: ast.FunctionDef) -> bool:
    """Whether two functions have the same code below their docstrings, but for the names of what is in them."""
    return _shape(one) == _shape(other)


def _shape(node: ast.FunctionDef) -> str:
    """The code of a function in which its own names are numbered as they are met."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    own = {a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg)} | _bound(ast.Module(body, []))
    names: dict[str | None, str] = {}
    work = copy.deepcopy(ast.Module(body, []))
    for n in ast.walk(work):
        for field in ("id", "arg", "name"):
            known = getattr(n, field, None)
            if known in own or known == node.name:
                setattr(n, field, names.setdefault(known, f"_{len(names)}"))
    return ast.dump(work)


def arguments_fit(node: ast.FunctionDef, call: str) -> bool:
    """Whether the arguments of a plain call are of the kinds that the function's hints name."""
    known = ast.parse(call, mode="eval").body
    assert isinstance(known, ast.Call)
    named = [*node.args.posonlyargs, *node.args.args]
    by_name = {a.arg: a for a in (*named, *node.args.kwonlyargs)}
    if len(known.args) > len(named) or any(k.arg not in by_name for k in known.keywords):
        return False
    given = [*zip(named, known.args, strict=False), *((by_name[k.arg or ""], k.value) for k in known.keywords)]
    return all(fits(a.annotation, literal(value)) for a, value in given)


def fits(hint: ast.expr | None, value: Any) -> bool:
    """Whether a value is of the kind that a type hint names; a hint that is read no further fits everything."""
    if isinstance(hint, ast.Constant) and hint.value is None:
        return value is None
    if isinstance(hint, ast.BinOp) and isinstance(hint.op, ast.BitOr):
        return fits(hint.left, value) or fits(hint.right, value)
    name, inner = hint, None
    if isinstance(hint, ast.Subscript):
        name, inner = hint.value, hint.slice
    said = getattr(name, "attr", None) or getattr(name, "id", "")
    if said == "Optional":
        return value is None or fits(inner, value)
    kinds = {"int": int, "str": str, "bool": bool, "float": (int, float), "list": list, "tuple": tuple, "dict": dict}
    kind = kinds.get(said.lower())
    return kind is None or (isinstance(value, kind) and (said == "bool" or not isinstance(value, bool)))


def _with_body(node: ast.FunctionDef, body: list[ast.stmt]) -> str:
    """The function's source with another body, without decorators."""
    new = copy.copy(node)
    new.body, new.decorator_list = body or [ast.Pass()], []
    return ast.unparse(ast.fix_missing_locations(new))


def _names(node: ast.FunctionDef) -> set[str]:
    hints = [a.annotation for a in (*node.args.args, *node.args.kwonlyargs) if a.annotation]
    hints += [node.returns] if node.returns else []
    hints += [n.annotation for n in ast.walk(node) if isinstance(n, ast.AnnAssign)]
    return {n.id for hint in hints for n in ast.walk(hint) if isinstance(n, ast.Name)}


def _forgotten(tree: ast.Module, known: set[str]) -> list[str]:
    """The imports of names that a module uses, never binds, and the standard library is known for."""
    used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    free = used - known - set(dir(builtins)) - _bound(tree)
    lines = []
    for module in LIBRARY:
        if module.__name__ in free:
            lines.append(f"import {module.__name__}")
        own = {n for n in free if module.__name__ not in _SPARED and callable(getattr(module, n, None))}
        lines += [f"from {module.__name__} import {', '.join(sorted(own))}"] if own else []
        free -= own | {module.__name__}
    return lines


def _bound(tree: ast.Module) -> set[str]:
    """Every name that something in a module gives a value to, whatever its scope."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).split(".")[0])
    return found


def _is_plain_call(node: ast.Call, name: str) -> bool:
    if not (isinstance(node.func, ast.Name) and node.func.id == name):
        return False
    try:
        for value in (*node.args, *(k.value for k in node.keywords)):
            literal(value)
    except ValueError:
        return False
    return all(k.arg for k in node.keywords)
