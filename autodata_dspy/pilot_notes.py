"""What a pilot warns of, each with a remedy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from autodata_dspy.forecasts import Forecast
from autodata_dspy.proposals import STRONG_MEAN, WEAK_MEAN, WEAK_STRUGGLES, PilotRound

FEW = 5  # with fewer accepted examples an interval spans a factor of ten


def pilot_notes(
    maker: Any, rounds: Sequence[PilotRound], found: Forecast, stopped: str, nothing_fits: bool
) -> Iterable[str]:
    """Warnings with remedies, the gravest first."""
    known = [(_mean(r.weak), _mean(r.strong)) for r in rounds if r.screened]
    pairs = [(weak, strong) for weak, strong in known if weak is not None and strong is not None]
    learner = maker.domain.learner is not None
    if not any(r.screened for r in rounds):
        yield (
            "no challenge passed the checks, so the solvers were never asked; use a stronger challenger "
            "(--lm challenger=MODEL) or other documents"
        )
    elif maker.last_word is not None and found.accepted == 0:
        yield (
            f"none of {found.n_rounds} rounds was accepted; see why with `autodata show`, then use a stronger "
            "--lm strong_solver=MODEL or a larger pilot (--pilot)"
        )
    elif nothing_fits or found.accepted == 0:
        yield f"no valid rule accepts anything that the pilot saw: {_obstacle(pairs)}"
    if pairs and not learner and (gap := sum(s - w for w, s in pairs) / len(pairs)) <= 0:
        yield (
            f"the weak solver is as good as the strong one (strong mean minus weak mean {gap:+.2f}): this pair cannot "
            "tell anything apart; use a stronger --lm strong_solver=MODEL or a weaker --lm weak_solver=MODEL"
        )
    if stopped:
        yield f"the pilot ended early: {stopped}; for a better forecast go on with a higher limit"
    if 0 < found.accepted < FEW:
        yield (
            f"the rule accepts {found.accepted:.1f} of the pilot's {found.n_rounds} rounds, too few for a narrow "
            "forecast; go by the interval, or use more documents (--pilot)"
        )
    if len({r.document_id for r in rounds}) == 1:
        yield "all rounds are of one document; others may differ in ways that the intervals leave out"
    if maker.last_word is not None:
        yield "a module with the last word decides in this domain; its rule stays, and the forecast counts its verdicts"
    if learner:
        yield "the learner learns in the run, so that fewer texts will be new to it; its bound stays as it is"


def _mean(scores: Sequence[float | None]) -> float | None:
    known = [s for s in scores if s is not None]
    return sum(known) / len(known) if known else None


def _obstacle(pairs: Sequence[tuple[float, float]]) -> str:
    """Which of the two solvers is in the way, and what to do."""
    if not pairs:
        return "too many attempts have no score; look at them with `autodata show`"
    struggles = sum(weak <= max(WEAK_STRUGGLES, WEAK_MEAN) for weak, _ in pairs)
    succeeds = sum(strong >= STRONG_MEAN for _, strong in pairs)
    told = f"of {len(pairs)} challenges the weak solver struggles with {struggles}, the strong one succeeds in"
    blame = "strong" if succeeds <= struggles else "weak"
    remedy = "a stronger --lm strong_solver=MODEL" if blame == "strong" else "a weaker --lm weak_solver=MODEL"
    return f"{told} {succeeds}; use {remedy}, or a larger pilot"
