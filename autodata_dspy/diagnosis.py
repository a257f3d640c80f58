"""The diagnostic packet: what the attempts at one challenge show, put together by code (arXiv 2606.25996, legal part).

Everything a judge is told about scores is computed here; words of models (criteria, earlier feedback) are quoted, cut
to one line each, and the whole is fenced.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from autodata_dspy.judging import fenced, one_line
from autodata_dspy.types import Challenge, Rollout, Round, Rubric

ALIKE = 1e-9  # scores that differ by less are the same score
EASED = 0.75  # a rubric with less than this share of the criteria and of the points of the one before asks for less
N_EARLIER = 4  # latest verdicts that are told; more would push the table out of a small model's sight


def no_spread(scores: Sequence[float | None]) -> str:
    """Why these scores of the weak solver teach nothing, as advice for the next version; "" where they differ.

    A learner learns from the difference between its attempts. None (no score) is left out; of a single score nothing
    can be said unless it is 0 or 1.
    """
    known = [s for s in scores if s is not None]
    if not known or max(known) - min(known) > ALIKE:
        return ""
    if known[0] <= ALIKE:
        return "every weak attempt scored 0; let the client tell the rule and more facts, or ask for one thing less"
    if known[0] >= 1.0 - ALIKE:
        return "every weak attempt scored 1; add an exception or a time limit that a short answer misses"
    if len(known) == 1:
        return ""
    return f"every weak attempt scored {known[0]:.2f}; ask for something that some short answers see and others miss"


def diagnose(
    challenge: Challenge, weak: Sequence[Rollout], strong: Sequence[Rollout], earlier: Sequence[Round] = ()
) -> dict[str, Any]:
    """The packet as plain JSON data: `solvers`, `gap` of the means (or None), `criteria`, `flags`, `earlier`."""
    solvers = {"weak": _scores(weak), "strong": _scores(strong)}
    strong_mean, weak_mean = solvers["strong"].get("mean"), solvers["weak"].get("mean")
    table = _table(challenge.rubric or Rubric(), weak, strong)
    return {
        "solvers": solvers,
        "gap": None if strong_mean is None or weak_mean is None else round(strong_mean - weak_mean, 3),
        "criteria": table,
        "flags": [*_spread_flag(weak), *_sample_flags(weak, strong), *_table_flags(table), *_eased(challenge, earlier)],
        "earlier": [
            {"round": r.index, "reason": r.decision.reason, "feedback": r.decision.feedback}
            for r in earlier[-N_EARLIER:]
        ],
    }


def shown_packet(packet: dict[str, Any]) -> str:
    """The packet as a judge reads it."""
    lines = []
    for name, found in packet["solvers"].items():
        scores = " ".join("none" if s is None else f"{s:.2f}" for s in found["scores"])
        spread = ", ".join(f"{what} {found[what]:.2f}" for what in ("mean", "std", "min", "max") if what in found)
        lines.append(f"{name} scores: {scores or 'none'}" + (f" ({spread})" if spread else ""))
    if packet["gap"] is not None:
        lines.append(f"strong mean minus weak mean: {packet['gap']:+.2f}")
    lines += [f"flag: {flag}" for flag in packet["flags"]]
    lines += [
        f"earlier round {e['round'] + 1}: {e['reason']} {one_line(e['feedback'], 150)}".rstrip()
        for e in packet["earlier"]
    ]
    lines.append("criteria, met by weak and by strong:")
    for row in packet["criteria"]:
        met = f"{row['weak_met']} of {row['n_weak']}, {row['strong_met']} of {row['n_strong']}"
        lines.append(f"[{row['weight']:+d}] {met}: {one_line(row['criterion'], 120)}")
    return fenced("\n".join(lines), "packet")


def _score(rollout: Rollout) -> float | None:
    return rollout.verdict.score if rollout.verdict else None


def _scores(rollouts: Sequence[Rollout]) -> dict[str, Any]:
    """Per attempt its score, and mean, population std, min and max of the known ones."""
    scores = [_score(r) for r in rollouts]
    known = [s for s in scores if s is not None]
    found: dict[str, Any] = {"n": len(scores), "scores": scores}
    if known:
        found |= {"mean": round(statistics.fmean(known), 3), "std": round(statistics.pstdev(known), 3)}
        found |= {"min": min(known), "max": max(known)}
    return found


def _table(rubric: Rubric, weak: Sequence[Rollout], strong: Sequence[Rollout]) -> list[dict[str, Any]]:
    """Per criterion how often each solver met it, of its attempts with a score."""
    return [
        {
            "criterion": criterion.text,
            "weight": criterion.weight,
            "weak_met": _n_met(weak, index),
            "n_weak": sum(_score(r) is not None for r in weak),
            "strong_met": _n_met(strong, index),
            "n_strong": sum(_score(r) is not None for r in strong),
        }
        for index, criterion in enumerate(rubric.criteria)
    ]


def _n_met(rollouts: Sequence[Rollout], index: int) -> int:
    """An attempt without an answer has a score and no rows: it met nothing."""
    rows = [r.verdict.evidence.get("criteria", []) for r in rollouts if r.verdict and r.verdict.score is not None]
    return sum(bool(found[index]["met"]) for found in rows if index < len(found))


def _spread_flag(weak: Sequence[Rollout]) -> list[str]:
    scores = [s for s in map(_score, weak) if s is not None]
    if len(scores) < 2:
        return []
    return ["the weak scores do not differ" if no_spread(scores) else "the weak scores differ"]


def _sample_flags(weak: Sequence[Rollout], strong: Sequence[Rollout]) -> list[str]:
    flags = []
    for name, rollouts in (("weak", weak), ("strong", strong)):
        if n := sum(_score(r) is None for r in rollouts):
            flags.append(f"{n} of {len(rollouts)} {name} attempts have no score")
        if n := sum(r.finish_reason == "length" for r in rollouts):
            flags.append(f"{n} of {len(rollouts)} {name} answers were cut off")
        if n := sum(not (r.answer.strip() or r.error) for r in rollouts):
            flags.append(f"{n} of {len(rollouts)} {name} answers are empty")
    return flags


def _table_flags(table: Sequence[dict[str, Any]]) -> list[str]:
    rows = [row for row in table if row["weight"] > 0 and row["n_weak"] and row["n_strong"]]
    always = sum(row["weak_met"] == row["n_weak"] and row["strong_met"] == row["n_strong"] for row in rows)
    never = sum(not row["weak_met"] and not row["strong_met"] for row in rows)
    weaker = sum(row["strong_met"] * row["n_weak"] < row["weak_met"] * row["n_strong"] for row in rows)
    told = ((always, "met by every answer"), (never, "met by no answer"), (weaker, "met more often by the weak solver"))
    return [f"{n} of {len(rows)} positive criteria are {what}" for n, what in told if n]


def _eased(challenge: Challenge, earlier: Sequence[Round]) -> list[str]:
    """Whether the rubric shrank since the latest round that had one: an easier rubric is no better question."""
    before = next((r.challenge.rubric for r in reversed(earlier) if r.challenge and r.challenge.rubric), None)
    if before is None or challenge.rubric is None:
        return []
    (n_now, now), (n_then, then) = _size(challenge.rubric), _size(before)
    if n_now < EASED * n_then and now < EASED * then:
        return [f"the rubric asks for less than the one before: {n_then} criteria, {then} points; now {n_now}, {now}"]
    return []


def _size(rubric: Rubric) -> tuple[int, int]:
    return len(rubric.criteria), sum(c.weight for c in rubric.criteria if c.weight > 0)
