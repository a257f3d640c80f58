"""Before a compilation spends its budget: what fails, fails here; what it will take and what it can find is told."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dspy

from autodata_dspy.budget import RoleUsage, one_line
from autodata_dspy.errors import BudgetExceeded, ConfigError, StopRun
from autodata_dspy.evaluations import Bench
from autodata_dspy.example_files import read_examples
from autodata_dspy.held_out import Power
from autodata_dspy.metric_audit import MetricAudit, audit_metric, auditable
from autodata_dspy.metrics import DataMetric, Made
from autodata_dspy.optimizers.base import Optimizer, Task

PILOT = 8  # runs of the seed program at most; every optimizer begins with these, and finds them done
AUDIT_DRAWS = 3


@dataclass(frozen=True)
class CompileForecast:
    """What a compilation may take at most and what it can find, from a few runs of the seed program.

    Attributes:
        n_runs: program runs of the optimizer.
        n_test_runs: program runs of the test.
        calls, tokens, minutes, usd: of all of them; minutes of wall time at the asked number of threads.
        n_proposals: about how many candidates the budget buys.
        unpriced: calls whose price is unknown, so that `usd` says too little.
        power: what difference the test can find.
        undecided: runs of the seed program that the metric could not decide, and what it said of the first.
        audit: of the metric, where examples were given for one.
        choice: which optimizer was taken and why; "" where the caller named one.
    """

    n_runs: int
    n_test_runs: int
    calls: float
    tokens: float
    minutes: float
    usd: float
    n_proposals: int
    unpriced: int
    power: Power
    undecided: tuple[int, str] = (0, "")
    audit: MetricAudit | None = None
    choice: str = ""

    def warnings(self) -> Iterator[str]:
        """Why what is hoped for will hardly be found; nothing where all is well."""
        n_undecided, said = self.undecided
        if n_undecided:
            of = f"{n_undecided} of the {self.power.n_runs} runs so far, which count as 0 ({said})"
            yield f"the metric could not decide {of}; what it leaves undecided no optimizer can improve"
        if self.audit is not None and not self.audit.clean:
            yield f"the metric {self.audit.about['metric']!r}, by its audit: {'; '.join(self.audit.advice())}"
        if self.power.warning:
            yield self.power.warning

    def lines(self) -> Iterator[str]:
        """Everything in plain lines."""
        if self.choice:
            yield f"optimizer: {self.choice}"
        money = f", {self.usd:.2f} USD" if self.usd else ""
        unpriced = " (some calls have no known price)" if self.unpriced else ""
        power = self.power
        yield (
            f"at most {self.n_runs} program runs, about {self.n_proposals} candidates, and {self.n_test_runs} runs to "
            f"test: about {self.calls:.0f} model calls, {self.tokens:.0f} tokens, {self.minutes:.0f} minutes{money}"
            f"{unpriced}, from {power.n_runs} runs"
        )
        if self.audit is not None:
            yield from self.audit.lines()
        yield (
            f"the test: {power.n_documents} documents, run {power.repeats} times by each program; smallest detectable "
            f"difference {power.detectable:.3f} (hoped for: {power.hoped:.3f}), as the seed's scores so far are "
            f"{power.mean:.3f} on average with a standard deviation of {power.sd:.3f}"
        )
        yield from (f"warning: {line}" for line in self.warnings())

    def signal(self) -> dict[str, Any]:
        """How clean the signal is, as plain data."""
        return {
            "test": {**dataclasses.asdict(self.power), "detectable": self.power.detectable},
            "audit": self.audit.to_dict() if self.audit is not None else None,
            "warnings": list(self.warnings()),
        }


def pilot(bench: Bench, optimizer: Optimizer, task: Task, examples: Sequence[dspy.Example]) -> None:
    """Run the seed program on examples, the first with the feedback of every predictor, and reflect once: what fails,
    fails here. A limit that is reached after the first run is left to the optimizer to meet.

    Raises:
        ConfigError, ProviderError, BudgetExceeded: what is wrong, in one line.
    """
    student = bench.compilable()
    try:
        prediction = student(**examples[0].inputs())
        for name, _ in student.named_predictors():
            bench.metric(examples[0], prediction, [], name, [])
        if optimizer.reflects:
            task.roles["reflection"]("Answer with the one word: ready")
        bench.scores(student, examples)
    except StopRun as stop:
        if not isinstance(stop.cause, BudgetExceeded) or not bench.candidates[bench.seed_id].scores:
            raise stop.cause from None


def forecast(
    bench: Bench,
    optimizer: Optimizer,
    task: Task,
    examples: Sequence[dspy.Example],
    shape: tuple[int, int],
    hoped: float,
) -> CompileForecast:
    """From a pilot on the examples.

    Args:
        shape: documents of the test, runs of each by each program.
        hoped: the difference that the test should find.
    """
    started = time.monotonic()
    pilot(bench, optimizer, task, examples)
    wall = time.monotonic() - started
    seed = bench.candidates[bench.seed_id]
    done = [e for e in examples if e.document.id in seed.scores]
    runs = [bench.run(seed.state, e.document, e.seed) for e in done]
    seconds = sum(trajectory.seconds for trajectory, _, _ in runs)
    undecided = [one_line(score.feedback) for _, _, score in runs if score.undecided]
    usage = RoleUsage()
    for role, used in bench.meter.by_role.items():
        if role != "reflection":
            usage.add(used)
    # In a folder that is continued the usage is that of all runs so far.
    n_known = len(list(bench.log.records())) if bench.log is not None else len(done)
    n_test_runs = 2 * shape[0] * shape[1]
    n = task.budget + n_test_runs
    return CompileForecast(
        n_runs=task.budget,
        n_test_runs=n_test_runs,
        calls=n * usage.calls / n_known,
        tokens=n * (usage.input_tokens + usage.output_tokens) / n_known,
        minutes=n * max(wall, seconds / task.n_threads) / len(done) / 60,  # replayed runs take no time now
        usd=n * usage.usd / n_known,
        n_proposals=max(0, optimizer.n_proposals(task)),
        unpriced=usage.unpriced,
        power=Power.of([seed.scores[e.document.id][0] for e in done], *shape, hoped),
        undecided=(len(undecided), "".join(undecided[:1])),
    )


def audit_examples(metric: Any, given: Any) -> Made | None:
    """What a metric can be audited on, of examples or the path of some; None of None.

    Raises:
        ConfigError: no such file, too few examples, or a metric that does not measure data sets.
    """
    if given is None:
        return None
    if not isinstance(metric, DataMetric):
        name = getattr(metric, "__name__", type(metric).__name__)
        raise ConfigError(f"the metric {name!r} is no DataMetric and cannot be audited; leave the examples out")
    return auditable(read_examples(given) if isinstance(given, (str, Path)) else given, AUDIT_DRAWS)


def audited(task: Task, examples: Made, labels: Iterable[str], repeats: int, hoped: float) -> MetricAudit:
    """The audit of the task's metric, within the limits of the run.

    Raises:
        ConfigError, ProviderError, BudgetExceeded: it cannot be made.
    """
    given = {"draws": AUDIT_DRAWS, "repeats": repeats, "hoped": hoped, "seed": task.seed}
    try:
        return audit_metric(task.metric, examples, labels=list(labels), **given)
    except StopRun as stop:
        if isinstance(stop.cause, BudgetExceeded):
            told = f"the audit of the metric cannot be paid: {stop.cause}; raise it, or leave the examples out"
            raise BudgetExceeded(told) from None
        raise stop.cause from None
