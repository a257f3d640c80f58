"""The words of a stub and the examples among them, read without running anything."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from autodata_dspy.functions import ITEM, RESULT, calls, parse

_NAME = re.compile(r"^\s*def\s+(\w+)", re.MULTILINE)


def examples(docstring: str, name: str) -> list[tuple[str, str]]:
    """(call, what the docstring says it gives) of each example in a docstring.

    Read are `>>> f(1)` with the value in the next line, and `f(1) == 2` or `f(1) -> 2` in one line.
    """
    found: list[tuple[str, str]] = []
    lines = docstring.splitlines()
    for line, following in zip(lines, [*lines, ""][1:], strict=True):
        text = ITEM.sub("", line).strip()
        parts = RESULT.split(text, maxsplit=1)
        if len(parts) == 2:
            call, said = parts
        elif equality := _equality(text):
            call, said = equality
        else:
            call, said = text, following.strip() if line.lstrip().startswith(">>>") else ""
        for known in calls(call, name)[:1]:
            if said:
                found.append((known, said.strip()))
    return found


def words(docstring: str, name: str) -> str:
    """A docstring without its examples: no `>>> call` with the value below it, and no line `call == value`."""
    kept, in_example = [], False
    for line in docstring.splitlines():
        text = line.strip()
        if text.startswith(">>>"):
            in_example = True
        elif not text or text.startswith(('"""', "'''")):
            in_example = False
        if not (in_example or (name and examples(line, name))):
            kept.append(line)
    return "\n".join(kept)


def without_examples(stub: str) -> str:
    """A stub with its words alone."""
    found = _NAME.findall(stub)
    return re.sub(r"\n(?:[ \t]*\n)+(?=[ \t]*(?:\"\"\"|'''))", "\n", words(stub, found[-1] if found else ""))


def code_in(text: str, body: Sequence[ast.stmt]) -> str:
    """The first statement of a body (of some length) that stands in a text as code; "" if none does."""
    squeezed = re.sub(r"\s+", "", text)
    for node in (n for top in body for n in ast.walk(top)):
        if isinstance(node, (ast.Return, ast.Assign, ast.AugAssign)) and node.value is not None:
            code = ast.unparse(node.value)
            # A name or a constant may well stand in the words that describe a rule.
            if isinstance(node.value, (ast.Constant, ast.Name)) or len(re.sub(r"\s+", "", code)) < 8:
                continue
            if re.sub(r"\s+", "", code) in squeezed:
                return code
    return ""


def _equality(text: str) -> tuple[str, str] | None:
    try:
        tree = parse(text.removeprefix("assert "))
    except SyntaxError:
        return None
    node = tree.body[0].value if len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr) else None
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq):
        return ast.unparse(node.left), ast.unparse(node.comparators[0])
    return None
