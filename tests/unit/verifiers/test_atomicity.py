"""Cases that real models brought up; the hard ones are in tests/golden/atomicity.jsonl."""

import pytest

from autodata_dspy.verifiers.atomicity import Atomicity, asks_nothing


@pytest.mark.parametrize("verb", ["Factor", "Factorise", "Factorize"])
def test_a_second_demand_counts_whatever_the_spelling_of_the_first(verb):
    assert not Atomicity().verify(f"{verb} the polynomial x^3 - 7x + 6 and find all the roots.").passed
    assert Atomicity().verify(f"{verb} the polynomial x^3 - 7x + 6.").passed


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
