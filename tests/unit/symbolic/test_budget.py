"""Attempts are given up in time, also when nested; outside the main thread nothing is limited."""

from __future__ import annotations

import threading
import time

import pytest

from autodata_dspy.symbolic.proof.budget import Budget, OutOfTime


def spin(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_an_attempt_is_given_up():
    budget, reached = Budget(5), False
    with budget.attempt(0.05):
        spin(2)
        reached = True
    assert not reached
    assert budget.left < 5


def test_a_quick_attempt_is_undisturbed():
    budget = Budget(5)
    with budget.attempt(1):
        value = 1
    spin(0.05)
    assert value == 1


def test_the_outer_attempt_wins():
    budget, inner, outer = Budget(5), False, False
    with budget.attempt(0.05):
        with budget.attempt(2):
            spin(3)
            inner = True
        outer = True
    assert not inner
    assert not outer


def test_the_outer_timer_goes_on_after_an_inner_attempt():
    budget, reached = Budget(5), False
    with budget.attempt(0.15):
        with budget.attempt(0.03):
            spin(1)
        spin(1)
        reached = True
    assert not reached


def test_an_empty_budget_refuses():
    budget = Budget(0)
    with pytest.raises(OutOfTime), budget.attempt(1):
        pass


def test_other_threads_have_no_limit():
    done = []

    def work():
        with Budget(5).attempt(0.01):
            spin(0.05)
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]


def test_an_exception_that_got_lost_is_raised_again():
    caught, reached = 0, False
    with Budget(8).attempt(0.05):
        try:
            spin(4)
        except OutOfTime:  # a callback of the garbage collector or a finalizer swallows it like this
            caught += 1
        spin(4)
        reached = True
    assert caught == 1
    assert not reached
