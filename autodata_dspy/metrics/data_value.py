"""What is each single example worth to a learner? Exact Shapley values of a nearest-neighbour classifier."""

# pyright: reportArgumentType=false
from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from autodata_dspy.errors import ConfigError
from autodata_dspy.metrics._made import Example, Made, failures
from autodata_dspy.metrics._terms import cosines
from autodata_dspy.metrics.base import DataMetric, Measured
from autodata_dspy.probes import Probe
from autodata_dspy.types import Challenge

if TYPE_CHECKING:
    from autodata_dspy.domains.base import Domain

_SHOWN, _MAX_SHOWN = 2, 160


class DataValue(DataMetric):
    """Mean value of the accepted examples beside a fixed context set, as a share of 1.

    The value of an example is its exact Shapley value for a K-nearest-neighbour classifier on the probe (Jia et al.,
    "Efficient task-specific data valuation for nearest neighbor algorithms", 2019, theorem 1), with TF-IDF
    neighbours, where an empty place among the K scores as a guess does. All values together are the classifier's
    accuracy above chance, so the value times the number of examples, `x`, is about that for an average example, more
    for one that was missing, 0 for a random label and negative for one that misleads.
    Score: x / (1 + x), and 0 where x is negative or nothing was accepted: harm must not pay more than silence.

    Unlike a whole-data-set metric it tells single program runs apart, which optimizers need.

    Args:
        probe: with labels; see `Probe.labelled`.
        domain: its labels are those that the data may have; without one, those of data and context.
        context: labelled examples that are always there (challenges, rounds or rows), such as an earlier run's; by
            default those of the domain's task. A learner has them already, so whoever writes them once more adds
            nothing, and more examples are not better ones.
        n_neighbours: K of the classifier.

    Raises:
        ConfigError: no label of the probe is one of the domain's; K below 1.
    """

    name: ClassVar[str] = "data_value"
    summary: ClassVar[str] = "mean KNN-Shapley value of the examples on a probe; also of single runs"

    def __init__(
        self,
        probe: Probe,
        domain: Domain | None = None,
        context: Iterable[Any] | None = None,
        n_neighbours: int = 5,
    ):
        if n_neighbours < 1:
            raise ConfigError(f"n_neighbours is at least 1, not {n_neighbours!r}")
        self.probe, self.n_neighbours = probe, n_neighbours
        self.context = Made.of(_given(domain) if context is None else list(context))
        self.labels = tuple(domain.labels) if domain is not None else ()
        if self.labels:
            probe.labelled(self.labels)

    def about(self) -> dict[str, Any]:
        own = {"labels": list(self.labels), "context": self.context.key, "n_neighbours": self.n_neighbours}
        return {**super().about(), **own}

    def values(self, examples: Sequence[Any]) -> list[float]:
        """The Shapley value of each example (challenges, rounds or rows), beside the context set.

        Returns:
            One each, in order, in [-1 / K, 1 / K]; 0 for examples without a text.
        """
        return self._values(Made.of(list(examples)).examples).sum(axis=0).tolist() if examples else []

    def measure(self, made: Made) -> Measured:
        if not made.examples:
            told = f"Nothing was accepted.\n{failures(made.trajectories)}"
            return Measured(0.0, told.strip(), {self.name: 0.0})
        n_all = len(made.examples) + len(self.context.examples)
        each = self._values(made.examples)  # (n probe, n examples); sums to the values
        items = tuple((each.mean(axis=1) * n_all * len(each)).tolist())
        score = self.total(items)
        return Measured(score, self._told(made, each.sum(axis=0) * n_all), {self.name: score}, items)

    def total(self, items: Sequence[Any]) -> float:
        x = max(0.0, sum(items) / len(items)) if items else 0.0
        return x / (1.0 + x)

    def _values(self, examples: Sequence[Example]) -> np.ndarray:
        everything = [*self.context.examples, *examples]
        known = list(self.labels) or sorted({e.label for e in everything if e.label})
        pairs = self.probe.labelled(known)
        # Equal distances are ordered by text, so that the order of the examples does not matter.
        order = sorted(range(len(everything)), key=lambda i: (everything[i].challenge.question, everything[i].label))
        texts = [everything[i].challenge.question for i in order]
        near = np.argsort(-cosines([text for text, _ in pairs], texts), axis=1, kind="stable")
        codes = {label: code for code, label in enumerate(sorted({everything[i].label for i in order}))}
        labels = np.array([codes[everything[i].label] for i in order])
        truths = np.array([codes.get(label, -1) if label else -1 for _, label in pairs])
        found = np.zeros((len(pairs), len(everything)))
        chance = 1.0 / len({label for _, label in pairs})
        right = (labels[near] == truths[:, None]) - chance
        found[:, order] = shapley(near, right, self.n_neighbours) / len(pairs)
        return found[:, len(self.context.examples) :]

    def _told(self, made: Made, worth: np.ndarray) -> str:
        """The examples that helped most and those that hurt: the program's own texts, nothing of the probe."""
        lines = [f"{len(worth)} accepted examples are worth {worth.mean():.2f} on average (0: nothing, below: harm)."]
        ranked = np.argsort(-worth, kind="stable")
        helped, hurt = [i for i in ranked if worth[i] > 0][:_SHOWN], [i for i in ranked[::-1] if worth[i] < 0][:_SHOWN]
        for what, indices in (("Helped", helped), ("Hurt", hurt)):
            for i in indices:
                example = made.examples[i]
                text = " ".join(example.challenge.question.split())[:_MAX_SHOWN]
                lines.append(f"{what} ({worth[i]:+.2f}), written for {example.label!r}: {text}")
        if hurt:
            lines.append("What hurts lies near texts of another class: write what belongs to its own label alone.")
        return "\n".join([*lines, *filter(None, [failures(made.trajectories)])])


def _given(domain: Domain | None) -> list[Challenge]:
    """The examples of a domain's task."""
    task = domain.task if domain is not None else None
    texts = task.examples.items() if task is not None else ()
    return [Challenge(text, label, label=label) for label, known in texts for text in known]


def shapley(near: np.ndarray, right: np.ndarray, k: int) -> np.ndarray:
    """Shapley values of training points for the accuracy of a K-nearest-neighbour classifier, in closed form.

    Args:
        near: (n queries, n points) training points from the nearest to the farthest.
        right: (n queries, n points) whether the point at that place has the query's class, or any payoff of it.
        k: number of neighbours; the utility is the sum over the K nearest (or fewer, where there are no more) over K.

    Returns:
        (n queries, n points) of the points in their own order; each row sums to the utility of all points.
    """
    n = near.shape[1]
    right = right.astype(float)
    place = np.arange(1, n)
    steps = (right[:, :-1] - right[:, 1:]) / k * np.minimum(k, place) / place
    last = right[:, -1:] * min(k, n) / (n * k)
    ranked = last + np.concatenate([np.cumsum(steps[:, ::-1], axis=1)[:, ::-1], np.zeros((len(near), 1))], axis=1)
    values = np.empty_like(ranked)
    np.put_along_axis(values, near, ranked, axis=1)
    return values


PLUGIN = DataValue
