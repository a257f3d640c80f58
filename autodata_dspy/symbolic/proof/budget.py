"""Soft time limits inside a worker: an attempt that takes too long is given up, the next one tried.

Measured in CPU time, so that a busy machine does not change a verdict, with SIGVTALRM: SIGALRM is
pytest-timeout's. Outside the main thread there is no limit; the worker's
wall clock is the one that counts.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator

_AGAIN_S = 0.1


class OutOfTime(BaseException):
    """An attempt was given up."""


def _give_up(*_: object) -> None:
    raise OutOfTime


def _arm(seconds: float) -> None:
    # Again and again: raised inside a callback of the garbage collector or a finalizer, an exception is lost.
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, _AGAIN_S)


class Budget:
    """CPU seconds shared by all attempts at one question."""

    def __init__(self, seconds: float):
        self.end = time.process_time() + seconds

    @property
    def left(self) -> float:
        return max(0.0, self.end - time.process_time())

    @contextlib.contextmanager
    def attempt(self, seconds: float) -> Iterator[None]:
        """Run the body for at most `seconds` (and what is left of the budget), else leave it silently."""
        allowed = min(seconds, self.left)
        if allowed <= 0:
            raise OutOfTime
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        outer = signal.getitimer(signal.ITIMER_VIRTUAL)[0]  # of the attempt around this one, 0 without
        started = time.process_time()
        previous = signal.signal(signal.SIGVTALRM, _give_up)
        _arm(min(allowed, outer or allowed))
        try:
            yield
        except OutOfTime:
            if outer and time.process_time() - started >= outer:
                raise  # the surrounding attempt is over as well
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, previous)
            if outer:
                _arm(max(outer - (time.process_time() - started), 0.001))
