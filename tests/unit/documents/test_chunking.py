"""Chunks: cut at the seams of a text, never in a word, and together the whole text."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodata_dspy.documents import check_documents, chunks
from autodata_dspy.documents.chunking import MIN_TOKENS, n_tokens
from autodata_dspy.errors import ConfigError
from autodata_dspy.types import Document

SENTENCE = "The keeper climbs the stairs every evening to light the lamp."


def cut(text, max_tokens=40, title="T"):
    return chunks(Document("d", text, title, "m", "S", "CC0"), max_tokens)


def texts(text, max_tokens=40):
    return [chunk.text for chunk in cut(text, max_tokens)]


def test_a_short_document_is_one_chunk_with_all_it_carries():
    text = "Twenty words about a lamp are too few to be cut, so that they stay as they are here."
    assert cut(f"\n{text}\n") == [Document("d#1", text, "T", "m", "S", "CC0")]


def test_sections_become_chunks_with_their_headings_as_titles():
    text = f"{SENTENCE}\n\n# Oil\n\n## Of whales\n\n{SENTENCE}\n\n## Gas ##\n\n{SENTENCE}"
    assert [(c.id, c.title, c.text) for c in cut(text, 25)] == [
        ("d#1", "T", SENTENCE),
        ("d#2", "T › Of whales", f"# Oil\n\n## Of whales\n\n{SENTENCE}"),
        ("d#3", "T › Gas", f"## Gas ##\n\n{SENTENCE}"),
    ]


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        (f"Oil\n===\n\n{SENTENCE}\n\nGas\n---\n\n{SENTENCE}", ["T › Oil", "T › Gas"]),
        (f"# T\n\n{SENTENCE}", ["T"]),
        (f"{SENTENCE}\nGas\n---\n{SENTENCE}", ["T", "T"]),  # a rule below a paragraph
        (f"#no heading\n\n{SENTENCE}", ["T"]),
        (f"```\n# a remark\n```\n\n{SENTENCE} {SENTENCE}", ["T", "T"]),
        (f"{SENTENCE}\n\n\n\n{SENTENCE}", ["T", "T"]),
    ],
)
def test_what_is_a_heading(text, titles):
    assert [c.title for c in cut(text, 25)] == titles


def test_a_document_without_a_title_has_the_section_alone():
    assert [c.title for c in cut(f"# Oil\n\n{SENTENCE}", title="")] == ["Oil"]


def test_small_sections_share_a_chunk_and_large_ones_do_not():
    small = [f"## S{n}\n\nA few words." for n in range(4)]
    large = [f"## L{n}\n\n{SENTENCE} {SENTENCE}" for n in range(2)]
    assert [c.title for c in cut("\n\n".join(small), 100)] == ["T › S0"]
    assert [c.title for c in cut("\n\n".join(large), 100)] == ["T › L0", "T › L1"]
    assert [c.title for c in cut("\n\n".join([*large, small[0]]), 100)] == ["T › L0", "T › L1"]


def test_blank_lines_are_the_first_seam_paragraphs_the_next():
    one, two = f"A. {SENTENCE}", f"B. {SENTENCE}"
    assert texts(f"{one}\n\n{two}\n\n\n{one}\n\n{two}") == [f"{one}\n\n{two}", f"{one}\n\n{two}"]
    assert texts(f"{one}\n\n{two}", 20) == [one, two]


def test_a_long_paragraph_is_cut_between_sentences_but_not_after_an_abbreviation():
    text = f"{SENTENCE} It was lit by Dr. Miller of the coast guard. {SENTENCE} {SENTENCE}"
    assert texts(text, 20) == [SENTENCE, "It was lit by Dr. Miller of the coast guard.", SENTENCE, SENTENCE]


def test_a_quotation_mark_stays_with_its_sentence():
    said = 'He said: "The lamp is out, and the oil is gone."'
    assert texts(f"{said} {SENTENCE}", 20) == [said, SENTENCE]


def test_a_long_sentence_is_cut_between_words():
    text = " ".join(f"word{n}" for n in range(100))
    pieces = texts(text, 20)
    assert len(pieces) > 5 and " ".join(pieces) == text


def test_a_heading_does_not_stay_alone_before_a_long_paragraph():
    assert texts(f"# The oil of the whales\n\n{SENTENCE} {SENTENCE}", 25)[0] == f"# The oil of the whales\n\n{SENTENCE}"
    assert texts("# The oil of the whales and of the seals", 20) == ["# The oil of the whales and of the seals"]


def test_a_document_of_tables_is_cut_between_rows():
    rows = [f"| night {n} | {n * 2} cans |" for n in range(40)]
    pieces = texts("\n".join(rows))
    assert len(pieces) > 3 and "\n".join(pieces).split("\n") == rows


def test_lists_are_cut_between_items():
    items = [f"{n}. One can of oil, for night {n}. Not more." for n in range(20)]
    assert "\n".join(texts("\n".join(items))).split("\n") == items


def test_a_document_in_another_language_is_cut_at_its_own_sentences():
    russian = "Смотритель каждый вечер поднимается по лестнице, чтобы зажечь лампу."
    assert texts(f"{russian} {russian}") == [russian, russian]
    chinese = "灯塔为船只指明进港的道路。从前上面点着油灯，后来换成了电灯。"
    assert texts(chinese * 4, 25) == [chinese] * 4
    assert "".join(texts("灯" * 300, 20)) == "灯" * 300 and len(texts("灯" * 300, 20)) == 12
    hindi = "दीपस्तंभ जहाज़ों को बंदरगाह का रास्ता दिखाता है।"
    assert texts(f"{hindi} {hindi}") == [hindi, hindi]


def test_a_word_is_never_cut():
    assert texts("lamp" * 100) == ["lamp" * 100]
    assert texts(f"one two three four five {'lamp' * 100} six seven eight nine ten") == [
        f"one two three four five {'lamp' * 100}",
        "six seven eight nine ten",
    ]


def test_words_without_end_do_not_all_end_up_in_one_chunk():
    pieces = texts(" ".join(["lamp" * 35] * 40))
    assert [len(p.split()) for p in pieces] == [5] * 8
    pieces = texts(" ".join(["lamp" * 35] * 11))
    assert [len(p.split()) for p in pieces] == [5, 6]  # the last one is no chunk by itself


def test_fewer_than_five_words_stay_with_their_neighbour():
    assert texts(f"{SENTENCE} {SENTENCE}\n\n# End\n\nOf it.", 20) == [
        SENTENCE,
        f"{SENTENCE}\n\n# End\n\nOf it.",
    ]
    assert [(c.title, c.text) for c in cut(f"Well then.\n\n# Oil\n\n{SENTENCE}", 20)] == [
        ("T › Oil", f"Well then.\n\n# Oil\n\n{SENTENCE}")
    ]


def test_signs_are_no_words_of_a_chunk():
    rule = "* * * * * *"
    pieces = texts(f"{SENTENCE} {SENTENCE}\n\n{rule}\n\n{SENTENCE} {SENTENCE}", 20)
    assert rule not in pieces and "".join(pieces).count(rule) == 1
    check_documents([Document(f"{i}", piece) for i, piece in enumerate(pieces)])


@pytest.mark.parametrize("text", ["", " \n\t\n"])
def test_a_blank_document_has_no_chunks(text):
    assert cut(text) == []


def test_a_document_of_two_hundred_pages_is_cut_in_a_moment():
    page = " ".join([SENTENCE] * 45)  # 2800 characters
    text = "\n\n".join(f"## Night {n}\n\n{page}" for n in range(200))
    start = time.monotonic()
    pieces = chunks(Document("d", text))
    assert time.monotonic() - start < 10
    assert len(pieces) == 600 and pieces[-1].id == "d#600" and pieces[-1].title == "Night 199"
    assert all(200 < n_tokens(p.text) <= 350 for p in pieces)


@pytest.mark.parametrize(
    "text",
    ["a" + " " * 2_000_000 + "b", "# " + " " * 500_000 + "b", "# a\n" * 300_000, "\n \n" * 500_000, ". " * 500_000],
)
def test_strange_texts_cost_no_time(text):
    start = time.monotonic()
    cut(text)
    assert time.monotonic() - start < 20


@pytest.mark.parametrize(
    ("text", "n"), [("", 0), ("lamp", 1), ("lamps", 2), ("лампа", 3), ("灯塔为船", 3), ("\ud800", 1)]
)
def test_tokens_are_a_quarter_of_the_bytes(text, n):
    assert n_tokens(text) == n


@pytest.mark.parametrize("max_tokens", [MIN_TOKENS - 1, 0, -5])
def test_too_small_a_limit_is_refused(max_tokens):
    with pytest.raises(ConfigError, match=f"max_tokens={max_tokens} is too small for a chunk; give 20 or more"):
        cut(SENTENCE, max_tokens)


PIECES = st.sampled_from(
    [
        *("lamp", "oil.", "\n", "\n\n", "\n\n\n", " ", "# Head\n", "## Two\n\n", "| a | b |\n", "- item\n", "===\n"),
        *("```\n", "Dr. ", "灯塔。", 'said: "no." ', "x" * 30, "ö", "\u00a0", "\t"),
    ]
)


@given(st.lists(PIECES, max_size=120).map("".join), st.integers(20, 60))
def test_chunks_are_pieces_of_the_text_in_order_and_nothing_is_lost(text, max_tokens):
    found, at = cut(text, max_tokens), 0
    for chunk in found:
        at = text.index(chunk.text, at) + len(chunk.text)
    assert "".join("".join(c.text for c in found).split()) == "".join(text.split())
    words = {word for c in found for word in c.text.split()}
    assert {w for w in words if w.isascii()} <= set(text.replace("。", "。 ").split())
    assert [c.id for c in found] == [f"d#{n}" for n in range(1, len(found) + 1)]
    longest = max((n_tokens(w) for w in text.split()), default=0)
    # A piece, four crumbs before it and two after it: all that can come together where words are very long.
    assert all(n_tokens("".join(c.text.split())) <= 7 * max(max_tokens, longest) for c in found)
