"""Where a passage begins, and what it is turned into."""

import re

import dspy
import pytest

from autodata_dspy.domains._math_passages import directions
from autodata_dspy.domains.math_objects import ANGLES, PLUGIN
from autodata_dspy.modules import Challenger
from autodata_dspy.types import Document


def test_a_passage_on_sets_asks_for_listed_sets():
    assert any("listed set" in angle for angle in directions("A subset of a set. The set A, the set B and a set C."))


def test_the_two_subjects_that_are_spoken_of_most_are_taken():
    text = "probability " * 5 + "sequence " * 4 + "graph " * 3 + "prime "
    angles = " ".join(directions(text))
    assert "probability" in angles and "n-th term" in angles
    assert "edges" not in angles and "remainder" not in angles


def test_a_solution_set_is_no_talk_of_sets_and_a_mention_is_no_subject():
    assert directions("The solution set is an interval. Solution sets are listed. The solution set is empty.") == ()
    assert directions("One prime number.") == ()


def test_the_challenger_falls_back_to_the_angles_that_fit_any_passage(scripted):
    fields = {"question": "q", "program": "answer = 1"}
    roles = scripted.roles(challenger=lambda call: fields)
    write = Challenger(PLUGIN, roles)
    fallen_back = write(document=Document("d", "A ship leaves the harbour at noon.")).angle
    assert re.sub(r"\d and \d", "{numbers}", fallen_back) in ANGLES
    counted = write(document=Document("d", "Count the ways. How many ways? All ways are counted as combinations."))
    assert counted.angle.startswith("how many ")


def test_passages_begin_at_formulas_rather_than_at_prose():
    prose, formula = "Long ago nobody doubted it at all.", "Then x^2 + 3*x = y_1 and \\frac{1}{x} > 0."
    assert PLUGIN.interest(formula) > 5 * PLUGIN.interest(prose)
    latex = "We have \\binom{n}{k} \\le \\frac{n}{k} \\cdot \\dots by counting."
    assert PLUGIN.interest(latex) > 5 * PLUGIN.interest(prose)
    assert PLUGIN.interest("") == 0.0


# One problem for each direction of calculus and algebra, with its program as the direction words it.
WORKED = (
    (
        "Find the limit of (a*x^2+3)/(4*x^2+7*x) as x goes to infinity.",
        'a,x=symbols("a x")\nanswer = limit((a*x**2+3)/(4*x**2+7*x), x, oo)',
    ),
    (
        "Find the limit of sin(a*x)/(3*x^2+7*x) as x goes to 0.",
        'a,x=symbols("a x")\nanswer = limit(sin(a*x)/(3*x**2+7*x), x, 0)',
    ),
    (
        "Find det of [[a,4,1],[7,a,2],[1,0,3]].",
        'a=symbols("a")\nanswer = expand(Matrix([[a,4,1],[7,a,2],[1,0,3]]).det())',
    ),
    (
        "Find the eigenvalues of [[a,4],[7,2]].",
        'a=symbols("a")\nanswer = FiniteSet(*Matrix([[a,4],[7,2]]).eigenvals())',
    ),
    (
        "Find the characteristic polynomial in t of [[3,4],[7,2]].",
        't=symbols("t")\nanswer = expand((t*eye(2) - Matrix([[3,4],[7,2]])).det())',
    ),
    ("Find the inverse of [[3,4],[7,2]].", "answer = Matrix([[3,4],[7,2]]).inv()"),
    (
        "Find the product of [[a,4],[7,2]] and [[1,a],[3,2]].",
        'a=symbols("a")\nanswer = Matrix([[a,4],[7,2]])*Matrix([[1,a],[3,2]])',
    ),
    (
        "Solve (x+4)/(x-7) > 2.",
        'x=symbols("x", real=True)\nanswer = solve_univariate_inequality((x+4)/(x-7) > 2, x, relational=False)',
    ),
    (
        "Solve x^2-4 <= 7*x.",
        'x=symbols("x", real=True)\nanswer = solve_univariate_inequality(x**2-4 <= 7*x, x, relational=False)',
    ),
    (
        "Solve |3*x-4| <= 7.",
        'x=symbols("x", real=True)\nanswer = solve_univariate_inequality(Abs(3*x-4) <= 7, x, relational=False)',
    ),
    (
        "Find the tangent line of y = 4*x^3 + 7*x^2 at x = 1.",
        'x=symbols("x")\nf = 4*x**3+7*x**2\nanswer = expand(f.subs(x, 1) + diff(f, x).subs(x, 1)*(x - 1))',
    ),
    ("Find the derivative of (4*x+1)*exp(7*x).", 'x=symbols("x")\nanswer = simplify(diff((4*x+1)*exp(7*x), x))'),
    (
        "Find dy/dx in t for x = t^2 + 4*t, y = t^3 - 7.",
        't=symbols("t")\nanswer = simplify(diff(t**3-7, t)/diff(t**2+4*t, t))',
    ),
    (
        "Find the critical points of 4*x^3 - 7*a*x^2.",
        'x,a=symbols("x a")\nanswer = FiniteSet(*solve(diff(4*x**3-7*a*x**2, x), x))',
    ),
    ("Integrate 4*x^2+7 from 0 to a.", 'x,a=symbols("x a")\nanswer = integrate(4*x**2+7, (x, 0, a))'),
    ("Integrate x*exp(4*x) from 0 to 1.", 'x=symbols("x")\nanswer = simplify(integrate(x*exp(4*x), (x, 0, 1)))'),
    (
        "Find the terms up to x^4 of exp(4*x)+sin(7*x) at 0.",
        'x=symbols("x")\nanswer = series(exp(4*x)+sin(7*x), x, 0, 5).removeO()',
    ),
    ("Solve 4*exp(7*x) = 9.", 'x=symbols("x", real=True)\nanswer = solve(Eq(4*exp(7*x), 9), x)[0]'),
    ("Find the roots of x^2+4*x+7 = 0.", 'x=symbols("x")\nanswer = FiniteSet(*solve(x**2+4*x+7, x))'),
    ("Write (4+7*I)/(2-3*I) as a sum.", "answer = expand(simplify((4+7*I)/(2-3*I)))"),
    (
        "Find the least value of 4*x^2 + 7*a*x.",
        'x,a=symbols("x a")\nf = 4*x**2+7*a*x\nanswer = expand(f.subs(x, solve(diff(f, x), x)[0]))',
    ),
    (
        "Find the remainder of x^4+4*x+7 on division by x^2+x+3.",
        'x=symbols("x")\nanswer = rem(x**4+4*x+7, x**2+x+3, x)',
    ),
    ("Find the coefficient of x^3 in (a*x+4)^7.", 'x,a=symbols("x a")\nanswer = expand((a*x+4)**7).coeff(x, 3)'),
    (
        "Find the cross product of (a, 4, 1) and (7, 2, 3).",
        'a=symbols("a")\nanswer = Matrix([a,4,1]).cross(Matrix([7,2,3]))',
    ),
    (
        "Find the cosine of the angle between (4, 1) and (7, 2).",
        "u = Matrix([4,1])\nv = Matrix([7,2])\nanswer = u.dot(v)/sqrt(u.dot(u)*v.dot(v))",
    ),
    (
        "Find where y = x + 4 meets x^2 + y^2 = 49.",
        'x,y=symbols("x y")\nanswer = FiniteSet(*solve([y-x-4, x**2+y**2-49], [x, y]))',
    ),
    (
        "Which whole numbers from 0 to 60 leave remainder 1 on division by 4 and are no multiples of 7?",
        "answer = FiniteSet(*[i for i in range(61) if i % 4 == 1 and i % 7 != 0])",
    ),
    (
        "Find the coefficient of 1/(x+4) in the partial fractions of (a*x+5)/((x+4)*(x-7)).",
        'x,a=symbols("x a")\nanswer = ((a*x+5)/(x - 7)).subs(x, -4)',
    ),
    (
        "For which x, as a formula in a, are 4*x + a*y = 1 and x - 7*y = 2 both true?",
        'x,y,a=symbols("x y a")\nanswer = solve([4*x+a*y-1, x-7*y-2], [x, y])[x]',
    ),
    (
        "Find all x from 0 to 2*pi with sin(x)^2 = 1/4.",
        'x=symbols("x")\nanswer = solveset(Eq(sin(x)**2, Rational(1, 4)), x, Interval(0, 2*pi))',
    ),
)


@pytest.mark.parametrize(("question", "program"), WORKED)
def test_what_a_direction_asks_for_can_be_computed_and_passes_the_checks(question, program):
    challenge = PLUGIN.build(dspy.Prediction(idea="one", question=question, program=program), "an angle")
    verdicts = [check.verify(challenge, context="") for check in PLUGIN.challenge_verifiers()]
    assert [v.feedback for v in verdicts if v.passed is False] == []


def test_nearly_every_lesson_has_directions_of_its_own():
    without = [lesson.id for lesson in PLUGIN.documents() if not directions(lesson.text)]
    assert len(without) <= 3


def test_directions_whose_numbers_stand_in_their_program_are_filled_in(scripted):
    write = Challenger(PLUGIN, scripted.roles(challenger=lambda call: {"question": "q", "program": "answer = 1"}))
    angle = write(document=Document("d", "The gcd. A remainder, a divisor, a modulus and a prime.")).angle
    one, other = re.search(r"i % (\d) == 1 and i % (\d) != 0", angle).groups()
    assert f"by {one} and are no multiples of {other};" in angle and one != other
