"""The script that makes an arm with autosynth: what it reads from a run's database, without autosynth itself."""

import importlib.util
import json
import sqlite3
import sys
from pathlib import Path

import pytest

from autodata_dspy.benchmarking.given import read_given
from autodata_dspy.benchmarking.suite import Suite
from autodata_dspy.errors import ConfigError

ROOT = Path(__file__).parents[2]
CANDIDATE = {"input": {"question": "Who?", "context": "A town."}, "reference_output": "the mayor", "rubric": []}
TABLES = """
CREATE TABLE runs (status);
CREATE TABLE requests (request_id, item_id, round_n, failure_count, submitted_at);
CREATE TABLE responses (response_id, request_id, prompt_tokens, completion_tokens, received_at);
CREATE TABLE rounds (round_id, item_id, round_n, quality_blob, eval_blob);
CREATE TABLE accepted (round_id, payload_blob);
"""


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("run_autosynth", ROOT / "benchmarks" / "peers" / "run_autosynth.py")
    module = sys.modules["run_autosynth"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def database(tmp_path):
    """Three rounds of one item: of too low quality, accepted, and one whose only call failed twice."""
    path = tmp_path / "run.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(TABLES)
        connection.execute("INSERT INTO runs VALUES ('running')")
        clock = iter(f"2026-01-01T00:00:{second:02d}+00:00" for second in range(60))
        for round_n, n_calls, failures in ((1, 2, 0), (2, 3, 1), (3, 0, 2)):
            for call in range(max(1, n_calls)):
                name = f"{round_n}-{call}"
                begun = (name, "i", round_n, failures if call == 0 else 0, next(clock))
                connection.execute("INSERT INTO requests VALUES (?, ?, ?, ?, ?)", begun)
                if n_calls:
                    ended = (name, name, 10, 5, next(clock))
                    connection.execute("INSERT INTO responses VALUES (?, ?, ?, ?, ?)", ended)
        failed = json.dumps({"passed": False, "failures": ["too short"]})
        rounds = (("a", "i", 1, failed, None), ("b", "i", 2, "{}", json.dumps({"rejection_reasons": []})))
        connection.executemany("INSERT INTO rounds VALUES (?, ?, ?, ?, ?)", rounds)
        connection.execute("INSERT INTO accepted VALUES ('b', ?)", [json.dumps(CANDIDATE)])
    return path


def test_rounds_come_in_their_order_with_all_that_they_took(script, database, tmp_path):
    rows = script.read_rows(database)
    assert [row.get("rejected") for row in rows] == ["too short", None, "not finished, or nothing that could be read"]
    assert [[row[k] for k in ("calls", "tokens", "seconds")] for row in rows] == [
        [2, 30, 3.0],
        [4, 45, 6.0],
        [2, 0, 0.0],
    ]
    assert (rows[1]["question"], rows[1]["answer"], rows[1]["context"]) == ("Who?", "the mayor", "A town.")
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    given = read_given(tmp_path / "x.jsonl")
    assert (given.n_examples, given.tells) == (1, {"calls", "tokens", "seconds", "rounds"})
    with sqlite3.connect(tmp_path / "new.db") as connection:
        connection.execute("CREATE TABLE runs (status)")  # autosynth is still making its tables
    assert script.read_rows(tmp_path / "new.db") == []


def test_suites_that_it_cannot_serve_are_refused(script):
    with pytest.raises(ConfigError, match="no arm of the suite is to be made"):
        script.arms_of(Suite())
    with (
        pytest.raises(ConfigError, match="role 'challenger' is 'openai/x'"),
        script.served(Suite.of({"roles": {"all": "openai/x"}})),
    ):
        pass
