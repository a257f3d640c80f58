"""Does a challenge ask what an earlier round of its document asked, or what its writer was shown?"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from autodata_dspy.text import fold
from autodata_dspy.types import Challenge, Round

SAME_QUESTION = 0.6  # similarity from which two questions with one answer are the same problem

RUN, COPIED = 4, 0.8  # share of a question's runs of so many words that makes it a copy


def repeats(challenge: Challenge, earlier: Sequence[Round], learned: Sequence[Mapping[str, Any]] = ()) -> bool:
    """Whether an earlier challenge has the same answer and nearly the same question, or the writer learned it."""
    for known in (r.challenge for r in earlier if r.challenge is not None):
        if known.answer == challenge.answer:
            matcher = difflib.SequenceMatcher(None, known.question, challenge.question, autojunk=False)
            if matcher.quick_ratio() > SAME_QUESTION and matcher.ratio() > SAME_QUESTION:
                return True
    return copies(challenge, learned)


def copies(challenge: Challenge, learned: Sequence[Mapping[str, Any]]) -> bool:
    """Whether context and question stand in the outputs of a demonstration, all but word for word.

    Optimizers would else be rewarded for a program that writes its demonstrations again on every document.
    """
    asked = _plain(f"{challenge.context} {challenge.question}")
    known = [_plain(" ".join(map(str, demo.values()))) for demo in learned]
    return any(asked in text or _contained(asked.split(), text.split()) for text in known)


def _contained(words: Sequence[str], other: Sequence[str]) -> bool:
    """Whether nearly all runs of `RUN` words stand in another text; shorter ones want it word for word."""
    runs = {tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1)}
    there = {tuple(other[i : i + RUN]) for i in range(len(other) - RUN + 1)}
    return len(runs) >= RUN and len(runs & there) >= COPIED * len(runs)


def _plain(text: str) -> str:
    return f" {' '.join(fold(text).split())} "
