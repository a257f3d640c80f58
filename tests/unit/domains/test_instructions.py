"""The domain of everyday tasks: what the challenger's output becomes, and the whole loop with scripted models."""

import dspy
import pytest
from dspy import lm15

from autodata_dspy.domains.base import Malformed
from autodata_dspy.domains.instructions import DEMOS, PLUGIN
from autodata_dspy.generators import AgenticSelfInstruct
from autodata_dspy.seed_tasks import Instance

OUTPUTS = list(PLUGIN.write.output_fields)
FIELDS = {name: DEMOS[0][name] for name in OUTPUTS}
WRONG = "rye, spelt, wheat"


def build(**changes):
    return PLUGIN.build(dspy.Prediction(**{**FIELDS, **changes}), PLUGIN.angles[0])


# -- what the challenger wrote --------------------------------------------------------------------------------


def test_a_written_task_is_a_challenge_like_an_instance_of_a_seed_task():
    made = build()
    assert made.question == f"{FIELDS['instruction']}\n\n{FIELDS['input']}"
    assert (made.answer, made.angle, made.context) == ("wheat, spelt, rye", PLUGIN.angles[0], "")
    same = PLUGIN.from_instance(FIELDS["instruction"], Instance(FIELDS["input"], FIELDS["answer"]))
    assert (same.question, same.answer) == (made.question, made.answer)


@pytest.mark.parametrize("said", ["none", "None.", " ", "(none)", "N/A"])
def test_a_task_without_input_is_its_instruction(said):
    assert build(input=said).question == FIELDS["instruction"]


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({"instruction": " "}, "is empty; write both"),
        ({"answer": ""}, "is empty; write both"),
        ({"input": "The passage names two kinds of bread."}, "“The passage” is not seen by whoever does the task"),
        ({"instruction": "Sort the following list by size.", "input": "none"}, "“the following” and there is no input"),
        ({"instruction": "Count the words below.", "input": ""}, "“below” and there is no input"),
        ({"answer": "rye " * 101}, "the answer has 101 words"),
    ],
)
def test_unusable_output_is_malformed_with_advice(changes, advice):
    with pytest.raises(Malformed) as malformed:
        build(**changes)
    assert advice in str(malformed.value)


def test_a_task_may_point_at_the_input_it_has():
    assert build(instruction="Sort the following list by size.", input="hen, horse").question.endswith("hen, horse")
    assert build(instruction="Sort the list below by size.\nhen, horse", input="none")


@pytest.mark.parametrize("demo", DEMOS, ids=lambda demo: demo["angle"])
def test_every_demo_passes_the_domains_own_checks(demo):
    challenge = PLUGIN.build(dspy.Prediction(**{name: demo[name] for name in OUTPUTS}), "")
    for check in PLUGIN.challenge_verifiers():
        assert check.verify(challenge, context=demo["passage"]).passed


@pytest.mark.parametrize(
    ("changes", "fails"),
    [
        ({"instruction": "Sort it.", "input": "none"}, "length"),
        ({"input": "and the rye " * 60}, "length"),
        (
            {"instruction": "Ordne die Brote nach der Zeit, zu der sie fertig sind.", "input": "Das ist der Teig."},
            "language",
        ),
    ],
)
def test_free_checks_turn_down_what_solvers_should_not_be_paid_for(changes, fails):
    verdicts = [check.verify(build(**changes)) for check in PLUGIN.challenge_verifiers()]
    assert [v.verifier for v in verdicts if not v.undecided and not v.passed] == [fails]


# -- the whole loop -------------------------------------------------------------------------------------------


def judge(call):
    right = "wheat" in call.inputs["answer"].split("rye")[0]
    return {"reason": "the order", "verdict": "correct" if right else "incorrect"}


def loop(scripted, **changes):
    scripts = {
        "challenger": FIELDS,
        "quality_verifier": {"wants": "loaves in order", "verdict": "usable"},
        "weak_solver": {"answer": WRONG},
        "strong_solver": {"reasoning": "4:35, 5:15, 5:20", "answer": "First wheat, then spelt, then rye."},
        "judge": judge,
    }
    roles = scripted.roles(**{**scripts, **changes}, schema=True)
    maker = AgenticSelfInstruct(PLUGIN, roles, max_rounds=1, per_document=1)
    return maker(document=PLUGIN.documents()[0]).trajectory.rounds[0], roles


def test_a_task_that_only_thought_solves_is_accepted(scripted):
    round_, roles = loop(scripted)
    assert round_.decision.accepted
    assert set(round_.scores("weak_solver")) == {0.0} and round_.scores("strong_solver") == [1.0, 1.0]
    assert len(scripted.calls(roles, "judge")) == len(round_.rollouts)
    assert round_.rollouts[-1].reasoning == "4:35, 5:15, 5:20"
    for role in ("weak_solver", "strong_solver"):
        for call in scripted.calls(roles, role):
            assert FIELDS["answer"] not in call.prompt and "oven" not in call.prompt  # reference answer, document


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"weak_solver": {"answer": FIELDS["answer"]}}, "too_easy"),
        ({"strong_solver": {"reasoning": "r", "answer": WRONG}}, "failed_on_strong"),
        ({"judge": lambda call: lm15.ServerError("down")}, "infrastructure"),
        ({"judge": lambda call: "well"}, "undecided"),
        ({"weak_solver": lambda call: lm15.ServerError("down")}, "infrastructure"),
        ({"challenger": {**FIELDS, "answer": ""}}, "malformed"),
        ({"quality_verifier": {"wants": "a text", "verdict": "no single result"}}, "failed_check"),
    ],
)
def test_every_other_outcome_has_its_reason(scripted, changes, reason):
    round_, _ = loop(scripted, **changes)
    assert (round_.decision.accepted, round_.decision.reason) == (False, reason)


def test_it_says_that_a_judge_stands_behind_it():
    assert (PLUGIN.verified, PLUGIN.recheck, PLUGIN.probe) == ("judged", None, "")
