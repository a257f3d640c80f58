"""What a metric is given, read as one thing: the accepted examples, and the trajectories that led to them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from autodata_dspy.errors import ConfigError
from autodata_dspy.subjects import as_challenge
from autodata_dspy.types import Challenge, Round, Trajectory, to_dict

HEADINGS = {
    "too_easy": "too easy",
    "too_hard": "too hard",
    "failed_on_strong": "failed on strong",
    "failed_check": "failed a check",
    "malformed": "not usable",
    "no_agreement": "no agreement on the answer",
    "duplicate": "repeated",
    "improve": "to be improved",
    "filtered": "filtered out",
    "undecided": "undecided",
}
_N_DETAILS = 3
_MAX_DETAIL = 200


@dataclass(frozen=True, slots=True)
class Example:
    """An accepted challenge, with the mean score of each solver in [0, 1] (None: not asked, or never decided)."""

    challenge: Challenge
    weak: float | None = None
    strong: float | None = None

    @property
    def label(self) -> str:
        """What a classifier learns: the label, else the answer."""
        return self.challenge.label or self.challenge.answer


@dataclass(frozen=True)
class Made:
    """What a program made, of one document or of many.

    Attributes:
        examples: accepted, in order.
        trajectories: empty where only examples are known.
    """

    examples: tuple[Example, ...] = ()
    trajectories: tuple[Trajectory, ...] = ()

    @property
    def challenges(self) -> list[Challenge]:
        return [e.challenge for e in self.examples]

    @property
    def key(self) -> str:
        """Hash of everything in it; times do not count."""
        trajectories = [{**to_dict(t), "seconds": 0} for t in self.trajectories]
        shown = json.dumps([to_dict(self.examples), trajectories], sort_keys=True, default=repr)
        return hashlib.blake2b(shown.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()

    @classmethod
    def of(cls, pred: Any) -> Made:
        """Read a prediction.

        Args:
            pred: has `trajectory` and `accepted` (a generator's), or `accepted` and perhaps `trajectories` (a whole
                data set); or is itself a list of challenges, rounds or rows.

        Raises:
            ConfigError: nothing of that is there, or an accepted thing is no example.
        """
        if isinstance(pred, Made):
            return pred
        if isinstance(pred, (list, tuple)):
            return cls(_examples(pred))
        trajectories = _field(pred, "trajectories")
        if trajectories is None:
            one = _field(pred, "trajectory")
            trajectories = () if one is None else (one,)
        accepted = _field(pred, "accepted")
        if accepted is None and not trajectories:
            raise ConfigError(
                "the prediction has neither `trajectory` nor `accepted`; measure what a generator returns"
            )
        if accepted is None:
            accepted = [r for t in trajectories for r in t.accepted]
        return cls(_examples(accepted), tuple(trajectories))


def _field(pred: Any, name: str) -> Any:
    return pred.get(name) if isinstance(pred, Mapping) else getattr(pred, name, None)


def _examples(accepted: Iterable[Any]) -> tuple[Example, ...]:
    found = []
    for thing in accepted:
        if isinstance(thing, Example):
            found.append(thing)
            continue
        challenge = as_challenge(thing)
        if challenge is None:
            raise ConfigError(f"accepted examples are challenges, rounds or rows, not {type(thing).__name__}")
        if isinstance(thing, Round):
            weak, strong = _mean(thing.scores("weak_solver")), _mean(thing.scores("strong_solver"))
        elif isinstance(thing, Mapping):
            weak, strong = thing.get("weak_mean"), thing.get("strong_mean")
        else:
            weak = strong = None
        found.append(Example(challenge, weak, strong))
    return tuple(found)


def _mean(scores: list[float]) -> float | None:
    return sum(scores) / len(scores) if scores else None


def failures(trajectories: Iterable[Trajectory]) -> str:
    """Why rounds were not accepted, in the verdicts' words: one line for each reason, the most frequent first."""
    trajectories = list(trajectories)
    rounds = [r for t in trajectories for r in t.rounds]
    counts = Counter(r.decision.reason for r in rounds if r.decision.reason in HEADINGS)
    lines = []
    for reason, n in counts.most_common():
        said = Counter(text for r in rounds if r.decision.reason == reason for text in dict.fromkeys(_said(r)))
        details = " | ".join(text[:_MAX_DETAIL] for text, _ in said.most_common(_N_DETAILS))
        lines.append(f"- {HEADINGS[reason]} ({n} of {len(rounds)} rounds): {details or 'no reason given'}")
    if skipped := [t for t in trajectories if t.status == "skipped"]:
        why = Counter(t.note[:_MAX_DETAIL] for t in skipped if t.note).most_common(1)
        lines.append(f"- skipped as unsuitable ({len(skipped)} documents): {why[0][0] if why else 'no reason given'}")
    return "\n".join(lines)


def _said(round_: Round) -> Iterable[str]:
    """What the decision says, and what made it: failed checks, the strong solver's failures."""
    if round_.decision.feedback:
        yield round_.decision.feedback
    for verdict in round_.verdicts:
        if verdict.feedback and verdict.score is not None and not verdict.passed:
            yield verdict.feedback
    if round_.decision.reason == "failed_on_strong":
        for rollout in round_.rollouts:
            verdict = rollout.verdict
            if rollout.solver == "strong_solver" and verdict and verdict.feedback and not verdict.passed:
                yield verdict.feedback
