"""`autodata compile` from its options to a program file, on a model server."""

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
        self.taught = "This is accept." in raw
        return super().answer(body, raw)

    def _challenger(self, inputs):
        if self.taught:
            inputs = {**inputs, "passage": re.sub("Plan: .*", "Plan: accept", inputs["passage"])}
        return super()._challenger(inputs)


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
    ran = run_here(*command, "--budget", 40, "--yes", "--out", tmp_path / "mine.json")
    assert (ran.code, ran.errors) == (0, [])
    assert "better by +" in ran.out and "test score, chosen: 1.000" in ran.out
    assert re.search(r"\d+ runs, \d+ calls: candidate \w{6} from \w{6} \(\d demonstrations\): 1.000", ran.err)
    program = read_program(tmp_path / "mine.json")
    assert program.card.metric == "acceptance_rate" and program.card.verdict.startswith("better by")
    n_requests = len(server.requests)
    again = run_here(*command, "--budget", 40, "--yes")
    assert (again.code, len(server.requests)) == (0, n_requests)
    verdict = next(line for line in ran.out.splitlines() if line.startswith("better by"))
    assert verdict in again.out


def test_no_is_an_answer(server, command, monkeypatch):
    monkeypatch.setattr("typer.confirm", lambda text: False)
    ran = run_here(*command, "--budget", 40)
    assert ran.out.startswith("at most 40 program runs, about ") and ran.code == 2
    assert "not confirmed" in ran.err and len(server.requests) < 12


def test_a_limit_stops_it_with_code_3(server, command):
    ran = run_here(*command, "--budget", 40, "--yes", "--max-calls", 60)
    assert ran.code == 3 and "no evidence of improvement, the seed is kept" in ran.out
    assert len(server.requests) <= 60


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--optimizer", "gepper"], "unknown optimizer 'gepper'; did you mean 'gepa'"),
        (["--option", "max_demos"], "--option 'max_demos': expected NAME=NUMBER, such as max_demos=6"),
        (["--option", "demos=2"], "unknown option of the optimizer 'bootstrap' 'demos'; did you mean 'max_demos'"),
        (["--metric", "classifier_student"], "the metric 'classifier_student' needs a probe; give one (--probe FILE)"),
        (["--budget", "3"], "budget=3 program runs buy nothing from the optimizer 'bootstrap'"),
    ],
)
def test_what_cannot_work_is_one_line_and_costs_nothing(server, command, more, message):
    refused(*command, "--yes", *more, says=message)
    assert not server.requests
