"""Compile a data-maker: split, check, forecast, optimize, and test on documents that nothing has seen."""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dspy

from autodata_dspy import registry
from autodata_dspy.artifact import save_program
from autodata_dspy.budget import Limits, Meter, RoleUsage
from autodata_dspy.calls import CallLog
from autodata_dspy.candidates import Candidate, state_of
from autodata_dspy.compiled import Compiled, CompileForecast, Difference, paired, verdict_on
from autodata_dspy.documents import check_documents, digest
from autodata_dspy.errors import AutodataError, ConfigError, StopRun
from autodata_dspy.evaluation_log import EvaluationLog
from autodata_dspy.evaluations import Bench, Told
from autodata_dspy.examiner import examiner_digest
from autodata_dspy.generation import Interrupted, fingerprint, open_folder
from autodata_dspy.optimizers.base import Optimizer, Task, check
from autodata_dspy.program_file import write_whole
from autodata_dspy.roles import Roles
from autodata_dspy.splitting import Split, split_documents
from autodata_dspy.store import RunFolder
from autodata_dspy.types import Document

logger = logging.getLogger(__name__)

TEST_SEED = 7_000_000  # test runs have seeds of their own


def compile(
    maker: Any,
    documents: Sequence[Document],
    metric: Any,
    *,
    optimizer: str | Optimizer = "bootstrap",
    budget: int = 100,
    limits: Limits | None = None,
    seed: int = 0,
    concurrency: int = 2,
    repeats: int = 2,
    run_dir: str | Path | None = None,
    gold: Mapping[str, Mapping[str, Any]] | None = None,
    confirm: Callable[[CompileForecast], bool] | None = None,
    told: Told | None = None,
    options: Mapping[str, Any] | None = None,
) -> Compiled:
    """Let an optimizer improve a data-maker, and say whether it did.

    Args:
        maker: the seed program: a generator. It is not changed.
        documents: split here into training, validation and test documents, near-duplicates on one side.
        metric: (gold, pred, trace=None, pred_name=None, pred_trace=None) → Score; `pred` has `trajectory` and
            `accepted`. It must give the same score for the same run.
        optimizer: a name of the room `optimizers`, or a plugin of your own (see `optimizers.base.Optimizer`).
        budget: program runs of the optimizer (one document in one pass each).
        limits: bounds on model calls, tokens and money over all sessions, of which the test's share is set aside.
        seed: of every random choice.
        concurrency: program runs at a time.
        repeats: runs of each test document by each of the two programs.
        run_dir: where to keep the run; one found there is continued, and finished program runs cost nothing.
        gold: document id → further fields of the gold example that the metric reads.
        confirm: asked with the forecast, after one run of the seed program; False stops.
        told: called with each candidate that was run on a set of documents, and the bench.
        options: the optimizer's own; see its OPTIONS.

    Raises:
        ConfigError: bad documents, an optimizer that does not fit, a metric that fails, not confirmed.
        StoreError: the run folder is in use, damaged, or belongs to another configuration.
        Interrupted: by Ctrl-C; runs that had begun end at their next model call, finished ones are kept.
    """
    check_documents(documents)
    if repeats < 1 or concurrency < 1 or budget < 1:
        raise ConfigError(f"budget={budget}, repeats={repeats} and concurrency={concurrency} must be at least 1")
    split = split_documents(documents, seed)
    plugin = registry.load("optimizers", optimizer) if isinstance(optimizer, str) else optimizer
    name = optimizer if isinstance(optimizer, str) else type(optimizer).__name__
    job = _Job(maker, metric, split, plugin, name, budget, seed, concurrency, repeats, dict(options or {}))
    check(plugin, name, job.task(None))
    with contextlib.ExitStack() as stack:
        folder, log, calls = None, None, None
        if run_dir is not None:
            folder = RunFolder(Path(run_dir))
            mark = f"{fingerprint(maker, documents, seed)}-{job.examiner}-{name}"
            config = {"optimizer": name, "budget": budget, "seed": seed, "options": job.options}
            open_folder(folder, stack, mark, {}, documents)
            _note(folder.path / "compile.json", config)
            calls = CallLog(folder.path / "calls.jsonl")
            log = EvaluationLog(folder.path / "evaluations.jsonl")
            stack.callback(calls.close)
            stack.callback(log.close)
        meter = Meter(job.share(limits or Limits()), calls.earlier if calls is not None else None)
        bench = Bench(maker, metric, gold=gold, log=log, calls=calls, meter=meter, n_threads=concurrency)
        bench.told = told
        stack.enter_context(bench.entered())
        stack.enter_context(dspy.context(trace=None))
        stack.callback(bench.drained)
        try:
            return job.done(bench, limits or Limits(), confirm, folder)
        except KeyboardInterrupt:
            bench.meter.stop(Interrupted("interrupted"))  # runs in flight end at their next model call
            raise Interrupted("interrupted") from None


@dataclass
class _Job:
    """One call of `compile`."""

    maker: Any
    metric: Any
    split: Split
    plugin: Any
    name: str
    budget: int
    seed: int
    concurrency: int
    repeats: int
    options: dict[str, Any]
    examiner: str = field(init=False)

    def __post_init__(self) -> None:
        self.examiner = examiner_digest(self.maker, self.metric)

    @property
    def roles(self) -> Roles:
        return getattr(self.maker, "roles", None) or Roles()

    @property
    def n_test_runs(self) -> int:
        return 2 * self.repeats * len(self.split.test)

    def task(self, bench: Bench | None) -> Task:
        return Task(
            metric=bench.metric if bench is not None else self.metric,
            budget=self.budget,
            seed=self.seed,
            n_train=len(self.split.train),
            n_val=len(self.split.val),
            n_predictors=len(self.maker.named_predictors()),
            roles=self.roles,
            n_threads=self.concurrency,
            options=self.options,
        )

    def share(self, limits: Limits) -> Limits:
        """What the optimizer may take of the limits; the rest is the test's."""
        part = self.budget / (self.budget + self.n_test_runs)
        return Limits(
            int(limits.max_calls * part) if limits.max_calls is not None else None,
            int(limits.max_tokens * part) if limits.max_tokens is not None else None,
            limits.max_usd * part if limits.max_usd is not None else None,
        )

    def done(
        self, bench: Bench, limits: Limits, confirm: Callable[[CompileForecast], bool] | None, folder: RunFolder | None
    ) -> Compiled:
        expected = self.preflight(bench)
        if confirm is not None and not confirm(expected):
            raise ConfigError("not confirmed; nothing but one run of the program was spent")
        stopped = self.optimize(bench)
        chosen = bench.best([d.id for d in self.split.val])
        n_runs, n_replayed = bench.n_runs, bench.n_replayed
        bench.meter, bench.max_runs = Meter(limits, bench.meter.by_role), None
        bench.reopened()
        test, difference, n_undecided, cut = self.test(bench, chosen)
        if examiner_digest(bench.original, self.metric) != self.examiner:
            raise ConfigError("the examiner is not the same after compiling as before: a metric or check has changed")
        stopped = stopped or cut
        verdict, improved = verdict_on(
            chosen.id != bench.seed_id, difference, (len(self.split.test), self.repeats), stopped
        )
        if n_undecided:
            verdict += f"; {n_undecided} of {self.n_test_runs} test runs were undecided and count as 0"
        compiled = Compiled(
            program=bench.program((chosen if improved else bench.candidates[bench.seed_id]).state),
            verdict=verdict,
            improved=improved,
            seed=bench.candidates[bench.seed_id],
            chosen=chosen,
            validation=_validation(bench, self.split),
            test=test,
            difference=difference,
            n_undecided=n_undecided,
            candidates=tuple(bench.candidates.values()),
            split=self.split.ids(),
            n_runs=n_runs,
            n_replayed=n_replayed,
            usage=bench.meter.to_dict(),
            examiner=self.examiner,
            stopped=stopped,
        )
        if folder is not None:
            save_program(compiled.program, folder.path / "program.json", compiled.card(**self.told()))
            _note(folder.path / "compiled.json", compiled.record())
        return compiled

    def told(self) -> dict[str, Any]:
        """What is known of the compilation beforehand, for the program's card."""
        documents = (*self.split.train, *self.split.val, *self.split.test)
        name = getattr(self.metric, "name", None) or getattr(self.metric, "__name__", type(self.metric).__name__)
        return {
            "optimizer": self.name,
            "arguments": {"budget": self.budget, "repeats": self.repeats, **self.options},
            "seed": self.seed,
            "metric": name,
            "hashes": {"verifiers": self.examiner, "documents": digest(documents)},
        }

    def preflight(self, bench: Bench) -> CompileForecast:
        """One run with the feedback of every predictor, and one reflection call: what fails, fails here.

        Raises:
            ConfigError, ProviderError: what is wrong, in one line.
        """
        example = bench.example(self.split.train[0], self.seed)
        started = time.monotonic()
        student = bench.compilable()
        try:
            prediction = student(**example.inputs())
            seconds = time.monotonic() - started
            for name, _ in student.named_predictors():
                bench.metric(example, prediction, [], name, [])
            if self.plugin.reflects:
                self.roles["reflection"]("Answer with the one word: ready")
        except StopRun as stop:
            raise stop.cause from None
        return self.forecast(bench, prediction, seconds)

    def forecast(self, bench: Bench, prediction: Any, seconds: float) -> CompileForecast:
        usage = RoleUsage()
        for role, used in bench.meter.by_role.items():
            if role != "reflection":
                usage.add(used)
        # In a folder that is continued the usage is that of all runs so far.
        n_known = max(1, len({r["key"] for r in bench.log.records()}) if bench.log is not None else 1)
        n = self.budget + self.n_test_runs
        per_run = max(seconds, prediction.trajectory.seconds)
        return CompileForecast(
            n_runs=self.budget,
            n_test_runs=self.n_test_runs,
            calls=n * usage.calls / n_known,
            tokens=n * (usage.input_tokens + usage.output_tokens) / n_known,
            minutes=n * per_run / 60 / self.concurrency,
            usd=n * usage.usd / n_known,
            n_proposals=max(0, self.plugin.n_proposals(self.task(bench))),
            unpriced=usage.unpriced,
        )

    def optimize(self, bench: Bench) -> AutodataError | None:
        """Run the optimizer; returns what stopped it. What it found is in the bench's candidates."""
        train, val = ([bench.example(d, self.seed) for d in part] for part in (self.split.train, self.split.val))
        bench.n_runs, bench.max_runs = 0, self.budget
        try:
            found = self.plugin.build(self.task(bench)).compile(bench.compilable(), trainset=train, valset=val)
            bench.note(state_of(found))
            return None
        except StopRun as stop:
            logger.warning("%s was stopped: %s", self.name, stop.cause)
            return stop.cause
        finally:
            bench.drained()
            for candidate in bench.candidates.values():
                candidate.how = candidate.how or f"tried by {self.name}"

    def test(
        self, bench: Bench, chosen: Candidate
    ) -> tuple[dict[str, float], Difference | None, int, AutodataError | None]:
        """Seed and chosen program on the test documents, each document `repeats` times by each."""
        pairs = [(d, bench.example(d, self.seed + TEST_SEED + k)) for d in self.split.test for k in range(self.repeats)]
        examples = [example for _, example in pairs]
        told, bench.told = bench.told, None
        try:
            with bench.entered():
                first = bench.scores(bench.compilable(), examples)
                second = bench.scores(bench.compilable(chosen.state), examples)
        except StopRun as stop:
            return {}, None, 0, stop.cause
        finally:
            bench.told = told
        before, after = ([float(s.score) for s in part] for part in (first, second))
        k = self.repeats
        gains = [sum(after[i : i + k]) / k - sum(before[i : i + k]) / k for i in range(0, len(after), k)]
        means = {"seed": sum(before) / len(before), "chosen": sum(after) / len(after)}
        return means, paired(gains, self.seed), sum(bool(s.undecided) for s in (*first, *second)), None


def _validation(bench: Bench, split: Split) -> dict[str, float]:
    ids = [d.id for d in split.val]
    return {c.id: mean for c in bench.candidates.values() if (mean := c.mean(ids)) is not None}


def _note(path: Path, record: dict[str, Any]) -> None:
    write_whole(path, (json.dumps(record, indent=1, ensure_ascii=False, default=str) + "\n").encode("utf-8", "replace"))
