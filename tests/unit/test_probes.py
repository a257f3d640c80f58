import json

import pytest

from autodata_dspy.errors import ConfigError
from autodata_dspy.probes import Probe

ROWS = [
    {"id": "1", "question": "Which kind?\n\nRent is due on Monday.", "answer": "Rent", "answer_type": "choice"},
    {"id": "2", "question": "Which kind?\n\nLeave by noon.", "answer": "Eviction!", "answer_type": "choice"},
    {"id": "3", "question": "How many?", "answer": "4", "answers": ["4", "four"], "answer_type": "integer"},
]


def written(path, rows):
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n", "utf-8")
    return path


def test_a_file_is_read_item_by_item(tmp_path):
    probe = Probe.read(written(tmp_path / "a.probe.jsonl", ROWS))
    assert [i.text for i in probe.items] == ["Rent is due on Monday.", "Leave by noon.", "How many?"]
    assert [i.answers for i in probe.items] == [("Rent",), ("Eviction!",), ("4", "four")]
    assert len(probe) == 3 and probe.name == "a.probe.jsonl"


def test_own_text_label_and_tests_of_a_row_count():
    row = {"question": "q\n\nrest", "answer": "A", "text": "t", "label": "x", "tests": "T", "entry_point": "f"}
    [item] = Probe.of([row]).items
    assert (item.text, item.label, item.tests) == ("t", "x", "T\n\ncheck(f)")


def test_a_test_file_is_refused_also_behind_a_link(tmp_path):
    path = written(tmp_path / "a.test.jsonl", ROWS)
    link = tmp_path / "b.jsonl"
    link.symlink_to(path)
    for each in (path, link):
        with pytest.raises(ConfigError, match="test file, which no metric may look at; give a probe"):
            Probe.read(each)
        assert len(Probe.read(each, allow_test=True)) == 3


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "holds no items"),
        ("[1]", "line 1: expected a JSON object"),
        ('{"question": "q", "answer": "a"}\n{SECRET', "line 2: expected a JSON object"),
        ('{"question": "q", "answer": 3}', "item 1: 'answer' is missing or no text"),
        ('{"question": " ", "answer": "SECRET"}', "item 1: 'question' is missing or no text"),
    ],
)
def test_a_bad_file_gives_one_line_without_its_content(tmp_path, content, told):
    path = tmp_path / "p.jsonl"
    path.write_text(content)
    with pytest.raises(ConfigError, match=told) as error:
        Probe.read(path)
    assert "SECRET" not in str(error.value) and "\n" not in str(error.value)


def test_a_missing_or_unreadable_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"probe file not found: .*no\.jsonl"):
        Probe.read(tmp_path / "no.jsonl")
    (tmp_path / "latin.jsonl").write_bytes(b"\xff\xfe{")
    for path in (tmp_path, tmp_path / "latin.jsonl"):
        with pytest.raises(ConfigError, match=r"probe file .*Error"):
            Probe.read(path)


def test_labels_are_found_by_their_words_or_by_a_mapping():
    probe = Probe.of(ROWS, labels={"4": "rent"})
    assert [label for _, label in probe.labelled(["rent", "eviction"])] == ["rent", "eviction", "rent"]
    assert [label for _, label in Probe.of(ROWS).labelled(["eviction"])] == [None, "eviction", None]


def test_labels_that_do_not_fit_are_refused():
    with pytest.raises(ConfigError, match=r"none of its labels is one of the data's \(roof, window\)"):
        Probe.of(ROWS).labelled(["window", "roof"])
    with pytest.raises(ConfigError, match="mapped to 'roof', which the data does not have"):
        Probe.of(ROWS, labels={"4": "roof"}).labelled(["rent"])


def test_slices_are_categories_of_three_items_and_more():
    rows = [{"question": "q", "answer": "a", "answer_type": kind} for kind in "aaabbbcc"]
    assert Probe.of(rows).slices() == {"answer_type=a": [0, 1, 2], "answer_type=b": [3, 4, 5]}
    assert Probe.of(rows[:3]).slices() == {}
    told = [{**row, "task": f"a long task\n{i % 2}"} for i, row in enumerate(rows)]
    assert not any("task" in name for name in Probe.of(told).slices())


def test_what_is_shown_of_a_probe_holds_nothing_of_it():
    probe = Probe.of(ROWS)
    for shown in (repr(probe), str(probe), repr(probe.items), f"{probe.items[0]}"):
        assert "Rent" not in shown and "noon" not in shown
    assert probe.digest == Probe.of(ROWS, name="other").digest != probe.subset([0, 1, 1]).digest
