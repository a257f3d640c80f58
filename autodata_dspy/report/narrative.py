"""A run told in plain words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from autodata_dspy.report.agreement import basis
from autodata_dspy.types import Challenge, Document, Removed, Rollout, Round, Trajectory

MEANING = {
    "accepted": "accepted",
    "malformed": "unusable output: nothing that is a challenge came back",
    "duplicate": "repeats an earlier problem or a demonstration",
    "failed_check": "failed a check before any solver was asked",
    "too_easy": "too easy: the weak solver succeeds too often",
    "too_hard": "too hard: the weak solver gets nothing at all",
    "failed_on_strong": "failed on strong: the strong solver does not reach the reference answer often enough",
    "no_agreement": "no independent solution agrees with the reference answer",
    "improve": "to be improved: the module with the last word turned it down",
    "filtered": "dropped by a filter of the method",
    "undecided": "undecided: too many answers could not be compared",
    "infrastructure": "model calls failed (says nothing about the problem)",
}
# The challenger never hears of these: two say nothing about the problem, and the method of the third has no feedback.
_NOT_TOLD = ("undecided", "infrastructure", "filtered")
_SILENT = {"feedback", "loop"}  # without one of them the challenger hears of no failure at all
_VALUE = re.compile(r"-?\d+(?:[./]\d+)*(?:, …)*|'[^']*'|\"[^\"]*\"|[\[{(][^\[\](){}]*[\]})]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_SOLVERS = {"weak_solver": "Weak solver", "strong_solver": "Strong solver"}


def printable(text: str) -> str:
    """Text with control characters written out: what a model wrote must not steer somebody's terminal."""
    return _CONTROL.sub(lambda found: repr(found.group())[1:-1], text)


def reasons(trajectories: Iterable[Trajectory]) -> Counter[str]:
    """How many rounds ended for which reason."""
    return Counter(r.decision.reason for t in trajectories for r in t.rounds)


def causes(trajectories: Iterable[Trajectory], reason: str) -> Counter[str]:
    """What the rounds of one reason failed at, and how often: feedback up to a colon or semicolon, without values.

    Of "filtered" rounds it is the names of the filters.
    """
    if reason == "filtered":
        filtered = (r for t in trajectories for r in t.rounds if r.decision.reason == reason)
        return Counter(v.verifier for r in filtered for v in r.verdicts if v.score == 0.0)
    told = [r.decision.feedback for t in trajectories for r in t.rounds if r.decision.reason == reason]
    plain = (re.split(r"[:;]", _VALUE.sub("…", text), maxsplit=1)[0].strip() for text in told)
    return Counter(text[:90] for text in plain if text)


def removal_lines(removed: Sequence[Removed], n_accepted: int) -> Iterator[str]:
    """What the final audit took out of the accepted examples, by check and one by one, and what is left."""
    if not removed:
        return
    by_check = ", ".join(f"{name}: {count}" for name, count in Counter(r.verifier for r in removed).most_common())
    yield f"removed at the end: {len(removed)} ({by_check})"
    for one in removed:
        yield f"  {one.document_id} (seed {one.seed}), round {one.round + 1}: {one.verifier}: {one.why}"
    left = n_accepted - len(removed)
    yield (f"{n_accepted} accepted, {len(removed)} removed by the final audit: {left} example{'s' * (left != 1)}")


def outcome(trajectory: Trajectory) -> str:
    """One line: what became of a document."""
    n_rounds, n_accepted = len(trajectory.rounds), len(trajectory.accepted)
    line = f"{n_accepted} accepted in {n_rounds} round{'s' * (n_rounds != 1)}, {trajectory.seconds:.0f} s"
    rejected = reasons([trajectory])
    rejected.pop("accepted", None)
    if rejected:
        line += "; rejected: " + ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in rejected.most_common())
    if trajectory.without:
        line += f"; without {', '.join(trajectory.without)}"
    if trajectory.status != "done":
        line += f" [{trajectory.status}: {trajectory.note}]"
    return line


def story(trajectory: Trajectory, document: Document | None = None, verified: str = "") -> Iterator[str]:
    """The whole trajectory: what was tried, why it was rejected, what came next.

    Args:
        verified: what stands behind the examples of the run's domain; see `Domain`.
    """
    title = f" ({document.title})" if document and document.title else ""
    yield f"Document {trajectory.document_id}{title}, seed {trajectory.seed}: {outcome(trajectory)}"
    for name, found in trajectory.extraction.items():
        yield from _labelled(f"extracted {name}", found)
    for round_ in trajectory.rounds:
        yield ""
        yield from _round(round_, verified, told=not _SILENT & set(trajectory.without))
    if trajectory.status == "stopped":
        yield ""
        yield f"Stopped here: {trajectory.note}. Resuming the run takes this document up again."


def _round(round_: Round, verified: str, told: bool) -> Iterator[str]:
    decision = round_.decision
    verb = "ACCEPTED" if decision.accepted else f"rejected: {MEANING[decision.reason]}"
    yield f"Round {round_.index + 1}: {verb}"
    if decision.accepted and (behind := basis(round_, verified)):
        yield f"  verified: {behind}"
    if round_.challenge is not None:
        yield from _challenge(round_.challenge)
    for verdict in round_.verdicts:
        said = "undecided" if verdict.undecided else "passed" if verdict.passed else "failed"
        yield f"  {verdict.verifier or 'check'}: {said}{': ' + verdict.feedback if verdict.feedback else ''}"
    for role, name in _SOLVERS.items():
        rollouts = [r for r in round_.rollouts if r.solver == role]
        if rollouts:
            yield f"  {name}: {_scored(round_.scores(role), len(rollouts))}"
            yield from (f"    {_attempt(r)}" for r in rollouts)
    if decision.feedback and not decision.accepted:
        yield from _labelled(
            "why" if decision.reason in _NOT_TOLD or not told else "told to the challenger", decision.feedback
        )


def _challenge(challenge: Challenge) -> Iterator[str]:
    fields = {
        "context": challenge.context,
        "question": challenge.question,
        "answer": challenge.answer,
        "label": challenge.label,
        "tags": ", ".join(challenge.tags),
    }
    for name, text in fields.items():
        if text or name in ("question", "answer"):
            yield from _labelled(name, text)
    for quote in challenge.quotes:
        yield from _labelled("quote", quote)
    if challenge.program:
        yield from _labelled("program", challenge.program)
    if challenge.rubric:
        yield "  rubric:"
        yield from (f"    [{c.weight:+d}] {c.text}" for c in challenge.rubric.criteria)


def _attempt(rollout: Rollout) -> str:
    verdict = rollout.verdict
    score = None if verdict is None else verdict.score
    mark = "?" if score is None else {1.0: "right", 0.0: "wrong"}.get(score, f"{score:.2f}")
    text = " ".join(rollout.answer.split())[:150] or "(no answer)"
    notes = [rollout.error, "cut off" if rollout.finish_reason == "length" else ""]
    if verdict is not None and not verdict.passed:
        notes.append(verdict.feedback)
    notes = [n for n in notes if n]
    return f"{mark}: {text}" + (f"  [{'; '.join(notes)[:200]}]" if notes else "")


def _scored(scores: list[float], n: int) -> str:
    """How the decided ones of n attempts fared."""
    undecided = f", {n - len(scores)} undecided" if len(scores) < n else ""
    if not scores:
        return f"undecided, all {n}"
    if all(s in (0.0, 1.0) for s in scores):
        return f"right {sum(s == 1.0 for s in scores)} of {len(scores)}{undecided}"
    return f"{sum(scores) / len(scores):.2f} on average of {len(scores)}{undecided}"


def _labelled(label: str, text: str) -> Iterator[str]:
    lines = text.split("\n")
    yield f"  {label}: {lines[0]}"
    yield from (f"    {line}" for line in lines[1:])


def money(usd: float, unpriced: int) -> str:
    """A sum, and how many calls it leaves out because nobody said what they cost."""
    return f"{usd:.4f} USD" + (f" (without {unpriced} calls of unknown price)" if unpriced else "")


def usage_lines(usage: dict[str, Any], seconds: float) -> Iterator[str]:
    """Calls, tokens and money by role; `usage` as `Meter.to_dict` gives it, `seconds` of wall time."""
    for role, u in usage.items():
        share = f", {u['cached_tokens'] / u['input_tokens']:.0%} of the input from cache" if u["input_tokens"] else ""
        yield (
            f"{role}: {u['calls']} calls ({u['replayed']} replayed, {u['failed']} failed, {u['truncated']} cut off), "
            f"{u['input_tokens']} tokens in{share}, {u['output_tokens']} out, {money(u['usd'], u['unpriced'])}"
        )
    calls = sum(u["calls"] for u in usage.values())
    out = sum(u["output_tokens"] for u in usage.values())
    took = f" ({out / seconds:.0f}/s), {seconds / 60:.1f} min" if seconds else ""
    yield f"in all: {calls} calls, {out} tokens out{took}"
