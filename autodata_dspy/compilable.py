"""The data-maker as an optimizer works on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dspy

from autodata_dspy.candidates import state_of
from autodata_dspy.types import Document, Trajectory

if TYPE_CHECKING:
    from autodata_dspy.evaluations import Bench

ROLLOUT = 1_000_003  # added to the seed of a run for each rollout id that an optimizer asks for


class Compilable(dspy.Module):
    """The data-maker as an optimizer sees it: `student(document=…, seed=…)` → `trajectory`, `accepted`."""

    def __init__(self, maker: Any, bench: Bench):
        super().__init__()
        self.maker, self.bench = maker, bench
        maker._compiled = False  # DSPy has no predictors of what it has compiled before

    @property
    def compiles(self) -> Any:
        """What stands in it."""
        return self.maker

    def forward(self, document: Document, seed: int = 0) -> dspy.Prediction:
        """One run, recorded or replayed. DSPy's trace gets the calls behind the first accepted example."""
        seed += ROLLOUT * _rollout(self)
        trajectory, calls, score = self.bench.run(state_of(self), document, seed)
        own = {name.removeprefix("maker."): predictor for name, predictor in self.named_predictors()}
        if dspy.settings.trace is not None:
            for name, inputs, outputs in calls[0]:
                dspy.settings.trace.append((own[name], dict(inputs), dspy.Prediction(**outputs)))
        prediction = prediction_of(trajectory)
        prediction._score = score
        return prediction


def _rollout(student: Compilable) -> int:
    """The rollout id an optimizer has set on predictors or settings to get another sample; 0 for none."""
    lms = [predictor.lm for _, predictor in student.named_predictors()] + [dspy.settings.lm]
    return next((int(r) for lm in lms if lm is not None and (r := lm.kwargs.get("rollout_id"))), 0)


def prediction_of(trajectory: Trajectory) -> dspy.Prediction:
    return dspy.Prediction(trajectory=trajectory, accepted=trajectory.accepted)
