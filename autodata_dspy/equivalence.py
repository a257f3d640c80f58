"""Does a changed function differ from the original on any input near those of its tests?

A change that tests do not notice says something about the tests only if it changes something: `n >= 9` for `n > 9` is
no error where 9 is returned either way. Syntax only; what is made here runs in the sandbox.
"""

from __future__ import annotations

import ast
import copy
from typing import Any

from autodata_dspy.functions import literal

COMPARE = "first_difference_between_the_two"
MAX_INPUTS = 200
MAX_NUMBERS = 40  # from the solution
MAX_LENGTH = 60  # characters of a text, items of a list that is varied
MAX_CHARS = 500  # of an input
_BEFORE = "original_"
# Underscores: the function may have any name.
_CODE = """
def {compare}(_calls, _again):
    for _number, (_args, _kwargs) in enumerate(_calls):
        try:
            _expected = repr({before}{name}(*_args, **_kwargs))
        except Exception:
            continue
        _args, _kwargs = _again[_number]
        try:
            if repr({name}(*_args, **_kwargs)) != _expected:
                return _number
        except Exception:
            return _number
    return -1
"""
Input = tuple[list[Any], dict[str, Any]]


def side_by_side(original: str, changed: str, name: str) -> str:
    """A module that holds the function twice, and a function COMPARE for the first input on which they differ.

    Inputs on which the original raises are passed over: nobody has said what should come out there.
    """
    tree, before = ast.parse(changed), ast.parse(original)
    functions = [n for n in before.body if isinstance(n, ast.FunctionDef)]
    names = {f.name for f in functions}
    for node in (n for f in functions for n in ast.walk(f)):
        if isinstance(node, ast.FunctionDef) and node.name in names:
            node.name = _BEFORE + node.name
        elif isinstance(node, ast.Name) and node.id in names:
            node.id = _BEFORE + node.id
    tree.body += functions
    return ast.unparse(tree) + _CODE.format(compare=COMPARE, before=_BEFORE, name=name)


def inputs(tests: ast.Module, solution: ast.Module, name: str) -> list[Input]:
    """Arguments near those with which tests call a function: one of them is changed at a time.

    Whole numbers go one up and down and to the numbers in the solution, texts and lists lose or double an end.
    """
    constants = {n.value for n in ast.walk(solution) if isinstance(n, ast.Constant) and type(n.value) is int}
    numbers = sorted({c + d for c in constants for d in (-1, 0, 1)} | {0})[:MAX_NUMBERS]
    given = [found for n in ast.walk(tests) if (found := _arguments(n, name))]
    near: list[Input] = []
    for args, kwargs in given:
        for key in (*range(len(args)), *kwargs):
            value = args[key] if isinstance(key, int) else kwargs[key]
            for other in _near(value, numbers):
                new: tuple[Any, Any] = (list(args), dict(kwargs))
                new[0 if isinstance(key, int) else 1][key] = other
                if len(repr(new)) <= MAX_CHARS:
                    near.append(new)
    # Every call gets its share where there are too many.
    step = max(1, -(-len(near) // MAX_INPUTS))
    return near[::step]


def comparison(near: list[Input]) -> str:
    """The test of two functions beside each other."""
    return f"assert {COMPARE}({near!r}, {copy.deepcopy(near)!r}) == -1"


def _arguments(node: ast.AST, name: str) -> Input | None:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in (name, "candidate")):
        return None
    try:
        return [literal(a) for a in node.args], {k.arg: literal(k.value) for k in node.keywords if k.arg}
    except ValueError:
        return None


def _near(value: Any, numbers: list[int]) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [n for n in dict.fromkeys((value - 1, value + 1, *numbers)) if n != value]
    if isinstance(value, float):
        return [value - 1, value + 1, value + 0.5, *(float(n) for n in numbers)]
    if isinstance(value, str) and len(value) <= MAX_LENGTH:
        return _ends(value)
    if isinstance(value, (list, tuple)) and len(value) <= MAX_LENGTH:
        kind = type(value)
        inside = [[*value[:i], n, *value[i + 1 :]] for i, each in enumerate(value[:8]) for n in _near(each, numbers)]
        return [*_ends(value), *map(kind, inside)]
    return []


def _ends(value: Any) -> list[Any]:
    return [value[1:], value[:-1], value[:1] + value, value + value[-1:], value[::-1], value[:0]]
