from typing import ClassVar

import dspy
import pytest

from autodata_dspy.asking import seed_for
from autodata_dspy.judging import fenced
from autodata_dspy.modules import Challenger
from autodata_dspy.types import Document

DOCUMENT = Document("d", "A lighthouse shows ships the way into the harbour.")
SEED = next(seed for seed in range(99) if seed_for("d", seed) % 4 == 1)  # four angles begin with the second
FIELDS = {"question": "Where to?", "answer": "Into the harbour."}


def test_it_writes_a_challenge_from_the_passage(scripted):
    roles = scripted.roles(challenger=FIELDS)
    said = Challenger(scripted.domain(), roles)(document=DOCUMENT, feedback="- too easy (1): make it harder")
    assert (said.challenge.question, said.challenge.answer, said.problem) == ("Where to?", "Into the harbour.", "")
    (call,) = scripted.calls(roles, "challenger")
    assert call.inputs["passage"] == fenced(DOCUMENT.text, "passage")
    assert call.inputs["feedback"] == "- too easy (1): make it harder"
    assert call.inputs["angle"] == said.angle


def test_the_request_depends_on_document_round_and_seed_alone(scripted):
    roles = scripted.roles(challenger=FIELDS)
    challenger = Challenger(scripted.domain(), roles)
    for round_index, seed in [(0, 0), (0, 0), (1, 0), (0, 1)]:
        challenger(document=DOCUMENT, round_index=round_index, seed=seed)
    seeds = [call.seed for call in scripted.calls(roles, "challenger")]
    assert seeds[0] == seeds[1] and len(set(seeds)) == 3


def test_consecutive_rounds_walk_through_all_angles(scripted):
    roles = scripted.roles(challenger=FIELDS)
    challenger = Challenger(scripted.domain(), roles)
    angles = [challenger(document=DOCUMENT, round_index=i, seed=4).angle for i in range(6)]
    assert sorted(angles[:3]) == ["a", "b", "c"] and angles[3:] == angles[:3]


@pytest.mark.parametrize(
    ("known", "angles"),
    [
        ({}, "bcdabc"),
        ({"b": 1}, "cdabcd"),
        ({"a": 3, "b": 3, "c": 3}, "ddbcab"),  # twice at once, and then after the others have had as many turns
        ({"a": 1, "b": 2, "c": 1, "d": 1}, "cdabcd"),
        ({"elsewhere": 5}, "bcdabc"),
    ],
)
def test_angles_of_which_there_are_few_examples_come_first(scripted, known, angles):
    challenger = Challenger(scripted.domain(angles=("a", "b", "c", "d")), scripted.roles(challenger=FIELDS))
    asked = [challenger(document=DOCUMENT, round_index=i, seed=SEED, known=known).angle for i in range(6)]
    assert "".join(asked) == angles


def test_few_angles_are_walked_through_whatever_there_is(scripted):
    challenger = Challenger(scripted.domain(angles=("a", "b")), scripted.roles(challenger=FIELDS))
    asked = [challenger(document=DOCUMENT, round_index=i, known={"a": 9}).angle for i in range(4)]
    assert sorted(asked[:2]) == sorted(asked[2:]) == ["a", "b"]


def test_an_angle_with_numbers_gets_other_ones_each_round_and_the_same_in_a_rerun(scripted):
    angle = "use {numbers}: {one} and {other}0 of {what}"
    challenger = Challenger(scripted.domain(angles=(angle,)), scripted.roles(challenger=FIELDS))

    def angles():
        return [challenger(document=DOCUMENT, round_index=i).angle for i in range(8)]

    assert len(set(angles())) > 4 and angles() == angles()
    for angle in angles():
        one, other = map(int, angle.removeprefix("use ").partition(":")[0].split(" and "))
        assert one != other and {one, other} <= set(range(2, 10))
        assert angle.endswith(f": {one} and {other}0 of {{what}}")


class TestAProgramThatDoesNotRun:
    WRITTEN: ClassVar = {"question": "Find the roots of x^2 = 5.", "program": "answer = solve_poly(x**2 - 5)"}

    def challenge(self, scripted, *said):
        roles = scripted.roles(challenger=list(said))
        return Challenger("math_objects", roles)(document=DOCUMENT), scripted.calls(roles, "challenger")

    def test_is_written_once_more_for_its_question(self, scripted):
        said, calls = self.challenge(
            scripted, self.WRITTEN, {"plan": "Solve.", "program": "answer = solve(x**2 - 5, x)"}
        )
        assert (said.challenge.question, said.challenge.answer) == (self.WRITTEN["question"], "{-sqrt(5), sqrt(5)}")
        assert calls[1].inputs["question"] == self.WRITTEN["question"]
        assert "'solve_poly' is not defined" in calls[1].inputs["remark"]

    def test_twice_is_malformed(self, scripted):
        said, calls = self.challenge(scripted, self.WRITTEN, {"plan": "Solve.", "program": "answer = roots_of(x)"})
        assert said.challenge is None and "'roots_of' is not defined" in said.problem and len(calls) == 2

    def test_of_a_question_that_asks_two_things_is_not_worth_a_call(self, scripted):
        two = self.WRITTEN | {"question": "Find the roots of x^2 = 5 and compute their sum."}
        said, calls = self.challenge(scripted, two)
        assert said.challenge is None and len(calls) == 1

    def test_leaves_the_repairing_prompt_frozen(self, scripted):
        names = [name for name, _ in Challenger("math_objects", scripted.roles()).named_predictors()]
        assert names == ["write"]


def test_inputs_stand_from_constant_to_changing_so_that_prompts_share_a_prefix(scripted):
    roles = scripted.roles(challenger=FIELDS)
    challenger = Challenger(
        scripted.domain(demos=({**FIELDS, "passage": "p", "angle": "a", "feedback": "none"},)), roles
    )
    for feedback in ("none", "- too easy (1): harder"):
        challenger(document=DOCUMENT, feedback=feedback)
    first, second = (call.prompt for call in scripted.calls(roles, "challenger"))
    shared = next(i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b)
    assert first[:shared].rstrip().endswith("[[ ## feedback ## ]]")
    assert DOCUMENT.text in first[:shared]


def test_the_domains_demos_are_copied_so_that_an_optimizer_cannot_change_them(scripted):
    demo = {**FIELDS, "passage": "p", "angle": "a", "feedback": "none"}
    domain = scripted.domain(demos=(demo,))
    challenger = Challenger(domain, scripted.roles())
    challenger.write.demos[0]["question"] = "changed"
    challenger.write.demos.append({})
    assert domain.demos == (demo,) and demo["question"] == "Where to?"
    assert Challenger(domain, scripted.roles()).write.demos == [{**demo, "passage": fenced("p", "passage")}]


def test_a_cut_off_output_is_a_problem_the_challenger_can_mend(scripted):
    said = '{"question": "Where do all the sh'
    roles = scripted.roles(challenger=scripted.Said(text=said, finish="length"), schema=True)
    prediction = Challenger(scripted.domain(), roles)(document=DOCUMENT)
    assert prediction.challenge is None and "write less" in prediction.problem


def test_a_torn_last_field_is_refused_unless_a_machine_checks_what_is_built(scripted):
    torn = scripted.Said(text='{"question": "Where to?", "answer": "har', finish="length")
    roles = scripted.roles(challenger=torn, schema=True)
    prediction = Challenger(scripted.domain(), roles)(document=DOCUMENT)
    assert (prediction.challenge, prediction.problem) == (None, "the output was cut off; write less")
    checked = Challenger(scripted.domain(recheck=lambda challenges: []), roles)(document=DOCUMENT)
    assert checked.challenge.answer == "har"


def test_what_the_domain_finds_malformed_is_the_problem(scripted):
    roles = scripted.roles(challenger={"question": "", "answer": ""})
    prediction = Challenger(scripted.domain(), roles)(document=DOCUMENT)
    assert (prediction.challenge, prediction.problem) == (None, "there is no question")


def test_its_predictor_is_open_to_optimizers(scripted):
    challenger = Challenger(scripted.domain(), scripted.roles())
    assert [name for name, _ in challenger.named_predictors()] == ["write"]
    assert isinstance(challenger, dspy.Module)


def test_a_long_document_is_read_in_passages_that_depend_on_the_seed(scripted):
    text = "\n\n".join(f"Paragraph {i} " + "word " * 60 for i in range(40))
    roles = scripted.roles(challenger=FIELDS)
    challenger = Challenger(scripted.domain(), roles)
    for seed in (0, 0, 1, 2, 3):
        challenger(document=Document("long", text), seed=seed)
    passages = [call.inputs["passage"] for call in scripted.calls(roles, "challenger")]
    assert passages[0] == passages[1] and len(set(passages)) > 2
    assert all(p.splitlines()[1].startswith("| Paragraph") for p in passages)
    assert all(sum(len(line) - 2 for line in p.splitlines()[1:-1]) <= 1400 for p in passages)


def test_passages_begin_where_the_domain_finds_a_document_interesting(scripted):
    text = "\n\n".join(f"{'Formula' if i == 7 else 'Paragraph'} {i} " + "word " * 60 for i in range(40))
    roles = scripted.roles(challenger=FIELDS)
    challenger = Challenger(scripted.domain(interest=lambda block: float("Formula" in block)), roles)
    for seed in range(5):
        challenger(document=Document("long", text), seed=seed)
    assert all("\n| Formula 7" in c.inputs["passage"][:40] for c in scripted.calls(roles, "challenger"))


def test_what_was_extracted_reaches_the_challenger_by_name(scripted):
    class Write(dspy.Signature):
        """Write."""

        passage: str = dspy.InputField()
        topic: str = dspy.InputField()
        question: str = dspy.OutputField()
        answer: str = dspy.OutputField()

    roles = scripted.roles(challenger=FIELDS)
    Challenger(scripted.domain(write=Write), roles)(document=DOCUMENT, extraction={"topic": "light", "other": "x"})
    (call,) = scripted.calls(roles, "challenger")
    assert call.inputs == {"passage": fenced(DOCUMENT.text, "passage"), "topic": "light"}
