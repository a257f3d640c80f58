"""The student answers a probe with and without demos; its model is scripted."""

import threading

import dspy
import pytest
from dspy import lm15
from scripted import SameText, calls_of, scripted_roles, tiny_domain

from autodata_dspy.errors import ConfigError, StopRun
from autodata_dspy.metrics import make
from autodata_dspy.probes import Probe
from autodata_dspy.types import Challenge, Decision, Round, Trajectory

ROWS = [{"id": str(i), "question": f"What is {i} plus {i}?", "answer": str(2 * i), "task": "even"} for i in range(4)]
ROWS += [{"id": f"c{i}", "question": f"Name colour {i}.", "answer": f"red{i}", "task": "colour"} for i in range(4)]
PROBE = Probe.of(ROWS)
ANSWERS = {row["question"]: row["answer"] for row in ROWS}
SUMS = [Challenge(f"What is {i} plus {i + 1}?", str(2 * i + 1)) for i in range(10, 16)]


def knows(call):
    """Adds numbers once it has seen a demo of it; knows no colours."""
    question = call.inputs["question"]
    seen = "\nWhat is 1" in call.prompt.replace(question, "")
    return {"answer": ANSWERS[question] if seen and "plus" in question else "none"}


def uplift(script=knows, **options):
    options = {"probe": PROBE, "domain": tiny_domain(), "k": 2, "roles": scripted_roles(student=script)} | options
    return make("student_uplift", **options)


def test_demos_that_help_are_worth_more_than_half():
    metric = uplift()
    score = metric(None, SUMS)
    assert score.score == pytest.approx(0.5 + 0.5 / 2)  # sums are right with demos: 4 of 8 items more
    assert score.objective_scores["with_demos"] == 0.5
    assert "With 2 demos the student scores 0.50 on 8 real questions, without 0.00: +0.50 [" in score.feedback
    assert "still fails at task=colour: 0.00 right of 4" in score.feedback and "task=even" not in score.feedback


def test_every_prompt_goes_to_the_student_with_as_many_demos_as_wanted():
    metric = uplift()
    metric(None, SUMS)
    calls = calls_of(metric.roles, "student")
    assert len(calls) == 16 and {len(c.request.messages) for c in calls} == {1, 5}  # a demo is two turns
    assert all("shortest" in c.prompt or "short as you can" in c.prompt for c in calls)


def test_answers_are_remembered_by_demos_and_item():
    metric = uplift()
    metric(None, SUMS)
    metric(None, SUMS[::-1])  # the same demos
    assert len(calls_of(metric.roles, "student")) == 16
    metric(None, SUMS[:1])  # other demos; without any it is known
    assert len(calls_of(metric.roles, "student")) == 24
    metric.again(1)(None, SUMS)
    assert len(calls_of(metric.roles, "student")) == 40


def test_nearest_demos_are_like_the_question_and_fixed_ones_are_the_same_for_all():
    data = [*SUMS, *(Challenge(f"Name colour {i} of the flag.", "blue") for i in range(20, 26))]
    near, fixed = uplift(choose="nearest"), uplift(choose="fixed")
    for metric in (near, fixed):
        metric(None, data)
    shown = {
        m: [[x.text for x in c.request.messages[:-1]] for c in calls_of(m.roles, "student")[8:]] for m in (near, fixed)
    }
    asked = [c.inputs["question"] for c in calls_of(near.roles, "student")[8:]]
    assert all(
        ("plus" in question) == ("plus" in str(demos)) for question, demos in zip(asked, shown[near], strict=True)
    )
    assert len({str(demos) for demos in shown[fixed]}) == 1


def test_the_control_arm_has_as_many_other_demos():
    colours = [Challenge(f"Name colour {i} of the sky.", "blue") for i in range(3)]
    score = uplift(control=colours)(None, SUMS)
    assert score.objective_scores["over_control"] == pytest.approx(0.75)
    assert "With as many other demos it scores 0.00." in score.feedback
    rounds = [Round(i, Decision(i % 2 == 0, "accepted" if i % 2 == 0 else "too_easy"), c) for i, c in enumerate(SUMS)]
    trajectory = Trajectory("d", rounds=tuple(rounds))
    pred = dspy.Prediction(trajectory=trajectory, accepted=trajectory.accepted)
    assert uplift(control="unaccepted")(None, pred).objective_scores["over_control"] == 0.5


def test_labelled_texts_are_sorted_into_the_domains_labels():
    rows = [
        {"question": f"Which?\n\nitem {i}", "answer": answer} for i, answer in enumerate(["Up", "down", "sideways"])
    ]
    domain = tiny_domain(labels={"up": "u", "down": "d"})
    metric = uplift({"answer": "up"}, probe=Probe.of(rows), domain=domain)
    score = metric(None, [Challenge("lift", "up", label="up")])
    calls = calls_of(metric.roles, "student")
    assert len(calls) == 4  # the third label is none of the domain's
    assert {c.inputs["context"] for c in calls} == {"The answer is one of: up; down"}
    assert (
        calls[0].inputs["question"] == "item 0" and score.score == 0.5 and "'down': 0.00 right of 1" in score.feedback
    )


def test_choices_are_lettered_where_the_answer_is_a_letter():
    rows = [
        {"question": "Which?", "answer": "B", "choices": ["one", "two"]},
        {"question": "Yes?", "answer": "No", "choices": ["Yes", "No"]},
    ]
    metric = uplift({"answer": "B"}, probe=Probe.of(rows))
    metric(None, SUMS)
    asked = [c.inputs["question"] for c in calls_of(metric.roles, "student")[:2]]
    assert asked == ["Which?\nA. one\nB. two", "Yes?\n- Yes\n- No"]


def test_any_of_several_right_answers_is_right():
    probe = Probe.of([{"question": "How many?", "answer": "4", "answers": ["4", "four"]}])
    metric = uplift({"answer": "four"}, probe=probe)
    assert metric(None, SUMS).objective_scores["with_demos"] == 1.0


def test_undecided_answers_and_outages_are_left_out():
    half = uplift(lambda call: {"answer": "?" if "colour" in call.inputs["question"] else "none"})
    score = half(None, SUMS)
    assert score.score == 0.5 and "4 items are left out as undecided" in score.feedback
    assert half.scores(()).count(None) == 4 and len(calls_of(half.roles, "student")) == 16  # and not asked for again
    down = uplift(lm15.ServerError("SECRET"), probe=PROBE.subset([0, 1]))
    out = down(None, SUMS)
    assert out.undecided and "SECRET" not in out.feedback
    assert {c.inputs["question"] for c in calls_of(down.roles, "student")} == {"What is 0 plus 0?", "What is 1 plus 1?"}
    assert all(len(c.request.messages) == 1 for c in calls_of(down.roles, "student"))  # none of them with demos
    part = uplift(lambda call: {"answer": "?" if len(call.request.messages) > 1 else "none"})
    assert part(None, SUMS).undecided
    unreadable = uplift("", probe=PROBE.subset([0]))
    assert unreadable(None, SUMS).undecided
    garbled = uplift("no field at all", probe=PROBE.subset([0]))
    assert garbled(None, SUMS).objective_scores["with_demos"] == 0.0


def test_nothing_accepted_asks_nobody():
    metric = uplift()
    score = metric(None, dspy.Prediction(accepted=[]))
    assert score.score == 0.0 and calls_of(metric.roles, "student") == []


def test_items_are_asked_at_the_same_time_with_the_same_result():
    threads = set()

    def slow(call):
        threads.add(threading.get_ident())
        return knows(call)

    metric = uplift(slow, concurrency=3)
    metric.roles._given["student"].engine.sleep_s = 0.02
    assert metric(None, SUMS).score == uplift()(None, SUMS).score
    assert len(threads) > 1


def test_the_student_is_frozen_and_leaves_no_trace():
    metric = uplift()
    with dspy.context(trace=[]):
        metric(None, SUMS)
        assert dspy.settings.trace == []
    assert metric.student.predictors() == []


def test_a_judge_must_not_read_the_probe():
    class Judged(SameText):
        cost = "lm"

    domain = tiny_domain(answer_verifier=lambda roles: Judged())
    with pytest.raises(ConfigError, match="scored by a model, which would read the probe; give a verifier"):
        uplift(domain=domain)
    assert uplift(domain=domain, verifier=SameText())(None, SUMS).score == 0.75


@pytest.mark.parametrize("options", [{"k": 0}, {"concurrency": 0}, {"choose": "best"}])
def test_options_that_mean_nothing_are_refused(options):
    with pytest.raises(ConfigError, match="not"):
        uplift(**options)


def test_a_budget_stops_it():
    from autodata_dspy.errors import BudgetExceeded

    def spent(call):
        raise StopRun(BudgetExceeded("enough"))

    with pytest.raises(StopRun, match="enough"):
        uplift(spent)(None, SUMS)
