"""Few-shot: demonstrations from the program's own good runs, the best of random subsets of them.

DSPy's BootstrapFewShot, with random search on top, wipes the demonstrations that a domain brings, keeps a random one of
a loop's calls (often a rejected attempt), and tells nothing of the candidates it tried. This does the same search with
the call that the accepted example came from, and keeps a domain's own demonstrations in half of the candidates.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import dspy

from autodata_dspy.candidates import state_of, with_state
from autodata_dspy.optimizers.base import DemoSearch, Task, harvested, with_demos


class Bootstrap(DemoSearch):
    """Demonstrations from good runs, drawn at random, the best kept."""

    def build(self, task: Task) -> RandomSearch:
        return RandomSearch(task, self.n_proposals(task), task.option("max_demos", 4))


class RandomSearch:
    """The teleprompter of `bootstrap`."""

    def __init__(self, task: Task, n_candidates: int, max_demos: int):
        self.seed, self.n_candidates, self.max_demos = task.seed, n_candidates, int(max_demos)

    def compile(self, student: Any, *, trainset: Sequence[dspy.Example], valset: Sequence[dspy.Example]) -> Any:
        """Seed on valset, its good runs on trainset, then candidates on valset until the budget is used."""
        bench, seed, rng = student.bench, state_of(student), random.Random(self.seed)
        bench.scores(student, valset)
        pool = harvested(student, trainset, good_only=True)
        tried = {bench.seed_id}
        for number in range(self.n_candidates if pool else 0):
            for _ in range(20):  # a small pool soon gives what was there already
                size = rng.randint(1, min(self.max_demos, len(pool)))
                state = with_demos(seed, rng.sample(pool, size), own=number % 2 == 0)
                candidate = bench.note(state, bench.seed_id, f"{size} demonstrations")
                if candidate.id not in tried:
                    tried.add(candidate.id)
                    bench.scores(with_state(student.deepcopy(), state), valset)
                    break
        return bench.compilable(bench.best([e.document.id for e in valset]).state)


PLUGIN = Bootstrap()
