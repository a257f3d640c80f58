"""Every branch of CoT-Self-Instruct with scripted models: in checked, labelled and judged domains, grounded and not.

A question "… strong=11ab" tells the solver what to say in its attempt number i: 1 the stated answer, ? something that
cannot be decided, - nothing, x an outage, any other letter itself.
"""

import re
from pathlib import Path

import dspy
import pytest
import scripted as s
from dspy import lm15
from hypothesis import given, settings
from hypothesis import strategies as st

from autodata_dspy import registry
from autodata_dspy.domains.legal_labels import for_task
from autodata_dspy.errors import BudgetExceeded, ConfigError, StopRun
from autodata_dspy.events import listening
from autodata_dspy.filters import Filtering
from autodata_dspy.generators import CoTSelfInstruct
from autodata_dspy.generators.cot_self_instruct import WriteTask, WriteTaskFromPassage
from autodata_dspy.labelled_task import LabelledTask
from autodata_dspy.seed_tasks import Instance, SeedTask, read_seed_tasks
from autodata_dspy.types import Criterion, Document, Rubric
from autodata_dspy.verifiers.answer_judge import AnswerJudge
from autodata_dspy.verifiers.rubric_judge import RubricJudge

SLOT = Document("slot-00001", "")
TEXT = Document("d", "A lighthouse shows ships the way into the harbour.")
STATED = "b4"


def task(letters, name="What comes after b3?"):
    return {"plan": "Both ask for one fact.", "question": f"{name} strong={letters}", "answer": STATED}


def solver(call):
    letter = s.fate(call, "strong_solver")
    if letter == "x":
        return lm15.ServerError("no answer today")
    return {"reasoning": "because", "answer": {"1": STATED, "-": ""}.get(letter, letter)}


def run(challenger, document=SLOT, domain=None, judge=None, solver=solver, seed=0, **options):
    """→ (trajectory, roles)."""
    roles = s.scripted_roles(challenger=challenger, strong_solver=solver, judge=judge or {}, schema=True)
    maker = CoTSelfInstruct(domain or s.tiny_domain(), roles, **options)
    return maker(document=document, seed=seed).trajectory, roles


def reasons(trajectory):
    return [r.decision.reason for r in trajectory.rounds]


# -- a checked domain: answer consistency -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letters", "reason", "n_rollouts"),
    [
        ("1111", "accepted", 2),  # certain after two
        ("1a1b", "accepted", 3),
        ("1aab", "filtered", 4),
        ("aaaa", "filtered", 3),
        ("1--a", "accepted", 3),
        ("????", "undecided", 4),
        ("xxxx", "infrastructure", 4),
        ("1xaa", "infrastructure", 4),
        ("x111", "accepted", 3),
    ],
)
def test_the_solvers_answers_decide(letters, reason, n_rollouts):
    trajectory, _ = run(task(letters))
    round_ = trajectory.rounds[0]
    assert (round_.decision.reason, len(round_.rollouts)) == (reason, n_rollouts)
    assert round_.decision.accepted is (reason == "accepted")
    [verdict] = round_.verdicts
    assert verdict.verifier == "answer_consistency" and verdict.evidence["rollouts"] == n_rollouts
    assert verdict.score == {"accepted": 1.0, "filtered": 0.0}.get(reason)
    assert (round_.challenge.question, round_.challenge.answer) == (task(letters)["question"], STATED)


def test_one_attempt_a_document_of_one_call_of_the_challenger_and_nothing_of_the_judge():
    trajectory, roles = run(task("aaaa"))
    assert trajectory.status == "done" and trajectory.accepted == () and reasons(trajectory) == ["filtered"]
    assert {role: len(s.calls_of(roles, role)) for role in roles._given} == {
        "challenger": 1,
        "strong_solver": 3,
        "judge": 0,
    }
    assert "3 the same other one" in trajectory.rounds[0].decision.feedback


def test_output_without_the_fields_is_malformed_and_costs_no_further_call():
    trajectory, roles = run("I would rather talk about the weather.")
    assert reasons(trajectory) == ["malformed"] and "demanded fields" in trajectory.rounds[0].decision.feedback
    assert s.calls_of(roles, "strong_solver") == []


@pytest.mark.parametrize("missing", ["question", "answer"])
def test_a_task_without_question_or_answer_is_malformed(missing):
    trajectory, _ = run(task("1111") | {missing: " "})
    assert reasons(trajectory) == ["malformed"] and "is empty" in trajectory.rounds[0].decision.feedback


def test_an_answer_that_the_verifier_cannot_compare_is_malformed_and_no_solver_is_paid():
    seeds = [SeedTask(f"s{i}", f"What is {i}/7 + 1/7?", (Instance("", f"{i + 1}/7"),)) for i in range(2)]
    written = task("") | {"question": "What is 1/3 + 1/3?", "answer": "it depends on the mood"}
    trajectory, roles = run(written, domain="math_objects", seeds=seeds)
    assert reasons(trajectory) == ["malformed"]
    assert "'it depends on the mood' cannot be compared" in trajectory.rounds[0].decision.feedback
    assert s.calls_of(roles, "strong_solver") == []


def test_equal_answers_in_other_words_are_one_answer_in_the_eyes_of_the_verifier():
    seeds = [SeedTask(f"s{i}", f"What is {i}/7 + 1/7?", (Instance("", f"{i + 1}/7"),)) for i in range(2)]
    said = iter(["Rational(1, 2)", "Rational(2, 4)", "Rational(2, 3)", "1 - Rational(1, 2)"])
    programs = lambda call: {"plan": "add", "program": f"answer = {next(said)}"}  # noqa: E731
    written = task("") | {"question": "What is 1/3 + 1/3?", "answer": "2/3"}
    trajectory, _ = run(written, domain="math_objects", seeds=seeds, solver=programs)
    assert reasons(trajectory) == ["filtered"]
    assert trajectory.rounds[0].verdicts[0].evidence["others"] in ([2], [3])


def test_a_copy_of_a_seed_task_is_a_duplicate_and_no_solver_is_paid():
    copied = task("") | {"question": "Name the opposite of  this word.\n\nWARM", "answer": "cold"}
    trajectory, roles = run(copied)
    assert reasons(trajectory) == ["duplicate"] and s.calls_of(roles, "strong_solver") == []


def test_a_learned_demonstration_said_again_is_a_duplicate():
    said = task("1111", "One?")
    maker = CoTSelfInstruct(s.tiny_domain(), s.scripted_roles(challenger=said, schema=True))
    maker.write.demos = [{"examples": "e"} | said]
    assert reasons(maker(document=SLOT).trajectory) == ["duplicate"]


# -- attempts ----------------------------------------------------------------------------------------------------


def test_attempts_are_independent_and_end_when_enough_are_accepted():
    plays = [
        task("aaaa", "One?"),
        task("1111", "Two?"),
        task("1111", "Two?"),
        task("1111", "Three?"),
        task("11", "Four?"),
    ]
    trajectory, roles = run(plays, max_rounds=9, per_document=2)
    assert reasons(trajectory) == ["filtered", "accepted", "duplicate", "accepted"]
    assert [r.index for r in trajectory.rounds] == [0, 1, 2, 3]
    assert all(set(call.inputs) == {"examples"} for call in s.calls_of(roles, "challenger"))  # no feedback
    assert len({call.inputs["examples"] for call in s.calls_of(roles, "challenger")}) > 1
    assert len({call.seed for call in s.calls_of(roles, "challenger")}) == 4


def test_attempts_end_at_their_limit():
    trajectory, _ = run(lambda call: task("aaaa", f"{call.seed}?"), max_rounds=3)
    assert reasons(trajectory) == ["filtered"] * 3 and trajectory.status == "done"


def test_an_outage_is_no_attempt_and_three_in_a_row_end_the_document():
    trajectory, _ = run(lm15.ServerError("down"))
    assert reasons(trajectory) == ["infrastructure"] * 3 and trajectory.status == "failed" and "down" in trajectory.note
    trajectory, _ = run([lm15.ServerError("down")] * 3 + [task("1111")])  # a call is tried three times
    assert reasons(trajectory) == ["infrastructure", "accepted"] and trajectory.status == "done"


def test_a_task_whose_solver_was_out_may_be_written_again():
    def recovering(call):  # after the first four rollouts, each of which is asked for three times
        return lm15.ServerError("no answer today") if call.number <= 12 else {"reasoning": "", "answer": STATED}

    trajectory, _ = run(task("1111"), solver=recovering)
    assert reasons(trajectory) == ["infrastructure", "accepted"]


def test_a_stopped_run_keeps_what_was_finished():
    def challenger(call):
        if call.number == 2:
            raise StopRun(BudgetExceeded("no calls left"))
        return task("aaaa")

    with pytest.raises(StopRun) as stopped:
        run(challenger, max_rounds=3)
    assert stopped.value.partial.status == "stopped" and reasons(stopped.value.partial) == ["filtered"]


def test_a_listener_hears_of_every_attempt():
    heard = []
    with listening(lambda document_id, round_: heard.append((document_id, round_.decision.reason))):
        run(task("1111"))
    assert heard == [("slot-00001", "accepted")]


def test_the_same_seed_gives_the_same_trajectory_and_another_seed_another():
    def rounds(seed):
        plays = lambda call: task("", f"{call.seed:x}?")  # noqa: E731
        return run(plays, seed=seed, solver={"reasoning": "", "answer": STATED})[0].rounds

    assert rounds(1) == rounds(1) and rounds(1)[0].challenge != rounds(2)[0].challenge


@settings(max_examples=20, deadline=None)
@given(st.text("1ab?-", min_size=4, max_size=4))
def test_curtailed_sampling_decides_as_full_sampling(letters):
    found = [run(task(letters), filtering=Filtering(curtail=curtail))[0].rounds[0] for curtail in (True, False)]
    assert found[0].decision.reason == found[1].decision.reason
    assert len(found[0].rollouts) <= len(found[1].rollouts) == 4


# -- what the challenger and the solver see ------------------------------------------------------------------------


def test_the_challenger_sees_two_seed_tasks_with_their_answers():
    _, roles = run(task("1111"))
    [call] = s.calls_of(roles, "challenger")
    shown = [t for t in s.seed_tasks() if t.instruction in call.inputs["examples"]]
    assert len(shown) == 2 and all(t.instances[0].output in call.inputs["examples"] for t in shown)
    assert WriteTask.instructions.splitlines()[0] in call.prompt


def test_a_document_with_text_grounds_the_task_and_the_solver_sees_nothing_of_it():
    trajectory, roles = run(task("1111"), document=TEXT)
    [call] = s.calls_of(roles, "challenger")
    assert reasons(trajectory) == ["accepted"]
    assert list(call.inputs) == ["passage", "examples"]  # from constant to changing
    assert call.inputs["passage"].startswith("BEGIN passage") and f"| {TEXT.text}" in call.inputs["passage"]
    for call in s.calls_of(roles, "strong_solver"):
        assert set(call.inputs) == {"context", "question"}
        assert "lighthouse" not in call.prompt and STATED not in call.prompt


def test_optimizers_see_the_two_ways_to_write_and_nothing_else():
    maker = CoTSelfInstruct(s.tiny_domain(), s.scripted_roles())
    assert [name for name, _ in maker.named_predictors()] == ["write", "write_from_passage"]
    known = {WriteTask.instructions, WriteTaskFromPassage.instructions}
    for name in registry.names("domains"):
        domain = registry.load("domains", name)
        assert not known & {form.instructions for form in (domain.write, domain.review) if form is not None}
    assert len(known) == 2 and isinstance(maker, dspy.Module) and not CoTSelfInstruct.needs_documents


# -- labelled ------------------------------------------------------------------------------------------------------

LABELS = LabelledTask(
    name="notes",
    kind="a note from a ferry",
    labels={"delay": "It says that something is late.", "price": "It says what something costs."},
    examples={
        "delay": ("The noon ferry leaves an hour late.", "Fog holds the boats back until two."),
        "price": ("A seat by the window is three coins more.", "Bicycles travel for two coins."),
    },
)


@pytest.mark.parametrize(("label", "reason"), [("Delay", "accepted"), ("price", "filtered"), ("weather", "malformed")])
def test_a_labelled_text_stays_when_the_solver_gives_it_the_same_label(label, reason):
    written = {"plan": "Both are notes.", "question": "Today's last boat is not here yet.", "answer": label}
    trajectory, roles = run(written, domain=for_task(LABELS), solver={"label": "delay"})
    assert reasons(trajectory) == [reason]
    [call] = s.calls_of(roles, "challenger")
    assert call.inputs["examples"].startswith("Every answer is one of: delay, price.")
    if reason == "accepted":
        challenge = trajectory.rounds[0].challenge
        assert (challenge.question, challenge.label) == ("Today's last boat is not here yet.", "delay")
        assert trajectory.rounds[0].verdicts[0].verifier == "answer_consistency"


# -- judged --------------------------------------------------------------------------------------------------------


def judging(call):
    """The answer judge: `b` is wrong, `?` cannot be read, all else is right."""
    answer = call.inputs["answer"].splitlines()[1].removeprefix("| ")
    if answer == "?":
        return "cannot say"
    return {"reason": "compared", "verdict": "incorrect" if answer == "b" else "correct"}


@pytest.mark.parametrize(
    ("letters", "reason", "n_rollouts"),
    [("1aaa", "accepted", 4), ("ab11", "filtered", 2), ("1?11", "undecided", 4), ("11x1", "infrastructure", 4)],
)
@pytest.mark.parametrize("document", [SLOT, TEXT])
def test_without_a_machine_check_the_lowest_reward_decides(letters, reason, n_rollouts, document):
    domain = s.tiny_domain(verified="judged", answer_verifier=AnswerJudge)
    trajectory, _ = run(task(letters), document=document, domain=domain, judge=judging)
    round_ = trajectory.rounds[0]
    assert (round_.decision.reason, len(round_.rollouts)) == (reason, n_rollouts)
    [verdict] = round_.verdicts
    assert verdict.verifier == "lowest_reward" and len(verdict.evidence["rewards"]) == n_rollouts


def test_where_the_domains_judge_needs_a_rubric_the_answer_judge_speaks():
    domain = s.tiny_domain(verified="judged", answer_verifier=RubricJudge, reference=lambda challenge: challenge)
    trajectory, roles = run(task("aaaa"), domain=domain, judge=judging)
    assert reasons(trajectory) == ["accepted"]
    assert {r.verdict.verifier for r in trajectory.rounds[0].rollouts} == {"answer_judge"}
    assert STATED in s.calls_of(roles, "judge")[0].inputs["reference"]


def test_where_the_domain_gives_instances_a_rubric_its_own_judge_speaks():
    def from_instance(instruction, instance):
        rubric = Rubric((Criterion("names it", 3), Criterion("says why", 1)))
        return s.Challenge(instruction, instance.output, rubric=rubric)

    domain = s.tiny_domain(
        verified="judged", answer_verifier=RubricJudge, reference=lambda c: c, from_instance=from_instance
    )
    judge = lambda call: {"reason": "", "verdict": "met" if "names" in call.inputs["criterion"] else "not met"}  # noqa: E731
    for bound, reason in ((0.75, "accepted"), (0.8, "filtered")):
        trajectory, _ = run(task("aaaa"), domain=domain, judge=judge, filtering=Filtering(2, bound))
        assert reasons(trajectory) == [reason] and trajectory.rounds[0].rollouts[0].verdict.score == 0.75


def test_code_comes_without_tests_so_that_a_judge_decides_and_nothing_counts_as_checked():
    stub = 'def twice(n: int) -> int:\n    """Two times n."""'
    seeds = [
        SeedTask(f"s{i}", stub.replace("twice", f"twice{i}"), (Instance("", f"def twice{i}(n):\n    return 2 * n"),))
        for i in range(2)
    ]
    written = {"plan": "A sum.", "question": stub, "answer": "def twice(n):\n    return n + n"}
    solved = {"reasoning": "Add.", "code": "def twice(n):\n    return 2 * n"}
    roles = s.scripted_roles(
        challenger=written, strong_solver=solved, judge={"reason": "same", "verdict": "correct"}, schema=True
    )
    maker = CoTSelfInstruct("code", roles, seeds=seeds)
    trajectory = maker(document=SLOT).trajectory
    assert reasons(trajectory) == ["accepted"] and trajectory.rounds[0].verdicts[0].verifier == "lowest_reward"
    assert maker.domain.verified == "judged" and registry.load("domains", "code").verified == "checked"


# -- options -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", ["max_rounds", "per_document"])
def test_limits_below_one_are_refused(limit):
    with pytest.raises(ConfigError, match=f"{limit}=0"):
        CoTSelfInstruct(s.tiny_domain(), s.scripted_roles(), **{limit: 0})


def test_too_few_or_unusable_seed_tasks_are_refused():
    with pytest.raises(ConfigError, match="2 seed tasks at a time"):
        CoTSelfInstruct(s.tiny_domain(), s.scripted_roles(), seeds=s.seed_tasks()[:1])
    with pytest.raises(ConfigError, match="'seed-0' does not fit the domain 'legal_labels'"):
        CoTSelfInstruct(for_task(LABELS), s.scripted_roles(), seeds=s.seed_tasks())


@pytest.mark.parametrize("as_given", [str, Path])
def test_seed_tasks_come_from_a_file_too(tmp_path, as_given):
    path = tmp_path / "seeds.jsonl"
    path.write_text("".join(f'{{"instruction": "Say {i}.", "output": "It is {i}."}}\n' for i in range(2)), "utf-8")
    trajectory, roles = run(task("1111"), seeds=as_given(path))
    assert reasons(trajectory) == ["accepted"]
    [call] = s.calls_of(roles, "challenger")
    assert sorted(re.findall(r"Task \d: (.*)\nAnswer \d: (.*)", call.inputs["examples"])) == [
        ("Say 0.", "It is 0."),
        ("Say 1.", "It is 1."),
    ]
    listed = CoTSelfInstruct(s.tiny_domain(), roles, seeds=read_seed_tasks(path))
    assert listed.seeds_digest == CoTSelfInstruct(s.tiny_domain(), roles, seeds=as_given(path)).seeds_digest
    with pytest.raises(ConfigError, match=r"seed tasks not found: .*gone\.jsonl"):
        CoTSelfInstruct(s.tiny_domain(), roles, seeds=as_given(tmp_path / "gone.jsonl"))


def test_other_seed_tasks_give_another_digest():
    digests = {
        CoTSelfInstruct(s.tiny_domain(), s.scripted_roles(), seeds=s.seed_tasks()[:n]).seeds_digest for n in (2, 3)
    }
    assert len(digests) == 2
