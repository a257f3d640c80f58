"""Verifiers as metrics: where inputs come from, how verdicts are combined, and what becomes of undecided ones."""

import threading
from decimal import Decimal
from fractions import Fraction

import dspy
import pytest

from autodata_dspy.errors import ConfigError, StopRun, VerifierError
from autodata_dspy.metrics import Score, as_metric, combine
from autodata_dspy.types import Challenge, Criterion, Rubric, Verdict

SCORES = {"yes": 1.0, "no": 0.0, "half": 0.5, "?": None}


class Told:
    """Gives the score that its subject names, under a name of its own."""

    cost = "free"
    EXAMPLES = ()

    def __init__(self, name="told", checks="answer", feedback=None):
        self.name, self.checks, self.feedback, self.asked = name, checks, feedback, []

    def verify(self, subject, reference="", context=""):
        self.asked.append((subject, reference, context))
        if isinstance(subject, Exception):
            raise subject
        word = subject if isinstance(subject, str) else "yes"
        return Verdict(SCORES[word], f"said {word}." if self.feedback is None else self.feedback, {}, self.name)


GOLD = dspy.Example(question="Q?", answer="A", other="O").with_inputs("question")


def pred(**fields):
    return dspy.Prediction(**fields)


def test_by_default_the_answer_is_checked_against_the_golds_answer_with_the_question_as_context():
    verifier = Told()
    score = as_metric(verifier)(GOLD, pred(answer="yes"))
    assert verifier.asked == [("yes", "A", "Q?")]
    assert isinstance(score, Score) and (score.score, score.objective_scores) == (1.0, {"told": 1.0})


def test_other_fields_and_functions_can_be_read():
    verifier = Told()
    as_metric(verifier, subject="text", reference="other", context=lambda gold, pred: pred.text + gold.other)(
        GOLD, pred(text="no")
    )
    as_metric(verifier, subject=lambda gold, pred: pred.parts[0], reference="", context="")(GOLD, pred(parts=["half"]))
    assert verifier.asked == [("no", "O", "noO"), ("half", "", "")]


def test_challenges_and_data_sets_are_read_from_their_own_fields():
    challenge, rows = Challenge("q", "a", rubric=Rubric((Criterion("c"),))), [Challenge("q", "a")]
    for checks, field, value in (("challenge", "challenge", challenge), ("dataset", "accepted", rows)):
        verifier = Told(checks=checks)
        assert as_metric(verifier)(dspy.Example(), pred(**{field: value})).score == 1.0
        assert verifier.asked == [(value, "", "")]


def test_a_gold_without_a_question_has_no_context():
    verifier = Told()
    as_metric(verifier)(dspy.Example(answer=3), pred(answer="yes"))
    assert verifier.asked == [("yes", "3", "")]


@pytest.mark.parametrize(
    "made, gold, read",
    [
        (5, 5, ("5", "5")),
        (2.5, 0.1, ("2.5", "0.1")),
        (1e-07, 1e22, ("0.0000001", "10000000000000000000000")),
        (True, False, ("True", "False")),
        (Decimal("2.50"), Fraction(1, 3), ("2.50", "1/3")),
    ],
)
def test_a_signature_may_answer_with_a_number(made, gold, read):
    class Reading(Told):
        def verify(self, subject, reference="", context=""):
            self.asked.append((subject, reference))
            return Verdict(1.0, "", {}, self.name)

    verifier = Reading()
    assert as_metric(verifier)(dspy.Example(answer=gold), pred(answer=made)).score == 1.0
    assert verifier.asked == [read]


@pytest.mark.parametrize("nothing", [pred(answer=None), None])
def test_nothing_produced_scores_0(nothing):
    score = as_metric(Told())(GOLD, nothing)
    assert (score.score, score.undecided) == (0.0, False)
    assert "nothing was produced" in score.feedback


@pytest.mark.parametrize(
    "options, why",
    [
        ({"subject": "anwser"}, "unknown field of the prediction 'anwser'; did you mean 'answer'"),
        ({"reference": "gold"}, "unknown field of the gold example 'gold'"),
        ({"context": "quesion"}, "did you mean 'question'"),
    ],
)
def test_a_field_that_is_not_there_stops_the_optimizer_instead_of_scoring_0(options, why):
    with pytest.raises(StopRun, match=why) as stopped:
        as_metric(Told(), **options)(GOLD, pred(answer="yes"))
    assert isinstance(stopped.value.cause, ConfigError)


def test_the_score_does_not_depend_on_trace_or_predictor_and_the_feedback_names_it():
    metric = as_metric(Told())
    plain, told = metric(GOLD, pred(answer="half")), metric(GOLD, pred(answer="half"), [], "solve", [])
    assert plain.score == told.score == 0.5
    assert (plain.feedback, told.feedback) == ("told: score 0.50: said half.", "[solve] told: score 0.50: said half.")


@pytest.mark.parametrize(
    "word, feedback, text",
    [("yes", "", "told: passed."), ("yes", "fine.", "told: passed (fine)."), ("no", "", "told: score 0.00: failed.")],
)
def test_feedback_is_a_sentence(word, feedback, text):
    assert as_metric(Told(feedback=feedback))(GOLD, pred(answer=word)).feedback == text


def test_decided_verdicts_are_remembered_and_undecided_ones_asked_again():
    verifier = Told()
    metric = as_metric(verifier)
    for word in ("yes", "yes", "?", "?"):
        metric(GOLD, pred(answer=word))
    assert [subject for subject, _, _ in verifier.asked] == ["yes", "?", "?"]
    metric(dspy.Example(answer="B", question="Q?"), pred(answer="yes"))
    assert verifier.asked[-1] == ("yes", "B", "Q?")


def test_memory_is_bounded(monkeypatch):
    from autodata_dspy.metrics import verified

    monkeypatch.setattr(verified, "_REMEMBERED", 2)
    verifier = Told()
    metric = as_metric(verifier)
    for question in "abacab":
        metric(dspy.Example(answer="A", question=question), pred(answer="yes"))
    assert "".join(context for _, _, context in verifier.asked) == "abcb"


@pytest.mark.parametrize("error", [VerifierError("no worker"), TypeError("a bug")])
def test_a_verifier_that_breaks_is_undecided_and_never_a_silent_0(error):
    metric = as_metric(Told(), reference="")
    score = metric(GOLD, pred(answer=error))
    assert (score.score, score.undecided, bool(score), score.objective_scores) == (0.0, True, False, {})
    assert score.feedback.startswith("Undecided: this is no judgement of the output.") and str(error) in score.feedback
    metric(GOLD, pred(answer="yes"))
    assert (metric.n_calls, metric.n_undecided, metric.undecided_rate) == (2, 1, 0.5)


def test_a_missing_model_stops_the_optimizer():
    with pytest.raises(StopRun, match="no model"):
        as_metric(Told())(GOLD, pred(answer=ConfigError("no model")))


def test_a_metric_that_was_never_asked_has_no_undecided_calls():
    assert as_metric(Told()).undecided_rate == 0.0


# -- combine --------------------------------------------------------------------------------------------------


def combined(words, **options):
    """A combined metric over one verifier per word, asked once."""
    verifiers = [Told(name) for name in "abcd"[: len(words)]]
    parts = [as_metric(v, subject=f"s{i}", reference="", context="") for i, v in enumerate(verifiers)]
    metric = combine(parts, **options)
    return metric(GOLD, pred(**{f"s{i}": word for i, word in enumerate(words)})), [len(v.asked) for v in verifiers]


@pytest.mark.parametrize(
    "words, weights, score",
    [
        (["yes", "no"], None, 0.5),
        (["yes", "no"], [3, 1], 0.75),
        (["yes", "half", "no"], {"a": 2, "c": 0}, 2.5 / 3),
        (["yes", "?"], [1, 0], 1.0),
        (["yes", "yes", "yes"], [0.1, 0.2, 0.3], 1.0),
    ],
)
def test_weights_make_a_mean(words, weights, score):
    found, _ = combined(words, weights=weights)
    assert found.score == pytest.approx(score) and not found.undecided
    decided = [name for name, word in zip("abc", words, strict=False) if word != "?"]
    assert list(found.objective_scores) == decided


@pytest.mark.parametrize(
    "words, options",
    [
        (["?", "?"], {}),
        (["?", "?"], {"required": []}),
        (["yes", "?"], {}),
        (["?", "yes"], {}),
        (["?", "no"], {}),
        (["?", "yes", "yes"], {"weights": [1, 8, 8]}),
        (["?", "yes"], {"required": ["a"]}),
        (["?", "yes"], {"required": "a", "weights": [0, 1]}),
        (["yes", "?"], {"weights": [0, 1]}),
        (["yes", "?"], {"weights": [0, 1], "required": []}),
    ],
)
def test_while_a_required_verifier_is_undecided_the_mean_is(words, options):
    found, _ = combined(words, **options)
    assert (found.score, found.undecided, bool(found), found.objective_scores) == (0.0, True, False, {})
    assert found.feedback.startswith("Undecided: this is no judgement of the output.")


@pytest.mark.parametrize(
    "words, weights, score",
    [(["yes", "?"], None, 0.5), (["yes", "?", "half"], [1, 2, 1], 0.375), (["yes", "no"], None, 0.5)],
)
def test_a_dispensable_verifier_earns_nothing_while_it_is_undecided(words, weights, score):
    found, _ = combined(words, weights=weights, required=["a"])
    assert (found.score, found.undecided) == (score, False)
    readable, _ = combined([word.replace("?", "no") for word in words], weights=weights)
    assert found.score == readable.score  # being unreadable gains nothing over being wrong


def test_an_unreadable_answer_gains_nothing_in_any_mode():
    for mode in ("weights", "all", "first_failure"):
        for other in ("yes", "half"):
            assert combined(["?", other], mode=mode)[0].score <= combined(["no", other], mode=mode)[0].score


@pytest.mark.parametrize(
    "words, score",
    [(["yes", "yes"], 1.0), (["yes", "half", "no"], 0.0), (["half", "yes"], 0.5), (["?", "no"], 0.0), (["no", "?"], 0.0)],
)  # fmt: skip
@pytest.mark.parametrize("mode", ["all", "first_failure"])
def test_all_is_the_lowest_score_and_a_failure_decides(mode, words, score):
    if mode == "first_failure" and words == ["yes", "half", "no"]:
        score = 0.5
    found, _ = combined(words, mode=mode)
    assert (found.score, found.undecided) == (score, False)


@pytest.mark.parametrize("mode", ["all", "first_failure"])
@pytest.mark.parametrize("words", [["yes", "?"], ["?", "yes"], ["?"], ["?", "half"]])
def test_all_is_undecided_while_one_is_and_none_fails(mode, words):
    found, _ = combined(words, mode=mode)
    assert found.undecided and found.objective_scores == {}


def test_all_is_undecided_while_what_is_undecided_could_be_lower():
    assert combined(["half", "?"], mode="all")[0].undecided
    assert combined(["half", "?"], mode="first_failure")[0].score == 0.5  # the second was never asked


def test_first_failure_asks_nobody_after_it_and_all_asks_everybody():
    found, asked = combined(["yes", "?", "no", "yes"], mode="first_failure")
    assert asked == [1, 1, 1, 0] and found.objective_scores == {"a": 1.0, "c": 0.0}
    assert found.feedback == "a: passed (said yes). b: undecided (said ?). c: score 0.00: said no."
    assert combined(["no", "yes", "no"], mode="all")[1] == [1, 1, 1]


def test_verifiers_can_be_given_as_they_are_and_the_same_one_twice():
    metric = combine([Told("same"), as_metric(Told("same"), subject="draft")])
    score = metric(GOLD, pred(answer="yes", draft="no"))
    assert (score.score, score.objective_scores) == (0.5, {"same": 1.0, "same_2": 0.0})


def test_the_pass_mark_is_handed_to_the_score():
    assert not combine([Told()], pass_mark=0.8)(GOLD, pred(answer="half"))
    assert combine([Told()])(GOLD, pred(answer="half"))


@pytest.mark.parametrize(
    "verifiers, options, why",
    [
        ([], {}, "at least one verifier"),
        ([Told()], {"mode": "any"}, "unknown mode of combine 'any'"),
        ([Told()], {"mode": "all", "weights": [1]}, "no meaning in mode 'all'"),
        ([Told()], {"mode": "all", "required": ["told"]}, "no meaning in mode 'all'"),
        ([Told()], {"required": ["tolf"]}, "unknown verifier 'tolf'; did you mean 'told'"),
        ([Told()], {"weights": [1, 2]}, "2 weights for 1 verifiers"),
        ([Told()], {"weights": {"tolf": 1}}, "unknown verifier 'tolf'; did you mean 'told'"),
        ([Told()], {"weights": [-1]}, "not negative"),
        ([Told()], {"weights": [0]}, "not all 0"),
        ([Told()], {"weights": [float("nan")]}, "not all 0"),
        ([combine([Told(), Told()], mode="all"), Told()], {}, "of a combination in it"),
        ([as_metric(Told(), pass_mark=0.8)], {}, "without a pass_mark"),
    ],
)
def test_combinations_that_make_no_sense_are_refused(verifiers, options, why):
    with pytest.raises(ConfigError, match=why):
        combine(verifiers, **options)


def test_counts_are_right_from_many_threads():
    metric = as_metric(Told())
    threads = [
        threading.Thread(target=lambda: [metric(GOLD, pred(answer=w)) for w in ("yes", "?") * 50]) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (metric.n_calls, metric.n_undecided) == (800, 400)
