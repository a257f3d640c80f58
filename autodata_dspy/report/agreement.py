"""What stands behind an accepted example, and whether a judge agreed with itself often enough to be relied on."""

from __future__ import annotations

from collections.abc import Iterable

from autodata_dspy.results import comparison
from autodata_dspy.types import Round, Trajectory


def basis(round_: Round, verified: str) -> str:
    """What stands behind a round's example: "checked", "judged (agreement 0.83)", …; "" where nobody knows."""
    found = comparison(round_)
    if found is None:
        return verified
    return f"{verified or 'judged'} (agreement {found.evidence['agreement']:.2f})"


def mean_agreement(trajectories: Iterable[Trajectory]) -> tuple[float, float] | None:
    """Over all compared pairs, also of rejected rounds: how far the judge agreed, and how far it had to.

    Rounds in which the judge did not answer say nothing about it and are left out. None: no pair was compared.
    """
    rounds = [r for t in trajectories for r in t.rounds if r.decision.reason != "infrastructure"]
    found = [verdict.evidence for verdict in map(comparison, rounds) if verdict]
    if not found:
        return None
    return sum(e["agreement"] for e in found) / len(found), sum(e["min_agreement"] for e in found) / len(found)


def warning(trajectories: Iterable[Trajectory]) -> str:
    """One line where the mean agreement is too low to accept on, whatever single pairs had; else ""."""
    found = mean_agreement(trajectories)
    if found is None or found[0] >= found[1] - 1e-9:
        return ""
    return (
        f"judges agree in only {found[0]:.2f} of comparisons ({found[1]:.2f} is needed); do not rely on these "
        "examples, or use a stronger judge: --lm judge=MODEL"
    )
