"""Equality of two objects of any kind: each method knows one kind and leaves the others to the next."""

from __future__ import annotations

import re
from typing import Any

import sympy

from autodata_dspy.symbolic.notation.units import is_counted, is_money, may_be_missing, unit
from autodata_dspy.symbolic.objects import (
    DEGREE,
    Alternatives,
    Definition,
    Equation,
    Family,
    Group,
    Quantity,
    UnreadableError,
    Words,
    is_expression,
    substitute,
    symbols_in,
    variable,
)
from autodata_dspy.symbolic.proof import constants, progressions, sets
from autodata_dspy.symbolic.proof.budget import Budget
from autodata_dspy.symbolic.proof.containers import Containers
from autodata_dspy.symbolic.proof.equations import equal_equations, equal_inequalities
from autodata_dspy.symbolic.proof.normal_form import assigned, is_label, is_scalar
from autodata_dspy.symbolic.proof.proving import Outcome, equal_expressions

# Words for an answer that there is not.
_NOTHING = frozenset(
    {"none", "nothing", "impossible", "no solution", "no solutions", "does not exist", "dne", "undefined"}
)
# Degrees beside the unit whose symbol is the same letter: 25 C may be meant as 25 degrees.
_ONE_LETTER = [
    {((scale, 1),), tuple(sorted(known[1]))}
    for scale, letter in (("celsius", "C"), ("fahrenheit", "F"))
    if (known := unit(letter))
]
# A question with a letter j of its own, q = a + bi + cj + dk.
_OF_J = re.compile(r"(?<![A-Za-z\\])[a-z]?j(?![A-Za-z])|(?i:quaternion)")


class Comparison(Containers):
    """One question of equality: the time it may take and the names its context uses.

    Args:
        budget: CPU time for all attempts together.
        context: the question; a letter it uses is no arbitrary constant.
    """

    def __init__(self, budget: Budget, context: str = ""):
        super().__init__(budget)
        self.named = frozenset(re.findall(r"[a-z]{2,}", context.lower()))
        self.asks_of_j = bool(_OF_J.search(context))
        letters = re.findall(r"(?<![A-Za-z\\])[A-Za-z](?:_\{?\d+\}?)?(?![A-Za-z])", context)
        self.taken = frozenset(re.sub("[{}]", "", letter) for letter in letters)

    def equal(self, a: Any, b: Any) -> Outcome:
        """Compare two objects of any kind."""
        a, b = self.simplest(a), self.simplest(b)
        if type(a) is type(b) and a == b:
            return True, "structure"
        for comparer in (self._words, self._definitions, self._families, self._quantities, self._equations,
                         self._turns, self._vectors, self._collections, self._sets, self._groups):  # fmt: skip
            outcome = comparer(a, b)
            if outcome is None and comparer is not self._groups:
                outcome = comparer(b, a)
            if outcome is not None:
                return outcome
        return self._scalars(a, b)

    def _words(self, a: Any, b: Any) -> Outcome | None:
        if not isinstance(a, Words):
            return None
        if isinstance(b, Words):
            if a.text.lower() == b.text.lower():
                return True, "words"
            unclear = max(a.text.count(" "), b.text.count(" ")) > 1 or _may_mean_the_same(a.text, b.text)
            return (None, "a text in words") if unclear else (False, "words")
        if isinstance(b, sympy.Symbol):
            return (a.text.lower() == b.name.lower()), "a letter"
        if isinstance(b, Equation) and is_label(b.left):
            return self.equal(a, b.right)
        nothing = a.text.lower() in _NOTHING and self.collection(b) == []
        unclear = a.text.count(" ") > 1 or nothing
        return (None, "a text in words") if unclear else (False, "a word against an object")

    def _definitions(self, a: Any, b: Any) -> Outcome | None:
        if not isinstance(a, Definition):
            return None
        if isinstance(b, Equation):
            # y = x^2 names the same function as f(x) = x^2; f(2) = 4 and x = x^2 do not
            named = isinstance(b.left, (sympy.Symbol, Words)) and b.left not in a.parameters
            return self.equal(a.body, b.right) if named else (None, "an equation")
        if not isinstance(b, Definition):
            return self.equal(a.body, b)
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
        if isinstance(b, Equation) and is_label(b.left):
            b = b.right
        items = None if isinstance(b, Family) or is_expression(b) else self.collection(b)
        other = b if isinstance(b, Family) else progressions.as_family(items or b)
        if other is None:
            return False, "a family against another object"
        return progressions.equal_families(a, other, self.budget)

    def _turns(self, a: Any, b: Any) -> Outcome | None:
        """pi/4 + n pi/2 beside a list of such angles, where nothing says n in Z but only that makes sense."""
        lists = [v for v in (a, b) if isinstance(v, (Group, Alternatives))]
        items = [self.collection(v) if v in lists else [v.right if isinstance(v, Equation) else v] for v in (a, b)]
        if not lists or None in items:
            return None
        left, right = map(progressions.turns, items)
        if left is None or right is None:
            return None
        outcome = progressions.equal_families(left, right, self.budget)
        named = {left.parameter.name, right.parameter.name} & self.taken
        return (None, "angles for a given number, or all of them") if outcome[0] and named else outcome

    def _quantities(self, a: Any, b: Any) -> Outcome | None:
        if not isinstance(a, Quantity):
            return None
        if isinstance(b, Equation) and is_label(b.left):
            return self.equal(a, b.right)
        if isinstance(b, Quantity):
            return self._two_quantities(a, b)
        if not is_expression(b):
            return None
        if a.dimension == (("rad", 1),):
            return equal_expressions(a.value, b, self.budget)
        if b.has(DEGREE):
            return False, "an angle against another quantity"
        equal, _ = equal_expressions(a.value, b, self.budget)
        if equal and is_counted(a.dimension) and not may_be_missing(a.dimension[0][0], self.named):
            return None, "a word behind the number that one side lacks"
        return equal, "currency sign dropped" if is_money(a.dimension) else "unit dropped"

    def _two_quantities(self, a: Quantity, b: Quantity) -> Outcome:
        warm, cold = _kelvins(a), _kelvins(b)
        if a.dimension != b.dimension and warm is not None and cold is not None:
            equal, route = equal_expressions(warm, cold, self.budget)
            return equal, f"temperatures: {route}"
        if a.dimension == b.dimension:
            equal, route = equal_expressions(a.value * a.factor, b.value * b.factor, self.budget)
            return equal, f"units: {route}"
        if {a.dimension, b.dimension} in _ONE_LETTER:
            return None, "degrees, or the unit with the same letter"
        return False, "another unit"

    def _equations(self, a: Any, b: Any) -> Outcome | None:
        if not isinstance(a, Equation):
            return None
        if assigned(a) is not None and (outcome := self.assignments(a, b, of_both=True)) is not None:
            return outcome
        if isinstance(b, Equation):
            return self._two_equations(a, b)
        if is_label(a.left) and not symbols_in(a.left) & symbols_in(a.right):
            if isinstance(b, (Alternatives, Group)) and any(isinstance(v, Equation) for v in b.items):
                return None  # a list of solutions
            outcome = self.equal(a.right, b)
            if outcome[0] and isinstance(a.left, Group) and sorted(a.left.items, key=str) != list(a.left.items):
                return None, "(y, x) beside a point, which may be (x, y)"
            return outcome
        if isinstance(b, (Group, sympy.Set, sympy.Expr)) and is_scalar(a):
            return self._unsolved(a, b)
        return False, "an equation against another object"

    def _two_equations(self, a: Equation, b: Equation) -> Outcome:
        if (
            a.left == b.left
            and is_label(a.left)
            and not symbols_in(a.left) & (symbols_in(a.right) | symbols_in(b.right))
        ):
            return self.equal(a.right, b.right)
        if is_scalar(a) and is_scalar(b):
            return equal_equations(a, b, self.budget)
        lefts = self.equal(a.left, b.left)
        return self.equal(a.right, b.right) if lefts[0] else lefts

    def _unsolved(self, a: Equation, b: Any) -> Outcome:
        """An equation beside its solutions is not an answer to the same question: never equal."""
        variables = symbols_in(a.left) | symbols_in(a.right)
        if self.equal(a.right, b)[0]:  # |A| = 5 may be a label of 5, or an equation for A
            return None, "an equation against its right side"
        if len(variables) != 1:
            return False, "an equation against another object"
        (unknown,) = variables
        found = sets.solutions(a.left - a.right, unknown, self.budget)
        if found is None:
            return None, "an equation that could not be solved"
        equal, _ = self.equal(found, b)
        return (False, "other solutions") if equal is False else (None, "an equation that is not solved")

    def _sets(self, a: Any, b: Any) -> Outcome | None:
        if not sets.is_set_like(a) and not (isinstance(a, sympy.Set)):
            return None
        if sets.is_inequality(a) and sets.is_inequality(b) and len(symbols_in(a) | symbols_in(b)) > 1:
            if len(symbols_in(a)) > 1 or len(symbols_in(b)) > 1:
                return equal_inequalities(a, b, self.budget)
            return False, "inequalities in different unknowns"
        if isinstance(b, Equation):
            b = b.right if is_label(b.left) else b
        if isinstance(b, Group) and any(sets.is_inequality(v) for v in b.items):
            return None, "inequalities with a comma: `and` or `or`?"
        if len(symbols_in(a)) > 1 and not sets.is_set_like(b):
            return False, "inequalities in several unknowns against another object"
        if not sets.is_set_like(b) and (not isinstance(b, (Group, sympy.Set)) and symbols_in(b)):
            return False, "a set against another object"
        try:
            left = sets.to_set(a, self.budget)
        except UnreadableError as error:
            return None, str(error)
        try:
            right = sets.to_set(b, self.budget)
        except UnreadableError as error:
            return (None, str(error)) if sets.is_set_like(b) else (False, "a set against another object")
        return sets.equal_sets(left, right, self.budget)

    def _scalars(self, a: Any, b: Any) -> Outcome:
        if not is_expression(a) or not is_expression(b):
            named = isinstance(a, sympy.Symbol) or isinstance(b, sympy.Symbol)
            return (None, "a letter that may name anything") if named else (False, "another kind of object")
        if (outcome := self._degrees(a, b)) is not None:
            return outcome
        outcome = equal_expressions(a, b, self.budget)
        if outcome[0] is not True:
            by_constants = constants.equal_up_to_constants(a, b, self.budget, self.taken)
            if by_constants is not None:
                return by_constants
        if outcome[0] is False and (electrical := self._with_j(a, b) or self._with_j(b, a)) is not None:
            return electrical
        if outcome[0] is False and (bare := _without_marks((a, b))) != (a, b):
            if equal_expressions(*bare, self.budget)[0]:  # an arrow against bold type, or a vector against its length
                return None, "letters that differ by a mark only"
        return outcome

    def _with_j(self, a: Any, b: Any) -> Outcome | None:
        """3 + 2j beside 3 + 2i; None unless that is what they are.

        2j alone may be a vector, and 3 + 2j another quaternion than 3 + 2i.
        """
        j = variable("j")
        if a.free_symbols != {j} or b.free_symbols or not b.has(sympy.I) or a.has(sympy.I):
            return None
        real, imaginary = a.coeff(j, 0), a.coeff(j, 1)
        if not all(v.is_real for v in (real, imaginary)) or sympy.expand(a - real - imaginary * j) != 0:
            return None
        if equal_expressions(real + imaginary * sympy.I, b, self.budget)[0] is not True:
            return None
        if real == 0 or self.asks_of_j:
            return None, "j may be the imaginary unit"
        return True, "j as the imaginary unit"

    def _degrees(self, a: Any, b: Any) -> Outcome | None:
        """90 degrees equal 90 (the sign dropped) and pi/2."""
        if a.has(DEGREE) == b.has(DEGREE):
            return None
        angle, other = (a, b) if a.has(DEGREE) else (b, a)
        size = angle / DEGREE
        if not size.has(DEGREE) and equal_expressions(size, other, self.budget)[0]:
            return True, "degree sign dropped"
        return None


def _without_marks(values: tuple[Any, Any]) -> tuple[Any, Any]:
    """The expressions with arrows and script types taken off their letters."""
    marked = {s: variable(re.sub(r"_(?:vec|cal)$", "", s.name)) for s in symbols_in(values)}
    return substitute(values, {s: plain for s, plain in marked.items() if s.name.endswith(("_vec", "_cal"))})


def _kelvins(quantity: Quantity) -> Any:
    """A temperature in kelvins; None for another quantity."""
    if quantity.dimension == (("K", 1),):
        return quantity.value * quantity.factor
    if quantity.dimension == (("celsius", 1),):
        return quantity.value + sympy.Rational("273.15")
    if quantity.dimension == (("fahrenheit", 1),):
        return (quantity.value - 32) * sympy.Rational(5, 9) + sympy.Rational("273.15")
    return None


def _may_mean_the_same(a: str, b: str) -> bool:
    """Two ways to say that there is nothing, or one text with all words of the other: monotonically increasing."""
    a, b = a.lower(), b.lower()
    return {a, b} <= _NOTHING or set(a.split()) <= set(b.split()) or set(b.split()) <= set(a.split())
