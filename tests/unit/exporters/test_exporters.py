"""Every format, loaded back by its consumer, at 0, 1 and 10 000 examples; cards; refusals."""

import dataclasses
import json
import re

import datasets
import huggingface_hub
import pytest
from exportable import accepted, result_of

from autodata_dspy import registry
from autodata_dspy.exporters import export, features
from autodata_dspy.exporters.base import COLUMNS, Exporter
from autodata_dspy.exporters.dspy import load
from autodata_dspy.results import Result
from autodata_dspy.types import Removed, Verdict

FORMATS = registry.names("exporters")
ODD = "\x00\x07\x7f\x85\u2028\ufeff\ufffe😀 \\ud800 \r\n---\n```\n| <b>[x](http://y) {question} %s '\""
HUGE = "ab\n" * 400_000
# Formats, and those of them that are Parquet where the path says so.
FORMS = [*FORMATS, "chat_sft.parquet", "dpo.parquet", "grpo.parquet"]
ENDS = {"parquet": ".parquet", "hf": "", "dspy": ".json"}


def loaded(form, path, **options):
    """The rows as their consumer reads them; `form` is a format, with the ending of its file if that is another."""
    name = form.partition(".")[0]
    if name == "dspy":
        return [dict(e) for e in load(path)]
    kind = "parquet" if path.suffix == ".parquet" else "json"
    options = {"split": "train", "cache_dir": str(path.parent / "cache"), **options}
    if name == "hf":
        return datasets.load_dataset(str(path), **options)
    return datasets.load_dataset(kind, data_files=str(path), **{"features": features(name), **options})


def written(form, result, tmp_path, **options):
    name, dot, ending = form.partition(".")
    path = tmp_path / f"out{dot + ending or ENDS.get(name, '.jsonl')}"
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


@pytest.mark.parametrize("form", FORMS)
def test_one_odd_and_huge_example_comes_back_as_it_was(form, tmp_path):
    path, _ = written(form, result_of([accepted(ODD, HUGE, context=ODD)], source=ODD, licence=ODD), tmp_path)
    (row,) = list(loaded(form, path))
    assert (row["question"], row["answer"], row["source"], row["licence"]) == (ODD, HUGE, ODD, ODD)
    assert row["weak_scores"] == [0.0, None] and row["weak_mean"] == 0.0 and row["strong_scores"] == [1.0]
    assert json.loads(row["rubric"]) == [{"text": "is 42", "weight": 3}]
    assert json.loads(row["verdicts"]) == {
        "v": {"score": 1.0, "feedback": "fine"},
        "v_2": {"score": None, "feedback": "who knows"},
    }
    told = ("challenger_model", "weak_model", "strong_model", "judge_model", "domain", "package_version", "without")
    assert [row[k] for k in told] == ["c", "w", "s", "j", "math_objects", "9", []]


@pytest.mark.parametrize("form", FORMS)
def test_no_example_is_an_empty_data_set_with_the_same_columns(form, tmp_path):
    path, done = written(form, result_of([]), tmp_path)
    assert done.n == 0
    rows = loaded(form, path, streaming=True)  # `datasets` loads nothing else that is empty
    assert list(rows) == []
    assert form == "dspy" or rows.features == features(form.partition(".")[0])


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


def test_a_card_names_the_one_licence_of_all_rows(tmp_path):
    _, done = written("hf", result_of([accepted()]), tmp_path)
    assert huggingface_hub.DatasetCard.load(done.card).data.license == "cc0-1.0"


@pytest.mark.parametrize("name", ["jsonl", "dpo"])
def test_a_folder_of_json_lines_is_typed_by_its_card(name, tmp_path):
    done = export(result_of([accepted(strong=())]), name, tmp_path / "rows" / "train.jsonl")
    done.card.rename(done.path.with_name("README.md"))
    rows = datasets.load_dataset(str(done.path.parent), split="train", cache_dir=str(tmp_path / "cache"))
    assert len(rows) == 1 and rows.features == features(name)


@pytest.mark.parametrize("name", ["jsonl", "chat_sft", "dpo", "grpo"])
def test_json_lines_that_are_loaded_without_features_have_the_same_rows(name, tmp_path):
    path, done = written(name, result_of([accepted(strong=()), accepted("b?", "43")]), tmp_path)
    rows = loaded(name, path, features=None)
    assert list(rows) == [json.loads(line) for line in path.open()] and rows.features != features(name)
    assert "`features=` gives the types" in done.card.read_text()


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


def test_an_answer_that_was_cut_off_is_not_chosen(tmp_path):
    round_ = accepted(answer="", strong=(0.2, 0.9), weak=(0.0,))
    torn = [dataclasses.replace(r, finish_reason="length") if r.answer == "right 1" else r for r in round_.rollouts]
    path, _ = written("dpo", result_of([dataclasses.replace(round_, rollouts=tuple(torn))]), tmp_path)
    assert json.loads(path.read_text())["chosen"][0]["content"] == "right 0"


def test_conversations_are_in_the_words_of_the_domain(tmp_path):
    origin = {"domain": "code"}
    path, _ = written("chat_sft", result_of([accepted("def f():", "    return 1")], origin=origin), tmp_path)
    row = json.loads(path.read_text())
    assert [m["role"] for m in row["messages"]] == ["user", "assistant"]
    assert row["messages"][0]["content"].startswith("Complete this Python function.")
    assert row["messages"][1]["content"] == "```python\n    return 1\n```"


@pytest.mark.parametrize("name", ["cs_research", "support_tone"])
@pytest.mark.parametrize(("context", "told"), [("", "How many?"), ("Two and two.", "Two and two.\n\nHow many?")])
def test_a_conversation_does_not_begin_with_an_empty_context(name, context, told, tmp_path):
    path, _ = written("chat_sft", result_of([accepted(context=context)], origin={"domain": name}), tmp_path)
    assert [m["content"] for m in json.loads(path.read_text())["messages"]] == [told, "42"]


def test_dspy_examples_have_their_inputs_marked(tmp_path):
    path, _ = written("dspy", result_of([accepted()]), tmp_path)
    assert sorted(load(path)[0].inputs().keys()) == ["context", "question"]


def test_a_domain_that_is_not_installed_is_said_in_the_card(tmp_path):
    _, done = written("chat_sft", result_of([accepted()], origin={"domain": "nowhere"}), tmp_path)
    assert "The domain 'nowhere' is not installed" in done.card.read_text()
