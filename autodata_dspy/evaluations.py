"""Program runs as optimizers see them: recorded, replayed, counted, on an examiner that nothing can reach.

An optimizer is given a `Compilable` (what DSPy calls its student): a copy of the data-maker whose predictors it may
change at will. What runs is another copy of the untouched original into which only the instructions and demonstrations
of the optimizable predictors are put. So whatever else is changed (a judge, a solver, an acceptance rule) is never
executed.
"""

from __future__ import annotations

import contextlib
import functools
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import dspy

from autodata_dspy.budget import Meter, metered, one_line
from autodata_dspy.call_log import CallLog, logged, working_on, writing
from autodata_dspy.candidates import Candidate, State, settled, state_id, state_of, with_state
from autodata_dspy.compilable import Compilable, prediction_of
from autodata_dspy.errands import Errands, packed
from autodata_dspy.errors import BudgetExceeded, ConfigError, StopRun
from autodata_dspy.evaluation_log import EvaluationLog, plain_score, revived_score
from autodata_dspy.executors import Elsewhere, run_threads
from autodata_dspy.jobs import Job, traced
from autodata_dspy.metrics.base import Score
from autodata_dspy.types import Challenge, Document, Trajectory, from_dict, to_dict

Metric = Callable[..., Any]
Told = Callable[[Candidate, "Bench"], None]
Ran = Callable[[Candidate, Document, Score, "Bench"], None]


class Bench:
    """Runs programs on documents for optimizers, and remembers what came of it.

    Args:
        original: the data-maker; never changed.
        metric: (gold, pred, trace, pred_name, pred_trace) → Score or number. Pure: called once a run and for feedback.
        gold: document id → further fields of the gold example.
        log: finished runs of earlier sessions; None keeps none.
        calls: the log of model calls.
        meter: counts and limits model calls.
        n_threads: runs at a time of `scores`.
        elsewhere: where programs run, if not in these threads; the metric is always taken here.

    Attributes:
        candidates: id → Candidate, in the order of their first run; the seed is first.
        max_runs: bound on distinct runs of this session, replayed ones included; None for none.
        n_runs, n_replayed: distinct runs so far, and how many of them came from the log.
        told, ran: hear of a candidate's scores on a set of documents, and of each run that did not come from the log;
            the latter from any thread, one at a time.
    """

    def __init__(
        self,
        original: Any,
        metric: Metric,
        *,
        gold: Mapping[str, Mapping[str, Any]] | None = None,
        log: EvaluationLog | None = None,
        calls: CallLog | None = None,
        meter: Meter | None = None,
        n_threads: int = 1,
        elsewhere: Elsewhere | None = None,
    ):
        self.original, self._metric, self.gold = original.deepcopy(), metric, dict(gold or {})
        self.log, self.calls, self.meter, self.n_threads = log, calls, meter or Meter(), n_threads
        self._errands = Errands(elsewhere, calls, n_threads) if elsewhere is not None else None
        if elsewhere is not None:
            packed(self.original)  # what cannot travel is told before anything is paid
        self.max_runs: int | None = None
        self._lm = dspy.settings.lm  # optimizers set others meanwhile, and roles that are not named would follow
        self.candidates: dict[str, Candidate] = {}
        self.n_runs = self.n_replayed = 0
        self.told: Told | None = None
        self.ran: Ran | None = None
        self._done: dict[str, tuple[Trajectory, list[Any], Score]] = {}
        self._claims: dict[str, threading.Lock] = {}
        self._lock = threading.RLock()
        self._idle = threading.Condition(self._lock)
        self._active = 0
        self._closed = False
        self.seed_id = self.note(state_of(self.original), "", "seed").id

    def __deepcopy__(self, memo: dict[int, Any]) -> Bench:
        return self  # what optimizers copy are programs; the bench is shared

    @property
    def n_finished(self) -> int:
        """Distinct runs that have a score, replayed ones included."""
        return len(self._done)

    def compilable(self, state: State | None = None) -> Compilable:
        """A program for an optimizer to work on; the seed unless told otherwise."""
        student = Compilable(self.original.deepcopy(), self)
        return student if state is None else with_state(student, state)

    def program(self, state: State) -> Any:
        """A data-maker with this state and the untouched examiner."""
        return with_state(self.original.deepcopy(), state)

    def example(self, document: Document, seed: int) -> dspy.Example:
        """What optimizers call an example: one document in one pass."""
        gold = dict(self.gold.get(document.id, {}))
        return dspy.Example(**gold, document=document, seed=seed).with_inputs("document", "seed")

    def note(self, state: State, parent: str = "", how: str = "") -> Candidate:
        """The candidate of a state; the first to speak says where it came from."""
        state = {name: {**part, "instructions": settled(part["instructions"])} for name, part in state.items()}
        with self._lock:
            candidate = self.candidates.setdefault(state_id(state), Candidate(state_id(state), state))
            if not candidate.how and candidate.id != parent:
                candidate.parent, candidate.how = parent, how
            return candidate

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Meter and call log of this bench, also in threads that inherit nothing."""
        with metered(self.meter), logged(self.calls), dspy.context(lm=self._lm):
            yield

    def best(self, documents: Sequence[str]) -> Candidate:
        """The candidate with the highest mean on all of these documents; of equals the earlier one."""
        with self._lock:
            found = [(mean, c) for c in self.candidates.values() if (mean := c.mean(documents)) is not None]
        seed = self.candidates[self.seed_id]
        return max(found, key=lambda pair: (round(pair[0], 9), pair[1] is seed))[1] if found else seed

    # -- running ------------------------------------------------------------------------------------------

    def run(self, state: State, document: Document, seed: int) -> tuple[Trajectory, list[Any], Score]:
        """One run of a program on a document: trajectory, the calls behind each accepted example, score.

        Raises:
            StopRun: the budget is used up, a model is out, or metric or store failed.
        """
        candidate = self.note(state)
        key = f"{candidate.id}|{seed}|{document.id}"
        with self._lock:
            claim = self._claims.setdefault(key, threading.Lock())
        with claim, self._working():
            if key not in self._done:
                self._admit()
                known = self._replayed(key)
                found = known or self._fresh(key, candidate, document, seed)
                with self._lock:
                    self._done[key] = found
                    candidate.scores.setdefault(document.id, []).append(float(found[2].score))
                    if known is None and self.ran is not None:
                        self.ran(candidate, document, found[2], self)
            return self._done[key]

    @contextlib.contextmanager
    def _working(self) -> Iterator[None]:
        with self._lock:
            if self._closed:  # a thread that an optimizer left behind
                raise StopRun(self.meter.stopped_by or BudgetExceeded("the run has ended"))
            self._active += 1
        try:
            yield
        finally:
            with self._idle:
                self._active -= 1
                self._idle.notify_all()

    def _admit(self) -> None:
        with self._lock:
            if self.max_runs is not None and self.n_runs >= self.max_runs:
                raise StopRun(BudgetExceeded(f"the budget of {self.max_runs} program runs is used up"))
            self.n_runs += 1

    def drained(self) -> None:
        """Wait for the runs in flight, and refuse those that threads left behind still want."""
        with self._idle:
            self._closed = True
            self._idle.wait_for(lambda: self._active == 0)

    def reopened(self) -> None:
        with self._lock:
            self._closed = False

    def _replayed(self, key: str) -> tuple[Trajectory, list[Any], Score] | None:
        record = self.log.get(key) if self.log is not None else None
        if record is None or "calls" not in record:  # an earlier version's; its model calls are in the log of calls
            return None
        with self._lock:
            self.n_replayed += 1
        return from_dict(Trajectory, record["trajectory"]), record["calls"], revived_score(record["score"])

    def _fresh(
        self, key: str, candidate: Candidate, document: Document, seed: int
    ) -> tuple[Trajectory, list[Any], Score]:
        maker, job = self.program(candidate.state), Job(document, seed)
        with self.entered(), dspy.context(trace=[]):  # an optimizer's own is not the metric's
            if self._errands is not None:
                trajectory, calls = self._errands.run(packed(maker), job, key, traced=True)
            else:
                with working_on(key):
                    trajectory, calls = traced(maker, job)
            score = self.score(self.example(document, seed), prediction_of(trajectory), None, None, None)
            record = {"key": key, "program": candidate.id, "document": document.id, "seed": seed}
            record |= {"trajectory": to_dict(trajectory), "calls": calls, "score": plain_score(score)}
            if self.log is not None:
                with self._lock, writing():
                    self.log.put(record)
        return trajectory, json.loads(json.dumps(calls, default=str)), score

    def score(self, gold: Any, pred: Any, trace: Any, pred_name: str | None, pred_trace: Any) -> Score:
        """What the metric says, as a Score. A metric that breaks stops the run: optimizers would call it a 0."""
        try:
            found = self._metric(gold, pred, trace, pred_name, pred_trace)
            if isinstance(found, Score):
                return found
            return Score(float(getattr(found, "score", found)), str(getattr(found, "feedback", "") or ""))
        except Exception as error:
            raise self._broken(f" in the feedback for {pred_name!r}" if pred_name else "", error) from error

    def metric(
        self, gold: Any, pred: Any, trace: Any = None, pred_name: str | None = None, pred_trace: Any = None
    ) -> Score:
        """The metric as optimizers see it: the recorded score; feedback for one predictor is asked for anew."""
        known = getattr(pred, "_score", None)
        if pred is None:
            return Score(0.0, "the program gave nothing")
        if pred_name is None:
            return known if known is not None else self.score(gold, pred, trace, None, None)
        with self.entered():
            told = self.score(gold, pred, trace, pred_name.removeprefix("maker."), pred_trace)
        if known is not None:
            told.score = known.score  # GEPA refuses two scores for one run
        return told

    def values(self, accepted: Sequence[Challenge]) -> list[float] | None:
        """What each example is worth beside the others, where the metric can tell; None where it cannot."""
        told = getattr(self._metric, "values", None)
        try:
            return [float(v) for _, v in zip(accepted, told(accepted), strict=True)] if told is not None else None
        except Exception as error:
            raise self._broken(" in telling what examples are worth", error) from error

    def _broken(self, where: str, error: Exception) -> StopRun:
        broken = ConfigError(f"the metric failed{where}: {type(error).__name__}: {one_line(error)}")
        self.meter.stop(broken)
        return StopRun(broken)

    def scores(self, student: Any, examples: Sequence[dspy.Example]) -> list[Score]:
        """The scores of a program on examples, in order; `n_threads` at a time.

        Raises:
            StopRun: see `run`; those that had begun are waited for.
        """
        state, found = state_of(student), {}
        work = functools.partial(_scored, self, state)
        for index, score, error in run_threads(work, enumerate(examples), self.n_threads):
            if error is not None:
                raise error
            found[index[0]] = score
        candidate = self.note(state)
        if self.told is not None:
            self.told(candidate, self)
        return [found[i] for i in range(len(examples))]


def _scored(bench: Bench, state: State, numbered: tuple[int, dspy.Example]) -> Score:
    example = numbered[1]
    return bench.run(state, example.document, example.seed)[2]
