"""The reward function on the rows of the GRPO format: exact labels, mathematics, code that runs, a rubric's judge."""

import json

import dspy
import judge_scripts
import pytest
import scripted
from exportable import result_of

from autodata_dspy.exporters import export, grpo
from autodata_dspy.exporters.grpo import REWARD, reward
from autodata_dspy.sandbox import monty
from autodata_dspy.sandbox.bubblewrap import Box, find_box
from autodata_dspy.types import Challenge, Criterion, Decision, Round, Rubric

needs_sandbox = pytest.mark.skipif(
    not isinstance(find_box(), Box) and bool(monty.missing()), reason="no sandbox on this machine"
)
STUB = 'def double(n: int) -> int:\n    """Twice n."""'
TESTS = "assert double(0) == 0\nassert double(3) == 6"
CAPITAL = Rubric((Criterion("names «Paris»", 3), Criterion("names «London»", -2), Criterion("names «Seine»", 1)))


@pytest.fixture(autouse=True)
def new_verifiers():
    """None that was made, and remembers verdicts, in another test."""
    grpo._metric.cache_clear()
    yield
    grpo._metric.cache_clear()


def row_of(challenge, domain, tmp_path):
    round_ = Round(0, Decision(True, "accepted"), challenge)
    done = export(result_of([round_], origin={"domain": domain}), "grpo", tmp_path / "rows.jsonl")
    return json.loads(done.path.read_text())


def rewards(row, completions):
    """As the trainer asks: every column of the row, once for each completion."""
    return reward(completions=completions, **{name: [value] * len(completions) for name, value in row.items()})


def test_labels_in_texts_and_conversations(tmp_path):
    row = row_of(Challenge("Which word?", "red"), "legal_labels", tmp_path)
    assert (row["reference"], row["verifier"], row["reward"], row["tests"]) == ("red", "exact_match", REWARD, "")
    said = ["Red.", [{"role": "assistant", "content": "blue"}], " ", []]
    assert rewards(row, said) == [1.0, 0.0, 0.0, 0.0]


def test_mathematics_is_compared_as_mathematics(tmp_path):
    row = row_of(Challenge("A half of x?", "x/2", program="result = x / 2"), "math_objects", tmp_path)
    assert (row["reference"], row["verifier"], row["tests"]) == ("x/2", "math_objects", "")
    assert rewards(row, ["0.5*x", "\\boxed{\\frac{x}{2}}", "x/3"]) == [1.0, 1.0, 0.0]


@needs_sandbox
def test_code_runs_its_tests(tmp_path):
    row = row_of(Challenge(STUB, "def double(n):\n    return 2 * n", program=TESTS), "code", tmp_path)
    assert (row["reference"], row["tests"], row["verifier"]) == (TESTS, TESTS, "unit_tests")
    said = ["```python\ndef double(n):\n    return n + n\n```", "def double(n):\n    return n", "I would double it."]
    assert rewards(row, said) == [1.0, 0.0, 0.0]


def test_a_judge_reads_the_rubric_from_its_column_and_what_it_cannot_decide_has_no_reward(tmp_path):
    row = row_of(Challenge("Capital of France?", "Paris", rubric=CAPITAL), "cs_research", tmp_path)
    assert (row["reference"], row["verifier"], row["tests"]) == (row["rubric"], "rubric_judge", "")
    dspy.configure(lm=scripted.scripted_lm(judge_scripts.gullible, schema=True))
    assert rewards(row, ["Paris, on the Seine", "Paris, not London", "London"]) == [1.0, 0.25, 0.0]
    assert rewards({**row, "reference": "[]"}, ["Paris"]) == [None]


@pytest.mark.parametrize("domain", ["cs_research", "legal", "code"])
def test_what_no_answer_could_be_compared_with_is_no_prompt_to_learn_from(domain, tmp_path):
    round_ = Round(0, Decision(True, "accepted"), Challenge("Why?", "Because.", program=""))  # no rubric and no tests
    done = export(result_of([round_], origin={"domain": domain}), "grpo", tmp_path / "rows.jsonl")
    assert (done.n, done.n_skipped) == (0, 1)
    assert "1 of 1 examples have nothing that an answer could be compared with" in done.card.read_text()


def test_without_the_domain_there_is_no_reward_function(tmp_path):
    row = row_of(Challenge("Which word?", "red"), "nowhere", tmp_path)
    assert (row["reference"], row["verifier"], row["reward"]) == ("red", "", "")
