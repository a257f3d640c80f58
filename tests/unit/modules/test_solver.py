import dspy
import pytest
from dspy import lm15

from autodata_dspy.domains.base import Malformed, SolvingMode
from autodata_dspy.errors import ConfigError, VerifierError
from autodata_dspy.modules import Solver
from autodata_dspy.types import Challenge, Verdict
from autodata_dspy.verifiers.answer_judge import AnswerJudge

CHALLENGE = Challenge("Where to?", "harbour", program="secret()", context="It is night.")


def attempt(scripted, script, strength="weak", challenge=CHALLENGE, domain=None, **options):
    """→ (rollout, requests)."""
    roles = scripted.roles(**{f"{strength}_solver": script}, schema=True)
    rollout = Solver(domain or scripted.domain(), strength, roles, **options)(challenge=challenge).rollout
    return rollout, scripted.calls(roles, f"{strength}_solver")


def test_a_right_answer_scores_one(scripted):
    rollout, (call,) = attempt(scripted, {"answer": "harbour"})
    assert (rollout.solver, rollout.index, rollout.answer) == ("weak_solver", 0, "harbour")
    assert (rollout.verdict.score, rollout.finish_reason, rollout.error) == (1.0, "stop", "")
    assert call.inputs == {"context": "It is night.", "question": "Where to?"}


def test_a_wrong_answer_scores_zero_and_an_undecided_one_has_no_score(scripted):
    assert attempt(scripted, {"answer": "home"})[0].verdict.score == 0.0
    assert attempt(scripted, {"answer": "?"})[0].verdict.score is None


def test_an_answer_field_that_was_left_empty_is_wrong_even_where_a_verifier_could_not_say(scripted):
    rollout, calls = attempt(scripted, {"reasoning": "hm", "answer": " "}, "strong")
    assert (rollout.verdict.score, rollout.verdict.feedback, len(calls)) == (0.0, "the answer is empty", 1)


def test_without_context_the_solver_reads_none(scripted):
    _, (call,) = attempt(scripted, {"answer": "home"}, challenge=Challenge("Where to?", "harbour"))
    assert call.inputs["context"] == "none"


def test_weak_and_strong_work_in_the_domains_modes(scripted):
    weak, _ = attempt(scripted, {"answer": "harbour"})
    strong, _ = attempt(scripted, {"reasoning": "step 1", "answer": "harbour"}, "strong")
    assert (weak.reasoning, strong.reasoning) == ("", "step 1")
    swapped, _ = attempt(scripted, {"answer": "harbour"}, "strong", mode="direct")
    assert (swapped.solver, swapped.reasoning) == ("strong_solver", "")


def test_an_unknown_mode_is_refused_with_the_nearest_name(scripted):
    with pytest.raises(ConfigError, match="unknown solving mode 'step'; did you mean 'steps'"):
        Solver(scripted.domain(), "weak", scripted.roles(), mode="step")


def test_a_truncated_answer_that_can_be_read_is_recorded_as_cut_off(scripted):
    rollout, _ = attempt(scripted, scripted.Said({"answer": "harb"}, finish="length"))
    assert (rollout.answer, rollout.verdict.score, rollout.finish_reason) == ("harb", 0.0, "length")


def test_a_truncated_answer_that_cannot_be_read_is_wrong_and_recorded_as_cut_off(scripted):
    cut = scripted.Said(text='{"reasoning": "first, ' + "so " * 300, finish="length")
    rollout, calls = attempt(scripted, cut, "strong")
    assert (rollout.verdict.score, rollout.finish_reason, rollout.error) == (0.0, "length", "")
    assert rollout.reasoning.endswith("so so ") and len(rollout.reasoning) == 500
    assert len(calls) == 1


def test_a_judge_neither_hides_that_an_answer_was_cut_off_nor_its_own_outage(scripted):
    for judge, outage in (({"reason": "r", "verdict": "incorrect"}, ""), (lm15.ServerError("down"), "down")):
        roles = scripted.roles(weak_solver=scripted.Said({"answer": "harb"}, finish="length"), judge=judge, schema=True)
        rollout = Solver(scripted.domain(answer_verifier=AnswerJudge), "weak", roles)(challenge=CHALLENGE).rollout
        assert (rollout.finish_reason, rollout.error) == ("length", "")
        assert outage in rollout.outage and bool(rollout.outage) is rollout.verdict.undecided is bool(outage)


def test_a_model_that_thinks_to_its_last_token_is_an_outage_that_says_what_to_change(scripted):
    rollout, calls = attempt(scripted, scripted.Said(text="", finish="length"))
    assert rollout.verdict.undecided and len(calls) == 3
    assert rollout.error.endswith("used up its tokens before it answered; raise its max_tokens")


def test_an_answer_the_domain_finds_malformed_is_wrong(scripted):
    def refuse(prediction):
        raise Malformed("the program does not run")

    domain = scripted.domain()
    mode = SolvingMode(domain.solving["direct"].signature, refuse, {})
    rollout, _ = attempt(scripted, {"answer": "x"}, domain=scripted.domain(solving={"direct": mode}))
    assert (rollout.verdict.score, rollout.verdict.feedback) == (0.0, "the program does not run")


class WithRemark(dspy.Signature):
    """Answer with a program."""

    context: str = dspy.InputField()
    question: str = dspy.InputField()
    remark: str = dspy.InputField()
    program: str = dspy.OutputField()


def run_program(prediction):
    if prediction.program != "harbour":
        raise Malformed(f"{prediction.program} does not run")
    return prediction.program


@pytest.mark.parametrize(
    ("programs", "score", "work", "remarks"),
    [
        (["harbour"], 1.0, "harbour", ["none"]),
        (["typo", "harbour"], 1.0, "harbour", ["none", "typo does not run"]),
        (["typo", "worse"], 0.0, "worse", ["none", "typo does not run"]),
    ],
)
def test_a_mode_that_takes_a_remark_is_told_once_what_was_wrong(scripted, programs, score, work, remarks):
    domain = scripted.domain(solving={"direct": SolvingMode(WithRemark, run_program, {})})
    rollout, calls = attempt(scripted, [{"program": p} for p in programs], domain=domain)
    assert (rollout.verdict.score, rollout.reasoning) == (score, work)
    assert [call.inputs["remark"] for call in calls] == remarks
    assert len({call.seed for call in calls}) == len(calls)


def test_an_answer_that_could_not_be_worked_out_is_undecided(scripted):
    def give_up(prediction):
        raise VerifierError("ran out of time")

    mode = SolvingMode(scripted.domain().solving["direct"].signature, give_up, {})
    rollout, _ = attempt(scripted, {"answer": "x"}, domain=scripted.domain(solving={"direct": mode}))
    assert (rollout.verdict.score, rollout.verdict.feedback) == (None, "ran out of time")


def test_another_verifier_can_be_given(scripted):
    class Always:
        def verify(self, subject, reference="", context=""):
            assert (subject, reference, context) == ("x", "harbour", "Where to?")
            return Verdict.of(True, verifier="always")

    rollout, _ = attempt(scripted, {"answer": "x"}, verifier=Always())
    assert rollout.verdict == Verdict(1.0, "", {}, "always")


def test_attempts_and_seeds_give_different_samples_and_the_same_ones_the_same(scripted):
    roles = scripted.roles(weak_solver={"answer": "x"}, schema=True)
    solver = Solver(scripted.domain(), "weak", roles)
    for attempt_index, seed in [(0, 0), (1, 0), (0, 1), (0, 0)]:
        assert solver(challenge=CHALLENGE, attempt=attempt_index, seed=seed).rollout.index == attempt_index
    seeds = [call.seed for call in scripted.calls(roles, "weak_solver")]
    assert seeds[0] == seeds[3] and len(set(seeds)) == 3


def test_it_is_frozen(scripted):
    solver = Solver(scripted.domain(), "strong", scripted.roles())

    class Outer(dspy.Module):
        def __init__(self):
            super().__init__()
            self.solver = solver

    assert Outer().named_predictors() == [] and Outer().dump_state() == {}
