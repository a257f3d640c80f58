import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest

from autodata_dspy.budget import Limits, Meter, RoleUsage, current_meter, metered, one_line
from autodata_dspy.errors import BudgetExceeded, ConfigError, ProviderError, StopRun


def spend(meter, role="judge", **usage):
    meter.admit(role)
    meter.record(role, RoleUsage(calls=1, **usage))


def refusal(meter):
    """Why the next call is refused; None when it is not."""
    try:
        meter.admit("judge")
    except StopRun as stop:
        assert meter.stopped_by is stop.cause
        return stop.cause
    meter.abandon()
    return None


def test_usage_is_counted_by_role_and_in_total():
    meter = Meter()
    spend(meter, "judge", input_tokens=10, output_tokens=2, cached_tokens=4, usd=0.5, seconds=1.0)
    spend(meter, "judge", input_tokens=1, truncated=1)
    spend(meter, "student", output_tokens=7)
    assert meter.by_role["judge"] == RoleUsage(
        calls=2, truncated=1, input_tokens=11, cached_tokens=4, output_tokens=2, usd=0.5, seconds=1.0
    )
    assert (meter.total().calls, meter.total().input_tokens, meter.total().output_tokens) == (3, 11, 9)
    assert list(meter.to_dict()) == ["judge", "student"] and meter.to_dict()["student"]["output_tokens"] == 7


def test_without_limits_nothing_is_refused():
    meter = Meter()
    for _ in range(100):
        spend(meter, input_tokens=10**9, usd=1e6, unpriced=1)
    assert refusal(meter) is None


def test_calls_are_limited_and_a_failed_call_counts():
    meter = Meter(Limits(max_calls=3))
    spend(meter)
    meter.admit("judge")
    meter.record_failure("judge", "m", ValueError("x"))
    spend(meter)
    assert str(refusal(meter)) == "the limit of 3 model calls is reached"
    assert isinstance(refusal(meter), BudgetExceeded)
    assert meter.total().calls == 3 and meter.total().failed == 1


def test_calls_in_flight_are_reserved():
    meter = Meter(Limits(max_calls=2))
    meter.admit("judge")
    meter.admit("student")
    assert refusal(meter) is not None


def test_an_interrupted_call_gives_its_reservation_back():
    meter = Meter(Limits(max_calls=1))
    meter.admit("judge")
    meter.abandon()
    assert refusal(meter) is None


def test_calls_of_earlier_sessions_count():
    meter = Meter(Limits(max_calls=5), {"judge": RoleUsage(calls=5)})
    assert refusal(meter) is not None


def test_replayed_calls_cost_nothing():
    meter = Meter(Limits(max_calls=1))
    meter.record("judge", RoleUsage(replayed=1), admitted=False)
    assert refusal(meter) is None and meter.total().replayed == 1


def test_tokens_are_limited_input_and_output_together():
    meter = Meter(Limits(max_tokens=100))
    spend(meter, input_tokens=60, output_tokens=39)
    assert refusal(meter) is None
    spend(meter, output_tokens=1)
    assert str(refusal(meter)) == "the limit of 100 tokens is reached (100 used)"


def test_money_is_limited():
    meter = Meter(Limits(max_usd=1.0))
    spend(meter, usd=0.99)
    assert refusal(meter) is None
    spend(meter, usd=0.01)
    assert str(refusal(meter)) == "the limit of 1.0 USD is reached (1.0000 used)"


def test_a_money_limit_that_cannot_be_kept_stops_the_run_and_says_what_to_give():
    meter = Meter(Limits(max_usd=1.0))
    spend(meter, unpriced=1)
    assert "usd_per_million_input" in str(refusal(meter)) and "1 calls came back without a price" in str(refusal(meter))


def test_the_first_reason_to_stop_is_kept():
    meter = Meter()
    meter.stop(ConfigError("first"))
    meter.stop(ConfigError("second"))
    assert str(refusal(meter)) == "first"


def test_a_role_that_never_answered_stops_the_run_at_once():
    meter = Meter()
    spend(meter, "student")
    meter.admit("judge")
    with pytest.raises(StopRun, match=r"role 'judge': openai/x did not answer: no route to host") as stopped:
        meter.record_failure("judge", "openai/x", OSError("no route\nto host"))
    assert isinstance(stopped.value.cause, ProviderError)


def test_four_failures_in_a_row_stop_the_run_and_an_answer_in_between_does_not():
    meter = Meter()
    spend(meter)

    def fail():
        meter.admit("judge")
        meter.record_failure("judge", "m", ValueError("x"))

    for _ in range(3):
        fail()
    spend(meter)
    for _ in range(3):
        fail()
    spend(meter, "student")  # another role's answer is no sign of life
    with pytest.raises(StopRun, match="m failed 4 times in a row"):
        fail()


def test_calls_are_never_exceeded_by_eight_threads():
    meter, made = Meter(Limits(max_calls=500)), []

    def work():
        while True:
            try:
                meter.admit("judge")
            except StopRun:
                return
            made.append(1)
            meter.record("judge", RoleUsage(calls=1))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == meter.total().calls == 500


def test_the_meter_of_a_run_is_current_in_threads_that_copy_its_context():
    with metered(Meter()) as meter:
        assert current_meter() is meter
        with metered(Meter()) as inner:
            assert current_meter() is inner
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(copy_context().run, current_meter).result() is meter
    assert current_meter() is not meter


def test_outside_a_run_nothing_is_ever_refused():
    meter = current_meter()
    for _ in range(10):
        meter.admit("judge")
        meter.record_failure("judge", "m", ValueError("x"))
    assert refusal(meter) is None
    with pytest.raises(ConfigError, match="edit me"):
        meter.stop(ConfigError("edit me"))
    assert refusal(meter) is None


@pytest.mark.timeout(10)
def test_a_signal_handler_may_stop_the_meter_in_the_middle_of_a_count():
    meter = Meter()

    class Ringing(dict):
        def items(self):
            os.kill(os.getpid(), signal.SIGUSR1)
            return super().items()

    meter.by_role = Ringing()
    before = signal.signal(signal.SIGUSR1, lambda *_: meter.stop(ConfigError("interrupted")))
    try:
        meter.to_dict()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert str(refusal(meter)) == "interrupted"


def test_messages_are_one_line_and_not_endless():
    assert one_line(ValueError("a\n  b")) == "a b"
    assert one_line(ValueError()) == "ValueError"
    assert one_line(ValueError("x" * 500)) == "x" * 299 + "…"


@pytest.mark.timeout(20)
def test_leases_and_calls_share_what_is_left_and_wait_for_what_comes_back():
    meter = Meter(Limits(max_calls=10, max_tokens=1000), {"judge": RoleUsage(calls=2, output_tokens=200)})
    first, second = meter.lease(2), meter.lease(2)
    assert (first, second) == (Limits(4, 400), Limits(4, 400))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(meter.admit, "judge")
        with pytest.raises(TimeoutError):
            waiting.result(0.05)  # all is leased
        meter.settle(first, {"judge": RoleUsage(calls=2, failed=1, output_tokens=390)})
        waiting.result(5)
    meter.record("judge", RoleUsage(calls=1, output_tokens=5))
    assert meter.answered == ["judge"]
    third = meter.lease(2)
    assert third == Limits(1, 5)  # all that the second one leaves
    meter.settle(second, {"judge": RoleUsage(calls=4, output_tokens=401)})
    meter.settle(third, {"judge": RoleUsage(calls=1, output_tokens=3)})
    assert meter.lease(2, empty=True) == Limits(max_calls=0) and meter.stopped_by is None
    with pytest.raises(StopRun, match=r"the limit of 10 model calls is reached"):
        meter.lease(2)


@pytest.mark.timeout(20)
def test_who_waits_for_a_lease_hears_that_the_run_was_stopped():
    meter = Meter(Limits(max_calls=1))
    meter.lease(1)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(meter.lease, 1)
        meter.stop(BudgetExceeded("enough"))
        with pytest.raises(StopRun, match="enough"):
            waiting.result(5)
