"""What each ablation does to the loop; that all of them run in every domain is in tests/contract/test_ablations.py."""

import dataclasses

import dspy
import pytest
from command_line import refused, run_here

from autodata_dspy import runs
from autodata_dspy.ablations import ABLATIONS, Parts, ablations, leave_out
from autodata_dspy.acceptance import PRESETS, ExactCounts, FullSample, Thresholds
from autodata_dspy.config import RunConfig
from autodata_dspy.domains.base import Malformed
from autodata_dspy.errors import ConfigError, StoreError
from autodata_dspy.generation import fingerprint, generate
from autodata_dspy.generators import AgenticSelfInstruct
from autodata_dspy.modules import Learner
from autodata_dspy.report.narrative import outcome, story
from autodata_dspy.types import Challenge, Decision, Document, Trajectory

DOCUMENT = Document("d", "A lighthouse shows ships the way into the harbour.")


def run(scripted, challenger, without, domain=None, **options):
    """→ (trajectory, roles)."""
    judge = options.pop("judge", {"reason": "r", "verdict": "incorrect"})
    review = options.pop("review", {"verdict": "sound"})
    roles = scripted.roles(
        challenger=challenger,
        quality_verifier=review,
        weak_solver=scripted.solver("weak_solver"),
        strong_solver=scripted.solver("strong_solver"),
        judge=judge,
        schema=True,
    )
    maker = AgenticSelfInstruct(
        domain or scripted.domain(), roles, without=without, **({"max_rounds": 1, "per_document": 1} | options)
    )
    return maker(document=DOCUMENT).trajectory, roles


def reasons(trajectory):
    return [r.decision.reason for r in trajectory.rounds]


def prompts(scripted, roles):
    return [call.prompt for call in scripted.calls(roles, "challenger")]


# -- feedback -------------------------------------------------------------------------------------------------

FAILURES = ["too easy", "failed on strong", "failed the check", "make it harder", "forbidden"]


def failing(scripted):
    return [
        scripted.fated("one two three four", weak="1111"),
        scripted.fated("numbers below: 5 6 7", strong="0000"),
        scripted.fated("forbidden apples"),
        scripted.fated("QUITE DIFFERENT, IS IT NOT", weak="11"),
    ]


def test_without_feedback_the_challenger_never_reads_of_a_failure(scripted):
    trajectory, roles = run(scripted, failing(scripted), "feedback", max_rounds=4)
    assert reasons(trajectory) == ["too_easy", "failed_on_strong", "failed_check", "too_easy"]
    assert len(prompts(scripted, roles)) == 4
    assert not [word for text in prompts(scripted, roles) for word in FAILURES if word in text]
    _, told = run(scripted, failing(scripted), (), max_rounds=4)
    assert all(word in prompts(scripted, told)[-1] for word in FAILURES)


@pytest.mark.parametrize(("without", "label"), [((), "told to the challenger"), ("feedback", "why"), ("loop", "why")])
def test_a_story_does_not_say_that_the_challenger_was_told(scripted, without, label):
    trajectory, _ = run(scripted, scripted.fated("forbidden"), without)
    assert list(story(trajectory))[-1] == f"  {label}: the question is forbidden"


def test_without_feedback_rounds_still_know_each_other(scripted):
    same = scripted.fated("What is a lighthouse?", weak="1111")
    assert reasons(run(scripted, same, "feedback", max_rounds=2)[0]) == ["too_easy", "duplicate"]


@pytest.mark.parametrize(("without", "n_calls"), [((), 2), ("feedback", 1), ("loop", 1), ("gap", 2)])
def test_a_program_that_does_not_run_is_repaired_only_where_failures_are_told(scripted, without, n_calls):
    class Solve(dspy.Signature):
        """Write the program."""

        context: str = dspy.InputField()
        question: str = dspy.InputField()
        remark: str = dspy.InputField()
        program: str = dspy.OutputField()

    def build(prediction, angle):
        raise Malformed("the program does not run: BROKEN", "a question")

    tiny = scripted.domain()
    mode = dataclasses.replace(tiny.solving["steps"], signature=Solve)
    domain = scripted.domain(build=build, solving={**tiny.solving, "program": mode}, repair_mode="program")
    said = {"question": "q", "answer": "a", "program": "p"}
    trajectory, roles = run(scripted, lambda call: said, without, domain)
    assert reasons(trajectory) == ["malformed"]
    assert len(prompts(scripted, roles)) == n_calls
    assert ("BROKEN" in prompts(scripted, roles)[-1]) is (n_calls == 2)


# -- loop -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [{"weak": "1111"}, {"strong": "0000"}, None])
def test_without_the_loop_a_draft_does_not_depend_on_what_came_before(scripted, first):
    opening = "no fields at all" if first is None else scripted.fated("What is a lighthouse?", **first)
    plays = [opening, scripted.fated("What is a lighthouse?", weak="11")]
    trajectory, roles = run(scripted, plays, "loop", max_rounds=2)
    other, others = run(scripted, [scripted.fated("forbidden"), plays[1]], "loop", max_rounds=2)
    assert reasons(trajectory)[1] == reasons(other)[1] == "too_easy"  # not a duplicate
    assert trajectory.rounds[1] == other.rounds[1]
    assert prompts(scripted, roles)[1] == prompts(scripted, others)[1]
    seeds = [[call.seed for call in scripted.calls(each, "challenger")] for each in (roles, others)]
    assert seeds[0] == seeds[1] and len(set(seeds[0])) == 2


def test_without_the_loop_a_document_gets_as_many_drafts_and_ends_with_as_many_examples(scripted):
    easy, roles = run(scripted, lambda call: scripted.fated(f"{call.seed:x}", weak="11"), "loop", max_rounds=3)
    assert reasons(easy) == ["too_easy"] * 3
    angles = [call.inputs["angle"] for call in scripted.calls(roles, "challenger")]
    assert sorted(angles) == ["a", "b", "c"]
    plays = lambda call: scripted.fated(f"{call.seed:x}")  # noqa: E731
    good, _ = run(scripted, plays, "loop", max_rounds=9, per_document=2)
    assert reasons(good) == ["accepted", "accepted"]
    assert [r.index for r in good.rounds] == [0, 1]


def test_without_the_loop_the_last_word_hears_of_no_earlier_round(scripted):
    heard = []

    def last_word(domain, roles):
        def decide(*, challenge, weak, strong, earlier, seed):
            heard.append(len(earlier))
            return dspy.Prediction(decision=Decision(False, "improve", "another"), verdicts=())

        return decide

    domain = scripted.domain(last_word=last_word)
    for without in ((), "loop"):
        run(scripted, lambda call: scripted.fated(f"{call.seed:x}"), without, domain, max_rounds=2)
    assert heard == [0, 1, 0, 0]


# -- verifiers ------------------------------------------------------------------------------------------------


def test_without_verifiers_nothing_is_screened(scripted):
    forbidden = scripted.fated("forbidden")
    trajectory, roles = run(
        scripted, forbidden, "verifiers", max_rounds=2, per_document=2, review={"verdict": "ambiguous"}
    )
    assert reasons(trajectory) == ["accepted", "accepted"]  # the same question twice
    assert [r.verdicts for r in trajectory.rounds] == [(), ()]
    assert scripted.calls(roles, "quality_verifier") == []


@pytest.mark.parametrize(("without", "n_rows"), [((), 0), ("verifiers", 1)])
def test_the_audit_at_the_end_of_a_run_does_not_bring_the_verifiers_back(scripted, without, n_rows):
    roles = scripted.fated_roles(scripted.fated("forbidden"), schema=True)
    maker = AgenticSelfInstruct(scripted.domain(), roles, max_rounds=1, without=without)
    result = generate(maker, [DOCUMENT])
    assert (len(result.accepted), result.removed) == (n_rows, ())


# -- gap ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("strong", "reason"), [("1110", "accepted"), ("0110", "failed_on_strong")])
def test_without_the_gap_the_weak_solver_is_not_asked_and_the_strong_one_confirms(scripted, strong, reason):
    trajectory, roles = run(scripted, scripted.fated("q", weak="1111", strong=strong), "gap")
    assert reasons(trajectory) == [reason]
    assert scripted.calls(roles, "weak_solver") == []
    assert {r.solver for r in trajectory.rounds[0].rollouts} == {"strong_solver"}


def test_without_the_gap_nobody_has_the_last_word(scripted):
    def last_word(domain, roles):
        raise AssertionError("it should not be built")

    trajectory, _ = run(scripted, scripted.fated("q"), "gap", scripted.domain(last_word=last_word))
    assert reasons(trajectory) == ["accepted"]


@pytest.mark.parametrize(
    ("rule", "alone"),
    [
        (ExactCounts(4, 1, 5, 3), ExactCounts(0, 0, 5, 3)),
        (PRESETS["paper-prose"], Thresholds(n_weak=0, strong_min=0.65)),
        (PRESETS["paper-deployed"], Thresholds(n_weak=0, strong_min=0.60)),  # 1.0 is not too good any more
        (Thresholds(n_weak=2, n_strong=2, gap=0.1), FullSample(0, 2)),
        (FullSample(5, 3), FullSample(0, 3)),
    ],
)
def test_of_a_rule_the_least_success_of_the_strong_solver_is_left(scripted, rule, alone):
    assert leave_out(Parts(scripted.domain(), rule), ["gap"]).acceptance == alone
    assert alone.weak([]) is True
    assert alone.strong([], [1.0] * alone.n_strong) is True


@pytest.mark.parametrize(("strong", "reason"), [("000", "accepted"), ("???", "undecided")])
def test_a_rule_without_a_bound_only_wants_scores(scripted, strong, reason):
    trajectory, _ = run(
        scripted, scripted.fated("q", strong=strong), "gap", acceptance=Thresholds(n_weak=2, n_strong=3)
    )
    assert reasons(trajectory) == [reason]
    assert len(trajectory.rounds[0].rollouts) == 3


def test_a_rule_that_cannot_be_split_is_refused_in_one_line(scripted):
    class Whole:
        n_weak = n_strong = 1

    with pytest.raises(ConfigError, match="without 'gap': the acceptance rule Whole has no method strong_alone"):
        AgenticSelfInstruct(scripted.domain(), acceptance=Whole(), without="gap")


# -- answer_verifier ------------------------------------------------------------------------------------------


def test_without_the_answer_verifier_a_judge_compares_with_the_reference(scripted):
    def judge(call):
        answer, reference = call.inputs["answer"], call.inputs["reference"]
        return {"reason": "r", "verdict": "correct" if "wrong" in answer and reference else "incorrect"}

    trajectory, roles = run(scripted, scripted.fated("q", weak="0011"), "answer_verifier", judge=judge)
    (round_,) = trajectory.rounds
    assert round_.decision.reason == "too_easy"  # the judge likes wrong answers
    assert {r.verdict.verifier for r in round_.rollouts} == {"answer_judge"}
    (first, *_) = scripted.calls(roles, "judge")
    assert scripted.fated("q")["answer"] in first.inputs["reference"]


def test_what_is_accepted_without_the_answer_verifier_is_judged(scripted):
    roles = scripted.fated_roles(scripted.fated("q"), schema=True)
    roles = type(roles)(**roles._given, judge=scripted.lm({"reason": "r", "verdict": "incorrect"}, schema=True))
    result = generate(
        AgenticSelfInstruct(scripted.domain(), roles, max_rounds=1, without="answer_verifier"), [DOCUMENT]
    )
    assert [row["verified"] for row in result.accepted] == ["judged"]


def test_checks_that_run_the_program_of_a_challenge_go_with_the_answer_verifier(scripted):
    class Runs:
        name = "program_answer"

    class Reads:
        name = "leakage"

    parts = Parts(scripted.domain(challenge_verifiers=lambda: (Runs(), Reads())), ExactCounts())
    left = leave_out(parts, ["answer_verifier"]).domain
    assert [check.name for check in left.challenge_verifiers()] == ["leakage"]
    assert left.reference(Challenge("q", "a", "program")) == "a"


# -- names, configuration, and where it is told ---------------------------------------------------------------


def test_names_come_once_in_a_fixed_order_and_one_may_stand_alone():
    assert ablations(["loop", "feedback", "loop"]) == ("feedback", "loop")
    assert ablations("gap") == ("gap",)
    assert ablations(()) == ()


def test_an_unknown_part_is_refused_with_the_nearest_name(scripted):
    with pytest.raises(ConfigError, match=r"unknown part to leave out 'verifier'; did you mean 'verifiers'\? avail"):
        AgenticSelfInstruct(scripted.domain(), without=["verifier"])


def test_every_ablation_says_what_takes_the_place():
    assert all(function.__doc__ for function in ABLATIONS.values())


def test_what_was_left_out_belongs_to_the_mark_of_a_run(scripted, tmp_path):
    def make(*without):
        domain = scripted.domain(learner=Learner)
        return AgenticSelfInstruct(domain, scripted.fated_roles("unusable"), max_rounds=1, without=without)

    marks = [fingerprint(make(*names), [DOCUMENT], 0) for names in ((), *((name,) for name in ABLATIONS))]
    assert len(set(marks)) == 1 + len(ABLATIONS)
    assert fingerprint(make("loop", "gap"), [DOCUMENT], 0) == fingerprint(make("gap", "loop"), [DOCUMENT], 0)
    generate(make("loop"), [DOCUMENT], run_dir=tmp_path)
    with pytest.raises(StoreError, match="belongs to another configuration"):
        generate(make(), [DOCUMENT], run_dir=tmp_path)


def test_a_document_that_breaks_the_generator_is_marked_too(scripted):
    def build(prediction, angle):
        raise ZeroDivisionError("broken")

    maker = AgenticSelfInstruct(
        scripted.domain(build=build), scripted.fated_roles(scripted.fated("q")), without=("loop", "feedback")
    )
    (trajectory,) = generate(maker, [DOCUMENT]).trajectories
    assert (trajectory.status, trajectory.without) == ("failed", ("feedback", "loop"))
    assert "without feedback, loop [failed" in outcome(trajectory)
    assert "without" not in outcome(Trajectory("d"))


def test_a_configuration_names_what_to_leave_out(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text('without = ["loop", "gap"]\n')
    assert RunConfig.read(file).without == ("loop", "gap")
    assert RunConfig.read(file, without=["feedback"]).without == ("feedback",)
    assert runs.build_maker(RunConfig(without=("loop",))).without == ("loop",)
    file.write_text('without = "loop"\n')
    with pytest.raises(ConfigError, match="setting 'without'"):
        RunConfig.read(file)


def test_a_program_with_nothing_to_leave_out_is_refused():
    with pytest.raises(ConfigError, match="'without': the program 'self_instruct' does not take it"):
        runs.build_maker(RunConfig(program="self_instruct", without=("gap",)))


def test_the_command_line_leaves_parts_out_and_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused("generate", "--without", "feedbak", says="did you mean 'feedback'?")
    (tmp_path / "text.txt").write_text("A passage on fractions. " * 20)
    options = ["--without", "loop", "--without", "gap", "--documents", "text.txt", "--run-dir", "run"]
    # There is no server at this address: the run stops at its first call, and its folder is there.
    server = ["--lm", "all=openai/none", "--lm", "all.api_base=http://127.0.0.1:9/v1", "--lm", "all.num_retries=0"]
    run_here("generate", *options, *server)
    status = run_here("status", "run")
    assert status.code == 0 and "left out: gap, loop" in status.out
    shown = run_here("show", "run")
    assert "without gap, loop" in shown.out


def test_what_stands_behind_an_example_is_told_for_the_run_as_it_was():
    assert runs.verified(RunConfig()) == "checked"
    assert runs.verified(RunConfig(without=("answer_verifier",))) == "judged"
    assert runs.verified(RunConfig(program="cot_self_instruct")) == "judged"
    assert runs.verified(RunConfig(program="self_instruct")) == "none"
