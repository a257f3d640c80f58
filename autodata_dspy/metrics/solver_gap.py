"""How much better does the strong solver do than the weak one on what was accepted?"""

from __future__ import annotations

from typing import ClassVar

from autodata_dspy.metrics._made import Made, failures
from autodata_dspy.metrics.base import DataMetric, Measured


class SolverGap(DataMetric):
    """Mean of the strong solver's scores minus that of the weak one's, from [-1, 1] to [0, 1]: 0.5 is no gap.

    Without an accepted example it is 0. Undecided where no example has the scores of both.
    """

    name: ClassVar[str] = "solver_gap"
    summary: ClassVar[str] = "strong solver's mean score minus the weak one's, on accepted examples"

    def measure(self, made: Made) -> Measured:
        why = failures(made.trajectories)
        if not made.examples:
            return Measured(0.0, f"Nothing was accepted.\n{why}".strip(), {"solver_gap": 0.0})
        pairs = [(e.weak, e.strong) for e in made.examples if e.weak is not None and e.strong is not None]
        if not pairs:
            return Measured(None, "no accepted example was attempted by both solvers")
        items = tuple((1.0 + strong - weak) / 2 for weak, strong in pairs)
        weak, strong = (sum(side) / len(pairs) for side in zip(*pairs, strict=True))
        score = sum(items) / len(items)
        lines = [
            f"On {len(pairs)} accepted examples the weak solver scores {weak:.2f} and the strong one {strong:.2f}."
        ]
        if weak > 0.5:
            lines.append("The weak solver knows too much of it: make examples that need more steps.")
        if strong < 0.5:
            lines.append("The strong solver fails too often: ask for one definite thing, and check the answer.")
        objectives = {"solver_gap": score, "weak_fails": 1 - weak, "strong_succeeds": strong}
        return Measured(score, "\n".join([*lines, *([why] if why else [])]), objectives, items)


PLUGIN = SolverGap
