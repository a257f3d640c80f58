"""Few-shot: demonstrations from the program's own good runs, the worthiest first, then random subsets.

DSPy's BootstrapFewShot, with random search on top, wipes the demonstrations that a domain brings, keeps a random one of
a loop's calls (often a rejected attempt), and tells nothing of the candidates it tried. This does the same search with
the calls that accepted examples came from, and keeps a domain's own demonstrations in half of the candidates. Where the
metric knows what a single example is worth to the learner (`data_value`), the first candidate shows the worthiest, of
as many labels as there is room for, and the others draw from the better half.

Where the good runs give no more demonstrations than one candidate has room for, the training documents are gone through
again with other seeds, as long as the budget leaves two candidates. A third of what is left for candidates goes to
measuring the leader again, with other seeds too: the best of a few that ran once on a few documents mostly had luck.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import dspy

from autodata_dspy.candidates import state_of, with_state
from autodata_dspy.compilable import ROLLOUT
from autodata_dspy.evaluations import Bench
from autodata_dspy.optimizers.base import DemoSearch, Harvest, Task, harvested, spread, with_demos

AGAIN = 3  # of so many measurements of candidates one is a leader's again
HARVESTS = 4  # times that training documents are gone through, at most


class Bootstrap(DemoSearch):
    """Demonstrations from good runs, drawn at random, the best kept."""

    def n_proposals(self, task: Task) -> int:
        """Candidates that the budget buys where the training documents are gone through once."""
        return _shares(super().n_proposals(task))[0]

    def build(self, task: Task) -> RandomSearch:
        return RandomSearch(task, task.option("max_demos", 4))


class RandomSearch:
    """The teleprompter of `bootstrap`."""

    def __init__(self, task: Task, max_demos: int):
        self.seed, self.budget, self.max_demos = task.seed, task.budget, int(max_demos)

    def compile(self, student: Any, *, trainset: Sequence[dspy.Example], valset: Sequence[dspy.Example]) -> Any:
        """Seed on valset, its good runs on trainset, candidates on valset, the leader again, as the budget allows."""
        bench, seed, rng = student.bench, state_of(student), random.Random(self.seed)
        bench.scores(student, valset)
        pool, n_runs = self._harvest(student, trainset, len(valset))
        n_candidates, n_again = _shares((self.budget - n_runs) // len(valset))
        better = pool[: max(self.max_demos, (len(pool) + 1) // 2)]
        tried = {bench.seed_id}
        for number in range(n_candidates if pool else 0):
            for _ in range(20):  # a small pool soon gives what was there already
                size = rng.randint(1, min(self.max_demos, len(pool)))
                taken = spread(pool, self.max_demos) if len(tried) == 1 else rng.sample(better, size)
                state = with_demos(seed, taken, own=number % 2 == 0)
                candidate = bench.note(state, bench.seed_id, f"{len(taken)} demonstrations")
                if candidate.id not in tried:
                    tried.add(candidate.id)
                    bench.scores(with_state(student.deepcopy(), state), valset)
                    break
        ids = [e.document.id for e in valset]
        for number in range(n_again if len(tried) > 1 else 0):
            bench.scores(with_state(student.deepcopy(), bench.best(ids).state), _again(bench, valset, number + 1))
        return bench.compilable(bench.best(ids).state)

    def _harvest(self, student: Any, trainset: Sequence[dspy.Example], n_val: int) -> tuple[list[Harvest], int]:
        """Demonstrations, and how many runs they and the seed's on the validation documents took."""
        examples, pool = list(trainset), harvested(student, trainset, good_only=True)
        for number in range(1, HARVESTS):
            left = self.budget - n_val - len(examples) - len(trainset)
            if len(pool) > self.max_demos or left < AGAIN * n_val:
                break
            examples += _again(student.bench, trainset, number)
            pool = harvested(student, examples, good_only=True)
        return pool, n_val + len(examples)


def _shares(passes: int) -> tuple[int, int]:
    """How many candidates there will be, and how often a leader is measured again."""
    return passes - passes // AGAIN, passes // AGAIN


def _again(bench: Bench, examples: Sequence[dspy.Example], number: int) -> list[dspy.Example]:
    """The same documents with other seeds, which `number` tells apart."""
    return [bench.example(e.document, e.seed + number * ROLLOUT) for e in examples]


PLUGIN = Bootstrap()
