"""Cases that real models brought up; the hard ones are in tests/golden/atomicity.jsonl."""

import pytest

from autodata_dspy.verifiers.atomicity import Atomicity, asks_nothing


@pytest.mark.parametrize("verb", ["Factor", "Factorise", "Factorize"])
def test_a_second_demand_counts_whatever_the_spelling_of_the_first(verb):
    assert not Atomicity().verify(f"{verb} the polynomial x^3 - 7x + 6 and find all the roots.").passed
    assert Atomicity().verify(f"{verb} the polynomial x^3 - 7x + 6.").passed


def test_the_coordinates_of_what_was_asked_for_are_no_second_demand_and_those_of_other_points_are():
    found = "Find the points of the curve y = x^2 that have distance 2 from the origin."
    for form in (
        "Give the coordinates of the points.",
        "State the coordinates of all such points.",
        "List their coordinates.",
    ):
        assert Atomicity().verify(f"{found} {form}").passed
    assert not Atomicity().verify(f"{found} Give the coordinates of the points where it meets the line y = 3.").passed


@pytest.mark.parametrize(
    ("question", "nothing"),
    [
        ("The solution set of the inequality x + 4/(x - 3) <= 0 is [-4, 3].", True),
        ("The number of edges of a complete graph with n vertices is given by n*(n-1)/2.", True),
        ("x^2 = 4", True),
        ("Given A = [[1, 2], [3, 4]],compute its inverse.", False),
        ("The roots of x^2 - 3x - 9 are r and s. Express r + 1 in terms of s.", False),
        ("The inverse of [[1, 2], [3, 4]] is?", False),
        ("Let f be even; what follows for f(2)", False),
    ],
)
def test_texts_that_ask_nothing(question, nothing):
    assert asks_nothing(question) is nothing
