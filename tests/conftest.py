"""Fixtures of all tests: no network, a clean DSPy, scripted language models."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # so that tests and their child processes can `import scripted`


class BlockedSocketError(RuntimeError):
    """A test tried to leave this machine."""


def _is_local(family: int, address: Any) -> bool:
    if family not in (socket.AF_INET, socket.AF_INET6):
        return True
    host = address[0]
    return host in ("localhost", "::1") or host.startswith("127.")


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sockets reach the loopback only; live tests may fetch model weights."""
    if request.node.get_closest_marker("live"):
        return
    for name in ("connect", "connect_ex"):
        real = getattr(socket.socket, name)

        def guarded(self: socket.socket, address: Any, real: Any = real) -> Any:
            if not _is_local(self.family, address):
                raise BlockedSocketError(f"tests must not connect to {address!r}")
            return real(self, address)

        monkeypatch.setattr(socket.socket, name, guarded)


@pytest.fixture(autouse=True)
def clean_dspy() -> Any:
    """DSPy's settings and caches, and ours, as in a new process."""
    import dspy
    from dspy.dsp.utils.settings import DEFAULT_CONFIG

    from autodata_dspy import calls, roles

    dspy.configure_cache(enable_disk_cache=False, enable_memory_cache=False)
    yield
    dspy.configure(**{**DEFAULT_CONFIG, "trace": [], "callbacks": []})
    roles._build_lm.cache_clear()
    calls._last.set(None)


@pytest.fixture
def scripted() -> SimpleNamespace:
    """Scripted language models and a tiny domain: `scripted.lm(script)`, `scripted.roles(role=script)`,
    `scripted.domain()`, `scripted.documents(n)`, …; see tests/scripted.py."""
    import scripted as s

    return SimpleNamespace(
        lm=s.scripted_lm,
        roles=s.scripted_roles,
        calls=s.calls_of,
        domain=s.tiny_domain,
        documents=s.documents,
        fated=s.fated,
        fated_roles=s.fated_roles,
        solver=s.solver_script,
        Said=s.Said,
    )
