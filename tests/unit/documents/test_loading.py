"""Documents in: what is read, and one clear line for whatever cannot be."""

import json
import logging
import os
import subprocess
import sys

import pytest

from autodata_dspy.documents import check_documents, digest, load_documents
from autodata_dspy.errors import ConfigError
from autodata_dspy.types import Document

TEXT = "A lighthouse shows ships the way into the harbour."


def write(path, *rows):
    path.write_bytes(b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    return path


def test_a_text_file_is_one_document(tmp_path):
    path = tmp_path / "light house.md"
    path.write_text(TEXT)
    assert load_documents(path, "math_objects") == [
        Document("light house.md", TEXT, "light house", "math_objects", "light house.md")
    ]
    assert load_documents(str(path))[0].text == TEXT


def test_a_json_line_is_a_document_with_what_it_says_of_itself(tmp_path):
    rows = [
        {"text": TEXT, "id": "ä-✓", "title": "T", "source": "S", "licence": "CC0", "n": 1},
        {"text": TEXT + " Again.", "title": "", "license": "CC BY"},
    ]
    first, second = load_documents(write(tmp_path / "d.jsonl", *rows))
    assert first == Document("ä-✓", TEXT, "T", "", "S", "CC0")
    assert second == Document("d.jsonl:2", TEXT + " Again.", licence="CC BY")


@pytest.mark.parametrize(("given", "used"), [(0, "0"), (7, "7"), ("", "d.jsonl:1"), (None, "d.jsonl:1")])
def test_ids_become_text_and_missing_ones_name_the_line(tmp_path, given, used):
    assert load_documents(write(tmp_path / "d.jsonl", {"text": TEXT, "id": given}))[0].id == used


def test_blank_lines_line_ends_of_windows_and_a_byte_order_mark_do_no_harm(tmp_path):
    line, other = (json.dumps({"text": text}).encode() for text in (TEXT, TEXT[::-1]))
    (tmp_path / "d.jsonl").write_bytes(b"\xef\xbb\xbf" + line + b"\r\n\r\n" + other + b"\r\n")
    assert [d.id for d in load_documents(tmp_path / "d.jsonl")] == ["d.jsonl:1", "d.jsonl:3"]
    (tmp_path / "t.txt").write_bytes(b"\xef\xbb\xbf" + TEXT.encode() + b"\r\n")
    assert load_documents(tmp_path / "t.txt")[0].text.startswith("A light")


def test_separators_inside_a_json_text_do_not_break_its_line(tmp_path):
    text = TEXT + "\u2028\x85\x0b next"
    (tmp_path / "d.jsonl").write_text(json.dumps({"text": text}, ensure_ascii=False), "utf-8")
    assert load_documents(tmp_path / "d.jsonl")[0].text == text


def test_a_folder_gives_its_files_in_order_and_ignores_others(tmp_path):
    (tmp_path / "b.TXT").write_text("B. " + TEXT)
    (tmp_path / "sub" / "notes.md").mkdir(parents=True)  # a folder whose name looks like a file's
    (tmp_path / "sub" / "a.md").write_text("A. " + TEXT)
    (tmp_path / "sub" / "p.htm").write_text(f"<p>P. {TEXT}")
    (tmp_path / "t.csv").write_text(f"text\nT. {TEXT}\n")
    (tmp_path / "picture.png").write_bytes(b"\x00")
    write(tmp_path / "c.jsonl", {"text": TEXT}, {"text": "C. " + TEXT})
    ids = ["b.TXT", "c.jsonl:1", "c.jsonl:2", "sub/a.md", "sub/p.htm", "t.csv:1"]
    assert [d.id for d in load_documents(tmp_path)] == ids


def test_a_missing_path_says_what_can_be_given(tmp_path, refusal):
    assert refusal(tmp_path / "no.txt") == (
        f"documents not found: {tmp_path}/no.txt; give a file (.txt, .md, .html, .htm, .pdf, .jsonl, .csv, .parquet), "
        "a folder, hf:NAME (a data set), or 'builtin'"
    )


def test_a_folder_without_documents_is_refused(tmp_path, refusal):
    assert (
        refusal(tmp_path)
        == f"no documents in {tmp_path}: nothing there ends in .txt, .md, .html, .htm, .pdf, .jsonl, .csv, .parquet"
    )


@pytest.mark.parametrize(("name", "kind"), [("a.docx", ".docx"), ("a", "a file without suffix"), ("a.json", ".json")])
def test_another_kind_of_file_is_refused(tmp_path, name, kind, refusal):
    (tmp_path / name).write_text(TEXT)
    assert f"cannot read documents from {kind}; use .txt, .md, .html, .htm, .pdf" in refusal(tmp_path / name)


@pytest.mark.parametrize("content", ["", " \n\t ", "only four words here"])
def test_an_empty_document_is_refused(tmp_path, content, refusal):
    (tmp_path / "e.txt").write_text(content)
    assert refusal(tmp_path / "e.txt").startswith("document 'e.txt' is empty or has fewer than 5 words")


def test_an_empty_line_file_is_refused_by_name(tmp_path, refusal):
    (tmp_path / "e.jsonl").write_text("\n\n")
    assert "e.jsonl" in refusal(tmp_path / "e.jsonl") and "no documents" in refusal(tmp_path / "e.jsonl")


@pytest.mark.parametrize("name", ["b.txt", "b.jsonl"])
def test_a_binary_file_is_refused(tmp_path, name, refusal):
    (tmp_path / name).write_bytes(b"\x7fELF\x02\x01\x00\x00" + os.urandom(100))
    assert refusal(tmp_path / name).endswith("is a binary file, not text")


def test_a_50_mb_file_is_refused_without_being_read(tmp_path, refusal):
    path = tmp_path / "big.txt"
    with path.open("wb") as stream:
        stream.truncate(50_000_000)  # sparse
    assert refusal(path) == f"{path}: 50 MB is too large for one document (limit 5 MB); split it"


def test_one_line_of_50_mb_is_refused_and_many_small_ones_are_not(tmp_path, refusal):
    path = tmp_path / "d.jsonl"
    path.write_text(json.dumps({"text": "lang " * 1_200_000}))
    assert refusal(path) == f"{path}, line 1: 6 MB is too large for one document (limit 5 MB); split it"
    path.write_text("".join(json.dumps({"text": f"{n} " + "lang " * 1_000}) + "\n" for n in range(1_200)))
    assert path.stat().st_size > 5_000_000 and len(load_documents(path)) == 1_200


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{not json", "line 2: not a JSON object (Expecting property name"),
        ('{"text": "cut', "line 2: not a JSON object (Unterminated string"),
        ("[1, 2]", 'line 2: needs an object with a string "text"'),
        ('{"txt": "a"}', 'line 2: needs an object with a string "text"'),
        ('{"text": 5}', 'line 2: needs an object with a string "text"'),
        ("[" * 200_000, "line 2: not a JSON object (nested too deeply)"),
    ],
)
def test_a_bad_line_is_named(tmp_path, line, message, refusal):
    path = tmp_path / "d.jsonl"
    path.write_text(json.dumps({"text": TEXT}) + "\n" + line + "\n")
    assert message in refusal(path)


def test_two_documents_of_one_id_are_refused(tmp_path, refusal):
    rows = [{"text": TEXT, "id": "same"}, {"text": TEXT + " Again.", "id": "same"}]
    assert refusal(write(tmp_path / "d.jsonl", *rows)) == "two documents have the id 'same'; ids must be unique"


def test_a_file_that_cannot_be_read_is_refused(tmp_path, refusal):
    (tmp_path / "loop.txt").symlink_to(tmp_path / "loop.txt")
    (tmp_path / "ok.txt").write_text(TEXT)
    assert "loop.txt" in refusal(tmp_path / "loop.txt")
    gone = tmp_path / "folder"
    gone.mkdir()
    (gone / "dangling.md").symlink_to(gone / "nothing")
    assert "dangling.md: cannot be read" in refusal(gone)


def test_no_documents_at_all_are_refused():
    with pytest.raises(ConfigError, match="no documents given"):
        check_documents([])


def test_the_digest_follows_ids_texts_and_order():
    a, b = Document("a", "x"), Document("b", "y")
    assert digest([a, b]) == digest([Document("a", "x", title="other"), b])
    assert len({digest([a, b]), digest([b, a]), digest([a]), digest([Document("a", "y"), b])}) == 4
    assert digest([Document("a", "\ud800")])


def test_a_text_that_was_there_is_dropped_and_logged(tmp_path, caplog):
    (tmp_path / "a.txt").write_text(TEXT)
    (tmp_path / "b.md").write_text(f"\n{TEXT.upper()}\n".replace(" ", "  "))
    write(tmp_path / "c.jsonl", {"text": TEXT, "id": "same"}, {"text": TEXT + " Again."}, {"text": TEXT})
    assert [d.id for d in load_documents(tmp_path)] == ["a.txt", "c.jsonl:2"]
    assert caplog.messages == [
        "3 of 5 documents dropped, same text as an earlier one: b.md = a.txt, same = a.txt, c.jsonl:3 = a.txt"
    ]


def test_texts_that_differ_in_a_sign_are_both_kept(tmp_path, caplog):
    rows = [{"text": TEXT}, {"text": TEXT[:-1]}, {"text": TEXT.replace("ships", "no ships")}]
    assert len(load_documents(write(tmp_path / "d.jsonl", *rows))) == 3 and caplog.messages == []


def test_five_words_are_counted_in_any_script(tmp_path, refusal):
    (tmp_path / "zh.txt").write_text("灯塔为船指路", "utf-8")
    assert load_documents(tmp_path / "zh.txt")[0].text == "灯塔为船指路"
    (tmp_path / "short.txt").write_text("灯塔船路", "utf-8")
    assert "has fewer than 5 words" in refusal(tmp_path / "short.txt")


def test_documents_are_cut_into_chunks_on_demand(tmp_path):
    text = f"# Lamps\n\n{TEXT}\n\n# Oil\n\nThe keeper carried oil up the stairs, one can at a time."
    write(tmp_path / "d.jsonl", {"text": text, "id": "x", "source": "S", "licence": "CC0"}, {"text": TEXT})
    whole, cut = load_documents(tmp_path / "d.jsonl"), load_documents(tmp_path / "d.jsonl", "m", max_tokens=20)
    assert [d.id for d in whole] == ["x", "d.jsonl:2"]
    assert [(d.id, d.title, d.domain, d.source, d.licence) for d in cut] == [
        ("x#1", "Lamps", "m", "S", "CC0"),
        ("x#2", "Oil", "m", "S", "CC0"),
        ("d.jsonl:2#1", "", "m", "", ""),
    ]


def test_ids_of_chunks_stay_unique(tmp_path):
    write(tmp_path / "d.jsonl", {"text": TEXT, "id": "x"}, {"text": TEXT + " Again.", "id": "x#1"})
    assert [d.id for d in load_documents(tmp_path / "d.jsonl", max_tokens=50)] == ["x#1", "x#1#1"]
    write(tmp_path / "e.jsonl", {"text": TEXT, "id": "x"}, {"text": TEXT + " Again.", "id": "x"})
    with pytest.raises(ConfigError, match="two documents have the id 'x'"):
        load_documents(tmp_path / "e.jsonl", max_tokens=50)


def test_chunks_that_would_be_too_small_are_refused_before_anything_is_read(tmp_path):
    with pytest.raises(ConfigError, match="max_tokens=0 is too small for a chunk; give 20 or more"):
        load_documents(tmp_path / "none.txt", max_tokens=0)


def test_loading_a_text_needs_none_of_the_heavy_libraries(tmp_path):
    (tmp_path / "a.txt").write_text(TEXT)
    code = f"import autodata_dspy as ad; ad.load_documents({str(tmp_path)!r}); import sys; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"bs4", "pypdf", "pandas", "pyarrow", "datasets", "charset_normalizer", "dspy"}
    assert not heavy & set(ran.stdout.split())


def test_what_is_dropped_is_a_warning(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    load_documents(write(tmp_path / "d.jsonl", *[{"text": TEXT}] * 5))
    assert [r.levelname for r in caplog.records] == ["WARNING"]
    assert caplog.messages[0].startswith("4 of 5 documents dropped") and caplog.messages[0].endswith(", …")
