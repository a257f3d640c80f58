"""`autodata compile` from its options to a program file, on a model server."""

import io
import json
import re

import compiling
import model_server
import pytest
from command_line import refused, run_here

from autodata_dspy.program_file import read_program


class Server(model_server.ModelServer):
    """Writes an acceptable problem on documents that plan it, and on all others once a demonstration shows one."""

    taught = False

    def answer(self, body, raw):
        if "Answer with the one word" in raw:  # the reflection role, asked whether it is there
            return "ready"
        self.taught = "This is accept." in raw
        return super().answer(body, raw)

    def _challenger(self, inputs):
        if self.taught:
            inputs = {**inputs, "passage": re.sub("Plan: .*", "Plan: accept", inputs["passage"])}
        return super()._challenger(inputs)


BOOTSTRAP = ("--optimizer", "bootstrap")


@pytest.fixture
def server():
    running = Server()
    with model_server.serving(running):
        yield running


@pytest.fixture
def command(server, tmp_path):
    documents, config = tmp_path / "documents.jsonl", tmp_path / "config.toml"
    with documents.open("w") as out:
        for i, d in enumerate(compiling.documents(20)):
            text = f"{d.text}\nName: {d.id}\nPlan: {'easy' if i % 5 else 'accept'}"
            out.write(json.dumps({"id": d.id, "text": text}) + "\n")
    config.write_text("max_rounds = 1\nper_document = 1\n")
    options = ["--domain", "math_objects", "--documents", documents, "--config", config, "--concurrency", 1]
    return ["compile", *server.flags, *options, "--repeats", 1, "--run-dir", tmp_path / "run"]


def test_a_program_is_improved_tested_and_written_and_the_same_command_goes_on(server, command, tmp_path):
    command = [*command, *BOOTSTRAP, "--budget", 40, "--yes"]
    ran = run_here(*command, "--out", tmp_path / "mine.json")
    assert (ran.code, ran.errors) == (0, [])
    assert "better by +" in ran.out and "test score, chosen: 1.000" in ran.out
    assert ran.out.startswith("at most 40 program runs, about ") and "warning: differences below 0." in ran.out
    assert "rounds accepted on the test documents, chosen: 7 of 7" in ran.out
    assert "accepted examples that an independent check confirms, chosen: 7 of 7" in ran.out
    told = re.findall(r"(?m)^run (\d+): candidate \w{6} on doc-\w+: [01]\.000$", ran.err)
    assert [int(n) for n in told] == list(range(1, len(told) + 1)) and len(told) > 20
    assert re.search(
        r"\d+ runs, \d+ calls: candidate \w{6} from \w{6} \(\d demonstrations\): (?:0\.[89]|1\.0)", ran.err
    )
    program = read_program(tmp_path / "mine.json")
    assert program.card.metric == "acceptance_rate" and program.card.verdict.startswith("better by")
    n_requests = len(server.requests)
    again = run_here(*command)
    assert (again.code, len(server.requests)) == (0, n_requests)
    verdict = next(line for line in ran.out.splitlines() if line.startswith("better by"))
    assert verdict in again.out


def test_no_is_an_answer_to_what_is_said_before(server, command, tmp_path, monkeypatch):
    monkeypatch.setattr("typer.confirm", lambda text: False)
    rows = [{"question": f"Question {i}", "answer": str(i), "weak_mean": 0, "strong_mean": 1} for i in range(8)]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    ran = run_here(
        *command, "--budget", 40, "--metric", "solver_gap", "--audit-examples", tmp_path / "rows.jsonl", "--hoped", 0.5
    )
    first, second, *lines = ran.out.splitlines()
    assert first == "optimizer: gepa, because the reflection role is vllm:scripted, a model of your choice"
    assert second.startswith("at most 40 program runs, about ") and second.endswith(", from 6 runs")
    assert lines[0] == "solver_gap: 8 examples: score 1.000"
    assert any(line.startswith("warning: the metric 'solver_gap', by its audit: it does not fall") for line in lines)
    assert sum("(hoped for: 0.500)" in line for line in lines) == 2
    assert ran.code == 2 and "not confirmed; nothing but the forecast (6 program runs)" in ran.err
    assert server.by_role()["challenger"] == 6


def test_a_question_that_nobody_can_answer_is_a_no_in_one_line(server, command, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    ran = run_here(*command, *BOOTSTRAP, "--budget", 40)
    assert ran.code == 2 and "no answer is a no; where nobody can answer, use --yes" in ran.err
    assert "Traceback" not in ran.err and server.by_role()["challenger"] == 6


def test_a_compilations_folder_is_no_runs_and_says_so(server, command, tmp_path):
    ran = run_here(*command, *BOOTSTRAP, "--budget", 40, "--yes", "--max-calls", 60, "--run-dir", tmp_path / "c")
    assert f"run folder: {tmp_path / 'c'} (after a stop the same command with --run-dir goes on)" in ran.err
    for other in (["status"], ["show"], ["resume"], ["export", "--format", "jsonl", "--out", tmp_path / "rows.jsonl"]):
        says = f"{tmp_path / 'c'} is the folder of a compilation and not of a run; to go on, or to see what came of it: the"
        refused(other[0], tmp_path / "c", *other[1:], says=says)
    assert not (tmp_path / "rows.jsonl").exists()


def test_a_limit_stops_it_with_code_3(server, command):
    ran = run_here(*command, *BOOTSTRAP, "--budget", 40, "--yes", "--max-calls", 60)
    assert ran.code == 3 and "no evidence of improvement, the seed is kept" in ran.out
    assert len(server.requests) <= 60


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--optimizer", "gepper"], "unknown optimizer 'gepper'; did you mean 'gepa'"),
        (["--option", "max_demos"], "--option 'max_demos': expected NAME=NUMBER, such as max_demos=6"),
        (["--option", "demos=2"], "unknown option of the optimizer 'bootstrap' 'demos'; did you mean 'max_demos'"),
        (["--metric", "classifier_student"], "the metric 'classifier_student' needs a probe; give one (--probe FILE)"),
        (["--audit-examples", "no.jsonl"], "examples not found: no.jsonl; give a .jsonl file or a run folder"),
        (
            ["--probe", "no.jsonl"],
            "--probe: the metric 'acceptance_rate' takes none; leave it out, or name one that does (",
        ),
        (
            ["--metric", "weighted"],
            "the metric 'weighted' needs parts: it is a mix of others, for `autodata audit-metric",
        ),
        (["--budget", "3"], "budget=3 program runs buy nothing from the optimizer 'bootstrap'"),
    ],
)
def test_what_cannot_work_is_one_line_and_costs_nothing(server, command, more, message):
    refused(*command, *BOOTSTRAP, "--yes", *more, says=message)
    assert not server.requests
