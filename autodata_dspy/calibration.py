"""Calibration: an acceptance rule that fits the models in use, and a forecast of what a run will take.

Thresholds do not transfer between pairs of solvers: with the numbers of arXiv 2606.25996 one reproduction accepted
nothing at all. So a pilot on a few documents samples both solvers fully; rules are compared on what it shows, without
asking a model again (`proposals`), and what a run will take is forecast with intervals (`forecasts`).

>>> maker = AgenticSelfInstruct("math_objects", roles)
>>> found = calibrate(maker, documents, n=50, run_dir="runs/pilot")
>>> config = RunConfig(domain="math_objects", n=50, acceptance=found.acceptance)
"""

from __future__ import annotations

import copy
import dataclasses
import math
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autodata_dspy.acceptance import PRESETS, AcceptanceRule, ExactCounts, FullSample, Thresholds
from autodata_dspy.budget import Limits
from autodata_dspy.errors import BudgetExceeded, ConfigError
from autodata_dspy.forecasts import Bill, Forecast, forecast
from autodata_dspy.generation import generate
from autodata_dspy.pilot_notes import pilot_notes
from autodata_dspy.proposals import (
    PilotRound,
    PilotRule,
    Prospect,
    attempts,
    candidates,
    propose,
    prospect,
)
from autodata_dspy.store import RunFolder
from autodata_dspy.types import Document, Rollout, Trajectory, to_dict

if TYPE_CHECKING:
    from autodata_dspy.events import Watch
    from autodata_dspy.executors import Elsewhere
    from autodata_dspy.results import Result

_BEFORE_SOLVERS = ("malformed", "duplicate", "failed_check", "filtered")


@dataclass(frozen=True, slots=True)
class Pilot:
    """How large a pilot is.

    Attributes:
        documents: drawn from those given, under the seed.
        rounds: of each document; all of them are made, whatever is accepted.
        attempts: of each solver at a challenge; never fewer than the rule makes, and only these where a module with the
            last word hears them.
        seed: of every sampling decision.
        concurrency: documents at a time.
    """

    documents: int = 8
    rounds: int = 3
    attempts: int = 4
    seed: int = 0
    concurrency: int = 2

    def __post_init__(self) -> None:
        for name in ("documents", "rounds", "attempts", "concurrency"):
            if getattr(self, name) < 1:
                raise ConfigError(f"a pilot's {name}={getattr(self, name)} must be at least 1")


@dataclass(frozen=True)
class Calibration:
    """What a pilot showed.

    Attributes:
        domain: its name.
        models: role → model.
        rounds: of the pilot, without those that infrastructure lost.
        before: the rule that was in force in the pilot.
        rule: the proposed one; None where no valid rule accepts anything, or where the kind of rule has no thresholds.
        forecast_before: for the rule in force.
        forecast: for the proposed rule; that of the rule in force where there is none.
        passes: over all documents given, that the forecast's examples need; None where nothing is accepted.
        acceptance: for `RunConfig.acceptance`; empty where no rule is proposed.
        notes: warnings, each with a remedy.
        usage: role → what the pilot took.
        seconds: wall time of all sessions of the pilot.
        stopped: why the pilot ended early (a limit); "" if it did not.
    """

    domain: str
    models: dict[str, str]
    rounds: tuple[PilotRound, ...]
    before: AcceptanceRule
    rule: AcceptanceRule | None
    forecast_before: Forecast
    forecast: Forecast
    passes: int | None
    acceptance: dict[str, Any]
    notes: tuple[str, ...]
    usage: dict[str, Any]
    seconds: float
    stopped: str = ""

    @property
    def tells_nothing(self) -> bool:
        """Whether neither the rule in force nor any valid one accepts anything that the pilot saw."""
        return self.rule is None and self.forecast.accepted == 0

    def to_dict(self) -> dict[str, Any]:
        """Plain data; rules as their kind and numbers."""
        rules = {"before": _told(self.before), "rule": _told(self.rule) if self.rule else None}
        return {**to_dict(self), **rules}


def calibrate(
    maker: Any,
    documents: Sequence[Document],
    n: int = 50,
    *,
    pilot: Pilot | None = None,
    run_dir: str | Path | None = None,
    limits: Limits | None = None,
    watch: Watch | None = None,
    executor: str | Elsewhere = "threads",
) -> Calibration:
    """Run a pilot, propose a rule for the maker's pair of solvers, and forecast a run for `n` examples.

    Args:
        maker: an `AgenticSelfInstruct`, as the run will use it; it is not changed.
        documents: all documents of the run.
        n: accepted examples wanted.
        pilot: how large it is.
        run_dir: where to keep the pilot, a run like any other: an unfinished one found there is continued.
        limits: bounds on the pilot. One that is reached ends it; what there is by then is used.
        watch: told of every round and document.
        executor: where documents are worked on; see `generate`.

    Raises:
        ConfigError: a generator without solvers, bad numbers, or documents that gave no round.
        BudgetExceeded: a limit was reached before the first round was over.
        AutodataError: a model is out, the run was interrupted, or the run folder cannot be used.
    """
    pilot = pilot or Pilot()
    _check(maker, n)
    twin = pilot_maker(maker, pilot)
    chosen = _drawn(documents, pilot)
    result = generate(
        twin,
        chosen,
        seed=pilot.seed,
        concurrency=pilot.concurrency,
        run_dir=run_dir,
        limits=limits,
        watch=watch,
        executor=executor,
    )
    if result.stopped is not None and not isinstance(result.stopped, BudgetExceeded):
        raise result.stopped
    rounds = pilot_rounds(result.trajectories)
    if not rounds:
        raise result.stopped or ConfigError(_no_round(result.trajectories))
    seconds = RunFolder(Path(run_dir)).read_usage()["seconds"] if run_dir is not None else result.seconds
    return _concluded(maker, documents, n, pilot, twin, (result, rounds, seconds))


def _check(maker: Any, n: int) -> None:
    if n < 1:
        raise ConfigError(f"n={n} must be at least 1")
    parts = ("acceptance", "weak", "strong", "domain", "max_rounds", "per_document")
    if any(getattr(maker, part, None) is None for part in parts):
        raise ConfigError(
            f"{type(maker).__name__} has no weak and strong solver to calibrate a rule for; use the program "
            "agentic_self_instruct"
        )


def pilot_maker(maker: Any, pilot: Pilot) -> Any:
    """A copy of a maker (compiled prompts included) that samples both solvers fully and makes all rounds."""
    twin = copy.deepcopy(maker)
    rule, whole = maker.acceptance, maker.last_word is not None
    n_weak, n_strong = attempts(rule, 1 if whole else pilot.attempts, learner=maker.domain.learner is not None)
    twin.acceptance, twin.curtail = PilotRule(rule, n_weak, n_strong), False
    twin.max_rounds = twin.per_document = pilot.rounds
    return twin


def _drawn(documents: Sequence[Document], pilot: Pilot) -> list[Document]:
    """Some documents in their order; drawn, because the first of a collection are seldom like the others."""
    n = min(pilot.documents, len(documents))
    places = random.Random(pilot.seed).sample(range(len(documents)), n)
    return [documents[place] for place in sorted(places)]


def pilot_rounds(trajectories: Iterable[Trajectory]) -> tuple[PilotRound, ...]:
    """What a pilot's rounds showed; rounds lost to infrastructure show nothing."""
    return tuple(
        PilotRound(
            document_id=trajectory.document_id,
            reason=round_.decision.reason,
            accepted=round_.decision.accepted,
            screened=round_.decision.reason not in _BEFORE_SOLVERS,
            weak=_scores(round_.rollouts, "weak_solver"),
            strong=_scores(round_.rollouts, "strong_solver"),
        )
        for trajectory in trajectories
        for round_ in trajectory.rounds
        if round_.decision.reason != "infrastructure"
    )


def _scores(rollouts: Sequence[Rollout], solver: str) -> tuple[float | None, ...]:
    return tuple(r.verdict.score if r.verdict else None for r in rollouts if r.solver == solver)


def _concluded(
    maker: Any,
    documents: Sequence[Document],
    n: int,
    pilot: Pilot,
    twin: Any,
    found: tuple[Result, tuple[PilotRound, ...], float],
) -> Calibration:
    result, rounds, seconds = found
    before, whole, learner = maker.acceptance, maker.last_word is not None, maker.domain.learner is not None
    bill = Bill.of(result.usage, rounds, seconds)
    n_weak, n_strong = twin.acceptance.n_weak, twin.acceptance.n_strong
    valid = [] if whole else candidates(before, n_weak, n_strong, learner=learner)
    rule = propose(rounds, valid, bill.price())
    forecasts = [
        forecast(rounds, expected(rounds, each, whole), bill, n, seed=pilot.seed) for each in (before, rule or before)
    ]
    stopped = str(result.stopped or "")
    return Calibration(
        domain=maker.domain.name,
        models=result.models,
        rounds=rounds,
        before=before,
        rule=rule,
        forecast_before=forecasts[0],
        forecast=forecasts[1],
        passes=_passes(maker, len(documents), forecasts[1]),
        acceptance=_settings(rule, maker.domain.acceptance) if rule else {},
        notes=tuple(pilot_notes(maker, rounds, forecasts[1], stopped, rule is None and bool(valid))),
        usage=result.usage,
        seconds=seconds,
        stopped=stopped,
    )


def expected(rounds: Sequence[PilotRound], rule: AcceptanceRule, whole: bool) -> list[Prospect]:
    """What a rule makes of each round. Where a module has the last word (`whole`), what it decided is what counts."""
    found = [prospect(rule, round_, whole=whole) for round_ in rounds]
    if not whole:
        return found
    return [dataclasses.replace(p, accepted=float(r.accepted)) for p, r in zip(found, rounds, strict=True)]


def _passes(maker: Any, n_documents: int, found: Forecast) -> int | None:
    """How often to go through the documents: a pass ends a document after its rounds or its examples."""
    chance = found.yield_per_round.mid or 0.0
    if chance <= 0.0:
        return None
    tries, most = maker.max_rounds, maker.per_document
    per_pass = sum(min(k, most) * _binomial(tries, k, min(1.0, chance)) for k in range(tries + 1))
    return math.ceil(found.n / (n_documents * per_pass) - 1e-9)


def _binomial(n: int, k: int, p: float) -> float:
    return math.comb(n, k) * p**k * (1 - p) ** (n - k)


def _settings(rule: AcceptanceRule, default: AcceptanceRule) -> dict[str, Any]:
    """A rule as `RunConfig.acceptance` says it: numbers, and a preset of its kind where the domain's is another."""
    if not isinstance(rule, (ExactCounts, Thresholds, FullSample)):
        return {}
    preset = next(name for name, known in PRESETS.items() if type(known) is type(rule))
    return ({} if type(rule) is type(default) else {"preset": preset}) | dataclasses.asdict(rule)


def _told(rule: AcceptanceRule) -> dict[str, Any]:
    numbers = dataclasses.asdict(rule) if dataclasses.is_dataclass(rule) else {}  # type: ignore[arg-type]
    return {"kind": type(rule).__name__, **numbers}


def _no_round(trajectories: Iterable[Trajectory]) -> str:
    told = Counter(f"{t.status}: {t.note}" if t.note else t.status for t in trajectories)
    most = told.most_common(1)[0][0] if told else "no document"
    return f"the pilot's documents gave no round ({most}); name other documents, or more of them with --pilot"
