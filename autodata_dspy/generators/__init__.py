"""Whole data-makers. All share one signature: `maker(document=…, seed=…)` → `trajectory`, `accepted`."""

from autodata_dspy.generators.agentic_self_instruct import AgenticSelfInstruct
from autodata_dspy.generators.cot_self_instruct import CoTSelfInstruct

__all__ = ["AgenticSelfInstruct", "CoTSelfInstruct"]
