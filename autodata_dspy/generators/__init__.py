"""Whole data-makers. All share one signature: `maker(document=…, seed=…)` → `trajectory`, `accepted`."""

from autodata_dspy.generators.agentic_self_instruct import AgenticSelfInstruct

__all__ = ["AgenticSelfInstruct"]
