"""GEPA: reflective evolution of instructions on a Pareto front (arXiv 2507.19457, DSPy's implementation)."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import cleandoc
from typing import Any, ClassVar

import dspy

from autodata_dspy.candidates import state_of
from autodata_dspy.evaluations import Bench
from autodata_dspy.optimizers.base import Task, proposer, tame_dspy

REPLAYS = 5  # GEPA counts runs that the bench remembers; this ends it where nothing new comes any more


class Gepa:
    """Works on instructions, from the metric's feedback. Options: `minibatch` of a reflection."""

    reflects: ClassVar[bool] = True
    needs: ClassVar[dict[str, str]] = {"gepa": "'gepa[dspy]'"}
    OPTIONS: ClassVar[dict[str, Any]] = {"minibatch": 3}

    def iteration(self, task: Task) -> int:
        """Program runs of one accepted proposal."""
        return task.n_val + 2 * min(int(task.option("minibatch", 3)), task.n_train)

    def fewest(self, task: Task) -> tuple[int, int]:
        return 1, task.n_val + self.iteration(task)

    def n_proposals(self, task: Task) -> int:
        return (task.budget - task.n_val) // self.iteration(task)

    def build(self, task: Task) -> Reflecting:
        return Reflecting(task)


class Reflecting:
    """The teleprompter of `gepa`. It keeps no folder of its own: finished runs are replayed, which needs no pickle."""

    def __init__(self, task: Task):
        self.task = task

    def compile(self, student: Any, *, trainset: Sequence[dspy.Example], valset: Sequence[dspy.Example]) -> Any:
        """Raises StopRun, as all of them do, when the budget is used up or a model is out."""
        task = self.task
        bench = student.bench
        lineage = _Lineage(bench, student)

        def spent(state: Any) -> bool:  # asked between iterations only, so the next one has to fit
            return bench.n_runs + PLUGIN.iteration(task) > task.budget

        optimizer = dspy.GEPA(
            metric=task.metric,
            max_metric_calls=REPLAYS * task.budget,
            reflection_minibatch_size=min(int(task.option("minibatch", 3)), task.n_train),
            reflection_lm=proposer(task),
            num_threads=task.n_threads,
            use_merge=task.n_predictors > 1,
            warn_on_score_mismatch=False,
            seed=task.seed,
            gepa_kwargs={"callbacks": [lineage], "stop_callbacks": [spent]},
        )
        with tame_dspy(task):
            return optimizer.compile(student, trainset=list(trainset), valset=list(valset))


class _Lineage:
    """Notes each candidate of GEPA with its parent."""

    def __init__(self, bench: Bench, student: Any):
        self.bench, self.seed = bench, state_of(student)
        self.by_index = {0: bench.seed_id}

    def on_valset_evaluated(self, event: Any) -> None:
        texts = {name.removeprefix("maker."): cleandoc(text) for name, text in event["candidate"].items()}
        state = {
            name: {**part, "instructions": texts.get(name, part["instructions"])} for name, part in self.seed.items()
        }
        parents = [self.by_index.get(p, "") for p in event.get("parent_ids") or () if p is not None]
        how = f"iteration {event['iteration']}" + (" (merged)" if len(parents) > 1 else "")
        candidate = self.bench.note(state, parents[0] if parents else "", how)
        self.by_index[event["candidate_idx"]] = candidate.id
        if self.bench.told is not None:
            self.bench.told(candidate, self.bench)


PLUGIN = Gepa()
