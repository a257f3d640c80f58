"""What the challenger is told: the earlier failures of its document, grouped by reason."""

from __future__ import annotations

from collections.abc import Sequence

from autodata_dspy.types import Round

_HEADINGS = {
    "too_easy": "too easy",
    "failed_on_strong": "failed on strong",
    "failed_check": "failed the check",
    "malformed": "not usable",
    "no_agreement": "no agreement on the answer",
    "duplicate": "repeated",
}
LATEST = 2  # details of this many failures a group; more would push the example out of a small model's sight


def grouped_feedback(rounds: Sequence[Round]) -> str:
    """One line per reason, with the number of failures and the latest details; "none" when there are none.

    Undecided and infrastructure rounds say nothing about quality and are left out; of accepted rounds
    the question is named, so that the next one is different.
    """
    lines = []
    for reason, heading in _HEADINGS.items():
        failed = [r for r in rounds if r.decision.reason == reason]
        if failed:
            details = dict.fromkeys(r.decision.feedback for r in failed[-LATEST:])
            lines.append(f"- {heading} ({len(failed)}): {' | '.join(details)}")
    kept = [r.challenge.question for r in rounds if r.decision.accepted and r.challenge]
    if kept:
        lines.append(f"- already accepted, write about something else: {' | '.join(q[:120] for q in kept[-LATEST:])}")
    # A small model that is only told why, writes the same problem again: name what was turned down.
    turned_down = ("too_easy", "failed_on_strong", "failed_check", "no_agreement", "undecided")
    if tried := [r.challenge.question for r in rounds if r.decision.reason in turned_down and r.challenge]:
        lines.append(f"- turned down, do not repeat: {' | '.join(q[:120] for q in tried[-LATEST:])}")
    return "\n".join(lines) or "none"
