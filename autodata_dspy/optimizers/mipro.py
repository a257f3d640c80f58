"""MIPROv2: instructions and demonstrations together, by Bayesian search (DSPy, optuna)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import dspy

from autodata_dspy.optimizers.base import Task, proposer, tame_dspy


class Mipro:
    """Options: `candidates` (instructions, and sets of demonstrations, to choose from), `max_demos` of a set."""

    reflects: ClassVar[bool] = True
    needs: ClassVar[dict[str, str]] = {"optuna": "'autodata-dspy[optimizers]'"}
    OPTIONS: ClassVar[dict[str, Any]] = {"candidates": 5, "max_demos": 3}

    def fewest(self, task: Task) -> tuple[int, int]:
        return 2, task.n_train + 2 * task.n_val

    def n_proposals(self, task: Task) -> int:
        return (task.budget - task.n_train) // task.n_val - 1

    def build(self, task: Task) -> BayesianSearch:
        return BayesianSearch(task, self.n_proposals(task))


class BayesianSearch:
    """The teleprompter of `mipro`: every trial on all of valset, as small validation sets demand."""

    def __init__(self, task: Task, n_trials: int):
        self.task, self.n_trials = task, n_trials

    def compile(self, student: Any, *, trainset: Sequence[dspy.Example], valset: Sequence[dspy.Example]) -> Any:
        """Demonstrations come from trainset. Those of a training example itself would be whole documents: none."""
        task = self.task
        optimizer = dspy.MIPROv2(
            metric=task.metric,
            prompt_model=proposer(task),
            task_model=task.roles["challenger"].resolve(),
            max_bootstrapped_demos=int(task.option("max_demos", 3)),
            max_labeled_demos=0,
            auto=None,
            num_candidates=max(2, int(task.option("candidates", 5))),
            num_threads=task.n_threads,
            max_errors=10**9,
            seed=task.seed + 1,  # 0 would be taken for none
        )
        with tame_dspy(task):
            return optimizer.compile(
                student,
                trainset=list(trainset),
                valset=list(valset),
                num_trials=self.n_trials,
                minibatch=False,
                program_aware_proposer=False,  # it would put this package's source into the prompt, and the next
                data_aware_proposer=False,  # ten whole documents
                seed=task.seed + 1,
            )


PLUGIN = Mipro()
