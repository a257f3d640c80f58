"""Every kind of bad input gets one clear line and exit code 2, and nothing that was there is lost."""

import hashlib
import json
import shutil
import subprocess
import sys
import time

import model_server
import pytest
from command_line import run, run_here

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


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """An empty working directory; no models, keys or caches of this machine are seen."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("AUTODATA_MODELS", raising=False)
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    return folder


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


def contents(folder):
    """Every file below a folder and what is in it; of huge ones only size and time."""
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        if p.stat().st_size < 1_000_000
        else (p.stat().st_size, p.stat().st_mtime_ns)
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.name != "lock"  # whoever asks last leaves its process number there
    }


def refused(*arguments, says):
    """Run it, and demand the one line."""
    ran = run_here(*arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.count("\n") == 1, ran.err
    assert ran.err.startswith("error: ")
    for part in [says] if isinstance(says, str) else says:
        assert part in ran.err
    return ran.err


DOCUMENTS = {
    "no suffix": (
        "text",
        b"One two three four five six.",
        "cannot read documents from a file without suffix; use .txt",
    ),
    "another format": ("paper.pdf", b"%PDF-1.4", "paper.pdf: cannot read documents from .pdf; use .txt, .md, .jsonl"),
    "empty": ("empty.txt", b"", "document 'empty.txt' is empty or has fewer than 5 words"),
    "only white space": ("blank.md", b" \n\t\n", "document 'blank.md' is empty"),
    "an empty text in a line": ("e.jsonl", b'{"text": ""}', "document 'e.jsonl:1' is empty"),
    "no line at all": ("none.jsonl", b"\n", "no documents"),
    "binary": ("b.txt", b"\x7fELF\x00\x01\x02 one two three four", "b.txt: is a binary file, not text"),
    "another encoding": (
        "l.txt",
        "Fünf Wörter stehen hier geschrieben.".encode("latin-1"),
        "l.txt: is not UTF-8 (byte 1)",
    ),
    "no JSON": ("j.jsonl", b'{"text": "One two three four five."}\nnope', "j.jsonl, line 2: not a JSON object"),
    "no text": (
        "t.jsonl",
        b'{"txt": "One two three four five."}',
        't.jsonl, line 1: needs an object with a string "text"',
    ),
    "one id twice": ("i.jsonl", b'{"id": 1, "text": "a b c d e"}\n{"id": "1", "text": "a b c d f"}', "have the id '1'"),
    "a huge text in a line": (
        "h.jsonl",
        json.dumps({"text": "word " * 1_200_000}).encode(),
        "h.jsonl, line 1: 6 MB is too",
    ),
}


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_unusable_documents_are_refused(here, kind):
    name, content, says = DOCUMENTS[kind]
    (here / name).write_bytes(content)
    before = contents(here)
    refused("generate", "--documents", name, says=says)
    assert contents(here) == before


def test_missing_documents_are_refused(here):
    refused("generate", "--documents", "nowhere.txt", says="documents not found: nowhere.txt; give a file (.txt, .md")
    assert contents(here) == {}


def test_a_folder_without_documents_is_refused(here):
    (here / "folder").mkdir()
    (here / "folder" / "picture.png").touch()
    refused("generate", "--documents", "folder", says="no documents in folder: nothing there ends in .txt, .md, .jsonl")


def test_a_document_of_fifty_megabytes_is_refused(here):
    with (here / "large.txt").open("wb") as sparse:
        sparse.truncate(50_000_000)
    refused("generate", "--documents", "large.txt", says="large.txt: 50 MB is too large for one document (limit 5 MB)")
    assert (here / "large.txt").stat().st_size == 50_000_000


FLAGS = {
    "a role that does not exist": (
        "generate --lm stron_solver=vllm:x",
        "unknown role 'stron_solver'; did you mean 'strong_so",
    ),
    "a role without a model": ("generate --lm strong_solver", "--lm 'strong_solver': expected ROLE=MODEL"),
    "an empty model": ("generate --lm judge=", "--lm 'judge=': expected ROLE=MODEL"),
    "a parameter without a model": ("generate --lm judge.temperature=1", "role 'judge': expected a model string"),
    "an embedded model that does not exist": (
        "generate --lm all=embedded/smollm2-135",
        "unknown embedded model 'smollm2-135'; did you mean 'smollm2-135m'?",
    ),
    "a key on the command line": (
        "generate --lm judge=x/y --lm judge.api_key=s3cret",
        "roles.judge.api_key: keys are not",
    ),
    "a key variable that is not set": (
        "generate --lm all=openai/x --lm all.api_key_env=NO_SUCH_KEY",
        "model 'openai/x': the environment variable NO_SUCH_KEY (api_key_env) is not set",
    ),
    "a domain that does not exist": (
        "generate --domain math_object",
        "unknown domain 'math_object'; did you mean 'math_obj",
    ),
    "a program that does not exist": (
        "generate --program agentic",
        "unknown generator 'agentic'; did you mean 'agentic_self",
    ),
    "a thing that cannot be listed": ("list domain", "unknown thing to list 'domain'; did you mean 'domains'?"),
    "weights of no known model": (
        "models pull smollm",
        "unknown embedded model 'smollm'; did you mean 'smollm2-135m'?",
    ),
    "the place of no known model": (
        "models where gpt-9",
        "unknown embedded model 'gpt-9'; available: qwen2.5-coder-0.5b",
    ),
    "the place of missing weights": (
        "models where smollm2-135m",
        "not here; fetch them with: autodata models pull smollm2-135m",
    ),
    "no examples wanted": ("generate --n 0", "'--n': Input should be greater than or equal to 1"),
    "a number that is none": ("generate --n many", "'--n': "),
    "a negative seed": ("generate --seed -1", "'--seed': Input should be greater than or equal to 0"),
    "no documents at a time": ("resume run --concurrency 0", "'--concurrency': "),
    "no money": ("generate --max-usd 0", "setting 'limits.max_usd': Input should be greater than 0, not 0.0"),
    "an option that does not exist": ("generate --document x", "No such option: --document"),
    "a command that does not exist": ("generat", "No such command 'generat'"),
    "a missing run folder": ("status", "Missing argument 'run_dir'; see: autodata status --help"),
    "too many arguments": ("status a b", "unexpected extra argument"),
    "a configuration that is not there": ("generate --config my.toml", "configuration file not found: my.toml"),
    "a program file that is not there": (
        "generate --program my.json",
        "my.json: cannot be read: No such file or directory",
    ),
    "status of no run": ("status nowhere", "nowhere is not a run folder (no config.json)"),
    "show of no run": ("show nowhere", "nowhere is not a run folder (no config.json)"),
    "resume of no run": ("resume nowhere", "nowhere is not a run folder (no config.json)"),
}


@pytest.mark.parametrize("kind", FLAGS)
def test_wrong_arguments_are_refused(here, kind):
    arguments, says = FLAGS[kind]
    said = refused(*arguments.split(), says=says)
    assert "s3cret" not in said
    assert contents(here) == {}


TOML = {
    "no TOML": ("n = = 3", "configuration file my.toml: "),
    "no text": (b"n = 3 # \xff", "configuration file my.toml: 'utf-8' codec can't decode"),
    "an unknown setting": ("domian = 'math_objects'", "unknown setting 'domian'; did you mean 'domain'?"),
    "an unknown setting of a table": (
        "[limits]\nmax_call = 3",
        "unknown setting 'max_call'; did you mean 'max_calls'?",
    ),
    "an unknown role": ("[roles]\njugde = 'vllm:x'", "unknown role 'jugde'; did you mean 'judge'?"),
    "a value of the wrong kind": ("n = 'three'", "setting 'n': "),
    "no examples wanted": ("n = 0", "setting 'n': Input should be greater than or equal to 1, not 0"),
    "no table of roles": ("roles = 'vllm:x'", "setting 'roles': expected a table of roles"),
    "a key": (
        "[roles.judge]\nmodel = 'x/y'\napi_key = 's3cret'",
        "roles.judge.api_key: keys are not kept in configurations",
    ),
    "counts that contradict": ("[acceptance]\nmax_weak = 9", "max_weak=9 must lie between 0 and n_weak=4"),
}


@pytest.mark.parametrize("kind", TOML)
def test_a_wrong_configuration_file_is_refused(here, kind):
    text, says = TOML[kind]
    (here / "my.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    before = contents(here)
    said = refused("generate", "--config", "my.toml", says=says)
    assert "s3cret" not in said
    assert contents(here) == before


def test_a_configuration_file_that_is_a_folder_is_refused(here):
    (here / "my.toml").mkdir()
    refused("generate", "--config", "my.toml", says="configuration file my.toml: [Errno 21] Is a directory")


PROGRAMS = {
    "no JSON": ("nope", "my.json: not a program file"),
    "no program": ('{"a": 1}', "my.json: not a program file (expected schema, generator, predictors)"),
    "nested too deep": ("[" * 100_000, "my.json: not a program file (maximum recursion depth"),
    "too large": (" " * 5_000_001, "my.json: too large for a program file (limit 5 MB)"),
    "of a newer version": ('{"schema": 2, "generator": "x", "predictors": {}}', "schema 2, this version reads 1"),
    "of another generator": (
        '{"schema": 1, "generator": "x", "predictors": {}}',
        "my.json: has the predictors [], the generator has ['challenger.write']",
    ),
    "of other fields": (
        '{"schema": 1, "generator": "x", "predictors": {"challenger.write": '
        '{"fields": ["topic", "question"], "instructions": "", "demos": []}}}',
        "my.json: challenger.write has the fields ['topic', 'question'], the generator has ['passage', 'angle',",
    ),
}


@pytest.mark.parametrize("kind", PROGRAMS)
def test_a_program_file_that_does_not_fit_is_refused(here, kind):
    text, says = PROGRAMS[kind]
    (here / "my.json").write_text(text)
    before = contents(here)
    refused("generate", "--program", "my.json", "--lm", "all=vllm:x", says=says)
    assert contents(here) == before


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


def refused_run(*arguments, says):
    """As `refused`, for what is only found out when the run begins: lines of progress may come before."""
    ran = run_here(*arguments)
    assert (ran.code, len(ran.errors)) == (2, 1)
    assert ran.err.splitlines()[-1] == ran.errors[0]
    assert says in ran.errors[0]
    return ran


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


def test_the_installed_command_refuses_in_the_same_way(here):
    ran = run("generate", "--documents", "nowhere.txt")
    assert (ran.code, ran.out) == (2, "")
    assert (
        ran.err == "error: documents not found: nowhere.txt; give a file (.txt, .md, .jsonl), a folder, or 'builtin'\n"
    )
