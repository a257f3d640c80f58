"""Does a challenge ask what an earlier round of its document asked, or what its writer was shown?"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from autodata_dspy.docstrings import without_examples
from autodata_dspy.text import fold
from autodata_dspy.types import Challenge, Round

DOCSTRING = '"""'  # its quotes stand elsewhere once a stub is written anew
SAME_QUESTION = 0.6  # similarity from which two questions with one answer are the same problem


def repeats(challenge: Challenge, earlier: Sequence[Round], learned: Sequence[Mapping[str, Any]] = ()) -> bool:
    """Whether an earlier challenge has the same answer and nearly the same question, or the writer learned it."""
    for known in (r.challenge for r in earlier if r.challenge is not None):
        if known.answer == challenge.answer:
            matcher = difflib.SequenceMatcher(None, known.question, challenge.question, autojunk=False)
            if matcher.quick_ratio() > SAME_QUESTION and matcher.ratio() > SAME_QUESTION:
                return True
    return copies(challenge, learned)


def copies(challenge: Challenge, learned: Sequence[Mapping[str, Any]]) -> bool:
    """Whether context and question stand word for word in the outputs of a demonstration, one after the other.

    Optimizers would else be rewarded for a program that writes its demonstrations again on every document.
    """
    # The examples of a stub are computed; who wrote the function wrote none.
    asked = _plain(f"{challenge.context} {without_examples(challenge.question)}")
    return any(asked in _plain(" ".join(map(str, demo.values()))) for demo in learned)


def _plain(text: str) -> str:
    return f" {' '.join(fold(text).replace(DOCSTRING, ' ').split())} "
