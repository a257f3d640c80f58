"""What happens in a run, told to whoever is watching. Watching never changes a run."""

from __future__ import annotations

import contextlib
import contextvars
import logging
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

from autodata_dspy.budget import Meter
from autodata_dspy.types import Round, Trajectory

logger = logging.getLogger(__name__)
Listener = Callable[[str, Round], None]
_listener: contextvars.ContextVar[Listener | None] = contextvars.ContextVar("autodata_listener", default=None)


@contextlib.contextmanager
def on_interrupt(heard: Callable[[], None]) -> Iterator[None]:
    """Have Ctrl-C call `heard`; only in the main thread, which alone hears of it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda signum, frame: heard())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def listening(listener: Listener | None) -> Iterator[None]:
    """Send (document id, round) of every finished round in this context to `listener`, from any thread."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def round_finished(document_id: str, round_: Round) -> None:
    if (listener := _listener.get()) is not None:
        listener(document_id, round_)


class Watch:
    """Receives a run's events; override what you need. Calls come one at a time, possibly from threads."""

    def started(self, n_jobs: int, n_done: int, n_wanted: int | None, meter: Meter) -> None: ...

    def round_finished(self, document_id: str, round_: Round) -> None: ...

    def document_finished(self, trajectory: Trajectory) -> None: ...

    def interrupted(self, times: int) -> None: ...


class Shielded(Watch):
    """Hands events on, one at a time; a watcher that breaks is logged and changes nothing."""

    def __init__(self, watch: Watch):
        self._watch = watch
        self._lock = threading.RLock()  # a signal may interrupt the thread that holds it

    def _tell(self, event: str, *facts: Any) -> None:
        with self._lock:
            try:
                getattr(self._watch, event)(*facts)
            except Exception:
                logger.exception("the watcher broke at %s", event)

    def started(self, n_jobs: int, n_done: int, n_wanted: int | None, meter: Meter) -> None:
        self._tell("started", n_jobs, n_done, n_wanted, meter)

    def round_finished(self, document_id: str, round_: Round) -> None:
        self._tell("round_finished", document_id, round_)

    def document_finished(self, trajectory: Trajectory) -> None:
        self._tell("document_finished", trajectory)

    def interrupted(self, times: int) -> None:
        self._tell("interrupted", times)
