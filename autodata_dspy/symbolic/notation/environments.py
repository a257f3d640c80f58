r"""`\begin{…}` environments: matrices, determinants, piecewise definitions, aligned lines."""

from __future__ import annotations

from typing import Any

import sympy

from autodata_dspy.symbolic.notation.grammar import Grammar
from autodata_dspy.symbolic.notation.vocabulary import FILLERS, OTHERWISE
from autodata_dspy.symbolic.objects import Cases, Group, TooHardError, UnreadableError, is_expression, unreadable

_MATRICES = frozenset("matrix pmatrix bmatrix Bmatrix smallmatrix array vmatrix Vmatrix".split())


_LINES = frozenset("aligned align align* gathered gather gather* split equation equation* eqnarray".split())


_MAX_CELLS = 100


def environment(p: Grammar) -> Any:
    """The object between begin and end."""
    name = p.raw_argument()
    if name in _MATRICES:
        if name == "array":
            p.raw_argument()
        matrix = _matrix(_rows(p, name))
        if name == "vmatrix":
            return matrix.det() if matrix.is_square else unreadable("a determinant that is not square")
        return matrix
    if name in ("cases", "dcases", "rcases"):
        return Cases(tuple(_branches(p, name)))
    if name in _LINES:
        return _aligned(p, name)
    raise UnreadableError(f"the environment {name[:20]!r} is not known")


def _end(p: Grammar, name: str) -> bool:
    if p.next.kind == "command" and p.next.text == "end":
        p.take()
        if p.raw_argument() != name:
            raise UnreadableError(f"the environment {name} is not closed")
        return True
    if p.next.kind == "end":
        raise UnreadableError(f"the environment {name} is not closed")
    return False


def _rows(p: Grammar, name: str) -> list[list[Any]]:
    rows: list[list[Any]] = [[]]
    bars, p.bars = p.bars, 0
    count = 0
    while not _end(p, name):
        if p.accept("row"):
            rows.append([])
        elif p.next.kind == "command" and p.next.text == "hline":
            p.take()
        elif not p.accept("&"):
            rows[-1].append(p.relation())
            count += 1
            if count > _MAX_CELLS:
                raise TooHardError(f"a matrix has more than {_MAX_CELLS} entries")
    p.bars = bars
    return [row for row in rows if row]


def _matrix(rows: list[list[Any]]) -> Any:
    if not rows or len({len(row) for row in rows}) != 1:
        raise UnreadableError("a matrix with rows of unequal length")
    if not all(is_expression(entry) for row in rows for entry in row):
        raise UnreadableError("a matrix entry that is no expression")
    return sympy.ImmutableMatrix(rows)


def _branches(p: Grammar, name: str) -> list[tuple[Any, Any]]:
    branches: list[tuple[Any, Any]] = []
    while not _end(p, name):
        value = p.sum()
        while p.accept("&", ",", ";"):
            pass
        condition = None
        while p.next.kind == "words" and p.next.text.lower() in FILLERS | OTHERWISE:
            p.take()
        if not (p.at("row", ".") or (p.next.kind == "command" and p.next.text == "end")):
            condition = p.alternatives()
        branches.append((value, condition))
        while p.accept("row", ",", ";"):
            pass
    if not branches:
        raise UnreadableError("a piecewise definition without pieces")
    return branches


def _drop_alignment(p: Grammar) -> None:
    """Remove the & of this environment's own lines; those of matrices inside stay."""
    depth, index = 0, p.position
    while depth >= 0 and p.tokens[index].kind != "end":
        token = p.tokens[index]
        if token.kind == "command" and token.text in ("begin", "end"):
            depth += 1 if token.text == "begin" else -1
        if depth == 0 and token.kind == "sign" and token.text == "&":
            del p.tokens[index]
        else:
            index += 1


def _aligned(p: Grammar, name: str) -> Any:
    _drop_alignment(p)
    lines: list[Any] = []
    while not _end(p, name):
        if p.accept("row", ","):
            continue
        lines.append(p.alternatives())
    if not lines:
        raise UnreadableError("an empty environment")
    return lines[0] if len(lines) == 1 else Group("", "", tuple(lines))
