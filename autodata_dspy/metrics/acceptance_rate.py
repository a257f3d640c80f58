"""The paper's fitness: on how many documents did the program get an example accepted?"""

from __future__ import annotations

from typing import ClassVar

from autodata_dspy.metrics._made import Made, failures
from autodata_dspy.metrics.base import DataMetric, Measured
from autodata_dspy.types import Trajectory


class AcceptanceRate(DataMetric):
    """Share of the documents with at least one accepted example (paper, section on meta-optimization).

    A document on which models did not answer says nothing and is left out; one whose rounds stayed undecided, or that
    the program found unsuitable, counts as not accepted: else a program could skip what is hard.
    """

    name: ClassVar[str] = "acceptance_rate"
    summary: ClassVar[str] = "share of documents with an accepted example (the paper's fitness)"

    def measure(self, made: Made) -> Measured:
        if not made.trajectories:
            return Measured(None, "no trajectories are given, so nobody knows how many documents were tried")
        told = [t for t in made.trajectories if not _out(t)]
        if not told:
            return Measured(None, "models did not answer")
        items = tuple(float(bool(t.accepted)) for t in told)
        share = sum(items) / len(items)
        n = int(sum(items))
        head = f"{n} of {len(items)} documents gave an accepted example."
        why = failures(told)
        return Measured(share, f"{head}\nWhat failed:\n{why}" if why else head, {"acceptance_rate": share}, items)


def _out(trajectory: Trajectory) -> bool:
    """Whether nothing but outages is known of it."""
    if trajectory.accepted or trajectory.status == "skipped":
        return False
    reasons = {r.decision.reason for r in trajectory.rounds}
    return reasons <= {"infrastructure"} and (bool(reasons) or trajectory.status in ("failed", "stopped"))


PLUGIN = AcceptanceRate
