"""A calibration told in plain words: distributions of scores, the proposed rule, the forecast."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence

from autodata_dspy.acceptance import AcceptanceRule
from autodata_dspy.calibration import Calibration
from autodata_dspy.forecasts import Forecast, Interval
from autodata_dspy.proposals import PilotRound
from autodata_dspy.report.narrative import money

WIDTH = 30  # of the longest bar
N_RANGES = 5
_ROLES = {"weak": "weak_solver", "strong": "strong_solver"}


def calibration_lines(found: Calibration) -> Iterator[str]:
    """Everything that a person is told, line by line."""
    screened = [r for r in found.rounds if r.screened]
    n_documents = len({r.document_id for r in found.rounds})
    yield f"pilot: {n_documents} documents, {len(found.rounds)} rounds, {len(screened)} passed the checks"
    for solver in ("weak", "strong"):
        yield ""
        yield from histogram(screened, solver, found.models.get(_ROLES[solver], ""))
    yield ""
    yield from joint_table(screened)
    yield ""
    yield from _rules(found)
    yield ""
    yield from forecast_lines(found.forecast)
    for note in found.notes:
        yield f"warning: {note}"


def histogram(rounds: Sequence[PilotRound], solver: str, model: str = "") -> Iterator[str]:
    """One bar for each level of a solver's scores; a score is that of a challenge, over its attempts."""
    levels, placed = _levels(rounds, solver)
    counts = Counter(place for place in placed if place is not None)
    yield f"{solver} solver{f' ({model})' if model else ''}, challenges by {_what(levels)}:"
    most = max(counts.values(), default=0)
    for place, level in enumerate(levels):
        bar = "#" * max(round(WIDTH * counts[place] / most), 1) if counts[place] else ""
        yield f"  {level:>9} {counts[place]:4} {bar}".rstrip()
    if unknown := sum(place is None for place in placed):
        yield f"  {'no score':>9} {unknown:4}"


def joint_table(rounds: Sequence[PilotRound]) -> Iterator[str]:
    """How many challenges have which weak (rows) and strong (columns) score."""
    (weak, rows), (strong, columns) = _levels(rounds, "weak"), _levels(rounds, "strong")
    counts = Counter(zip(rows, columns, strict=True))
    yield "weak (rows) by strong (columns):"
    yield "  " + " ".join(f"{level:>9}" for level in ["", *strong])
    for place, level in enumerate(weak):
        cells = " ".join(f"{counts[place, other] or '.':>9}" for other in range(len(strong)))
        yield f"  {level:>9} {cells}"


def _what(levels: Sequence[str]) -> str:
    return "mean score" if "–" in levels[0] else "right answers of attempts"


def _levels(rounds: Sequence[PilotRound], solver: str) -> tuple[list[str], list[int | None]]:
    """(names of levels, each round's place among them): counts where every score is 0 or 1, else ranges of means."""
    scores = [r.weak if solver == "weak" else r.strong for r in rounds]
    known = [[s for s in each if s is not None] for each in scores]
    n = max((len(each) for each in scores), default=0)
    if n and all(s in (0.0, 1.0) for each in known for s in each):
        names = [f"{right} of {n}" for right in range(n + 1)]
    else:
        n, names = 0, [f"{i / N_RANGES:.1f}–{(i + 1) / N_RANGES:.1f}" for i in range(N_RANGES)]
    places = [None if not each else _place(sum(each) / len(each), n) for each in known]
    return names, places


def _place(mean: float, n: int) -> int:
    return round(mean * n) if n else min(int(mean * N_RANGES + 1e-9), N_RANGES - 1)


def _rules(found: Calibration) -> Iterator[str]:
    yield f"rule in force: {rule_text(found.before)}; {_yield_text(found.forecast_before)}"
    if found.rule is not None:
        yield f"proposed rule: {rule_text(found.rule)}; {_yield_text(found.forecast)}"


def rule_text(rule: AcceptanceRule) -> str:
    """A rule's kind and the numbers that bind."""
    numbers = dataclasses.asdict(rule) if dataclasses.is_dataclass(rule) else {}  # type: ignore[arg-type]
    dropped = {"weak_below": 2.0, "weak_at_most": 1.0, "weak_max": 1.0, "no_zero": "off", "strong_below": 2.0}
    told = ", ".join(f"{name}={value}" for name, value in numbers.items() if dropped.get(name) != value)
    return f"{type(rule).__name__}({told})"


def _yield_text(found: Forecast) -> str:
    accepted, (low, high) = found.accepted, (found.yield_per_round.low, found.yield_per_round.high or 1.0)
    if accepted == 0:
        return f"accepts none of {found.n_rounds} rounds: a yield of at most {high:.1%} (95 %)"
    share = accepted / found.n_rounds
    return f"accepts {accepted:.1f} of {found.n_rounds} rounds, {share:.1%} ({low:.1%} to {high:.1%})"


def forecast_lines(found: Forecast) -> Iterator[str]:
    """What a run will take, with 95 % intervals."""
    passed = found.screened
    yield f"forecast for {found.n} accepted examples (with 95 % intervals):"
    yield f"  passed checks: {passed.mid or 0:.0%} of rounds ({passed.low:.0%} to {passed.high or 0:.0%})"
    for name in ("rounds", "calls", "tokens", "minutes"):
        yield f"  {name + ':':<14} {_spread(getattr(found, name))}"
    if found.usd.low > 0 or not found.unpriced:
        yield f"  {'USD:':<14} {_spread(found.usd, '.2f')}"
    if found.unpriced:
        yield f"  {found.unpriced} calls of the pilot have no known price; give usd_per_million_input and _output"
    for role, taken in found.per_accepted.items():
        cost = f", {money(taken['usd'], 0)}" if taken["usd"] else ""
        yield (
            f"  per example, {role}: {taken['calls']:.1f} calls, {taken['tokens']:.0f} tokens, "
            f"{taken['seconds']:.0f} s{cost}"
        )


def _spread(found: Interval, form: str = ".0f") -> str:
    if found.mid is None or found.high is None:
        return f"at least {found.low:{form}}; the pilot is too small for more"
    return f"{found.mid:{form}} ({found.low:{form}} to {found.high:{form}})"
