"""Every branch of computer-science research, with scripted models and a judge that goes by key words.

The rubric gives 9, 7 and 4 points for «holder», «scheduler» and «switch», and takes 9 for «longer»; so an answer of
these words has a known score.
"""

import dataclasses
import json

import dspy
import pytest
from judge_scripts import gullible

from autodata_dspy import generate, runs
from autodata_dspy.acceptance import PRESETS
from autodata_dspy.cli.options import finish
from autodata_dspy.config import RunConfig
from autodata_dspy.domains.base import Malformed
from autodata_dspy.domains.cs_research import PAPER_RUBRIC, PLUGIN, SMALL_RUBRIC, build, cs_research, findings
from autodata_dspy.generators import AgenticSelfInstruct
from autodata_dspy.report.narrative import story
from autodata_dspy.types import Criterion, Document

DOCUMENT = Document(
    "locks",
    "A spinlock wastes the processor while it waits. When a lock is held for a shorter time than a switch of context "
    "takes, spinning is cheaper. On a machine with one processor it never is, because the holder cannot run while the "
    "waiter spins.",
)
QUOTE = "On a machine with one processor it never is, because the holder cannot run while the waiter spins."
FIELDS = {
    "quote": QUOTE,
    "kind": "what if",
    "skills": "causal reasoning, counterfactual reasoning",
    "context": "A service guards a counter with a spinlock for 0.2 microseconds. It moves from 16 cores to a single "
    "core, and its requests begin to stall.",
    "question": "Why does the short holding time no longer make spinning the better choice?",
    "answer": "The waiter occupies the only core, so that the thread which owns the lock makes no progress until the "
    "operating system takes the core away from the waiter after a whole time slice.",
    "rubric": "[+9] says that the «holder» makes no progress\n[+7] says that the wait ends when the «scheduler» acts\n"
    "[+4] compares the wait with the cost of a «switch»\n[-9] claims that the critical section takes «longer»",
}
SCORES = {
    "rain": 0.0,
    "holder longer": 0.0,
    "holder": 0.45,
    "scheduler switch": 0.55,
    "holder switch": 0.65,
    "holder scheduler": 0.8,
    "holder scheduler switch": 1.0,
}
SAID = {score: text for text, score in SCORES.items()}


def run(
    scripted, weak=(0.45,), strong=(0.8,), fields=None, review="sound", judge=gullible, acceptance=None, domain=PLUGIN
):
    """One round. `weak` and `strong` are the scores that the solvers' answers will have, attempt by attempt."""
    roles = scripted.roles(
        challenger={**FIELDS, **(fields or {})},
        quality_verifier={"asks_for": "why", "verdict": review},
        weak_solver=[{"answer": SAID[score]} for score in weak],
        strong_solver=[{"reasoning": "1. one core", "answer": SAID[score]} for score in strong],
        judge=judge,
    )
    maker = AgenticSelfInstruct(domain, roles, acceptance=acceptance, max_rounds=1)
    (round_,) = maker(document=DOCUMENT, seed=0).trajectory.rounds
    return round_, roles


def n_calls(scripted, roles):
    return {role: len(scripted.calls(roles, role)) for role in ("quality_verifier", "weak_solver", "strong_solver")}


def refused(scripted, check, **fields):
    """The feedback of a challenge that a check turned down before any other model was asked."""
    round_, roles = run(scripted, fields=fields)
    assert round_.decision.reason == "failed_check"
    assert round_.verdicts[-1].verifier == check
    assert n_calls(scripted, roles) == {"quality_verifier": 0, "weak_solver": 0, "strong_solver": 0}
    return round_.decision.feedback


# -- the way of a challenge -----------------------------------------------------------------------------------


def test_what_only_the_strong_solver_answers_well_is_accepted(scripted):
    round_, roles = run(scripted)
    assert round_.decision.accepted
    assert [v.verifier for v in round_.verdicts] == [
        *("quote_grounding", "leakage", "atomicity", "rubric_form", "language", "quality_verifier")
    ]
    assert all(v.passed for v in round_.verdicts)
    assert round_.scores("weak_solver") == [0.45] * 3
    assert round_.scores("strong_solver") == [0.8] * 3
    challenge = round_.challenge
    assert challenge.tags == ("what if", "causal reasoning", "counterfactual reasoning")
    assert challenge.quotes == (QUOTE,)
    assert challenge.rubric.criteria[3] == Criterion("claims that the critical section takes «longer»", -9)
    assert n_calls(scripted, roles) == {"quality_verifier": 1, "weak_solver": 3, "strong_solver": 3}
    assert len(scripted.calls(roles, "judge")) == 6 * 4  # a call for each criterion of each attempt


def test_the_quality_verifier_sees_the_whole_challenge_and_not_the_document(scripted):
    _, roles = run(scripted)
    (call,) = scripted.calls(roles, "quality_verifier")
    assert call.inputs["tags"] == "what if, causal reasoning, counterfactual reasoning"
    assert call.inputs["rubric"] == FIELDS["rubric"]
    assert {name: call.inputs[name] for name in ("context", "question", "answer")} == {
        name: FIELDS[name] for name in ("context", "question", "answer")
    }
    assert "wastes the processor while it waits" not in call.request.messages[-1].text


def test_solvers_see_context_and_question_alone_and_are_drawn_at_temperature_one(scripted):
    _, roles = run(scripted)
    for role in ("weak_solver", "strong_solver"):
        for call in scripted.calls(roles, role):
            assert call.inputs == {"context": FIELDS["context"], "question": FIELDS["question"]}
            assert call.request.config.temperature == 1.0
            assert not any(secret in call.prompt for secret in (QUOTE, FIELDS["answer"], "«holder»"))


def test_a_quote_that_is_not_in_the_document_is_refused_with_what_the_document_says(scripted):
    said = refused(scripted, "quote_grounding", quote=QUOTE.replace("cannot run", "can run"))
    assert "which reads: " in said and "[-cannot-] {+can+} run" in said


def test_of_two_quotes_both_have_to_be_in_the_document(scripted):
    both = f"{QUOTE}\nA spinlock wastes the processor while it waits."
    assert run(scripted, fields={"quote": both})[0].decision.accepted
    refused(scripted, "quote_grounding", quote=f"{QUOTE}\nA spinlock never wastes the processor.")


def test_a_passage_in_quotation_marks_in_the_context_has_to_be_in_the_document_too(scripted):
    context = FIELDS["context"] + " The manual says: “spinlocks are always the best of all choices”."
    assert "spinlocks are always" in refused(scripted, "quote_grounding", context=context)


def test_a_context_that_gives_the_answer_away_is_refused(scripted):
    said = refused(scripted, "leakage", context=f"{FIELDS['context']} {FIELDS['answer']}")
    assert "keep only what is needed to pose the question" in said


def test_a_question_of_two_parts_is_refused(scripted):
    said = refused(scripted, "atomicity", question="Why does spinning stall, and what should the service do instead?")
    assert said.startswith("asks 2 things")


@pytest.mark.parametrize(
    ("rubric", "says"),
    [
        ("[+9] says that the holder makes no progress\n[-9] blames the network", "2 criteria, where 4 to 20 are"),
        ("\n".join([*FIELDS["rubric"].splitlines()[:3], "[+2] names the scheduler"]), "0 negative criteria, where 1"),
        (FIELDS["rubric"].replace("[+9]", "[+12]"), "has the weight 12, outside 1 to 10"),
        (FIELDS["rubric"].replace("compares the wait with the cost of a «switch»", "is easy to read"), "format only"),
    ],
)
def test_a_rubric_of_the_wrong_form_is_refused(scripted, rubric, says):
    assert says in refused(scripted, "rubric_form", rubric=rubric)


def test_another_language_is_refused(scripted):
    answer = (
        "Der wartende Faden belegt den einzigen Kern, und deshalb kann der Besitzer der Sperre nicht weiterarbeiten, "
        "bis das Betriebssystem ihm den Kern nach einer ganzen Zeitscheibe wieder gibt."
    )
    assert "write it in en" in refused(scripted, "language", answer=answer).replace("all of it", "it")


@pytest.mark.parametrize(
    "verdict",
    [
        "the context gives the answer away",
        "needs recall, not reasoning",
        "asks several things",
        "the rubric does not fit the answer",
        "the kind of question is another",
    ],
)
def test_what_the_quality_verifier_objects_to_reaches_no_solver(scripted, verdict):
    round_, roles = run(scripted, review=verdict)
    assert (round_.decision.reason, round_.decision.feedback) == ("failed_check", verdict)
    assert n_calls(scripted, roles) == {"quality_verifier": 1, "weak_solver": 0, "strong_solver": 0}


def test_a_question_that_the_weak_solver_answers_is_too_easy_and_the_strong_one_never_asked(scripted):
    round_, roles = run(scripted, weak=(0.8,))
    assert round_.decision.reason == "too_easy"
    assert n_calls(scripted, roles) == {"quality_verifier": 1, "weak_solver": 2, "strong_solver": 0}


def test_a_question_that_the_strong_solver_does_not_answer_either_is_refused(scripted):
    round_, roles = run(scripted, weak=(0.0,), strong=(0.45,))
    assert round_.decision.reason == "failed_on_strong"
    assert n_calls(scripted, roles)["strong_solver"] == 2  # a third one could not lift the mean of 0.45 to 0.65


def test_the_strong_solver_has_to_be_clearly_better(scripted):
    """0.65 is enough on its own, and 0.17 more than the weak mean is not; against a weak mean of 0.45 it is."""
    round_, _ = run(scripted, weak=(0.45, 0.55, 0.45), strong=(0.65,))
    assert round_.decision.reason == "failed_on_strong"
    assert "the strong one has to be clearly better" in round_.decision.feedback
    assert run(scripted, weak=(0.45,), strong=(0.65,))[0].decision.accepted


def test_a_wrong_statement_costs_what_its_criterion_says_and_no_score_is_below_zero(scripted):
    round_, _ = run(scripted)
    judge = PLUGIN.answer_verifier(scripted.roles(judge=gullible))
    reference = PLUGIN.reference(round_.challenge)
    for text, score in SCORES.items():
        assert judge.verify(text, reference, FIELDS["question"]).score == pytest.approx(score)
    assert judge.verify("longer", reference, FIELDS["question"]).score == 0.0
    assert judge.verify("holder scheduler longer", reference, FIELDS["question"]).score == pytest.approx(0.35)


def test_a_judge_that_cannot_be_read_decides_nothing(scripted):
    round_, roles = run(scripted, judge="I would rather not.")
    assert round_.decision.reason == "undecided"
    assert round_.scores("weak_solver") == []
    assert n_calls(scripted, roles)["strong_solver"] == 0


def test_a_finished_run_tells_mean_scores_and_exports_context_and_rubric(scripted, tmp_path, capsys):
    roles = scripted.roles(
        challenger=FIELDS,
        quality_verifier={"asks_for": "why", "verdict": "sound"},
        weak_solver={"answer": SAID[0.45]},
        strong_solver={"reasoning": "1. one core", "answer": SAID[1.0]},
        judge=gullible,
    )
    result = generate(AgenticSelfInstruct(PLUGIN, roles), [DOCUMENT], 1, run_dir=tmp_path / "r")
    finish(result, tmp_path / "r", 1, "cs_research")
    out = capsys.readouterr().out
    assert "   weak 0.45 on average of 3, strong 2/2, from locks\n\n1 of 1 examples accepted" in out
    assert "checked again" not in out  # a model's word cannot be checked by machine
    told = "\n".join(story(result.trajectories[0]))
    assert f"  context: {FIELDS['context']}\n  question: {FIELDS['question']}\n" in told
    assert (
        f"  tags: what if, causal reasoning, counterfactual reasoning\n  quote: {QUOTE}\n  rubric:\n    [+9] says"
        in told
    )
    assert "  Weak solver: 0.45 on average of 3\n" in told
    (row,) = result.accepted
    assert (row["verified"], row["context"], row["weak_mean"]) == ("judged", FIELDS["context"], pytest.approx(0.45))
    assert json.loads(row["rubric"])[0] == {"text": "says that the «holder» makes no progress", "weight": 9}
    assert PLUGIN.template.prompt.format(**row) == f"{FIELDS['context']}\n\n{FIELDS['question']}"


# -- acceptance from a configuration --------------------------------------------------------------------------


def rule(tmp_path, table):
    (tmp_path / "run.toml").write_text(f'domain = "cs_research"\n[acceptance]\n{table}\n')
    return runs.build_maker(RunConfig.read(tmp_path / "run.toml")).acceptance


def test_the_rule_is_that_of_the_papers_text_unless_another_is_named(tmp_path):
    assert rule(tmp_path, "") == PRESETS["paper-prose"] == PLUGIN.acceptance
    assert rule(tmp_path, 'preset = "paper-deployed"') == PRESETS["paper-deployed"]
    assert rule(tmp_path, "gap = 0.1") == dataclasses.replace(PRESETS["paper-prose"], gap=0.1)


@pytest.mark.parametrize(
    ("no_zero", "weak", "reason"),
    [
        ("any", (0.0, 0.45), "too_hard"),
        ("any", (0.45,), "accepted"),
        ("all", (0.0, 0.45), "accepted"),
        ("all", (0.0,), "too_hard"),
        ("off", (0.0,), "accepted"),
    ],
)
def test_no_zero_may_mean_any_attempt_or_all_or_be_off(scripted, tmp_path, no_zero, weak, reason):
    acceptance = rule(tmp_path, f'preset = "paper-deployed"\nno_zero = "{no_zero}"')
    assert run(scripted, weak=weak, acceptance=acceptance)[0].decision.reason == reason


def test_no_zero_means_any_attempt_unless_told_otherwise(scripted, tmp_path):
    acceptance = rule(tmp_path, 'preset = "paper-deployed"')
    assert run(scripted, weak=(0.0, 0.45), acceptance=acceptance)[0].decision.reason == "too_hard"


def test_a_perfect_strong_solver_is_refused_as_deployed_and_the_bound_can_be_dropped(scripted, tmp_path):
    deployed = rule(tmp_path, 'preset = "paper-deployed"')
    round_, _ = run(scripted, strong=(1.0,), acceptance=deployed)
    assert round_.decision.reason == "too_easy"
    assert "nothing is left to learn" in round_.decision.feedback
    dropped = rule(tmp_path, 'preset = "paper-deployed"\nstrong_below = 2.0')
    assert run(scripted, strong=(1.0,), acceptance=dropped)[0].decision.accepted


def test_as_deployed_no_weak_attempt_may_be_good(scripted, tmp_path):
    deployed = rule(tmp_path, 'preset = "paper-deployed"')
    round_, roles = run(scripted, weak=(0.8, 0.45), acceptance=deployed)
    assert round_.decision.reason == "too_easy"
    assert n_calls(scripted, roles)["weak_solver"] == 1


# -- what the challenger writes -------------------------------------------------------------------------------


def built(**fields):
    return build(dspy.Prediction(**{**FIELDS, **fields}), "an angle")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"question": " "}, "the question is empty"),
        ({"answer": None}, "the answer is empty"),
        ({"context": "None."}, "the context is empty"),
        ({"answer": "x" * 2001}, "the answer is too long"),
        ({"kind": "essay"}, "the kind of question is one of: mechanism, trade-off, "),
        ({"skills": "causal reasoning"}, "name two or three reasoning skills"),
        ({"skills": "Causal reasoning, causal reasoning."}, "name two or three reasoning skills"),
        ({"quote": ""}, "the quote is no sentence"),
        ({"quote": f"{QUOTE}\nspinning is cheaper"}, "the quote is no sentence"),
        ({"rubric": ""}, "the rubric has no criteria"),
        ({"rubric": "[+3]"}, "a criterion without text: '[+3]'; write one criterion a line"),
        ({"rubric": '{"criteria": ['}, "the rubric begins like JSON but is not"),
        ({"question": "According to the article, why is spinning bad?"}, "“According to the article” points to a text"),
        ({"context": "The passage describes spinlocks."}, "“The passage” points to a text that the reader does not"),
    ],
)
def test_what_is_no_challenge_is_malformed_and_says_what_to_do(scripted, fields, says):
    with pytest.raises(Malformed) as malformed:
        built(**fields)
    assert says in str(malformed.value)


def test_malformed_output_costs_a_round_and_nothing_else(scripted):
    round_, roles = run(scripted, fields={"rubric": "[+3]"})
    assert (round_.decision.reason, round_.challenge) == ("malformed", None)
    assert n_calls(scripted, roles) == {"quality_verifier": 0, "weak_solver": 0, "strong_solver": 0}


def test_the_forms_that_small_models_write_are_read():
    challenge = built(
        quote=f'| "{QUOTE}"\n\n- “A spinlock wastes the processor while it waits.”\n{QUOTE}',
        kind="Tradeoff: time against space",
        skills="Causal reasoning; estimation, Comparison, and more",
    )
    assert challenge.quotes == (QUOTE, "A spinlock wastes the processor while it waits.")
    assert challenge.tags == ("trade-off", "causal reasoning", "estimation", "comparison")


@pytest.mark.parametrize(
    "rubric",
    [
        "[+3] names the cause\n\n[-2] blames the disk\n[+1] has x[1] in it",
        "1. [+3] names the cause\n2. [-2] blames the disk\n3. has x[1] in it",
        "- [+3] names the cause, [−2] blames the disk; [+1] has x[1] in it",
        "[+3] names the cause\\n[-2] blames the disk\\n- [+1] has x[1] in it",
        '["[+3] names the cause", "[-2] blames the disk", "[+1] has x[1] in it"]',
        '[{"text": "names the cause", "weight": 3}, {"text": "blames the disk", "weight": -2}, "has x[1] in it"]',
    ],
)
def test_a_rubric_is_read_from_lines_and_from_what_small_models_make_of_them(rubric):
    criteria = Criterion("names the cause", 3), Criterion("blames the disk", -2), Criterion("has x[1] in it", 1)
    assert built(rubric=rubric).rubric.criteria == criteria


def test_a_document_or_a_text_may_be_what_the_question_is_about():
    question = "Why does the ranking put the document with the rarer word above the longer text?"
    assert built(question=question).question == question


# -- the two forms --------------------------------------------------------------------------------------------


def form_of(domain, n_positive, n_negative):
    """Whether a rubric of so many criteria passes the domain's check of its form."""
    criteria = [{"text": f"says that stage {'abcdefghijkl'[i]}x stalls", "weight": 3} for i in range(n_positive)]
    criteria += [{"text": f"blames part {'abcdefghijkl'[i]}y for it", "weight": -3} for i in range(n_negative)]
    (check,) = [v for v in domain.challenge_verifiers() if v.name == "rubric_form"]
    return check.verify(criteria).passed


@pytest.mark.parametrize(
    ("n_positive", "n_negative", "small", "paper"),
    [
        (3, 1, True, False),
        (3, 0, False, False),
        (2, 2, False, False),
        (7, 3, True, True),
        (4, 6, True, True),
        (3, 7, True, False),
        (8, 2, True, False),
        (12, 8, True, True),
        (12, 9, False, False),
    ],
)
def test_the_papers_form_asks_for_a_long_rubric_and_the_default_for_a_short_one(n_positive, n_negative, small, paper):
    assert form_of(cs_research(), n_positive, n_negative) is small
    assert form_of(cs_research(paper_form=True), n_positive, n_negative) is paper


def test_the_two_forms_differ_in_the_challengers_prompt_and_in_the_rubrics_bounds():
    paper = cs_research(paper_form=True)
    assert cs_research() is PLUGIN and PAPER_RUBRIC != SMALL_RUBRIC
    assert paper.write.instructions != PLUGIN.write.instructions
    assert list(paper.write.fields) == list(PLUGIN.write.fields)
    assert paper.documents() == PLUGIN.documents()
    assert (paper.review, paper.solving, paper.acceptance) == (PLUGIN.review, PLUGIN.solving, PLUGIN.acceptance)


def test_a_short_rubric_is_refused_in_the_papers_form(scripted):
    round_, _ = run(scripted, domain=cs_research(paper_form=True))
    assert round_.verdicts[-1].verifier == "rubric_form"
    assert "4 criteria, where 10 to 20 are wanted" in round_.decision.feedback


@pytest.mark.parametrize("paper_form", [False, True])
def test_worked_examples_pass_the_checks_that_they_teach(paper_form):
    domain = cs_research(paper_form)
    for demo in domain.demos:
        challenge = domain.build(dspy.Prediction(**demo), demo["angle"])
        verdicts = [check.verify(challenge, context=demo["passage"]) for check in domain.challenge_verifiers()]
        assert all(v.passed for v in verdicts), verdicts


# -- documents ------------------------------------------------------------------------------------------------


def test_built_in_documents_are_of_a_length_that_is_shown_whole():
    for document in PLUGIN.documents():
        assert 120 <= len(document.text.split()) <= 250
        assert len(document.text) <= PLUGIN.passage_chars
    assert all("invented" in d.text for d in PLUGIN.documents() if "per cent" in d.text and "study" in d.title)


def test_paragraphs_that_give_reasons_are_preferred_to_lists_of_references():
    prose = "The cache misses often because each scan replaces what was there, although memory is free. " * 3
    references = "[1] Ada. Caches. doi:1. [2] Bea et al. Scans. https://a.b [3] Cy et al. Pages. arXiv 1. " * 3
    plain = "The cache holds a thousand pages of the table and each of them has eight kilobytes of data. " * 3
    assert findings(references) == findings("4 Evaluation") == 0.0
    assert findings(prose) > findings(plain) > 0.0
