"""The student: answers real questions from demos alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dspy
from dspy.utils.exceptions import AdapterParseError

from autodata_dspy import asking
from autodata_dspy.roles import Roles

MAX_TOKENS = 64


class AnswerQuestion(dspy.Signature):
    """Answer the question. Give the final answer alone, as short as you can."""

    context: str = dspy.InputField()
    question: str = dspy.InputField()
    answer: str = dspy.OutputField()


# The same words whatever the data: what changes between two measurements are the demos alone.
class Student(dspy.Module):
    """context, question, demos → `answer`, on the role `student`. Frozen: no optimizer sees its predictor.

    Args:
        roles: who plays the student.
        max_tokens: of an answer.
    """

    role = "student"

    def __init__(self, roles: Roles | None = None, max_tokens: int = MAX_TOKENS):
        super().__init__()
        self.roles, self.max_tokens = roles or Roles(), max_tokens
        self._compiled = True  # DSPy's word for frozen

    def forward(
        self, context: str, question: str, demos: Sequence[Mapping[str, Any]] = (), seed: int = 0
    ) -> dspy.Prediction:
        """Answer one question; an output that cannot be read is the empty answer.

        Raises:
            ProviderError: no answer came back.
        """
        predict = dspy.Predict(AnswerQuestion)
        predict.demos = [dict(demo) for demo in demos]
        defaults = {"temperature": 0.0, "max_tokens": self.max_tokens}
        try:
            # A trace of its own: an optimizer makes demos of what it finds in the current one.
            with dspy.context(trace=[]):
                said = asking.ask(
                    self.roles, predict, self.role, seed, defaults, context=context or "none", question=question
                )
        except AdapterParseError:
            return dspy.Prediction(answer="")
        return dspy.Prediction(answer=str(said.answer or "").strip())
