"""The card of a program: what it tells, and that nothing a model wrote has power over its Markdown."""

import re

import pytest

from autodata_dspy.artifact import describe, save_program
from autodata_dspy.errors import ArtifactError
from autodata_dspy.generators import AgenticSelfInstruct
from autodata_dspy.program_card import card
from autodata_dspy.program_file import read_program

MADE = {
    "optimizer": "gepa",
    "arguments": {"max_metric_calls": 160, "reflection": "embedded"},
    "seed": 0,
    "metric": "acceptance_rate",
    "hashes": {"verifiers": "abc", "probe": "def"},
    "scores": {"test acceptance, seed": {"value": 0.5}, "test acceptance": {"value": 0.61234, "low": 0.5, "high": 0.7, "n": 40}},
    "verdict": "better by 0.11 [0.02, 0.2]",
    "spend": {"calls": 1200, "usd": 0.25},
    "lineage": [
        {"score": 0.5, "instructions": {"challenger.write": "Old."}},
        {"parents": [0], "score": 0.6, "instructions": {"challenger.write": "New."}, "note": "kept"},
    ],
    "versions": {"dspy": "3.4.1"},
}  # fmt: skip


@pytest.fixture
def maker(scripted):
    return AgenticSelfInstruct(scripted.domain(), per_document=2)


def test_a_card_tells_how_the_program_was_made_and_lies_beside_it(maker, tmp_path):
    save_program(maker, tmp_path / "gepa.json", card=MADE)
    text = (tmp_path / "gepa.md").read_text()
    assert text == card(read_program(tmp_path / "gepa.json"), "gepa")
    for line in (
        "# gepa",
        r"A program for autodata-dspy: agentic\_self\_instruct on tiny.",
        r"better by 0.11 \[0.02, 0.2\]",
        r"| per\_document | 2 |",
        "| optimizer | gepa |",
        r"| argument max\_metric\_calls | 160 |",
        "| seed | 0 |",
        "| demonstrations of challenger.write | 0 |",
        r"| challenger | embedded/qwen2.5-coder-1.5b |  |",
        "| test acceptance, seed | 0.5 |  |  |",
        "| test acceptance | 0.6123 | 0.5 to 0.7 | 40 |",
        "| calls | 1200 |",
        "| usd | 0.25 |",
        "| probe | def |",
        "| dspy | 3.4.1 |",
        "| 0 |  | 0.5 |  |",
        "| 1 | 0 | 0.6 | kept |",
        "    Write a question about the passage.",
        "Candidate 1, challenger.write:",
        "    New.",
    ):
        assert f"\n{line}\n" in f"\n{text}", line
    assert read_program(tmp_path / "gepa.json").card.lineage[1].parents == [0]


def test_without_facts_there_are_no_empty_tables(maker):
    titles = re.findall("^## (.*)$", card(describe(maker), "p"), re.MULTILINE)
    assert titles == ["How it was made", "Roles", "Prompts"]


HOSTILE = "x\n\n# Title\n```\n</pre><script>alert(1)</script>\u2028[a](http://x) | \x1b[2J"


def test_texts_of_models_stand_in_blocks_or_have_their_markup_taken(maker):
    maker.challenger.write.signature = maker.challenger.write.signature.with_instructions(HOSTILE)
    maker.challenger.write.demos = [{"question": HOSTILE}]
    note = {
        "lineage": [{"note": HOSTILE, "instructions": {HOSTILE: HOSTILE}}],
        "verdict": HOSTILE,
        "optimizer": HOSTILE,
    }
    text = card(describe(maker, note), HOSTILE)
    assert {c for c in text if not c.isprintable()} == {"\n"}
    for line in text.splitlines():
        if not line.startswith("    "):
            assert not re.search(r"(?<!\\)[<\[`]", line), line
            assert not line.startswith(("# Title", "```"))
    assert text.count("\n# ") == 0


@pytest.mark.parametrize(
    ("made", "says"),
    [
        ({"optimiser": "x"}, "cannot be saved: unknown key 'card.optimiser'"),
        ({"seed": "0"}, "cannot be saved: card.seed: Input should be a valid integer, not '0'"),
        ({"scores": {"a": {"value": float("nan")}}}, "cannot be saved: card.scores.a.value: Input should be a finite num"),
        ({"arguments": {"metric": print}}, "cannot be saved: card.arguments.metric"),
        ({"arguments": {"x": float("inf")}}, "cannot be saved: "),
        ({"lineage": [{"parents": "0"}]}, "cannot be saved: card.lineage.0.parents"),
    ],
)  # fmt: skip
def test_a_card_that_is_no_plain_data_is_refused_and_nothing_is_written(maker, tmp_path, made, says):
    with pytest.raises(ArtifactError, match=says):
        save_program(maker, tmp_path / "p.json", card=made)
    assert list(tmp_path.iterdir()) == []
