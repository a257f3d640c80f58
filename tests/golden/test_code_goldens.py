"""The hard cases of unit_tests: right and wrong solutions, cheats, and tests that can decide nothing."""

from pathlib import Path

import pytest

from autodata_dspy.audit import audit, read_cases
from autodata_dspy.sandbox.bubblewrap import Box, find_box
from autodata_dspy.verifiers.unit_tests import UnitTests

CASES = read_cases(Path(__file__).with_name("unit_tests.jsonl"))


def test_there_are_enough_cases_of_every_outcome():
    counts = {outcome: sum(c.expected is outcome for c in CASES) for outcome in (True, False, None)}
    assert len(CASES) >= 40 and min(counts.values()) >= 8
    assert len({(c.subject, c.reference, c.context) for c in CASES}) == len(CASES)
    assert all(c.why for c in CASES)


@pytest.mark.skipif(not isinstance(find_box(), Box), reason=str(find_box()))
@pytest.mark.parametrize("where", ["auto", "bubblewrap"])
def test_every_case_comes_out_as_expected(where):
    found = audit(UnitTests(where), CASES)
    assert [(c.case.why, c.said, c.feedback) for c in found.confusions] == []


def test_monty_alone_is_never_wrong():
    found = audit(UnitTests("monty"), CASES)
    assert [(c.case.why, c.said) for c in found.confusions if c.said is not None] == []
