"""Composable DSPy modules, one role a file."""

from autodata_dspy.modules.challenger import Challenger
from autodata_dspy.modules.extractor import Extractor
from autodata_dspy.modules.learner import Learner
from autodata_dspy.modules.loop_judge import LoopJudge
from autodata_dspy.modules.pairwise_judge import PairwiseJudge
from autodata_dspy.modules.quality_verifier import QualityVerifier
from autodata_dspy.modules.solver import Solver
from autodata_dspy.modules.student import Student

__all__ = ["Challenger", "Extractor", "Learner", "LoopJudge", "PairwiseJudge", "QualityVerifier", "Solver", "Student"]
