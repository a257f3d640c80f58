"""Runs that are interrupted, killed or started twice: real processes and signals; nothing is lost or paid twice."""

import contextlib
import dataclasses
import json
import signal
import subprocess
import threading

import command_line
import model_server
import pytest
from command_line import run_here

from autodata_dspy.store import RunFolder

PLANS = {"alpha": "hard accept", "beta": "accept", "gamma": "easy accept"}
N_REQUESTS = (7 + 8) + 8 + (4 + 8)  # of the whole run: see what a round of each kind costs


def generate(server, folder):
    """The command: all three documents give one example, one document after another."""
    path = folder / "documents.jsonl"
    path.write_text(model_server.lines(*(model_server.document(k, *v.split()) for k, v in PLANS.items())))
    return ["generate", *server.flags, "--documents", path, "--n", "3", "--per-document", "1", "--concurrency", "1"]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """What the run gives when nothing happens to it."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    with model_server.serving() as server:
        assert run_here(*generate(server, folder), "--run-dir", folder / "r").code == 0
        assert len(server.requests) == N_REQUESTS
    return trajectories(folder / "r")


@pytest.fixture
def started(server, tmp_path):
    """Starts a run as a process and waits until it hangs in request number `n + 1`."""
    running = []

    def start(n_answers):
        server.hold_after(n_answers)
        running.append(command_line.start(*generate(server, tmp_path), "--run-dir", tmp_path / "r"))
        server.wait_for_requests(n_answers + 1)
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


def trajectories(run_dir):
    """What the run found, without times."""
    latest = RunFolder(run_dir).latest()
    return {key: dataclasses.replace(t, seconds=0.0) for key, t in latest.items()}


def calls(run_dir):
    """Calls by role, as the run has counted them."""
    return {role: u["calls"] for role, u in json.loads((run_dir / "usage.json").read_text())["by_role"].items()}


def interrupt(process, answer):
    """Press Ctrl-C and wait for the answer on standard error."""
    process.send_signal(signal.SIGINT)
    for line in process.stderr:
        if answer in line:
            return
    raise AssertionError(f"the run ended without saying {answer!r}")


def test_ctrl_c_once_finishes_the_document_in_flight_and_says_how_to_resume(server, started, uninterrupted, tmp_path):
    process = started(9)  # alpha's second round
    interrupt(process, "interrupted: finishing the documents in flight; Ctrl-C again stops at the next model call")
    server.release()
    ran = command_line.finish(process)
    assert ran.code == 130
    assert f"everything so far is kept; to go on: autodata resume {tmp_path}/r\n" in ran.out
    assert ran.out.endswith("stopped: interrupted\n")
    assert "\n1. Expand (x + 5)^2 as a polynomial in x. This is accept. In " in ran.out
    assert [(t.document_id, t.status) for t in trajectories(tmp_path / "r").values()] == [("alpha", "done")]
    assert len(server.requests) == 15

    ran = run_here("resume", tmp_path / "r")
    assert ran.code == 0
    assert "\n3 of 3 examples accepted" in ran.out
    assert len(server.requests) == len(set(server.requests)) == N_REQUESTS
    assert calls(tmp_path / "r") == server.by_role()
    assert trajectories(tmp_path / "r") == uninterrupted


def test_ctrl_c_twice_stops_at_the_next_model_call_and_keeps_the_rounds(server, started, uninterrupted, tmp_path):
    process = started(9)
    interrupt(process, "interrupted: finishing")
    interrupt(process, "interrupted: stopping at the next model call")
    server.release()
    assert command_line.finish(process).code == 130
    assert len(server.requests) == 10  # the one in flight was paid, so its answer is kept
    [kept] = trajectories(tmp_path / "r").values()
    assert (kept.status, [r.decision.reason for r in kept.rounds]) == ("stopped", ["failed_on_strong"])

    assert run_here("resume", tmp_path / "r").code == 0
    assert len(server.requests) == len(set(server.requests)) == N_REQUESTS
    assert trajectories(tmp_path / "r") == uninterrupted


def test_a_killed_run_resumes_to_what_an_uninterrupted_one_gives(server, started, uninterrupted, tmp_path):
    process = started(18)  # alpha is finished, beta has begun
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = run_here("status", tmp_path / "r")
    assert (before.code, before.err) == (0, "")
    assert "\n1 of 3 examples accepted\n1 of 3 documents finished\n2 rounds\n" in before.out
    assert "\nin all: 18 calls, " in before.out  # those of beta, too

    server.release()
    ran = run_here("resume", tmp_path / "r")
    assert ran.code == 0
    assert "(3 documents, 1 already done)" in ran.err
    assert len(set(server.requests)) == N_REQUESTS
    assert len(server.requests) == N_REQUESTS + 1  # the request that was in flight had no answer yet
    assert sum(calls(tmp_path / "r").values()) == N_REQUESTS
    assert trajectories(tmp_path / "r") == uninterrupted


def test_a_run_killed_while_it_wrote_loses_only_that_line(server, started, uninterrupted, tmp_path):
    process = started(18)
    process.send_signal(signal.SIGKILL)
    process.wait()
    for name in ("trajectories.jsonl", "calls.jsonl"):  # half of the last line reached the disk
        path = tmp_path / "r" / name
        path.write_bytes(path.read_bytes()[:-20])
    status = run_here("status", tmp_path / "r").out
    assert "0 of 3 documents finished" in status and "\nin all: 17 calls, " in status

    server.release()
    assert run_here("resume", tmp_path / "r").code == 0
    assert len(server.requests) == N_REQUESTS + 2  # the one in flight and the one whose line is torn
    assert trajectories(tmp_path / "r") == uninterrupted


def test_a_second_process_on_the_folder_is_refused_while_the_first_goes_on(server, started, tmp_path):
    process = started(9)
    for arguments in (["resume", tmp_path / "r"], [*generate(server, tmp_path), "--run-dir", tmp_path / "r"]):
        ran = run_here(*arguments)
        assert ran.code == 2
        assert f"error: the run folder {tmp_path}/r is in use by process {process.pid};" in ran.err
    assert run_here("status", tmp_path / "r").code == 0  # looking is allowed
    assert run_here("show", tmp_path / "r").code == 0
    assert len(server.requests) == 10
    server.release()
    ran = command_line.finish(process)
    assert ran.code == 0
    assert "\n3 of 3 examples accepted" in ran.out
    assert len(server.requests) == N_REQUESTS


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 kB; `fill()` leaves no room on it, `clear()` makes room again."""
    place = tmp_path / "small"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("mounting needs root")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_ends_the_run_and_it_goes_on_once_there_is_room(server, small_disk, uninterrupted, tmp_path):
    def fill():
        server.wait_for_requests(19)  # alpha is finished, beta has begun
        with (small_disk / "ballast").open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
            while True:
                ballast.write(b"x" * 512)
        server.release()

    server.hold_after(18)
    filler = threading.Thread(target=fill)
    filler.start()
    ran = run_here(*generate(server, tmp_path), "--run-dir", small_disk / "r")
    filler.join()
    assert ran.code == 2
    [error] = ran.errors
    assert error.startswith(f"error: cannot write the run folder {small_disk}/r: No space left")
    assert len(server.requests) < N_REQUESTS - 8  # the blocks at hand took some answers; gamma was not begun

    (small_disk / "ballast").unlink()
    assert run_here("resume", small_disk / "r").code == 0
    assert trajectories(small_disk / "r") == uninterrupted
    assert len(server.requests) == N_REQUESTS + 1  # the answer that found no room is asked for again
