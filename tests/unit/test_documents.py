"""Documents in: what is read, and one clear line for whatever cannot be."""

import json
import os

import pytest

from autodata_dspy.documents import check_documents, digest, load_documents
from autodata_dspy.errors import ConfigError
from autodata_dspy.types import Document

TEXT = "A lighthouse shows ships the way into the harbour."


def write(path, *rows):
    path.write_bytes(b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    return path


def refusal(path):
    with pytest.raises(ConfigError) as refused:
        load_documents(path)
    assert "\n" not in str(refused.value)
    return str(refused.value)


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
        {"text": TEXT, "title": ""},
    ]
    first, second = load_documents(write(tmp_path / "d.jsonl", *rows))
    assert first == Document("ä-✓", TEXT, "T", "", "S", "CC0")
    assert second == Document("d.jsonl:2", TEXT)


@pytest.mark.parametrize(("given", "used"), [(0, "0"), (7, "7"), ("", "d.jsonl:1"), (None, "d.jsonl:1")])
def test_ids_become_text_and_missing_ones_name_the_line(tmp_path, given, used):
    assert load_documents(write(tmp_path / "d.jsonl", {"text": TEXT, "id": given}))[0].id == used


def test_blank_lines_line_ends_of_windows_and_a_byte_order_mark_do_no_harm(tmp_path):
    line = json.dumps({"text": TEXT}).encode()
    (tmp_path / "d.jsonl").write_bytes(b"\xef\xbb\xbf" + line + b"\r\n\r\n" + line + b"\r\n")
    assert [d.id for d in load_documents(tmp_path / "d.jsonl")] == ["d.jsonl:1", "d.jsonl:3"]
    (tmp_path / "t.txt").write_bytes(b"\xef\xbb\xbf" + TEXT.encode() + b"\r\n")
    assert load_documents(tmp_path / "t.txt")[0].text.startswith("A light")


def test_separators_inside_a_json_text_do_not_break_its_line(tmp_path):
    text = TEXT + "\u2028\x85\x0b next"
    (tmp_path / "d.jsonl").write_text(json.dumps({"text": text}, ensure_ascii=False), "utf-8")
    assert load_documents(tmp_path / "d.jsonl")[0].text == text


def test_a_folder_gives_its_files_in_order_and_ignores_others(tmp_path):
    (tmp_path / "b.TXT").write_text(TEXT)
    (tmp_path / "sub" / "notes.md").mkdir(parents=True)  # a folder whose name looks like a file's
    (tmp_path / "sub" / "a.md").write_text(TEXT)
    (tmp_path / "picture.png").write_bytes(b"\x00")
    write(tmp_path / "c.jsonl", {"text": TEXT}, {"text": TEXT})
    assert [d.id for d in load_documents(tmp_path)] == ["b.TXT", "c.jsonl:1", "c.jsonl:2", "sub/a.md"]


def test_a_missing_path_says_what_can_be_given(tmp_path):
    assert refusal(tmp_path / "no.txt") == (
        f"documents not found: {tmp_path}/no.txt; give a file (.txt, .md, .jsonl), a folder, or 'builtin'"
    )


def test_a_folder_without_documents_is_refused(tmp_path):
    assert refusal(tmp_path) == f"no documents in {tmp_path}: nothing there ends in .txt, .md, .jsonl"


@pytest.mark.parametrize(("name", "kind"), [("a.pdf", ".pdf"), ("a", "a file without suffix"), ("a.json", ".json")])
def test_another_kind_of_file_is_refused(tmp_path, name, kind):
    (tmp_path / name).write_text(TEXT)
    assert f"cannot read documents from {kind}; use .txt, .md, .jsonl" in refusal(tmp_path / name)


@pytest.mark.parametrize("content", ["", " \n\t ", "only four words here"])
def test_an_empty_document_is_refused(tmp_path, content):
    (tmp_path / "e.txt").write_text(content)
    assert refusal(tmp_path / "e.txt").startswith("document 'e.txt' is empty or has fewer than 5 words")


def test_an_empty_line_file_is_refused_by_name(tmp_path):
    (tmp_path / "e.jsonl").write_text("\n\n")
    assert "e.jsonl" in refusal(tmp_path / "e.jsonl") and "no documents" in refusal(tmp_path / "e.jsonl")


@pytest.mark.parametrize("name", ["b.txt", "b.jsonl"])
def test_a_binary_file_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x7fELF\x02\x01\x00\x00" + os.urandom(100))
    assert refusal(tmp_path / name).endswith("is a binary file, not text")


def test_utf16_is_taken_for_binary(tmp_path):
    (tmp_path / "u.txt").write_text(TEXT, "utf-16")
    assert "is a binary file" in refusal(tmp_path / "u.txt")


@pytest.mark.parametrize("name", ["l.txt", "l.jsonl"])
def test_another_encoding_is_refused_with_the_place_and_the_remedy(tmp_path, name):
    (tmp_path / name).write_bytes('{"text": "Der Leuchtturm weist den Schiffen den Weg für immer"}'.encode("latin1"))
    message = refusal(tmp_path / name)
    assert "is not UTF-8 (byte 53)" in message and "iconv -f latin1 -t utf-8" in message


def test_a_50_mb_file_is_refused_without_being_read(tmp_path):
    path = tmp_path / "big.txt"
    with path.open("wb") as stream:
        stream.truncate(50_000_000)  # sparse
    assert refusal(path) == f"{path}: 50 MB is too large for one document (limit 5 MB); split it"


def test_one_line_of_50_mb_is_refused_and_many_small_ones_are_not(tmp_path):
    path = tmp_path / "d.jsonl"
    path.write_text(json.dumps({"text": "lang " * 1_200_000}))
    assert refusal(path) == f"{path}, line 1: 6 MB is too large for one document (limit 5 MB); split it"
    path.write_text((json.dumps({"text": "lang " * 1_000}) + "\n") * 1_200)
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
def test_a_bad_line_is_named(tmp_path, line, message):
    path = tmp_path / "d.jsonl"
    path.write_text(json.dumps({"text": TEXT}) + "\n" + line + "\n")
    assert message in refusal(path)


def test_two_documents_of_one_id_are_refused(tmp_path):
    rows = [{"text": TEXT, "id": "same"}, {"text": TEXT + " Again.", "id": "same"}]
    assert refusal(write(tmp_path / "d.jsonl", *rows)) == "two documents have the id 'same'; ids must be unique"


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
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
