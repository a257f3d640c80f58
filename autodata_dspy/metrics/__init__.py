"""Metrics for DSPy's optimizers and Evaluate: a score, and feedback that says how to do better."""

from autodata_dspy.metrics.base import Score
from autodata_dspy.metrics.verified import as_metric, combine

__all__ = ["Score", "as_metric", "combine"]
