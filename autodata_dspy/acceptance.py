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
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from autodata_dspy.errors import ConfigError, did_you_mean
from autodata_dspy.types import Reason

Scores = Sequence[float | None]
SLACK = 1e-9  # sums of decimal fractions miss a bound by less than this


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

    def agreed(self, scores: Scores) -> bool | None:
        """Do the strong solver's scores confirm the reference answer? None while missing or unknown ones could tell."""
        ...

    def why(self, weak: Scores, strong: Scores) -> tuple[Reason, str]:
        """Reason of a rejection, and what the challenger is told; `strong` is empty where the weak scores decided."""
        ...


@dataclass(frozen=True, slots=True)
class ExactCounts:
    """Accept iff the weak solver is right at most `max_weak` times of `n_weak` and the strong one at least
    `min_strong` times of `n_strong`, and more often than not; right means score 1. The defaults are those of the
    mathematics section of arXiv 2606.25996.
    """

    n_weak: int = 4
    max_weak: int = 1
    n_strong: int = 4
    min_strong: int = 3

    def __post_init__(self) -> None:
        _check_attempts(self)
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

    def agreed(self, scores: Scores) -> bool | None:
        missing = self.n_strong - _right(scores) - _wrong(scores)  # not made, or of an outcome that nobody knows
        if self.n_strong == 0 or _right(scores) > _wrong(scores) + missing:
            return True
        return False if _right(scores) + missing <= _wrong(scores) else None

    def why(self, weak: Scores, strong: Scores) -> tuple[Reason, str]:
        if not strong:
            return "too_easy", f"the weak solver answered it {_right(weak)} of {len(weak)} times; make it harder"
        if self.strong(weak, strong):
            return "no_agreement", "most independent solutions differ from the reference answer; state all data"
        told = f"the strong solver got it right only {_right(strong)} of {len(strong)} times"
        return "failed_on_strong", f"{told}; make it clearer or ask for fewer steps"

    def strong_alone(self) -> ExactCounts:
        """This rule without its weak side."""
        return dataclasses.replace(self, n_weak=0, max_weak=0)


ZeroRule = Literal["any", "all", "off"]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Accept by mean scores, as the computer-science section of arXiv 2606.25996 does.

    Attributes:
        n_weak, n_strong: attempts of each solver.
        weak_below: the weak mean must lie below this.
        weak_at_most: the weak mean may not exceed this.
        weak_max: no weak attempt may score more than this.
        no_zero: reject when "any" weak attempt scores 0, when "all" do, or "off". The paper's words allow both.
        strong_min: least strong mean.
        strong_below: the strong mean must lie below this; above 1 it is dropped, as exact scoring needs.
        gap: least strong mean minus weak mean; 0 asks for none.
    """

    n_weak: int = 3
    n_strong: int = 3
    weak_below: float = 2.0
    weak_at_most: float = 1.0
    weak_max: float = 1.0
    no_zero: ZeroRule = "off"
    strong_min: float = 0.0
    strong_below: float = 2.0
    gap: float = 0.0

    def __post_init__(self) -> None:
        _check_attempts(self)
        for name in ("weak_below", "weak_at_most", "weak_max", "strong_min", "strong_below", "gap"):
            if not 0.0 <= getattr(self, name) <= 2.0:
                raise ConfigError(f"{name}={getattr(self, name)} must lie between 0 and 1 (up to 2 where dropped)")
        if self.no_zero not in ("any", "all", "off"):
            raise ConfigError(f"no_zero={self.no_zero!r} must be 'any', 'all' or 'off'")

    def weak(self, scores: Scores) -> bool | None:
        if self.n_weak == 0:
            return True
        low, high = _mean_range(scores, self.n_weak)
        known = [s for s in scores if s is not None]
        n_open = _open(scores, self.n_weak)
        n_zero = sum(s == 0.0 for s in known)
        zero_now = {"any": n_zero > 0, "all": n_zero == self.n_weak, "off": False}[self.no_zero]
        zero_yet = {"any": n_open > 0, "all": n_zero + n_open == self.n_weak, "off": False}[self.no_zero]
        too_high = any(s > self.weak_max + SLACK for s in known)
        if too_high or zero_now or low > self.weak_at_most + SLACK or low >= self.weak_below - SLACK:
            return False
        if self.gap > 0 and len(scores) < self.n_weak:
            return None  # the gap will be measured from the mean of all attempts
        certain = high <= self.weak_at_most + SLACK and high < self.weak_below - SLACK
        return True if certain and not zero_yet and (n_open == 0 or self.weak_max >= 1.0) else None

    def strong(self, weak: Scores, scores: Scores) -> bool | None:
        low, high = _mean_range(scores, self.n_strong)
        # Without a gap the weak attempts may have ended early, and their mean says nothing.
        weak_low, weak_high = _mean_range(weak, self.n_weak) if self.gap > 0 else (0.0, 0.0)
        if high < self.strong_min - SLACK or low >= self.strong_below - SLACK or high - weak_low < self.gap - SLACK:
            return False
        good = low >= self.strong_min - SLACK and high < self.strong_below - SLACK
        return True if good and low - weak_high >= self.gap - SLACK else None

    def agreed(self, scores: Scores) -> bool | None:
        return True

    def why(self, weak: Scores, strong: Scores) -> tuple[Reason, str]:
        said = f"the weak solver scored {_shown(weak)}"
        if not strong:
            known = [s for s in weak if s is not None]
            n_zero = sum(s == 0.0 for s in known)
            if n_zero and self.no_zero != "off" and not self._weak_too_good(known):
                return "too_hard", f"{said}: nothing at all in {n_zero} of {len(weak)} attempts; ask for less"
            return "too_easy", f"{said}; make it harder"
        said += f", the strong one {_shown(strong)}{_gap(weak, strong)}"
        low, _ = _mean_range(strong, self.n_strong)
        if low >= self.strong_below - SLACK:
            return "too_easy", f"{said}: nothing is left to learn; make it harder"
        return "failed_on_strong", f"{said}; the strong one has to be clearly better: make it clearer"

    def strong_alone(self) -> AcceptanceRule:
        """This rule without its weak side and the bounds on how easy an example may be: `strong_min` is left.

        A `strong_min` of 0 would be met unseen; then the attempts are made, and any score will do.
        """
        if self.strong_min <= 0.0:
            return FullSample(n_weak=0, n_strong=self.n_strong)
        return Thresholds(n_weak=0, n_strong=self.n_strong, strong_min=self.strong_min)

    def _weak_too_good(self, known: Sequence[float]) -> bool:
        mean = sum(known) / max(1, self.n_weak)
        return mean > self.weak_at_most or mean >= self.weak_below or max(known, default=0.0) > self.weak_max


@dataclass(frozen=True, slots=True)
class FullSample:
    """No threshold: all attempts are made, and the domain's module with the last word decides.

    More than half of each solver's attempts must have a score, otherwise nothing can be said.
    """

    n_weak: int = 5
    n_strong: int = 3

    def __post_init__(self) -> None:
        _check_attempts(self)

    def weak(self, scores: Scores) -> bool | None:
        return _sampled(scores, self.n_weak)

    def strong(self, weak: Scores, scores: Scores) -> bool | None:
        return _sampled(scores, self.n_strong)

    def agreed(self, scores: Scores) -> bool | None:
        return True if len(scores) >= self.n_strong else None

    def why(self, weak: Scores, strong: Scores) -> tuple[Reason, str]:
        return "undecided", "too few attempts have a score"  # never asked for: this rule does not reject

    def strong_alone(self) -> FullSample:
        """This rule without its weak side; whoever takes the last word away leaves nothing that rejects."""
        return FullSample(n_weak=0, n_strong=self.n_strong)


def adjusted(rule: AcceptanceRule, values: dict[str, object]) -> AcceptanceRule:
    """`rule` with some of its numbers replaced; None keeps a number. Raises ConfigError if they contradict.

    `preset` among the values names the rule of `PRESETS` to start from.
    """
    given = {name: value for name, value in values.items() if value is not None}
    preset = given.pop("preset", None)
    if preset is not None:
        if preset not in PRESETS:
            raise ConfigError(did_you_mean("acceptance preset", str(preset), PRESETS))
        rule = PRESETS[str(preset)]
    try:
        return dataclasses.replace(rule, **given) if given else rule  # type: ignore[type-var]
    except TypeError:
        unknown = sorted(set(given) - {f.name for f in dataclasses.fields(rule)})  # type: ignore[arg-type]
        raise ConfigError(f"the rule {type(rule).__name__} has no {', '.join(unknown)}") from None


def _check_attempts(rule: AcceptanceRule) -> None:
    if rule.n_weak < 0 or rule.n_strong < 0:
        raise ConfigError(f"attempts cannot be negative: n_weak={rule.n_weak}, n_strong={rule.n_strong}")


def _right(scores: Scores) -> int:
    return sum(s is not None and s >= 1.0 for s in scores)


def _wrong(scores: Scores) -> int:
    return sum(s is not None and s < 1.0 for s in scores)


def _open(scores: Scores, n: int) -> int:
    """Attempts that could still turn out right: unknown ones and those not yet made."""
    return sum(s is None for s in scores) + n - len(scores)


def _mean_range(scores: Scores, n: int) -> tuple[float, float]:
    """Least and greatest mean of a full sample of `n`, whatever the open attempts bring; (0, 0) of none."""
    if n == 0:
        return 0.0, 0.0
    total = math.fsum(s for s in scores if s is not None)
    return total / n, (total + _open(scores, n)) / n


def _sampled(scores: Scores, n: int) -> bool | None:
    """True once all attempts are made and most have a score."""
    known = sum(s is not None for s in scores)
    return True if len(scores) >= n and (n == 0 or 2 * known > n) else None


def _shown(scores: Scores) -> str:
    known = [s for s in scores if s is not None]
    if not known:
        return "nothing that is known"
    return f"{sum(known) / len(known):.2f} on average of {len(known)}"


def _gap(weak: Scores, strong: Scores) -> str:
    low, high = ([s for s in scores if s is not None] for scores in (weak, strong))
    return f", a gap of {sum(high) / len(high) - sum(low) / len(low):+.2f}" if low and high else ""


PRESETS: dict[str, AcceptanceRule] = {
    "paper-prose": Thresholds(weak_below=0.50, strong_min=0.65, gap=0.20),
    "paper-deployed": Thresholds(
        weak_at_most=0.65, weak_max=0.75, no_zero="any", strong_min=0.60, strong_below=0.95, gap=0.20
    ),
    "paper-math": ExactCounts(),
    "paper-legal": FullSample(),
}
