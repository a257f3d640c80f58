"""How a generator tells whoever is watching that a round is over. Watching never changes a run."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable, Iterator

from autodata_dspy.types import Round

Listener = Callable[[str, Round], None]
_listener: contextvars.ContextVar[Listener | None] = contextvars.ContextVar("autodata_listener", default=None)


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
