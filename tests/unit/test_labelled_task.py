"""A task that a user defines: read from TOML, refused in one clear line."""

import pytest

from autodata_dspy.errors import ConfigError
from autodata_dspy.labelled_task import LabelledTask, read_task

TOML = """
name = "notices"
kind = "a sentence of a letter to a tenant"

[labels]
"rent increase" = "The rent goes up."
eviction = "The lease\\n ends."

[examples]
eviction = ["Leave the flat by the first of May."]
"""


def refusal(text, path):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as refused:
        read_task(path)
    assert "\n" not in str(refused.value) and str(path) in str(refused.value)
    return str(refused.value)


def test_a_task_is_read_and_survives_its_own_form(tmp_path):
    (tmp_path / "t.toml").write_text(TOML)
    task = read_task(tmp_path / "t.toml")
    assert task.labels == {"rent increase": "The rent goes up.", "eviction": "The lease ends."}
    assert (task.name, task.kind) == ("notices", "a sentence of a letter to a tenant")
    assert task.examples == {"eviction": ("Leave the flat by the first of May.",)}
    assert LabelledTask.of(task.to_table()) == task


def test_kind_and_examples_may_be_left_out():
    task = LabelledTask.of({"name": "n", "labels": {"a": "A.", "b": "B."}})
    assert (task.kind, task.examples) == ("legal text", {})


@pytest.mark.parametrize(
    ("text", "label"),
    [("Rent Increase", "rent increase"), ("“eviction.”", "eviction"), ("rent-increase", "rent increase")],
)
def test_a_label_is_recognised_whatever_its_case_and_punctuation(text, label):
    assert LabelledTask("n", {"rent increase": "A.", "eviction": "B."}).label_of(text) == label


@pytest.mark.parametrize("text", ["", "...", "rent", "eviction notice", "rent increase or eviction"])
def test_anything_else_names_no_label(text):
    assert LabelledTask("n", {"rent increase": "A.", "eviction": "B."}).label_of(text) is None


A, B = "Leave the flat by the first of May.", "The rent rises to nine hundred francs from the second of June on."


@pytest.mark.parametrize(
    ("given", "examples", "length"),
    [
        (None, {}, (12, 50)),
        ((30, 70), {"a": (A,)}, (30, 70)),  # what is said counts, whatever the examples are like
        (None, {"a": (A,)}, (6, 10)),  # 8 words; one alone says less than it seems to
        (None, {"a": (A, A), "b": (B, B)}, (8, 13)),  # 8, 8, 13 and 13
        (None, {"a": ("Out.",)}, (1, 1)),
        (None, {"a": (" ".join(["word"] * 900),)}, (160, 200)),
    ],
)
def test_texts_are_as_long_as_the_task_says_or_as_its_examples_are(given, examples, length):
    task = LabelledTask("n", {"a": "A.", "b": "B."}, "a line", examples, given)
    assert task.length == length
    assert task.form == f"a line, {length[0]} to {length[1]} words long"
    assert LabelledTask.of(task.to_table()) == task


TWO = '[labels]\na = "A."\nb = "B."\n'
WRONG = {
    "no TOML": ("name = = 3", "task file "),
    "no text": (b"name = 3 # \xff", "task file "),
    "one label": ('name = "n"\n[labels]\na = "A."', "a task needs 2 to 50 labels, not 1: a"),
    "no labels": ('name = "n"\n[labels]\n', "a task needs 2 to 50 labels, not 0: none"),
    "51 labels": ('name = "n"\n[labels]\n' + "".join(f'l{i} = "L."\n' for i in range(51)), "2 to 50 labels, not 51"),
    "labels left out": ('name = "n"', "task: the key 'labels' is missing"),
    "no name": (TWO, "task: the key 'name' is missing"),
    "an empty name": (f'name = " "\n{TWO}', "the task's name is empty"),
    "an empty kind": (f'name = "n"\nkind = ""\n{TWO}', "the task's kind is empty"),
    "an empty definition": ('name = "n"\n[labels]\na = "A."\nb = "  "', "the definition of the label 'b' is empty"),
    "a definition that is no text": ('name = "n"\n[labels]\na = 1\nb = "B."', "the label 'a' must be a text, not 1"),
    "an unknown key": (f'name = "n"\nlable = 1\n{TWO}', "task: unknown key 'lable'; did you mean 'labels'?"),
    "a list of labels": ('name = "n"\nlabels = ["a", "b"]', "task: 'labels' must be a table ([labels], then lines of"),
    "one label twice": ('name = "n"\n[labels]\na = "A."\n"A." = "B."', "'a' and 'A.' differ in case or punctuation"),
    "a label without a word": ('name = "n"\n[labels]\na = "A."\n"…" = "B."', "the label '…' must be one line of 1 to"),
    "a label of two lines": (
        'name = "n"\n[labels]\na = "A."\n"b\\nc" = "B."',
        "must be one line of 1 to 80 characters",
    ),
    "examples of no label": (
        f'name = "n"\n{TWO}[examples]\nc = ["x"]',
        "examples: unknown label 'c'; available: a, b",
    ),
    "one example as a text": (f'name = "n"\n{TWO}[examples]\na = "x"', "the examples of 'a' must be a list of texts"),
    "an empty example": (f'name = "n"\n{TWO}[examples]\na = [""]', "an example of the label 'a' is empty"),
    "words that are one number": (
        f'name = "n"\nwords = 30\n{TWO}',
        "must be two whole numbers, such as [30, 70], not 30",
    ),
    "words that are no numbers": (
        f'name = "n"\nwords = [1.5, 2]\n{TWO}',
        "two whole numbers, such as [30, 70], not [1.",
    ),
    "words the wrong way round": (
        f'name = "n"\nwords = [70, 30]\n{TWO}',
        "be [from, to] within 1 to 200, not [70, 30]",
    ),
    "too many words": (f'name = "n"\nwords = [1, 201]\n{TWO}', "must be [from, to] within 1 to 200, not [1, 201]"),
    "no words": (f'name = "n"\nwords = [0, 5]\n{TWO}', "must be [from, to] within 1 to 200, not [0, 5]"),
    "an example that is no text": (f'name = "n"\n{TWO}[examples]\na = [3]', "an example of the label 'a' must be a te"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_file_is_refused_in_one_line(kind, tmp_path):
    text, says = WRONG[kind]
    assert says in refusal(text, tmp_path / "t.toml")


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"task file not found: .*/none\.toml$"):
        read_task(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match=r"Is a directory"):
        read_task(tmp_path)


def test_one_built_in_python_is_checked_too():
    with pytest.raises(ConfigError, match="needs 2 to 50 labels, not 1: a"):
        LabelledTask("n", {"a": "A."})
