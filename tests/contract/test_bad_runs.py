"""Run folders, weights and endpoints that cannot be used: one clear line, exit code 2, and nothing is lost."""

import json
import shutil
import subprocess
import sys
import time

import model_server
import pytest
from command_line import contents, refused, refused_run, run_here

from autodata_dspy.store import RunFolder
from autodata_dspy.types import Trajectory

SMOLLM2_BYTES = 98362432
HOLDER = """
import fcntl, os, sys
lock = open(sys.argv[1], "a+")
fcntl.flock(lock, fcntl.LOCK_EX)
lock.truncate(0)
print(os.getpid(), file=lock, flush=True)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run folder with one finished document, and the options that made it."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "good.jsonl").write_text(model_server.lines(model_server.document("alpha", "accept")))
    with model_server.serving() as server:
        options = ["--documents", folder / "good.jsonl", *server.flags, "--per-document", "1", "--n", "1"]
        assert run_here("generate", *options, "--run-dir", folder / "run").code == 0
    return folder / "run", options


@pytest.fixture
def finished_run(here, made):
    """A copy of that run as `run`, and the options that would continue it; its server is gone."""
    shutil.copytree(made[0], here / "run")
    return [*made[1], "--run-dir", "run"]


@pytest.mark.parametrize(
    ("run_dir", "says"),
    [
        ("file", "file is a file; name a folder for the run"),
        ("file/run", "cannot write the run folder file/run: Not a directory"),
        ("full", "full is not a run folder and not empty (thesis.tex, …); name another one"),
    ],
)
def test_a_place_where_no_run_folder_can_be_is_refused(here, run_dir, says):
    (here / "file").write_text("mine")
    (here / "full").mkdir()
    (here / "full" / "thesis.tex").write_text("mine")
    before = contents(here)
    refused_run("generate", "--lm", "all=vllm:x", "--run-dir", run_dir, says=says)
    assert contents(here) == before


@pytest.mark.parametrize("command", ["status", "show", "resume"])
def test_a_file_is_no_run_folder(here, command):
    (here / "file").write_text("mine")
    refused(command, "file", says="file/config.json cannot be read: [Errno 20] Not a directory")


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("{", "run/config.json cannot be read: Expecting property name"),
        ("{}", "run/config.json cannot be read: 'schema'"),
        ('{"schema": 2}', "run was written by a newer version of autodata (schema 2)"),
        ('{"schema": 1, "fingerprint": "", "config": {"n": 0}}', "setting 'n': "),
        ('{"schema": 1, "fingerprint": "", "config": [1]}', "configuration: "),
    ],
)
@pytest.mark.parametrize("command", ["status", "show", "resume"])
def test_a_damaged_run_folder_is_refused(here, command, config, says):
    (here / "run").mkdir()
    (here / "run" / "config.json").write_text(config)
    before = contents(here)
    refused(command, "run", says=says)
    assert contents(here) == before


def test_an_unknown_document_is_refused_with_the_nearest_ones(here, finished_run):
    refused("show", "run", "alpa", says="unknown finished document 'alpa'; did you mean 'alpha'? available: alpha")


def test_of_many_documents_only_the_nearest_ones_are_offered(here):
    folder = RunFolder(here / "run")
    folder.create({}, "mark", [])
    with folder.owned():
        for i in range(200):
            folder.append(Trajectory(f"document-{i}"))
    said = refused(
        "show", "run", "dokument-77", says="unknown finished document 'dokument-77'; did you mean 'document-77'?"
    )
    assert said.count("document-") == 1 + 20


def test_a_run_folder_in_use_is_refused_and_left_alone(here, finished_run):
    before = contents(here)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, "run/lock"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "held\n"
        in_use = f"the run folder run is in use by process {holder.pid}; wait for it or name another folder"
        refused_run("generate", *finished_run, says=in_use)
        refused_run("resume", "run", says=in_use)
    finally:
        holder.communicate()
    assert contents(here) == before
    assert run_here("resume", "run").code == 0


@pytest.mark.parametrize("change", [["--seed", "7"], ["--max-rounds", "3"], ["--lm", "judge=vllm:other"]])
def test_a_run_folder_of_another_configuration_is_refused_and_left_alone(here, finished_run, change):
    before = contents(here)
    refused_run("generate", *finished_run, *change, says="the run folder run belongs to another configuration")
    assert contents(here) == before


def test_weights_with_a_wrong_hash_are_refused_and_left_where_the_user_put_them(here, monkeypatch):
    weights = here / "smollm2-135m.gguf"
    with weights.open("wb") as sparse:
        sparse.truncate(SMOLLM2_BYTES)
    monkeypatch.setenv("AUTODATA_MODELS", str(here))
    says = f"{weights}: not the weights of smollm2-135m (its SHA-256 is wrong); remove it"
    refused_run("models", "pull", "smollm2-135m", says=says)
    ran = refused_run("generate", "--lm", "all=embedded/smollm2-135m", "--n", "1", "--run-dir", "run", says=says)
    assert "to go on: autodata resume run" in ran.out
    assert weights.stat().st_size == SMOLLM2_BYTES


@pytest.fixture
def small_disk(tmp_path, monkeypatch):
    """A cache on a file system of 64 MB."""
    place = tmp_path / "small"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("mounting needs root")
    monkeypatch.setenv("XDG_CACHE_HOME", str(place))
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_no_disk_space_for_the_weights_is_told_before_anything_is_fetched(here, small_disk):
    says = "not enough disk space for smollm2-135m: 98 MB needed, "
    refused_run("models", "pull", "smollm2-135m", says=says)
    refused_run("generate", "--lm", "all=embedded/smollm2-135m", "--run-dir", "run", says=says)
    assert [p.name for p in small_disk.rglob("*") if p.is_file() and p.stat().st_size] == []


@pytest.mark.parametrize(("retries", "seconds"), [(["--lm", "all.num_retries=0"], 30), ([], 60)])
def test_an_endpoint_that_does_not_answer_is_named_soon_and_the_run_is_kept(here, retries, seconds):
    started = time.monotonic()
    ran = refused_run(
        *("generate", "--lm", "all=vllm:tiny", "--lm", "all.api_base=http://127.0.0.1:1/v1", *retries),
        *("--n", "1", "--run-dir", "run"),
        says="error: role 'challenger': vllm:tiny did not answer: [vllm:tiny] failed to connect to 127.0.0.1:1",
    )
    assert time.monotonic() - started < seconds
    assert "everything so far is kept; to go on: autodata resume run" in ran.out
    assert json.loads((here / "run" / "usage.json").read_text())["by_role"]["challenger"]["failed"] >= 1
    assert run_here("status", "run").out.count("stopped: ") == 1
