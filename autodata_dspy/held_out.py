"""The test of a compilation, on documents that no optimizer has seen: what it can find, and what it found."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from autodata_dspy.audit import Rate
from autodata_dspy.candidates import Candidate
from autodata_dspy.errors import AutodataError, StopRun
from autodata_dspy.evaluations import Bench
from autodata_dspy.metric_audit import POWER
from autodata_dspy.metrics.base import Score
from autodata_dspy.metrics.validity import Validity
from autodata_dspy.splitting import SHARES
from autodata_dspy.types import Document, Trajectory

TEST_SEED = 7_000_000  # test runs have seeds of their own
DRAWS = 5000  # of the bootstrap
FEWEST_TESTED = 5  # documents; of fewer, all may differ in one direction by chance more often than 1 time in 20
TOLERATED = 0.05  # one doubtful example among dozens is no reason to keep the seed
_KEPT = "no evidence of improvement, the seed is kept"


@dataclass(frozen=True)
class Power:
    """What difference between two programs a test can find, by the scores of a few runs of the seed program.

    The test compares each document with itself, so it may find smaller ones; how small, one program cannot tell.

    Attributes:
        n_documents, repeats: of the test: its documents, and the runs of each by each program.
        n_runs, mean, sd: runs of the seed program, their mean score, and the standard deviation of one of them.
        hoped: the difference that a compilation hopes to find.
    """

    n_documents: int
    repeats: int
    n_runs: int
    mean: float
    sd: float
    hoped: float

    @classmethod
    def of(cls, scores: Sequence[float], n_documents: int, repeats: int, hoped: float) -> Power:
        """From at least one score in [0, 1]."""
        mean = statistics.fmean(scores)
        # A few equal scores do not show that there is no noise: one more run is taken to have scored the opposite.
        seen = scores if len(set(scores)) > 1 else [*scores, float(mean < 0.5)]
        sd = min(0.5, statistics.stdev(seen))  # no score in [0, 1] varies more
        return cls(n_documents, repeats, len(scores), mean, sd, hoped)

    @property
    def detectable(self) -> float:
        """The smallest difference that is found in 4 of 5 cases (5 % two-sided)."""
        return POWER * self.sd * math.sqrt(2 / (self.n_documents * self.repeats))

    @property
    def warning(self) -> str:
        """Why the test will not find what is hoped for, and what would do; "" where it will."""
        if self.n_documents < FEWEST_TESTED:
            n = math.ceil(FEWEST_TESTED / SHARES[2])
            return f"{self.n_documents} test documents prove nothing, whatever comes out; give at least {n} documents"
        if self.detectable <= self.hoped:
            return ""
        n_runs = math.ceil(2 * (POWER * self.sd / self.hoped) ** 2)
        n_tested = math.ceil(n_runs / self.repeats)
        return (
            f"differences below {self.detectable:.3f} are noise to this test, and {self.hoped:.3f} is hoped for; that "
            f"takes {math.ceil(n_tested / SHARES[2])} documents ({n_tested} of them to test), or "
            f"{math.ceil(n_runs / self.n_documents)} runs of each test document"
        )


@dataclass(frozen=True)
class Difference:
    """Compiled minus seed on the test documents.

    Attributes:
        mid, low, high: mean difference with its 95 % interval (paired bootstrap over documents).
        p: chance of as large a mean if each document's difference could as well have the other sign (one-sided). The
            bootstrap alone is too sure of itself with a handful of documents.
    """

    mid: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class Comparison:
    """What a test found, of "seed" and "chosen".

    Attributes:
        means: mean score on the documents that were compared; empty where the test could not be run.
        difference: of these; None where nothing could be compared.
        n_compared: documents of which each program had at least one run that the metric could decide.
        n_undecided: runs (of both) that it could not; they are left out.
        accepted: accepted rounds of those that were tried, whatever the metric makes of them.
        confirmed: accepted examples that the domain's `recheck` confirmed, of those that it could decide; empty for a
            domain without one. No optimizer saw these examples, and none is told of this check.
        stopped: why it could not be run.
    """

    means: dict[str, float] = field(default_factory=dict)
    difference: Difference | None = None
    n_compared: int = 0
    n_undecided: int = 0
    accepted: dict[str, Rate] = field(default_factory=dict)
    confirmed: dict[str, Rate] = field(default_factory=dict)
    stopped: AutodataError | None = None

    @property
    def less_valid(self) -> bool:
        """Whether examples of the chosen program are confirmed clearly less often. By Laplace's rule: one of one proves
        little, and a seed of which nothing was accepted is neither valid nor not."""
        if not self.confirmed or 0 < self.confirmed["chosen"].n == self.confirmed["chosen"].k:
            return False
        share = {arm: (rate.k + 1) / (rate.n + 2) for arm, rate in self.confirmed.items()}
        return share["chosen"] < share["seed"] - TOLERATED


def compared(bench: Bench, chosen: Candidate, documents: Sequence[Document], seed: int, repeats: int) -> Comparison:
    """Seed and chosen program on the documents, each document `repeats` times by each."""
    examples = [bench.example(d, seed + TEST_SEED + k) for d in documents for k in range(repeats)]
    states = {"seed": bench.candidates[bench.seed_id].state, "chosen": chosen.state}
    try:
        with bench.entered():
            scores = {arm: bench.scores(bench.compilable(state), examples) for arm, state in states.items()}
            made = {arm: [bench.run(state, e.document, e.seed)[0] for e in examples] for arm, state in states.items()}
            confirmed = _confirmed(bench, made)
    except StopRun as stop:
        return Comparison(stopped=stop.cause)
    pairs = [
        (before, after)
        for before, after in zip(*(_decided(scores[arm], repeats) for arm in states), strict=True)
        if before is not None and after is not None
    ]
    means = {arm: statistics.fmean(pair[i] for pair in pairs) for i, arm in enumerate(states)} if pairs else {}
    difference = paired([after - before for before, after in pairs], seed) if pairs else None
    n_undecided = sum(bool(s.undecided) for part in scores.values() for s in part)
    accepted = {arm: accepted_rounds(trajectories) for arm, trajectories in made.items()}
    return Comparison(means, difference, len(pairs), n_undecided, accepted, confirmed)


def _decided(scores: Sequence[Score], repeats: int) -> list[float | None]:
    """The mean score of each document over the runs that the metric could decide; None where it could decide none."""
    values = [None if s.undecided else float(s.score) for s in scores]
    by_document = ([v for v in values[i : i + repeats] if v is not None] for i in range(0, len(values), repeats))
    return [statistics.fmean(found) if found else None for found in by_document]


def accepted_rounds(trajectories: Sequence[Trajectory]) -> Rate:
    """Accepted rounds of those that were tried; rounds lost to infrastructure were not."""
    rounds = [r for t in trajectories for r in t.rounds if r.decision.reason != "infrastructure"]
    return Rate(sum(r.decision.accepted for r in rounds), len(rounds))


def _confirmed(bench: Bench, made: Mapping[str, Sequence[Trajectory]]) -> dict[str, Rate]:
    """How the domain's machine check, which had no part in accepting, judges what each program got accepted."""
    domain = getattr(bench.original, "domain", None)
    if getattr(domain, "recheck", None) is None:
        return {}
    accepted = {arm: [r.challenge for t in part for r in t.accepted if r.challenge] for arm, part in made.items()}
    items = iter(Validity(domain).measured([c for part in accepted.values() for c in part]).items)
    found = {}
    for arm, challenges in accepted.items():
        decided = [i for i in itertools.islice(items, len(challenges)) if i is not None]
        found[arm] = Rate(int(sum(decided)), len(decided))
    return found


def paired(gains: Sequence[float], seed: int) -> Difference:
    """Mean of per-document differences, its percentile interval, and a sign-flip test."""
    import numpy as np

    values, rng = np.asarray(gains, float), np.random.default_rng(seed)
    picked = rng.integers(0, len(values), (DRAWS, len(values)))
    low, high = np.quantile(values[picked].mean(axis=1), [0.025, 0.975])
    if len(values) <= 12:  # all of them
        signs = np.array(list(itertools.product((1, -1), repeat=len(values))))
    else:
        signs = rng.choice((1, -1), (DRAWS, len(values)))
    p = float((signs @ values >= values.sum() - 1e-9).mean())
    return Difference(float(values.mean()), float(low), float(high), p)


def verdict_on(
    changed: bool, tested: Comparison, n_documents: int, repeats: int, stopped: AutodataError | None
) -> tuple[str, bool]:
    """One sentence, and whether the chosen program takes the seed's place.

    Args:
        changed: another program than the seed was chosen on validation.
        n_documents, repeats: of the test.
        stopped: why the compilation ended before its time.
    """
    sentence, improved = _verdict(changed, tested, repeats)
    if stopped:
        sentence += f" (stopped: {stopped})"
    if tested.n_undecided:
        n = 2 * n_documents * repeats
        sentence += f"; {tested.n_undecided} of {n} test runs were undecided and are left out"
    return sentence, improved


def _verdict(changed: bool, tested: Comparison, repeats: int) -> tuple[str, bool]:
    if not changed:
        return f"{_KEPT}: nothing beat it on validation", False
    difference, n_documents = tested.difference, tested.n_compared
    if difference is None:
        return f"{_KEPT}: the test could not be run" + " to a decision" * bool(tested.n_undecided), False
    figures = f"{difference.mid:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]"
    told = f"{figures} on {n_documents} untouched documents, {repeats} runs each"
    if n_documents < FEWEST_TESTED:
        return f"{_KEPT}: {told}, too few to tell", False
    if difference.low <= 0 or difference.p > 0.05:
        return f"{_KEPT}: {told}", False
    if not tested.confirmed:
        return f"better by {told}", True
    of = " and ".join(f"{rate.k} of {rate.n} of the {arm} program's" for arm, rate in tested.confirmed.items())
    checked = f"an independent check of the accepted examples confirms {of}"
    if tested.less_valid:
        return f"{_KEPT}: the score rose by {told}, but what it accepts is right less often: {checked}", False
    return f"better by {told}; {checked}", True
