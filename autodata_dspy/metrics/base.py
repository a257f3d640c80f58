"""What every metric returns: a score that all of DSPy's optimizers understand."""

from __future__ import annotations

import copy
import inspect
import math
import threading
import traceback
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import dspy

from autodata_dspy import registry
from autodata_dspy.errors import AutodataError, ConfigError, StopRun
from autodata_dspy.metrics._made import Made
from autodata_dspy.probes import Probe

_REMEMBERED = 512


class Score(dspy.Prediction):
    """A number with its reasons.

    It is a `dspy.Prediction`, so GEPA finds `score`, `feedback` and `objective_scores`, and Evaluate adds it up.
    Unlike a plain Prediction it is false when it fails: BootstrapFewShot goes by truth and would otherwise keep
    every demonstration.

    Attributes:
        score: in [0, 1].
        feedback: text for the model that has to improve.
        objective_scores: name → score in [0, 1], for GEPA's `frontier_type="objective"`.
        undecided: nothing could be decided. The score is then 0 because DSPy demands a number, `objective_scores`
            is empty, and the feedback says that this is no judgement.

    Args:
        pass_mark: true from this score on; by default any score above 0 is true.
        **objectives: become `objective_scores`.

    Raises:
        ValueError: a score outside [0, 1], or not a number.
    """

    def __init__(
        self,
        score: float = 0.0,
        feedback: str = "",
        *,
        undecided: bool = False,
        pass_mark: float = 0.0,
        **objectives: float,
    ):
        for name, value in {"score": score, **objectives}.items():
            if not (math.isfinite(value) and 0.0 <= value <= 1.0):
                raise ValueError(f"{name} lies in [0, 1], not {value!r}")
        super().__init__(
            score=float(score),
            feedback=feedback,
            objective_scores={name: float(value) for name, value in objectives.items()},
            undecided=undecided,
        )
        self._pass_mark = pass_mark

    def __bool__(self) -> bool:
        score: Any = self.score
        return score > 0 and score >= self._pass_mark


@dataclass(frozen=True)
class Measured:
    """What a metric found, before it becomes a Score.

    Attributes:
        score: in [0, 1]; None: nothing could be decided.
        items: one for each probe item (or example), from which `DataMetric.total` makes a number; the audit draws
            from them. They hold scores or classes, never texts.
    """

    score: float | None
    feedback: str = ""
    objectives: Mapping[str, float] = field(default_factory=dict)
    items: tuple[Any, ...] = ()


class DataMetric(ABC):
    """A downstream-quality metric: what a program made → Score. A plugin file exposes its class as `PLUGIN`.

    It may score one run of a program or a whole data set; see `Made`. The same input gets the same score, with and
    without `pred_name`, and is measured once (the last 512 are remembered), so an optimizer may ask twice.
    Thread-safe.

    Attributes:
        name: the plugin's name, equal to its module's name.
        summary: one line.
        pass_mark: the score from which a Score is true (BootstrapFewShot keeps what is true); any above 0 unless set.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    pass_mark: float = 0.0

    def __new__(cls, *args: Any, **options: Any) -> Any:
        self = super().__new__(cls)
        self._remembered, self._lock = OrderedDict(), threading.Lock()
        return self

    _remembered: OrderedDict[str, Measured]
    _lock: threading.Lock

    def __deepcopy__(self, memo: dict[int, Any]) -> DataMetric:
        return self  # part of the examiner: an optimizer's copies share it

    @abstractmethod
    def measure(self, made: Made) -> Measured:
        """Measure, without remembering. Raises AutodataError."""

    def total(self, items: Sequence[Any]) -> float | None:
        """The number that items of `Measured` make: the mean of those that are decided."""
        decided = [float(i) for i in items if i is not None]
        return sum(decided) / len(decided) if decided else None

    def again(self, seed: int) -> DataMetric:
        """The same metric with no memory and, where it has seeds, with others: for measuring its noise."""
        twin = copy.copy(self)
        twin._remembered, twin._lock = OrderedDict(), threading.Lock()
        twin.reseed(seed)
        return twin

    def reseed(self, seed: int) -> None:  # noqa: B027 (most metrics have no seeds)
        """Take other seeds; a metric without any does nothing."""

    def about(self) -> dict[str, Any]:
        """What it is, for hashes and artifacts: JSON-able, without any text of a probe."""
        probe = getattr(self, "probe", None)
        return {"metric": self.name} | ({"probe": probe.digest, "n_probe": len(probe)} if probe is not None else {})

    def measured(self, pred: Any) -> Measured:
        """Measure what a prediction holds, or remember it.

        Raises:
            StopRun: it cannot be measured. (An ordinary exception would be swallowed by the optimizers and count as 0.)
        """
        try:
            made = Made.of(pred)
            key = made.key
            with self._lock:
                if key in self._remembered:
                    self._remembered.move_to_end(key)
                    return self._remembered[key]
            found = self.measure(made)
        except AutodataError as error:
            raise StopRun(error) from None
        except Exception as error:  # its message may quote the probe
            where = traceback.extract_tb(error.__traceback__)[-1]
            told = f"the metric {self.name!r} is broken: {type(error).__name__} in {where.name}, line {where.lineno}"
            raise StopRun(AutodataError(told)) from None
        if found.score is not None:  # what an outage left undecided is measured again
            with self._lock:
                self._remembered[key] = found
                if len(self._remembered) > _REMEMBERED:
                    self._remembered.popitem(last=False)
        return found

    # GEPA binds exactly these five; the score does not depend on the last three.
    def __call__(
        self, gold: Any, pred: Any, trace: Any = None, pred_name: str | None = None, pred_trace: Any = None
    ) -> Score:
        """Score a prediction; `gold` is not needed."""
        found = self.measured(pred)
        feedback = f"[{pred_name}] {found.feedback}" if pred_name else found.feedback
        if found.score is None:
            return Score(0.0, f"Undecided: this is no judgement of the output. {feedback}", undecided=True)
        return Score(found.score, feedback, pass_mark=self.pass_mark, **found.objectives)  # type: ignore[arg-type]


_MIXED = (
    ": it is a mix of others, for `autodata audit-metric --metric NAME=WEIGHT` (several times), and in Python for "
    "compile(…, make('weighted', parts={metric: weight}))"
)


def make(name: str, **given: Any) -> Any:
    """A metric by its plugin's name, with those of the given things that it takes (`probe`, `domain`, `roles`, …).

    A probe may be a path, a domain its name.

    Raises:
        UnknownPluginError, ConfigError: no such metric; something that it needs is missing.
    """
    plugin = registry.load("metrics", name)
    known = inspect.signature(plugin).parameters
    options = {key: value for key, value in given.items() if key in known and value is not None}
    if isinstance(options.get("domain"), str):
        options["domain"] = registry.load("domains", options["domain"])
    if isinstance(options.get("probe"), (str, Path)):
        options["probe"] = Probe.read(options["probe"])
    for key, parameter in known.items():
        open_ended = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if parameter.default is parameter.empty and key not in options and not open_ended:
            how = {"probe": "; give one (--probe FILE)", "parts": _MIXED}.get(key, "; give one")
            raise ConfigError(f"the metric {name!r} needs {'' if key == 'parts' else 'a '}{key}{how}")
    return plugin(**options)
