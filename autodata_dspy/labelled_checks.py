"""Is a labelled text in its own words?"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, ClassVar

from autodata_dspy.labelled_task import LabelledTask
from autodata_dspy.subjects import as_challenge
from autodata_dspy.text import content_words, words
from autodata_dspy.types import Challenge, Verdict
from autodata_dspy.verifiers.base import Checks, Cost, VerifierExample

N_GRAM = 8  # words in a row that two lawyers do not choose independently
COPIED = 0.6  # of a text's n-grams
REPEATED = 0.7  # of a text's content words, when they are those of a definition


class NewWording:
    """A text in its own words: not its label, not the definition, not a copy of the document or of an example.

    That a clause on arbitration says "arbitration" is natural and allowed.

    Args:
        task: whose labels and definitions these are.
        shown: texts that the challenger has seen besides the document.
    """

    name: ClassVar[str] = "new_wording"
    checks: ClassVar[Checks] = "challenge"
    cost: ClassVar[Cost] = "free"
    EXAMPLES: ClassVar[tuple[VerifierExample, ...]] = (
        VerifierExample(
            Challenge("All quarrels end before an arbitrator whom the guild appoints.", "", label="arbitration"),
            why="own words",
        ),
        VerifierExample(Challenge("Arbitration.", "", label="arbitration"), expected=False, why="the label"),
    )

    def __init__(self, task: LabelledTask, shown: Iterable[str] = ()):
        self.task = task
        self.shown = tuple(_line(text) for text in shown)

    def verify(self, subject: Any, reference: str = "", context: str = "") -> Verdict:
        """Score 1 for new wording, 0 for a copy; undecided without a challenge.

        Args:
            subject: a challenge with a label.
            reference: not used.
            context: the document.
        """
        challenge = as_challenge(subject)
        if challenge is None:
            return Verdict.undecidable(f"{type(subject).__name__} is no challenge", self.name)
        if self.task.label_of(challenge.question):
            return Verdict.of(False, "the text is a label; write a text that belongs to it", self.name)
        own = set(content_words(challenge.question))
        for definition in self.task.labels.values():
            if own and len(own & set(content_words(definition))) / len(own) >= REPEATED:
                return Verdict.of(False, "the text repeats a definition; write a real text of that kind", self.name)
        for what, line in (("the passage", _line(context)), *(("an example", line) for line in self.shown)):
            if (share := _shared(challenge.question, line)) >= COPIED:
                why = f"{share:.0%} of the text is copied from {what}; keep the kind of rule, and use your own words"
                return Verdict.of(False, why, self.name, copied=round(share, 3))
        return Verdict.of(True, "", self.name)


@functools.lru_cache(maxsize=64)
def _line(text: str) -> str:
    """The words of a text between single spaces; a document is asked about many times."""
    return f" {' '.join(words(text))} "


def _shared(text: str, line: str) -> float:
    """Share of the text's word 8-grams that stand in the other one; a shorter text counts as one."""
    own = words(text)
    grams = [" ".join(own[i : i + N_GRAM]) for i in range(max(1, len(own) - N_GRAM + 1))]
    return sum(f" {gram} " in line for gram in grams) / len(grams)
