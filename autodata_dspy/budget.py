"""Calls, tokens and money, counted in one place; limits that stop a run cleanly.

DSPy's usage tracker is copied into worker threads and so misses them; this meter is shared by all
threads of a run through a context variable and is fed by every role's LM (`calls.RoleLM`).
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any

from autodata_dspy.errors import AutodataError, BudgetExceeded, ConfigError, ProviderError, StopRun


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds of a run; None means no bound. `max_calls` is never exceeded; tokens and money can
    be overshot by the calls that are in flight when the bound is reached.

    All of that holds for calls that are reported. A process elsewhere that is lost (see `executors`) takes with it
    what it had spent on its document, at most what that document was leased.
    """

    max_calls: int | None = None
    max_tokens: int | None = None
    max_usd: float | None = None


@dataclass(slots=True)
class RoleUsage:
    """What one role has used. Tokens as the engine reports them; `cached_tokens` are the part of
    `input_tokens` that was not computed again; `seconds` is the sum over calls, not wall time."""

    calls: int = 0
    replayed: int = 0
    failed: int = 0
    truncated: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0
    seconds: float = 0.0

    def add(self, other: RoleUsage) -> None:
        for f in fields(self):
            setattr(self, f.name, getattr(self, f.name) + getattr(other, f.name))


class Meter:
    """Thread-safe counter with limits.

    `admit` is called before each model call and raises `StopRun` once a limit is reached or `stop`
    was called; `record` after it. A role whose calls fail `max_failures` times in a row (or whose very
    first call fails) stops the run too: an outage is not a property of the documents.

    A document that another process works on spends from a `lease`, a part of what is left, and `settle` counts what
    it reports. So however many processes there are, all of them together keep the limits.

    Args:
        answered: roles that have answered before.
    """

    max_failures = 4

    def __init__(
        self,
        limits: Limits | None = None,
        earlier: dict[str, RoleUsage] | None = None,
        answered: Iterable[str] = (),
    ):
        self.limits = limits or Limits()
        self.by_role: dict[str, RoleUsage] = dict(earlier or {})
        self.started = time.monotonic()
        self._lock = threading.RLock()  # a signal handler may stop the meter while its thread holds the lock
        self._returned = threading.Condition(self._lock)  # a lease was
        self._leases: list[Limits] = []
        self._in_flight = 0
        self._failures: dict[str, int] = {}
        self._answered = set(answered)
        self._stop: AutodataError | None = None

    def total(self) -> RoleUsage:
        total = RoleUsage()
        with self._lock:
            for usage in self.by_role.values():
                total.add(usage)
        return total

    def to_dict(self) -> dict[str, Any]:
        """Role name → its counts, as plain data."""
        with self._lock:
            return {role: asdict(usage) for role, usage in sorted(self.by_role.items())}

    @property
    def stopped_by(self) -> AutodataError | None:
        """Why the meter refuses further calls; None while it does not."""
        return self._stop

    def stop(self, cause: AutodataError) -> None:
        """Refuse every call from now on; the first cause is kept."""
        with self._lock:
            self._stop = self._stop or cause
            self._returned.notify_all()

    @property
    def answered(self) -> list[str]:
        """Roles that have answered so far."""
        with self._lock:
            return sorted(self._answered)

    def admit(self, role: str) -> None:
        """Reserve one call; waits while all that is left is leased. Raises StopRun when the run must stop."""
        with self._lock:
            self._wait_for_some()
            self._in_flight += 1

    def lease(self, n_parts: int, empty: bool = False) -> Limits:
        """An equal part of what is left, for one of `n_parts` documents that are worked on elsewhere at a time.

        It is at least one call and one token; waits while all that is left is leased.

        Args:
            empty: where nothing is left, give no call: enough for a document whose calls can be replayed.

        Raises:
            StopRun: the run must stop.
        """
        with self._lock:
            used = self._wait_for_some(empty)
            lease = Limits(max_calls=0) if used is None else self._part(used, max(1, n_parts - len(self._leases)))
            self._leases.append(lease)
            return lease

    def _part(self, used: RoleUsage, n: int) -> Limits:
        calls, tokens, usd = self.limits.max_calls, self.limits.max_tokens, self.limits.max_usd
        return Limits(
            None if calls is None else max(1, (calls - used.calls) // n),
            None if tokens is None else max(1, (tokens - used.input_tokens - used.output_tokens) // n),
            None if usd is None else (usd - used.usd) / n,
        )

    def settle(self, lease: Limits, used: dict[str, RoleUsage]) -> None:
        """Give a lease back, and count what was used of it."""
        with self._lock:
            self._leases.remove(lease)
            for role, usage in used.items():
                self.by_role.setdefault(role, RoleUsage()).add(usage)
                if usage.calls + usage.replayed > usage.failed:
                    self._answered.add(role)
            self._returned.notify_all()

    def _wait_for_some(self, none: bool = False) -> RoleUsage | None:
        """Until something is left that is not leased; returns what is used, reserved or leased. Where there is nothing
        the run stops, or (`none`) it returns None. Holds the lock."""
        while True:
            used = self.total()
            used.calls += self._in_flight
            exceeded = self._exceeded(used)
            if none and exceeded is not None and self._stop is None:
                return None
            self._stop = self._stop or exceeded
            if self._stop is not None:
                raise StopRun(self._stop)
            for lease in self._leases:
                leased = RoleUsage(lease.max_calls or 0, output_tokens=lease.max_tokens or 0, usd=lease.max_usd or 0.0)
                used.add(leased)
            if self._exceeded(used) is None:
                return used
            self._returned.wait()

    def _exceeded(self, used: RoleUsage) -> BudgetExceeded | ConfigError | None:
        limits = self.limits
        if limits.max_calls is not None and used.calls >= limits.max_calls:
            return BudgetExceeded(f"the limit of {limits.max_calls} model calls is reached")
        tokens = used.input_tokens + used.output_tokens
        if limits.max_tokens is not None and tokens >= limits.max_tokens:
            return BudgetExceeded(f"the limit of {limits.max_tokens} tokens is reached ({tokens} used)")
        if limits.max_usd is not None:
            if used.unpriced:
                return ConfigError(
                    f"max_usd={limits.max_usd} cannot be kept: {used.unpriced} calls came back without a price; "
                    "give the role `usd_per_million_input` and `usd_per_million_output`"
                )
            if used.usd >= limits.max_usd:
                return BudgetExceeded(f"the limit of {limits.max_usd} USD is reached ({used.usd:.4f} used)")
        return None

    def record(self, role: str, usage: RoleUsage, *, admitted: bool = True) -> None:
        """Count a finished (or, with admitted=False, a replayed) call."""
        with self._lock:
            self._in_flight -= admitted
            self.by_role.setdefault(role, RoleUsage()).add(usage)
            self._failures[role] = 0
            self._answered.add(role)

    def record_failure(self, role: str, model: str, error: Exception) -> None:
        """Count a failed call; stops the run on an outage. Raises StopRun then."""
        with self._lock:
            self._in_flight -= 1
            self.by_role.setdefault(role, RoleUsage()).add(RoleUsage(calls=1, failed=1))
            self._failures[role] = self._failures.get(role, 0) + 1
            never = role not in self._answered
            if never or self._failures[role] >= self.max_failures:
                how = "did not answer" if never else f"failed {self._failures[role]} times in a row"
                self._stop = self._stop or ProviderError(f"role {role!r}: {model} {how}: {one_line(error)}")
                raise StopRun(self._stop)

    def abandon(self) -> None:
        """Give a reservation back: the call was interrupted."""
        with self._lock:
            self._in_flight -= 1


def one_line(error: BaseException, limit: int = 300) -> str:
    """An error's message without its line breaks, cut to `limit` characters."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= limit else text[: limit - 1] + "…"


class _NoRun(Meter):
    """Counts what is called outside a run. It never refuses: one failure must not bar a whole session's calls."""

    def stop(self, cause: AutodataError) -> None:
        raise cause

    def record_failure(self, role: str, model: str, error: Exception) -> None:
        self.record(role, RoleUsage(calls=1, failed=1))


_current: contextvars.ContextVar[Meter | None] = contextvars.ContextVar("autodata_meter", default=None)
_no_run = _NoRun()


def current_meter() -> Meter:
    """The meter of the run this thread works for; outside a run one that never stops."""
    return _current.get() or _no_run


@contextlib.contextmanager
def metered(meter: Meter) -> Iterator[Meter]:
    """Make `meter` current in this thread (and in threads that copy its context)."""
    token = _current.set(meter)
    try:
        yield meter
    finally:
        _current.reset(token)
