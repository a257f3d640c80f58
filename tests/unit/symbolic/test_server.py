"""The worker's side: messages, limits, the audit hook, the loop."""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from autodata_dspy.symbolic import server

ROOT = Path(server.__file__).resolve().parents[2]


def message(value: dict) -> bytes:
    body = json.dumps(value).encode()
    return struct.pack(">I", len(body)) + body


def replies(stream: io.BytesIO) -> list[dict]:
    stream.seek(0)
    found = []
    while (reply := server.read_message(stream)) is not None:
        found.append(reply)
    return found


def test_messages_survive_the_pipe():
    stream = io.BytesIO()
    server.write_message(stream, {"a": "é\n", "b": [1, None]})
    assert replies(stream) == [{"a": "é\n", "b": [1, None]}]


def test_a_cut_stream_ends_quietly():
    assert server.read_message(io.BytesIO(b"\x00\x00")) is None


def test_oversized_replies_become_errors():
    stream = io.BytesIO()
    server.write_message(stream, {"result": "x" * (server.MAX_REPLY + 1)})
    assert "longer than" in replies(stream)[0]["error"]


def test_serve_answers_until_the_pipe_closes(monkeypatch):
    monkeypatch.setattr(server, "limit_cpu", lambda seconds: None)  # would limit this process

    def task(payload):
        return {"ok": 1, "bad": [][payload]}["ok"] if payload else "fine"

    requests = io.BytesIO(
        message({"task": "t", "payload": 0})
        + message({"task": "t", "payload": 1, "timeout_s": 1})
        + message({"task": "unknown", "payload": 0})
    )
    out = io.BytesIO()
    server.serve(requests, out, {"t": task})
    first, second, third = replies(out)
    assert first == {"result": "fine"}
    assert second["error"].startswith("IndexError")
    assert "unknown task" in third["error"]


@pytest.mark.parametrize(
    ("event", "args"),
    [
        ("socket.connect", ()),
        ("subprocess.Popen", ()),
        ("os.system", ("id",)),
        ("os.fork", ()),
        ("pickle.find_class", ("os", "system")),
        ("ctypes.dlopen", ("libc",)),
        ("open", ("/tmp/x", "w", 0)),
        ("open", ("/tmp/x", "r+", 0)),
        ("open", ("/tmp/x", None, os.O_WRONLY)),
        ("open", ("/tmp/x", None, os.O_CREAT)),
    ],
)
def test_the_audit_hook_refuses(event, args):
    with pytest.raises(PermissionError):
        server.refuse(event, args)


@pytest.mark.parametrize(
    ("event", "args"), [("import", ("sympy",)), ("open", ("/tmp/x", "r", 0)), ("open", ("/tmp/x", None, os.O_RDONLY))]
)
def test_the_audit_hook_lets_reading_pass(event, args):
    server.refuse(event, args)


def in_child(code: str) -> subprocess.CompletedProcess:
    prelude = f"import sys, os; sys.path.insert(0, {str(ROOT)!r}); from autodata_dspy.symbolic import server\n"
    return subprocess.run([sys.executable, "-c", prelude + code], capture_output=True, text=True, timeout=60)


def test_limits_hold_in_a_process(tmp_path):
    code = f"""
import resource
server.limit_resources(400)
server.limit_cpu(1)
try:
    bytearray(10**9)
except MemoryError:
    print("memory")
soft, _ = resource.getrlimit(resource.RLIMIT_CPU)
print("cpu", 0 < soft < 10)
try:
    with open({str(tmp_path / "x")!r}, "w") as f:
        f.write("x")
        f.flush()
except OSError:
    print("file")
"""
    done = in_child("import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n" + code)
    assert done.stdout.split() == ["memory", "cpu", "True", "file"], done.stderr


def test_unsupported_limits_are_skipped():
    done = in_child(
        "import resource as r\nr.setrlimit(r.RLIMIT_NOFILE, (16, 16))\nserver.limit_resources(2000)\nprint('on')"
    )
    assert done.stdout.strip() == "on"


def test_main_serves_over_the_pipes_and_keeps_prints_out_of_them():
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
            "from autodata_dspy.symbolic.server import main; main(1500)",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert server.read_message(process.stdout) == {"result": "ready"}
    requests = [
        {"task": "program", "payload": {"program": "print(1)\nanswer = 1/3"}},
        {"task": "equal", "payload": {"a": "1/2", "b": "0.5", "context": ""}},
        {"task": "math_objects", "payload": {"answer": r"\boxed{2}", "reference": "2", "context": ""}},
        {"task": "program_answer", "payload": {"program": "answer = 2", "answer": "2", "context": ""}},
    ]
    output, _ = process.communicate(b"".join(map(message, requests)), timeout=60)
    results = [r["result"] for r in replies(io.BytesIO(output))]
    assert results[0]["text"] == "1/3"
    assert [r["equal"] for r in results[1:]] == [True, True, True]


def test_a_worker_out_of_memory_leaves(monkeypatch):
    monkeypatch.setattr(server, "limit_cpu", lambda seconds: None)
    left = []
    monkeypatch.setattr(server.os, "_exit", lambda code: left.append(code) or (_ for _ in ()).throw(SystemExit))

    def task(_):
        raise MemoryError

    with pytest.raises(SystemExit):
        server.serve(io.BytesIO(message({"task": "t", "payload": 0})), io.BytesIO(), {"t": task})
    assert left == [70]
