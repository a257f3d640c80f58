"""Runs data-set verifiers over rows and says what to drop.

>>> curated = curate(rows, [NearDuplicates(), Contamination(test_items)])
>>> keep = [rows[i] for i in curated.keep]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autodata_dspy.errors import ConfigError
from autodata_dspy.types import Challenge, Document, Removed, Trajectory, Verdict
from autodata_dspy.verifiers.base import Verifier

if TYPE_CHECKING:
    from autodata_dspy.domains.base import Domain

_Accepted = tuple[Trajectory, int, Challenge]  # the trajectory, the round's index, what it accepted


@dataclass(frozen=True, slots=True)
class Curation:
    """What curation concluded.

    Attributes:
        keep: indices of the rows that stay, ascending.
        drop: index of a row → the verifier that drops it (the first that does).
        verdicts: one of each verifier, on the rows that the ones before it left; `drop` and `duplicate_of` in
            their evidence are in indices of the original rows.
    """

    keep: tuple[int, ...]
    drop: dict[int, str]
    verdicts: tuple[Verdict, ...]

    @property
    def passed(self) -> bool:
        """Whether every verifier gave a full score, so that nothing has to change."""
        return all(v.passed for v in self.verdicts)


def curate(rows: Sequence[Any], verifiers: Sequence[Verifier]) -> Curation:
    """Apply data-set verifiers one after another; each sees the rows that are left.

    A verifier drops what its evidence lists under `drop` (near_duplicates, contamination); one without
    it (balance, diversity) judges only. An undecided verifier drops nothing.

    Raises:
        ConfigError: a verifier that does not check data sets.
    """
    for verifier in verifiers:
        if verifier.checks != "dataset":
            raise ConfigError(f"{verifier.name!r} checks a single {verifier.checks}, not a data set; leave it out here")
    left = list(range(len(rows)))
    drop: dict[int, str] = {}
    verdicts: list[Verdict] = []
    for verifier in verifiers:
        verdict = verifier.verify([rows[i] for i in left])
        dropped = [left[k] for k in verdict.evidence.get("drop", [])] if not verdict.undecided else []
        if dropped:
            evidence = {**verdict.evidence, "drop": dropped}
            if like := evidence.get("duplicate_of"):
                evidence["duplicate_of"] = {str(left[int(k)]): left[kept] for k, kept in like.items()}
            verdict = Verdict(verdict.score, verdict.feedback, evidence, verdict.verifier)
        verdicts.append(verdict)
        drop |= dict.fromkeys(dropped, verifier.name)
        left = [i for i in left if i not in drop]
    return Curation(tuple(left), dict(sorted(drop.items())), tuple(verdicts))


def final_audit(
    trajectories: Iterable[Trajectory], documents: Mapping[str, Document], domain: Domain
) -> tuple[Removed, ...]:
    """What is taken out of a finished run: the domain's checks once more, over all that was accepted.

    First each challenge by itself, with the domain's `challenge_verifiers`: whoever made it (a generator that does not
    check, an earlier version of the checks, an edited run folder), what leaks or is malformed goes. Then all that is
    left together, with its `final_checks`: a near-duplicate goes, the first of its kind stays. Undecided checks take
    nothing out. Checks that ask a model are left out: the run is over, and so is its budget.

    Nothing is decided by chance or time: the same trajectories, resumed or not, lose the same examples.

    Args:
        trajectories: in the order of the run; they are not changed.
        documents: by id.

    Returns:
        One entry for each example that goes, in the order of the run.
    """
    accepted: list[_Accepted] = [
        (t, round_.index, round_.challenge) for t in trajectories for round_ in t.accepted if round_.challenge
    ]
    checks = [check for check in domain.challenge_verifiers() if check.cost != "lm"]
    removed: dict[int, Removed] = {}
    for place, (trajectory, _, challenge) in enumerate(accepted):
        text = documents[trajectory.document_id].text if trajectory.document_id in documents else ""
        for check in checks:
            verdict = check.verify(challenge, context=text)
            if not (verdict.undecided or verdict.passed):
                removed[place] = _removed(accepted[place], check.name, verdict.feedback)
                break
    left = [place for place in range(len(accepted)) if place not in removed]
    whole = [check for check in domain.final_checks() if check.cost != "lm"]
    curated = curate([accepted[place][2] for place in left], whole)
    for index, name in curated.drop.items():
        verdict = next(v for v, check in zip(curated.verdicts, whole, strict=True) if check.name == name)
        like = verdict.evidence.get("duplicate_of", {}).get(str(index))
        why = f"like {_named(accepted[left[like]])}" if like is not None else verdict.feedback
        removed[left[index]] = _removed(accepted[left[index]], name, why)
    return tuple(removed[place] for place in sorted(removed))


def _removed(example: _Accepted, verifier: str, why: str) -> Removed:
    trajectory, index, _ = example
    return Removed(trajectory.document_id, trajectory.seed, index, verifier, why)


def _named(example: _Accepted) -> str:
    trajectory, index, _ = example
    return f"round {index + 1} of {trajectory.document_id}" + (f" (seed {trajectory.seed})" if trajectory.seed else "")
