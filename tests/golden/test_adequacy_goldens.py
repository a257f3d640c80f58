"""The hard cases of test_adequacy: tests that notice errors, tests that do not, and what cannot be told."""

from pathlib import Path

import pytest

from autodata_dspy.audit import audit, read_cases
from autodata_dspy.sandbox.bubblewrap import Box, find_box
from autodata_dspy.verifiers.test_adequacy import TestAdequacy

CASES = read_cases(Path(__file__).with_name("test_adequacy.jsonl"))


def test_there_are_enough_cases_of_every_outcome():
    counts = {outcome: sum(c.expected is outcome for c in CASES) for outcome in (True, False, None)}
    assert len(CASES) >= 40 and min(counts.values()) >= 8
    assert len({(str(c.subject), c.reference) for c in CASES}) == len(CASES)
    assert all(c.why for c in CASES)


@pytest.mark.skipif(not isinstance(find_box(), Box), reason=str(find_box()))
@pytest.mark.parametrize("seed", [0])
def test_every_case_comes_out_as_expected_whichever_changes_are_drawn(seed):
    found = audit(TestAdequacy(seed=seed), CASES)
    assert [(c.case.why, c.said, c.feedback) for c in found.confusions] == []
