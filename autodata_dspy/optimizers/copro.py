"""COPRO: coordinate ascent over instructions, proposed from those tried so far and their scores (DSPy)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import dspy

from autodata_dspy.optimizers.base import Task, proposer, tame_dspy


class Copro:
    """Sees instructions and scores, no feedback. Options: `breadth` (proposals at a time, at least 2), `depth`."""

    reflects: ClassVar[bool] = True
    needs: ClassVar[dict[str, str]] = {}
    OPTIONS: ClassVar[dict[str, Any]] = {"breadth": 4, "depth": 3}

    def shape(self, task: Task) -> tuple[int, int]:
        """(breadth, depth) that the budget allows."""
        left = max(0, task.budget - 2 * task.n_val)  # the seed and the chosen one on the validation documents
        breadth, depth = max(2, int(task.option("breadth", 4))), int(task.option("depth", 3))
        while depth > 1 and self._runs(task, breadth, depth) > left:
            depth -= 1
        while breadth > 2 and self._runs(task, breadth, depth) > left:
            breadth -= 1
        return breadth, depth

    def _runs(self, task: Task, breadth: int, depth: int) -> int:
        """At most: with several predictors every proposal so far is tried anew at each depth."""
        programs = breadth * depth if task.n_predictors == 1 else task.n_predictors * breadth * depth * (depth + 1) // 2
        return task.n_train * programs

    def fewest(self, task: Task) -> tuple[int, int]:
        return 1, self._runs(task, 2, 1) + 2 * task.n_val

    def n_proposals(self, task: Task) -> int:
        breadth, depth = self.shape(task)
        return task.n_predictors * (breadth * depth - 1)

    def build(self, task: Task) -> CoordinateAscent:
        return CoordinateAscent(task, *self.shape(task))


class CoordinateAscent:
    """The teleprompter of `copro`; it selects on trainset."""

    def __init__(self, task: Task, breadth: int, depth: int):
        self.task, self.breadth, self.depth = task, breadth, depth

    def compile(self, student: Any, *, trainset: Sequence[dspy.Example], valset: Sequence[dspy.Example]) -> Any:
        """COPRO's choice on trainset; it must then hold on valset against the seed."""
        task, bench = self.task, student.bench
        bench.scores(student, valset)
        optimizer = dspy.COPRO(prompt_model=proposer(task), metric=task.metric, breadth=self.breadth, depth=self.depth)
        options = {"num_threads": task.n_threads, "display_progress": False, "display_table": 0}
        with tame_dspy(task):
            found = optimizer.compile(student, trainset=list(trainset), eval_kwargs=options)
        bench.scores(found, valset)
        return found


PLUGIN = Copro()
