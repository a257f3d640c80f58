"""Exports of run folders, of every generator and of damaged ones, and the command line."""

import dataclasses
import json
import os
import re
import shutil
import time

import pytest
import scripted
import world
from command_line import contents, refused, run_here
from exportable import accepted, folder_of, rejected, result_of

from autodata_dspy import generate
from autodata_dspy.exporters import export
from autodata_dspy.generators import CoTSelfInstruct, SelfInstruct
from autodata_dspy.store import RunFolder
from autodata_dspy.types import Document, to_dict


def test_a_run_folder_gives_what_its_result_gives_and_is_left_alone(run, tmp_path):
    folder, result = run
    before = contents(folder)
    export(result, "jsonl", tmp_path / "a.jsonl")
    export(folder, "jsonl", tmp_path / "b.jsonl")
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    assert contents(folder) == before and result.accepted


def test_an_unfinished_run_or_one_of_another_version_is_exported_and_said_to_be_so(run, tmp_path):
    folder, result = run
    (folder / "result.json").unlink()
    (folder / "removed.json").unlink()
    stored = json.loads((folder / "config.json").read_text())
    stored["config"] = {"n": 3, "domain": "tiny", "a_setting_of_tomorrow": 1}
    (folder / "config.json").write_text(json.dumps(stored))
    done = export(folder, "jsonl", tmp_path / "b.jsonl")
    questions = [json.loads(line)["question"] for line in done.path.open()]
    assert questions == [row["question"] for row in result.accepted]
    assert "No session of the run has come to its end" in done.card.read_text()


def test_what_no_final_audit_has_seen_is_left_out(run, tmp_path):
    folder, result = run
    with (folder / "trajectories.jsonl").open("a") as stream:
        line = {"document_id": "later", "rounds": [], "seed": 0}
        stream.write(json.dumps(line) + "\n")
    done = export(folder, "jsonl", tmp_path / "b.jsonl")
    assert done.n == len(result.accepted) and "more documents in the run folder are left out" in done.card.read_text()


def test_ten_thousand_examples_of_a_long_run_take_seconds(many, tmp_path):
    rounds = (rejected(0), rejected(1))
    folder = folder_of(many, tmp_path / "run")
    written = (folder / "trajectories.jsonl").read_text()
    text = json.dumps(to_dict(rounds))[1:-1]  # made once, not ten thousand times
    (folder / "trajectories.jsonl").write_text(written.replace('"rounds": [', f'"rounds": [{text}, '))
    long = tuple(dataclasses.replace(t, rounds=(*rounds, *t.rounds)) for t in many.trajectories)
    RunFolder(folder).write_result(dataclasses.replace(many, trajectories=long).record())
    began = time.process_time()
    done = export(folder, "jsonl", tmp_path / "rows.jsonl")
    assert time.process_time() - began < 10  # it was 5.5 on a slow and busy machine
    assert done.n == 10_000 and "- rounds: 30000\n" in done.card.read_text()
    shutil.rmtree(folder)


SWITCHED_OFF = ("feedback", "gap")


def test_what_was_switched_off_is_in_rows_and_card(tmp_path):
    result = generate(world.maker(without=SWITCHED_OFF), world.DOCUMENTS, run_dir=tmp_path / "run", n=2)
    done = export(tmp_path / "run", "jsonl", tmp_path / "rows.jsonl")
    rows = [json.loads(line) for line in done.path.open()]
    assert [row["without"] for row in rows] == [list(SWITCHED_OFF)] * len(result.accepted) and rows
    assert "- switched off: feedback, gap\n" in done.card.read_text()


# -- classic methods ------------------------------------------------------------------------------------------

SLOTS = [Document(f"slot-{i}", "") for i in range(3)]


def tasks(call):
    if "new_tasks" in call.prompt:
        return {"new_tasks": f"9. Say how a lighthouse {call.seed} warns ships at night.\n10. Do it"}
    return (
        {"classification": "no"}
        if "`classification`" in call.prompt
        else {"examples": "Input: none\nOutput: By light."}
    )


def card_of(maker, documents, tmp_path, name="jsonl"):
    result = generate(maker, documents, run_dir=tmp_path / "run", concurrency=1)
    done = export(tmp_path / "run", name, tmp_path / "rows")
    return result, [json.loads(line) for line in done.path.open()], done.card.read_text()


@pytest.mark.parametrize("name", ["jsonl", "chat_sft", "grpo"])
def test_self_instruct_gives_unchecked_rows_without_rollouts(name, tmp_path):
    maker = SelfInstruct(scripted.tiny_domain(), scripted.scripted_roles(challenger=tasks, schema=True))
    result, rows, card = card_of(maker, SLOTS, tmp_path, name)
    assert len(rows) == len(result.accepted) > 0
    assert {(r["verified"], r["weak_mean"], r["judge_model"]) for r in rows} == {("none", None, "")}
    assert all(r["weak_scores"] == r["strong_scores"] == [] and r["verdicts"] == "{}" for r in rows)
    assert "**none**" in card and "- acceptance rule: none; the generator keeps what its filters leave\n" in card
    assert re.search(r"  - dropped by a filter of the method: \d+\n    - too\\_short: \d+\n", card)
    assert "- documents: none; attempts without one (`document_id` numbers them): 3\n" in card
    assert "from no document" in card and "Difficulty" not in card and "| strong" not in card


def solved(call):
    return {"reasoning": "because", "answer": "4" if "even" in call.prompt else f"other {call.number}"}


def question(call):
    return {"plan": "One fact.", "question": f"Which {'even' if call.number % 2 else 'odd'} number?", "answer": "4"}


def test_cot_self_instruct_tells_its_filter(tmp_path):
    roles = scripted.scripted_roles(challenger=question, strong_solver=solved, schema=True)
    result, rows, card = card_of(CoTSelfInstruct(scripted.tiny_domain(), roles), SLOTS, tmp_path)
    assert len(rows) == len(result.accepted) > 0
    assert all(row["strong_scores"] and "answer_consistency" in json.loads(row["verdicts"]) for row in rows)
    assert re.search(r"  - dropped by a filter of the method: \d+\n    - answer\\_consistency: \d+\n", card)
    assert f"**{result.verified}**" in card and result.verified in ("checked", "judged")
    assert "Difficulty is that of the solvers" in card


@pytest.mark.parametrize(
    ("config", "behind", "rule"),
    [
        ({"program": "self_instruct"}, "none", "none; the generator keeps what its filters leave"),
        ({"program": "cot_self_instruct"}, "judged", "none; the generator keeps what its filters leave"),
        ({"without": ["answer_verifier"]}, "judged", "the domain's own, with {}"),
        ({"acceptance": {"strong_min": 0.5}}, "checked", 'the domain\'s own, with {"strong\\_min": 0.5}'),
        ({"program": "of_tomorrow"}, "", "the domain's own, with {}"),
    ],
)
def test_what_stands_behind_an_unfinished_run_is_told_from_its_configuration(config, behind, rule, tmp_path):
    folder = folder_of(result_of([accepted()]), tmp_path / "run", {"domain": "math_objects", **config})
    (folder / "result.json").unlink()
    done = export(folder, "jsonl", tmp_path / "rows.jsonl")
    assert json.loads(done.path.read_text())["verified"] == behind
    card = done.card.read_text()
    assert (f"**{behind}**" if behind else "not recorded.\n") in card and f"- acceptance rule: {rule}\n" in card


def test_of_an_unfinished_run_that_was_made_in_python_little_is_known(tmp_path):
    folder = folder_of(result_of([accepted()]), tmp_path / "run")
    (folder / "result.json").unlink()
    done = export(folder, "jsonl", tmp_path / "rows.jsonl")
    row, card = json.loads(done.path.read_text()), done.card.read_text()
    assert {row[k] for k in ("verified", "domain", "judge_model", "package_version")} == {""}
    assert "- acceptance rule: not recorded\n" in card and "## Models\n\nNot recorded.\n" in card


# -- damaged folders ------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    return folder_of(result_of([accepted()]), tmp_path / "run")


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("a text", "'config' has another form"),
        ([1], "'config' has another form"),
        ({"n": "ten"}, "'n' has another form"),
        ({"domain": ["code"]}, "'domain' has another form"),
        ({"roles": ["judge"]}, "'roles' has another form"),
        ({"roles": {"judge": "sk-secret"}}, "'judge' has another form"),
        ({"acceptance": 3}, "'acceptance' has another form"),
    ],
)
def test_a_config_of_another_form_is_told_in_one_line(folder, config, says, tmp_path):
    (folder / "result.json").unlink()
    stored = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**stored, "config": config}))
    line = refused("export", folder, "--format", "jsonl", "--out", tmp_path / "x.jsonl", says=says)
    assert "sk-secret" not in line and not (tmp_path / "x.jsonl").exists()


@pytest.mark.parametrize("text", ["[1]", "{not json", '{"schema": 1}', '{"schema": "one", "config": {}}', ""])
def test_a_config_that_is_none_is_told_in_one_line(folder, text, tmp_path):
    (folder / "config.json").write_text(text)
    refused("export", folder, "--format", "jsonl", "--out", tmp_path / "x.jsonl", says="config.json cannot be read")


@pytest.mark.parametrize("change", [{"models": ["m"]}, {"origin": "here"}, {"verified": 1}, {"trajectories": [1]}])
def test_a_result_of_another_form_is_told_in_one_line(folder, change, tmp_path):
    record = json.loads((folder / "result.json").read_text())
    (folder / "result.json").write_text(json.dumps({**record, **change}))
    refused("export", folder, "--format", "jsonl", "--out", tmp_path / "x.jsonl", says="result.json cannot be read")


def test_a_config_with_nothing_set_is_exported(folder, tmp_path):
    (folder / "result.json").unlink()
    stored = json.loads((folder / "config.json").read_text())
    stored["config"] = {"n": None, "domain": None, "roles": {"judge": None}, "acceptance": None}
    (folder / "config.json").write_text(json.dumps(stored))
    assert export(folder, "jsonl", tmp_path / "x.jsonl").n == 1


# -- the command line -----------------------------------------------------------------------------------------


def test_the_command_says_what_it_wrote_and_replaces_only_when_told(run, tmp_path):
    folder, result = run
    out = tmp_path / "new" / "folder" / "x.jsonl"
    ran = run_here("export", folder, "--format", "jsonl", "--out", out)
    n = len(result.accepted)
    assert (ran.code, ran.out) == (0, f"{n} example{'s' * (n != 1)}: {out}\ncard: {out}.card.md\n")
    assert sorted(os.listdir(out.parent)) == ["x.jsonl", "x.jsonl.card.md"]
    refused("export", folder, "--format", "jsonl", "--out", out, says="exists; name another place, or replace it")
    assert run_here("export", folder, "--format", "jsonl", "--out", out, "--overwrite").code == 0


def test_the_command_says_what_has_no_row_and_when_there_are_no_examples(tmp_path):
    pairless = folder_of(result_of([accepted(), accepted(weak=()), accepted(weak=(1.0,))]), tmp_path / "pairless")
    ran = run_here("export", pairless, "--format", "dpo", "--out", tmp_path / "d.jsonl")
    why = "have no pair (no comparison, and no whole weak answer that a verifier scored 0)"
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[:2] == [f"2 of 3 examples {why}; they are left out", f"1 example: {tmp_path}/d.jsonl"]
    empty = folder_of(result_of([rejected()]), tmp_path / "empty")
    ran = run_here("export", empty, "--format", "parquet", "--out", tmp_path / "e.parquet")
    told = "there are no examples: the data set is empty, with the same columns"
    assert (ran.code, ran.out.splitlines()[:2]) == (0, [told, f"0 examples: {tmp_path}/e.parquet"])


def test_wrong_calls_get_one_line_and_write_nothing(run, tmp_path):
    folder, _ = run
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("mine")
    before = contents(tmp_path)

    def bad(run_dir, name, out, says):
        refused("export", run_dir, "--format", name, "--out", out, says=says)

    bad(tmp_path / "full", "jsonl", tmp_path / "x", "is not a run folder (no config.json)")
    bad(folder, "jsnl", tmp_path / "x", "unknown exporter 'jsnl'; did you mean 'jsonl'?")
    bad(folder, "hf", tmp_path / "file", "is a file; the format 'hf' makes a folder")
    bad(folder, "jsonl", tmp_path / "full", "is a folder; the format 'jsonl' makes a file")
    bad(folder, "hf", tmp_path / "full", "full exists; name another place")
    bad(folder, "jsonl", folder / "trajectories.jsonl", "lies in the run folder")
    bad(folder, "jsonl", tmp_path / "file" / "x.jsonl", "cannot write")
    assert contents(tmp_path) == before
