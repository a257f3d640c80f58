"""What the challenger is told: the earlier failures of its document, grouped by reason."""

from __future__ import annotations

from collections.abc import Sequence

from autodata_dspy.types import Round

_HEADINGS = {
    "too_easy": "too easy",
    "too_hard": "too hard",
    "failed_on_strong": "failed on strong",
    "failed_check": "failed the check",
    "malformed": "not usable",
    "no_agreement": "no agreement on the answer",
    "duplicate": "repeated",
    "improve": "to be improved",
}
LATEST = 2  # details of this many failures a group; more would push the example out of a small model's sight


def grouped_feedback(rounds: Sequence[Round]) -> str:
    """One line per reason, with the number of failures and the latest details; "none" when there are none.

    Undecided and infrastructure rounds say nothing about quality and are left out. Earlier questions are not quoted:
    a small model writes again what it reads, also under "do not repeat" (three rounds of eleven, word for word).
    """
    lines = []
    for reason, heading in _HEADINGS.items():
        failed = [r for r in rounds if r.decision.reason == reason]
        if failed:
            details = dict.fromkeys(r.decision.feedback for r in failed[-LATEST:])
            lines.append(f"- {heading} ({len(failed)}): {' | '.join(details)}")
    return "\n".join(lines) or "none"
