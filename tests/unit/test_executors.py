import contextvars
import threading
import time

import pytest

from autodata_dspy.executors import run_threads

VARIABLE = contextvars.ContextVar("variable", default="unset")


@pytest.mark.parametrize("n_threads", [1, 4, 50])
def test_every_job_is_done_once(n_threads):
    done = list(run_threads(lambda job: job * 2, range(40), n_threads))
    assert sorted(done) == [(i, 2 * i, None) for i in range(40)]


def test_no_jobs_give_nothing():
    assert list(run_threads(str, [], 3)) == []


def test_one_thread_keeps_the_order():
    assert [job for job, _, _ in run_threads(str, range(20), 1)] == list(range(20))


def test_exceptions_of_any_kind_are_handed_to_the_driver():
    def work(job):
        raise {0: ValueError, 1: KeyboardInterrupt, 2: SystemExit}[job](job)

    kinds = {job: type(error) for job, result, error in run_threads(work, range(3), 2) if result is None}
    assert kinds == {0: ValueError, 1: KeyboardInterrupt, 2: SystemExit}


def test_jobs_are_drawn_only_when_a_thread_is_free():
    drawn, gate = [], threading.Event()

    def jobs():
        for i in range(10):
            drawn.append(i)
            yield i

    results = run_threads(lambda job: gate.wait(30), jobs(), 3)
    first = threading.Thread(target=lambda: next(results))
    first.start()
    deadline = time.monotonic() + 30
    while len(drawn) < 3 and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(0.02)
    assert drawn == [0, 1, 2]
    gate.set()
    first.join(30)
    assert len(list(results)) == 9


def test_a_consumer_that_stops_draws_no_more_jobs_and_waits_for_those_in_flight():
    ended = []

    def work(job):
        time.sleep(0.02)
        ended.append(job)

    results = run_threads(work, iter(range(1000)), 2)
    next(results)
    results.close()
    n_ended = len(ended)
    assert n_ended < 100
    time.sleep(0.05)
    assert len(ended) == n_ended  # nothing goes on behind our back


def test_threads_inherit_the_callers_context_and_do_not_change_it():
    VARIABLE.set("caller")

    def work(job):
        before = VARIABLE.get()
        VARIABLE.set(f"job {job}")
        return before

    assert next(iter(run_threads(work, [0], 1)))[1] == "caller"
    assert VARIABLE.get() == "caller"
    VARIABLE.set("unset")


@pytest.mark.timeout(20)
def test_jobs_that_cannot_be_drawn_fail_the_driver_instead_of_hanging_it():
    def jobs():
        yield 1
        raise RuntimeError("the list of jobs broke")

    seen = []
    with pytest.raises(RuntimeError, match="the list of jobs broke"):
        for job, _, _ in run_threads(str, jobs(), 3):
            seen.append(job)
    assert seen in ([1], [])
