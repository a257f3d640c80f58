"""Decision rules over the solvers' scores.

A rule is asked after every attempt. It answers True or False as soon as the outcome is certain whatever
the missing attempts would bring, and None before. Sampling that stops there ("curtailed") therefore
decides exactly as full sampling does; a property test holds this.

Scores are in [0, 1]; None marks an attempt about which nothing is known (the check was undecided or no
answer came back). Unknown attempts are never counted as failures: the rule only concludes what holds
whichever way they would have gone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from autodata_dspy.errors import ConfigError

Scores = Sequence[float | None]


class AcceptanceRule(Protocol):
    """When is a challenge worth keeping? `n_weak`, `n_strong`: attempts of a full sample."""

    @property
    def n_weak(self) -> int: ...

    @property
    def n_strong(self) -> int: ...

    def weak(self, scores: Scores) -> bool | None:
        """Do the weak solver's scores so far settle that it struggles enough (True) or not (False)?"""
        ...

    def strong(self, weak: Scores, scores: Scores) -> bool | None:
        """Do the strong solver's scores so far settle that it succeeds enough (True) or not (False)?"""
        ...


@dataclass(frozen=True, slots=True)
class ExactCounts:
    """Accept iff the weak solver is right at most `max_weak` times of `n_weak` and the strong one at least
    `min_strong` times of `n_strong`; right means score 1. The defaults are those of the mathematics
    section of arXiv 2606.25996.
    """

    n_weak: int = 4
    max_weak: int = 1
    n_strong: int = 4
    min_strong: int = 3

    def __post_init__(self) -> None:
        if self.n_weak < 0 or self.n_strong < 0:
            raise ConfigError(f"attempts cannot be negative: n_weak={self.n_weak}, n_strong={self.n_strong}")
        if not 0 <= self.max_weak <= self.n_weak:
            raise ConfigError(f"max_weak={self.max_weak} must lie between 0 and n_weak={self.n_weak}")
        if not 0 <= self.min_strong <= self.n_strong:
            raise ConfigError(f"min_strong={self.min_strong} must lie between 0 and n_strong={self.n_strong}")

    def weak(self, scores: Scores) -> bool | None:
        at_most = _right(scores) + _open(scores, self.n_weak)
        if at_most <= self.max_weak:
            return True
        return False if _right(scores) > self.max_weak else None

    def strong(self, weak: Scores, scores: Scores) -> bool | None:
        if _right(scores) >= self.min_strong:
            return True
        at_most = _right(scores) + _open(scores, self.n_strong)
        return False if at_most < self.min_strong else None


def adjusted(rule: AcceptanceRule, values: dict[str, int | None]) -> AcceptanceRule:
    """`rule` with some of its numbers replaced; None keeps a number. Raises ConfigError if they contradict."""
    given = {name: value for name, value in values.items() if value is not None}
    try:
        return dataclasses.replace(rule, **given) if given else rule  # type: ignore[type-var]
    except TypeError:
        unknown = sorted(set(given) - {f.name for f in dataclasses.fields(rule)})  # type: ignore[arg-type]
        raise ConfigError(f"the rule {type(rule).__name__} has no {', '.join(unknown)}") from None


def _right(scores: Scores) -> int:
    return sum(s is not None and s >= 1.0 for s in scores)


def _wrong(scores: Scores) -> int:
    return sum(s is not None and s < 1.0 for s in scores)


def _open(scores: Scores, n: int) -> int:
    """Attempts that could still turn out right: unknown ones and those not yet made."""
    return sum(s is None for s in scores) + n - len(scores)


def majority(scores: Scores) -> bool:
    """More of the decided attempts agree with the reference answer than not."""
    return _right(scores) > _wrong(scores)


def agreement(scores: Scores, n: int) -> bool | None:
    """The `majority` of a full sample of `n`, or None while missing attempts could change it."""
    missing = n - len(scores)
    if _right(scores) > _wrong(scores) + missing:
        return True
    return False if _right(scores) + missing <= _wrong(scores) else None
