from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from autodata_dspy.events import listening, round_finished
from autodata_dspy.types import Decision, Round

ROUND = Round(0, Decision(True, "accepted"))


def test_without_a_listener_nothing_happens():
    round_finished("d", ROUND)


def test_the_innermost_listener_hears_and_the_outer_one_comes_back():
    outer, inner = [], []
    with listening(lambda *event: outer.append(event)):
        with listening(lambda *event: inner.append(event)):
            round_finished("inner", ROUND)
        round_finished("outer", ROUND)
        with listening(None):
            round_finished("unheard", ROUND)
    assert (outer, inner) == ([("outer", ROUND)], [("inner", ROUND)])


def test_threads_that_copy_the_context_are_heard():
    heard = []
    with listening(lambda document_id, _: heard.append(document_id)), ThreadPoolExecutor(4) as pool:
        for i in range(20):
            pool.submit(copy_context().run, round_finished, str(i), ROUND)
    assert sorted(heard, key=int) == [str(i) for i in range(20)]
