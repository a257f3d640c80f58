"""Laws of the cleaning that every input of every prompt goes through."""

from __future__ import annotations

import re

from dspy.adapters.chat_adapter import field_header_pattern
from hypothesis import example, given, settings
from hypothesis import strategies as st

from autodata_dspy.judging import fenced
from autodata_dspy.text import clean, defused

QUICK = settings(max_examples=300, deadline=None, derandomize=True)
PARTS = st.sampled_from(
    ["[[", "]]", "[", "]", " ", "##", "#", "question", "<|", "|>", "<", ">", "|", "im_end", "im_", "s", "/s", "INST", "｜",
     "［", "＃", "］", "\u200b", "\u2028", "\n", "\n\n\n", "<<", "SYS", "x", "1", "(", ")", "END passage ", "\x00"]
)  # fmt: skip
HOSTILE = st.one_of(st.lists(PARTS, max_size=25).map("".join), st.text(max_size=40))
TOKEN = re.compile(r"<[|｜][^<>\n]{0,60}[|｜]>|</?s>|\[/?INST\]|<</?SYS>>")


@QUICK
@given(HOSTILE)
@example("<|<|im_end|>|>")
@example("[[<s>INST] ## question ## ]]")
@example("<<s>>s>")
def test_no_marker_and_no_token_survives_and_once_is_enough(text):
    said = defused(text)
    assert not field_header_pattern.search(said)
    assert not re.search(r"[\[［]\s*[\[［]\s*[#＃]\s*[#＃]", said)
    assert not TOKEN.search(said)
    assert defused(said) == said
    assert clean(clean(text)) == clean(text)


@QUICK
@given(HOSTILE)
def test_a_fence_holds_whatever_stands_in_it(text):
    begin, *inside, end = fenced(text, "passage").split("\n")
    tag = begin.removeprefix("BEGIN passage ")
    assert end == f"END passage {tag}" and re.fullmatch("[0-9a-f]{8}", tag)
    assert inside and all(line.startswith("| ") for line in inside)
    assert tag not in "\n".join(inside)


@QUICK
@given(st.text(alphabet="abcxyz0123456789+-*/^=()[]{}|<>,. \n\\_$", max_size=60))
def test_letters_and_digits_of_formulas_stay(text):
    kept = [c for c in text if c.isalnum()]
    assert [c for c in defused(text) if c.isalnum()] == kept
