"""Does a challenge ask what an earlier round of its document asked?"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from autodata_dspy.types import Challenge, Round

SAME_QUESTION = 0.6  # similarity from which two questions with one answer are the same problem


def repeats(challenge: Challenge, earlier: Sequence[Round]) -> bool:
    """Whether an earlier challenge has the same answer and nearly the same question."""
    for known in (r.challenge for r in earlier if r.challenge is not None):
        if known.answer == challenge.answer:
            matcher = difflib.SequenceMatcher(None, known.question, challenge.question, autojunk=False)
            if matcher.quick_ratio() > SAME_QUESTION and matcher.ratio() > SAME_QUESTION:
                return True
    return False
