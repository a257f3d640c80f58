"""Verifiers as metrics for Evaluate and every optimizer.

What becomes of an undecided verdict: it is never counted as a failure, and never as a gain either; an output that
cannot be read must not score better than one that can. Unless it is declared dispensable (`required` of `combine`), it
makes the whole metric undecided: the score is 0 (DSPy demands a number) with `undecided=True`, no objectives and a
feedback that says so, and `metric.undecided_rate` tells how often that was. A rate that is not small means that the
verifier, not the program, is what needs work.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from autodata_dspy.errors import AutodataError, ConfigError, StopRun, did_you_mean
from autodata_dspy.examiner import plain_facts
from autodata_dspy.metrics.base import Score
from autodata_dspy.subjects import number_as_text
from autodata_dspy.types import Verdict, to_dict
from autodata_dspy.verifiers.base import Verifier

logger = logging.getLogger(__name__)

Source = str | Callable[[Any, Any], Any]
Mode = Literal["weights", "all", "first_failure"]
# subject, reference, context: fields that are read unless told otherwise
_DEFAULTS = {
    "answer": ("answer", "answer", "question"),
    "challenge": ("challenge", "", ""),
    "dataset": ("accepted", "", ""),
}
_REMEMBERED = 4096


@dataclass(frozen=True)
class _Part:
    """One verifier, and where its inputs come from."""

    name: str
    verifier: Verifier
    subject: Source
    reference: Source
    context: Source
    context_required: bool


def as_metric(
    verifier: Verifier,
    *,
    subject: Source | None = None,
    reference: Source | None = None,
    context: Source | None = None,
    pass_mark: float = 0.0,
) -> VerifiedMetric:
    """A verifier as a metric: `metric(gold, pred, trace=None, pred_name=None, pred_trace=None) → Score`.

    Args:
        subject: the field of the prediction that is checked, or a function of (gold, pred). By default "answer",
            "challenge" or "accepted", by what the verifier checks. A subject of None scores 0: nothing was made.
        reference: the field of the gold example, or a function of (gold, pred); "" for none. Default: "answer" for
            verifiers of answers, else none.
        context: likewise; by default the gold's "question" where it has one.
        pass_mark: the score from which a Score is true (BootstrapFewShot keeps what is true).

    The same inputs get the same score: decided verdicts are remembered (the last 4096).
    """
    default_subject, default_reference, default_context = _DEFAULTS[verifier.checks]
    part = _Part(
        verifier.name,
        verifier,
        default_subject if subject is None else subject,
        default_reference if reference is None else reference,
        default_context if context is None else context,
        context is not None,
    )
    return VerifiedMetric((part,), (1.0,), "weights", pass_mark)


def combine(
    verifiers: Sequence[Verifier | VerifiedMetric],
    *,
    mode: Mode = "weights",
    weights: Sequence[float] | Mapping[str, float] | None = None,
    required: Iterable[str] | None = None,
    pass_mark: float = 0.0,
) -> VerifiedMetric:
    """Several verifiers as one metric; put those with other inputs in as `as_metric(verifier, subject=…)`.

    Modes:
        weights: the weighted mean. Undecided as soon as a required verifier is; one that is not required earns nothing
            while it is undecided, and its weight still counts: leaving a check undecided never pays.
        all: the lowest score. While a verifier is undecided, only a score of 0 decides.
        first_failure: asks in the given order and stops at the first score below 1, which is the score; verifiers
            further on cost nothing. Decided as in "all".

    Args:
        weights: one number per verifier, or name → number (1 where a name is missing); mode "weights" only.
        required: names of the verifiers without which nothing is decided; mode "weights" only. Default: all that have
            a weight. (A second verifier of a name is called `name_2`.)

    Raises:
        ConfigError: no verifiers, a combination among them, an unknown mode or name, or weights that do not fit.
    """
    if not verifiers:
        raise ConfigError("combine needs at least one verifier")
    if mode not in get_args(Mode):
        raise ConfigError(did_you_mean("mode of combine", mode, get_args(Mode)))
    for what, given in (("weights", weights), ("required", required)):
        if given is not None and mode != "weights":
            raise ConfigError(f"{what} have no meaning in mode {mode!r}")
    parts: list[_Part] = []
    for each in verifiers:
        metric = each if isinstance(each, VerifiedMetric) else as_metric(each)
        if len(metric.parts) > 1 or metric.pass_mark:
            raise ConfigError(
                "combine takes verifiers, and as_metric(…) without a pass_mark; of a combination in it, or of its "
                "pass_mark, nothing would be left: give its verifiers, and the pass_mark to combine"
            )
        parts.extend(metric.parts)
    parts = _distinct(parts)
    return VerifiedMetric(tuple(parts), _weights(parts, weights), mode, pass_mark, _required(parts, required))


def _distinct(parts: list[_Part]) -> list[_Part]:
    seen: dict[str, int] = {}
    named = []
    for part in parts:
        seen[part.name] = seen.get(part.name, 0) + 1
        again = seen[part.name]
        named.append(_Part(**{**part.__dict__, "name": part.name if again == 1 else f"{part.name}_{again}"}))
    return named


def _weights(parts: list[_Part], given: Sequence[float] | Mapping[str, float] | None) -> tuple[float, ...]:
    names = [part.name for part in parts]
    if isinstance(given, Mapping):
        for name in given:
            if name not in names:
                raise ConfigError(did_you_mean("verifier", name, names))
        given = [given.get(name, 1.0) for name in names]
    chosen = tuple(1.0 for _ in names) if given is None else tuple(float(w) for w in given)
    if len(chosen) != len(names):
        raise ConfigError(f"{len(chosen)} weights for {len(names)} verifiers ({', '.join(names)})")
    if min(chosen) < 0 or not sum(chosen) > 0:
        raise ConfigError(f"weights are not negative and not all 0: {list(chosen)}")
    return chosen


def _required(parts: list[_Part], given: Iterable[str] | None) -> frozenset[str] | None:
    if given is None:
        return None
    names = [part.name for part in parts]
    chosen = frozenset((given,) if isinstance(given, str) else given)
    for name in sorted(chosen):
        if name not in names:
            raise ConfigError(did_you_mean("verifier", name, names))
    return chosen


class VerifiedMetric:
    """What `as_metric` and `combine` return. Thread-safe.

    Attributes:
        n_calls, n_undecided: how often it was asked, and how often nothing could be decided.
    """

    def __init__(
        self,
        parts: tuple[_Part, ...],
        weights: tuple[float, ...],
        mode: Mode,
        pass_mark: float = 0.0,
        required: frozenset[str] | None = None,
    ):
        self.parts, self.weights, self.mode, self.pass_mark = parts, weights, mode, pass_mark
        weighty = frozenset(part.name for part, weight in zip(parts, weights, strict=True) if weight > 0)
        self.required = weighty if required is None else required
        self.n_calls = self.n_undecided = 0
        self._remembered: OrderedDict[tuple[str, str], Verdict] = OrderedDict()
        self._lock = threading.Lock()

    def about(self) -> dict[str, Any]:
        """What it is, for hashes: JSON-able."""
        parts = [
            [part.name, type(part.verifier).__qualname__, plain_facts(part.verifier)]
            + [s if isinstance(s, str) else plain_facts(s) for s in (part.subject, part.reference, part.context)]
            for part in self.parts
        ]
        how = {"weights": self.weights, "mode": self.mode, "pass_mark": self.pass_mark}
        return {"verifiers": parts, "required": sorted(self.required), **how}

    @property
    def undecided_rate(self) -> float:
        """Share of the calls about which nothing could be decided; 0 before the first."""
        return self.n_undecided / self.n_calls if self.n_calls else 0.0

    # GEPA binds exactly these five; the score does not depend on the last three.
    def __call__(
        self, gold: Any, pred: Any, trace: Any = None, pred_name: str | None = None, pred_trace: Any = None
    ) -> Score:
        """Score a prediction.

        Raises:
            StopRun: gold or prediction lack a field that the metric was told to read. (An ordinary exception would
                be swallowed by the optimizers and count as 0.)
        """
        verdicts: dict[str, Verdict] = {}
        for part in self.parts:
            verdicts[part.name] = verdict = self._verdict(part, gold, pred)
            if self.mode == "first_failure" and verdict.score is not None and not verdict.passed:
                break
        score = self._score(verdicts)
        with self._lock:
            self.n_calls += 1
            self.n_undecided += score is None
        feedback = f"[{pred_name}] " if pred_name else ""
        if score is None:
            feedback += "Undecided: this is no judgement of the output. "
        feedback += " ".join(_told(name, verdict) for name, verdict in verdicts.items())
        if score is None:
            logger.warning("undecided, scored 0: %s", feedback[:300])
            return Score(0.0, feedback, undecided=True, pass_mark=self.pass_mark)
        objectives = {name: v.score for name, v in verdicts.items() if v.score is not None}
        return Score(score, feedback, pass_mark=self.pass_mark, **objectives)  # type: ignore[arg-type]

    def _score(self, verdicts: dict[str, Verdict]) -> float | None:
        decided = {name: v.score for name, v in verdicts.items() if v.score is not None}
        if self.mode == "weights":
            pairs = [(w, decided[p.name]) for w, p in zip(self.weights, self.parts, strict=True) if p.name in decided]
            if not self.required <= decided.keys() or not any(w > 0 for w, _ in pairs):
                return None
            return min(1.0, sum(w * s for w, s in pairs) / sum(self.weights))
        lowest = min(decided.values(), default=1.0)
        return None if lowest > 0.0 and len(decided) < len(verdicts) else lowest

    def _verdict(self, part: _Part, gold: Any, pred: Any) -> Verdict:
        subject = _read(part.subject, gold, pred, pred, "prediction")
        if subject is None:
            return Verdict.of(False, "nothing was produced that could be checked", part.name)
        reference = _read(part.reference, gold, pred, gold, "gold example")
        context = _read(part.context, gold, pred, gold, "gold example" if part.context_required else "")
        reference, context = ("" if text is None else str(number_as_text(text)) for text in (reference, context))
        if part.verifier.checks == "answer":  # a signature may say `answer: int`
            subject = str(subject) if isinstance(subject, bool) else number_as_text(subject)
        shown = json.dumps([to_dict(subject), reference, context], default=repr, sort_keys=True)
        key = (part.name, hashlib.blake2b(shown.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest())
        with self._lock:
            if key in self._remembered:
                self._remembered.move_to_end(key)
                return self._remembered[key]
        verdict = _ask(part, subject, reference, context)
        if not verdict.undecided:  # an outage passes; what could not be decided is asked again
            with self._lock:
                self._remembered[key] = verdict
                if len(self._remembered) > _REMEMBERED:
                    self._remembered.popitem(last=False)
        return verdict


def _ask(part: _Part, subject: Any, reference: str, context: str) -> Verdict:
    try:
        return part.verifier.verify(subject, reference, context)
    except ConfigError as error:  # no model to ask: stop, rather than score every output 0
        raise StopRun(error) from error
    except AutodataError as error:
        return Verdict.undecidable(str(error), part.name)
    except Exception as error:  # optimizers would make it a 0, which says that the program is bad; it is not
        logger.exception("verifier %s is broken", part.name)
        return Verdict.undecidable(f"the verifier is broken: {type(error).__name__}: {error}", part.name)


def _read(source: Source, gold: Any, pred: Any, owner: Any, what: str) -> Any:
    """The value of a source; a missing field is an error only where `what` (its owner) is named."""
    if callable(source):
        return source(gold, pred)
    if not source or owner is None:
        return None
    try:
        return owner[source]
    except (KeyError, AttributeError):
        if not what:
            return None
        fields = list(owner.keys()) if hasattr(owner, "keys") else []
        raise StopRun(ConfigError(did_you_mean(f"field of the {what}", source, fields))) from None


def _told(name: str, verdict: Verdict) -> str:
    feedback = verdict.feedback.rstrip(". ")
    if verdict.score is None:
        return f"{name}: undecided ({feedback or 'no reason given'})."
    if verdict.passed:
        return f"{name}: passed ({feedback})." if feedback else f"{name}: passed."
    return f"{name}: score {verdict.score:.2f}: {feedback or 'failed'}."
