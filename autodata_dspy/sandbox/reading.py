"""What can be known about tests by reading them.

Runs inside the tests' sandbox too (its text is sent there), so it imports the standard library alone.
"""

import ast
import builtins
import re
import sys


class Explained(ast.NodeTransformer):
    """`assert a == b` → an assertion that can tell both values."""

    def visit_Assert(self, node):
        test = node.test
        if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq):
            same = ast.Call(ast.Name("_autodata_same", ast.Load()), [test.left, test.comparators[0]], [])
            node.test = ast.copy_location(same, test)
        return node


def asserting_functions(tree):
    """Names of the tests' own functions that hold an assertion."""
    functions = [n for n in tree.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return {f.name for f in functions if any(isinstance(n, ast.Assert) for n in ast.walk(f))}


def holds_test(statement, asserting):
    """Whether running a top-level statement checks something: an assertion in it, or a call of a function with one."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return False
    nodes = list(ast.walk(statement))
    called = {n.func.id for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    return any(isinstance(n, ast.Assert) for n in nodes) or bool(called & asserting)


def names_in(tree):
    """Every name, attribute and imported name of the tests."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.alias):
            names.update(node.name.split("."))
        elif isinstance(node, ast.arg):
            names.add(node.arg)
    return names


def compares_identity(tree, kind):
    """Whether the tests compare by `is` (or `is not`) with anything but a constant or a built-in type."""
    fixed = lambda node: isinstance(node, ast.Constant) or hasattr(builtins, getattr(node, "id", ""))  # noqa: E731
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            for operator, left, right in zip(node.ops, sides, sides[1:], strict=False):
                if isinstance(operator, kind) and not (fixed(left) or fixed(right)):
                    return True
    return False


def missing_module(source, message):
    """The module outside the standard library that Python's `message` says is missing, if `source` imports it and
    raises no such error of its own; else ""."""
    found = re.match(r"No module named '(\w+)", message)
    name = found[1] if found else ""
    if not name or name in sys.stdlib_module_names or "ModuleNotFoundError" in source:
        return ""
    for node in ast.parse(source).body:
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        if name in [each.split(".")[0] for each in names]:
            return name
    return ""
