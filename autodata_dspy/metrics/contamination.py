"""Is any accepted example an item of the probe?"""

from __future__ import annotations

from typing import ClassVar

from autodata_dspy.metrics._made import Made
from autodata_dspy.metrics.base import DataMetric, Measured
from autodata_dspy.probes import Probe
from autodata_dspy.verifiers import contamination


class Contamination(DataMetric):
    """Share of the accepted examples that repeat no item of the probe (the verifier `contamination`); a constraint.

    The feedback says how many do and quotes none: what repeats an item would carry it into a prompt.

    Args:
        probe: whose items are protected, as questions and as the texts in them.
    """

    name: ClassVar[str] = "contamination"
    summary: ClassVar[str] = "share of examples that repeat nothing of a probe; a constraint"

    def __init__(self, probe: Probe):
        self.probe = probe
        protected = dict.fromkeys(text for item in probe.items for text in (item.question, item.text))
        self.verifier = contamination.Contamination(list(protected))

    def measure(self, made: Made) -> Measured:
        if not made.examples:
            return Measured(1.0, "Nothing was accepted, so nothing is repeated.", {self.name: 1.0})
        verdict = self.verifier.verify(made.challenges)
        if verdict.score is None:
            return Measured(None, "the examples could not be compared")
        dropped = set(verdict.evidence["drop"])
        n = len(dropped)
        told = (
            f"{n} of {len(made.examples)} examples repeat protected items; write new ones." if n else "No repetition."
        )
        items = tuple(float(i not in dropped) for i in range(len(made.examples)))
        return Measured(verdict.score, told, {self.name: verdict.score}, items)


PLUGIN = Contamination
