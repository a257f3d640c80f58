"""Is a metric's signal clean enough to compile on? It is tried on data sets that are known to be better or worse.

>>> found = audit_metric(ClassifierStudent(probe), examples)
>>> print("\\n".join(found.lines()))
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import random
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from autodata_dspy.damage import SHARES, corrupted, duplicated, halved, off_topic, redrawn
from autodata_dspy.errors import ConfigError
from autodata_dspy.metrics._made import Example, Made
from autodata_dspy.metrics.base import DataMetric, Measured
from autodata_dspy.resampling import bootstrap, falling

POWER = 1.96 + 0.84  # a difference of so many standard deviations is found in 4 of 5 cases, at 5 % two-sided
HOPED = 0.05
_N_DRAWS = 500
_ALPHA = 0.05


@dataclass(frozen=True)
class Damaged:
    """Data sets that were made worse in one way, and what the metric said of each.

    Attributes:
        share: of the examples that were damaged.
        scores: one for each draw; None where the metric was undecided.
    """

    name: str
    share: float
    scores: tuple[float | None, ...]

    @property
    def mean(self) -> float | None:
        decided = [s for s in self.scores if s is not None]
        return statistics.fmean(decided) if decided else None


@dataclass(frozen=True)
class MetricAudit:
    """What an audit found.

    Attributes:
        about: the metric; n_examples, n_probe (None: it has no probe).
        score: of the examples as they are.
        repeat_sd: standard deviation over repeats with the same examples and other seeds (test–retest).
        data_sd: over data sets of this size drawn anew from the examples (label by label, with replacement): what
            another run of one program would change.
        probe_sd: of the difference between two such data sets, over probes of this size drawn anew.
        ladder: corrupted labels or answers, by share; others: duplicates, off-topic texts, half the size.
        rho, p: Spearman's correlation of share and score on the ladder, and how likely one so low is by chance.
        hoped: the difference that a compilation hopes to find; repeats: measurements that are averaged for it.
    """

    about: dict[str, Any]
    n_examples: int
    n_probe: int | None
    score: float
    repeat_sd: float
    data_sd: float
    probe_sd: float
    ladder: tuple[Damaged, ...]
    others: tuple[Damaged, ...]
    rho: float | None
    p: float | None
    hoped: float = HOPED
    repeats: int = 1

    @property
    def monotone(self) -> bool | None:
        """Whether more corruption never scored higher on average, and full corruption lower than none."""
        means = [self.score, *(d.mean for d in self.ladder)]
        known = [m for m in means if m is not None]
        if len(known) < len(means):
            return None
        return known == sorted(known, reverse=True) and known[-1] < known[0]

    @property
    def noise(self) -> float:
        """Standard deviation of one measurement: another data set of the same program, other seeds."""
        return math.hypot(self.data_sd, self.repeat_sd)

    @property
    def signal_to_noise(self) -> float | None:
        """Score of the whole minus that of the fully corrupted data, in units of the noise; None without noise."""
        worst = self.ladder[-1].mean
        return None if worst is None or self.noise < 1e-12 else (self.score - worst) / self.noise

    @property
    def detectable(self) -> float:
        """The smallest difference between two programs that is found in 4 of 5 cases (5 % two-sided)."""
        return POWER * math.sqrt(self.probe_sd**2 + 2 * self.noise**2 / self.repeats)

    @property
    def clean(self) -> bool:
        """Whether it falls with corruption for sure, and the hoped difference can be detected."""
        return bool(self.monotone and self.p is not None and self.p < _ALPHA and self.detectable <= self.hoped)

    def advice(self) -> list[str]:
        """What to do before a budget is spent."""
        if self.rho is None or self.p is None or self.p >= _ALPHA or not self.monotone:
            return ["it does not fall reliably as labels or answers become wrong: it cannot tell right from wrong data"]
        if self.detectable <= self.hoped:
            return [f"a difference of {self.hoped:.3f} can be found with {self.repeats} measurement(s)"]
        told = []
        allowed = (self.hoped / POWER) ** 2 / 2  # half of the variance to the probe, half to the data
        if self.n_probe and self.probe_sd**2 > allowed:
            needed = math.ceil(self.n_probe * self.probe_sd**2 / allowed)
            told.append(f"take about {needed} probe items instead of {self.n_probe} to find {self.hoped:.3f}")
        if 2 * self.noise**2 > allowed:
            needed = math.ceil(2 * self.noise**2 / allowed)
            told.append(f"average {needed} data sets of each program, or make them larger, to find {self.hoped:.3f}")
        return [*told, f"as it is, differences below {self.detectable:.3f} are noise"]

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        derived = ("monotone", "noise", "signal_to_noise", "detectable", "clean")
        return {**dataclasses.asdict(self), **{name: getattr(self, name) for name in derived}, "advice": self.advice()}

    def lines(self) -> Iterator[str]:
        """Everything in plain lines."""
        probe = f", {self.n_probe} probe items" if self.n_probe else ""
        yield f"{self.about['metric']}: {self.n_examples} examples{probe}: score {self.score:.3f}"
        yield f"  noise: same data again {self.repeat_sd:.3f}, another data set of this size {self.data_sd:.3f}"
        for damaged in (*self.ladder, *self.others):
            if damaged.mean is None:
                yield f"  {damaged.name:28} undecided"
                continue
            change = damaged.mean - self.score
            units = f", {change / self.noise:+.1f} noise" if self.noise > 1e-12 else ""
            yield f"  {damaged.name:28} {damaged.mean:.3f} ({change:+.3f}{units})"
        if self.rho is None:
            yield "  corruption: no response"
        else:
            word = {True: "monotone", False: "not monotone", None: "partly undecided"}[self.monotone]
            yield f"  corruption: {word}, Spearman {self.rho:.2f} (p = {self.p:.4f})"
        ratio = self.signal_to_noise
        yield f"  signal to noise: {'no noise was seen' if ratio is None else f'{ratio:.1f}'}"
        yield f"  smallest detectable difference: {self.detectable:.3f} (hoped for: {self.hoped:.3f})"
        for line in self.advice():
            yield f"  advice: {line}"


def audit_metric(
    metric: DataMetric,
    examples: Any,
    *,
    labels: Sequence[str] = (),
    draws: int = 5,
    repeats: int = 1,
    hoped: float = HOPED,
    seed: int = 0,
    watch: Callable[[int, int], None] | None = None,
) -> MetricAudit:
    """Measure a metric's noise and its response to damage. It costs 8 measurements for each draw, and one.

    Args:
        metric: with its probe.
        examples: a list of challenges, rounds or rows, or a prediction with `accepted`; at least 8.
        labels: wrong labels are drawn from these; by default from those of the examples.
        draws: data sets of each kind.
        repeats: measurements that a compilation would average.
        hoped: difference that it hopes to find, on the metric's scale.
        watch: called with (measurements made, all).

    Raises:
        ConfigError: fewer than 8 examples, draws below 2, or the metric is undecided on the examples.
        StopRun: the metric cannot measure them.
    """
    made = auditable(examples, draws)
    rows, rng, meter = made.examples, random.Random(seed), _Meter(metric, 1 + 8 * draws, watch)
    whole = meter(made)
    if whole.score is None:
        raise ConfigError(f"the metric {metric.name!r} is undecided on these examples: {whole.feedback}")
    repeated = [meter(made, metric.again(seed + 1 + i)).score for i in range(draws)]
    again = [meter(Made(tuple(redrawn(rows, rng)))) for _ in range(draws)]
    damaged = [
        Damaged(name, share, tuple(meter(Made(tuple(damage()))).score for _ in range(draws)))
        for name, share, damage in _damages(rows, rng, labels)
    ]
    ladder, others = tuple(damaged[: len(SHARES)]), tuple(damaged[len(SHARES) :])
    points = [(0.0, whole.score), *((d.share, s) for d in ladder for s in d.scores if s is not None)]
    rho, p = falling([x for x, _ in points], [y for _, y in points], seed=seed) or (None, None)
    probe = getattr(metric, "probe", None)
    return MetricAudit(
        about=metric.about(),
        n_examples=len(rows),
        n_probe=None if probe is None else len(probe),
        score=whole.score,
        repeat_sd=_sd([whole.score, *repeated]),
        data_sd=_data_sd(metric, whole, again, seed),
        probe_sd=0.0 if probe is None else _probe_sd(metric, [whole, *again], seed),
        ladder=ladder,
        others=others,
        rho=rho,
        p=p,
        hoped=hoped,
        repeats=repeats,
    )


def auditable(examples: Any, draws: int) -> Made:
    """The examples of an audit. Raises ConfigError where they, or the draws, are too few."""
    made = Made.of(examples)
    if len(made.examples) < 8 or draws < 2:
        raise ConfigError(f"an audit needs 8 examples and 2 draws, not {len(made.examples)} and {draws}")
    return made


class _Meter:
    """Measures and counts."""

    def __init__(self, metric: DataMetric, n: int, watch: Callable[[int, int], None] | None):
        self.metric, self.n, self.watch, self.n_done = metric, n, watch, 0

    def __call__(self, made: Made, metric: DataMetric | None = None) -> Measured:
        found = (metric or self.metric).measured(made)
        self.n_done += 1
        if self.watch:
            self.watch(self.n_done, self.n)
        return found


def _damages(
    rows: Sequence[Example], rng: random.Random, labels: Sequence[str]
) -> Iterator[tuple[str, float, Callable[[], list[Example]]]]:
    """Name, share and how it is done: the ladder of corruption first."""
    for share in SHARES:
        yield f"{share:.0%} wrong labels or answers", share, functools.partial(corrupted, rows, share, rng, labels)
    yield "half of them duplicates", 0.5, functools.partial(duplicated, rows, rng)
    yield "half of them off-topic", 0.5, functools.partial(off_topic, rows, rng)
    yield "half the size", 0.5, functools.partial(halved, rows, rng)


def _sd(scores: Sequence[float | None]) -> float:
    decided = [s for s in scores if s is not None]
    return statistics.stdev(decided) if len(decided) > 1 else 0.0


def _data_sd(metric: DataMetric, whole: Any, again: Sequence[Any], seed: int) -> float:
    """Over the data sets drawn anew; where the metric judges documents, not examples, over its items."""
    scores = [m.score for m in again]
    if any(s is not None for s in scores) or not whole.items:
        return _sd(scores)
    totals = bootstrap(len(whole.items), lambda at: metric.total([whole.items[i] for i in at]) or 0.0, _N_DRAWS, seed)
    return float(totals.std(ddof=1))


def _probe_sd(metric: DataMetric, found: Sequence[Any], seed: int) -> float:
    """Standard deviation, over probes drawn anew, of the difference between two data sets: paired by item."""
    with_items = [m.items for m in found if m.score is not None and m.items]
    pairs = list(itertools.pairwise(with_items))
    variances = []
    for left, right in pairs:

        def difference(at: Any, left: Any = left, right: Any = right) -> float:
            one, other = (metric.total([side[i] for i in at]) for side in (left, right))
            return 0.0 if one is None or other is None else one - other

        variances.append(float(bootstrap(len(left), difference, _N_DRAWS, seed).var(ddof=1)))
    return math.sqrt(statistics.fmean(variances)) if variances else 0.0
