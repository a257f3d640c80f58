"""The command line as a whole: every subcommand explains itself, and nothing slow is loaded before it is needed."""

import json
import os
import resource
import subprocess
import sys

import pytest
import typer
from command_line import COMMAND, run, run_here

from autodata_dspy.cli import app

HEAVY = ("dspy", "sympy", "datasets", "litellm", "rich", "sklearn", "numpy")
OPTIONS = {
    (): "generate run calibrate resume status show export prompts diff list serve-embedded new-domain models",
    (
        "generate",
    ): "--domain --task --documents --seeds --n --program --lm --seed --run-dir --config --concurrency --executor "
    "--passes --per-document --max-rounds --paper-form --quality-check --max-calls --max-tokens --max-usd",
    ("calibrate",): "--domain --task --documents --n --program --lm --config --pilot --rounds --attempts --seed "
    "--concurrency --run-dir --max-calls --max-tokens --max-usd --out",
    (
        "audit-metric",
    ): "--metric --examples --domain --task --probe --label --verifier --lm --draws --repeats --hoped --seed --json",
    (
        "compile",
    ): "--domain --task --documents --program --lm --config --optimizer --option --metric --probe --audit-examples "
    "--hoped --budget --repeats --seed --concurrency --executor --run-dir --max-calls --max-tokens --max-usd --yes --out",
    ("bench",): "suite --run-dir --executor --yes --out",
    ("resume",): "run_dir --n --concurrency --executor --passes --max-calls --max-tokens --max-usd",
    ("status",): "run_dir",
    ("show",): "run_dir document",
    ("export",): "run_dir --format --out --overwrite",
    (
        "run",
    ): "program --documents --seeds --n --lm --seed --run-dir --concurrency --executor --passes --max-calls --max-tokens "
    "--max-usd",
    ("prompts",): "program",
    ("diff",): "before after",
    ("list",): "what",
    ("serve-embedded",): "model... --port --host",
    ("new-domain",): "name --out",
    ("models",): "list pull where",
    ("models", "pull"): "name",
    ("models", "where"): "name",
}


def commands(command=None, path=()):
    """Every command and subcommand there is: (its words, its click command)."""
    command = command or typer.main.get_command(app)
    yield path, command
    for name, sub in getattr(command, "commands", {}).items():
        yield from commands(sub, (*path, name))


COMMANDS = dict(commands())


def loaded_by(code: str) -> set[str]:
    """Which heavy packages a fresh interpreter has loaded after `code`."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport json, sys\nprint(json.dumps(list(sys.modules)), file=sys.stderr)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name for name in json.loads(done.stderr.splitlines()[-1]) if name in HEAVY}


def best_of_five(*command: str) -> float:
    """Seconds of the fastest of five runs. Of the processor: on a calm machine that is what a person waits for, and
    on a busy one it does not fail because others compute."""
    seconds = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(seconds)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_and_each_of_its_options(words):
    ran = run_here(*words, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"Usage: {' '.join(['autodata', *words])} [OPTIONS]")
    said = "".join(ran.out.split())
    assert "".join(COMMANDS[words].help.split()) in said
    for parameter in COMMANDS[words].params:
        assert parameter.help, f"{parameter.name} has no help"
        assert "".join(parameter.help.split()) in said


@pytest.mark.parametrize("words", OPTIONS, ids=" ".join)
def test_the_promised_commands_and_options_are_there(words):
    shown = run_here(*words, "--help").out.split()
    assert set(OPTIONS[words].split()) <= {word.split(",")[0] for word in shown}


@pytest.mark.parametrize("subcommand", [(), ("models",)], ids=" ".join)
def test_a_command_that_needs_a_subcommand_answers_with_its_help(subcommand):
    ran = run_here(*subcommand)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("Usage: autodata")
    assert "Commands:" in ran.err


def test_importing_the_package_loads_nothing_slow():
    assert loaded_by("import autodata_dspy") == set()


@pytest.mark.parametrize(
    "arguments", [["--help"], ["generate", "--help"], ["models", "list"], ["list", "models"], ["list", "programs"]]
)
def test_help_and_the_lists_load_nothing_slow(arguments):
    code = f"import sys; sys.argv = ['autodata', *{arguments}]\nfrom autodata_dspy.cli import main\n"
    assert loaded_by(code + "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code") == set()


def test_reading_a_run_needs_neither_dspy_nor_sympy():
    assert loaded_by("from autodata_dspy import runs\nfrom autodata_dspy.report import narrative") == set()


def test_importing_the_package_takes_less_than_three_tenths_of_a_second():
    assert best_of_five(sys.executable, "-c", "import autodata_dspy") < 0.3


def test_the_help_takes_less_than_three_tenths_of_a_second():
    assert best_of_five(str(COMMAND), "--help") < 0.3


def test_a_reader_that_has_seen_enough_is_no_error():
    read_end, write_end = os.pipe()
    os.close(read_end)
    ran = run("list", stdout=write_end)
    os.close(write_end)
    assert (ran.code, ran.err) == (1, "")


def test_letters_that_the_terminal_cannot_show_are_written_out(tmp_path):
    here = tmp_path / "Ω"
    here.mkdir()
    with (here / "smollm2-135m.gguf").open("wb") as weights:
        weights.truncate(98362432)
    ran = run("models", "where", "smollm2-135m", env={"AUTODATA_MODELS": str(here), "PYTHONIOENCODING": "ascii"})
    assert (ran.code, ran.out) == (0, f"{tmp_path}/\\u03a9/smollm2-135m.gguf\n")
