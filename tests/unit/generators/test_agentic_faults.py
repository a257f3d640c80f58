"""What is not the example's fault: failed calls, empty answers, outages, budgets."""

import pytest
from dspy import lm15

from autodata_dspy.budget import Limits, Meter, metered
from autodata_dspy.errors import BudgetExceeded, ConfigError, ProviderError, StopRun
from autodata_dspy.generators import AgenticSelfInstruct
from autodata_dspy.types import Document

DOCUMENT = Document("d", "A lighthouse shows ships the way into the harbour.")
DOWN = lm15.ServerError("overloaded")


def run(scripted, challenger, quality_verifier=None, limits=None, **options):
    """→ (trajectory, roles, meter), in a run of its own."""
    roles = scripted.fated_roles(challenger, quality_verifier, schema=True)
    maker = AgenticSelfInstruct(scripted.domain(), roles, **({"max_rounds": 1, "per_document": 1} | options))
    with metered(Meter(limits)) as meter:
        return maker(document=DOCUMENT).trajectory, roles, meter


def reasons(trajectory):
    return [r.decision.reason for r in trajectory.rounds]


def test_a_failed_call_is_made_again_with_another_seed(scripted):
    plays = [scripted.fated("first", weak="11"), DOWN, scripted.fated("second")]
    trajectory, roles, meter = run(scripted, plays, max_rounds=2)
    assert reasons(trajectory) == ["too_easy", "accepted"]
    seeds = [call.seed for call in scripted.calls(roles, "challenger")]
    assert len(set(seeds)) == 3
    assert (meter.by_role["challenger"].calls, meter.by_role["challenger"].failed) == (3, 1)


def test_an_empty_answer_is_asked_for_again(scripted):
    trajectory, roles, meter = run(scripted, ["", "  \n", scripted.fated("q")])
    assert reasons(trajectory) == ["accepted"]
    assert len({call.seed for call in scripted.calls(roles, "challenger")}) == 3
    assert meter.by_role["challenger"].failed == 0


def test_a_lost_round_is_infrastructure_and_neither_counts_nor_is_told_to_the_challenger(scripted):
    first, second = scripted.fated("first", weak="11"), scripted.fated("second", weak="11")
    trajectory, roles, _ = run(scripted, [first, DOWN, DOWN, DOWN, second, first], max_rounds=2)
    assert reasons(trajectory) == ["too_easy", "infrastructure", "too_easy"]
    assert "overloaded" in trajectory.rounds[1].decision.feedback
    assert trajectory.rounds[1].challenge is None
    assert trajectory.status == "done"
    told = scripted.calls(roles, "challenger")[4].inputs["feedback"]
    assert told.splitlines()[0] == "- too easy (1): the weak solver answered it 2 of 2 times; make it harder"
    assert "overloaded" not in told


def test_a_lost_review_is_infrastructure(scripted):
    sound = {"verdict": "sound"}
    plays = [scripted.fated("first", weak="11"), scripted.fated("second"), scripted.fated("third")]
    trajectory, _, _ = run(scripted, plays, [sound, DOWN, DOWN, DOWN, sound], max_rounds=2)
    assert reasons(trajectory) == ["too_easy", "infrastructure", "accepted"]


def test_a_lost_attempt_is_unknown_and_never_a_wrong_answer(scripted):
    trajectory, _, _ = run(scripted, scripted.fated("q", weak="0x00", strong="1x11"))
    assert reasons(trajectory) == ["accepted"]
    lost = [r for r in trajectory.rounds[0].rollouts if r.error]
    assert [(r.solver, r.index, r.answer, r.finish_reason) for r in lost] == [
        ("weak_solver", 1, "", ""),
        ("strong_solver", 1, "", ""),
    ]
    assert all(r.verdict.undecided and "no answer today" in r.error for r in lost)


def test_a_round_that_lost_attempts_decide_is_infrastructure(scripted):
    plays = [scripted.fated("first", strong="1x1x"), scripted.fated("second")]
    trajectory, _, _ = run(scripted, plays)
    assert reasons(trajectory) == ["infrastructure", "accepted"]
    assert "no answer today" in trajectory.rounds[0].decision.feedback


def test_a_document_is_given_up_after_three_lost_rounds_in_a_row(scripted):
    trajectory, roles, _ = run(scripted, "", max_rounds=5)
    assert reasons(trajectory) == ["infrastructure"] * 3
    assert (trajectory.status, trajectory.accepted) == ("failed", ())
    assert "returned an empty answer" in trajectory.note
    assert len(scripted.calls(roles, "challenger")) == 9


def test_lost_rounds_that_are_not_in_a_row_do_not_give_the_document_up(scripted):
    lost = [""] * 3
    plays = []
    for i in range(4):
        plays += [*lost, scripted.fated(f"number {i}", weak="11")]
    trajectory, _, _ = run(scripted, plays, max_rounds=4)
    assert reasons(trajectory) == ["infrastructure", "too_easy"] * 4
    assert trajectory.status == "done"


def test_a_budget_stops_the_loop_and_hands_over_the_rounds_so_far(scripted):
    # A round costs 1 call of the challenger, 1 of the quality verifier, 2 of the weak solver.
    with pytest.raises(StopRun) as stopped:
        run(scripted, lambda c: scripted.fated(f"{c.seed:x}", weak="11"), limits=Limits(max_calls=10), max_rounds=9)
    assert isinstance(stopped.value.cause, BudgetExceeded)
    assert str(stopped.value) == "the limit of 10 model calls is reached"
    partial = stopped.value.partial
    assert (partial.document_id, partial.status, reasons(partial)) == ("d", "stopped", ["too_easy"] * 2)
    assert partial.note == "the limit of 10 model calls is reached"


def test_a_model_that_never_answered_stops_the_run_at_its_first_failure(scripted):
    with pytest.raises(StopRun) as stopped:
        run(scripted, DOWN)
    assert isinstance(stopped.value.cause, ProviderError)
    assert "role 'challenger': scripted/challenger did not answer: " in str(stopped.value)


def test_four_failures_in_a_row_stop_the_run(scripted):
    with pytest.raises(StopRun) as stopped:
        run(scripted, [scripted.fated("first", weak="11"), DOWN], max_rounds=9)
    assert "scripted/challenger failed 4 times in a row" in str(stopped.value)
    assert reasons(stopped.value.partial) == ["too_easy", "infrastructure"]


def test_a_missing_weights_file_is_the_users_to_mend_and_stops_the_run(scripted):
    with pytest.raises(StopRun) as stopped:
        run(scripted, ConfigError("weights not found"))
    assert isinstance(stopped.value.cause, ConfigError)


def test_outside_a_run_an_outage_gives_the_document_up_and_does_not_bar_later_calls(scripted):
    roles = scripted.fated_roles([DOWN] * 9 + [scripted.fated("q")], schema=True)
    maker = AgenticSelfInstruct(scripted.domain(), roles, max_rounds=1)
    assert maker(document=DOCUMENT).trajectory.status == "failed"
    assert reasons(maker(document=DOCUMENT).trajectory) == ["accepted"]


def test_outside_a_run_a_configuration_error_is_raised_as_such(scripted):
    roles = scripted.fated_roles([ConfigError("weights not found"), scripted.fated("q")], schema=True)
    maker = AgenticSelfInstruct(scripted.domain(), roles, max_rounds=1)
    with pytest.raises(ConfigError, match="weights not found"):
        maker(document=DOCUMENT)
    assert reasons(maker(document=DOCUMENT).trajectory) == ["accepted"]
