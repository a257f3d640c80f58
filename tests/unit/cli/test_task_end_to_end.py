"""A task file from the command line to labelled examples, on a model server; the file may be gone afterwards."""

import collections
import json
import threading

import model_server
import pytest
from command_line import refused, run_here

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
        else:
            said = {"label": "rent" if "euros" in inputs["question"] else "eviction"}
        return "\n\n".join(f"[[ ## {name} ## ]]\n{text}" for name, text in said.items())


@pytest.fixture
def server():
    running = Server()
    threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "letters.toml").write_text(TASK)
    (tmp_path / "d.txt").write_text("A landlord writes to those who live in his house about money and keys.")
    (tmp_path / "e.txt").write_text(
        "Whoever lives in the house reads the letters of the landlord, and answers or moves."
    )
    return tmp_path


def options(server, documents="d.txt"):
    return ["generate", "--domain", "legal_labels", "--documents", documents, *server.flags, "--concurrency", "1"]


def test_a_task_file_gives_labelled_examples_and_is_not_needed_to_go_on(server, here):
    (here / "texts").mkdir()
    for name in ("d.txt", "e.txt"):
        (here / name).rename(here / "texts" / name)
    ran = run_here(*options(server, "texts"), "--task", "letters.toml", "--n", "2", "--run-dir", "r")
    assert ran.code == 0, ran.err
    assert "   answer: rent\n" in ran.out and "   answer: eviction\n" in ran.out
    assert "2 of 2 examples accepted; documents tried: 1\n" in ran.out
    # The server takes every solver for a weak one. Here it is the strong one: one attempt agrees; the learner asks nobody.
    assert collections.Counter(role for role, _ in server.requests) == {
        "challenger": 2,
        "weak_solver": 2,
    }
    assert all("a sentence of a letter to a tenant" in said for _, said in server.requests)
    assert all("The tenant has to leave." in said for role, said in server.requests if role == "weak_solver")

    kept = json.loads((here / "r" / "config.json").read_text())
    assert "The tenant has to leave." in json.dumps(kept)
    (here / "letters.toml").unlink()
    n = len(server.requests)
    again = run_here("resume", "r", "--n", "4")
    assert again.code == 0, again.err
    assert "4 of 4 examples accepted; documents tried: 2\n" in again.out
    assert len(server.requests) == n + 4
    assert all("a sentence of a letter to a tenant" in said for _, said in server.requests[n:])
    assert all("The tenant has to leave." in said for role, said in server.requests[n:] if role == "weak_solver")


def test_a_configuration_names_the_file_or_holds_the_task(server, here):
    (here / "named.toml").write_text('task = "letters.toml"\n')
    (here / "held.toml").write_text("[task]\n" + TASK.replace("[labels]", "[task.labels]"))
    for name in ("named", "held"):
        ran = run_here(*options(server), "--config", f"{name}.toml", "--n", "2", "--run-dir", name)
        assert ran.code == 0, ran.err
        assert "   answer: eviction\n" in ran.out
    named, held = (json.loads((here / name / "config.json").read_text()) for name in ("named", "held"))
    assert named == held


REFUSED = {
    "a missing file": ("nowhere.toml", None, "task file not found: nowhere.toml"),
    "one label": ("t.toml", 'name = "n"\n[labels]\na = "A."', "t.toml: a task needs 2 to 50 labels, not 1: a"),
    "an empty definition": (
        "t.toml",
        'name = "n"\n[labels]\na = "A."\nb = ""',
        "t.toml: the definition of the label 'b' is empty",
    ),
    "an unknown key": (
        "t.toml",
        TASK + "[exampels]\n",
        "t.toml: task: unknown key 'exampels'; did you mean 'examples'?",
    ),
    "no TOML": ("t.toml", "name: n", "task file t.toml: "),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_an_unusable_task_is_refused_in_one_line(here, kind):
    name, content, says = REFUSED[kind]
    if content is not None:
        (here / name).write_text(content)
    refused("generate", "--domain", "legal_labels", "--task", name, says=says)
    (here / "c.toml").write_text(f'domain = "legal_labels"\ntask = "{name}"\n')
    refused("generate", "--config", "c.toml", says=says)
    assert not (here / "runs").exists()


def test_a_task_of_the_wrong_kind_is_refused(here):
    (here / "c.toml").write_text("task = 3\n")
    refused("generate", "--config", "c.toml", says="setting 'task': ")


def test_a_domain_without_labels_takes_no_task(here):
    says = "the domain 'math_objects' takes no task; leave it out, or name the domain 'legal_labels'"
    refused("generate", "--task", "letters.toml", "--documents", "d.txt", says=says)
    refused("generate", "--task", "letters.toml", says=says)
