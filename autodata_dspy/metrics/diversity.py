"""Do the accepted examples differ from one another?"""

from __future__ import annotations

from typing import ClassVar

from autodata_dspy.metrics._made import Made
from autodata_dspy.metrics.base import DataMetric, Measured
from autodata_dspy.verifiers import diversity


class Diversity(DataMetric):
    """The worst of word variety, novelty and coverage against its target (the verifier `diversity`); a constraint.

    Args:
        min_rows: fewer examples are undecided.
    """

    name: ClassVar[str] = "diversity"
    summary: ClassVar[str] = "variety of the examples against fixed targets; a constraint"

    def __init__(self, min_rows: int = 10):
        self.verifier = diversity.Diversity(min_rows=min_rows)

    def measure(self, made: Made) -> Measured:
        verdict = self.verifier.verify(made.challenges)
        if verdict.score is None:
            return Measured(None, verdict.feedback)
        return Measured(verdict.score, verdict.feedback or "The examples differ enough.", {self.name: verdict.score})


PLUGIN = Diversity
