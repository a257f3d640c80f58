"""What every optimizer plugin offers, and what it is given."""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import io
import itertools
import logging
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol

import dspy

from autodata_dspy.asking import request_parameters, seed_for
from autodata_dspy.calls import RoleLM
from autodata_dspy.candidates import State, state_of
from autodata_dspy.errors import ConfigError, did_you_mean
from autodata_dspy.evaluations import Bench
from autodata_dspy.roles import Roles
from autodata_dspy.types import Challenge


@dataclass(frozen=True)
class Task:
    """What an optimizer is built for.

    Attributes:
        metric: (gold, pred, trace, pred_name, pred_trace) → Score; it is true where a demonstration is worth keeping.
        budget: program runs, at most; a run found in a log counts too.
        seed: of every random choice.
        n_train, n_val: how many examples there will be.
        n_predictors: how many the program lets change.
        roles: `reflection` proposes instructions, `challenger` is what the program itself writes with.
        n_threads: program runs at a time.
        options: the plugin's own, by name.
    """

    metric: Any
    budget: int
    seed: int
    n_train: int
    n_val: int
    n_predictors: int
    roles: Roles
    n_threads: int = 1
    options: dict[str, Any] = field(default_factory=dict)

    def option(self, name: str, default: Any) -> Any:
        return self.options.get(name, default)


class Teleprompter(Protocol):
    """Improves a student (see `evaluations.Compilable`) on examples; keeps out of valset what it learns from."""

    def compile(
        self, student: Any, *, trainset: Sequence[dspy.Example], valset: Sequence[dspy.Example]
    ) -> dspy.Module: ...


class Optimizer(Protocol):
    """A plugin.

    Attributes:
        reflects: asks the reflection role for instructions.
        needs: modules that must be importable, module → what to install.
        OPTIONS: what `Task.options` may hold, with defaults; whole numbers of at least 1 where the default is one.
    """

    reflects: ClassVar[bool]
    needs: ClassVar[dict[str, str]]
    OPTIONS: ClassVar[dict[str, Any]]

    def fewest(self, task: Task) -> tuple[int, int]:
        """The fewest training documents and program runs that this makes sense with."""
        ...

    def n_proposals(self, task: Task) -> int:
        """About how many candidates the budget buys."""
        ...

    def build(self, task: Task) -> Teleprompter: ...


def check(optimizer: Optimizer, name: str, task: Task) -> None:
    """Refuse what cannot work, before anything is spent.

    Raises:
        ConfigError: a missing package, an unknown option, too few documents or runs, nothing that may change.
    """
    for option, value in task.options.items():
        if option not in optimizer.OPTIONS:
            raise ConfigError(did_you_mean(f"option of the optimizer {name!r}", option, optimizer.OPTIONS))
        if not isinstance(value, (int, float)) or not 0 < value < math.inf:
            raise ConfigError(f"option {option}={value!r} of the optimizer {name!r} must be a number above 0")
        if isinstance(optimizer.OPTIONS[option], int) and value != int(value):
            raise ConfigError(f"option {option}={value!r} of the optimizer {name!r} must be a whole number")
    for module, package in optimizer.needs.items():
        if importlib.util.find_spec(module) is None:
            raise ConfigError(f"the optimizer {name!r} needs {module}; install it with: pip install {package}")
    if task.n_predictors < 1:
        raise ConfigError(f"the program has no predictor that the optimizer {name!r} may change")
    n_train, n_runs = optimizer.fewest(task)
    if task.n_train < n_train:
        raise ConfigError(
            f"the optimizer {name!r} needs {n_train} training documents, and there are {task.n_train}; give more "
            "documents, or use 'bootstrap'"
        )
    if task.budget < n_runs:
        raise ConfigError(
            f"budget={task.budget} program runs buy nothing from the optimizer {name!r} with {task.n_train} training "
            f"and {task.n_val} validation documents; give at least {n_runs}"
        )


def fitting(roles: Roles) -> tuple[str, str]:
    """Name of the optimizer to take where none is named, and in a few words why: `gepa` has the reflection role write
    instructions, `bootstrap` needs no model for it."""
    model = roles.model_of("reflection")
    if model.startswith("embedded/"):
        return (
            "bootstrap",
            f"the reflection role is {model.partition('@')[0]}, and writing instructions wants a stronger model",
        )
    return "gepa", f"the reflection role is {model}, a model of your choice"


class Proposer(RoleLM):
    """The reflection role for optimizers: every request is told apart from all others by a sampling seed.

    So equal prompts get several answers, and a run that is continued replays each of them in its turn. The real LM is
    resolved once: optimizers put this in the place where an unnamed role would look for its LM.
    """

    def __init__(self, lm: RoleLM, seed: int, params: dict[str, Any] | None = None, numbers: Any = None):
        inner = lm.resolve()
        super().__init__(lm.role, lambda: inner, lm.params if params is None else params, lm.prices)
        self.seed, self._numbers = seed, numbers or itertools.count()

    def copy(self, **kwargs: Any) -> Proposer:
        """The same with other request parameters; numbers go on."""
        kwargs.pop("rollout_id", None)
        return Proposer(self, self.seed, {**self.params, **kwargs}, self._numbers)

    def __call__(self, prompt: Any = None, *, messages: Any = None, **kwargs: Any) -> list[Any]:
        outputs = []
        for _ in range(kwargs.pop("n", None) or 1):  # some engines would give the same text n times under one seed
            number = seed_for("proposer", self.seed, next(self._numbers))
            sampling = request_parameters(self, {"temperature": 1.0}, number)
            outputs += super().__call__(prompt, messages=messages, **{**sampling, **kwargs})
        return outputs


def proposer(task: Task) -> Any:
    """The reflection model as DSPy's optimizers take it."""
    return Proposer(task.roles["reflection"], task.seed)


@contextlib.contextmanager
def tame_dspy(task: Task) -> Iterator[None]:
    """Run one of DSPy's optimizers: no item is run twice because it is slow, nothing is printed, an LM is set.

    DSPy submits an item again that takes more than 120 seconds, which a loop of model calls does (dspy issue 9574).
    """
    evaluate: Any = importlib.import_module("dspy.evaluate.evaluate")
    parallel: Any = importlib.import_module("dspy.predict.parallel")
    real = evaluate.ParallelExecutor, parallel.ParallelExecutor
    evaluate.ParallelExecutor = parallel.ParallelExecutor = functools.partial(_patient, real[0])
    # Program runs do not look at this one (see Bench); some optimizers want any.
    lm = task.roles["challenger"].resolve()
    try:
        with _silent(), dspy.context(lm=lm, max_errors=10**9):
            yield
    finally:
        evaluate.ParallelExecutor, parallel.ParallelExecutor = real


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    theirs = logging.getLogger("dspy")
    before = theirs.level
    theirs.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield  # progress bars go to either
    finally:
        theirs.setLevel(before)


def _patient(real: Any, *positional: Any, **options: Any) -> Any:
    return real(*positional, **{**options, "timeout": 0})


@dataclass(frozen=True)
class Harvest:
    """What can become a demonstration: the calls behind one example, as one demo a predictor, and its worth."""

    demos: dict[str, dict[str, Any]]
    about: str = ""
    worth: float = 0.0


def harvested(student: Any, examples: Sequence[dspy.Example], good_only: bool) -> list[Harvest]:
    """Demonstrations from runs of a program, the worthiest first; of good runs (true scores) only.

    What an example is worth beside all others is for the metric to say; where it cannot, it is its run's score.
    """
    bench: Bench = student.bench
    found: list[tuple[Challenge | None, Harvest]] = []
    for example, score in zip(examples, bench.scores(student, examples), strict=True):
        if good_only and not score:
            continue
        trajectory, calls, _ = bench.run(state_of(student), example.document, example.seed)
        made = [r.challenge for r in trajectory.accepted] or [None]
        for challenge, behind in zip(made, calls, strict=True):
            if demos := {name: {**inputs, **outputs} for name, inputs, outputs in behind}:
                about = (challenge.label or challenge.angle) if challenge is not None else ""
                found.append((challenge, Harvest(demos, about, float(score.score))))
    accepted = [challenge for challenge, _ in found if challenge is not None]
    if (values := bench.values(accepted)) is not None:
        told = iter(values)
        found = [(c, replace(h, worth=next(told)) if c is not None else h) for c, h in found]
    return sorted((h for _, h in found), key=lambda h: -h.worth)


def spread(pool: Sequence[Harvest], size: int) -> list[Harvest]:
    """The worthiest of a pool, but none about the same label or angle again before all others had their turn."""
    turns, ranked = Counter(), []
    for place, harvest in enumerate(pool):
        ranked.append((turns[harvest.about], place))
        turns[harvest.about] += 1
    return [pool[place] for _, place in sorted(ranked)[:size]]


def with_demos(state: State, pool: Sequence[Harvest], own: bool) -> State:
    """The state with these demonstrations: instead of its own, or (`own`) after them."""
    changed = {}
    for name, part in state.items():
        taken = [h.demos[name] for h in pool if name in h.demos]
        changed[name] = {**part, "demos": [*part["demos"], *taken] if own or not taken else taken}
    return changed


class DemoSearch:
    """What optimizers share that only draw demonstrations. Options: `max_demos` of a candidate.

    Needs no reflection model. The budget: the seed on the validation documents, one harvest on the training documents,
    then one candidate after the other on the validation documents.
    """

    reflects: ClassVar[bool] = False
    needs: ClassVar[dict[str, str]] = {}
    OPTIONS: ClassVar[dict[str, Any]] = {"max_demos": 4}

    def fewest(self, task: Task) -> tuple[int, int]:
        """Least number of training documents, and of program runs."""
        return 1, task.n_train + 2 * task.n_val

    def n_proposals(self, task: Task) -> int:
        """Candidates that the budget buys."""
        return (task.budget - task.n_train) // task.n_val - 1
