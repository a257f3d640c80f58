"""Cases that real models brought up; the hard ones are in tests/golden/atomicity.jsonl."""

import pytest

from autodata_dspy.verifiers.atomicity import Atomicity


@pytest.mark.parametrize("verb", ["Factor", "Factorise", "Factorize"])
def test_a_second_demand_counts_whatever_the_spelling_of_the_first(verb):
    assert not Atomicity().verify(f"{verb} the polynomial x^3 - 7x + 6 and find all the roots.").passed
    assert Atomicity().verify(f"{verb} the polynomial x^3 - 7x + 6.").passed
