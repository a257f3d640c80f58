"""Documents → trajectories: concurrent, bounded by a budget, resumable."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dspy

from autodata_dspy import __version__
from autodata_dspy.budget import Limits, Meter, RoleUsage, metered
from autodata_dspy.call_log import CallLog, logged, working_on
from autodata_dspy.curation import final_audit
from autodata_dspy.documents import check_documents, digest
from autodata_dspy.errands import Errands, Packet, packed
from autodata_dspy.errors import AutodataError, Interrupted, StopRun, StoreError
from autodata_dspy.events import Shielded, Watch, listening, on_interrupt
from autodata_dspy.executors import Elsewhere, run_threads, started
from autodata_dspy.jobs import Job, made
from autodata_dspy.results import Result
from autodata_dspy.roles import ROLES
from autodata_dspy.store import RunFolder
from autodata_dspy.types import Challenge, Document, Trajectory


def generate(
    maker: Any,
    documents: Sequence[Document],
    n: int | None = None,
    *,
    seed: int = 0,
    passes: int = 1,
    concurrency: int = 2,
    executor: str | Elsewhere = "threads",
    run_dir: str | Path | None = None,
    limits: Limits | None = None,
    config: dict[str, Any] | None = None,
    watch: Watch | None = None,
) -> Result:
    """Run a generator over documents until `n` examples are accepted or the documents are used up.

    Args:
        maker: any module that is called as `maker(document=…, seed=…)` and returns a prediction with a
            `trajectory`, or with `accepted` or `challenge` (then every challenge counts as accepted). If it has
            `learn`, that is called with the accepted challenges of every finished document. If its `verified` says
            what stands behind its examples, that is told instead of the domain's.
        documents: with unique ids; without text only for a maker whose `needs_documents` is False.
        n: accepted examples wanted; None works through all documents.
        seed: of every sampling decision.
        passes: how often to go through the documents.
        concurrency: documents at a time.
        executor: where they are worked on: "threads" of this process, "loky" (processes), "dask[:ADDRESS]" or
            "ray[:ADDRESS]"; see `executors.started` and `errands.Errands`.
        run_dir: where to keep the run; an unfinished run of the same configuration found there is
            continued, without paying again for calls that were answered.
        limits: bounds on calls, tokens and money, over all sessions of the run.
        config: written into the run folder, for people and for `autodata resume`.
        watch: told of every round and document; see Watch.

    Raises:
        ConfigError: bad documents, an executor that cannot be used, a maker that cannot travel to it.
        StoreError: the run folder is in use, damaged, or belongs to another configuration.
    """
    check_documents(documents, may_be_empty=not getattr(maker, "needs_documents", True))
    jobs = [Job(d, seed * 1000 + p) for p in range(passes) for d in documents]
    with contextlib.ExitStack() as stack:
        elsewhere = stack.enter_context(started(executor, concurrency))
        packet = packed(maker) if elsewhere is not None else None  # before it learns anything here
        folder, log, done = None, None, {}
        if run_dir is not None:
            folder = RunFolder(Path(run_dir))
            open_folder(folder, stack, fingerprint(maker, documents, seed), config or {}, documents)
            log = CallLog(folder.path / "calls.jsonl")
            stack.callback(log.close)
            done = {key: t for key, t in folder.latest().items() if t.status != "stopped"}
        meter = Meter(limits, _earlier(folder, log) if folder is not None and log is not None else None)
        run = _Run(maker, jobs, n, meter, folder, Shielded(watch or Watch()), done)
        if elsewhere is not None and packet is not None:
            run.away = Errands(elsewhere, log, concurrency), packet
        stack.enter_context(metered(meter))
        stack.enter_context(logged(log))
        stack.enter_context(listening(run.watch.round_finished))
        # Nothing here reads DSPy's trace, which would keep every input of the run in memory.
        stack.enter_context(dspy.context(trace=None))
        stack.enter_context(_interruptible(run))
        return run.drive(concurrency)


def _earlier(folder: RunFolder, log: CallLog) -> dict[str, RoleUsage]:
    """What earlier sessions used: the log has what was answered, and the usage also what failed."""
    used = {role: dataclasses.replace(usage) for role, usage in log.earlier.items()}
    for role, told in folder.read_usage()["by_role"].items():
        if failed := int(told.get("failed", 0)):
            used.setdefault(role, RoleUsage()).add(RoleUsage(calls=failed, failed=failed))
    return used


def open_folder(
    folder: RunFolder,
    stack: contextlib.ExitStack,
    mark: str,
    config: dict[str, Any],
    documents: Sequence[Document],
) -> None:
    """Hold a run folder until the stack ends; a new one is created, one of another fingerprint (`mark`) refused. What
    may change from session to session holds from now on."""
    stack.enter_context(folder.owned())
    if not folder.exists():
        folder.create(config, mark, list(documents))
        stack.enter_context(folder.logging_to())
        return
    before, earlier = folder.read_config()
    if earlier != mark:
        raise StoreError(
            f"the run folder {folder.path} belongs to another configuration ({earlier}, not {mark}); name another "
            "folder, or run the configuration it was made with"
        )
    if config and config != before:
        folder.write_config(config, mark)
    stack.enter_context(folder.logging_to())


def fingerprint(maker: Any, documents: Sequence[Document], seed: int) -> str:
    """Hash of what a run folder must agree on to be continued: generator, prompts, options, models, documents,
    seed. Not n, passes, limits, concurrency or executor, which may change from session to session."""
    state = maker.dump_state() if hasattr(maker, "dump_state") else {}
    prompts = {
        name: [predictor.get("signature"), predictor.get("demos")]
        for name, predictor in state.items()
        if isinstance(predictor, dict)
    }
    options = {k: repr(v) for k, v in sorted(vars(maker).items()) if _is_option(k, v)}
    kind = f"{type(maker).__module__}.{type(maker).__qualname__}"
    domain, roles = getattr(maker, "domain", None), getattr(maker, "roles", None)
    parameters = roles.to_dict() if roles is not None else {}
    known = [kind, getattr(domain, "name", ""), prompts, options, models_of(maker), parameters, digest(documents), seed]
    return hashlib.sha256(json.dumps(known, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _is_option(name: str, value: Any) -> bool:
    simple = isinstance(value, (bool, int, float, str, type(None)))
    # Nothing left out adds nothing, so that folders of earlier versions are still continued.
    return not name.startswith("_") and (simple or name == "acceptance" or (name == "without" and bool(value)))


def models_of(maker: Any) -> dict[str, str]:
    """role → model string, for a maker with roles."""
    roles = getattr(maker, "roles", None)
    models = {role: roles.model_of(role) for role in ROLES} if roles is not None else {}
    return models | ({"weak_solver": "learner"} if getattr(getattr(maker, "domain", None), "learner", None) else {})


def origin_of(maker: Any) -> dict[str, str]:
    """What makes the data, as text; see `Result.origin`."""
    rule = getattr(maker, "acceptance", None)
    return {
        "version": __version__,
        "generator": type(maker).__name__,
        "domain": getattr(getattr(maker, "domain", None), "name", ""),
        "acceptance": repr(rule) if rule is not None else "",
    }


@dataclass
class _Run:
    """State of one session; only the driver thread changes it."""

    maker: Any
    jobs: list[Job]
    n: int | None
    meter: Meter
    folder: RunFolder | None
    watch: Watch
    done: dict[str, Trajectory]
    away: tuple[Errands, Packet] | None = None
    interrupts: int = 0
    n_accepted: int = 0
    learned: list[list[Challenge]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.n_accepted = sum(len(t.accepted) for t in self.done.values())
        for trajectory in self.done.values():
            self._teach(trajectory)

    def drive(self, concurrency: int) -> Result:
        started = time.monotonic()
        before = self.folder.read_usage()["seconds"] if self.folder else 0.0
        self.watch.started(len(self.jobs), len(self.done), self.n, self.meter)
        stopped: AutodataError | None = None
        for job, trajectory, error in run_threads(self._work, self._waiting(), concurrency):
            if isinstance(error, StopRun):
                stopped, trajectory = error.cause, error.partial
            elif error is not None:
                raise error
            if trajectory is not None:
                self._keep(job, trajectory)
            if self.folder:
                self.folder.write_usage(self.meter.to_dict(), before + time.monotonic() - started)
        if stopped is None and self.interrupts:
            stopped = Interrupted("interrupted")
        return self._result(time.monotonic() - started, stopped)

    def _work(self, job: Job) -> Trajectory:
        if self.away is not None:
            errands, packet = self.away
            return errands.run(packet, job, job.key, tuple(self.learned))[0]
        with working_on(job.key):
            return made(self.maker, job)

    def _waiting(self) -> Iterator[Job]:
        """Jobs still to do, drawn only while the run should go on. A stopped document waits again.

        Only examples of earlier jobs count towards `n`: an interrupted session may have finished later ones.
        """
        ahead = {key: len(t.accepted) for key, t in self.done.items()}
        n_ahead = sum(ahead.values())
        for job in self.jobs:
            if self.interrupts or self.meter.stopped_by:
                return
            if self.n is not None and self.n_accepted - n_ahead >= self.n:
                return
            n_ahead -= ahead.get(job.key, 0)
            if job.key not in ahead:
                yield job

    def _keep(self, job: Job, trajectory: Trajectory) -> None:
        if self.folder:
            self.folder.append(trajectory)
        earlier = self.done.get(job.key)
        self.done[job.key] = trajectory
        self.n_accepted += len(trajectory.accepted) - (len(earlier.accepted) if earlier else 0)
        self._teach(trajectory)
        self.watch.document_finished(trajectory)

    def _teach(self, trajectory: Trajectory) -> None:
        """A generator with a learner is told what each document gave; a stopped one will be made again."""
        if trajectory.status != "stopped" and (learn := getattr(self.maker, "learn", None)):
            self.learned.append([r.challenge for r in trajectory.accepted if r.challenge])
            learn(self.learned[-1])

    def _result(self, seconds: float, stopped: AutodataError | None) -> Result:
        """Everything up to the job that completes `n`. What stopped other jobs does not matter when none is missing."""
        kept, n_accepted, whole = [], 0, True
        for job in self.jobs:
            if self.n is not None and n_accepted >= self.n:
                break
            trajectory = self.done.get(job.key)
            whole = whole and trajectory is not None and trajectory.status != "stopped"
            if trajectory is not None:
                kept.append(trajectory)
                n_accepted += len(trajectory.accepted)
        documents = {job.document.id: job.document for job in self.jobs}
        domain = getattr(self.maker, "domain", None)
        removed = final_audit(kept, documents, domain) if domain is not None else ()
        result = Result(
            trajectories=tuple(kept),
            documents=documents,
            usage=self.meter.to_dict(),
            seconds=seconds,
            stopped=None if whole else stopped,
            models=models_of(self.maker),
            verified=getattr(self.maker, "verified", None) or getattr(domain, "verified", ""),
            removed=removed,
            origin=origin_of(self.maker),
        )
        if self.folder:
            self.folder.write_removed(removed)
            self.folder.write_result(result.record())
        return result


@contextlib.contextmanager
def _interruptible(run: _Run) -> Iterator[None]:
    """Ctrl-C once: no new documents, those in flight finish. Twice: stop at the next model call, and give up what is
    worked on elsewhere. Then: abort."""

    def heard() -> None:
        run.interrupts += 1
        if run.interrupts == 2:
            run.meter.stop(Interrupted("interrupted"))
        if run.interrupts > 2:
            raise KeyboardInterrupt
        run.watch.interrupted(run.interrupts)

    with on_interrupt(heard):
        yield
