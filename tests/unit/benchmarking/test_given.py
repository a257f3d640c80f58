"""Examples made elsewhere: what their file may say, and how a budget ends a run over them."""

import json

import pytest

from autodata_dspy.benchmarking.given import read_given
from autodata_dspy.budget import Limits
from autodata_dspy.errors import ConfigError
from autodata_dspy.generation import generate

ROW = {"question": "What is the derivative of x^2?", "answer": "2*x"}


def written(path, *rows):
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


REFUSED = {
    "no JSON": (['{"question"'], "line 1: expected an example"),
    "no example": (["", {"answer": "2"}], "line 2: expected an example, such as"),
    "no answer": ([{"question": "Why?", "answer": " "}], "line 1: the example has no answer"),
    "only some lines count": ([{**ROW, "calls": 1}, ROW], "line 2: all lines tell 'calls', or none"),
    "tokens of no call": ([{**ROW, "tokens": 5}], "line 1: tells 'tokens', but not how many `calls`"),
    "no call": ([{**ROW, "calls": 0}], "calls = 0 is no whole number of 1 or more"),
    "half a call": ([{**ROW, "calls": 1.5}], "calls = 1.5 is no whole number"),
    "a word": ([{**ROW, "calls": 1, "usd": "free"}], "usd = 'free' is no number of 0 or more"),
    "more calls than anybody makes": ([{**ROW, "calls": 10**12}], "calls = 1000000000000 is no whole number"),
    "nothing that is a number": (['{"question": "q", "answer": "a", "calls": 1, "seconds": NaN}'], "seconds = nan"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_line_that_cannot_be_read_is_named(tmp_path, kind):
    rows, says = REFUSED[kind]
    with pytest.raises(ConfigError) as refused:
        read_given(written(tmp_path / "x.jsonl", *rows))
    assert says in str(refused.value) and "x.jsonl" in str(refused.value) and "\n" not in str(refused.value)


def test_labels_are_those_of_the_task_however_they_are_spelt(tmp_path):
    path = written(
        tmp_path / "x.jsonl", {"text": "Pay more.", "label": "RENT"}, {"text": "Leave.", "answer": "eviction"}
    )
    given = read_given(path, ["rent", "eviction"])
    kept = [round_.challenge for _, round_ in generate(given, given.slots).kept]
    assert [(c.question, c.answer, c.label) for c in kept] == [
        ("Pay more.", "rent", "rent"),
        ("Leave.", "eviction", "eviction"),
    ]
    with pytest.raises(ConfigError, match="line 1: 'RENT' is none of the labels; there are price, eviction"):
        read_given(path, ["price", "eviction"])


def test_a_budget_ends_the_attempts_where_it_would_have_ended_them_also_after_a_kill(tmp_path):
    rows = [{**ROW, "calls": 3, "tokens": 100}, {"rejected": "no", "calls": 1, "tokens": 10}] * 3
    given = read_given(written(tmp_path / "x.jsonl", *rows))

    def run(folder, **limits):
        return generate(given, given.slots, run_dir=tmp_path / folder, concurrency=1, limits=Limits(**limits))

    run("killed", max_calls=4)  # as far as a killed session came
    for folder in ("whole", "killed"):
        result = run(folder, max_calls=9)
        assert [len(t.rounds) for t in result.trajectories] == [1, 1, 1, 1] and len(result.kept) == 2
        [used] = result.usage.values()
        assert (used["calls"], used["input_tokens"]) == (9, 220 + 33)  # a third of the attempt that was cut off
    [used] = run("tokens", max_tokens=150).usage.values()
    assert used["input_tokens"] == 176  # the call that passes the bound is paid, as everywhere
    assert given.tells == {"calls", "tokens", "rounds"} and given.n_examples == 3
