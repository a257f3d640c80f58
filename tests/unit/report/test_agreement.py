"""What stands behind an example, and when a run warns of its judge."""

import pytest

from autodata_dspy.report.agreement import basis, mean_agreement, warning
from autodata_dspy.types import Decision, Round, Trajectory, Verdict


def compared(agreement, reason="accepted", min_agreement=2 / 3):
    evidence = {"agreement": agreement, "min_agreement": min_agreement, "chosen": "a", "rejected": "b"}
    verdicts = (Verdict.of(True, verifier="length"), Verdict(None, "", evidence, "pairwise_judge"))
    return Round(0, Decision(reason == "accepted", reason), verdicts=verdicts)


PLAIN = Round(0, Decision(True, "accepted"), verdicts=(Verdict.of(True, verifier="length"),))


def run(*rounds):
    return [Trajectory(f"d{i}", rounds=(r,)) for i, r in enumerate(rounds)]


@pytest.mark.parametrize(
    "round_, verified, said",
    [
        (PLAIN, "checked", "checked"),
        (PLAIN, "none", "none"),
        (PLAIN, "", ""),
        (compared(5 / 6), "judged", "judged (agreement 0.83)"),
        (compared(1.0), "", "judged (agreement 1.00)"),
    ],
)
def test_what_stands_behind_an_example(round_, verified, said):
    assert basis(round_, verified) == said


def test_the_mean_is_over_all_compared_pairs_also_of_rejected_rounds():
    found = mean_agreement(run(compared(1.0), compared(0.0, "undecided"), compared(0.5, "failed_on_strong"), PLAIN))
    assert found == pytest.approx((0.5, 2 / 3))


def test_a_silent_judge_does_not_count_as_one_that_disagrees():
    assert mean_agreement(run(compared(1.0), compared(0.0, "infrastructure"))) == pytest.approx((1.0, 2 / 3))
    assert mean_agreement(run(compared(0.0, "infrastructure"), PLAIN)) is None


@pytest.mark.parametrize("agreements", [(2 / 3,), (2 / 3,) * 7, (1.0, 1 / 3), (0.9, 0.8), ()])
def test_a_judge_that_agrees_often_enough_is_not_warned_of(agreements):
    assert warning(run(*map(compared, agreements))) == ""


def test_a_run_with_accepted_examples_is_warned_of_too():
    said = warning(run(compared(1.0), compared(0.0, "undecided"), compared(0.23, "undecided")))
    assert said.startswith("judges agree in only 0.41 of comparisons (0.67 is needed); do not rely on these examples")
    assert said.endswith("--lm judge=MODEL") and "\n" not in said
