"""Programs that start from seed tasks on the command line: slots instead of documents, seeds of a file, and options that
a program does not take."""

import json

import dspy
import pytest
from command_line import refused_run, run_here
from scripted import scripted_lm

from autodata_dspy import runs
from autodata_dspy.config import N_SLOTS, RunConfig
from autodata_dspy.errors import ConfigError
from autodata_dspy.generators import CoTSelfInstruct, SelfInstruct

SEEDS = [
    {"instruction": "Name the opposite of the word.", "input": "warm", "output": "cold"},
    {"instruction": "Which sea lies north of Poland?", "output": "the Baltic Sea"},
]
LIST = (
    "9. Say how a lighthouse warns ships at night.\n10. Do it\n11. Draw a map of the whole island.\n12. Name the word."
)


def challenger(call):
    if "new_tasks" in call.prompt:
        return {"new_tasks": LIST}
    if "`classification`" in call.prompt:
        return {"classification": "no"}
    return {"examples": "Input: fog\nOutput: It sounds a horn.\n\nInput: calm\nOutput: calm"}


@pytest.fixture
def model():
    """Plays every role that no option names."""
    lm = scripted_lm(challenger, schema=True)
    dspy.configure(lm=lm)
    return lm


@pytest.fixture
def seeds(tmp_path):
    path = tmp_path / "seeds.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in SEEDS), "utf-8")
    return path


# -- runs ------------------------------------------------------------------------------------------------------


def test_slots_run_without_documents_and_end_at_what_was_wanted(model, seeds, tmp_path):
    options = ["--program", "self_instruct", "--domain", "instructions", "--documents", "none", "--concurrency", "1"]
    ran = run_here("generate", *options, "--seeds", seeds, "--n", "1", "--run-dir", tmp_path / "r")
    assert ran.code == 0, ran.err
    assert "1. Say how a lighthouse warns ships at night.\n\nfog\n   answer: It sounds a horn.\n" in ran.out
    assert "1 of 1 examples accepted; documents tried: 1\n" in ran.out and "used up" not in ran.out
    assert "from slot-00001" in ran.out and "passage" not in model.engine.calls[0].inputs
    assert all(row["instruction"] in model.engine.calls[0].inputs["tasks"] for row in SEEDS)


def test_status_breaks_down_what_was_dropped_and_used_up_slots_come_with_a_hint(model, seeds, tmp_path):
    options = ["--program", "self_instruct", "--domain", "instructions", "--documents", "none", "--concurrency", "1"]
    run_dir = tmp_path / "r"
    ran = run_here("generate", *options, "--seeds", seeds, "--n", "2", "--passes", "1", "--run-dir", run_dir)
    assert ran.code == 0, ran.err
    assert f"1 of 2 examples accepted; documents tried: {N_SLOTS}\n" in ran.out
    assert f"all slots are used up; for another pass: autodata resume {run_dir} --passes 2\n" in ran.out
    told = run_here("status", run_dir).out
    assert f"{N_SLOTS} of {N_SLOTS} documents finished\n" in told
    n = N_SLOTS  # every slot writes the same list, of which the pool takes one instruction once
    counts = {"too_short": 2 * n, "mentions_media": n, "rouge_l": n - 1, "input_is_output": 1}
    lines = [f"  {4 * n:4} dropped by a filter of the method", *(f"{c:11} {name}" for name, c in counts.items())]
    assert "\n".join(lines) in told
    assert f"slot-{n:05d}" in run_here("show", run_dir, f"slot-{n:05d}").out

    again = run_here("resume", run_dir, "--n", "1")
    assert "used up" not in again.out and "1 of 1 examples accepted" in again.out


def test_cot_self_instruct_reads_seeds_of_a_file(seeds, tmp_path):
    lm = scripted_lm(
        lambda call: (
            {"plan": "A fact.", "question": "Which sea lies south of Sweden?", "answer": "the Baltic Sea"}
            if "`plan`" in call.prompt and "examples" in call.inputs
            else dict.fromkeys(("answer", "reasoning", "reason", "plan"), "the Baltic Sea") | {"verdict": "correct"}
        ),
        schema=True,
    )
    dspy.configure(lm=lm)
    options = ["--program", "cot_self_instruct", "--domain", "instructions", "--documents", "none"]
    ran = run_here(
        "generate", *options, "--seeds", seeds, "--n", "1", "--concurrency", "1", "--run-dir", tmp_path / "r"
    )
    assert ran.code == 0, ran.err
    assert "1. Which sea lies south of Sweden?\n   answer: the Baltic Sea\n   verified: judged" in ran.out
    [first, *_] = [call for call in lm.engine.calls if "examples" in call.inputs]
    assert all(row["output"] in first.inputs["examples"] for row in SEEDS)


# -- what is refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("program", ["self_instruct", "cot_self_instruct"])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "seed tasks not found: "),
        ("", "no seed tasks; give lines such as"),
        ('{"instruction": "Say it.", "output": "it"}\n{"instruction": "Say it."', "line 2: not a JSON object"),
        ('{"instruction": "Say it."}', 'line 1: "output" is missing or empty'),
    ],
    ids=["missing", "empty", "broken", "incomplete"],
)
def test_bad_files_of_seeds_are_refused_before_anything_is_asked(model, tmp_path, program, content, says):
    path = tmp_path / "s.jsonl"
    if content is not None:
        path.write_text(content, "utf-8")
    options = ["--documents", "none", "--domain", "instructions", "--program", program, "--run-dir", tmp_path / "r"]
    ran = refused_run("generate", *options, "--seeds", path, says=says)
    assert str(path) in ran.errors[0] and model.engine.calls == [] and not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("program", "option", "setting"),
    [
        ("self_instruct", "--max-rounds 2", "max_rounds"),
        ("self_instruct", "--acceptance paper-math", "acceptance"),
        ("self_instruct", "--no-quality-check", "quality_check"),
        ("self_instruct", "--without gap", "without"),
        ("cot_self_instruct", "--acceptance paper-math", "acceptance"),
        ("cot_self_instruct", "--no-quality-check", "quality_check"),
        ("cot_self_instruct", "--without gap", "without"),
        ("agentic_self_instruct", "--seeds tasks.jsonl", "seeds"),
    ],
)
def test_an_option_that_a_program_does_not_take_is_refused(model, tmp_path, program, option, setting):
    options = [] if program == "agentic_self_instruct" else ["--documents", "none"]
    says = f"setting '{setting}': the program '{program}' does not take it; leave it out ("
    run_dir = tmp_path / "r"
    refused_run("generate", "--program", program, *options, *option.split(), "--run-dir", run_dir, says=says)
    assert model.engine.calls == [] and not run_dir.exists()


def test_a_program_that_writes_from_documents_needs_some(model, tmp_path):
    says = "documents 'none': the program 'agentic_self_instruct' writes from documents; name some, or use a program"
    refused_run("generate", "--documents", "none", "--run-dir", tmp_path / "r", says=says)
    assert not (tmp_path / "r").exists()


# -- what a configuration builds -------------------------------------------------------------------------------


def test_a_configuration_hands_over_what_a_program_takes(seeds):
    fixed = {"documents": "none", "domain": "instructions", "seeds": str(seeds), "per_document": 2}
    classic = runs.build_maker(RunConfig.of({**fixed, "program": "self_instruct"}))
    assert type(classic) is SelfInstruct and classic.per_document == 2
    assert classic.pool.seeds == tuple(row["instruction"] for row in SEEDS)
    cot = runs.build_maker(RunConfig.of({**fixed, "program": "cot_self_instruct", "max_rounds": 3}))
    assert type(cot) is CoTSelfInstruct and (cot.per_document, cot.max_rounds) == (2, 3)
    assert [task.instruction for task in cot.seeds] == [row["instruction"] for row in SEEDS]


def test_without_documents_there_are_slots_whose_number_no_wish_changes():
    slots = runs.read_documents(RunConfig(documents="none", n=3))
    assert slots == runs.read_documents(RunConfig(documents="none", n=900))
    assert len(slots) == N_SLOTS and not any(slot.text for slot in slots)
    assert len({slot.id for slot in slots}) == N_SLOTS


@pytest.mark.parametrize(
    ("settings", "n_passes"),
    [
        ({"documents": "none", "n": 1}, 1),
        ({"documents": "none", "n": 10}, 1),
        ({"documents": "none", "n": 11}, 2),
        ({"documents": "none", "n": 1000}, 100),
        ({"documents": "none", "n": 1_000_000}, 1000),  # the bound
        ({"documents": "none", "n": 1000, "passes": 3}, 3),
        ({"documents": "builtin", "n": 1000}, 1),
        ({"documents": "builtin", "n": 1000, "passes": 7}, 7),
    ],
)
def test_how_often_slots_and_documents_are_gone_through(settings, n_passes):
    assert RunConfig.of(settings).n_passes == n_passes


@pytest.mark.parametrize("passes", [0, 1001])
def test_passes_out_of_range_are_refused(passes):
    with pytest.raises(ConfigError, match="passes"):
        RunConfig.of({"passes": passes})
