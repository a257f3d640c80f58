"""What a finished run loses once everything that it accepted is looked at again."""

import dspy
import pytest
from scripted import NotForbidden

from autodata_dspy import generate
from autodata_dspy.budget import Limits
from autodata_dspy.curation import curate, final_audit
from autodata_dspy.errors import StoreError
from autodata_dspy.generators import AgenticSelfInstruct, CoTSelfInstruct, SelfInstruct
from autodata_dspy.store import RunFolder
from autodata_dspy.types import Challenge, Decision, Document, Removed, Round, Trajectory
from autodata_dspy.verifiers.near_duplicates import NearDuplicates

TRAIN = "A train covers 120 km in 2 hours. How fast is it on average?"
SLOWER = "A train covers 90 km in 3 hours. How fast is it on average?"
LATER = "A train covers 70 km in 7 hours. How fast is it on average?"
CAPITAL = "Name the capital of the largest state of Brazil."
FORBIDDEN = "A train covers 10 km in 1 hour. How fast is it on average? forbidden"


def trajectory(document_id, *questions, seed=0):
    """All rounds accepted; None is a rejected one."""
    rounds = [
        Round(i, Decision(q is not None, "accepted" if q else "too_easy"), Challenge(q or LATER, "a"))
        for i, q in enumerate(questions)
    ]
    return Trajectory(document_id, seed, tuple(rounds))


@pytest.fixture
def domain(scripted):
    return scripted.domain(final_checks=lambda: (NearDuplicates(),))


def audit(domain, *trajectories):
    return final_audit(trajectories, {t.document_id: Document(t.document_id, "text") for t in trajectories}, domain)


def places(removed):
    return [(r.document_id, r.seed, r.round, r.verifier) for r in removed]


def test_of_two_that_are_alike_the_later_one_goes(domain):
    (removed,) = audit(domain, trajectory("a", TRAIN, CAPITAL), trajectory("b", None, SLOWER))
    assert removed == Removed("b", 0, 1, "near_duplicates", "like round 1 of a")


def test_all_copies_go_and_name_the_one_that_stays(domain):
    removed = audit(domain, trajectory("a", TRAIN), trajectory("b", SLOWER), trajectory("a", LATER, seed=1000))
    assert places(removed) == [("b", 0, 0, "near_duplicates"), ("a", 1000, 0, "near_duplicates")]
    assert {r.why for r in removed} == {"like round 1 of a"}


def test_the_pass_is_named_where_the_one_that_stays_is_of_a_later_one(domain):
    (removed,) = audit(domain, trajectory("a", TRAIN, seed=1), trajectory("b", SLOWER, seed=1))
    assert removed.why == "like round 1 of a (seed 1)"


def test_a_challenge_that_fails_its_checks_goes_and_is_nobodys_original(domain):
    removed = audit(domain, trajectory("a", CAPITAL, FORBIDDEN), trajectory("b", TRAIN), trajectory("c", SLOWER))
    assert [(*places([r])[0], r.why) for r in removed] == [
        ("a", 0, 1, "not_forbidden", "the question is forbidden"),
        ("c", 0, 0, "near_duplicates", "like round 1 of b"),
    ]


def test_what_a_check_cannot_decide_stays(domain):
    assert audit(domain, trajectory("a", "murky question", CAPITAL)) == ()


def test_nothing_accepted_is_nothing_removed(domain):
    assert audit(domain, trajectory("a", None)) == ()
    assert audit(domain) == ()


def test_checks_are_given_the_document(scripted):
    class NotInDocument(NotForbidden):
        def verify(self, subject, reference="", context=""):
            return super().verify(Challenge("forbidden" if subject.question in context else "fine", ""))

    domain = scripted.domain(challenge_verifiers=lambda: (NotInDocument(),))
    documents = {"a": Document("a", f"It says: {TRAIN}"), "b": Document("b", "It says nothing.")}
    removed = final_audit([trajectory("a", TRAIN), trajectory("b", TRAIN)], documents, domain)
    assert places(removed) == [("a", 0, 0, "not_forbidden")]


def test_checks_that_ask_a_model_are_not_paid_again(scripted):
    class Asks(NotForbidden):
        cost = "lm"

        def verify(self, subject, reference="", context=""):
            raise AssertionError("the run is over")

    domain = scripted.domain(challenge_verifiers=lambda: (Asks(), NotForbidden()))
    assert places(audit(domain, trajectory("a", TRAIN, FORBIDDEN))) == [("a", 0, 1, "not_forbidden")]


def test_curation_names_originals_by_their_place_in_the_whole():
    class DropsTheFirst(NearDuplicates):
        name = "first"

        def verify(self, subject, reference="", context=""):
            return super().verify([subject[0], subject[0]]) if len(subject) > 3 else super().verify(subject)

    curated = curate([CAPITAL, "What is a lemma?", TRAIN, SLOWER], [DropsTheFirst(), NearDuplicates()])
    assert curated.drop == {1: "first", 3: "near_duplicates"}
    assert [v.evidence["duplicate_of"] for v in curated.verdicts] == [{"1": 0}, {"3": 2}]


# -- in a run -------------------------------------------------------------------------------------------------


class Writes(dspy.Module):
    """A generator that checks nothing: of each document, the question that is its text."""

    def __init__(self, domain=None):
        super().__init__()
        if domain is not None:
            self.domain = domain

    def forward(self, document, seed):
        return dspy.Prediction(challenge=Challenge(document.text, "a"))


DOCUMENTS = [Document(f"d{i}", text) for i, text in enumerate((TRAIN, FORBIDDEN, CAPITAL, SLOWER))]


def test_what_was_removed_is_no_row_and_trajectories_stay_as_they_are(domain):
    result = generate(Writes(domain), DOCUMENTS, concurrency=1)
    assert [row["document_id"] for row in result.accepted] == ["d0", "d2"]
    assert list(result.to_dataset()["question"]) == [TRAIN, CAPITAL]
    assert [(t.document_id, r.challenge.question) for t, r in result.kept] == [("d0", TRAIN), ("d2", CAPITAL)]
    assert [len(t.accepted) for t in result.trajectories] == [1, 1, 1, 1]
    assert places(result.removed) == [("d1", 0, 0, "not_forbidden"), ("d3", 0, 0, "near_duplicates")]


def test_the_run_still_ends_at_n_accepted_so_fewer_may_be_left(domain):
    result = generate(Writes(domain), DOCUMENTS, 2, concurrency=1)
    assert len(result.trajectories) == 2 and len(result.accepted) == 1
    assert result.stopped is None


def test_a_generator_without_a_domain_loses_nothing():
    result = generate(Writes(), DOCUMENTS, concurrency=1)
    assert (len(result.accepted), result.removed) == (4, ())


@pytest.mark.parametrize("kind", [SelfInstruct, CoTSelfInstruct])
def test_what_classic_methods_write_is_looked_at_for_near_duplicates_alone(scripted, domain, kind):
    """They write no tests and no rubric, and check nothing; so what checks of challenges want is nothing to go by."""
    told = [FORBIDDEN, CAPITAL, f"{FORBIDDEN} again"]

    def challenger(call):
        if "new_tasks" in call.prompt:
            return {"new_tasks": "9. Solve each of the problems below."}
        if "`classification`" in call.prompt:
            return {"classification": "no"}
        pairs = "\n\n".join(f"Input: {question}\nOutput: a" for question in told)
        return {"examples": pairs, "plan": "p", "question": told[call.number % 3], "answer": "a"}

    solver = {"reasoning": "r", "answer": "a"}
    maker = kind(domain, scripted.roles(challenger=challenger, strong_solver=solver, schema=True))
    result = generate(maker, [Document(f"slot-{i}", "") for i in range(3)], concurrency=1)
    questions = [row["question"] for row in result.accepted]
    assert any("forbidden" in question for question in questions) and any(CAPITAL in q for q in questions)
    assert [r.verifier for r in result.removed] == ["near_duplicates"]


def test_a_run_that_is_resumed_loses_the_same(scripted, domain, tmp_path):
    def maker():
        roles = scripted.fated_roles(lambda call: scripted.fated(f"{TRAIN} {call.seed % 9}"), schema=True)
        return AgenticSelfInstruct(domain, roles, per_document=1)

    documents = scripted.documents(4)
    whole = generate(maker(), documents, concurrency=1)
    assert len(whole.removed) == 3
    first = generate(maker(), documents, concurrency=1, run_dir=tmp_path / "r", limits=Limits(max_calls=20))
    assert first.stopped is not None and len(first.removed) < 3
    second = generate(maker(), documents, concurrency=2, run_dir=tmp_path / "r")
    assert (second.removed, second.accepted) == (whole.removed, whole.accepted)
    assert tuple(RunFolder(tmp_path / "r").read_removed()) == whole.removed


def test_a_damaged_list_of_what_was_removed_is_told_with_the_remedy(tmp_path):
    folder = RunFolder(tmp_path)
    assert folder.read_removed() == []
    for text in ("{", "[1]", '[{"seed": 1}]'):
        (tmp_path / "removed.json").write_text(text)
        with pytest.raises(StoreError, match=r"removed\.json cannot be read: .*; delete it to go on"):
            folder.read_removed()
