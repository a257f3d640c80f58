"""Metrics for DSPy's optimizers and Evaluate: a score, and feedback that says how to do better."""

from autodata_dspy.metrics._made import Made
from autodata_dspy.metrics.base import DataMetric, Score, make
from autodata_dspy.metrics.verified import as_metric, combine

__all__ = ["DataMetric", "Made", "Score", "as_metric", "combine", "make"]
