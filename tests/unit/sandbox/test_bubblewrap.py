"""Hostile and broken code in the real sandbox. Canaries are real files and a real socket on the loopback."""

import os
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from autodata_dspy.errors import VerifierError
from autodata_dspy.sandbox import bubblewrap, processes
from autodata_dspy.sandbox.bubblewrap import Box, find_box
from autodata_dspy.sandbox.job import Job, Outcome, SandboxLimits

BOX = find_box()
needs_bubblewrap = pytest.mark.skipif(not isinstance(BOX, Box), reason=str(BOX))
# Wall time is generous: a busy machine must not decide what a test sees.
LIMITS = SandboxLimits(cpu_s=1, wall_s=100, memory_mb=256, processes=6, disk_mb=4)


def run(solution, tests, limits=LIMITS, **job) -> Outcome:
    return processes.in_bubblewrap(Job(solution, tests, **job), limits, BOX)


@needs_bubblewrap
def test_a_right_solution_passes_and_a_wrong_one_fails():
    assert run("def f(x): return x + 1", "assert f(1) == 2\nassert f(2) == 3") == Outcome(
        True, n_tests=2, runner="bubblewrap"
    )
    wrong = run("def f(x): return x", "assert f(1) == 2")
    assert (wrong.passed, wrong.failed) == (False, (("line 1: assert f(1) == 2", "got 1, expected 2; AssertionError"),))


@needs_bubblewrap
def test_what_is_printed_reaches_the_tests_and_not_the_conversation():
    tests = "import contextlib, io\nout = io.StringIO()\nwith contextlib.redirect_stdout(out):\n    f()\n"
    report = run("def f(): print('{\"reply\": 1}')", tests + "assert out.getvalue() == '{\"reply\": 1}\\n'")
    assert report.passed


ESCAPES = """
import os, socket, subprocess, sys

def attempt(function):
    try:
        return repr(function())
    except BaseException as error:
        return type(error).__name__

def read(path):
    return attempt(lambda: open(path).read())

def write(path):
    return attempt(lambda: open(path, "w").write("x"))

def connect(port):
    return attempt(lambda: socket.create_connection(("127.0.0.1", port), 2))

def shell():
    return attempt(lambda: subprocess.run(["/bin/sh", "-c", "id"])), os.system("id") == 0

def environment():
    return sorted(os.environ)

def kill():
    return attempt(lambda: os.kill(1, 9)), attempt(lambda: os.kill(os.getppid(), 9))

def unshare():
    import ctypes
    return ctypes.CDLL(None).unshare(0x10000000)

def who():
    return os.getuid(), os.listdir("/"), os.path.exists("/proc/self"), os.path.exists("/etc")
"""


@needs_bubblewrap
def test_nothing_of_the_machine_can_be_read_written_reached_or_stopped(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "sk-canary")
    secret, written = tmp_path / "secret", Path("/tmp") / f"canary-{os.getpid()}"
    secret.write_text("canary")
    visitors = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        server.settimeout(0.2)
        outcome = run(
            ESCAPES,
            f"""
for path in ({str(secret)!r}, "/etc/passwd", {__file__!r}, "/proc/1/environ", "/root/.bashrc"):
    assert read(path) == "FileNotFoundError", path
for path in ({str(secret)!r}, "/canary", "/usr/lib/canary", "/dev/canary"):
    assert write(path) in ("OSError", "FileNotFoundError"), path
assert write({str(written)!r}) == "1"
assert connect({port}) in ("ConnectionRefusedError", "OSError")
assert shell() == ("FileNotFoundError", False)
assert "SECRET_KEY" not in environment() and "PATH" not in environment()
assert unshare() == -1
uid, roots, proc, etc = who()
assert uid != 0 and not proc and not etc and "root" not in roots and "home" not in roots
assert all(said in ("None", "PermissionError", "ProcessLookupError") for said in kill())
""",
        )
        try:
            visitors.append(server.accept())
        except TimeoutError:
            pass
    assert outcome.passed, outcome
    assert visitors == [] and not written.exists() and secret.read_text() == "canary"


@needs_bubblewrap
def test_too_much_cpu_time_fails_the_tests():
    outcome = run("def f():\n    while True: pass", "assert f() == 1")
    assert (outcome.passed, outcome.failed) == (
        False,
        (("the solution's process ended", "it used more than 1 s of CPU time"),),
    )


@needs_bubblewrap
def test_tests_that_use_too_much_cpu_time_decide_nothing():
    outcome = run("def f(): return 1", "while True: pass")
    assert outcome.passed is None
    assert outcome.why == "the tests themselves did not end: it used more than 1 s of CPU time"


@needs_bubblewrap
def test_a_solution_that_waits_for_ever_decides_nothing_within_the_wall_time():
    begun = time.monotonic()
    limits = SandboxLimits(cpu_s=1, wall_s=1.5, memory_mb=256)
    outcome = run("import time\ndef f(): time.sleep(1000)", "assert f() == 1", limits)
    assert (outcome.passed, outcome.why) == (None, "the run did not end within 1.5 s")
    assert time.monotonic() - begun < 30


@needs_bubblewrap
def test_memory_processes_disk_and_output_are_bounded():
    solution = """
import os
def memory():
    try:
        return len(bytearray(2 ** 40))
    except MemoryError:
        return "bounded"
def grow():
    held = []
    try:
        while True:
            held.append(bytearray(2 ** 24))
    except MemoryError:
        n, held = len(held), None
        return n
def processes():
    started = 0
    for _ in range(64):
        try:
            child = os.fork()
        except OSError:
            break
        if child == 0:
            import time
            time.sleep(60)
            os._exit(0)
        started += 1
    return started
def disk():
    try:
        for number in range(64):
            with open(f"/tmp/{number}", "wb") as file:
                file.write(b"x" * 2 ** 20)
    except OSError:
        return number
def chatter():
    for _ in range(1000):
        print("x" * 10_000)
"""
    outcome = run(
        solution,
        "assert memory() == 'bounded'\nassert grow() < 16\nassert disk() <= 4\nchatter()\n"
        f"n = processes()\nassert 0 < n < {LIMITS.processes}, n",
    )
    assert outcome.passed, outcome


@needs_bubblewrap
def test_processes_that_the_solution_leaves_behind_end_with_the_run(tmp_path):
    marker = f"autodata-left-behind-{os.getpid()}"
    solution = f"import os, time\nif os.fork() == 0:\n    os.setsid()\n    name = {marker!r}\n    time.sleep(600)\ndef f(): return 1"
    assert run(solution, "assert f() == 1").passed
    deadline = time.monotonic() + 20
    while _running(marker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _running(marker) == []


def _running(marker):
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            try:
                if marker.encode() in (process / "cmdline").read_bytes():
                    found.append(process.name)
            except OSError:
                continue
    return found


@needs_bubblewrap
@pytest.mark.parametrize(
    "solution, cause",
    [
        ("import os\ndef f(): os._exit(3)", "it called exit (status 3)"),
        ("import os\nos._exit(0)", "it called exit (status 0)"),
        ("import ctypes\ndef f(): ctypes.string_at(0)", "it crashed (signal 11)"),
        ("import os\ndef f():\n    for n in range(3, 64):\n        try: os.close(n)\n        except OSError: pass", "it called exit"),
    ],
)  # fmt: skip
def test_a_solution_whose_process_ends_has_failed(solution, cause):
    outcome = run(solution, "assert f() == 1")
    assert outcome.passed is False and outcome.n_failed == 1
    assert outcome.failed[0][0] == "the solution's process ended" and outcome.failed[0][1].startswith(cause)


@needs_bubblewrap
def test_lines_that_are_no_replies_fail_the_test_and_nothing_else():
    solution = "import os\ndef f():\n    for n in range(3, 12):\n        try: os.write(n, b'{}\\n[1]\\nnonsense\\n')\n        except OSError: pass\n    return 1"
    outcome = run(solution, "assert f() == 1")
    assert outcome.passed is False


@needs_bubblewrap
def test_a_process_killed_from_outside_decides_nothing():
    outcome = run("import os, signal\ndef f(): os.kill(os.getpid(), signal.SIGKILL)", "assert f() == 1")
    assert (outcome.passed, outcome.why) == (None, "the solution's process was killed from outside")


@needs_bubblewrap
def test_many_runs_at_a_time_do_not_get_in_each_others_way():
    outcomes = {}

    def one(n):
        outcomes[n] = run(f"def f(x): return x + {n}", f"assert f(1) == {n + 1}").passed

    threads = [threading.Thread(target=one, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == dict.fromkeys(range(6), True)


@needs_bubblewrap
def test_a_sandbox_that_does_not_start_is_an_error_and_no_failure_of_the_solution():
    broken = Box(BOX.bwrap, "/nonexistent/python", BOX.prefix)
    with pytest.raises(VerifierError, match="the sandbox did not start"):
        processes.in_bubblewrap(Job("def f(): return 1", "assert f() == 1"), LIMITS, broken)


@pytest.fixture
def fresh_search():
    find_box.cache_clear()
    yield
    find_box.cache_clear()


def test_without_bubblewrap_the_reason_says_what_to_install(fresh_search, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_box().startswith("bubblewrap is not there; install it (apt-get install bubblewrap")


def test_a_bubblewrap_that_fails_is_no_sandbox_and_its_complaint_is_told(fresh_search, monkeypatch, tmp_path):
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # one that the sandbox's user may read
        os.chmod(folder, 0o755)
        fake = Path(folder, "bwrap")
        fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
        fake.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        monkeypatch.setattr(sys, "_base_executable", "/nonexistent/python")
        found = find_box()
    assert found.startswith("bubblewrap does not work here: /nonexistent/python: [Errno 2]")
    assert not os.path.exists("/usr/bin/python3") or found.endswith("bwrap: No permissions to create new namespace")


def test_an_old_interpreter_is_passed_over(fresh_search, monkeypatch, tmp_path):
    old = tmp_path / "python"
    old.write_text("#!/bin/sh\necho /usr\necho False\n")
    old.chmod(0o755)
    monkeypatch.setattr(sys, "_base_executable", str(old))
    assert bubblewrap.interpreters()[0] == str(old)
    found = find_box()
    assert "older than Python 3.10" in found if isinstance(found, str) else found.python != str(old)


def test_limits_are_positive():
    with pytest.raises(ValueError, match="limits are positive"):
        SandboxLimits(cpu_s=0)
