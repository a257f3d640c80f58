"""Is a text neither too short nor too long?"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from autodata_dspy.errors import ConfigError
from autodata_dspy.subjects import text_of
from autodata_dspy.text import words
from autodata_dspy.types import Verdict
from autodata_dspy.verifiers.base import Checks, Cost, VerifierExample


class Length:
    """Counts words and characters. The default bounds are Self-Instruct's: more than 3 words, at most 150.

    Words are runs of letters and digits; punctuation and mathematical signs are none, and each
    Chinese, Japanese or Korean sign is one. Characters are counted without white space at the ends.

    Audited on 47 hard cases (benchmarks/README.md):
    precision 1.000, recall 1.000, undecided 0.106.

    Args:
        min_words, max_words: inclusive bounds; None for no upper one.
        min_chars, max_chars: the same for characters.
        part: of a challenge: "question", "visible" (context and question), "answer" or "all".
    """

    name: ClassVar[str] = "length"
    checks: ClassVar[Checks] = "challenge"
    cost: ClassVar[Cost] = "free"
    EXAMPLES: ClassVar[tuple[VerifierExample, ...]] = (
        VerifierExample("Why does the tide turn twice a day?", why="eight words"),
        VerifierExample("Define entropy.", expected=False, why="two words say too little"),
        VerifierExample("again and " * 100, expected=False, why="200 words"),
        VerifierExample("", expected=None, why="there is no text"),
    )

    def __init__(
        self,
        min_words: int = 4,
        max_words: int | None = 150,
        min_chars: int = 0,
        max_chars: int | None = None,
        part: Literal["question", "visible", "answer", "all"] = "question",
    ):
        for what, low, high in (("words", min_words, max_words), ("chars", min_chars, max_chars)):
            if low < 0 or (high is not None and high < low):
                raise ConfigError(f"min_{what}={low} and max_{what}={high} leave no length that would do")
        self.words, self.chars, self.part = (min_words, max_words), (min_chars, max_chars), part

    def verify(self, subject: Any, reference: str = "", context: str = "") -> Verdict:
        """Score 1 within the bounds, else 0; undecided without a text.

        Args:
            subject: a text or a challenge.
            reference: not used.
            context: not used.
        """
        text = text_of(subject, self.part)
        if text is None or not text.strip():
            return Verdict.undecidable(f"there is no text to measure in {type(subject).__name__}", self.name)
        n_words, n_chars = len(words(text)), len(text.strip())
        faults = [
            fault
            for what, n, bounds in (("words", n_words, self.words), ("characters", n_chars, self.chars))
            if (fault := _fault(what, n, *bounds))
        ]
        return Verdict.of(not faults, "; ".join(faults), self.name, n_words=n_words, n_chars=n_chars)


def _fault(what: str, n: int, low: int, high: int | None) -> str:
    if n < low:
        return f"too short: {n} {what}; write at least {low}"
    return f"too long: {n} {what}; write at most {high}" if high is not None and n > high else ""


PLUGIN = Length
