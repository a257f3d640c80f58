"""Filters of the classic methods: does a challenge stay, given what one solver made of it?

A filter is asked after every rollout. It answers True (stays) or False (dropped) as soon as the outcome is certain
whatever the missing rollouts would bring, and None before. Sampling that stops there ("curtailed") therefore decides
exactly as full sampling does; a property test holds this. A rollout about which nothing is known (no answer came back,
or the check was undecided) is never counted against a challenge: a filter only concludes what holds whichever way it
would have gone. None after the last rollout means undecided.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from autodata_dspy.acceptance import SLACK
from autodata_dspy.errors import ConfigError
from autodata_dspy.types import Rollout, Verdict

Same = Callable[[str, str], bool | None]


@dataclass(frozen=True, slots=True)
class Filtering:
    """Options of both filters.

    Attributes:
        n_samples: rollouts of a full sample.
        min_reward: in [0, 1]; of tasks that are not verifiable, the least reward that the worst rollout must have. The
            bound is fixed and no quantile of a pool, because examples are decided one at a time. The default asks
            that no rollout earns less than half; with a judge of yes and no, that all are right.
        curtail: stop sampling as soon as the outcome is certain. The decisions are the same.

    Raises:
        ConfigError: a number out of its range.
    """

    n_samples: int = 4
    min_reward: float = 0.5
    curtail: bool = True

    def __post_init__(self) -> None:
        if self.n_samples < 1:
            raise ConfigError(f"n_samples={self.n_samples}: a filter needs at least 1 answer")
        if not 0.0 <= self.min_reward <= 1.0:
            raise ConfigError(f"min_reward={self.min_reward} must lie between 0 and 1")


class Filter(Protocol):
    """Whether a challenge stays."""

    def settled(self, rollouts: Sequence[Rollout]) -> bool | None:
        """Do the rollouts so far settle that it stays (True) or is dropped (False)?"""
        ...

    def verdict(self, rollouts: Sequence[Rollout]) -> Verdict:
        """The outcome with its evidence; undecided where nothing is settled."""
        ...


@dataclass(slots=True)
class Votes:
    """What rollouts answered, by agreement.

    Attributes:
        agree: answers that equal the stated one.
        others: sizes of the groups of equal other answers.
        adrift: other answers of which it is undecided whether they belong to one of the groups.
        silent: wrong for want of an answer (cut off, a program that does not run); they vote for nothing.
        unknown: no answer came back, or it is undecided whether it equals the stated one.
    """

    agree: int = 0
    others: list[int] = field(default_factory=list)
    adrift: int = 0
    silent: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class AnswerConsistency:
    """Stays iff at least one rollout gives the stated answer and no other answer is given more often (a tie stays).

    Source: answer consistency of CoT-Self-Instruct (arXiv 2507.23751).

    Attributes:
        n: rollouts of a full sample.
        same: whether two answers are the same; None where that is undecided.
    """

    n: int
    same: Same

    def settled(self, rollouts: Sequence[Rollout]) -> bool | None:
        votes = self._votes(rollouts)
        most, missing = max(votes.others, default=0), self.n - len(rollouts)
        if votes.agree >= max(1, most + votes.adrift + votes.unknown + missing):
            return True
        return False if votes.agree + votes.unknown + missing < max(1, most) else None

    def verdict(self, rollouts: Sequence[Rollout]) -> Verdict:
        votes = self._votes(rollouts)
        most = max(votes.others, default=0)
        told = f"{votes.agree} of {len(rollouts)} solutions give the stated answer, {most} the same other one"
        evidence = {
            "agree": votes.agree,
            "others": sorted(votes.others, reverse=True),
            "adrift": votes.adrift,
            "silent": votes.silent,
            "unknown": votes.unknown,
            "rollouts": len(rollouts),
        }
        return _verdict(self.settled(rollouts), told, evidence, "answer_consistency")

    def _votes(self, rollouts: Sequence[Rollout]) -> Votes:
        votes, first = Votes(), []
        for rollout in rollouts:
            score = rollout.verdict.score if rollout.verdict else None
            if score is None:
                votes.unknown += 1
            elif score == 1.0:
                votes.agree += 1
            elif not rollout.answer.strip():
                votes.silent += 1
            else:
                self._join(rollout.answer, votes, first)
        return votes

    def _join(self, answer: str, votes: Votes, first: list[str]) -> None:
        """Count an other answer in the group it equals (`first` holds one answer of each), or in a new one."""
        equal = [self.same(answer, known) for known in first]
        if True in equal:
            votes.others[equal.index(True)] += 1
        elif None in equal:
            votes.adrift += 1
        else:
            votes.others.append(1)
            first.append(answer)


@dataclass(frozen=True, slots=True)
class LowestReward:
    """Stays iff every rollout of a full sample has a reward, and the lowest of them is at least `min_reward`.

    Source: RIP (arXiv 2501.18578), as CoT-Self-Instruct (arXiv 2507.23751) uses it: a prompt whose worst response is
    poor is likely unclear or noisy. RIP's other two measures, length and gap of rewards, are not used.

    Attributes:
        n: rollouts of a full sample.
        min_reward: in [0, 1].
    """

    n: int
    min_reward: float

    def settled(self, rollouts: Sequence[Rollout]) -> bool | None:
        rewards = [r.verdict.score if r.verdict else None for r in rollouts]
        if any(reward is not None and reward < self.min_reward - SLACK for reward in rewards):
            return False
        return None if None in rewards or len(rewards) < self.n else True

    def verdict(self, rollouts: Sequence[Rollout]) -> Verdict:
        rewards = [r.verdict.score if r.verdict else None for r in rollouts]
        known = [reward for reward in rewards if reward is not None]
        lowest = min(known, default=None)
        shown = "unknown" if lowest is None else f"{lowest:.2f}"
        told = f"the lowest reward of {len(rollouts)} solutions is {shown}; {self.min_reward:.2f} is demanded"
        return _verdict(self.settled(rollouts), told, {"rewards": rewards, "lowest": lowest}, "lowest_reward")


def _verdict(settled: bool | None, told: str, evidence: dict, name: str) -> Verdict:
    if settled is None:
        return Verdict.undecidable(f"undecided: {told}", name, **evidence)
    return Verdict.of(settled, "" if settled else told, name, **evidence)
