"""The lines of a card that load its data set are run as they stand, from the folder where it lies."""

import re

import pytest
from exportable import accepted, result_of

from autodata_dspy import registry
from autodata_dspy.exporters import export, features

PLACES = [
    *(("jsonl", 'it\'s [1] * "two".jsonl'), ("parquet", "ä ?.parquet"), ("dspy", "it's [1].json")),
    *(("hf", "parquet"), ("hf", "a folder"), ("chat_sft", "{kind}.jsonl"), ("chat_sft", "c.parquet")),
    *(("dpo", "d.jsonl"), ("dpo", "d.parquet"), ("grpo", "g.jsonl"), ("grpo", "g.parquet")),
]


def run_snippets(card):
    """What `rows` is after each block of code under "Loading"."""
    part = card.read_text("utf-8").split("## Loading\n")[1].split("\n## ")[0]
    found = []
    for code in re.findall(r"```python\n(.*?)\n```", part, re.DOTALL):
        names = {}
        exec(code, names)  # noqa: S102
        found.append(names["rows"])
    return found


def test_every_format_is_here():
    assert {name for name, _ in PLACES} == set(registry.names("exporters"))


@pytest.mark.parametrize(("name", "place"), PLACES)
def test_a_card_loads_its_rows(name, place, tmp_path, monkeypatch, own_cache):
    done = export(result_of([accepted("a?"), accepted("b?")]), name, tmp_path / place)
    monkeypatch.chdir(tmp_path)
    [rows] = run_snippets(done.card)
    assert [row["question"] for row in rows] == ["a?", "b?"]
    assert name == "dspy" or rows.features == features(name)


@pytest.mark.parametrize(("name", "place"), PLACES)
def test_a_card_of_no_rows_loads_none(name, place, tmp_path, monkeypatch, own_cache):
    done = export(result_of([]), name, tmp_path / place)
    monkeypatch.chdir(tmp_path)
    found = run_snippets(done.card)
    assert [list(rows) for rows in found] == [[]] * (1 + (name == "hf" or place.endswith(".parquet")))
    assert name == "dspy" or all(rows.features == features(name) for rows in found)
