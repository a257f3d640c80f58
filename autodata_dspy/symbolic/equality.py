"""Are two mathematical objects equal? True, False, or None: undecided, and by which route.

Soundness first: True needs the same structure or a proof, False needs a difference that was seen
(a number, a shape, a missing element). Whatever is neither is undecided.
"""

from __future__ import annotations

import re
from typing import Any

import sympy
from sympy.core.function import AppliedUndef

from autodata_dspy.symbolic import families, sets
from autodata_dspy.symbolic.budget import Budget, OutOfTime
from autodata_dspy.symbolic.equations import equal_equations, equal_inequalities
from autodata_dspy.symbolic.extraction import extract_answer
from autodata_dspy.symbolic.objects import (
    DEGREE,
    Alternatives,
    Cases,
    Definition,
    Equation,
    Family,
    Group,
    Membership,
    Quantity,
    SetOperation,
    TooHardError,
    UnreadableError,
    Words,
    substitute,
    symbols_in,
    variable,
)
from autodata_dspy.symbolic.proving import Outcome, equal_expressions
from autodata_dspy.symbolic.python_reader import to_object
from autodata_dspy.symbolic.reading import definition_of, read
from autodata_dspy.symbolic.second_route import agrees, same_text
from autodata_dspy.symbolic.units import is_money

BUDGET_S = 1.6  # CPU seconds for one pair; the worker's wall clock stands behind it


class Comparison:
    """One question of equality: the time it may take and the names its context uses."""

    def __init__(self, budget: Budget, context: str = ""):
        self.budget = budget
        self.inside = 0  # > 0 while elements of a container are compared
        self.taken = frozenset(re.findall(r"(?<![A-Za-z\\])[A-Za-z](?:_\{?\d+\}?)?(?![A-Za-z])", context))

    def equal(self, a: Any, b: Any) -> Outcome:
        """Compare two objects of any kind."""
        a, b = self.simplest(a), self.simplest(b)
        if type(a) is type(b) and a == b:
            return True, "structure"
        for comparer in (self._words, self._definitions, self._families, self._quantities, self._equations,
                         self._vectors, self._collections, self._sets, self._groups):  # fmt: skip
            outcome = comparer(a, b)
            if outcome is None and comparer is not self._groups:
                outcome = comparer(b, a)
            if outcome is not None:
                return outcome
        return self._scalars(a, b)

    def simplest(self, value: Any) -> Any:
        """The plainest form of an object: chains closed, cases and single brackets resolved."""
        if isinstance(value, Equation):
            return self._simplest_equation(value)
        if isinstance(value, Cases):
            return _piecewise(value)
        if isinstance(value, Group) and len(value.items) == 1 and value.opening in ("[", "(", "<"):
            (only,) = value.items
            return self.simplest(only) if isinstance(only, (sympy.MatrixBase, Group)) or value.opening == "(" else value
        if isinstance(value, Membership) and isinstance(value.element, sympy.Symbol):
            return self.simplest(value.of)
        if isinstance(value, SetOperation) and (family := _united_family(value)) is not None:
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
        if _is_label(right) and not _is_label(left):
            value = Equation(right, left)
        if isinstance(value.left, AppliedUndef) and all(isinstance(v, sympy.Symbol) for v in value.left.args):
            return Definition(value.left.func.__name__, tuple(value.left.args), value.right)
        return definition_of(value)

    def all_equal(self, these: tuple[Any, ...], those: tuple[Any, ...]) -> Outcome:
        """Element by element, in order."""
        if len(these) != len(those):
            return False, f"{len(these)} elements against {len(those)}"
        outcomes = [self._elements(u, v) for u, v in zip(these, those, strict=True)]
        return _together(outcomes, "element by element")

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

    # One method for each kind; None means: not my kind.

    def _words(self, a: Any, b: Any) -> Outcome | None:
        if not isinstance(a, Words):
            return None
        if isinstance(b, Words):
            return a.text.lower() == b.text.lower(), "words"
        if isinstance(b, sympy.Symbol):
            return (a.text.lower() == b.name.lower()), "a letter"
        if isinstance(b, Equation) and _is_label(b.left):
            return self.equal(a, b.right)
        return (None, "a text in words") if a.text.count(" ") > 1 else (False, "a word against an object")

    def _definitions(self, a: Any, b: Any) -> Outcome | None:
        if not isinstance(a, Definition):
            return None
        if not isinstance(b, Definition):
            return self.equal(a.body, b.right if isinstance(b, Equation) and _is_label(b.left) else b)
        if a.name and b.name and a.name != b.name:
            return False, "another function's name"
        if len(a.parameters) != len(b.parameters):
            return False, "another number of arguments"
        fresh = [sympy.Dummy(f"x{i}", real=True) for i in range(len(a.parameters))]
        bodies = [substitute(d.body, dict(zip(d.parameters, fresh, strict=True))) for d in (a, b)]
        return self.equal(*bodies)

    def _families(self, a: Any, b: Any) -> Outcome | None:
        if not isinstance(a, Family):
            return None
        if isinstance(b, Equation) and _is_label(b.left):
            b = b.right
        other = b if isinstance(b, Family) else families.as_family(b)
        if other is None:
            return (False, "a family against single values") if _is_number(b) or isinstance(b, Group) else (
                None, "a family against another object")  # fmt: skip
        return families.equal_families(a, other, self.budget)

    def _quantities(self, a: Any, b: Any) -> Outcome | None:
        if not isinstance(a, Quantity):
            return None
        if isinstance(b, Equation) and _is_label(b.left):
            return self.equal(a, b.right)
        if isinstance(b, Quantity):
            return self._two_quantities(a, b)
        if not isinstance(b, sympy.Expr):
            return None
        if a.dimension == (("rad", 1),):
            return equal_expressions(a.value, b, self.budget)
        if b.has(DEGREE):
            return False, "an angle against another quantity"
        equal, _ = equal_expressions(a.value, b, self.budget)
        return equal, "currency sign dropped" if is_money(a.dimension) else "unit dropped"

    def _two_quantities(self, a: Quantity, b: Quantity) -> Outcome:
        if a.dimension == b.dimension:
            equal, route = equal_expressions(a.value * a.factor, b.value * b.factor, self.budget)
            return equal, f"units: {route}"
        return False, "another unit"

    def _equations(self, a: Any, b: Any) -> Outcome | None:
        if not isinstance(a, Equation):
            return None
        if isinstance(b, Equation):
            return self._two_equations(a, b)
        if _is_label(a.left) and not symbols_in(a.left) & symbols_in(a.right):
            if isinstance(b, (Alternatives, Group)) and any(isinstance(v, Equation) for v in b.items):
                return None  # a list of solutions
            return self.equal(a.right, b)
        if isinstance(b, (Group, sympy.Set, sympy.Expr)) and _is_scalar(a):
            return self._unsolved(a, b)
        return None, "an equation against another object"

    def _two_equations(self, a: Equation, b: Equation) -> Outcome:
        if a.left == b.left and _is_label(a.left) and not symbols_in(a.left) & (symbols_in(a.right) | symbols_in(b.right)):
            return self.equal(a.right, b.right)
        if _is_scalar(a) and _is_scalar(b):
            return equal_equations(a, b, self.budget)
        lefts = self.equal(a.left, b.left)
        return self.equal(a.right, b.right) if lefts[0] else lefts

    def _unsolved(self, a: Equation, b: Any) -> Outcome:
        """An equation beside its solutions is not an answer to the same question: never equal."""
        variables = symbols_in(a.left) | symbols_in(a.right)
        if len(variables) != 1:
            return None, "an equation against another object"
        found = sets.solutions(a.left - a.right, *variables, self.budget)
        if found is None:
            return None, "an equation that could not be solved"
        equal, _ = self.equal(found, b)
        return (False, "other solutions") if equal is False else (None, "an equation that is not solved")

    def _vectors(self, a: Any, b: Any) -> Outcome | None:
        if not isinstance(a, sympy.MatrixBase):
            return None
        if isinstance(b, sympy.MatrixBase):
            if a.shape != b.shape:
                return False, "another shape"
            return self.all_equal(tuple(a), tuple(b))
        if isinstance(b, Group) and 1 in a.shape and (b.is_sequence or (b.opening == "[" and a.rows == 1)):
            return self.all_equal(tuple(a), b.items)
        if isinstance(b, (Group, sympy.Expr, sympy.Set)):
            return False, "a matrix against another object"
        return None

    def _collections(self, a: Any, b: Any) -> Outcome | None:
        """Lists of solutions and finite sets."""
        these, those = self.collection(a), self.collection(b)
        if these is None:
            return None
        if isinstance(a, Group) and isinstance(b, Group) and _keeps_order(a, b):
            return None
        if those is None:
            if sets.is_set_like(b) or isinstance(b, (Group, sympy.Set)):
                return None
            if _assigned(a) is not None:
                return False, "several unknowns against one object"
            if len(these) == 1 and not self.inside:  # {5} as the solution 5; inside a set it is another element
                return self.equal(these[0], b)
            return (False, f"{len(these)} elements against one object") if isinstance(b, sympy.Expr) else None
        if (outcome := self._assignments(a, b)) is not None:
            return outcome
        if _is_braced(a) or _is_braced(b) or isinstance(a, Alternatives) or isinstance(b, Alternatives):
            these, those = self._distinct(these), self._distinct(those)
        return self.matched(these, those)

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
            return _unlabelled([v for p in parts for v in p or ()])
        if isinstance(value, Group) and value.is_collection:
            items = [self.simplest(v) for v in value.items]
            if len(items) > 1 and isinstance(items[0], Equation) and not any(isinstance(v, Equation) for v in items[1:]):
                items[0] = items[0].right if _is_label(items[0].left) else items[0]  # x = 1, 2
            return _unlabelled(items)
        if isinstance(value, SetOperation):
            try:
                found = sets.to_set(value, self.budget)
            except UnreadableError:
                return None
            if isinstance(found, sympy.FiniteSet):
                return [to_object(v) for v in found.args]
            return [] if found == sympy.S.EmptySet else None
        if isinstance(value, Equation) and _is_label(value.left) and _is_number(value.right):
            return [value.right]
        return None

    def _assignments(self, a: Any, b: Any) -> Outcome | None:
        """x = 3, y = -1 in any order."""
        left, right = _assigned(a), _assigned(b)
        if left is None and right is None:
            return None
        if left is None or right is None:
            return False, "several unknowns against one"
        if set(left) != set(right):
            return False, "other unknowns"
        return _together([self.equal(left[k], right[k]) for k in left], "unknown by unknown")

    def _sets(self, a: Any, b: Any) -> Outcome | None:
        if not sets.is_set_like(a) and not (isinstance(a, sympy.Set)):
            return None
        if sets.is_inequality(a) and sets.is_inequality(b) and len(symbols_in(a) | symbols_in(b)) > 1:
            if len(symbols_in(a)) > 1 or len(symbols_in(b)) > 1:
                return equal_inequalities(a, b, self.budget)
            return False, "inequalities in different unknowns"
        if isinstance(b, Equation):
            b = b.right if _is_label(b.left) else b
        try:
            left, right = sets.to_set(a, self.budget), sets.to_set(b, self.budget)
        except UnreadableError as error:
            return None if isinstance(b, Words) else (None, str(error))
        return sets.equal_sets(left, right, self.budget)

    def _groups(self, a: Any, b: Any) -> Outcome | None:
        if not isinstance(a, Group) or not isinstance(b, Group):
            if isinstance(a, Group) or isinstance(b, Group):
                return self._group_against_one(a, b)
            return None
        if (outcome := self._named_point(a, b) or self._named_point(b, a)) is not None:
            return outcome
        shapes = {a.opening + a.closing, b.opening + b.closing}
        if len(a.items) == 2 and len(b.items) == 2 and len(shapes) == 2 and "" not in shapes:
            if not shapes <= {"()", "<>"}:
                return False, "brackets of another kind"
        if "{}" in shapes and shapes & {"()", "<>"}:
            return False, "a set against a point"
        return self.all_equal(a.items, b.items)

    def _named_point(self, a: Group, b: Group) -> Outcome | None:
        """x = 3, y = -1 beside (3, -1): the unknowns in alphabetical order."""
        named = _assigned(a)
        if named is None or not b.is_sequence:
            return None
        return self.all_equal(tuple(named[k] for k in sorted(named, key=str)), b.items)

    def _group_against_one(self, a: Any, b: Any) -> Outcome:
        group, other = (a, b) if isinstance(a, Group) else (b, a)
        if isinstance(other, (sympy.Expr, Quantity)):
            return False, "several objects against one"
        return None, "objects of different kinds"

    def _scalars(self, a: Any, b: Any) -> Outcome:
        if not isinstance(a, sympy.Expr) or not isinstance(b, sympy.Expr):
            return None, "objects of different kinds"
        if (outcome := self._degrees(a, b)) is not None:
            return outcome
        outcome = equal_expressions(a, b, self.budget)
        if outcome[0] is not True:
            by_constants = families.equal_up_to_constants(a, b, self.budget, self.taken)
            if by_constants is not None:
                return by_constants
        return outcome

    def _degrees(self, a: Any, b: Any) -> Outcome | None:
        """90 degrees equal 90 (the sign dropped) and pi/2."""
        if a.has(DEGREE) == b.has(DEGREE):
            return None
        angle, other = (a, b) if a.has(DEGREE) else (b, a)
        size = angle / DEGREE
        if not size.has(DEGREE) and equal_expressions(size, other, self.budget)[0]:
            return True, "degree sign dropped"
        return None


def _piecewise(value: Cases) -> Any:
    branches = []
    for result, condition in value.branches:
        if isinstance(condition, Equation):
            condition = sympy.Eq(condition.left, condition.right)
        if condition is None:
            condition = sympy.true
        if not isinstance(result, sympy.Expr) or not isinstance(condition, sympy.logic.boolalg.Boolean):
            raise UnreadableError("a piecewise definition with pieces that are no expressions")
        branches.append((result, condition))
    return sympy.Piecewise(*branches)


def _united_family(value: SetOperation) -> Family | None:
    parts = [p for p in (value.left, value.right)]
    found = [_united_family(p) if isinstance(p, SetOperation) else p for p in parts]
    if value.operation != "union" or not all(isinstance(p, Family) for p in found):
        return None
    first, second = found
    if first.domain != second.domain:
        return None
    moved = tuple(substitute(e, {second.parameter: first.parameter}) for e in second.items)
    return Family((*first.items, *moved), first.parameter, first.domain)


def _is_label(value: Any) -> bool:
    """Whether the left side of an equation merely names its right side."""
    if isinstance(value, (sympy.Symbol, AppliedUndef, Words)):
        return True
    if isinstance(value, Group) and value.is_sequence:
        return all(isinstance(v, sympy.Symbol) for v in value.items)
    if isinstance(value, sympy.Mul):  # a side AB, an angle ABC
        return all(isinstance(v, sympy.Symbol) and v.name.isupper() for v in value.args)
    return False


def _is_scalar(equation: Equation) -> bool:
    return isinstance(equation.left, sympy.Expr) and isinstance(equation.right, sympy.Expr)


def _is_number(value: Any) -> bool:
    return isinstance(value, sympy.Expr) and not value.free_symbols


def _is_braced(value: Any) -> bool:
    return isinstance(value, SetOperation) or (isinstance(value, Group) and value.opening == "{")


def _keeps_order(a: Group, b: Group) -> bool:
    """Two square brackets, or [1, 6] beside {1, 6}: an interval or a list in its order."""
    shapes = {a.opening, b.opening}
    if shapes == {"["}:
        return True
    return shapes == {"[", "{"} and len(a.items) == 2 == len(b.items)


def _unlabelled(items: list[Any]) -> list[Any]:
    """x = 1, x = 2 means the values 1 and 2."""
    equations = [v for v in items if isinstance(v, Equation)]
    if len(equations) == len(items) and items:
        labels = {v.left for v in equations if isinstance(v.left, (sympy.Symbol, Group))}
        if len(labels) == 1 and all(_is_label(v.left) for v in equations):
            return [v.right for v in equations]
    return items


def _assigned(value: Any) -> dict[Any, Any] | None:
    """{unknown: value} of x = 3, y = -1; None for anything else."""
    if not isinstance(value, Group) or value.opening not in ("", "[", "{") or len(value.items) < 2:
        return None
    items = [v for v in value.items if isinstance(v, Equation) and isinstance(v.left, sympy.Symbol)]
    found = {v.left: v.right for v in items}
    return found if len(found) == len(value.items) else None


def _together(outcomes: list[Outcome], route: str) -> Outcome:
    verdicts = [equal for equal, _ in outcomes]
    if False in verdicts:
        return False, outcomes[verdicts.index(False)][1]
    if None in verdicts:
        return None, outcomes[verdicts.index(None)][1]
    return True, route if len(outcomes) != 1 else outcomes[0][1]


def equal_texts(a: str, b: str, context: str = "", budget_s: float = BUDGET_S) -> dict[str, Any]:
    """Compare two texts. The reply of the worker's task "equal".

    Returns:
        {"equal": True | False | None, "route": how, or why it is undecided}.
    """
    try:
        return _compare(a, b, context, Budget(budget_s))
    except TooHardError as error:
        return {"equal": None, "route": str(error)}
    except OutOfTime:
        return {"equal": None, "route": "out of time"}
    except RecursionError:
        return {"equal": None, "route": "nested too deeply"}
    except Exception as error:  # sympy raises what it likes; a check that breaks has not decided
        return {"equal": None, "route": " ".join(f"{type(error).__name__}: {error}".split())[:120]}


def _compare(a: str, b: str, context: str, budget: Budget) -> dict[str, Any]:
    comparison = Comparison(budget, context)
    try:
        pairs = [(u, v) for u in read(a) for v in read(b)]
    except UnreadableError as error:
        if same_text(a, b):
            return {"equal": True, "route": "the same text"}
        return {"equal": None, "route": f"unreadable: {error}"} if not agrees(a, b) else {
            "equal": True, "route": "the same symbols, and math-verify agrees"}  # fmt: skip
    outcomes: list[Outcome] = []
    for u, v in pairs:
        try:
            outcomes.append(comparison.equal(u, v))
        except UnreadableError as error:
            outcomes.append((None, str(error)))
        if outcomes[-1][0]:
            break
    verdicts = [equal for equal, _ in outcomes]
    chosen = next((v for v in (True, None, False) if v in verdicts))
    route = outcomes[verdicts.index(chosen)][1]
    if chosen is None and same_text(a, b):
        return {"equal": True, "route": "the same text"}
    if chosen is None and "but no proof" in route and agrees(a, b, letters=False):
        return {"equal": True, "route": "numbers at random points and math-verify agree"}
    return {"equal": chosen, "route": route}


def judge_response(answer: str, reference: str, context: str = "") -> dict[str, Any]:
    """Find the answer in a response and compare it. The reply of the worker's task "math_objects".

    Returns:
        As `equal_texts`, plus "answer" (what was found). Several answers that are not provably the
        same leave it undecided.
    """
    found = extract_answer(answer)
    if not found.answers:
        return {"equal": None, "route": found.how, "answer": ""}
    *others, last = found.answers
    for other in others[-4:]:
        if equal_texts(other, last, context, BUDGET_S / 2)["equal"] is not True:
            return {"equal": None, "route": f"{found.why}: {other[:60]} and {last[:60]}", "answer": ""}
    return {**equal_texts(last, reference, context), "answer": last[:2000]}


def equal_to_value(value: Any, text: str, context: str = "", budget_s: float = BUDGET_S) -> dict[str, Any]:
    """As `equal_texts`, with a program's answer (sympy objects in plain containers) on one side."""
    try:
        comparison = Comparison(Budget(budget_s), context)
        known = to_object(value)
        # A program's symbols carry its own assumptions; a text's are real.
        known = substitute(known, {s: variable(s.name) for s in symbols_in(known)})
        outcomes = [comparison.equal(known, other) for other in read(text)]
    except (TooHardError, UnreadableError) as error:
        return {"equal": None, "route": str(error)}
    except (OutOfTime, RecursionError):
        return {"equal": None, "route": "out of time"}
    except Exception as error:  # as above
        return {"equal": None, "route": " ".join(f"{type(error).__name__}: {error}".split())[:120]}
    verdicts = [equal for equal, _ in outcomes]
    chosen = next((v for v in (True, None, False) if v in verdicts))
    return {"equal": chosen, "route": outcomes[verdicts.index(chosen)][1]}
