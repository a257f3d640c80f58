"""Equality of what holds other objects: lists, sets, points, matrices, assignments."""

from __future__ import annotations

from typing import Any

import sympy
from sympy.core.function import AppliedUndef

from autodata_dspy.symbolic.notation.conversion import to_object
from autodata_dspy.symbolic.objects import (
    Alternatives,
    Cases,
    Definition,
    Equation,
    Group,
    Membership,
    Quantity,
    SetOperation,
    UnreadableError,
    Words,
    is_expression,
    is_number,
)
from autodata_dspy.symbolic.proof import sets
from autodata_dspy.symbolic.proof.budget import Budget
from autodata_dspy.symbolic.proof.normal_form import (
    assigned,
    is_braced,
    is_label,
    keeps_order,
    may_be_interval,
    piecewise,
    solves_one_unknown,
    together,
    united_family,
    unlabelled,
)
from autodata_dspy.symbolic.proof.proving import Outcome
from autodata_dspy.symbolic.reading import definition_of

_UNIT_VECTORS = frozenset({"ivec", "jvec", "kvec"})


class Containers:
    """Comparison of containers, element by element; elements are left to the subclass."""

    def __init__(self, budget: Budget):
        self.budget = budget
        self.inside = 0  # > 0 while elements of a container are compared

    def equal(self, a: Any, b: Any) -> Outcome:
        """Compare two objects of any kind (see comparison.py)."""
        raise NotImplementedError

    def simplest(self, value: Any) -> Any:
        """The plainest form of an object: chains closed, cases and single brackets resolved."""
        if isinstance(value, Equation):
            return self._simplest_equation(value)
        if isinstance(value, Cases):
            return piecewise(value)
        if isinstance(value, Group) and len(value.items) == 1 and value.opening in ("[", "(", "<"):
            (only,) = value.items
            return self.simplest(only) if isinstance(only, (sympy.MatrixBase, Group)) or value.opening == "(" else value
        if isinstance(value, Membership) and isinstance(value.element, sympy.Symbol):
            return self.simplest(value.of)
        if isinstance(value, SetOperation) and (family := united_family(value)) is not None:
            return family
        if isinstance(value, sympy.FiniteSet):
            return to_object(value)
        if value == sympy.S.EmptySet:
            return Group("{", "}", ())
        return value

    def _simplest_equation(self, value: Equation) -> Any:
        left, right = value.left, value.right
        if isinstance(right, tuple):  # a = b = c: the links after the first must be the same
            *middle, last = right
            if not all(self.equal(m, last)[0] for m in middle):
                raise UnreadableError("a chain of equations whose links differ")
            value = Equation(left, last)
            left, right = value.left, value.right
        if isinstance(right, Words) and not is_label(left):  # "5 is wrong", "5 is a root": said of 5, not called 5
            raise UnreadableError("words said of an object")
        if is_label(right) and not is_label(left):
            value = Equation(right, left)
        if isinstance(value.left, AppliedUndef) and all(isinstance(v, sympy.Symbol) for v in value.left.args):
            return Definition(value.left.func.__name__, tuple(value.left.args), value.right)
        return definition_of(value)

    def all_equal(self, these: tuple[Any, ...], those: tuple[Any, ...]) -> Outcome:
        """Element by element, in order."""
        if len(these) != len(those):
            return False, f"{len(these)} elements against {len(those)}"
        outcomes = [self._elements(u, v) for u, v in zip(these, those, strict=True)]
        return together(outcomes, "element by element")

    def _elements(self, u: Any, v: Any) -> Outcome:
        self.inside += 1
        outcome = self.equal(u, v)
        self.inside -= 1
        return outcome

    def matched(self, these: list[Any], those: list[Any]) -> Outcome:
        """Element by element, in any order."""
        if len(these) != len(those):
            return False, f"{len(these)} elements against {len(those)}"
        rest, unsure = list(those), False
        for u in these:
            verdicts = [self._elements(u, v)[0] for v in rest]
            if True in verdicts:
                rest.pop(verdicts.index(True))
            elif None in verdicts:
                unsure = True
            else:
                return False, "an element without a partner"
        return (None, "elements that could not be compared") if unsure else (True, "elements in any order")

    def _vectors(self, a: Any, b: Any) -> Outcome | None:
        if not isinstance(a, sympy.MatrixBase):
            return None
        if isinstance(b, sympy.MatrixBase):
            if a.shape != b.shape:
                return False, "another shape"
            return self.all_equal(tuple(a.flat()), tuple(b.flat()))
        if isinstance(b, Group) and 1 in a.shape and (b.is_sequence or b.opening + b.closing == "[]"):
            return self.all_equal(tuple(a.flat()), b.items)
        if (rows := _rows(b)) is not None:
            if (len(rows), len(rows[0])) != a.shape:
                return False, "another shape"
            return self.all_equal(tuple(a.flat()), tuple(entry for row in rows for entry in row))
        if isinstance(b, (Group, sympy.Set)) or is_number(b):
            return False, "a matrix against another object"
        return (None, "unit vectors, which are not added up") if _of_unit_vectors(b) else None

    def _collections(self, a: Any, b: Any) -> Outcome | None:
        """Lists of solutions and finite sets."""
        these, those = self.collection(a), self.collection(b)
        if these is None:
            return None
        if isinstance(a, Group) and isinstance(b, Group) and keeps_order(a, b):
            return None
        if those is None:
            if sets.is_set_like(b) or isinstance(b, (Group, sympy.Set)):
                return None
            if assigned(a) is not None:
                return False, "several unknowns against one object"
            if len(these) == 1 and not self.inside:  # {5} as the solution 5; inside a set it is another element
                return self.equal(these[0], b)
            return (False, f"{len(these)} elements against one object") if is_expression(b) else None
        if (outcome := self.assignments(a, b)) is not None:
            return outcome
        if is_braced(a) or is_braced(b) or isinstance(a, Alternatives) or isinstance(b, Alternatives):
            these, those = self._distinct(these), self._distinct(those)
        outcome = self.matched(these, those)
        if outcome[0] and may_be_interval(a, b):
            return None, "[a, b] may be an interval or a list"
        return outcome

    def _distinct(self, items: list[Any]) -> list[Any]:
        kept: list[Any] = []
        for item in items:
            if not any(self._elements(item, k)[0] for k in kept):
                kept.append(item)
        return kept

    def collection(self, value: Any) -> list[Any] | None:
        """The elements of an unordered collection, prefixes `x =` dropped; None for other objects."""
        if isinstance(value, Alternatives):
            parts = [self.collection(v) if isinstance(v, Group) else [v] for v in value.items]
            if any(p is None for p in parts) or any(sets.is_inequality(v) for v in value.items):
                return None
            return unlabelled([v for p in parts for v in p or ()])
        if isinstance(value, Group) and value.is_collection:
            items = [self.simplest(v) for v in value.items]
            if (
                len(items) > 1
                and isinstance(items[0], Equation)
                and not any(isinstance(v, Equation) for v in items[1:])
            ):
                items[0] = items[0].right if is_label(items[0].left) else items[0]  # x = 1, 2
            return unlabelled(items)
        if isinstance(value, SetOperation):
            try:
                found = sets.to_set(value, self.budget)
            except UnreadableError:
                return None
            if isinstance(found, sympy.FiniteSet):
                return [to_object(v) for v in found.args]
            return [] if found == sympy.S.EmptySet else None
        if isinstance(value, Equation) and is_label(value.left) and is_number(value.right):
            return [value.right]
        return None

    def assignments(self, a: Any, b: Any, of_both: bool = False) -> Outcome | None:
        """x = 3, y = -1 in any order; None where neither side (`of_both`: one side) is of this kind."""
        left, right = assigned(a), assigned(b)
        if of_both and (left is None or right is None):
            return None
        if left is None and right is None:
            return None
        if left is None or right is None:
            return False, "several unknowns against one"
        if set(left) != set(right):
            return False, "other unknowns"
        return together([self.equal(left[k], right[k]) for k in left], "unknown by unknown")

    def _groups(self, a: Any, b: Any) -> Outcome | None:
        if not isinstance(a, Group) or not isinstance(b, Group):
            if isinstance(a, Group) or isinstance(b, Group):
                return self._group_against_one(a, b)
            return None
        if (outcome := self._named_point(a, b) or self._named_point(b, a)) is not None:
            return outcome
        if any(u.is_sequence and solves_one_unknown(v) for u, v in ((a, b), (b, a))):
            return False, "solutions against a point"
        shapes = {a.opening + a.closing, b.opening + b.closing}
        if len(a.items) == 2 and len(b.items) == 2 and len(shapes) == 2 and "" not in shapes:
            if not shapes <= {"()", "<>"}:
                return False, "brackets of another kind"
        if "{}" in shapes and shapes & {"()", "<>"}:
            return False, "a set against a point"
        return self.all_equal(a.items, b.items)

    def _named_point(self, a: Group, b: Group) -> Outcome | None:
        """x = 3, y = -1 beside (3, -1): x, y, z in that order, others as written where that is alphabetical."""
        named = assigned(a)
        if named is None or not b.is_sequence:
            return None
        order = sorted(named, key=str)
        if order != list(named) and not {str(k) for k in order} <= {"x", "y", "z"}:
            return None, "named values beside a point, of which nobody knows which comes first"
        return self.all_equal(tuple(named[k] for k in order), b.items)

    def _group_against_one(self, a: Any, b: Any) -> Outcome:
        other = b if isinstance(a, Group) else a
        if _of_unit_vectors(other):
            return None, "unit vectors, which are not added up"
        if isinstance(other, (sympy.Expr, Quantity)):
            return False, "several objects against one"
        return False, "another kind of object"


def _of_unit_vectors(value: Any) -> bool:
    return isinstance(value, sympy.Expr) and bool(_UNIT_VECTORS & {s.name for s in value.free_symbols})


def _rows(group: Any) -> list[tuple[Any, ...]] | None:
    """The rows of a matrix written as a list of lists, [[1, 2], [3, 4]]; None for anything else."""
    if not isinstance(group, Group) or not group.items or not all(isinstance(i, Group) for i in group.items):
        return None
    rows = [item.items for item in group.items]
    return rows if len({len(row) for row in rows}) == 1 and rows[0] else None
