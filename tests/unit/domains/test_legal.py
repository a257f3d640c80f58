"""The legal domain in the loop, with scripted models: every way a document can go.

The challenger's model plays extractor and writer, the judge's model judges criteria and decides as the loop judge: which
of them is asked shows in the inputs of the call. An answer names in «» what it gets right.
"""

import dataclasses
import re
from types import SimpleNamespace

import pytest
from dspy import lm15

from autodata_dspy.acceptance import FullSample
from autodata_dspy.domains.base import Malformed
from autodata_dspy.domains.legal import DEMOS, PAPER, PLUGIN, READ_DEMOS, build, density_of_rules, legal
from autodata_dspy.errors import ConfigError
from autodata_dspy.generators import AgenticSelfInstruct
from autodata_dspy.types import Criterion, Document

DOCUMENT = Document(
    "d",
    "Boat Yards Act of Vell\n\nSection 1. A yard returns a boat within 9 days of payment.\n\n"
    "Section 2. (1) A yard may keep the boat while a sum is owed. (2) It pays 5 crowns for each day of delay.",
)
READING = READ_DEMOS[0] | {"holdings": "boat back within 9 days (Section 1)", "issues": "when a yard may keep a boat"}
READING = {name: text for name, text in READING.items() if name != "passage"}
RUBRIC = (
    "[+10] States that «return» is due now\n[+6] Computes «fifteen» crowns for the delay\n[+4] Advises a «letter» first\n"
    "[+2] Mentions the receipt as «proof»\n[-5] Claims that the yard may «keep» the boat"
)
# 4 of 22 points, 10, 16, 0, and 10 - 5
WEAK = ["a «letter»", "«return»", "«return» and «fifteen»", "hm", "«return», yet they may «keep» it"]
STRONG = [
    "«return», «fifteen», a «letter»",
    "«return» and «fifteen», with «proof»",
    "«return», «fifteen» and a «letter»",
]
DECIDED = {
    "weak_pattern": "misses the sum",
    "strong_pattern": "sees the sum",
    "gap": "arithmetic",
    "rubric_concerns": "none",
    "suitability": "high",
    "verdict": "accept",
    "suggestion": "none",
}
IMPROVE = DECIDED | {"verdict": "improve", "suggestion": "Let the yard send a second bill."}


def written(number=0, **changes):
    """A client's question; each number gives another one."""
    return {
        "question": f"I paid my yard {number + 100} crowns twelve days ago. They say my boat stays because of client "
        f"{number}'s bill. I was told a yard has nine days and then pays five crowns a day. What can I ask for?",
        "answer": f"Answer {number}: under Section 1 the return is due now, and Section 2(2) gives you fifteen crowns. "
        "Send a letter with the receipt.",
        "rubric": RUBRIC,
    } | changes


def reads_and_writes(*versions, reading=READING):
    """The challenger's model: the extractor's output, then one version after the other, the last for ever."""
    n_written = iter(range(10_000))

    def answer(call):
        if "angle" not in call.inputs:
            return reading
        number = next(n_written)
        if not versions:
            return written(number)
        return versions[min(number, len(versions) - 1)]

    return answer


def judges(*decisions):
    """The judge's model: a criterion is met where the answer holds its key word; then the loop judge's words."""
    n_decided = iter(range(10_000))

    def answer(call):
        if "packet" in call.inputs:
            return decisions[min(next(n_decided), len(decisions) - 1)]
        key = re.search("«.+?»", call.inputs["criterion"])[0]
        return {"reason": "by key word", "verdict": "met" if key in call.inputs["answer"] else "not met"}

    return answer


def cycling(answers):
    return lambda call: {"reasoning": "issue, rule", "answer": answers[(call.number - 1) % len(answers)]}


def run(scripted, challenger=None, judge=None, weak=WEAK, strong=STRONG, domain=PLUGIN, document=DOCUMENT, **options):
    """→ (trajectory, roles)."""
    roles = scripted.roles(
        challenger=challenger or reads_and_writes(),
        quality_verifier={"wants": "the boat", "verdict": "usable"},
        weak_solver=cycling(weak),
        strong_solver=cycling(strong),
        judge=judge or judges(DECIDED),
        schema=True,
    )
    maker = AgenticSelfInstruct(domain, roles, **({"max_rounds": 1} | options))
    return maker(document=document, seed=0).trajectory, roles


def n_calls(scripted, roles):
    return {role: len(scripted.calls(roles, role)) for role in roles._given}


def writer_calls(scripted, roles):
    return [call for call in scripted.calls(roles, "challenger") if "angle" in call.inputs]


# -- the extractor --------------------------------------------------------------------------------------------


def test_a_document_that_is_no_law_is_skipped_with_the_reason(scripted):
    no = {name: text for name, text in READ_DEMOS[1].items() if name != "passage"}
    trajectory, roles = run(scripted, reads_and_writes(reading=no | {"why": "a recipe without any rule"}))
    assert (trajectory.status, trajectory.note) == ("skipped", "a recipe without any rule")
    assert trajectory.rounds == () and trajectory.extraction["suitable"] == "no"
    assert sum(n_calls(scripted, roles).values()) == 1


def test_an_extraction_that_cannot_be_read_skips_the_document(scripted):
    trajectory, roles = run(scripted, reads_and_writes(reading=READING | {"suitable": "perhaps"}))
    assert (trajectory.status, trajectory.note) == ("skipped", "the extractor's output could not be read")
    assert n_calls(scripted, roles)["challenger"] == 2


def test_a_lost_extraction_fails_the_document_and_says_nothing_about_it(scripted):
    trajectory, _ = run(scripted, lambda call: lm15.ServerError("down"))
    assert trajectory.status == "failed" and "down" in trajectory.note


def test_the_writer_knows_what_was_extracted_before_angle_and_feedback(scripted):
    trajectory, roles = run(scripted)
    (call,) = writer_calls(scripted, roles)
    assert list(call.inputs) == ["passage", "doc_type", "issues", "facts", "holdings", "angle", "feedback"]
    assert call.inputs["holdings"] == "boat back within 9 days (Section 1)"
    assert trajectory.extraction == READING


# -- from the first round to the decision ---------------------------------------------------------------------


def test_five_weak_and_three_strong_answers_are_judged_by_each_criterion_and_the_judge_accepts(scripted):
    trajectory, roles = run(scripted)
    (round_,) = trajectory.accepted
    assert n_calls(scripted, roles) == {
        "challenger": 2,
        "quality_verifier": 1,
        "weak_solver": 5,
        "strong_solver": 3,
        "judge": 8 * 5 + 1,
    }
    assert round_.scores("weak_solver") == pytest.approx([4 / 22, 10 / 22, 16 / 22, 0, 5 / 22])
    assert round_.scores("strong_solver") == pytest.approx([20 / 22, 18 / 22, 20 / 22])
    assert [v.verifier for v in round_.verdicts] == [
        *("case_recap", "rubric_form", "document_citations", "language", "leakage"),
        *("quality_verifier", "loop_judge"),
    ]
    packet = round_.verdicts[-1].evidence["packet"]
    assert [(row["weak_met"], row["strong_met"]) for row in packet["criteria"]] == [
        (3, 3),
        (1, 3),
        (1, 2),
        (0, 1),
        (1, 0),
    ]


def test_solvers_advise_the_client_and_never_see_document_rubric_or_reference(scripted):
    _, roles = run(scripted)
    for role in ("weak_solver", "strong_solver"):
        for call in scripted.calls(roles, role):
            assert "You advise clients" in call.prompt and "What can I ask for?" in call.prompt
            assert not any(secret in call.prompt for secret in ("Boat Yards Act", "[+10]", "Answer 0"))


def test_the_suggestion_of_the_judge_is_the_next_rounds_feedback(scripted):
    trajectory, roles = run(scripted, judge=judges(IMPROVE, DECIDED), max_rounds=5)
    assert [r.decision.reason for r in trajectory.rounds] == ["improve", "accepted"]
    first, second = writer_calls(scripted, roles)
    assert first.inputs["feedback"] == "none"
    assert second.inputs["feedback"] == "- to be improved (1): Let the yard send a second bill."
    last_packet = scripted.calls(roles, "judge")[-1].inputs["packet"]
    assert "| earlier round 1: improve Let the yard send a second bill." in last_packet


@pytest.mark.parametrize(
    ("weak", "told"),
    [
        (["hm"], "every weak attempt scored 0;"),
        (["«return», «fifteen», a «letter», «proof»"], "every weak attempt scored 1;"),
        (["«return»"], "every weak attempt scored 0.45;"),
    ],
)
def test_weak_answers_that_are_all_alike_go_back_without_a_word_of_the_loop_judge(scripted, weak, told):
    for curtail, n_strong in ((True, 0), (False, 3)):
        trajectory, roles = run(scripted, weak=weak, curtail=curtail)
        (round_,) = trajectory.rounds
        assert round_.decision.reason == "improve" and round_.decision.feedback.startswith(told)
        assert round_.verdicts[-1].evidence["override"] == "no spread"
        assert n_calls(scripted, roles)["strong_solver"] == n_strong
        assert not any("packet" in call.inputs for call in scripted.calls(roles, "judge"))


def test_a_loop_judge_that_cannot_be_read_leaves_the_round_undecided(scripted):
    trajectory, _ = run(scripted, judge=judges("well", "well", DECIDED), max_rounds=2)
    assert [r.decision.reason for r in trajectory.rounds] == ["undecided", "accepted"]


def test_sixteen_versions_are_the_most_and_the_document_is_read_once(scripted):
    trajectory, roles = run(scripted, judge=judges(IMPROVE), max_rounds=None)
    assert [r.decision.reason for r in trajectory.rounds] == ["improve"] * 16
    assert trajectory.status == "done" and trajectory.accepted == ()
    assert n_calls(scripted, roles)["challenger"] == 1 + 16


def test_one_accepted_question_ends_a_document(scripted):
    trajectory, _ = run(scripted, max_rounds=None)
    assert len(trajectory.rounds) == len(trajectory.accepted) == 1


def test_criteria_whose_judge_is_silent_leave_the_round_undecided(scripted):
    trajectory, roles = run(scripted, judge=lambda call: "well")
    assert [r.decision.reason for r in trajectory.rounds] == ["undecided"]
    assert n_calls(scripted, roles)["strong_solver"] == 0


def test_an_optimizer_sees_extractor_and_writer_alone(scripted):
    maker = AgenticSelfInstruct(PLUGIN, scripted.roles())
    assert [name for name, _ in maker.named_predictors()] == ["extractor.read", "challenger.write"]


# -- checks before solvers are paid ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "check", "told"),
    [
        ({"question": "I paid my yard. " * 70 + "What can I ask for?"}, "case_recap", "use at most 1000"),
        ({"question": "In Harlow v. Penn the court held that a yard must pay. Why?"}, "case_recap", "recaps a case"),
        ({"question": "My boat is kept by a yard. Discuss."}, "case_recap", "worded like an examination"),
        ({"question": "My family's boat was built in 1911 and a yard keeps it. May it?"}, "case_recap", "1911"),
        (
            {"rubric": "[+10] States that the return is due now\n[-5] Claims it may keep it"},
            "rubric_form",
            "2 criteria",
        ),
        ({"rubric": RUBRIC.replace("[-5] Claims that", "[+5] Claims that")}, "rubric_form", "0 negative"),
        ({"rubric": RUBRIC.replace("[+10]", "[+20]")}, "rubric_form", "the weight 20"),
        ({"rubric": RUBRIC.replace("[-5] Claims", "[-5] Does not claim")}, "rubric_form", "punishes something good"),
        ({"answer": "Under Section 7 the return of the boat is due at once."}, "document_citations", "§ 7 is not on"),
        ({"rubric": RUBRIC + "\n[+3] Cites Section 2(4) for the interest"}, "document_citations", "§ 2(4) is not on"),
        (
            {"question": "Ich habe meine Werft bezahlt und sie gibt mir das Boot nicht zurück. Was nun?"},
            "language",
            "'de'",
        ),
        ({"answer": "I was told a yard has nine days and then pays five crowns a day, now."}, "leakage", "stand"),
    ],
)
def test_a_failed_check_costs_no_further_call(scripted, changes, check, told):
    trajectory, roles = run(scripted, reads_and_writes(written(**changes)))
    (round_,) = trajectory.rounds
    assert (round_.decision.reason, round_.verdicts[-1].verifier) == ("failed_check", check)
    assert told in round_.decision.feedback
    assert n_calls(scripted, roles) | {"challenger": 0} == dict.fromkeys(roles._given, 0)


def test_the_quality_verifier_can_send_a_question_back(scripted):
    roles = scripted.roles(
        challenger=reads_and_writes(), quality_verifier={"wants": "x", "verdict": "facts missing"}, schema=True
    )
    trajectory = AgenticSelfInstruct(PLUGIN, roles, max_rounds=1)(document=DOCUMENT).trajectory
    assert trajectory.rounds[0].decision.feedback == "facts missing"


def test_output_without_a_readable_rubric_is_malformed_with_advice(scripted):
    trajectory, roles = run(scripted, reads_and_writes(written(rubric=""), written(rubric="[+8]")), max_rounds=2)
    assert [r.decision.reason for r in trajectory.rounds] == ["malformed", "malformed"]
    assert trajectory.rounds[0].decision.feedback == (
        "the rubric has no criteria; write one criterion a line, such as [+8] States that the notice was late"
    )
    assert n_calls(scripted, roles)["weak_solver"] == 0


# -- parts ----------------------------------------------------------------------------------------------------


def test_a_challenge_is_what_was_written_with_its_rubric_read():
    challenge = build(
        SimpleNamespace(question=" Q?\n", answer="A. ", rubric="[+8] States it; [-3] Denies it"), "an angle"
    )
    assert challenge.rubric.criteria == (Criterion("States it", 8), Criterion("Denies it", -3))
    assert (challenge.question, challenge.answer, challenge.angle) == ("Q?", "A.", "an angle")


@pytest.mark.parametrize("empty", ["question", "answer"])
def test_a_question_or_an_answer_that_is_empty_is_malformed(empty):
    with pytest.raises(Malformed, match="is empty"):
        build(SimpleNamespace(**{"question": "Q?", "answer": "A.", "rubric": "[+8] x"} | {empty: " "}), "")


@pytest.mark.parametrize("demo", DEMOS, ids=lambda demo: demo["doc_type"])
def test_the_worked_examples_pass_the_domains_own_checks(demo):
    challenge = build(SimpleNamespace(**demo), demo["angle"])
    for check in PLUGIN.challenge_verifiers():
        verdict = check.verify(challenge, context=demo["passage"])
        assert verdict.passed, (verdict.verifier, verdict.feedback)


def test_the_default_form_is_small_and_the_papers_form_asks_for_fifteen(scripted):
    paper = legal(PAPER)
    assert "rubric: 5 to 8 lines" in PLUGIN.write.instructions and "rubric: 15 to 25 lines" in paper.write.instructions
    assert PLUGIN.acceptance == paper.acceptance == FullSample(5, 3)
    assert (PLUGIN.max_rounds, PLUGIN.per_document, PLUGIN.verified) == (16, 1, "judged")
    trajectory, _ = run(scripted, domain=paper)
    assert "5 criteria, where 15 to 25 are wanted" in trajectory.rounds[0].decision.feedback


def test_bounds_that_leave_nothing_are_refused():
    with pytest.raises(ConfigError, match="leave nothing"):
        legal((9, 4))


def test_one_joined_criterion_is_forgiven_in_the_small_form_alone():
    lines = [f"[+5] States the sum of day {i}" for i in range(15)] + ["[-5] Claims that the yard may keep it"]
    joined = "\n".join([*lines, "[+4] Advises a letter and explains the nine days"])
    forms = [next(v for v in d.challenge_verifiers() if v.name == "rubric_form") for d in (PLUGIN, legal(PAPER))]
    small, paper = (form.verify(build(SimpleNamespace(**written(rubric=joined)), "")) for form in forms)
    assert small.passed and not paper.passed and "asks several things at once" in paper.feedback


def test_passages_begin_where_there_are_rules():
    assert (
        density_of_rules("The keeper shall give notice within 5 days.") > density_of_rules("A bee is an insect.") == 0
    )
    assert density_of_rules("  ") == 0.0


def test_a_domain_may_be_varied_without_touching_the_plugin(scripted):
    quick = dataclasses.replace(PLUGIN, acceptance=FullSample(2, 1))
    trajectory, roles = run(scripted, domain=quick)
    assert len(trajectory.accepted) == 1 and n_calls(scripted, roles)["judge"] == 3 * 5 + 1


def test_the_built_in_documents_are_law_but_for_one():
    plain = [d.id for d in PLUGIN.documents() if density_of_rules(d.text) < 0.01]
    assert plain == ["legal-plum-cake"]
    assert all(120 <= len(d.text.split()) <= 250 and len(d.text) <= PLUGIN.passage_chars for d in PLUGIN.documents())
