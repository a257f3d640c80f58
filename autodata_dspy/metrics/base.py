"""What every metric returns: a score that all of DSPy's optimizers understand."""

from __future__ import annotations

import math
from typing import Any

import dspy


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
