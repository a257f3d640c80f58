"""A run that is interrupted at any point and resumed ends as one that was never interrupted."""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import world
from hypothesis import given, settings
from hypothesis import strategies as st

from autodata_dspy.budget import Limits
from autodata_dspy.errors import BudgetExceeded, StoreError
from autodata_dspy.generation import generate
from autodata_dspy.store import RunFolder


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """→ (accepted rows, number of engine calls) of the whole run."""
    counter = tmp_path_factory.mktemp("uninterrupted") / "calls"
    result = generate(world.maker(counter), world.DOCUMENTS)
    reasons = {r.decision.reason for t in result.trajectories for r in t.rounds}
    assert len(reasons) >= 5 and 4 <= len(result.accepted) <= 12  # a run with a bit of everything
    return result.accepted, world.n_lines(counter)


def finished(run_dir):
    """Document ids of the run folder's finished records, in order of writing."""
    return [t.document_id for t in RunFolder(run_dir).trajectories() if t.status == "done"]


@settings(deadline=None, max_examples=12)
@given(st.lists(st.integers(1, 80), max_size=3).map(sorted), st.integers(1, 4), st.integers(1, 4))
def test_budget_stops_and_resumes_pay_nothing_twice(uninterrupted, stops, first, then):
    accepted, n_calls = uninterrupted
    with tempfile.TemporaryDirectory() as name:
        counter, run_dir = Path(name) / "calls", Path(name) / "run"
        for limit in stops:
            part = generate(
                world.maker(counter),
                world.DOCUMENTS,
                run_dir=run_dir,
                concurrency=first,
                limits=Limits(max_calls=limit),
            )
            assert isinstance(part.stopped, BudgetExceeded) or part.accepted == accepted
            assert world.n_lines(counter) == min(limit, n_calls)
        whole = generate(world.maker(counter), world.DOCUMENTS, run_dir=run_dir, concurrency=then)
        assert (whole.accepted, whole.stopped) == (accepted, None)
        assert world.n_lines(counter) == n_calls
        assert sorted(finished(run_dir)) == [f"doc-{i}" for i in range(world.N_DOCUMENTS)]
        again = generate(world.maker(counter), world.DOCUMENTS, run_dir=run_dir)
        assert again.accepted == accepted and world.n_lines(counter) == n_calls


@settings(deadline=None, max_examples=12)
@given(st.integers(1, 80), st.integers(1, 4), st.integers(1, 9))
def test_the_first_n_examples_do_not_depend_on_interruption(uninterrupted, limit, concurrency, n):
    accepted, _ = uninterrupted
    first_n = []  # whole documents, up to the one that completes n
    for row in accepted:
        if len(first_n) >= n and row["document_id"] != first_n[-1]["document_id"]:
            break
        first_n.append(row)
    with tempfile.TemporaryDirectory() as name:
        options = {"n": n, "run_dir": name, "concurrency": concurrency}
        generate(world.maker(), world.DOCUMENTS, **options, limits=Limits(max_calls=limit))
        result = generate(world.maker(), world.DOCUMENTS, **options)
    assert result.accepted == first_n and result.stopped is None


def test_a_document_that_was_lost_behind_finished_later_ones_is_made_up_for(uninterrupted, tmp_path):
    accepted, _ = uninterrupted
    generate(world.maker(), world.DOCUMENTS, run_dir=tmp_path)
    path = tmp_path / "trajectories.jsonl"
    lines = [line for line in path.read_text().splitlines(keepends=True) if '"document_id": "doc-0"' not in line]
    path.write_text("".join(lines))
    assert generate(world.maker(), world.DOCUMENTS, n=len(accepted), run_dir=tmp_path).accepted == accepted


@settings(deadline=None, max_examples=8)
@given(st.integers(2, 80), st.floats(0, 1))
def test_torn_last_lines_cost_at_most_the_torn_call(uninterrupted, limit, torn):
    accepted, n_calls = uninterrupted
    with tempfile.TemporaryDirectory() as name:
        counter, run_dir = Path(name) / "calls", Path(name) / "run"
        limits = Limits(max_calls=limit)
        generate(world.maker(counter), world.DOCUMENTS, run_dir=run_dir, concurrency=1, limits=limits)
        for log in (run_dir / "calls.jsonl", run_dir / "trajectories.jsonl"):
            last = log.read_bytes().splitlines(keepends=True)[-1]
            os.truncate(log, log.stat().st_size - int(torn * (len(last) - 1)))
        whole = generate(world.maker(counter), world.DOCUMENTS, run_dir=run_dir)
        assert whole.accepted == accepted
        assert world.n_lines(counter) <= n_calls + 1
        assert sorted(finished(run_dir)) == [f"doc-{i}" for i in range(world.N_DOCUMENTS)]


@pytest.mark.parametrize("name", ["calls.jsonl", "trajectories.jsonl"])
def test_garbage_in_the_middle_is_refused_in_one_line_and_nothing_is_called(tmp_path, name):
    generate(world.maker(), world.DOCUMENTS, run_dir=tmp_path / "run")
    log, counter = tmp_path / "run" / name, tmp_path / "calls"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join([*lines[:2], b"garbage\n", *lines[2:]]))
    with pytest.raises(StoreError, match=rf"{name}, line 3: .*; remove the line to go on") as refused:
        generate(world.maker(counter), world.DOCUMENTS, run_dir=tmp_path / "run")
    assert "\n" not in str(refused.value) and world.n_lines(counter) == 0


# -- real processes, really killed ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def start():
    """→ start(**job) → pid of a process that runs the world; see tests/world.py."""
    command = [sys.executable, "-W", "ignore", world.__file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:

        def start(**job):
            print(json.dumps(job, default=str), file=server.stdin, flush=True)
            return int(server.stdout.readline())

        yield start
        server.stdin.close()


def is_gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("seed", range(5))
def test_a_run_that_is_killed_again_and_again_ends_as_if_it_never_was(uninterrupted, start, tmp_path, seed):
    accepted, n_calls = uninterrupted
    rng, concurrency, n_kills = random.Random(seed), 4, 4
    counter, run_dir, report = tmp_path / "calls", tmp_path / "run", tmp_path / "report"
    job = {"run_dir": run_dir, "counter": counter, "report": report, "concurrency": concurrency}
    for _ in range(n_kills):
        target = world.n_lines(counter) + rng.randrange(n_calls // n_kills)
        pid = start(**job, sleep_s=0.002)
        world.wait_until(lambda t=target, p=pid: (world.n_lines(counter) >= t and run_dir.exists()) or is_gone(p))
        time.sleep(rng.random() * 0.004)  # at any moment, not only after a call
        if not is_gone(pid):
            os.kill(pid, signal.SIGKILL)
        world.wait_until(lambda p=pid: is_gone(p))
    n_before = world.n_lines(counter)
    report.unlink(missing_ok=True)
    pid = start(**job)
    world.wait_until(report.exists)
    outcome = json.loads(report.read_text())
    assert outcome == {"accepted": accepted, "stopped": ""}
    assert sorted(finished(run_dir)) == [f"doc-{i}" for i in range(world.N_DOCUMENTS)]  # none lost, none twice
    assert n_calls <= world.n_lines(counter) <= n_calls + n_kills * concurrency
    assert n_before > 0


def test_a_full_disk_stops_the_run_and_is_no_fault_of_the_documents(uninterrupted, start, tmp_path):
    accepted, n_calls = uninterrupted
    job = {"run_dir": tmp_path / "run", "counter": tmp_path / "calls", "concurrency": 2}
    start(**job, report=tmp_path / "report", max_bytes=9_000)
    world.wait_until((tmp_path / "report").exists)
    outcome = json.loads((tmp_path / "report").read_text())
    assert outcome["stopped"] == f"cannot write {tmp_path}/run/calls.jsonl: File too large"
    assert {t.status for t in RunFolder(tmp_path / "run").trajectories()} <= {"done", "stopped"}
    whole = generate(world.maker(tmp_path / "calls"), world.DOCUMENTS, run_dir=tmp_path / "run")
    assert whole.accepted == accepted and whole.stopped is None
    assert n_calls <= world.n_lines(tmp_path / "calls") <= n_calls + 2


def test_two_processes_on_one_folder_the_second_is_refused_and_the_first_goes_on(uninterrupted, start, tmp_path):
    accepted, n_calls = uninterrupted
    job = {"run_dir": tmp_path / "run", "counter": tmp_path / "calls"}
    first = start(**job, report=tmp_path / "first", sleep_s=0.01)
    world.wait_until(lambda: world.n_lines(tmp_path / "calls") > 3)
    start(**job, report=tmp_path / "second")
    world.wait_until((tmp_path / "second").exists)
    error = json.loads((tmp_path / "second").read_text())["error"]
    assert error.startswith(f"StoreError: the run folder {tmp_path / 'run'} is in use by process {first};")
    with pytest.raises(StoreError, match=f"in use by process {first}"):
        generate(world.maker(), world.DOCUMENTS, run_dir=tmp_path / "run")
    world.wait_until((tmp_path / "first").exists)
    assert json.loads((tmp_path / "first").read_text())["accepted"] == accepted
    assert world.n_lines(tmp_path / "calls") == n_calls
