"""The pool: hard kill, replacement, recycling, threads, no leaks."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from autodata_dspy.errors import VerifierError
from autodata_dspy.verifiers import worker
from autodata_dspy.verifiers.worker import WorkerCrashed, WorkerPool, WorkerTimeout, shared_pool

ENDLESS = "answer = groebner([x**9*y-z**8+1, y**9*z-x**8, z**9*x-y**8+2], x, y, z)"


@pytest.fixture(scope="module")
def pool():
    with WorkerPool(n_workers=2, timeout_s=5.0) as found:
        found.warm_up()
        yield found


def third(pool: WorkerPool) -> str:
    return pool.call("program", {"program": "answer = 1/3"})["text"]


def test_a_call_returns_the_tasks_result(pool):
    assert third(pool) == "1/3"


def test_an_overrunning_task_is_killed_and_the_next_call_answered(pool):
    started = time.monotonic()
    with pytest.raises(WorkerTimeout, match=r"ran over 0\.5 s"):
        pool.call("program", {"program": ENDLESS}, timeout_s=0.5)
    assert time.monotonic() - started < 0.5 * worker._STARVED + 2.0
    assert third(pool) == "1/3"


def test_only_cpu_time_counts(pool, monkeypatch):
    monkeypatch.setattr(worker._Worker, "_cpu_seconds", lambda self: 0.0)  # as if it never got the processor
    started = time.monotonic()
    with pytest.raises(WorkerTimeout):
        pool.call("program", {"program": ENDLESS}, timeout_s=0.25)
    assert time.monotonic() - started > 0.9 * worker._STARVED * 0.25


def test_without_proc_wall_time_counts(pool, monkeypatch):
    def no_proc(self):
        raise FileNotFoundError(self)

    monkeypatch.setattr(worker.Path, "read_text", no_proc)
    with pytest.raises(WorkerTimeout):
        pool.call("program", {"program": ENDLESS}, timeout_s=0.25)


def test_a_killed_worker_leaves_no_process_behind(pool):
    before = {w.process.pid for w in pool._idle}
    with pytest.raises(WorkerTimeout):
        pool.call("program", {"program": ENDLESS}, timeout_s=0.3)
    gone = before - {w.process.pid for w in pool._idle}
    assert len(gone) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(gone.pop(), 0)


def test_memory_is_capped(pool):
    hungry = "h = 2**19000\na = [h + i for i in range(9000)]\nanswer = 1/3"  # 21 MB of integers
    assert pool.call("program", {"program": hungry}, 30)["text"] == "1/3"
    with WorkerPool(n_workers=1, memory_mb=65) as small:
        assert small.call("program", {"program": "answer = 1/3"}, 30)["text"] == "1/3"
        with pytest.raises(WorkerCrashed, match="died"):
            small.call("program", {"program": hungry}, 30)


def test_a_dead_worker_is_noticed_and_replaced(pool):
    third(pool)
    for one in list(pool._idle):
        os.killpg(one.process.pid, signal.SIGKILL)
    assert third(pool) == "1/3"


def test_a_worker_killed_at_work_is_a_crash(pool):
    third(pool)

    def kill_soon():
        deadline = time.monotonic() + 4
        while not pool._busy and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(2 * worker._AT_ONCE_S)  # later than what counts as dead on arrival
        for one in list(pool._busy):
            os.killpg(one.process.pid, signal.SIGKILL)

    thread = threading.Thread(target=kill_soon)
    thread.start()
    with pytest.raises(WorkerCrashed, match="died"):
        pool.call("program", {"program": ENDLESS}, timeout_s=5)
    thread.join()


def test_an_unknown_task_is_an_error(pool):
    with pytest.raises(WorkerCrashed, match="unknown task 'nothing'"):
        pool.call("nothing", {})


def test_a_task_that_raises_is_an_error(pool):
    with pytest.raises(WorkerCrashed, match="KeyError"):
        pool.call("program", {})


def test_workers_are_recycled():
    with WorkerPool(n_workers=1, max_tasks=2) as pool:
        pids = []
        for _ in range(5):
            third(pool)
            pids.append({w.process.pid for w in pool._idle})
        assert pids[0] != pids[-1]


def test_threads_get_the_same_answers_as_one(pool):
    programs = [f"answer = Rational({k}, 7) + sqrt(2)" for k in range(40)]
    one = [pool.call("program", {"program": p})["text"] for p in programs]
    with ThreadPoolExecutor(8) as threads:
        eight = list(threads.map(lambda p: pool.call("program", {"program": p})["text"], programs))
    assert one == eight


def test_children_inherit_no_secrets(pool, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    with WorkerPool(n_workers=1) as fresh:
        fresh.warm_up()
        for one in fresh._idle:
            with open(f"/proc/{one.process.pid}/environ", "rb") as f:
                assert b"secret" not in f.read()


def test_children_are_sessions_of_their_own_without_extra_descriptors(pool):
    third(pool)
    pid = pool._idle[0].process.pid
    assert os.getsid(pid) == pid
    assert len(os.listdir(f"/proc/{pid}/fd")) <= 8


def test_a_closed_pool_refuses():
    pool = WorkerPool(n_workers=1)
    third(pool)
    workers = list(pool._idle)
    pool.close()
    pool.close()
    with pytest.raises(VerifierError, match="closed"):
        third(pool)
    assert all(w.process.poll() is not None for w in workers)


def test_closing_during_a_call_ends_it():
    pool = WorkerPool(n_workers=1)
    pool.warm_up()
    threading.Timer(0.3, pool.close).start()
    with pytest.raises(VerifierError):
        pool.call("program", {"program": ENDLESS}, timeout_s=10)
    assert not pool._busy


def test_workers_that_cannot_start_are_reported(monkeypatch):
    monkeypatch.setattr(worker, "_BOOTSTRAP", "import sys; sys.exit(1) # {path!r} {memory}")
    with WorkerPool(n_workers=1) as pool, pytest.raises(WorkerCrashed, match="no worker process became ready"):
        third(pool)


def test_bad_settings_are_refused():
    for settings in ({"n_workers": 0}, {"timeout_s": 0}, {"max_tasks": 0}):
        with pytest.raises(ValueError, match="positive"):
            WorkerPool(**settings)


def test_oversized_replies_are_refused(pool):
    one = pool._take()
    try:
        read = iter([b"\xff\xff\xff\xff"])
        one._read = lambda n, deadline: next(read)
        with pytest.raises(WorkerCrashed, match="bytes"):
            one.receive(time.monotonic() + 1)
    finally:
        pool._give_back(one, healthy=False)


def test_the_shared_pool_is_one_and_is_made_anew_when_closed(monkeypatch):
    first = shared_pool()
    assert shared_pool() is first
    monkeypatch.setattr(worker, "_shared", WorkerPool(n_workers=1))
    worker._shared.close()
    second = shared_pool()
    assert second is not first
    second.close()


def test_a_fork_gets_a_pool_of_its_own(monkeypatch):
    first = WorkerPool(n_workers=1)
    first.pid = os.getpid() + 1  # as seen from a forked child
    monkeypatch.setattr(worker, "_shared", first)
    assert shared_pool() is not first
    worker._shared.close()


def test_the_parents_death_ends_the_children():
    import subprocess

    root = str(worker.Path(worker.__file__).resolve().parents[2])
    code = (
        f"import sys, os; sys.path.insert(0, {root!r})\n"
        "from autodata_dspy.verifiers.worker import WorkerPool\n"
        "p = WorkerPool(n_workers=1); p.warm_up()\n"
        "print(*[w.process.pid for w in p._idle], flush=True); os._exit(0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    deadline = time.monotonic() + 10
    pids = list(map(int, done.stdout.split()))
    assert pids
    while pids and time.monotonic() < deadline:
        pids = [
            p for p in pids if os.path.exists(f"/proc/{p}") and "Z" not in open(f"/proc/{p}/stat").read().split()[2]
        ]
        time.sleep(0.05)
    assert not pids
