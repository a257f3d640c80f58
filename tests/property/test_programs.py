"""Programs: whatever instructions and demonstrations hold, they come back from the file letter by letter."""

import inspect
import tempfile
from pathlib import Path

import dspy
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from autodata_dspy.artifact import describe, load_program, save_program
from autodata_dspy.errors import ArtifactError
from autodata_dspy.program_file import MAX_BYTES, read_program

AWKWARD = [
    "\u0000",
    "\u0085",
    "\u2028",
    "\ufeff",
    "e\u0301",
    "🙂",
    "\r\n",
    "\t",
    '"',
    "\\u0041",
    "# ",
    "```",
    "  a\n b",
]
TEXTS = st.text(max_size=60) | st.lists(st.sampled_from(AWKWARD), max_size=6).map("".join)
VALUES = TEXTS | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()
VALUES |= st.none() | st.lists(TEXTS, max_size=3)
DEMOS = st.lists(st.dictionaries(st.sampled_from(["passage", "question"]), VALUES), max_size=3)


class Maker(dspy.Module):
    def __init__(self):
        super().__init__()
        self.write = dspy.Predict("passage -> question")


def made(instructions, demos):
    maker = Maker()
    maker.write.signature = maker.write.signature.with_instructions("\n" + instructions)
    maker.write.demos = demos
    return maker


@settings(deadline=None, max_examples=150)
@given(TEXTS, DEMOS, TEXTS)
@example("", [], "")
@example("    first\n  second\n", [{"question": "\r"}], "\u2028")
@example("\tfirst\n\n  second", [{"passage": ["a", "\u0000"]}], "|")
def test_a_saved_program_comes_back_letter_by_letter(instructions, demos, verdict):
    before = made(instructions, demos)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "p.json"
        save_program(before, path, card={"verdict": verdict})
        after = load_program(path, maker=Maker())
        assert after.write.signature.instructions == before.write.signature.instructions
        assert after.write.demos == demos
        assert read_program(path) == describe(before, {"verdict": verdict})
        first = path.read_bytes(), path.with_suffix(".md").read_bytes()
        save_program(after, path, card=read_program(path).card)
        assert (path.read_bytes(), path.with_suffix(".md").read_bytes()) == first


def test_the_instructions_of_the_test_are_not_all_flattened_by_cleaning():
    assert inspect.cleandoc("\n  a\n b") == " a\nb"
    assert made("  a\n b", []).write.signature.instructions == " a\nb"


@settings(deadline=None, max_examples=150)
@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["schema", "generator", "predictors"]), inner),
    )
    .map(repr)
    .map(lambda text: text.replace("'", '"').encode())
)
@example(b'{"schema": 2}')
@example(b'{"schema": 2, "generator": "x", "predictors": {"\\u001b[2J": 1}}')
@example(b'{"schema": 1, "generator": "x", "predictors": {"\\u001b[2J": 1}}')
@example(b" " * (MAX_BYTES + 1))
def test_any_other_file_is_refused_in_one_line(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "p.json"
        path.write_bytes(content)
        with pytest.raises(ArtifactError) as caught:
            read_program(path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400
