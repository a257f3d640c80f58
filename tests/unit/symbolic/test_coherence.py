import pytest

from autodata_dspy.domains.math_objects import DEMOS, SOLVER_DEMOS
from autodata_dspy.symbolic.coherence import mismatch
from autodata_dspy.symbolic.program import run_program


@pytest.mark.parametrize("demo", [*DEMOS, *SOLVER_DEMOS], ids=lambda d: d["question"][:30])
def test_the_demonstrations_fit(demo):
    assert mismatch(demo["question"], demo["program"], run_program(demo["program"])["text"]) == ""


@pytest.mark.parametrize(
    ("question", "program", "answer"),
    [
        ("Integrate x^(3/2).", "answer = integrate(x**Rational(3, 2), x)", "2*x**(5/2)/5"),
        ("Solve 3x^2 = 12x.", "answer = solve(3*x**2 - 12*x, x)", "{0, 4}"),
        (
            "Find the quadratic, of degree 2, with roots 3 and 5 in x.",
            "answer = expand((x - 3)*(x - 5))",
            "x**2 - 8*x + 15",
        ),
        ("Half of 0.5x is 0.25x; double x.", "answer = 2*x", "2*x"),  # decimals may be written as fractions
        ("Solve |x - 4| < 2.", "answer = solve_univariate_inequality(Abs(x - 4) < 2, x, relational=False)", "(2, 6)"),
        (
            "Let |A| be the determinant of [[2, 3], [4, 5]] times a.",
            "answer = a*Matrix([[2, 3], [4, 5]]).det()",
            "-2*a",
        ),
        ("Find the tangent to the parabola of x^2 at 3.", "answer = Eq(y, 6*(x - 3) + 9)", "Eq(y, 6*x - 9)"),
        ("Find e^2 as a limit.", "answer = exp(2)", "E**2"),
        ("Integrate 2x.", "answer = integrate(2*x, x) + C", "C + x**2"),
        (
            "Find the area between y = x^2, y = 4x, x = 0 and x = 4.",
            "answer = integrate(4*x - x**2, (x, 0, 4))",
            "32/3",
        ),
        ("Evaluate x^2 + k at k = 1/2, x = 3.", "answer = (x**2 + k).subs({x: 3, k: Rational(1, 2)})", "19/2"),
        ("Add z = 2 + 5i and w = 3.5 to v = 2i.", "answer = 2 + 5*I + Rational(7, 2) + 2*I", "11/2 + 7*I"),
        (
            "Square the matrix with rows (0, 1, 0), (1, 0, -1) and (0, 1, 1).",
            "answer = Matrix([[0, 1, 0], [1, 0, -1], [0, 1, 1]])**2",
            "Matrix([[1, 0, -1], [0, 0, -1], [1, 1, 0]])",
        ),
        ("Join {2, 5, 9} and {1, 2, 3}.", "answer = {2, 5, 9} | FiniteSet(1, 2, 3)", "{1, 2, 3, 5, 9}"),
        ("List the odd numbers n with 0 < n < 40.", "answer = FiniteSet(*range(1, 40, 2))", "{1, 3}"),
        ("Give the inverse function of 2 x + 3.", "answer = Lambda(t, (t - 3)/2)", "Lambda(t, t/2 - 3/2)"),
    ],
)
def test_what_a_reading_explains_is_no_mismatch(question, program, answer):
    assert mismatch(question, program, answer) == ""


@pytest.mark.parametrize(
    ("question", "program", "answer", "said"),
    [
        ("p(1) = 2, p(2) = 5 and p(3) = 9 in p.", "answer = p**2 - 2*p + 5", "p**2 - 2*p + 5", "the numbers 3, 9 of"),
        (
            "Solve x^2 - 2*x - 3 < 0 and x = 1/3.",
            "answer = solve_univariate_inequality(x**2 - 2*x - 3 < 0, x, relational=False)",
            "Interval.open(-1, 3)",
            "does not use x = 1/3",
        ),
        (
            "Square the adjacency matrix of the graph with vertices a, b and c.",
            "answer = Matrix([[0, 1, 0], [1, 0, 1], [0, 1, 0]])**2",
            "Matrix([[1, 0, 1], [0, 2, 0], [1, 0, 1]])",
            "uses [0, 1, 0], which the problem does not state",
        ),
        ("Find 2n + 1. For example, if n = 7.", "answer = 2*n + 1", "2*n + 1", "does not use n = 7"),
        ("Solve |x + 3| > 7.", "answer = solve_univariate_inequality(x + 3 > 7, x)", "(4, oo)", "absolute value"),
        (
            "Find the polynomial with roots 2 and 3.",
            "answer = expand((p - 2)*(p - 3))",
            "p**2 - 5*p + 6",
            "the letter p",
        ),
    ],
)
def test_what_cannot_belong_together_is_named(question, program, answer, said):
    assert said in mismatch(question, program, answer)
