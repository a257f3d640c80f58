"""Ctrl-C during a run: real signals, sent while a scripted model answers."""

import signal
import threading

import pytest
from interrupting import Interrupts

from autodata_dspy.generation import Interrupted, generate
from autodata_dspy.generators import AgenticSelfInstruct


def write(scripted, call, **letters):
    return scripted.fated(f"{call.inputs['passage']} {call.seed:x}", **letters)


@pytest.fixture
def make(scripted):
    def make(challenger, max_rounds=1):
        roles = scripted.fated_roles(challenger, schema=True)
        return AgenticSelfInstruct(scripted.domain(), roles, max_rounds=max_rounds, per_document=1)

    return make


def test_ctrl_c_once_finishes_what_is_in_flight_and_takes_no_new_document(scripted, make, tmp_path):
    watch = Interrupts()

    def challenger(call):
        if "number 1" in call.inputs["passage"]:
            watch.press(1)
        return write(scripted, call)

    before = signal.getsignal(signal.SIGINT)
    result = generate(make(challenger), scripted.documents(9), concurrency=1, run_dir=tmp_path, watch=watch)
    assert [t.status for t in result.trajectories] == ["done", "done"]
    assert isinstance(result.stopped, Interrupted) and watch.heard == [1]
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_twice_stops_at_the_next_model_call_and_keeps_the_rounds_so_far(scripted, make):
    watch = Interrupts()

    def challenger(call):
        if call.number == 2:
            watch.press(2)
        return write(scripted, call, weak="11")

    result = generate(make(challenger, max_rounds=3), scripted.documents(9), concurrency=1, watch=watch)
    (trajectory,) = result.trajectories
    assert (trajectory.status, len(trajectory.rounds)) == ("stopped", 1)
    assert isinstance(result.stopped, Interrupted) and watch.heard == [1, 2]


def test_ctrl_c_three_times_aborts(scripted, make):
    watch = Interrupts()

    def challenger(call):
        watch.press(3)
        return write(scripted, call)

    with pytest.raises(KeyboardInterrupt):
        generate(make(challenger), scripted.documents(9), concurrency=1, watch=watch)


def test_ctrl_c_in_the_last_document_leaves_nothing_to_resume(scripted, make):
    watch = Interrupts()

    def challenger(call):
        if "number 2" in call.inputs["passage"]:
            watch.press(1)
        return write(scripted, call)

    result = generate(make(challenger), scripted.documents(3), concurrency=1, watch=watch)
    assert len(result.accepted) == 3 and result.stopped is None


def test_outside_the_main_thread_signals_are_left_alone(scripted, make):
    results = []
    thread = threading.Thread(
        target=lambda: results.append(generate(make(lambda call: write(scripted, call)), scripted.documents(2)))
    )
    thread.start()
    thread.join()
    assert len(results[0].accepted) == 2
