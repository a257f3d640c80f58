"""The protocol every verifier follows. A plugin file in this folder exposes its class as `PLUGIN`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from autodata_dspy.types import Challenge, Verdict

Checks = Literal["challenge", "answer", "dataset"]
Cost = Literal["free", "cpu", "lm"]


@dataclass(frozen=True, slots=True)
class VerifierExample:
    """One call with the outcome it must have: True (score 1), False (score < 1) or None (undecided)."""

    subject: Any
    reference: str = ""
    context: str = ""
    expected: bool | None = True
    why: str = ""


@runtime_checkable
class Verifier(Protocol):
    """Checks a challenge, an answer or a data set and says why.

    Attributes:
        name: the plugin's name, equal to its module's name.
        checks: what `subject` is: a "challenge", an "answer" (text) or a "dataset".
        cost: "free" (microseconds), "cpu" (milliseconds or a worker process), "lm" (a model call).
        EXAMPLES: at least one call that passes and one that fails; a contract test runs them all.
    """

    name: ClassVar[str]
    checks: ClassVar[Checks]
    cost: ClassVar[Cost]
    EXAMPLES: ClassVar[tuple[VerifierExample, ...]]

    def verify(self, subject: Challenge | str | Any, reference: str = "", context: str = "") -> Verdict:
        """Judge `subject` against `reference`, given `context`.

        Returns:
            A Verdict with score in [0, 1], or undecided. A check that cannot run or cannot decide
            is undecided and says why in its feedback; it never answers 0 for that.
        """
        ...
