"""The learner as weak solver: knows nothing, is taught, becomes sure, and does so in threads and copies."""

import copy
from concurrent.futures import ThreadPoolExecutor

import pytest

from autodata_dspy.modules import Learner
from autodata_dspy.types import Challenge

ARBITRATION = [
    "Any dispute is settled by a single arbitrator whom the chamber appoints.",
    "The parties submit every claim to binding arbitration in Geneva.",
    "An arbitrator, and no court, decides quarrels about the fee.",
    "Claims are heard by an arbitrator under the rules of the chamber.",
]
CHANGE = [
    "We may change the price list at any time by posting a new one.",
    "The company may alter these terms and tells customers by mail.",
    "Features can be changed or replaced whenever we see fit.",
    "We reserve the right to change the monthly price.",
]
POOL = [Challenge(t, label, label=label) for label, texts in (("a", ARBITRATION), ("c", CHANGE)) for t in texts]
NEW = Challenge("Every dispute about a claim is settled by an arbitrator of the chamber.", "a", label="a")


def score(learner, challenge=NEW, **options):
    return learner(challenge=challenge, **options).rollout.verdict.score


@pytest.mark.parametrize(
    "shown", [[], POOL[:3], POOL[:4], [*POOL[:3], POOL[7]]], ids=["nothing", "too few", "one label", "enough"]
)
def test_with_too_few_texts_or_one_label_it_knows_nothing(shown):
    learner = Learner()
    learner.learn(shown)
    rollout = learner(challenge=NEW, attempt=2).rollout
    assert (rollout.solver, rollout.index) == ("weak_solver", 2)
    if len({c.label for c in shown}) == 2:
        assert rollout.answer == "a" and rollout.verdict.score > 0.5
    else:
        assert (rollout.answer, rollout.verdict.score) == ("", 0.0)
        assert f"knows nothing yet: it has {len(shown)} texts and needs 4 of two labels" in rollout.verdict.feedback


def test_it_becomes_sure_of_a_kind_that_it_is_shown_again_and_again():
    learner = Learner()
    learner.learn([*POOL[:2], *POOL[4:6]])
    before = score(learner)
    learner.learn([*POOL[2:4], *POOL[6:]])
    repeated = [f"A dispute about the {what} is settled by an arbitrator of the chamber." for what in ("fee", "term")]
    learner.learn([Challenge(text, "a", label="a") for text in repeated])
    assert before < score(learner)
    assert score(learner) > 0.9
    rollout = learner(challenge=NEW).rollout
    assert (rollout.answer, rollout.reasoning) == ("a", "fitted on 10 examples")
    assert rollout.verdict.evidence["guess"] == "a"


def test_the_score_is_the_probability_of_the_intended_label_not_of_the_guess():
    learner = Learner()
    learner.learn(POOL)
    wrong = Challenge(NEW.question, "c", label="c")
    assert score(learner) + score(learner, wrong) == pytest.approx(1.0)
    assert learner(challenge=wrong).rollout.answer == "a"
    assert "gives the label 'c' a probability of 0." in learner(challenge=wrong).rollout.verdict.feedback


def test_a_label_it_has_never_seen_scores_nothing():
    learner = Learner()
    learner.learn(POOL)
    assert score(learner, Challenge(NEW.question, "z", label="z")) == 0.0


def test_it_starts_from_the_examples_of_the_task():
    learner = Learner({"a": ARBITRATION, "c": CHANGE})
    assert len(learner) == 8 and score(learner) > 0.5
    assert score(Learner({"a": ARBITRATION, "c": CHANGE}, min_examples=9)) == 0.0


def test_challenges_without_a_label_teach_nothing():
    learner = Learner()
    learner.learn([Challenge("What is owed?", "ten euros")] * 9)
    assert len(learner) == 0


def test_attempt_and_seed_change_nothing():
    learner = Learner()
    learner.learn(POOL)
    assert len({score(learner, attempt=i, seed=i) for i in range(4)}) == 1


def test_a_copy_goes_its_own_way():
    learner = Learner()
    learner.learn(POOL)
    twin = copy.deepcopy(learner)
    assert score(twin) == score(learner)
    twin.learn(POOL[:4])
    assert (len(learner), len(twin)) == (8, 12)


def test_threads_teach_and_ask_at_the_same_time():
    learner = Learner(min_examples=2)

    def teach(challenge):
        learner.learn([challenge])
        return score(learner)

    with ThreadPoolExecutor(4) as pool:
        scores = list(pool.map(teach, POOL * 3))
    assert len(learner) == len(POOL) * 3
    assert all(0.0 <= s <= 1.0 for s in scores)
    alone = Learner(min_examples=2)
    alone.learn(POOL * 3)
    assert score(learner) == pytest.approx(score(alone), abs=1e-3)
