"""The control: the same budget without intelligence. Demonstrations of any run, sentences in any order."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Any

import dspy

from autodata_dspy.candidates import State, state_of, with_state
from autodata_dspy.optimizers.base import DemoSearch, Task, harvested, with_demos

_SENTENCE = re.compile(r"(?<=[.!?])\s+")


class Random(DemoSearch):
    """The same budget without intelligence: the control."""

    def build(self, task: Task) -> Shuffling:
        return Shuffling(task, self.n_proposals(task), task.option("max_demos", 4))


class Shuffling:
    """The teleprompter of `random`. It may pick the best of what chance gave, as the others may."""

    def __init__(self, task: Task, n_candidates: int, max_demos: int):
        self.seed, self.n_candidates, self.max_demos = task.seed, n_candidates, int(max_demos)

    def compile(self, student: Any, *, trainset: Sequence[dspy.Example], valset: Sequence[dspy.Example]) -> Any:
        """Random candidates on valset until the budget is used."""
        bench, seed, rng = student.bench, state_of(student), random.Random(self.seed)
        bench.scores(student, valset)
        pool = harvested(student, trainset, good_only=False)
        for _ in range(self.n_candidates):
            size = rng.randint(0, min(self.max_demos, len(pool)))
            state = with_demos(shuffled(seed, rng), rng.sample(pool, size), own=rng.random() < 0.5)
            bench.note(state, bench.seed_id, f"{size} random demonstrations, sentences shuffled")
            bench.scores(with_state(student.deepcopy(), state), valset)
        return bench.compilable(bench.best([e.document.id for e in valset]).state)


def shuffled(state: State, rng: random.Random) -> State:
    """The state with the sentences of every instruction in another order."""
    changed = {}
    for name, part in state.items():
        sentences = _SENTENCE.split(part["instructions"])
        rng.shuffle(sentences)
        changed[name] = {**part, "instructions": " ".join(sentences)}
    return changed


PLUGIN = Random()
