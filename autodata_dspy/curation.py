"""Runs data-set verifiers over rows and says what to drop.

>>> curated = curate(rows, [NearDuplicates(), Contamination(test_items)])
>>> keep = [rows[i] for i in curated.keep]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autodata_dspy.errors import ConfigError
from autodata_dspy.types import Verdict
from autodata_dspy.verifiers.base import Verifier


@dataclass(frozen=True, slots=True)
class Curation:
    """What curation concluded.

    Attributes:
        keep: indices of the rows that stay, ascending.
        drop: index of a row → the verifier that drops it (the first that does).
        verdicts: one of each verifier, on the rows that the ones before it left; `drop` in their
            evidence is in indices of the original rows.
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
            verdict = Verdict(verdict.score, verdict.feedback, evidence, verdict.verifier)
        verdicts.append(verdict)
        drop |= dict.fromkeys(dropped, verifier.name)
        left = [i for i in left if i not in drop]
    return Curation(tuple(left), dict(sorted(drop.items())), tuple(verdicts))
