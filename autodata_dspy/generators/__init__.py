"""Whole data-makers. All share one signature: `maker(document=…, seed=…)` → `trajectory`, `accepted`."""

from autodata_dspy.generators.agentic_self_instruct import AgenticSelfInstruct
from autodata_dspy.generators.cot_self_instruct import CoTSelfInstruct
from autodata_dspy.generators.self_instruct import SelfInstruct

__all__ = ["AgenticSelfInstruct", "CoTSelfInstruct", "SelfInstruct"]
