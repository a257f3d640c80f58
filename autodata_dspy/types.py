"""Frozen data that flows through the package. Nothing here imports dspy.

`to_dict` and `from_dict` turn every type into plain JSON data and back without loss.
"""

from __future__ import annotations

import dataclasses
import functools
import types as pytypes
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

T = TypeVar("T")

Reason = Literal[
    "accepted",
    "malformed",  # the challenger's output could not be read as a challenge
    "duplicate",  # asks what an earlier round of this document or a demonstration asked
    "failed_check",  # a challenge verifier said no
    "too_easy",  # the weak solver succeeds too often
    "too_hard",  # the weak solver gets nothing at all, where the rule forbids that
    "failed_on_strong",  # the strong solver fails too often
    "no_agreement",  # no independent route confirms the reference answer
    "improve",  # the module with the last word wants another version
    "filtered",  # a filter of a classic method dropped it (the verdicts say which)
    "undecided",  # a verifier could not decide; nothing is concluded about quality
    "infrastructure",  # model calls failed after their retries; nothing is concluded about quality
]
Status = Literal["done", "stopped", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Document:
    """A source text that examples are grounded on. `id` is unique within a run."""

    id: str
    text: str
    title: str = ""
    domain: str = ""
    source: str = ""
    licence: str = ""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One yes/no requirement of a rubric; a negative weight punishes what it describes."""

    text: str
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Rubric:
    """The criteria an answer is judged by."""

    criteria: tuple[Criterion, ...] = ()


@dataclass(frozen=True, slots=True)
class Challenge:
    """A question with its reference answer, not yet accepted.

    `program` is how the answer is checked by machine: the symbolic program whose result is `answer`
    (mathematics), the tests that `answer` passes (code), else empty.
    `context` is what solvers may read besides the question; they never see the document.
    `label` is the intended class (labelled forms), `tags` are the skills or the kind of question, `quotes`
    are passages of the document that the challenge rests on.
    """

    question: str
    answer: str
    program: str = ""
    context: str = ""
    angle: str = ""
    rubric: Rubric | None = None
    label: str = ""
    tags: tuple[str, ...] = ()
    quotes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verifier concluded.

    Attributes:
        score: in [0, 1], or None when undecided (the check could not decide or could not run).
        feedback: one or two sentences fit to be read by a model that has to improve.
        evidence: JSON-able facts behind the score.
        verifier: name of the verifier that spoke.
    """

    score: float | None
    feedback: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    verifier: str = ""

    def __post_init__(self) -> None:
        if self.score is not None and not 0.0 <= self.score <= 1.0:
            raise ValueError(f"a verdict's score lies in [0, 1] or is None (undecided), not {self.score!r}")

    @property
    def undecided(self) -> bool:
        return self.score is None

    @property
    def passed(self) -> bool:
        """True only for a full score; undecided has not passed."""
        return self.score == 1.0

    @classmethod
    def of(cls, passed: bool, feedback: str = "", verifier: str = "", **evidence: Any) -> Verdict:
        return cls(1.0 if passed else 0.0, feedback, evidence, verifier)

    @classmethod
    def undecidable(cls, why: str, verifier: str = "", **evidence: Any) -> Verdict:
        return cls(None, why, evidence, verifier)


@dataclass(frozen=True, slots=True)
class Rollout:
    """One attempt of a solver at a challenge.

    `reasoning` is the work that led to the answer: steps, or a program.
    `error` is an infrastructure failure (no answer came back); it is never a wrong answer.
    `finish_reason` is the engine's own word: "stop", "length" (cut off), …
    """

    solver: str
    index: int
    answer: str = ""
    reasoning: str = ""
    verdict: Verdict | None = None
    finish_reason: str = ""
    error: str = ""

    @property
    def outage(self) -> str:
        """Which call failed, the solver's own or its judge's; "" where none did."""
        if self.verdict is not None and self.verdict.evidence.get("outage"):
            return self.verdict.feedback
        return self.error


@dataclass(frozen=True, slots=True)
class Decision:
    """What the acceptance rule made of a challenge, and what the challenger is told."""

    accepted: bool
    reason: Reason
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class Round:
    """One turn of the loop: a challenge (or none, when it was malformed) and what became of it."""

    index: int
    decision: Decision
    challenge: Challenge | None = None
    verdicts: tuple[Verdict, ...] = ()
    rollouts: tuple[Rollout, ...] = ()

    def scores(self, solver: str) -> list[float]:
        """Decided scores of one solver's rollouts, in order, each in [0, 1]."""
        return [
            r.verdict.score
            for r in self.rollouts
            if r.solver == solver and r.verdict is not None and r.verdict.score is not None
        ]


@dataclass(frozen=True, slots=True)
class Trajectory:
    """All rounds of one document under one seed.

    `status`: "done" (ran to its own end), "stopped" (budget or interrupt; will be resumed),
    "failed" (the document broke the generator; `note` says how), "skipped" (unsuitable; `note` says why).
    `extraction`: what the extractor found in the document, by field; empty in domains without one.
    `without`: the parts of the program that were left out; see `ablations`.
    """

    document_id: str
    seed: int = 0
    rounds: tuple[Round, ...] = ()
    status: Status = "done"
    note: str = ""
    seconds: float = 0.0
    extraction: dict[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()

    @property
    def accepted(self) -> tuple[Round, ...]:
        return tuple(r for r in self.rounds if r.decision.accepted)


@dataclass(frozen=True, slots=True)
class Removed:
    """An accepted example that the final audit took out again; its trajectory stays as it is.

    Attributes:
        document_id, seed, round: which round of which trajectory it is.
        verifier: name of the check that took it out.
        why: in words.
    """

    document_id: str
    seed: int
    round: int
    verifier: str
    why: str = ""


def to_dict(value: Any) -> Any:
    """JSON-able form of any of these types (dataclasses become dicts, tuples become lists)."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_dict(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, (list, tuple)):
        return [to_dict(v) for v in value]
    if isinstance(value, dict):
        return {str(k): to_dict(v) for k, v in value.items()}
    return value


def from_dict(cls: type[T], data: dict[str, Any]) -> T:
    """Inverse of `to_dict`. Unknown keys are ignored, so that a newer file can still be read.

    Raises:
        TypeError: a required field is missing.
    """
    plan = _plan(cls)
    return cls(**{k: v if (revive := plan[k]) is None else revive(v) for k, v in data.items() if k in plan})


# Looking at type hints takes far longer than making the values: runs of thousands of documents are read with this.
@functools.cache
def _plan(cls: type) -> dict[str, Callable[[Any], Any] | None]:
    """Field → what makes its value of JSON data; None where that is the value already."""
    hints = typing.get_type_hints(cls)
    return {f.name: _reviver(hints[f.name]) for f in dataclasses.fields(cls)}


def _reviver(hint: Any) -> Callable[[Any], Any] | None:
    """As in `_plan`, for one type. What has another form than the type (also None) stays as it is."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, pytypes.UnionType):
        return _reviver(next((a for a in args if a is not type(None)), None))
    if dataclasses.is_dataclass(hint):
        return lambda value: from_dict(hint, value) if isinstance(value, dict) else value  # type: ignore[arg-type]
    if origin is not tuple:
        return None
    each = _reviver(args[0])
    if each is None:
        return lambda value: tuple(value) if isinstance(value, list) else value
    return lambda value: tuple([each(v) for v in value]) if isinstance(value, list) else value
