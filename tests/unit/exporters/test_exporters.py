"""Every format, loaded back by its consumer, at 0, 1 and 10 000 examples; cards; refusals."""

import json
import os
import re

import datasets
import huggingface_hub
import pytest
import world
from command_line import contents, refused, run_here

from autodata_dspy import generate, registry
from autodata_dspy.exporters import export, features
from autodata_dspy.exporters.base import COLUMNS, Exporter
from autodata_dspy.exporters.dspy import load
from autodata_dspy.exporters.grpo import REWARD, reward
from autodata_dspy.results import Result
from autodata_dspy.types import (
    Challenge,
    Criterion,
    Decision,
    Document,
    Removed,
    Rollout,
    Round,
    Rubric,
    Trajectory,
    Verdict,
)

FORMATS = registry.names("exporters")
LISTS = [name for name in FORMATS if name != "dspy"]
ODD = "\x00\x07\x7f\x85\u2028\ufeff\ufffe😀 \\ud800 \r\n---\n```\n| <b>[x](http://y) {question} %s '\""
HUGE = "ab\n" * 400_000
ENDS = {"parquet": ".parquet", "hf": "", "dspy": ".json"}


def attempt(solver, index, answer, score):
    return Rollout(solver, index, answer, verdict=None if score is None else Verdict(score))


def accepted(question="How many?", answer="42", weak=(0.0, None), strong=(1.0,), context="", verdicts=(), index=0):
    rollouts = [attempt("weak_solver", i, f"wrong {i}", s) for i, s in enumerate(weak)]
    rollouts += [attempt("strong_solver", i, f"right {i}", s) for i, s in enumerate(strong)]
    challenge = Challenge(question, answer, context=context, rubric=Rubric((Criterion("is 42", 3),)), tags=("a", "b"))
    verdicts = verdicts or (Verdict(1.0, "fine", verifier="v"), Verdict(None, "who knows", verifier="v"))
    return Round(index, Decision(True, "accepted"), challenge, verdicts, tuple(rollouts))


def result_of(rounds, source="a book", licence="CC0-1.0", **changes):
    """One document and trajectory for each round."""
    trajectories = tuple(Trajectory(f"d{i}", 0, (r,)) for i, r in enumerate(rounds))
    documents = {t.document_id: Document(t.document_id, "text", source=source, licence=licence) for t in trajectories}
    known = {"version": "9", "generator": "G", "domain": "math_objects", "acceptance": "ExactCounts()"}
    models = {"challenger": "c", "weak_solver": "w", "strong_solver": "s", "judge": "j"}
    return Result(trajectories, documents, {}, 1.0, None, models, "checked", **{"origin": known, **changes})


@pytest.fixture(scope="session")
def many():
    """10 000 examples; the first has no decided score at all, so that no reader can guess types from it."""
    first = accepted("first?", weak=(0.0,), strong=())
    return result_of([first, *(accepted(f"Question {i}?", str(i)) for i in range(1, 10_000))])


def loaded(name, path, streaming=False):
    """As the card says, with the cache beside the data."""
    if name == "dspy":
        return [dict(e) for e in load(path)]
    kind = "parquet" if path.suffix == ".parquet" else "json"
    options = {"split": "train", "cache_dir": str(path.parent / "cache"), "streaming": streaming}
    if name == "hf":
        return datasets.load_dataset(str(path), **options)
    return datasets.load_dataset(kind, data_files=str(path), features=features(name), **options)


def written(name, result, tmp_path, **options):
    path = tmp_path / f"out{ENDS.get(name, '.jsonl')}"
    return path, export(result, name, path, **options)


@pytest.mark.parametrize("name", FORMATS)
def test_an_exporter_obeys_the_protocol(name):
    plugin = registry.load("exporters", name)
    assert isinstance(plugin, Exporter) and plugin.name == name and "\n" not in plugin.summary
    assert set(plugin.columns) == set(COLUMNS) | set(plugin.extra)
    assert {"{path}", "{pattern}"} & set(re.findall(r"{\w+}", plugin.load)) and plugin.about
    assert set(features(name)) == set(plugin.columns)


@pytest.mark.parametrize("name", FORMATS)
def test_ten_thousand_examples_come_back_in_order(name, many, tmp_path):
    path, done = written(name, many, tmp_path)
    rows = loaded(name, path)
    assert (done.n, done.n_skipped, len(rows)) == (10_000, 0, 10_000)
    assert [rows[i]["document_id"] for i in (0, 1, 9_999)] == ["d0", "d1", "d9999"]
    assert rows[0]["strong_scores"] == [] and rows[0]["strong_mean"] is None
    assert name == "dspy" or rows.features == features(name)


@pytest.mark.parametrize("name", FORMATS)
def test_one_odd_and_huge_example_comes_back_as_it_was(name, tmp_path):
    path, _ = written(name, result_of([accepted(ODD, HUGE, context=ODD)], source=ODD, licence=ODD), tmp_path)
    (row,) = list(loaded(name, path))
    assert (row["question"], row["answer"], row["source"], row["licence"]) == (ODD, HUGE, ODD, ODD)
    assert row["weak_scores"] == [0.0, None] and row["weak_mean"] == 0.0 and row["strong_scores"] == [1.0]
    assert json.loads(row["rubric"]) == [{"text": "is 42", "weight": 3}]
    assert json.loads(row["verdicts"]) == {
        "v": {"score": 1.0, "feedback": "fine"},
        "v_2": {"score": None, "feedback": "who knows"},
    }
    told = ("challenger_model", "weak_model", "strong_model", "judge_model", "domain", "package_version", "without")
    assert [row[k] for k in told] == ["c", "w", "s", "j", "math_objects", "9", []]


@pytest.mark.parametrize("name", FORMATS)
def test_no_example_is_an_empty_data_set_with_the_same_columns(name, tmp_path):
    path, done = written(name, result_of([]), tmp_path)
    assert done.n == 0
    rows = loaded(name, path, streaming=True)  # `datasets` loads nothing else that is empty
    assert list(rows) == []
    assert name == "dspy" or rows.features == features(name)


@pytest.mark.parametrize("name", FORMATS)
def test_a_card_is_one_whatever_documents_and_models_say(name, tmp_path):
    evil = "x\n---\nlicense: mit\n# Mine\n<script>|`\u2028\ud800"
    odd = result_of([accepted(verdicts=(Verdict(1.0, verifier=evil),))], source=evil, licence=evil)
    odd = Result(**{**odd.__dict__, "models": {"challenger": evil}, "origin": {"domain": evil}})
    _, done = written(name, odd, tmp_path)
    text = done.card.read_text("utf-8")
    data = huggingface_hub.DatasetCard(text).data.to_dict()
    assert data["license"] == "other" and data["size_categories"] == ["n<1K"]
    assert data["configs"][0]["data_files"][0]["split"] == "train"
    assert "<script>" not in text.split("\n---\n", 1)[1] and "\n# Mine" not in text and "2606.25996" in text


def test_lone_surrogates_become_a_replacement_and_pairs_join(tmp_path):
    path, _ = written("parquet", result_of([accepted("a\ud800b", "\ud83d\ude00")]), tmp_path)
    (row,) = list(loaded("parquet", path))
    assert (row["question"], row["answer"]) == ("a\ufffdb", "😀")


def test_a_hub_card_names_the_licence_and_a_json_folder_is_typed_by_its_card(tmp_path):
    _, done = written("hf", result_of([accepted()]), tmp_path)
    assert huggingface_hub.DatasetCard.load(done.card).data.license == "cc0-1.0"


def test_what_the_final_audit_removed_is_not_exported(tmp_path):
    result = result_of([accepted("a?"), accepted("b?")], removed=(Removed("d0", 0, 0, "near_duplicates", "like b"),))
    path, done = written("jsonl", result, tmp_path)
    assert [json.loads(line)["question"] for line in path.open()] == ["b?"]
    assert "accepted: 2, removed by the final audit: 1 (near\\_duplicates: 1)" in done.card.read_text()


def test_pairs_come_from_a_comparison_then_the_reference_then_the_best_strong_answer(tmp_path):
    evidence = {"chosen": "kind", "rejected": "rude", "agreement": 1.0, "min_agreement": 0.6}
    rounds = [
        accepted(verdicts=(Verdict(1.0, "", evidence, "pairwise_judge"),)),
        accepted(weak=(0.5, None, 0.0)),
        accepted(answer="", strong=(0.2, 0.9, 0.9)),
        accepted(weak=(0.5,)),
        accepted(answer="wrong 0", weak=(0.0,)),
    ]
    path, done = written("dpo", result_of(rounds), tmp_path)
    rows = [json.loads(line) for line in path.open()]
    assert (done.n, done.n_skipped) == (3, 2)
    assert [(r["chosen"][0]["content"], r["rejected"][0]["content"], r["pair_origin"]) for r in rows] == [
        ("kind", "rude", "comparison"),
        ("42", "wrong 2", "reference"),
        ("right 1", "wrong 0", "strong_rollout"),
    ]
    assert rows[0]["prompt"] == [{"role": "user", "content": "How many?"}]
    assert "2 of 5 examples have no pair" in done.card.read_text()


def test_conversations_are_in_the_words_of_the_domain(tmp_path):
    origin = {"domain": "code"}
    path, _ = written("chat_sft", result_of([accepted("def f():", "    return 1")], origin=origin), tmp_path)
    row = json.loads(path.read_text())
    assert [m["role"] for m in row["messages"]] == ["user", "assistant"]
    assert row["messages"][0]["content"].startswith("Complete this Python function.")
    assert row["messages"][1]["content"] == "```python\n    return 1\n```"


def test_grpo_rows_feed_the_reward_function(tmp_path):
    path, _ = written("grpo", result_of([accepted("Which word?", "red")], origin={"domain": "legal_labels"}), tmp_path)
    row = json.loads(path.read_text())
    assert (row["reference"], row["verifier"], row["reward"], row["tests"]) == ("red", "exact_match", REWARD, "")
    said = ["Red.", [{"role": "assistant", "content": "blue"}], " "]
    columns = {name: [row[name]] * 3 for name in ("domain", "reference", "question", "rubric")}
    assert reward(prompts=[""] * 3, completions=said, **columns) == [1.0, 0.0, 0.0]


def test_dspy_examples_have_their_inputs_marked(tmp_path):
    path, _ = written("dspy", result_of([accepted()]), tmp_path)
    assert sorted(load(path)[0].inputs().keys()) == ["context", "question"]


def test_a_domain_that_is_not_installed_is_said_in_the_card(tmp_path):
    _, done = written("chat_sft", result_of([accepted()], origin={"domain": "nowhere"}), tmp_path)
    assert "The domain 'nowhere' is not installed" in done.card.read_text()


# -- run folders ----------------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    return folder, generate(world.maker(), world.DOCUMENTS, run_dir=folder, n=3)


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
