"""Results as a run gives them, for tests of what is made of them."""

import json

from autodata_dspy.results import Result
from autodata_dspy.store import RunFolder
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
    to_dict,
)


def attempt(solver, index, answer, score):
    return Rollout(solver, index, answer, verdict=None if score is None else Verdict(score))


def accepted(question="How many?", answer="42", weak=(0.0, None), strong=(1.0,), context="", verdicts=(), index=0):
    rollouts = [attempt("weak_solver", i, f"wrong {i}", s) for i, s in enumerate(weak)]
    rollouts += [attempt("strong_solver", i, f"right {i}", s) for i, s in enumerate(strong)]
    challenge = Challenge(question, answer, context=context, rubric=Rubric((Criterion("is 42", 3),)), tags=("a", "b"))
    verdicts = verdicts or (Verdict(1.0, "fine", verifier="v"), Verdict(None, "who knows", verifier="v"))
    return Round(index, Decision(True, "accepted"), challenge, verdicts, tuple(rollouts))


def result_of(rounds, source="a book", licence="CC0-1.0", **changes):
    """One document and trajectory for each round."""
    trajectories = tuple(Trajectory(f"d{i}", 0, (r,)) for i, r in enumerate(rounds))
    documents = {t.document_id: Document(t.document_id, "text", source=source, licence=licence) for t in trajectories}
    known = {"version": "9", "generator": "G", "domain": "math_objects", "acceptance": "ExactCounts()"}
    models = {"challenger": "c", "weak_solver": "w", "strong_solver": "s", "judge": "j"}
    return Result(trajectories, documents, {}, 1.0, None, models, "checked", **{"origin": known, **changes})


def rejected(index=0, n_rollouts=8):
    """A round as most are in a long run: every attempt at an easy question, with its reasoning."""
    verdict = Verdict(1.0, "right", {"expected": "42", "found": "42"}, "math_objects")
    attempts = [Rollout("weak_solver", i, "42", "Because it is so. " * 10, verdict, "stop") for i in range(n_rollouts)]
    verdicts = (Verdict(1.0, verifier="v"),)
    return Round(index, Decision(False, "too_easy", "too easy"), Challenge("Easy?", "42"), verdicts, tuple(attempts))


def folder_of(result, path, config=None):
    """A run folder with a result, without the time that syncing every line of a long run takes."""
    folder = RunFolder(path)
    folder.create(config or {}, "a fingerprint", list(result.documents.values()))
    with (path / "trajectories.jsonl").open("w") as stream:
        stream.writelines(json.dumps(to_dict(t)) + "\n" for t in result.trajectories)
    folder.write_removed(result.removed)
    folder.write_result(result.record())
    return path
