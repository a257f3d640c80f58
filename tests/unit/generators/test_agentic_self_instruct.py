"""Every branch of the loop, with scripted models. See `fated` in tests/scripted.py for the questions' letters."""

import dspy
import pytest

from autodata_dspy.acceptance import PRESETS, ExactCounts, Thresholds
from autodata_dspy.errors import ConfigError
from autodata_dspy.events import listening
from autodata_dspy.generators import AgenticSelfInstruct
from autodata_dspy.types import Decision, Document, Trajectory

DOCUMENT = Document("d", "A lighthouse shows ships the way into the harbour.")


def run(scripted, challenger, quality_verifier=None, document=DOCUMENT, seed=0, domain=None, **options):
    """→ (trajectory, roles). One round, unless the options say otherwise."""
    roles = scripted.fated_roles(challenger, quality_verifier, job_seed=seed, schema=True)
    options = {"max_rounds": 1, "per_document": 1} | options
    maker = AgenticSelfInstruct(domain or scripted.domain(), roles, **options)
    return maker(document=document, seed=seed).trajectory, roles


def reasons(trajectory: Trajectory) -> list[str]:
    return [r.decision.reason for r in trajectory.rounds]


def n_calls(scripted, roles) -> dict[str, int]:
    return {role: len(scripted.calls(roles, role)) for role in roles._given}


def test_a_question_that_only_the_strong_solver_answers_is_accepted(scripted):
    trajectory, roles = run(scripted, scripted.fated("q", weak="0000", strong="1111"))
    (round_,) = trajectory.rounds
    assert (round_.decision.accepted, round_.decision.reason, round_.decision.feedback) == (True, "accepted", "")
    assert round_.challenge.answer == scripted.fated("q")["answer"]
    assert round_.scores("weak_solver") == [0.0, 0.0, 0.0]  # the third failure makes "at most 1 of 4" certain
    assert round_.scores("strong_solver") == [1.0, 1.0, 1.0]
    assert n_calls(scripted, roles) == {"challenger": 1, "quality_verifier": 1, "weak_solver": 3, "strong_solver": 3}
    assert trajectory.status == "done" and trajectory.accepted == (round_,)


def test_the_prediction_shows_trajectory_and_accepted_rounds(scripted):
    maker = AgenticSelfInstruct(scripted.domain(), scripted.fated_roles(scripted.fated("q")), max_rounds=1)
    prediction = maker(document=DOCUMENT)
    assert prediction.accepted == prediction.trajectory.accepted
    assert len(prediction.accepted) == 1


def test_two_weak_successes_reject_as_too_easy_without_asking_the_strong_solver(scripted):
    trajectory, roles = run(scripted, scripted.fated("q", weak="1100"))
    (round_,) = trajectory.rounds
    assert round_.decision.reason == "too_easy"
    assert round_.decision.feedback == "the weak solver answered it 2 of 2 times; make it harder"
    assert n_calls(scripted, roles)["weak_solver"] == 2
    assert n_calls(scripted, roles)["strong_solver"] == 0


def test_two_strong_failures_reject_as_failed_on_strong(scripted):
    trajectory, roles = run(scripted, scripted.fated("q", strong="1001"))
    (round_,) = trajectory.rounds
    assert round_.decision.reason == "failed_on_strong"
    assert "only 1 of 3 times" in round_.decision.feedback
    assert n_calls(scripted, roles)["strong_solver"] == 3


def test_without_a_strong_majority_nothing_confirms_the_answer(scripted):
    rule = ExactCounts(n_strong=4, min_strong=1)
    trajectory, _ = run(scripted, scripted.fated("q", strong="0100"), acceptance=rule)
    assert reasons(trajectory) == ["no_agreement"]
    assert "differ from the reference" in trajectory.rounds[0].decision.feedback


def test_too_many_undecided_answers_conclude_nothing(scripted):
    trajectory, _ = run(scripted, scripted.fated("q", strong="1?1?"))
    assert reasons(trajectory) == ["undecided"]
    assert trajectory.rounds[0].decision.feedback == "too many answers could not be decided: cannot say"
    assert len(trajectory.rounds[0].rollouts) == 3 + 4


def test_undecided_weak_answers_are_not_taken_for_failures(scripted):
    trajectory, roles = run(scripted, scripted.fated("q", weak="??00"))
    assert reasons(trajectory) == ["undecided"]
    assert n_calls(scripted, roles)["strong_solver"] == 0


def test_an_undecided_answer_that_cannot_change_the_outcome_does_not_matter(scripted):
    trajectory, _ = run(scripted, scripted.fated("q", weak="?000", strong="?111"))
    assert reasons(trajectory) == ["accepted"]


def test_output_without_the_fields_is_malformed_and_costs_no_further_call(scripted):
    trajectory, roles = run(scripted, "I would rather talk about the weather.")
    (round_,) = trajectory.rounds
    assert round_.decision.reason == "malformed" and round_.challenge is None
    assert "demanded fields" in round_.decision.feedback
    assert n_calls(scripted, roles)["quality_verifier"] == 0


def test_output_that_the_domain_cannot_build_from_is_malformed_with_its_words(scripted):
    trajectory, _ = run(scripted, {"question": "", "answer": "x"})
    assert reasons(trajectory) == ["malformed"]
    assert trajectory.rounds[0].decision.feedback == "there is no question"


def test_a_failed_check_rejects_before_any_further_model_call(scripted):
    trajectory, roles = run(scripted, scripted.fated("forbidden"))
    (round_,) = trajectory.rounds
    assert (round_.decision.reason, round_.decision.feedback) == ("failed_check", "the question is forbidden")
    assert [v.verifier for v in round_.verdicts] == ["not_forbidden"]
    assert n_calls(scripted, roles) == {"challenger": 1, "quality_verifier": 0, "weak_solver": 0, "strong_solver": 0}


def test_the_quality_verifier_rejects_before_solvers_are_paid(scripted):
    trajectory, roles = run(scripted, scripted.fated("q"), {"verdict": "ambiguous"})
    (round_,) = trajectory.rounds
    assert (round_.decision.reason, round_.decision.feedback) == ("failed_check", "ambiguous")
    assert [v.verifier for v in round_.verdicts] == ["not_forbidden", "quality_verifier"]
    assert n_calls(scripted, roles)["weak_solver"] == 0


def test_undecided_checks_do_not_reject(scripted):
    trajectory, _ = run(scripted, scripted.fated("murky"), "no verdict in these words")
    (round_,) = trajectory.rounds
    assert round_.decision.reason == "accepted"
    assert [v.undecided for v in round_.verdicts] == [True, True]


def test_a_rule_that_leaves_everything_to_a_last_word_is_refused_where_there_is_none(scripted):
    with pytest.raises(ConfigError, match="leaves the decision to a last word, which the domain 'tiny' does not have"):
        AgenticSelfInstruct(scripted.domain(), acceptance=PRESETS["paper-legal"])
    AgenticSelfInstruct("legal", acceptance=PRESETS["paper-legal"])


def test_without_the_quality_check_the_verifier_is_not_called(scripted):
    trajectory, roles = run(scripted, scripted.fated("q"), {"verdict": "ambiguous"}, quality_check=False)
    assert reasons(trajectory) == ["accepted"]
    assert n_calls(scripted, roles)["quality_verifier"] == 0


def test_the_same_question_again_is_a_duplicate_and_costs_no_check(scripted):
    first = scripted.fated("What is a lighthouse?", weak="1111")
    plays = [first, scripted.fated("What is  a lighthouse?", weak="1111") | {"answer": first["answer"]}]
    trajectory, roles = run(scripted, plays, max_rounds=2)
    assert reasons(trajectory) == ["too_easy", "duplicate"]
    assert trajectory.rounds[1].decision.feedback == "it repeats an earlier one; take something else of the passage"
    assert trajectory.rounds[1].verdicts == ()
    assert n_calls(scripted, roles)["quality_verifier"] == 1


def test_a_learned_demonstration_said_again_is_a_duplicate_and_the_domains_own_is_not(scripted):
    said = scripted.fated("What is a lighthouse?")
    demo = {"passage": "p", "angle": "a", "feedback": "none"} | said
    for own, reason in (((), "duplicate"), ((demo,), "accepted")):
        maker = AgenticSelfInstruct(scripted.domain(demos=own), scripted.fated_roles(said), max_rounds=1)
        maker.challenger.write.demos = maker.challenger.write.demos or [demo]
        assert reasons(maker(document=DOCUMENT).trajectory) == [reason]
    maker = AgenticSelfInstruct(scripted.domain(), scripted.fated_roles(said), max_rounds=1)
    maker.challenger.write.demos = [demo | {"question": f"{said['question']} Tell more."}, demo | {"question": "What?"}]
    assert reasons(maker(document=DOCUMENT).trajectory) == ["duplicate"]
    maker.challenger.write.demos = [demo | {"question": f"{said['question']}11", "passage": said["question"]}]
    assert reasons(maker(document=DOCUMENT).trajectory) == ["accepted"]


def test_a_similar_question_with_another_answer_is_no_duplicate(scripted):
    plays = [scripted.fated("What is it?", weak="1111"), scripted.fated("What is it?") | {"answer": "other"}]
    trajectory, _ = run(scripted, plays, max_rounds=2)
    assert reasons(trajectory) == ["too_easy", "failed_on_strong"]


def test_another_question_with_the_same_answer_is_no_duplicate(scripted):
    first, second = scripted.fated("How many legs has a spider?", weak="11"), scripted.fated("2 + 2 * 3", weak="11")
    trajectory, _ = run(
        scripted, [first, second | {"answer": first["answer"], "question": "2+6 weak=11 !"}], max_rounds=2
    )
    assert trajectory.rounds[1].decision.reason != "duplicate"


def test_the_loop_ends_at_the_round_limit_with_nothing_accepted(scripted):
    trajectory, roles = run(scripted, lambda call: scripted.fated(f"{call.seed:x}" * 4, weak="11"), max_rounds=3)
    assert reasons(trajectory) == ["too_easy"] * 3
    assert trajectory.status == "done" and trajectory.accepted == ()
    assert n_calls(scripted, roles)["challenger"] == 3


def test_the_loop_ends_when_the_document_has_given_enough(scripted):
    plays = lambda call: scripted.fated(f"{call.seed:x}" * 4)  # noqa: E731
    trajectory, _ = run(scripted, plays, max_rounds=9, per_document=2)
    assert reasons(trajectory) == ["accepted", "accepted"]
    assert [r.index for r in trajectory.rounds] == [0, 1]


def test_feedback_of_earlier_rounds_reaches_the_challenger_grouped(scripted):
    plays = [
        scripted.fated("Who lit the first lamp on the coast?", weak="1111"),
        scripted.fated("Count these waves until noon", strong="0000"),
        scripted.fated("forbidden magic below xyz"),
        scripted.fated("gamma rays: how many kinds exist, roughly?"),
        scripted.fated("DELTA OF THE NILE, WHERE?", weak="1111"),
        scripted.fated("1/2 + 3/4 - 5/6 = ... hm", weak="11??"),
    ]
    trajectory, roles = run(scripted, plays, max_rounds=6, per_document=2)
    assert reasons(trajectory) == ["too_easy", "failed_on_strong", "failed_check", "accepted", "too_easy", "too_easy"]
    told = [call.inputs["feedback"] for call in scripted.calls(roles, "challenger")]
    easy = "the weak solver answered it 2 of 2 times; make it harder"
    assert told[0] == "none"
    assert told[1] == f"- too easy (1): {easy}"
    assert told[5].splitlines()[0] == f"- too easy (2): {easy}"
    assert told[5].splitlines()[1].startswith("- failed on strong (1): the strong solver got it right only 0 of 2")
    assert told[5].splitlines()[2] == "- failed the check (1): the question is forbidden"
    assert len(told[5].splitlines()) == 3


def test_rounds_take_new_angles(scripted):
    trajectory, roles = run(scripted, "unusable", max_rounds=3)
    angles = [call.inputs["angle"] for call in scripted.calls(roles, "challenger")]
    assert sorted(angles) == ["a", "b", "c"]
    assert reasons(trajectory) == ["malformed"] * 3


def test_solvers_and_quality_verifier_never_see_the_document_and_solvers_never_the_answer(scripted):
    document = Document("d", "The SECRETPASSAGE is known to the challenger alone, here.")
    _, roles = run(scripted, scripted.fated("q"), document=document)
    assert "SECRETPASSAGE" in scripted.calls(roles, "challenger")[0].prompt
    for role in ("quality_verifier", "weak_solver", "strong_solver"):
        assert all("SECRETPASSAGE" not in call.prompt for call in scripted.calls(roles, role))
    for role in ("weak_solver", "strong_solver"):
        assert scripted.calls(roles, role)
        for call in scripted.calls(roles, role):
            assert set(call.inputs) == {"context", "question"}
            assert scripted.fated("q")["answer"] not in call.prompt


def test_a_listener_hears_of_every_round(scripted):
    heard = []
    with listening(lambda document_id, round_: heard.append((document_id, round_.decision.reason))):
        run(scripted, [scripted.fated("one two three", weak="11"), scripted.fated("four five six")], max_rounds=2)
    assert heard == [("d", "too_easy"), ("d", "accepted")]


def test_the_same_seed_gives_the_same_trajectory_and_another_seed_another(scripted):
    def of(seed):
        trajectory, _ = run(scripted, lambda call: scripted.fated(f"{call.seed:x}"), seed=seed)
        return trajectory.rounds

    assert of(1) == of(1)
    assert of(1)[0].challenge != of(2)[0].challenge


@pytest.mark.parametrize("schema", [False, True])
def test_models_with_structured_output_are_asked_for_json_and_others_for_markers(scripted, schema):
    roles = scripted.fated_roles(scripted.fated("q"), schema=schema)
    trajectory = AgenticSelfInstruct(scripted.domain(), roles, max_rounds=1)(document=DOCUMENT).trajectory
    assert reasons(trajectory) == ["accepted"]
    for role in roles._given:
        for call in scripted.calls(roles, role):
            assert ("Respond with a JSON object" in call.prompt) is schema
            assert (call.request.config.response_format is not None) is schema


@pytest.mark.parametrize("limit", ["max_rounds", "per_document"])
def test_limits_below_one_are_refused(scripted, limit):
    with pytest.raises(ConfigError, match=f"{limit}=0"):
        AgenticSelfInstruct(scripted.domain(), scripted.fated_roles("x"), **{limit: 0})


def test_a_module_with_the_last_word_hears_every_attempt_even_where_the_rule_was_certain_before(scripted):
    heard = {}

    def last_word(domain, roles):
        def decide(*, challenge, weak, strong, earlier, seed):
            heard["weak"], heard["strong"] = len(weak), len(strong)
            return dspy.Prediction(decision=Decision(True, "accepted"), verdicts=())

        return decide

    rule = Thresholds(n_weak=3, n_strong=3, strong_min=0.5)  # of the weak solver it is certain without an attempt
    for domain in (scripted.domain(rule), scripted.domain(rule, last_word=last_word)):
        trajectory, _ = run(scripted, scripted.fated("q"), domain=domain)
        n_rollouts = len(trajectory.rounds[0].rollouts)
        assert trajectory.rounds[0].decision.accepted and n_rollouts == (6 if domain.last_word else 2)
    assert heard == {"weak": 3, "strong": 3}


def test_a_rejection_that_is_certain_needs_no_further_attempt_and_no_last_word(scripted):
    domain = scripted.domain(ExactCounts(), last_word=lambda domain, roles: None)
    trajectory, roles = run(scripted, scripted.fated("q", weak="1100"), domain=domain)
    assert reasons(trajectory) == ["too_easy"] and n_calls(scripted, roles)["weak_solver"] == 2
