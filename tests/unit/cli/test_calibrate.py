"""`autodata calibrate` from its options to the configuration that `autodata generate` takes, on a model server."""

import re
import signal
import threading
import tomllib

import command_line
import model_server
import pytest
from command_line import refused, run_here

from autodata_dspy.store import RunFolder

PLANS = {"alpha": "accept", "beta": "easy accept", "gamma": "garbled accept", "delta": "accept"}
TASK = """
name = "letters to tenants"
kind = "a sentence of a letter to a tenant"
[labels]
rent = "The rent goes up or down."
eviction = "The tenant has to leave."
"""
SAID = {
    "rent": "From May onwards your rooms will cost {} euros more each month, heating included.",
    "eviction": "Hand over your keys and be gone by noon on day {} after this letter has reached you.",
}


class Server(model_server.ModelServer):
    """Writes what the angle asks for, finds all of it usable, and sorts by a word."""

    def answer(self, body, raw):
        system, last = body["messages"][0]["content"], body["messages"][-1]["content"]
        role, inputs = model_server._role(system), model_server._inputs(last)
        self.requests.append((role, system))
        if role == "challenger":
            said = {"text": SAID[inputs["angle"].partition(":")[0]].format(len(inputs["passage"]) % 90)}
        elif role == "quality_verifier":
            said = {"verdict": "usable"}
        else:
            said = {"label": "rent" if "euros" in inputs["question"] else "eviction"}
        return "\n\n".join(f"[[ ## {name} ## ]]\n{text}" for name, text in said.items())


PRICED = ["--lm", "all.usd_per_million_input=1000", "--lm", "all.usd_per_million_output=2000"]


def calibrate(server, path, *more):
    return ["calibrate", *server.flags, "--documents", path, "--n", 3, "--rounds", 2, "--concurrency", 1, *more]


def test_a_pilot_becomes_a_configuration_that_generate_takes(server, planned, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = planned(**PLANS)
    ran = run_here(*calibrate(server, path, *PRICED, "--domain", "math_objects", "--run-dir", "p"))
    assert (ran.code, ran.err.count("error")) == (0, 0), ran.err
    assert ran.out.startswith("pilot kept in p\npilot: 4 documents, 8 rounds, 7 passed the checks\n")
    # garbled is asked for twice; seven challenges are reviewed and attempted fully, the easy one by both solvers
    assert server.by_role() == {"challenger": 9, "quality_verifier": 7, "weak_solver": 28, "strong_solver": 28}
    assert "\n     0 of 4    6 ##############################\n" in ran.out
    assert "rule in force: ExactCounts(n_weak=4, max_weak=1, n_strong=4, min_strong=3); accepts 6.0 of 8" in ran.out
    assert "proposed rule: ExactCounts(n_weak=4, max_weak=0, n_strong=4, min_strong=4); accepts 6.0 of 8" in ran.out
    assert "forecast for 3 accepted examples" in ran.out and "  rounds:        4 (3 to " in ran.out
    assert "per example, strong_solver: 4.0 calls, 480 tokens, " in ran.out
    assert re.search(r"  USD: +\d\.\d\d \(\d\.\d\d to \d+\.\d\d\)\n", ran.out)
    assert ran.out.endswith("written: run.toml\nnext: autodata generate --config run.toml\n")

    kept = tomllib.loads((tmp_path / "run.toml").read_text())
    assert kept["acceptance"] == {"n_weak": 4, "max_weak": 0, "n_strong": 4, "min_strong": 4}
    assert (kept["domain"], kept["n"], kept["documents"]) == ("math_objects", 3, str(path))
    assert "limits" not in kept
    made = run_here("generate", "--config", "run.toml", "--run-dir", "r")
    assert made.code == 0 and "4 of 3 examples accepted" in made.out  # two of each document


def test_the_executor_of_the_configuration_is_used(server, planned, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = planned(**PLANS)
    (tmp_path / "c.toml").write_text('executor = "daks"\n')
    refused(*calibrate(server, path, "--config", "c.toml"), says="unknown executor 'daks'; did you mean 'dask'?")
    (tmp_path / "c.toml").write_text('executor = "loky"\n')
    ran = run_here(*calibrate(server, path, "--config", "c.toml", "--out", "away.toml"))
    assert ran.code == 0 and "\npilot: 4 documents, 8 rounds, 7 passed the checks\n" in ran.out, ran.err
    assert tomllib.loads((tmp_path / "away.toml").read_text())["acceptance"]["max_weak"] == 0


def test_settings_of_the_input_are_kept_and_other_files_are_never_overwritten(server, planned, tmp_path):
    path, config, other = planned(**PLANS), tmp_path / "mine.toml", tmp_path / "other.toml"
    config.write_text('per_document = 1\n[limits]\nmax_calls = 500\n[roles.judge]\nmodel = "vllm:other"\n')
    other.write_text("n = 1\n")
    options = calibrate(server, path, "--config", config, "--run-dir", tmp_path / "p", "--max-calls", 400)
    refused(*options, "--out", other, says="other.toml exists and is not the file this started from; name another one")
    assert not server.requests and other.read_text() == "n = 1\n"
    assert run_here(*options, "--out", config).code == 0
    kept = tomllib.loads(config.read_text())
    assert kept["per_document"] == 1 and kept["limits"] == {"max_calls": 500}
    assert kept["roles"]["judge"]["model"] == "vllm:scripted"  # the flags are for all roles
    assert kept["acceptance"]["min_strong"] == 4


def test_nothing_is_written_where_no_rule_accepts_anything(server, planned, tmp_path):
    path, out = planned(alpha="easy", beta="easy"), tmp_path / "run.toml"
    ran = run_here(*calibrate(server, path, "--run-dir", tmp_path / "p", "--out", out))
    assert (ran.code, len(ran.errors)) == (2, 1)
    assert "nothing is written" in ran.errors[0] and "a weaker --lm weak_solver=MODEL" in ran.errors[0]
    assert "at most 75.0% (95 %)" in ran.out
    assert not out.exists()


def test_a_limit_ends_the_pilot_with_its_exit_code(server, planned, tmp_path):
    path, out = planned(**PLANS), tmp_path / "run.toml"
    ran = run_here(*calibrate(server, path, "--run-dir", tmp_path / "p", "--out", out, "--max-calls", 2))
    assert ran.code == 3 and not out.exists()
    assert f"to go on: the same command with --run-dir {tmp_path}/p\nstopped: the limit of 2" in ran.out
    ran = run_here(*calibrate(server, path, "--run-dir", tmp_path / "p", "--out", out, "--max-calls", 25))
    assert ran.code == 3 and out.exists()
    assert "warning: the pilot ended early: the limit of 25" in ran.out
    assert len(server.requests) == 25


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_pilot_goes_on_without_paying_twice(server, planned, tmp_path, how):
    path, out = planned(**PLANS), tmp_path / "run.toml"
    command = [*calibrate(server, path, "--out", out), "--run-dir", tmp_path / "p"]
    server.hold_after(30)
    process = command_line.start(*command)
    server.wait_for_requests(31)
    process.send_signal(how)
    server.release()
    ended = command_line.finish(process)
    assert ended.code == {signal.SIGKILL: -9, signal.SIGINT: 130}[how]
    assert not out.exists()
    if how == signal.SIGINT:
        assert "to go on: the same command with --run-dir" in ended.out
    assert run_here(*command).code == 0
    assert tomllib.loads(out.read_text())["acceptance"]["max_weak"] == 0
    assert len(server.requests) <= 9 + 7 + 28 + 28 + (how == signal.SIGKILL)  # what was in flight is asked again
    assert sum(len(t.rounds) for t in RunFolder(tmp_path / "p").latest().values()) == 8


def test_labels_of_ones_own_with_a_learner(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "letters.toml").write_text(TASK)
    (tmp_path / "d.txt").write_text("A landlord writes to those who live in his house about money and keys.")
    running = Server()
    threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
    try:
        options = ["--domain", "legal_labels", "--task", "letters.toml", "--documents", "d.txt", *running.flags]
        ran = run_here("calibrate", *options, "--n", 2, "--rounds", 2, "--concurrency", 1)
        assert ran.code == 0, ran.err
        assert "proposed rule: Thresholds(n_weak=1, n_strong=1, weak_at_most=0.9, strong_min=1.0, gap=0.0)" in ran.out
        assert "warning: the learner learns in the run" in ran.out
        (tmp_path / "letters.toml").unlink()
        made = run_here("generate", "--config", "run.toml", "--run-dir", "r")
        assert made.code == 0 and "2 of 2 examples accepted" in made.out, made.err
    finally:
        running.shutdown()
        running.server_close()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--domain", "maths"], "unknown"),
        (["--pilot", "0"], "--pilot"),
        (["--attempts", "9"], "--attempts"),
        (["--n", "0"], "--n"),
        (["--config", "gone.toml"], "configuration file not found: gone.toml"),
        (["--out", "no/run.toml"], "there is no folder no; make it first"),
        (["--out", "."], "is a folder; name a file"),
        (["--task", "gone.toml"], "task file not found"),
        (["--documents", "gone.txt"], "gone.txt"),
    ],
)
def test_bad_input_is_one_line(options, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused("calibrate", *options, says=says)
    assert list(tmp_path.iterdir()) == []
