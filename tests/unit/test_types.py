import dataclasses
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autodata_dspy.types import (
    Challenge,
    Criterion,
    Decision,
    Document,
    Rollout,
    Round,
    Rubric,
    Trajectory,
    Verdict,
    from_dict,
    to_dict,
)

TEXT = st.text(st.characters(codec=None), max_size=20)  # lone surrogates included: models do emit them
JSON = st.recursive(st.none() | st.booleans() | st.integers() | TEXT, lambda x: st.lists(x) | st.dictionaries(TEXT, x))
VERDICTS = st.builds(Verdict, st.none() | st.floats(0, 1), TEXT, st.dictionaries(TEXT, JSON, max_size=2), TEXT)
RUBRICS = st.builds(Rubric, st.lists(st.builds(Criterion, TEXT, st.integers(-9, 9)), max_size=2).map(tuple))
CHALLENGES = st.builds(Challenge, TEXT, TEXT, TEXT, TEXT, TEXT, st.none() | RUBRICS, TEXT)
ROLLOUTS = st.builds(Rollout, TEXT, st.integers(0, 9), TEXT, TEXT, st.none() | VERDICTS, TEXT, TEXT)
ROUNDS = st.builds(
    Round,
    st.integers(0, 9),
    st.builds(Decision, st.booleans(), st.sampled_from(["accepted", "too_easy", "infrastructure"]), TEXT),
    st.none() | CHALLENGES,
    st.lists(VERDICTS, max_size=2).map(tuple),
    st.lists(ROLLOUTS, max_size=2).map(tuple),
)
TRAJECTORIES = st.builds(
    Trajectory,
    TEXT,
    st.integers(0, 2**31),
    st.lists(ROUNDS, max_size=2).map(tuple),
    st.sampled_from(["done", "stopped", "failed", "skipped"]),
    TEXT,
    st.floats(0, 1e6),
)


@settings(deadline=None)  # beside other programs an example may take twice as long as the usual limit
@given(TRAJECTORIES)
def test_a_trajectory_survives_json(trajectory):
    assert from_dict(Trajectory, json.loads(json.dumps(to_dict(trajectory)))) == trajectory


@given(st.builds(Document, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT))
def test_a_document_survives_json(document):
    assert from_dict(Document, json.loads(json.dumps(to_dict(document)))) == document


@pytest.mark.parametrize("texts", [(), ("a", "\ud800")])
def test_tuples_of_texts_survive_json(texts):
    challenge = Challenge("q", "a", rubric=Rubric(), tags=texts, quotes=texts)
    whole = Trajectory("d", 0, (Round(0, Decision(True, "accepted"), challenge),), extraction={"k": "v"}, without=texts)
    assert from_dict(Trajectory, json.loads(json.dumps(to_dict(whole)))) == whole


def test_what_has_another_form_than_its_type_stays_as_it_is():
    odd = from_dict(Challenge, {"question": 1, "answer": None, "rubric": "text", "tags": None})
    assert (odd.question, odd.answer, odd.rubric, odd.tags) == (1, None, "text", None)


def test_keys_of_a_newer_version_are_ignored_and_missing_optional_ones_filled():
    assert from_dict(Document, {"id": "a", "text": "t", "colour": "red"}) == Document("a", "t")


def test_a_missing_required_field_is_a_type_error():
    with pytest.raises(TypeError, match="text"):
        from_dict(Document, {"id": "a"})


def test_dict_keys_become_text_and_tuples_lists():
    assert to_dict({1: (2, Verdict(None))}) == {
        "1": [2, {"score": None, "feedback": "", "evidence": {}, "verifier": ""}]
    }


@pytest.mark.parametrize("score", [-0.01, 1.01, float("nan"), float("inf")])
def test_a_score_outside_zero_to_one_is_refused(score):
    with pytest.raises(ValueError, match="lies in"):
        Verdict(score)


@pytest.mark.parametrize(
    ("verdict", "passed", "undecided"),
    [
        (Verdict(1.0), True, False),
        (Verdict(0.5), False, False),
        (Verdict(0.0), False, False),
        (Verdict(None), False, True),
        (Verdict.of(True), True, False),
        (Verdict.of(False), False, False),
        (Verdict.undecidable("why"), False, True),
    ],
)
def test_only_a_full_score_has_passed_and_undecided_is_neither(verdict, passed, undecided):
    assert (verdict.passed, verdict.undecided) == (passed, undecided)


def test_evidence_is_kept():
    assert Verdict.of(False, "no", "v", seen=3) == Verdict(0.0, "no", {"seen": 3}, "v")
    assert Verdict.undecidable("late", "v", route="x") == Verdict(None, "late", {"route": "x"}, "v")


def test_a_rounds_scores_are_the_decided_ones_of_one_solver_in_order():
    rollouts = (
        Rollout("weak_solver", 0, verdict=Verdict(0.0)),
        Rollout("strong_solver", 0, verdict=Verdict(1.0)),
        Rollout("strong_solver", 1, verdict=Verdict(None)),
        Rollout("strong_solver", 2),
        Rollout("strong_solver", 3, verdict=Verdict(0.5)),
    )
    round_ = Round(0, Decision(True, "accepted"), rollouts=rollouts)
    assert round_.scores("strong_solver") == [1.0, 0.5]
    assert round_.scores("weak_solver") == [0.0]


def test_a_trajectorys_accepted_rounds():
    no, yes = Round(0, Decision(False, "too_easy")), Round(1, Decision(True, "accepted"))
    assert Trajectory("d", rounds=(no, yes)).accepted == (yes,)


def test_data_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Document("a", "t").id = "b"  # pyright: ignore
