"""What a suite will take, from the first calls of each arm in each domain; they are part of its runs, not lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from autodata_dspy import runs
from autodata_dspy.benchmarking.cells import Cell
from autodata_dspy.benchmarking.students import Exam
from autodata_dspy.benchmarking.suite import Suite
from autodata_dspy.errors import BudgetExceeded
from autodata_dspy.events import Watch
from autodata_dspy.executors import Elsewhere
from autodata_dspy.store import RunFolder

PILOT = 10  # calls
# Title of a run, and how many examples it has already.
Progress = Callable[[str, int], AbstractContextManager[Watch]]


@dataclass(frozen=True)
class SuiteForecast:
    """What is still to be paid, about.

    Attributes:
        n_cells, n_done: runs in all, and those that are finished.
        writing, examining, testing: model calls of the arms, the examiner and the students.
        tokens, minutes, usd: of all of them.
        unpriced: some calls have no known price.
    """

    n_cells: int
    n_done: int
    writing: float
    examining: float
    testing: float
    tokens: float
    minutes: float
    usd: float
    unpriced: bool

    @property
    def calls(self) -> float:
        return self.writing + self.examining + self.testing

    def line(self) -> str:
        money = f", {self.usd:.2f} USD" if self.usd else ""
        unpriced = " (some calls have no known price)" if self.unpriced else ""
        return (
            f"{self.n_cells} runs, {self.n_done} of them done: about {self.calls:.0f} more model calls "
            f"({self.writing:.0f} to write, {self.examining:.0f} to examine, {self.testing:.0f} to test students), "
            f"{self.tokens:.0f} tokens, {self.minutes:.0f} minutes{money}{unpriced}"
        )


@dataclass(frozen=True)
class _Rates:
    """What a run has taken so far, by the call; one example more is assumed than there is."""

    calls: int
    accepted: int
    tokens: float
    seconds: float
    usd: float
    unpriced: int

    @classmethod
    def of(cls, folder: Path) -> _Rates:
        told = RunFolder(folder).read_usage()
        used = told["by_role"].values()
        calls = max(1, sum(u["calls"] for u in used))
        tokens = sum(u["input_tokens"] + u["output_tokens"] for u in used)
        usd, unpriced = sum(u["usd"] for u in used), sum(u["unpriced"] for u in used)
        return cls(calls, runs.n_accepted(folder), tokens / calls, told["seconds"] / calls, usd / calls, unpriced)

    @property
    def yielded(self) -> float:
        return (self.accepted + 1) / (self.calls + 1)

    def calls_of(self, cell: Cell) -> float:
        if cell.comparison == "calls":
            return cell.amount
        return cell.amount / max(1.0, self.tokens) if cell.comparison == "tokens" else cell.amount / self.yielded


def pilot(
    cells: Sequence[Cell], progress: Progress, executor: str | Elsewhere = "threads"
) -> dict[tuple[str, str], _Rates]:
    """(domain, arm) → what its first run takes by the call; runs that have not begun make their first calls.

    Raises:
        AutodataError: a model does not answer, an arm that cannot run, or an interruption.
    """
    found: dict[tuple[str, str], _Rates] = {}
    for cell in cells:
        if (name := (cell.ground.name, cell.arm.title)) in found or cell.given is not None:
            continue
        if not (cell.folder / "usage.json").exists():
            config = cell.config()
            most = min(PILOT, config.limits.max_calls or PILOT)
            with progress(f"first calls: {cell.title}", 0) as watch:
                limits = replace(config.limits.limits(), max_calls=most)
                result = runs.start(config, cell.folder, watch, limits, executor)
            if result.stopped is not None and not isinstance(result.stopped, BudgetExceeded):
                raise result.stopped
        found[name] = _Rates.of(cell.folder)
    return found


def forecast(
    suite: Suite, cells: Sequence[Cell], done: set[str], rates: dict[tuple[str, str], _Rates], exams: dict[str, Exam]
) -> SuiteForecast:
    """What the cells that are not `done` (by key) and the tests of all arms will take."""
    sums: dict[str, float] = dict.fromkeys(("writing", "examining", "tokens", "seconds", "usd"), 0.0)
    n_known = max(1, len(rates))
    each = {name: sum(getattr(r, name) for r in rates.values()) / n_known for name in ("tokens", "seconds", "usd")}
    for cell in cells:
        if cell.key in done:
            continue
        rate = rates.get((cell.ground.name, cell.arm.title))
        took = _taken(suite, cell, rate)
        per_call = each if rate is None else asdict(rate)
        took |= {name: sum(took.values()) * per_call[name] for name in each}
        for name, value in took.items():
            sums[name] += value
    testing = float(sum(_looks(suite, name, exam) for name, exam in exams.items())) if len(done) < len(cells) else 0.0
    return SuiteForecast(
        n_cells=len(cells),
        n_done=sum(cell.key in done for cell in cells),
        writing=sums["writing"],
        examining=sums["examining"],
        testing=testing,
        tokens=sums["tokens"] + testing * each["tokens"],
        minutes=(sums["seconds"] + testing * each["seconds"]) / 60,
        usd=sums["usd"] + testing * each["usd"],
        unpriced=any(r.unpriced for r in rates.values()),
    )


def _taken(suite: Suite, cell: Cell, rate: _Rates | None) -> dict[str, float]:
    """Model calls of a cell; none is written where its examples were made elsewhere, which has no rate."""
    writing = 0.0 if rate is None else rate.calls_of(cell)
    found = cell.given.n_examples if cell.given is not None else rate.yielded * writing if rate is not None else 0.0
    n = min(suite.examiner.examples, cell.amount if cell.comparison == "examples" else found)
    spent = 0 if rate is None else sum(u["calls"] for u in RunFolder(cell.folder).read_usage()["by_role"].values())
    return {"writing": max(0.0, writing - spent), "examining": n * 2.0 * suite.examiner.attempts}


def _looks(suite: Suite, domain: str, exam: Exam) -> int:
    """Model calls of all students of one domain: of every arm, seed, size and generation, and of the lines."""
    arms = len(suite.budget.given()) * len(suite.arms_in(domain)) * len(suite.seeds)
    students = arms * suite.generations * (1 + len(suite.sizes)) + 1
    return len(exam.test) + exam.n_calls * students
