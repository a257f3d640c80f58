"""Compile a data-maker: split, check, forecast, optimize, and test on documents that nothing has seen."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dspy

from autodata_dspy import registry
from autodata_dspy.budget import Limits, Meter
from autodata_dspy.call_log import CallLog
from autodata_dspy.candidates import state_of
from autodata_dspy.compiled import Compiled, note, save_compiled
from autodata_dspy.documents import check_documents, digest
from autodata_dspy.errors import AutodataError, ConfigError, Interrupted, StopRun
from autodata_dspy.evaluation_log import EvaluationLog
from autodata_dspy.evaluations import Bench, Ran, Told
from autodata_dspy.events import on_interrupt
from autodata_dspy.examiner import examiner_digest
from autodata_dspy.executors import Elsewhere, started
from autodata_dspy.generation import fingerprint, open_folder
from autodata_dspy.held_out import compared, verdict_on
from autodata_dspy.metric_audit import HOPED
from autodata_dspy.metrics import Made
from autodata_dspy.optimizers.base import Optimizer, Task, check, fitting
from autodata_dspy.preflight import PILOT, CompileForecast, audit_examples, audited, forecast
from autodata_dspy.roles import Roles
from autodata_dspy.splitting import Split, split_documents
from autodata_dspy.store import RunFolder
from autodata_dspy.types import Document

logger = logging.getLogger(__name__)


def compile(
    maker: Any,
    documents: Sequence[Document],
    metric: Any,
    *,
    optimizer: str | Optimizer | None = None,
    budget: int = 100,
    limits: Limits | None = None,
    seed: int = 0,
    concurrency: int = 2,
    executor: str | Elsewhere = "threads",
    repeats: int = 2,
    hoped: float = HOPED,
    audit: Any = None,
    run_dir: str | Path | None = None,
    gold: Mapping[str, Mapping[str, Any]] | None = None,
    confirm: Callable[[CompileForecast], bool] | None = None,
    told: Told | None = None,
    ran: Ran | None = None,
    options: Mapping[str, Any] | None = None,
) -> Compiled:
    """Let an optimizer improve a data-maker, and say whether it did.

    Args:
        maker: the seed program: a generator. It is not changed.
        documents: split here into training, validation and test documents, near-duplicates on one side.
        metric: (gold, pred, trace=None, pred_name=None, pred_trace=None) → Score; `pred` has `trajectory` and
            `accepted`. It must give the same score for the same run.
        optimizer: a name of the room `optimizers`, or a plugin of your own (see `optimizers.base.Optimizer`). None is
            `bootstrap` where the reflection role is an embedded model, and `gepa` where it is another one.
        budget: program runs of the optimizer (one document in one pass each).
        limits: bounds on model calls, tokens and money over all sessions, of which the test's share is set aside.
        seed: of every random choice.
        concurrency, executor: program runs at a time, and where (see `generate`); the metric is taken here.
        repeats: runs of each test document by each of the two programs.
        hoped: the difference in score, in (0, 1], that the compilation should find; where its test is too small for
            that, or the audited metric too noisy, the forecast warns.
        audit: examples on which the metric, a `DataMetric`, is audited before the budget is spent, at 25 measurements
            (see `metric_audit`): at least 8 challenges, rounds or rows, or the path of a file of them or of a run.
        run_dir: where to keep the run; one found there is continued, and finished program runs cost nothing.
        gold: document id → further fields of the gold example that the metric reads.
        confirm: asked with the forecast, after up to 8 of the runs, by the seed; False stops. None logs warnings.
        told, ran: hear of each candidate's scores on a set of documents, and of each program run; see `Bench`.
        options: the optimizer's own; see its OPTIONS.

    Raises:
        ConfigError: bad documents, an unfit optimizer, a metric that fails or cannot be audited, not confirmed.
        StoreError: the run folder is in use, damaged, or belongs to another configuration.
        Interrupted: by Ctrl-C; runs that had begun end at their next model call, finished ones are kept.
    """
    check_documents(documents)
    if repeats < 1 or concurrency < 1 or budget < 1:
        raise ConfigError(f"budget={budget}, repeats={repeats} and concurrency={concurrency} must be at least 1")
    if not 0 < hoped <= 1:
        raise ConfigError(f"hoped={hoped} must be a difference above 0 and at most 1")
    split, roles = split_documents(documents, seed), getattr(maker, "roles", None) or Roles()
    chosen, why = (optimizer, "") if optimizer is not None else fitting(roles)
    name = chosen if isinstance(chosen, str) else type(chosen).__name__
    task = Task(
        metric=metric,
        budget=budget,
        seed=seed,
        n_train=len(split.train),
        n_val=len(split.val),
        n_predictors=len(maker.named_predictors()),
        roles=roles,
        n_threads=concurrency,
        options=dict(options or {}),
    )
    job = _Job(
        maker,
        task,
        split,
        name,
        registry.load("optimizers", chosen) if isinstance(chosen, str) else chosen,
        limits or Limits(),
        repeats,
        hoped,
        audit_examples(metric, audit),
        why and f"{name}, because {why}",
        examiner_digest(maker, metric, gold),
    )
    check(job.optimizer, name, task)
    with contextlib.ExitStack() as stack:
        where = {"n_threads": concurrency, "elsewhere": stack.enter_context(started(executor, concurrency))}
        folder = RunFolder(Path(run_dir)) if run_dir is not None else None
        log, calls = job.opened(folder, documents, stack) if folder is not None else (None, None)
        meter = Meter(job.share(), calls.earlier if calls is not None else None)
        bench = Bench(maker, metric, gold=gold, log=log, calls=calls, meter=meter, **where)
        bench.ran = ran
        stack.enter_context(bench.entered())
        stack.enter_context(dspy.context(trace=None))
        stack.callback(bench.drained)
        stack.enter_context(on_interrupt(functools.partial(_interrupt, bench)))
        try:
            return job.done(bench, confirm, told, folder)
        except KeyboardInterrupt:
            raise Interrupted("interrupted") from None


def _interrupt(bench: Bench) -> None:
    bench.meter.stop(Interrupted("interrupted"))  # runs in flight end at their next model call, and are waited for
    raise KeyboardInterrupt


@dataclass
class _Job:
    """One call of `compile`; `choice` tells why the optimizer was taken, `examiner` is the digest of what is frozen."""

    maker: Any
    task: Task
    split: Split
    name: str
    optimizer: Optimizer
    limits: Limits
    repeats: int
    hoped: float
    audit: Made | None
    choice: str
    examiner: str

    def opened(
        self, folder: RunFolder, documents: Sequence[Document], stack: contextlib.ExitStack
    ) -> tuple[EvaluationLog, CallLog]:
        """The logs of a run folder, which is held until the stack ends."""
        task = self.task
        mark = f"{fingerprint(self.maker, documents, task.seed)}-{self.examiner}-{self.name}"
        open_folder(folder, stack, mark, {}, documents)
        config = {"optimizer": self.name, "budget": task.budget, "seed": task.seed, "options": task.options}
        note(folder.path / "compile.json", config)
        calls = CallLog(folder.path / "calls.jsonl")
        stack.callback(calls.close)
        log = EvaluationLog(folder.path / "evaluations.jsonl")
        stack.callback(log.close)
        return log, calls

    def share(self) -> Limits:
        """What the optimizer may take of the limits; the rest is the test's."""
        part = self.task.budget / (self.task.budget + 2 * self.repeats * len(self.split.test))
        limits = self.limits
        return Limits(
            int(limits.max_calls * part) if limits.max_calls is not None else None,
            int(limits.max_tokens * part) if limits.max_tokens is not None else None,
            limits.max_usd * part if limits.max_usd is not None else None,
        )

    def done(
        self,
        bench: Bench,
        confirm: Callable[[CompileForecast], bool] | None,
        told: Told | None,
        folder: RunFolder | None,
    ) -> Compiled:
        expected = self.agreed(bench, confirm)
        bench.told = told
        stopped = self.optimize(bench)
        bench.told = None
        chosen = bench.best([d.id for d in self.split.val])
        n_runs, n_replayed = bench.n_runs, bench.n_replayed
        bench.meter, bench.max_runs = Meter(self.limits, bench.meter.by_role, bench.meter.answered), None
        bench.reopened()
        tested = compared(bench, chosen, self.split.test, self.task.seed, self.repeats)
        if examiner_digest(bench.original, self.task.metric, bench.gold) != self.examiner:
            raise ConfigError("the examiner is not the same after compiling as before: a metric or check has changed")
        stopped, n_tested = stopped or tested.stopped, len(self.split.test)
        verdict, improved = verdict_on(chosen.id != bench.seed_id, tested, n_tested, self.repeats, stopped)
        compiled = Compiled(
            program=bench.program((chosen if improved else bench.candidates[bench.seed_id]).state),
            verdict=verdict,
            improved=improved,
            seed=bench.candidates[bench.seed_id],
            chosen=chosen,
            validation=_validation(bench, self.split),
            test=tested.means,
            difference=tested.difference,
            n_compared=tested.n_compared,
            n_undecided=tested.n_undecided,
            accepted=tested.accepted,
            confirmed=tested.confirmed,
            forecast=expected,
            candidates=tuple(bench.candidates.values()),
            split=self.split.ids(),
            n_runs=n_runs,
            n_replayed=n_replayed,
            usage=bench.meter.to_dict(),
            examiner=self.examiner,
            stopped=stopped,
        )
        if folder is not None:
            save_compiled(compiled, folder.path, bench.program, self.facts())
        return compiled

    def facts(self) -> dict[str, Any]:
        """What is known of the compilation beforehand, for the program's card."""
        task, metric, split = self.task, self.task.metric, self.split
        given = {"budget": task.budget, "repeats": self.repeats, "hoped": self.hoped, **task.options}
        rule = getattr(self.maker, "acceptance", None)
        return {
            "optimizer": self.name,
            "arguments": given if rule is None else {**given, "acceptance": str(rule)},
            "seed": task.seed,
            "metric": getattr(metric, "name", None) or getattr(metric, "__name__", type(metric).__name__),
            "hashes": {"verifiers": self.examiner, "documents": digest((*split.train, *split.val, *split.test))},
        }

    def agreed(self, bench: Bench, confirm: Callable[[CompileForecast], bool] | None) -> CompileForecast:
        """What it will take and can find, from the first runs of the seed program and the audit of the metric.

        Raises:
            ConfigError: the user says no.
        """
        task, shape = self.task, (len(self.split.test), self.repeats)
        examples = [bench.example(d, task.seed) for d in self.split.val[:PILOT]]
        expected = forecast(bench, self.optimizer, task, examples, shape, self.hoped)
        labels = getattr(getattr(self.maker, "domain", None), "labels", ())
        found = None if self.audit is None else audited(task, self.audit, labels, self.repeats, self.hoped)
        expected = dataclasses.replace(expected, audit=found, choice=self.choice)
        if confirm is None:
            for line in expected.warnings():
                logger.warning("%s", line)
        elif not confirm(expected):
            raise ConfigError(f"not confirmed; nothing but the forecast ({bench.n_runs} program runs) was paid for")
        return expected

    def optimize(self, bench: Bench) -> AutodataError | None:
        """Run the optimizer; returns what stopped it. What it found is in the bench's candidates."""
        task = dataclasses.replace(self.task, metric=bench.metric)
        train, val = ([bench.example(d, task.seed) for d in part] for part in (self.split.train, self.split.val))
        bench.max_runs = task.budget
        try:
            found = self.optimizer.build(task).compile(bench.compilable(), trainset=train, valset=val)
            bench.note(state_of(found))
            return None
        except StopRun as stop:
            logger.warning("%s was stopped: %s", self.name, stop.cause)
            return stop.cause
        finally:
            bench.drained()
            for candidate in bench.candidates.values():
                candidate.how = candidate.how or f"tried by {self.name}"


def _validation(bench: Bench, split: Split) -> dict[str, float]:
    ids = [d.id for d in split.val]
    return {c.id: mean for c in bench.candidates.values() if (mean := c.mean(ids)) is not None}
