"""Running a job with two interpreters, one for the solution and one for the tests, and reading what came of it."""

from __future__ import annotations

import contextlib
import importlib.resources
import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from autodata_dspy.errors import VerifierError
from autodata_dspy.sandbox.bubblewrap import Box
from autodata_dspy.sandbox.job import Job, Outcome, SandboxLimits

_MAX_REPORT = 1024 * 1024
# A run is two processes; more of them at a time would only make each other late.
_slots = threading.BoundedSemaphore(os.cpu_count() or 1)


@dataclass(frozen=True)
class Runner:
    """How interpreters are started: the command for a piece of code, and options of `subprocess.Popen`."""

    name: str
    command: Callable[[str], list[str]]
    options: dict[str, Any]
    counts_processes: bool


def in_bubblewrap(job: Job, limits: SandboxLimits, box: Box) -> Outcome:
    """Run a job in two sandboxes.

    Raises:
        VerifierError: a sandbox did not start.
    """
    command = lambda code: box.command(code, limits.disk_mb)  # noqa: E731
    return _run(job, limits, Runner("bubblewrap", command, box.start_options(), True))


def unsandboxed(job: Job, limits: SandboxLimits) -> Outcome:
    """Run a job with limits on CPU time, memory and file size and NOTHING else: it can read and write whatever this
    user can, use the network, and start processes without end.

    Raises:
        VerifierError: an interpreter did not start.
    """
    with tempfile.TemporaryDirectory(prefix="autodata-") as folder:
        command = lambda code: [sys.executable, "-I", "-S", "-B", "-c", code]  # noqa: E731
        options = {"cwd": folder, "env": {"LANG": "C.UTF-8", "PYTHONHASHSEED": "0"}}
        return _run(job, limits, Runner("unsandboxed", command, options, False))


@cache
def side_source(side: str) -> str:
    """The program of one side ("solution" or "tests") as one text, for an interpreter that cannot see this package."""
    files = {"solution": ("wire", "solution_side"), "tests": ("wire", "reading", "remote", "tests_side")}[side]
    folder = importlib.resources.files("autodata_dspy.sandbox")
    text = "\n".join((folder / f"{name}.py").read_text("utf-8") for name in files)
    return re.sub(r"^from autodata_dspy\S* import (?:\([^)]*\)|[^\n]*)$", "", text, flags=re.MULTILINE)


def _rlimits(limits: SandboxLimits, counts_processes: bool) -> dict[str, int]:
    chosen = {
        "CPU": limits.cpu_s,
        "AS": limits.memory_mb * 2**20,
        "FSIZE": limits.disk_mb * 2**20,
        "NOFILE": 64,
        "CORE": 0,
    }
    return chosen | ({"NPROC": limits.processes} if counts_processes else {})


def _run(job: Job, limits: SandboxLimits, runner: Runner) -> Outcome:
    rlimits = _rlimits(limits, runner.counts_processes)
    with _slots, contextlib.ExitStack() as stack:
        requests, replies = os.pipe(), os.pipe()
        pipes = contextlib.ExitStack()  # closed once: a second time it would be another thread's descriptor
        stack.enter_context(pipes)
        for descriptor in (*requests, *replies):
            pipes.callback(os.close, descriptor)
        errors = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(2)]
        questions = stack.enter_context(tempfile.TemporaryFile())
        questions.write(json.dumps(asdict(job)).encode() + b"\n")
        questions.seek(0)

        def start(code: str, stdin: Any, stdout: Any, errors: Any, keep: tuple[int, ...]) -> subprocess.Popen[Any]:
            command = runner.command(code)
            streams = {"stdin": stdin, "stdout": stdout, "stderr": errors, "pass_fds": keep}
            options: dict[str, Any] = {**streams, **runner.options, "start_new_session": True}
            process = subprocess.Popen(command, **options)
            stack.callback(_kill, process)
            return process

        code = f"{side_source('solution')}\nmain({rlimits!r})"
        solution = start(code, requests[0], replies[1], errors[0], ())
        code = f"{side_source('tests')}\nmain({rlimits!r}, {replies[0]}, {requests[1]})"
        tests = start(code, questions, subprocess.PIPE, errors[1], (replies[0], requests[1]))
        pipes.close()
        report = _read_report(tests, time.monotonic() + limits.wall_s)
        if report is None:
            return Outcome(None, f"the run did not end within {limits.wall_s:g} s", runner=runner.name)
        return _outcome(report, _end(solution), _end(tests), limits, runner.name, errors)


def _kill(process: subprocess.Popen[Any]) -> int:
    """End a process and its group; returns its exit status. Only then may its number go to another process."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    if process.stdout is not None:
        process.stdout.close()
    return process.wait()


def _read_report(process: subprocess.Popen[Any], deadline: float) -> bytes | None:
    """All that the tests' side says (at most _MAX_REPORT); None when it is not done by the deadline."""
    if process.stdout is None:  # never with PIPE
        raise VerifierError("a test process without a pipe")
    descriptor, said = process.stdout.fileno(), b""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    while len(said) < _MAX_REPORT:
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            return None
        chunk = os.read(descriptor, 65536)
        if not chunk:
            break
        said += chunk
    return said


def _end(process: subprocess.Popen[Any], grace_s: float = 1.0) -> int | None:
    """The exit status of a process that should be ending; None when it has to be killed."""
    deadline = time.monotonic() + grace_s
    ended = False
    while not ended and time.monotonic() < deadline:
        # Not reaped yet: the group must still be its own when it is killed.
        ended = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        if not ended:
            time.sleep(0.002)
    status = _kill(process)
    return status if ended else None


def _outcome(
    said: bytes,
    solution_status: int | None,
    tests_status: int | None,
    limits: SandboxLimits,
    runner: str,
    errors: list[Any],
) -> Outcome:
    try:
        report = json.loads(said)
    except ValueError:
        raise_if_not_started(errors[1], tests_status)
        return Outcome(None, f"the tests themselves did not end: {_cause(tests_status, limits)}", runner=runner)
    if "foreign" in report:
        return Outcome(None, report["foreign"], runner=runner)
    failed = [(str(where), str(message)) for where, message in report["failed"]]
    n_tests, n_failed = report["n_tests"], report["n_failed"]
    if report.get("gone"):
        if not report["started"]:
            raise_if_not_started(errors[0], solution_status)
        if solution_status in (-signal.SIGKILL, 128 + signal.SIGKILL):
            return Outcome(None, "the solution's process was killed from outside", runner=runner)
        failed.append(("the solution's process ended", _cause(solution_status, limits)))
        n_tests, n_failed = max(n_tests, 1), n_failed + 1
    if n_failed:
        return Outcome(False, "", n_tests, n_failed, tuple(failed), runner)
    if n_tests == 0:
        why = "there are no tests: write assert statements, test functions, a TestCase or check(candidate)"
        return Outcome(None, why, runner=runner)
    if not report["touched"]:
        return Outcome(None, "the tests never use the solution", n_tests, runner=runner)
    return Outcome(True, "", n_tests, runner=runner)


def raise_if_not_started(errors: Any, status: int | None) -> None:
    """Raise VerifierError when what a process left on its standard error is a sandbox's complaint."""
    errors.seek(0)
    text = errors.read(2000).decode("utf-8", "replace").strip()
    if text.startswith("bwrap:") or "Traceback" in text:
        raise VerifierError(f"the sandbox did not start (exit code {status}): {text.splitlines()[-1]}")


def _cause(status: int | None, limits: SandboxLimits) -> str:
    if status is None:
        return "it closed its side of the conversation"
    number = status - 128 if status > 128 else -status
    if number == signal.SIGXCPU:
        return f"it used more than {limits.cpu_s} s of CPU time"
    if status == 0 or 0 < status < 128:
        return f"it called exit (status {status})"
    return f"it crashed (signal {number}); it may have run out of its {limits.memory_mb} MB"
