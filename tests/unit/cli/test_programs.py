"""`autodata run`, `prompts`, `diff` and `list programs`."""

import json

import pytest
from command_line import refused, refused_run, run_here

from autodata_dspy import program_sources, runs
from autodata_dspy.artifact import save_program
from autodata_dspy.config import RunConfig
from autodata_dspy.domains import legal_labels
from autodata_dspy.generators import AgenticSelfInstruct, CoTSelfInstruct
from autodata_dspy.labelled_task import LabelledTask


@pytest.fixture
def saved(tmp_path):
    """`saved(name, instructions, domain, **options)` writes a program and says where."""

    def save(name="p.json", instructions="Write SQUARES only.", domain="math_objects", **options):
        made = AgenticSelfInstruct(domain, **options)
        made.challenger.write.signature = made.challenger.write.signature.with_instructions(instructions)
        save_program(made, tmp_path / name)
        return tmp_path / name

    return save


def test_run_is_generate_with_the_programs_own_domain_and_options(server, planned, saved, tmp_path):
    program = saved(per_document=1, max_rounds=3)
    options = ["--documents", planned(alpha="accept", beta="easy accept"), "--n", "2", "--run-dir"]
    ran = run_here("run", program, *server.flags, *options, tmp_path / "a")
    assert (ran.code, "2 of 2 examples accepted" in ran.out) == (0, True)
    assert any("Write SQUARES only." in body for role, body in server.requests if role == "challenger")
    same = run_here("generate", "--program", program, *server.flags, *options, tmp_path / "b")
    assert same.code == 0
    configs = [runs.read_config(tmp_path / name) for name in ("a", "b")]
    assert configs[0] == configs[1]
    assert (configs[0].domain, configs[0].per_document, configs[0].max_rounds) == ("math_objects", 1, 3)
    resumed = run_here("resume", tmp_path / "a", "--n", "2")
    assert resumed.code == 0


def test_what_is_set_goes_before_what_the_program_tells(saved):
    path = str(saved("legal.json", domain="legal", per_document=1, max_rounds=3, without=["gap"]))
    told = runs.completed(RunConfig.of({"program": path, "max_rounds": 5}))
    assert (told.domain, told.per_document, told.max_rounds, told.without) == ("legal", 1, 5, ("gap",))
    assert runs.completed(told) == told
    maker = runs.build_maker(told)
    assert (maker.domain.name, maker.max_rounds, maker.without) == ("legal", 5, ("gap",))
    assert maker.challenger.write.signature.instructions == "Write SQUARES only."


def test_the_task_of_a_program_is_the_runs(tmp_path):
    examples = {"wet": ("The gutters ran over.",), "dry": ("Dust lay on every leaf.",)}
    task = LabelledTask("weather", {"wet": "It rains.", "dry": "The sun shines."}, examples=examples)
    save_program(CoTSelfInstruct(legal_labels.for_task(task)), tmp_path / "p.json")
    told = runs.completed(RunConfig.of({"program": str(tmp_path / "p.json")}))
    assert (told.domain, told.task) == ("legal_labels", task.to_table())
    assert runs.generator_of(told) is CoTSelfInstruct
    given = ("--program", tmp_path / "p.json", "--documents", "builtin", "--out", tmp_path / "c.toml")
    refused_run("calibrate", *given, "--run-dir", tmp_path / "r", says="CoTSelfInstruct has no weak and strong solver")


def test_a_run_whose_program_is_gone_can_still_be_read(server, planned, saved, tmp_path):
    program = saved(per_document=1)
    options = ["--documents", planned(alpha="accept"), "--n", "1", "--run-dir", tmp_path / "r"]
    assert run_here("run", program, *server.flags, *options).code == 0
    program.unlink()
    assert run_here("show", tmp_path / "r", "alpha").code == 0
    assert run_here("status", tmp_path / "r").code == 0
    refused("resume", tmp_path / "r", "--n", "5", says="p.json: cannot be read: No such file or directory")


def test_what_is_no_program_is_refused(saved, tmp_path):
    refused("run", "agentic_self_instruct", says="unknown program 'agentic_self_instruct'")
    refused("run", tmp_path / "none.json", says="none.json: cannot be read: No such file or directory")
    refused("generate", "--program", "legal/none", says="unknown program 'legal/none'")
    refused(
        "generate", "--program", saved(), "--domain", "legal", says="the program is for 'math_objects', the generator's"
    )
    refused("prompts", "x", says="unknown program 'x'; available: ")
    refused("diff", "seed", "x", says="unknown program 'x'")
    refused("diff", "x", saved(), says="unknown program 'x'")


def test_prompts_are_plain_text_that_cannot_steer_the_terminal(saved):
    path = saved(instructions="Line one.\nLine \x1b[2J two.")
    ran = run_here("prompts", path)
    assert ran.code == 0
    assert ran.out.startswith(
        "agentic_self_instruct on math_objects\n\n=== challenger.write ===\nLine one.\nLine \\x1b[2J two.\n\nGiven:\n- passage: "
    )
    assert "\nWrite:\n- idea: what is asked, in one short line with the formula\n- program\n- question: " in ran.out
    assert "\nExample 1:\npassage: " in ran.out
    assert "\x1b" not in ran.out


def test_the_prompts_of_a_file_of_the_first_schema_are_shown(tmp_path):
    prompt = {
        "fields": ["passage", "question"],
        "instructions": "Ask.",
        "demos": [{"passage": ["a", 1], "question": "b"}],
    }
    body = {"schema": 1, "generator": "AgenticSelfInstruct", "predictors": {"write": prompt}}
    (tmp_path / "p.json").write_text(json.dumps(body))
    assert run_here("prompts", tmp_path / "p.json").out == (
        "AgenticSelfInstruct on any domain\n\n=== write ===\nAsk.\n\nGiven:\n- passage\n- question\n\n"
        'Example 1:\npassage: ["a", 1]\nquestion: b\n'
    )


def test_the_difference_to_the_seed_is_what_compiling_changed(saved, tmp_path):
    same = tmp_path / "same.json"
    save_program(AgenticSelfInstruct("math_objects"), same)
    assert run_here("diff", "seed", same).out == "no difference in instructions, demonstrations and options\n"
    out = run_here("diff", "seed", saved()).out
    assert out.startswith("--- seed\n+++ ")
    assert "\n+Write SQUARES only.\n" in out
    assert "\n+Example" not in out


def test_two_programs_are_compared_with_their_options(saved):
    one = saved("one.json", "Same.\nWrite A.", per_document=1, max_rounds=3)
    other = saved("two.json", "Same.\nWrite B.", per_document=1, max_rounds=4)
    out = run_here("diff", one, other).out
    changed = [line for line in out.splitlines()[2:] if line[0] in "+-"]
    assert changed == ["-max_rounds: 3", "+max_rounds: 4", "-Write A.", "+Write B."]


def test_shipped_programs_are_listed_or_told_to_be_none(saved, tmp_path, monkeypatch):
    monkeypatch.setattr(program_sources, "_SHIPPED", tmp_path / "programs")
    assert run_here("list", "programs").out == "programs:\n  (none)                   this version ships no programs\n"
    (tmp_path / "programs" / "math_objects").mkdir(parents=True)
    saved("programs/math_objects/gepa.json")
    assert run_here("list", "programs").out == "programs:\n  math_objects/gepa\n"
    assert "Write SQUARES only." in run_here("prompts", "math_objects/gepa").out
