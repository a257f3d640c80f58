"""`autodata new-domain`: what it writes can be installed, found, tested and run."""

import json
import os
import re
import subprocess
import sys
import threading
from types import SimpleNamespace

import model_server
import pytest
from command_line import contents, refused, run, run_here

from autodata_dspy.cli.new_domain import skeleton

NAME = "knots_and_ropes"
FILES = {
    "pyproject.toml",
    f"autodata_{NAME}/__init__.py",
    f"autodata_{NAME}/documents.jsonl",
    f"test_{NAME}.py",
}
BUILD = "from setuptools import setup; setup()"


class Quiz(model_server.ModelServer):
    """The models of the skeleton's domain: the weak solver knows nothing, all others do their work."""

    def answer(self, body, raw):
        system = body["messages"][0]["content"]
        outputs = set(re.findall(r"`(\w+)` \(", system.partition("Your output fields are:")[2]))
        said = {"verdict": "usable", "reasoning": "short", "answer": "after 6 minutes"}
        if "question" in outputs:
            said = {"context": "Two taps.", "question": "When is the tank full?", "answer": "after 6 minutes"}
            self.requests.append(("challenger", raw))
        elif "reasoning" not in outputs:
            said["answer"] = "no idea"
        return "\n\n".join(f"[[ ## {name} ## ]]\n{text}" for name, text in said.items() if name in outputs)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A skeleton in `.folder`, built by setuptools (without pip, which would look for it in the network) in `.target`."""
    folder, target = (tmp_path_factory.mktemp("made") / part for part in ("source", "target"))
    ran = run_here("new-domain", NAME, "--out", folder)
    assert (ran.code, ran.err) == (0, "")
    build = ["build_py", "--build-lib", target, "egg_info", "--egg-base", target]
    target.mkdir()
    done = subprocess.run([sys.executable, "-c", BUILD, "-q", *build], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    path = os.pathsep.join(filter(None, (str(target), os.environ.get("PYTHONPATH", ""))))
    return SimpleNamespace(folder=folder, target=target, out=ran.out, env={"PYTHONPATH": path})


def test_it_writes_a_small_package_and_says_what_comes_next(made):
    assert made.out.startswith(f"{made.folder}: a domain '{NAME}'\n")
    assert f"next: pip install -e {made.folder} && python -m pytest {made.folder}/test_{NAME}.py\n" in made.out
    for path in FILES:
        assert f"  {path}\n" in made.out and (made.folder / path).is_file()
    built = {str(p.relative_to(made.target)) for p in made.target.rglob("*") if p.is_file()}
    assert {f"autodata_{NAME}/__init__.py", f"autodata_{NAME}/documents.jsonl"} <= built


def test_no_placeholder_is_left_and_every_sample_document_says_that_it_is_one():
    files = skeleton(NAME)
    assert set(files) == FILES
    assert [
        path for path, text in files.items() if re.search(r"\b(?:NAME|PACKAGE|DISTRIBUTION)\b|_NAME|NAME_", text)
    ] == []
    rows = [json.loads(line) for line in files[f"autodata_{NAME}/documents.jsonl"].splitlines()]
    assert len({row["id"] for row in rows}) == len({row["text"] for row in rows}) == len(rows) >= 12
    assert all("to be replaced" in row["title"] and "to be replaced" in row["text"] for row in rows)


def test_an_installed_skeleton_is_listed(made):
    ran = run("list", "domains", env=made.env)
    assert (ran.code, ran.err) == (0, "")
    assert f"  {NAME}\n" in ran.out and "  math_objects\n" in ran.out
    assert f"  {NAME}\n" not in run("list", "domains").out


def test_its_own_test_passes(made):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"test_{NAME}.py"]
    done = subprocess.run(command, cwd=made.folder, env={**os.environ, **made.env}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert re.search(r"\b7 passed", done.stdout)


def test_an_installed_skeleton_makes_examples_from_its_documents(made, tmp_path):
    server = Quiz()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        options = ["--documents", "builtin", "--n", "1", "--concurrency", "1", "--per-document", "1"]
        ran = run("generate", "--domain", NAME, *server.flags, *options, "--run-dir", tmp_path / "r", env=made.env)
    finally:
        server.shutdown()
        server.server_close()
    assert (ran.code, ran.errors) == (0, [])
    assert (
        "1. When is the tank full?\n   answer: after 6 minutes\n   verified: none\n   weak 0/3, strong 3/3, from "
        in ran.out
    )
    assert "1 of 1 examples accepted; documents tried: 1\n" in ran.out
    assert "BEGIN passage " in server.requests[0][1]
    assert "Sample text, to be replaced" in server.requests[0][1]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Chess",
        "chess-endings",
        "2chess",
        "_chess",
        "chess_",
        "a__b",
        "a b",
        "schäch",
        "../x",
        "a.b",
        "x" * 41,
        "a\nb",
    ],
)
def test_a_name_that_no_domain_can_have_is_refused(name, tmp_path):
    refused(
        "new-domain", "--out", tmp_path / "n", "--", name, says="cannot name a domain; take at most 40 small letters"
    )
    assert not (tmp_path / "n").exists()


@pytest.mark.parametrize("name", ["math_objects", "base"])
def test_a_name_that_is_taken_is_refused(name, tmp_path):
    refused("new-domain", name, "--out", tmp_path / "n", says=f"the name '{name}' is taken")
    assert not (tmp_path / "n").exists()


def test_nothing_is_ever_overwritten(tmp_path):
    folder = tmp_path / "n"
    assert run_here("new-domain", NAME, "--out", folder).code == 0
    (folder / "pyproject.toml").write_text("mine")
    before = contents(folder)
    refused("new-domain", NAME, "--out", folder, says=f"{folder} is there already and not an empty folder")
    refused("new-domain", "other", "--out", folder / "pyproject.toml", says="is there already and not an empty folder")
    refused("new-domain", "other", "--out", folder / "pyproject.toml" / "x", says="Not a directory")
    assert contents(folder) == before


def test_an_empty_folder_is_filled_and_the_default_one_is_named_after_the_domain(tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    assert run_here("new-domain", NAME, "--out", tmp_path / "empty").code == 0
    monkeypatch.chdir(tmp_path)
    assert run_here("new-domain", NAME).code == 0
    assert set(contents(tmp_path / "autodata-knots-and-ropes")) == FILES == set(contents(tmp_path / "empty"))
