"""`autodata bench` from a file to tables, on a model server that plays every role."""

import contextlib
import json
import re
import signal
import threading
from pathlib import Path
from types import SimpleNamespace

import benching
import command_line
import model_server
import page_reader
import pytest
from command_line import refused_run, run_here

from autodata_dspy.benchmarking.grounds import read_ground
from autodata_dspy.benchmarking.students import Exam, Touches
from autodata_dspy.benchmarking.suite import read_suite
from autodata_dspy.errors import ConfigError, ProviderError, StopRun
from autodata_dspy.roles import Roles

README = (Path(__file__).parents[3] / "README.md").read_text("utf-8")
SMALL = "seeds = 2\nconcurrency = 1\nbudget = { calls = 9 }\nexaminer = { attempts = 1, examples = 2 }\n"


class Server(model_server.ModelServer):
    """Plays every role of a suite on labelled texts; `benching.model` says how."""

    interrupt_at = 0  # the number of the request during which somebody presses Ctrl-C

    def answer(self, body, raw):
        inputs = model_server._inputs(body["messages"][-1]["content"])
        said = benching.model(SimpleNamespace(inputs=inputs, seed=body.get("seed"), prompt=raw))
        with self.changed:
            self.requests.append(("any", raw))
            self.changed.notify_all()
            if len(self.requests) == self.interrupt_at:
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            assert self.changed.wait_for(lambda: self._answers_left > 0, 60.0)
            self._answers_left -= 1
        return "\n\n".join(f"[[ ## {name} ## ]]\n{text}" for name, text in said.items())


@pytest.fixture(scope="module")
def server():
    with model_server.serving(Server()) as running:
        yield running


def roles(server):
    spec = f'model = "vllm:scripted", api_base = "{server.url}", num_retries = 0'
    return f"roles = {{ all = {{ {spec} }} }}\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    benching.files(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def finished(server, tmp_path_factory):
    """The three lines of the README, run: (folder, what the command said, requests it took)."""
    folder = tmp_path_factory.mktemp("bench")
    benching.files(folder)
    shown = re.search(r"```toml\n(documents = [^`]*?test = [^`]*?roles = [^`]*?)```", README)[1]
    (folder / "readme.toml").write_text(shown)
    assert len(shown.splitlines()) == 3 and read_suite(folder / "readme.toml").roles["student"]
    (folder / "contracts").mkdir()
    for n, line in enumerate((folder / "letters.jsonl").read_text().splitlines()):
        (folder / "contracts" / f"{n}.txt").write_text(json.loads(line)["text"])
    documents, test, _ = shown.splitlines()
    (folder / "mine.toml").write_text(f"{documents}\n{test}\n{roles(server)}{SMALL}")
    before = len(server.requests)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        ran = run_here("bench", "mine.toml", "--yes", "--out", "out.json")
    assert ran.code == 0, ran.err
    return folder, ran, len(server.requests) - before


def timeless(results):
    """Results without what a clock says."""
    text = json.dumps(results)
    return json.loads(re.sub(r'"seconds": [\d.]+', '"seconds": 0', text))


def test_three_lines_of_toml_compare_the_methods_on_the_users_own_data(finished):
    folder, ran, _ = finished
    found = json.loads((folder / "out.json").read_text())
    assert found == json.loads((folder / "runs" / "bench-mine" / "results.json").read_text())
    arms = {arm["arm"]: arm for arm in found["arms"]}
    assert arms["cot_self_instruct"]["test"]["value"] > 0.9 and arms["self_instruct"]["test"]["value"] < 0.5
    assert arms["cot_self_instruct"]["valid"]["value"] == 1.0 and arms["self_instruct"]["valid"]["value"] == 0.0
    assert all(arm["calls"] == 18 for arm in arms.values())  # two seeds of nine calls each
    lines = {line["line"]: line for line in found["references"]}
    assert lines["human data"]["n"] == lines["given examples"]["n"] == 4
    assert 0 < lines["zero-shot"]["test"]["value"] < 0.5
    [better] = [c for c in found["comparisons"] if (c["arm"], c["measure"]) == ("cot_self_instruct", "test")]
    assert (
        better["verdict"] == "better"
        and "| cot_self_instruct | self_instruct | calls | clauses | test score |" in ran.out
    )
    # What an arm adds to the examples that it was given: wrong labels take away from them, right ones do not.
    added = {c["arm"]: c for c in found["comparisons"] if (c["than"], c["measure"]) == ("given examples", "added")}
    given = lines["given examples"]["test"]["value"]
    assert added.keys() == arms.keys()
    for name, row in added.items():
        assert row["value"] == pytest.approx(arms[name]["added"]["value"] - given)
    assert arms["self_instruct"]["added"]["value"] < min(given, arms["cot_self_instruct"]["added"]["value"])
    assert "| self_instruct | given examples | calls | clauses | test score with the given |" in ran.out
    assert re.search(r"6 runs, 0 of them done: about \d+ more model calls \(\d+ to write, .* minutes", ran.err)
    assert "6 of 6: agentic_self_instruct on clauses, seed 1, 9 calls" in ran.err
    assert "2 seeds, which is few" in ran.out and str(folder) not in json.dumps(found)
    assert {"versions", "machine", "hashes", "seeds", "config"} <= found.keys()
    assert found["command"] == "autodata bench mine.toml" and "and with plots out.html" in ran.out
    titles = [plot.title for plot in page_reader.Page((folder / "out.html").read_text("utf-8")).plots]
    assert "test score (macro-F1) against calls per example" in titles
    drafts = [[sum(r[k] for r in arm["by_round"]) for k in ("drafts", "accepted", "examined")] for arm in found["arms"]]
    assert drafts == [[arm["rounds"], arm["accepted"], arm["examined"]] for arm in found["arms"]]


def test_every_look_at_test_items_is_logged_and_each_arm_has_one(finished):
    folder, _, _ = finished
    found = json.loads((folder / "out.json").read_text())
    assert [touch["who"].split(" on ")[0] for touch in found["touches"]] == [
        *("self_instruct", "cot_self_instruct", "agentic_self_instruct"),
        *("zero-shot", "given examples", "human data"),
    ]
    assert len({touch["test"] for touch in found["touches"]}) == 1
    texts = [json.loads(line)["text"] for line in (folder / "clauses.test.jsonl").read_text().splitlines()]
    assert not any(text in (folder / "out.json").read_text() for text in texts)


def test_a_finished_suite_costs_nothing_again(finished, server, monkeypatch):
    folder, ran, _ = finished
    monkeypatch.chdir(folder)
    before = len(server.requests)
    again = run_here("bench", "mine.toml")  # nothing is left to ask about
    assert (again.code, again.out.partition("\nwritten")[0]) == (0, ran.out.partition("\nwritten")[0])
    assert len(server.requests) == before and "testing" not in again.err
    (folder / "other.toml").write_text((folder / "mine.toml").read_text())
    refused_run(
        "bench", "other.toml", "--out", "x.html", says="--out x.html: the page takes the name with another ending"
    )
    refused_run("bench", "other.toml", "--run-dir", "runs/bench-mine", says="belongs to another configuration")


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("calls = 9", "calls = 8", "its run was made with a larger budget, and would be taken whole"),
        ("calls = 9", "calls = 12", "this would be a second look. Go back to the suite as it was"),
        ("seeds = 2", "seeds = 3", "this would be a second look. Go back to the suite as it was"),
        ("seeds = 2", "seeds = 2\nsizes = [2]", "this would be a second look. Go back to the suite as it was"),
    ],
)
def test_a_finished_suite_that_was_changed_is_refused_before_anything_is_paid(
    finished, server, here, before, after, says
):
    folder, _, _ = finished
    text = (folder / "mine.toml").read_text()
    (here / "mine.toml").write_text(text.replace(before, after))
    (here / "contracts").symlink_to(folder / "contracts")
    n_requests = len(server.requests)
    refused_run("bench", "mine.toml", "--yes", "--run-dir", str(folder / "runs/bench-mine"), says=says)
    assert len(server.requests) == n_requests


def test_a_second_look_with_other_examples_is_refused_and_an_interrupted_one_goes_on(here):
    suite = read_suite("mine.toml")
    exam = Exam(read_ground("clauses", suite.subjects["clauses"]), Roles())

    def never():
        raise AssertionError("looked again")

    def cut():
        raise StopRun(ProviderError("no answer"))

    with contextlib.closing(Touches(here)) as touches, pytest.raises(ProviderError):
        touches.once(exam, "arm on clauses", "a", cut)
    with contextlib.closing(Touches(here)) as touches:
        with pytest.raises(ConfigError, match="'arm on clauses' before, with other examples; a second look"):
            touches.once(exam, "arm on clauses", "b", never)
        assert touches.once(exam, "arm on clauses", "a", lambda: {"items": [1.0]}) == {"items": [1.0]}
    with contextlib.closing(Touches(here)) as touches:
        assert touches.once(exam, "arm on clauses", "a", never) == {"items": [1.0]}
        assert touches.once(exam, "another on clauses", "b", dict) == {} and len(touches.told()) == 2


def test_a_killed_suite_goes_on_where_it_was_and_nothing_is_doubled(finished, server, here):
    folder, _, n_requests = finished
    (here / "contracts").symlink_to(folder / "contracts")
    (here / "mine.toml").write_text((folder / "mine.toml").read_text())
    before = len(server.requests)
    server.hold_after(24)  # amid the second arm
    process = command_line.start("bench", "mine.toml", "--yes", cwd=here)
    server.wait_for_requests(before + 25)
    process.kill()
    process.wait()
    server.release()
    ran = run_here("bench", "mine.toml", "--yes")
    assert ran.code == 0, ran.err
    assert len(server.requests) - before == n_requests + 1  # the one that was in flight
    whole = json.loads((folder / "out.json").read_text())
    assert timeless(json.loads((here / "runs" / "bench-mine" / "results.json").read_text())) == timeless(whole)


def test_ctrl_c_in_the_last_example_of_an_examination_stops_the_suite_there(server, here):
    arms = 'arms = ["self_instruct", "cot_self_instruct"]\n'  # nine calls each, then four to examine the first
    small = SMALL.replace("seeds = 2", "seeds = 1")
    (here / "mine.toml").write_text("\n".join(benching.SUITE.splitlines()[:2]) + "\n" + arms + roles(server) + small)
    before = len(server.requests)
    server.interrupt_at = before + 2 * 9 + 4
    ran = run_here("bench", "mine.toml", "--yes")
    assert ran.code == 130 and ran.out.endswith("stopped: interrupted\n"), ran.err
    assert len(server.requests) == server.interrupt_at and "to go on: autodata bench mine.toml" in ran.out
    again = run_here("bench", "mine.toml", "--yes")
    assert again.code == 0, again.err
    assert len(server.requests) == server.interrupt_at + 4 + 20  # the second arm's, and the zero-shot student's
    [first] = [line for line in again.err.splitlines() if line.startswith("1 of 2: ")]
    assert "examined" in first  # its run had come to its end, and is not entered again


def test_a_suite_in_other_processes_is_the_suite_of_threads(finished, server, here):
    folder, _, n_requests = finished
    for name in ("mine.toml", "contracts"):
        (here / name).unlink(missing_ok=True)
        (here / name).symlink_to(folder / name)
    before = len(server.requests)
    assert run_here("bench", "mine.toml", "--yes", "--executor", "loky").code == 0
    assert len(server.requests) - before == n_requests
    found, threads = (json.loads((f / "runs/bench-mine/results.json").read_text()) for f in (here, folder))
    assert timeless(found) == timeless(threads)


def test_no_is_an_answer(server, here, monkeypatch):
    monkeypatch.setattr("typer.confirm", lambda text: False)
    lines = [*benching.SUITE.splitlines()[:2], 'arms = ["agentic_self_instruct"]', roles(server)]
    (here / "mine.toml").write_text("\n".join(lines) + SMALL)
    before = len(server.requests)
    refused_run("bench", "mine.toml", says="not confirmed; nothing but each arm's first calls was spent")
    assert 0 < len(server.requests) - before <= 10 and not (here / "runs/bench-mine/results.json").exists()


def test_generations_feed_each_other_and_sizes_are_prefixes(server, here):
    more = 'generations = 2\nsizes = [1]\narms = ["cot_self_instruct"]\nseeds = 1\n'
    rest = SMALL.replace("seeds = 2\n", "").replace("calls = 9", "examples = 4")
    (here / "mine.toml").write_text("\n".join(benching.SUITE.splitlines()[:2]) + "\n" + roles(server) + more + rest)
    ran = run_here("bench", "mine.toml", "--yes", "--run-dir", "r")
    assert ran.code == 0, ran.err
    first, second = json.loads((here / "r" / "results.json").read_text())["arms"]
    assert (first["generation"], second["generation"]) == (0, 1) and first["kept"] == second["kept"] == 4
    folder = here / "r/examples/clauses/cot_self_instruct"
    told = [json.loads(line)["text"] for line in (folder / "seed-0-1/documents.jsonl").read_text().splitlines()]
    kept = (folder / "seed-0-0/trajectories.jsonl").read_text()
    assert len(told) == 4 and all(json.dumps(text)[1:-1] in kept for text in told)
    assert [size for size, _ in second["by_size"]] == [1] and second["test"]["value"] > 0.9
    assert "cot_self_instruct, generation 1" in ran.out and "test score after 1 examples" in ran.out
    assert "1 seed, so the intervals know nothing of how much seeds differ" in ran.out


def test_examples_made_elsewhere_are_an_arm_that_pays_what_its_file_tells(server, here):
    made = [{"text": benching.text(label, 50 + i), "label": label} for i in range(4) for label in benching.SAID]
    for seed in (0, 1):
        paid = [{**row, "calls": 2, "tokens": 300, "seconds": 0.5} for row in made[seed:]]
        paid.insert(1, {"rejected": "too easy", "calls": 3, "tokens": 100, "seconds": 0.5})
        (here / f"peer-clauses-{seed}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in paid))
    (here / "bare.jsonl").write_text("".join(json.dumps(row) + "\n" for row in made))
    (here / "none.jsonl").write_text("")
    arms = """arms = ["cot_self_instruct", { examples = "peer-{domain}-{seed}.jsonl", name = "peer" },
    { examples = "bare.jsonl" }, { examples = "none.jsonl", note = "it cannot do this" }]
"""
    (here / "mine.toml").write_text("\n".join(benching.SUITE.splitlines()[:2]) + "\n" + arms + roles(server) + SMALL)
    before = len(server.requests)
    ran = run_here("bench", "mine.toml", "--yes", "--run-dir", "r")
    assert ran.code == 0, ran.err
    found = json.loads((here / "r" / "results.json").read_text())
    _, peer, bare, none = found["arms"]
    # Nine calls are the first example, the rejected attempt and two more; the fourth cannot be paid.
    assert [peer[k] for k in ("kept", "rounds", "accepted", "calls", "seconds", "usd")] == [6, 8, 6, 18, 4.0, None]
    assert peer["tokens"] == 2 * (3 * 300 + 100)
    assert (bare["kept"], bare["rounds"], bare["calls"], bare["per_example"]["tokens"]) == (16, None, None, None)
    assert (none["kept"], none["calls"], none["test"]["value"]) == (0, 0, 0.0)
    assert peer["valid"]["value"] == bare["valid"]["value"] == 1.0 and bare["test"]["value"] > 0.9
    lines = [line for line in ran.out.splitlines() if not line.startswith("|")]
    assert "peer: its examples were made elsewhere." in lines
    assert (
        "bare: its examples were made elsewhere; its calls and tokens are not counted; they are the same for every seed."
        in lines
    )
    assert "none: it cannot do this; its examples were made elsewhere; they are the same for every seed." in lines
    assert "| bare | cot_self_instruct | calls, not counted | clauses |" in ran.out
    assert "| peer | cot_self_instruct | calls | clauses |" in ran.out
    assert "<p>none: it cannot do this;" in (here / "r" / "results.html").read_text("utf-8")
    n_calls = len(server.requests) - before
    assert run_here("bench", "mine.toml", "--run-dir", "r").code == 0 and len(server.requests) - before == n_calls
    assert n_calls == 18 + 3 * 2 * (2 * 2) + 20  # one arm writes, three are examined, the student without data
    assert run_here("status", "r/calls/clauses/peer/seed-0").code == 0
    (here / "bare.jsonl").write_text(json.dumps(made[0]) + "\n")
    told = "holds another run, from before the arm 'bare' or its domain was changed; give the arm another name"
    refused_run("bench", "mine.toml", "--yes", "--run-dir", "r", says=told)
    assert len(server.requests) - before == n_calls  # before anything was paid


def test_equal_tokens_and_matched_examples_on_questions_with_a_student_that_is_a_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    documents = [model_server.document(name, "accept") for name in ("ash", "birch", "cedar", "elm")]
    (tmp_path / "d.jsonl").write_text(model_server.lines(*documents))
    asked = [f"Expand (x + {n})^2, which is {how}." for n, how in ((3, "easy"), (4, "hard"), (5, "hard"))]
    answers = ["x^2+6*x+9", "x^2+8*x+16", "x^2+10*x+25"]
    rows = [{"question": q, "answer": a} for q, a in zip(asked, answers, strict=True)]
    (tmp_path / "q.test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with model_server.serving() as server:
        arms = 'arms = ["agentic_self_instruct", { program = "agentic_self_instruct", without = ["gap"], per_document = 1 }]'
        lines = ['domain = "math_objects"', 'documents = "d.jsonl"', 'test = "q.test.jsonl"', arms, roles(server)]
        small = SMALL.replace("calls = 9", "tokens = 1500, examples = 2").replace("seeds = 2", "seeds = 1")
        (tmp_path / "m.toml").write_text("\n".join(lines) + small)
        ran = run_here("bench", "m.toml", "--yes", "--run-dir", "r")
    assert ran.code == 0, ran.err
    found = json.loads((tmp_path / "r" / "results.json").read_text())
    tokens, examples = ({a["arm"]: a for a in found["arms"] if a["comparison"] == c} for c in ("tokens", "examples"))
    assert all(1500 <= arm["tokens"] <= 1500 + 120 for arm in tokens.values())
    assert [arm["kept"] for arm in examples.values()] == [2, 2] and len({a["calls"] for a in examples.values()}) == 2
    assert all(a["checked"] == 1.0 and a["gap"]["value"] == 1.0 for a in (*tokens.values(), *examples.values()))
    assert [a["test"]["value"] for a in examples.values()] == [pytest.approx(1 / 3)] * 2
    [line] = found["references"]
    assert (line["line"], line["test"]["value"]) == ("zero-shot", pytest.approx(1 / 3))
    assert all(c["verdict"].startswith("no evidence") for c in found["comparisons"] if c["measure"] == "test")
