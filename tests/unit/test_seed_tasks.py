"""Seed tasks: read from JSON lines, refused in one clear line, and what a domain makes of their instances."""

import json

import pytest

from autodata_dspy.domains.base import Malformed
from autodata_dspy.domains.legal_labels import for_task
from autodata_dspy.errors import ConfigError
from autodata_dspy.labelled_task import LabelledTask
from autodata_dspy.seed_tasks import Instance, SeedTask, read_seed_tasks


def lines(path, *rows):
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), "utf-8")
    return path


def refusal(path):
    with pytest.raises(ConfigError) as refused:
        read_seed_tasks(path)
    assert "\n" not in str(refused.value) and str(path) in str(refused.value)
    return str(refused.value)


LONG = {
    "id": "s1",
    "name": "ignored",
    "instruction": " Name the opposite. ",
    "instances": [{"input": "warm", "output": "cold"}, {"output": "low", "input": "high"}],
    "is_classification": True,
}


def test_both_forms_are_read_and_blank_lines_skipped(tmp_path):
    flat = {"instruction": "Count to two.", "output": "1, 2"}
    assert read_seed_tasks(lines(tmp_path / "s.jsonl", LONG, "", flat, "")) == [
        SeedTask("s1", "Name the opposite.", (Instance("warm", "cold"), Instance("high", "low")), True),
        SeedTask("seed-00003", "Count to two.", (Instance("", "1, 2"),)),
    ]


def test_a_byte_order_mark_and_a_flat_input_are_read(tmp_path):
    (tmp_path / "s.jsonl").write_bytes(
        b'\xef\xbb\xbf{"id": 7, "instruction": "Say it.", "input": "a", "output": "b"}\r\n'
    )
    assert read_seed_tasks(str(tmp_path / "s.jsonl")) == [SeedTask("7", "Say it.", (Instance("a", "b"),))]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("{", "line 2: not a JSON object (Expecting"),
        ("[1]", "line 2: not a JSON object but '[1]'"),
        ({"output": "b"}, 'line 2: "instruction" is missing or empty'),
        ({"instruction": "  ", "output": "b"}, 'line 2: "instruction" is missing or empty'),
        ({"instruction": "a"}, 'line 2: "output" is missing or empty'),
        ({"instruction": "a", "instances": [{"input": "x"}]}, 'line 2: "output" is missing or empty'),
        ({"instruction": "a", "output": 3}, "line 2: \"output\" must be a text, not '3'"),
        ({"instruction": "a", "input": ["x"], "output": "b"}, 'line 2: "input" must be a text, not "[\'x\']"'),
        ({"instruction": "a", "instances": []}, 'line 2: "instances" must be a list of {"input", "output"}, not'),
        ({"instruction": "a", "instances": "x"}, 'line 2: "instances" must be a list of'),
        ({"instruction": "a", "instances": ["x"]}, "line 2: an instance must be an object with \"output\", not 'x'"),
        ({**LONG, "id": "s2", "is_classification": "yes"}, "\"is_classification\" must be true or false, not 'yes'"),
        (LONG, "line 2: a second task with the id 's1'; ids must be unique"),
    ],
)
def test_a_bad_line_is_refused_by_its_number(tmp_path, row, told):
    assert told in refusal(lines(tmp_path / "s.jsonl", LONG, row))


def test_a_bad_file_is_refused(tmp_path):
    assert "seed tasks not found" in refusal(tmp_path / "gone.jsonl")
    assert "cannot be read" in refusal(tmp_path)
    assert "no seed tasks; give lines such as" in refusal(lines(tmp_path / "empty.jsonl", "", " "))
    (tmp_path / "latin.jsonl").write_bytes(b'{"instruction": "caf\xe9"}')
    assert "not UTF-8 text (byte 20)" in refusal(tmp_path / "latin.jsonl")


# -- what a domain makes of them ------------------------------------------------------------------------------


def test_an_instance_becomes_a_challenge(scripted):
    made = scripted.domain().from_instance("Name the opposite. ", Instance(" warm\n", " cold "))
    assert (made.question, made.answer) == ("Name the opposite.\n\nwarm", "cold")
    assert scripted.domain().from_instance("Count.", Instance("", "1, 2")).question == "Count."


@pytest.mark.parametrize(("instruction", "output"), [(" ", "cold"), ("Name it.", " ")])
def test_an_instance_without_task_or_output_is_malformed(scripted, instruction, output):
    with pytest.raises(Malformed, match="is empty; write both"):
        scripted.domain().from_instance(instruction, Instance("warm", output))


def test_a_domain_without_seed_tasks_says_so_and_one_of_another_package_brings_its_own(scripted):
    with pytest.raises(ConfigError, match="'tiny' has no seed tasks of its own; give a file: --seeds"):
        scripted.domain(seeds=None).seed_tasks()
    own = [SeedTask("s", "Count.", (Instance("", "1"),))]
    assert scripted.domain(seeds=lambda: own).seed_tasks() == own


TASK = LabelledTask("notices", {"rent": "It goes up.", "end": "It ends."}, "a line", {"end": ("Leave now.", "Go.")})


def test_a_labelled_instance_is_the_text_with_its_label():
    made = for_task(TASK).from_instance("Sort it.", Instance(" Leave. ", "END."))
    assert (made.question, made.answer, made.label) == ("Leave.", "end", "end")


@pytest.mark.parametrize(
    ("instance", "told"),
    [
        (Instance("Leave.", "eviction"), "'eviction' is none of the labels; write one of: rent, end"),
        (Instance(" ", "end"), "the input is empty"),
    ],
)
def test_a_labelled_instance_that_is_none_is_malformed(instance, told):
    with pytest.raises(Malformed, match=told):
        for_task(TASK).from_instance("Sort it.", instance)


def test_a_users_task_gives_its_own_examples_as_seed_tasks():
    first, second = for_task(TASK).seed_tasks()
    assert first == SeedTask(
        "end-1",
        "Each text is a line, 1 to 2 words long. Which label fits: rent, end?",
        (Instance("Leave now.", "end"),),
        True,
    )
    assert second.instances == (Instance("Go.", "end"),)
    with pytest.raises(ConfigError, match=r"'notices' has no examples to start from; add \[examples\]"):
        for_task(LabelledTask("notices", TASK.labels)).seed_tasks()
