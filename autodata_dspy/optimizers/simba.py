"""SIMBA: rules and demonstrations from runs of the same document that went well and badly (DSPy)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import dspy

from autodata_dspy.optimizers.base import Task, proposer, tame_dspy


class Simba:
    """Options: `bsize` (training documents of one step), `candidates` of a step, `max_demos`.

    DSPy takes samples by giving predictors a model with another rollout id, which roles that are resolved at call time
    would not notice; a Compilable turns it into another seed of the run.
    """

    reflects: ClassVar[bool] = True
    needs: ClassVar[dict[str, str]] = {"numpy": "numpy"}
    OPTIONS: ClassVar[dict[str, Any]] = {"bsize": 8, "candidates": 3, "max_demos": 4}

    def sizes(self, task: Task) -> tuple[int, int]:
        return int(task.option("bsize", 8)), int(task.option("candidates", 3))

    def step(self, task: Task) -> int:
        bsize, n = self.sizes(task)
        return bsize * (2 * n + 1)

    def last(self, task: Task) -> int:
        """Runs at the end: all training documents with each winner, and two programs on the validation documents."""
        return (self.sizes(task)[1] + 1) * task.n_train + 2 * task.n_val

    def fewest(self, task: Task) -> tuple[int, int]:
        return self.sizes(task)[0], self.step(task) + self.last(task)

    def n_steps(self, task: Task) -> int:
        return (task.budget - self.last(task)) // self.step(task)

    def n_proposals(self, task: Task) -> int:
        return self.n_steps(task) * (self.sizes(task)[1] + 1)

    def build(self, task: Task) -> Ascent:
        return Ascent(task)


class Ascent:
    """The teleprompter of `simba`; it selects on trainset."""

    def __init__(self, task: Task):
        self.task = task

    def compile(self, student: Any, *, trainset: Sequence[dspy.Example], valset: Sequence[dspy.Example]) -> Any:
        """SIMBA's choice on trainset; it must then hold on valset against the seed."""
        task, bench = self.task, student.bench
        bsize, n = PLUGIN.sizes(task)
        bench.scores(student, valset)
        optimizer = dspy.SIMBA(
            metric=task.metric,
            bsize=bsize,
            num_candidates=n,
            max_steps=PLUGIN.n_steps(task),
            max_demos=int(task.option("max_demos", 4)),
            prompt_model=proposer(task),
            num_threads=task.n_threads,
        )
        with tame_dspy(task):
            found = optimizer.compile(student, trainset=list(trainset), seed=task.seed)
        bench.scores(found, valset)
        return found


PLUGIN = Simba()
