"""What runs inside a worker process: limits on itself, then one task after another over two pipes.

Messages are JSON with a length in front, both ways. Started by `verifiers.worker`, never imported
by the parent.
"""

from __future__ import annotations

import json
import os
import resource
import struct
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

MAX_REPLY = 256 * 1024  # bytes


_CPU_GRACE_S = 2


_FORBIDDEN_EVENTS = (
    "socket.",
    "subprocess.",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "shutil.",
    "ftplib.",
    "urllib.",
)


_FORBIDDEN_CALLS = frozenset(
    {
        "os.system", "os.fork", "os.forkpty", "os.startfile", "os.remove", "os.rename", "os.rmdir", "os.mkdir",
        "os.link", "os.symlink", "os.truncate", "os.kill", "os.putenv", "os.chmod", "os.chown", "pty.spawn",
        "ctypes.dlopen", "pickle.find_class", "webbrowser.open",
    }
)  # fmt: skip


def refuse(event: str, args: tuple[Any, ...]) -> None:
    """An audit hook: no network, no processes, no written files. The last fence, not the first."""
    if event in _FORBIDDEN_CALLS or event.startswith(_FORBIDDEN_EVENTS):
        raise PermissionError(f"{event} is not allowed in a worker")
    if event == "open" and len(args) == 3:
        mode, flags = args[1], args[2]
        writing = isinstance(mode, str) and any(c in mode for c in "wax+")
        if writing or (isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
            raise PermissionError("writing files is not allowed in a worker")


def limit_resources(memory_mb: int) -> None:
    """Cap this process: memory, no written files, no core dumps, few descriptors, no children."""
    limits = [
        (resource.RLIMIT_AS, memory_mb * 2**20),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_NPROC, 0),  # does not bind root; the audit hook does
    ]
    for which, value in limits:
        try:
            resource.setrlimit(which, (value, value))
        except (ValueError, OSError):
            continue  # a lower hard limit is in force already, or (macOS) the limit is not supported


def limit_cpu(seconds: float) -> None:
    """Allow this much more CPU time from now on: a worker whose parent is gone dies by itself."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(usage.ru_utime + usage.ru_stime + seconds + _CPU_GRACE_S)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def read_message(stream: BinaryIO) -> dict[str, Any] | None:
    """The next message, or None at the end of the stream."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    body = stream.read(struct.unpack(">I", head)[0])
    return json.loads(body)


def write_message(stream: BinaryIO, message: dict[str, Any]) -> None:
    body = json.dumps(message).encode()
    if len(body) > MAX_REPLY:
        body = json.dumps({"error": f"the reply is longer than {MAX_REPLY} bytes"}).encode()
    stream.write(struct.pack(">I", len(body)) + body)
    stream.flush()


def load_tasks() -> dict[str, Callable[..., Any]]:
    """The tasks by name; importing them (sympy) is what a warm worker has behind it."""
    from autodata_dspy.symbolic.equality import equal_texts, judge_response
    from autodata_dspy.symbolic.program import compare_program, run_program

    equal_texts(r"\frac{x^2-1}{x-1}", "x + 1")  # fills sympy's caches and completes its lazy imports
    equal_texts(r"\sin^2 x + \cos^2 x", "1")
    return {
        "program": lambda payload: run_program(payload["program"]),
        "program_answer": lambda payload: compare_program(payload["program"], payload["answer"], payload["context"]),
        "math_objects": lambda payload: judge_response(payload["answer"], payload["reference"], payload["context"]),
        "equal": lambda payload: equal_texts(payload["a"], payload["b"], payload["context"]),
    }


def serve(requests: BinaryIO, replies: BinaryIO, tasks: dict[str, Callable[..., Any]]) -> None:
    """Answer requests until the parent closes the pipe."""
    while (message := read_message(requests)) is not None:
        limit_cpu(float(message.get("timeout_s", 5.0)))
        task = tasks.get(message["task"])
        if task is None:
            write_message(replies, {"error": f"unknown task {message['task']!r}"})
            continue
        try:
            reply = {"result": task(message["payload"])}
        except MemoryError:
            os._exit(70)  # what is left of the heap cannot be trusted: the parent starts a new one
        except Exception as error:  # whatever a library raises is the caller's to judge
            reply = {"error": " ".join(f"{type(error).__name__}: {error}".split())[:300]}
        write_message(replies, reply)


def main(memory_mb: int) -> None:
    """Take the pipes away from stdin and stdout, warm up, lock the door, serve."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):  # a library that prints must not garble the protocol
        os.dup2(null, standard)
    sys.dont_write_bytecode = True
    tasks = load_tasks()
    limit_resources(memory_mb)
    sys.addaudithook(refuse)
    write_message(replies, {"result": "ready"})
    serve(requests, replies, tasks)
