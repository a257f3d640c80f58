"""Where the answer stands in a response, and when there is none to be had."""

from __future__ import annotations

import time

import pytest

from autodata_dspy.symbolic.extraction import MAX_RESPONSE, extract_answer

FOUND = [
    (r"We get \boxed{\frac{1}{2}}.", r"\frac{1}{2}"),
    (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
    (r"\boxed{ x = \begin{cases} 1 \\ 2 \end{cases} }", r"x = \begin{cases} 1 \\ 2 \end{cases}"),
    (r"\boxed{\boxed{6}}", "6"),
    (r"\boxed 7", "7"),
    (r"$\fbox{3}$", "3"),
    ("\boxed{5}", "5"),  # its backslash was lost in a JSON string
    (r"First \boxed{2}. Therefore \boxed{2}", "2"),
    ("The answer is 42.", "42"),
    ("The final answer is: **42**", "42"),
    ("Some steps.\nAnswer: $x = 5$\nDone and dusted with it.", "$x = 5$"),
    ("the result equals 3.5 and", "3.5 and"),
    ("The correct answer is $$\\frac{1}{2}$$ as shown.", r"$$\frac{1}{2}$$"),
    ("7", "7"),
    ("  7 .", "7"),
    ("x = 3", "x = 3"),
    ("= 3", "3"),
    ("`x`", "x"),
    ("5!", "5!"),
    ("5*", "5*"),
    ("1, 2, ...", "1, 2, ..."),
    ("The answer is 0.333...", "0.333..."),
    ("The answer is *5*.", "5"),
    ("Step one.\n\nSo the area is $5$.", "5"),
    ("We compute.\n\\( x = 2 \\)", "x = 2"),
    ("We compute.\nx = 2", "x = 2"),
    ("We compute\n$$\nx = 2\n$$", "x = 2"),
    ("We compute\n\\[\nx = 2\n\\]", "x = 2"),
    ("\\begin{pmatrix}\n1 \\\\\n2\n\\end{pmatrix}", "\\begin{pmatrix}\n1 \\\\\n2\n\\end{pmatrix}"),
    ("[[ ## answer ## ]]\n7", "7"),
]


@pytest.mark.parametrize(("text", "answer"), FOUND, ids=range(len(FOUND)))
def test_found(text, answer):
    found = extract_answer(text)
    assert found.answer == answer
    assert found.why == ""


NOT_FOUND = [
    "",
    "   ",
    "5 or maybe 6",
    r"\boxed{}",
    r"\boxed{5} \text{or} \boxed{6}",
    "The answer is 5. No, the answer is 6.",
    "Text first.\nBoth $5$ and $6$ work.",
    "x" * (MAX_RESPONSE + 1),
    "one two three\nfour five seven eight nine eleven twelve thirteen",
    "I am not sure, 5",
    "5 is not the answer",
    "5 is wrong",
    r"\boxed{5} is wrong; it should be 6",
    r"The answer is not \boxed{5}",
    r"\boxed{1, 2}, \ldots",
    "a\n" + "1+" * 200,
]


@pytest.mark.parametrize("text", NOT_FOUND, ids=range(len(NOT_FOUND)))
def test_not_found(text):
    found = extract_answer(text)
    assert found.answer is None
    assert found.why


def test_several_answers_are_all_named():
    found = extract_answer(r"\boxed{5} \boxed{6} \boxed{5}")
    assert found.answers == ("5", "6")
    assert found.why == "the text gives 2 answers"


@pytest.mark.parametrize(
    "text",
    [
        "\\(" * 40_000,
        "answer is is is " * 6000,
        "\\[" * 40_000,
        "$" * 99_999,
        "answer is 5\n" * 8000,
        "is not " * 14_000,
    ],
    ids=lambda t: t[:8],
)
def test_hostile_repetition_is_linear(text):
    started = time.process_time()
    extract_answer(text)
    assert time.process_time() - started < 2.0  # 0.1 to 0.5 s; it was 15 s and more


def test_hostile_nesting_is_linear():
    assert extract_answer(r"\boxed{" * 10_000 + "5").answer is None
