"""Arms whose examples were made elsewhere: a file of what was tried, what came of it, and what it took.

{"question": "…", "answer": "…", "calls": 9, "tokens": 5210}     # an example, as `autodata export` writes it
{"rejected": "the weak solver is right", "calls": 7, "tokens": 4002}

`calls`, `tokens`, `seconds` and `usd` are what the attempt took. A run over the attempts pays them to its meter, in
their order, so that a budget ends it as it ends the run of a program.
"""

from __future__ import annotations

import bisect
import hashlib
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import dspy

from autodata_dspy.budget import RoleUsage, current_meter
from autodata_dspy.errors import ConfigError
from autodata_dspy.example_files import EXPECTED, read_rows
from autodata_dspy.subjects import as_challenge
from autodata_dspy.text import words
from autodata_dspy.types import Challenge, Decision, Document, Round, Trajectory

COSTS = ("calls", "tokens", "seconds", "usd")
MOST_CALLS = 100_000  # of one attempt
ROLE = "elsewhere"


@dataclass(frozen=True)
class Attempt:
    """One line: an example, or None and why there is none; and what it took, as far as the line says."""

    challenge: Challenge | None
    why: str
    took: Mapping[str, float]

    @property
    def n_calls(self) -> int:
        return int(self.took.get("calls", 0))

    def call(self, number: int) -> RoleUsage:
        """One of its calls, with an even part of the rest."""
        tokens, n = int(self.took.get("tokens", 0)), self.n_calls
        part = tokens * (number + 1) // n - tokens * number // n
        seconds, usd = (self.took.get(name, 0.0) / n for name in ("seconds", "usd"))
        return RoleUsage(calls=1, input_tokens=part, seconds=seconds, usd=usd)


class Given(dspy.Module):
    """The attempt that a slot stands for → its trajectory, once it is paid for.

    Attributes:
        slots: what stands for documents; one that is empty where there is no attempt.
        digest: hash of the attempts.
        tells: which of "calls", "tokens", "seconds", "usd", "rounds" the file tells; rounds also where it has rejected
            attempts.
        n_examples: in the file.
    """

    needs_documents: ClassVar[bool] = False

    def __init__(self, attempts: Sequence[Attempt]):
        super().__init__()
        self.slots = [Document(f"attempt-{number:05d}", "") for number in range(max(1, len(attempts)))]
        self.digest = hashlib.blake2b(repr(attempts).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
        self.n_examples = sum(a.challenge is not None for a in attempts)
        self.tells = frozenset(attempts[0].took if attempts else COSTS)
        if not attempts or "calls" in self.tells or self.n_examples < len(attempts):
            self.tells |= {"rounds"}
        self._by_slot = dict(zip((slot.id for slot in self.slots), attempts, strict=False))
        self._attempts = attempts
        self._sums = list(itertools.accumulate(a.n_calls for a in attempts))

    def forward(self, document: Document, seed: int = 0) -> dspy.Prediction:
        attempt = self._by_slot.get(document.id)
        if attempt is None:
            return dspy.Prediction(trajectory=Trajectory(document.id, seed, status="skipped", note="nothing was tried"))
        self._pay(self.slots.index(document))
        accepted = attempt.challenge is not None
        decision = Decision(accepted, "accepted" if accepted else "filtered", attempt.why)
        return dspy.Prediction(trajectory=Trajectory(document.id, seed, (Round(0, decision, attempt.challenge),)))

    def _pay(self, place: int) -> None:
        """Bring the meter to what had been used when the attempt was over; a run that goes on begins with none of it.
        Raises StopRun where a budget ends before."""
        meter = current_meter()
        paid = meter.total().calls
        for number in range(bisect.bisect_right(self._sums, paid), place + 1):
            attempt = self._attempts[number]
            before = self._sums[number] - attempt.n_calls
            for call in range(max(0, paid - before), attempt.n_calls):
                meter.admit(ROLE)
                meter.record(ROLE, attempt.call(call))


def read_given(path: Path, labels: Sequence[str] = ()) -> Given:
    """The attempts of a JSON-lines file.

    Args:
        labels: one of them belongs to each example; none where the domain has none.

    Raises:
        ConfigError: no such file, a line that is neither an example nor a rejected attempt, a label that is none of
            those, a cost that is no number or that only some lines tell.
    """
    attempts: list[Attempt] = []
    for number, row in read_rows(path):
        where = f"{path}, line {number}"
        attempt = _attempt(row, labels, where)
        if attempts and attempt.took.keys() != attempts[0].took.keys():
            some = sorted(attempt.took.keys() ^ attempts[0].took.keys())[0]
            raise ConfigError(f"{where}: all lines tell {some!r}, or none; add it, or leave it out everywhere")
        attempts.append(attempt)
    return Given(attempts)


def _attempt(row: Mapping[str, Any], labels: Sequence[str], where: str) -> Attempt:
    took = {name: _number(row[name], name, where) for name in COSTS if row.get(name) is not None}
    if took and "calls" not in took:
        raise ConfigError(f"{where}: tells {next(iter(took))!r}, but not how many `calls` it took")
    if (why := row.get("rejected")) is not None:
        return Attempt(None, str(why), took)
    challenge = as_challenge(row)
    if challenge is None:
        raise ConfigError(f'{where}: {EXPECTED}, or {{"rejected": "why"}}')
    if labels:
        said = challenge.label or challenge.answer
        label = next((each for each in labels if words(each) == words(said)), None)
        if label is None:
            raise ConfigError(f"{where}: {said[:80]!r} is none of the labels; there are {', '.join(labels)}")
        challenge = Challenge(challenge.question, label, label=label)
    elif not challenge.answer.strip():
        raise ConfigError(f"{where}: the example has no answer")
    return Attempt(challenge, "", took)


def _number(value: Any, name: str, where: str) -> float:
    counts = name in ("calls", "tokens")
    right = isinstance(value, int if counts else (int, float)) and not isinstance(value, bool)
    if not right or not math.isfinite(value) or value < (name == "calls") or (name == "calls" and value > MOST_CALLS):
        kind = f"whole number of {'1' if name == 'calls' else '0'} or more" if counts else "number of 0 or more"
        raise ConfigError(f"{where}: {name} = {value!r} is no {kind}")
    return value
