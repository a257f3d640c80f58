"""Nothing of the hostile corpus executes, opens, writes, connects, survives, or passes for an answer."""

from __future__ import annotations

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autodata_dspy.verifiers.math_objects import MathObjects, extract_answer
from autodata_dspy.verifiers.program_answer import run
from autodata_dspy.verifiers.worker import WorkerPool

CORPUS = Path(__file__).parents[2] / "golden" / "hostile.jsonl"
REFERENCE = "7351"  # no hostile text says so


def strings(canary: Path, port: int) -> list[str]:
    found = []
    for line in CORPUS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        text = row["text"]
        if repeat := row.get("repeat"):
            text = repeat["prefix"] + repeat["unit"] * repeat["times"] + repeat["suffix"]
        found.append(text.replace("{CANARY_FILE}", str(canary)).replace("{CANARY_PORT}", str(port)))
    return found


class CanarySocket:
    """Listens on the loopback and counts who calls."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.settimeout(0.2)
        self.port = self.server.getsockname()[1]
        self.n_calls, self.open = 0, True
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self) -> None:
        while self.open:
            try:
                connection, _ = self.server.accept()
            except OSError:
                continue
            self.n_calls += 1
            connection.close()

    def close(self) -> None:
        self.open = False
        self.thread.join()
        self.server.close()


@pytest.fixture(scope="module")
def pool():
    with WorkerPool(n_workers=2, memory_mb=1000) as found:
        found.warm_up()
        yield found


@pytest.fixture
def canaries(tmp_path):
    listener = CanarySocket()
    yield tmp_path / "canary", listener
    listener.close()


def check(canary: Path, listener: CanarySocket) -> None:
    time.sleep(0.3)
    assert not canary.exists()
    assert listener.n_calls == 0


def test_the_canaries_sing(canaries):
    canary, listener = canaries
    with socket.create_connection(("127.0.0.1", listener.port)):
        pass
    canary.write_text("x")
    with pytest.raises(AssertionError):
        check(canary, listener)


def test_as_programs(pool, canaries):
    canary, listener = canaries
    texts = strings(canary, listener.port)
    assert len(texts) >= 100
    with ThreadPoolExecutor(2) as threads:
        results = list(threads.map(lambda t: run(t, 0.3, pool), texts))
    check(canary, listener)
    assert {r.status for r in results} <= {"ok", "failed", "undecided"}
    assert all(r.error for r in results if not r.ok)
    assert run("answer = 1/3", 5.0, pool).text == "1/3"


def test_as_answers_and_as_references(pool, canaries):
    canary, listener = canaries
    verifier = MathObjects(timeout_s=0.3, pool=pool)
    texts = strings(canary, listener.port)
    with ThreadPoolExecutor(2) as threads:
        as_answers = list(threads.map(lambda t: verifier.verify(t, REFERENCE), texts))
        as_references = list(threads.map(lambda t: verifier.verify(REFERENCE, t), texts))
    check(canary, listener)
    passed = [t[:80] for t, u, v in zip(texts, as_answers, as_references, strict=True) if u.passed or v.passed]
    assert passed == []
    assert MathObjects(pool=pool).verify("1/2", "0.5").passed


def test_through_extraction(canaries):
    canary, listener = canaries
    started = time.monotonic()
    for text in strings(canary, listener.port):
        extract_answer(text)
        extract_answer(rf"So the answer is \boxed{{{text}}}")
    assert time.monotonic() - started < 10
    check(canary, listener)


def test_a_worker_itself_cannot_write_connect_or_start_processes(canaries, tmp_path):
    """The fences behind the interpreter: even code that ran would be stopped."""
    import subprocess
    import sys

    from autodata_dspy.symbolic import server

    canary, listener = canaries
    attempts = [
        f"open({str(canary)!r}, 'w').write('x')",
        f"os.open({str(canary)!r}, os.O_CREAT | os.O_WRONLY)",
        f"os.system('touch {canary}')",
        f"subprocess.run(['touch', {str(canary)!r}])",
        f"socket.create_connection(('127.0.0.1', {listener.port}))",
        "os.fork()",
    ]
    code = (
        f"import os, socket, subprocess, sys; sys.path.insert(0, {str(Path(server.__file__).parents[2])!r})\n"
        "from autodata_dspy.symbolic import server\n"
        "sys.addaudithook(server.refuse)\n"
        f"for attempt in {attempts!r}:\n"
        "    try:\n        exec(attempt)\n        print('done', attempt)\n"
        "    except PermissionError:\n        pass\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.returncode) == ("", 0), done.stderr
    check(canary, listener)
