"""One examiner for all arms: every example is attempted anew, by solvers and with a verifier that no arm chooses."""

from __future__ import annotations

import dataclasses
import hashlib
import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import dspy

from autodata_dspy.benchmarking.suite import Examination
from autodata_dspy.domains.base import stated_answer
from autodata_dspy.errors import AutodataError
from autodata_dspy.examiner import examiner_digest
from autodata_dspy.executors import Elsewhere
from autodata_dspy.generation import generate
from autodata_dspy.modules import Solver
from autodata_dspy.roles import Roles
from autodata_dspy.types import Challenge, Decision, Document, Rollout, Round, Trajectory
from autodata_dspy.verifiers.answer_judge import AnswerJudge

if TYPE_CHECKING:
    from autodata_dspy.domains.base import Domain
    from autodata_dspy.events import Watch

SEED = 90_001  # of the attempts; one that no run uses


class Examiner(dspy.Module):
    """An example under the id of a document → a trajectory with its attempts.

    Where a domain compares answers with the stated one, its own verifier does. Where it needs what only some arms write
    (a rubric, tests), a model's judge compares every arm's answers with the stated one.
    """

    needs_documents: ClassVar[bool] = False

    def __init__(self, domain: Domain, roles: Roles, n_attempts: int, examples: dict[str, Challenge] | None = None):
        super().__init__()
        self.roles, self.n_attempts, self.examples = roles, n_attempts, examples or {}
        verifier = None
        if domain.reference(Challenge("question", "answer")) != "answer":
            domain, verifier = dataclasses.replace(domain, reference=stated_answer), AnswerJudge(roles)
        self.weak = Solver(domain, "weak", roles, verifier=verifier)
        self.strong = Solver(domain, "strong", roles, verifier=verifier)
        self.digest = examiner_digest(self, self.strong.verifier)

    def forward(self, document: Document, seed: int = 0) -> dspy.Prediction:
        challenge = self.examples[document.id]
        rollouts: list[Rollout] = [
            solver(challenge=challenge, attempt=attempt, seed=SEED).rollout
            for solver in (self.weak, self.strong)
            for attempt in range(self.n_attempts)
        ]
        examined = Round(0, Decision(True, "accepted"), challenge, (), tuple(rollouts))
        return dspy.Prediction(trajectory=Trajectory(document.id, seed, (examined,)))


def places(n_kept: int, how: Examination, seed: int) -> list[int]:
    """Which of so many examples are examined."""
    every = range(n_kept)
    return list(every) if n_kept <= how.examples else sorted(random.Random(seed).sample(every, how.examples))


def looked_at(kept: Sequence[Challenge], how: Examination, seed: int) -> dict[str, Challenge]:
    """The examples that are examined, by an id that tells their content."""
    return {f"{place:04d}-{_digest(kept[place])}": kept[place] for place in places(len(kept), how, seed)}


def _digest(challenge: Challenge) -> str:
    return hashlib.blake2b(repr(challenge).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def examined(
    domain: Domain,
    roles: Roles,
    examples: dict[str, Challenge],
    n_attempts: int,
    *,
    run_dir: Path,
    concurrency: int,
    executor: str | Elsewhere = "threads",
    watch: Watch | None = None,
) -> dict[str, list[Any]]:
    """What the examiner finds: a list with an entry for each example.

    Returns:
        `weak`, `strong`: mean score of the attempts, in [0, 1]; None where none was decided.
        `valid`: 1 where more of the strong attempts reach the stated answer than do not, else 0; None where half of
        them and more were undecided.
        `checked`: the domain's machine check, 1 or 0; None where there is none or it cannot decide.

    Raises:
        AutodataError: a model does not answer, or the run was interrupted.
    """
    if not examples:
        return {"weak": [], "strong": [], "valid": [], "checked": []}
    run = {"concurrency": concurrency, "executor": executor, "run_dir": run_dir, "watch": watch}
    documents = [Document(name, "") for name in examples]
    result = generate(Examiner(domain, roles, n_attempts, examples), documents, **run)
    if result.stopped is not None:
        raise result.stopped
    by_id = {t.document_id: t.rounds for t in result.trajectories}
    rounds = [next(iter(by_id[name]), None) for name in examples]
    if any(round_ is None for round_ in rounds):
        raise AutodataError(f"an example could not be examined; see {run_dir / 'run.log'}")
    weak, strong = ([r.scores(f"{who}_solver") for r in rounds if r] for who in ("weak", "strong"))
    checks = domain.recheck(list(examples.values())) if domain.recheck else [None] * len(examples)
    return {
        "weak": [_mean(scores) for scores in weak],
        "strong": [_mean(scores) for scores in strong],
        "valid": [_valid(scores, n_attempts) for scores in strong],
        "checked": [None if v is None or v.undecided else int(v.passed) for v in checks],
    }


def _valid(scores: Sequence[float], n_attempts: int) -> int | None:
    if 2 * len(scores) <= n_attempts:
        return None
    return int(2 * sum(s == 1.0 for s in scores) > len(scores))


def _mean(scores: Sequence[float]) -> float | None:
    return sum(scores) / len(scores) if scores else None
