"""Several metrics as one: a weighted mean, and constraints that have to hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from autodata_dspy.errors import ConfigError
from autodata_dspy.metrics._made import Made
from autodata_dspy.metrics.base import DataMetric, Measured


class Weighted(DataMetric):
    """The weighted mean of metrics, lowered by each constraint that is not met. Each part is an objective for GEPA.

    Undecided as soon as a part with a weight is. A constraint scales the mean by score / floor while it is below its
    floor; one that is undecided (too few examples to tell) does not.

    >>> Weighted({gap: 0.7, rate: 0.3}, constraints={diversity: 0.5, contamination: 1.0})

    Args:
        parts: metric → weight.
        constraints: metric → floor in (0, 1].

    Raises:
        ConfigError: no parts, negative weights or all 0, a floor outside (0, 1], two metrics of one name.
    """

    name: ClassVar[str] = "weighted"
    summary: ClassVar[str] = "weighted mean of other metrics, with constraints"

    def __init__(self, parts: Mapping[DataMetric, float], constraints: Mapping[DataMetric, float] | None = None):
        self.parts, self.constraints = dict(parts), dict(constraints or {})
        if not self.parts or min(self.parts.values()) < 0 or not sum(self.parts.values()) > 0:
            raise ConfigError(f"weights are not negative and not all 0, not {list(self.parts.values())}")
        if any(not 0 < floor <= 1 for floor in self.constraints.values()):
            raise ConfigError(f"the floors of constraints lie in (0, 1], not {list(self.constraints.values())}")
        names = [m.name for m in (*self.parts, *self.constraints)]
        if len(set(names)) < len(names):
            raise ConfigError(f"each metric once, not {', '.join(names)}")

    def about(self) -> dict[str, Any]:
        parts = [{**metric.about(), "weight": weight} for metric, weight in self.parts.items()]
        floors = [{**metric.about(), "floor": floor} for metric, floor in self.constraints.items()]
        return {**super().about(), "parts": parts, "constraints": floors}

    def reseed(self, seed: int) -> None:
        self.parts = {metric.again(seed): weight for metric, weight in self.parts.items()}
        self.constraints = {metric.again(seed): floor for metric, floor in self.constraints.items()}

    def measure(self, made: Made) -> Measured:
        found = {metric: metric.measured(made) for metric in (*self.parts, *self.constraints)}
        lines, objectives, total, decided = [], {}, 0.0, True
        for metric, measured in found.items():
            score, weight = measured.score, self.parts.get(metric)
            if score is not None:
                objectives[metric.name] = score
            if weight:
                decided = decided and score is not None
                total += weight * (score or 0.0)
            shown = "undecided" if score is None else f"{score:.2f}"
            role = f"weight {weight:g}" if weight is not None else f"at least {self.constraints[metric]:g}"
            lines.append(f"{metric.name} ({role}): {shown}. {measured.feedback}")
        if not decided:
            return Measured(None, "\n".join(lines))
        total /= sum(self.parts.values())
        for metric, floor in self.constraints.items():
            score = found[metric].score
            total *= 1.0 if score is None else min(1.0, score / floor)
        return Measured(min(1.0, total), "\n".join(lines), objectives)


PLUGIN = Weighted
