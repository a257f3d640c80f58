"""What a compilation expects to take, and what came of it."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autodata_dspy.candidates import Candidate
from autodata_dspy.errors import AutodataError

DRAWS = 5000  # of the bootstrap
FEWEST_TESTED = 5  # documents; of fewer, all may differ in one direction by chance more often than 1 time in 20
_KEPT = "no evidence of improvement, the seed is kept"


@dataclass(frozen=True)
class CompileForecast:
    """What a compilation may take at most, from one run of the seed program.

    Attributes:
        n_runs: program runs of the optimizer.
        n_test_runs: program runs of the test.
        calls, tokens, minutes, usd: of all of them; minutes of wall time at the asked number of threads.
        n_proposals: about how many candidates the budget buys.
        unpriced: calls whose price is unknown, so that `usd` says too little.
    """

    n_runs: int
    n_test_runs: int
    calls: float
    tokens: float
    minutes: float
    usd: float
    n_proposals: int
    unpriced: int = 0


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
class Compiled:
    """What came of it.

    Attributes:
        program: the compiled data-maker; the seed where there is no evidence that another one is better.
        verdict: one sentence.
        improved: whether `program` is another one than the seed.
        seed, chosen: the seed program, and the candidate with the best validation score.
        validation: candidate id → mean score on the validation documents, for those that were run on all of them.
        test: "seed" and "chosen" → mean score on the test documents; empty where the test could not be run.
        difference: of these, where both were run.
        n_undecided: test runs (of both) that the metric could not decide; they count as 0.
        candidates: every one, in the order of its first run.
        split: ids of the documents of each part.
        n_runs, n_replayed: program runs, and how many of these an earlier session had paid for.
        usage: role → counts, over all sessions.
        examiner: hash of what scored.
        stopped: why it ended before its time; None if it did not.
    """

    program: Any
    verdict: str
    improved: bool
    seed: Candidate
    chosen: Candidate
    validation: dict[str, float]
    test: dict[str, float]
    difference: Difference | None
    n_undecided: int
    candidates: tuple[Candidate, ...]
    split: dict[str, list[str]]
    n_runs: int
    n_replayed: int
    usage: dict[str, Any]
    examiner: str
    stopped: AutodataError | None = None

    def card(self, **told: Any) -> dict[str, Any]:
        """What a program file says of how it was made (see `program_file.Card`); `told` joins it."""
        place = {c.id: i for i, c in enumerate(self.candidates)}
        lineage = [
            {
                "parents": [place[c.parent]] if c.parent in place else [],
                "score": self.validation.get(c.id),
                "instructions": {name: part["instructions"] for name, part in c.state.items()},
                "note": c.how,
            }
            for c in self.candidates
        ]
        n = len(self.split["test"])
        scores: dict[str, Any] = {f"test, {arm}": {"value": mean, "n": n} for arm, mean in self.test.items()}
        if d := self.difference:
            scores["test, difference"] = {"value": d.mid, "low": d.low, "high": d.high, "n": n}
        names = ("calls", "input_tokens", "output_tokens", "usd", "seconds")
        spend = {name: sum(used[name] for used in self.usage.values()) for name in names}
        return {"verdict": self.verdict, "scores": scores, "spend": spend, "lineage": lineage, **told}

    def record(self) -> dict[str, Any]:
        """As plain data, without the program."""
        lineage = [dataclasses.asdict(c) | {"validation": self.validation.get(c.id)} for c in self.candidates]
        return {
            "verdict": self.verdict,
            "improved": self.improved,
            "seed": self.seed.id,
            "chosen": self.chosen.id,
            "test": self.test,
            "difference": dataclasses.asdict(self.difference) if self.difference else None,
            "n_undecided": self.n_undecided,
            "n_runs": self.n_runs,
            "usage": self.usage,
            "examiner": self.examiner,
            "split": self.split,
            "stopped": str(self.stopped or ""),
            "candidates": lineage,
        }


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
    changed: bool, difference: Difference | None, tested: tuple[int, int], stopped: AutodataError | None
) -> tuple[str, bool]:
    """One sentence, and whether the chosen program takes the seed's place.

    Args:
        changed: another program than the seed was chosen on validation.
        tested: number of documents, runs of each.
    """
    why = f" (stopped: {stopped})" if stopped else ""
    if not changed:
        return f"{_KEPT}: nothing beat it on validation{why}", False
    if difference is None:
        return f"{_KEPT}: the test could not be run{why}", False
    figures = f"{difference.mid:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]"
    told = f"{figures} on {tested[0]} untouched documents, {tested[1]} runs each"
    if tested[0] < FEWEST_TESTED:
        return f"{_KEPT}: {told}, too few to tell{why}", False
    if difference.low > 0 and difference.p <= 0.05:
        return f"better by {told}{why}", True
    return f"{_KEPT}: {told}{why}", False
