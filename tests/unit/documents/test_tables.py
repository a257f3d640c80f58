"""CSV, Parquet and data sets: which column is the text, what rows say of themselves, what is refused."""

import csv

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from autodata_dspy.documents import csv_table, load_documents, parquet, rows
from autodata_dspy.types import Document

OIL = "The keeper carries oil up the stairs."
LENS = "A lens bends the light, into one beam."


def write_csv(path, *lines, **options):
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, **options).writerows(lines)
    return path


def write_parquet(path, **columns):
    pq.write_table(pa.table(columns), path)
    return path


@pytest.fixture
def on_the_hub(monkeypatch):
    """Data sets that the hub would give, by name; what was asked is in `asked`."""
    known, asked = {}, []

    def load_dataset(name, **options):
        asked.append((name, options))
        if isinstance(known[name], Exception):
            raise known[name]
        return known[name]

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    known["asked"] = asked
    return known


def test_a_csv_row_is_a_document_with_what_it_says_of_itself(tmp_path):
    head = ["id", "Title", "text", "source", "LICENSE", "year"]
    lines = [["x", "On oil", OIL, "S", "CC0", "1800"], ["", "", LENS, "", "", ""]]
    assert load_documents(write_csv(tmp_path / "t.csv", head, *lines), "m") == [
        Document("x", OIL, "On oil", "m", "S", "CC0"),
        Document("t.csv:2", LENS, "", "m", "t.csv"),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends_of_any_kind_are_read(tmp_path, delimiter, end):
    text = f'{LENS}; "so | it\tis said"\nand so on'
    path = write_csv(
        tmp_path / "t.csv", ["n", "text"], ["1", text], [], ["2", OIL], delimiter=delimiter, lineterminator=end
    )
    assert [(d.id, d.text) for d in load_documents(path)] == [("t.csv:1", text), ("t.csv:2", OIL)]


def test_prose_in_the_cells_does_not_confuse_the_separator(tmp_path):
    (tmp_path / "t.csv").write_text(f'text\n"{LENS}"\n"One; two; three; four; five"\n')
    assert [d.text for d in load_documents(tmp_path / "t.csv")] == [LENS, "One; two; three; four; five"]


def test_a_csv_file_may_begin_with_a_byte_order_mark_and_have_blanks_around_its_names(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbfid , text \r\nx, " + OIL.encode())
    assert [(d.id, d.text.strip()) for d in load_documents(tmp_path / "t.csv")] == [("x", OIL)]


def test_a_cell_larger_than_python_reads_by_default_is_read(tmp_path):
    before = csv.field_size_limit()
    long = "lamp " * 100_000
    assert load_documents(write_csv(tmp_path / "t.csv", ["text"], [long]))[0].text == long
    assert csv.field_size_limit() == before


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_the_only_column_with_texts_is_the_text(tmp_path, name):
    columns = {"author": ["A. Keeper", "B. Keeper"], "Body": [OIL, LENS], "title": ["A long title of five words"] * 2}
    if name == "t.csv":
        write_csv(tmp_path / name, columns, *zip(*columns.values(), strict=True))
    else:
        write_parquet(tmp_path / name, **columns)
    assert [d.text for d in load_documents(tmp_path / name)] == [OIL, LENS]


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        (
            {"q": [OIL], "a": [LENS]},
            "no column 'text', and several could be the text of: 'q', 'a'; name one of them 'text'",
        ),
        ({"name": ["A. Keeper"], "id": ["x"]}, "no column 'text', and none holds texts of: 'name', 'id'; name one"),
        ({"x" * 90: ["y"]}, f"none holds texts of: '{'x' * 40}'; name one"),
        ({f"c{n}": ["y"] for n in range(30)}, "'c18', 'c19', …; name one"),
    ],
)
@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_a_choice_of_columns_is_the_users(tmp_path, refusal, name, columns, says):
    if name == "t.csv":
        write_csv(tmp_path / name, columns, *zip(*columns.values(), strict=True))
    else:
        write_parquet(tmp_path / name, **columns)
    assert refusal(tmp_path / name).startswith(f"{tmp_path / name}: no column 'text', and ")
    assert says in refusal(tmp_path / name)


def test_rows_without_text_are_left_out_and_counted(tmp_path, caplog):
    path = write_parquet(tmp_path / "t.parquet", text=[None, OIL, "", "too short", LENS])
    assert [d.id for d in load_documents(path)] == ["t.parquet:2", "t.parquet:5"]
    assert caplog.messages == [f"{path}: 3 rows left out, with fewer than 5 words of text"]


@pytest.mark.parametrize("content", ["", "\n\n", "text\n", "text\n\n \n", "text,id\n,x\n"])
def test_a_csv_file_without_texts_is_refused(tmp_path, refusal, content):
    (tmp_path / "t.csv").write_text(content)
    assert refusal(tmp_path / "t.csv") == f"no documents in {tmp_path}/t.csv: every line or row is blank or too short"


def test_a_text_with_a_bare_separator_is_refused_not_cut(tmp_path, refusal):
    (tmp_path / "t.csv").write_text(f"id,text\na,{OIL}\nb,{LENS}\n")
    assert refusal(tmp_path / "t.csv") == (
        f"{tmp_path}/t.csv, row 2: has 3 cells, the first line 2; put cells that hold separators in quotes"
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (f'text\n"{OIL}', "t.csv, line 2: not CSV (unexpected end of data)"),
        (f'text\n"{OIL}" x\n', "t.csv, line 2: not CSV ('"),
        ('text\n"' + "lamp " * 1_200_000 + '"\n', "t.csv, line 2: not CSV (field larger than field limit"),
    ],
)
def test_what_is_no_csv_is_refused(tmp_path, refusal, content, says):
    (tmp_path / "t.csv").write_text(content)
    assert says in refusal(tmp_path / "t.csv")


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_a_table_too_large_is_refused_without_being_read(tmp_path, refusal, name):
    with (tmp_path / name).open("wb") as sparse:
        sparse.truncate(60_000_000)
    assert refusal(tmp_path / name) == f"{tmp_path / name}: 60 MB is too large for one file (limit 50 MB); split it"


def test_a_parquet_row_is_a_document_with_what_it_says_of_itself(tmp_path):
    path = write_parquet(
        tmp_path / "t.parquet", id=[0, 7], text=[OIL, LENS], licence=["CC0", None], vector=[[1.0], [2.0]]
    )
    assert load_documents(path, "m") == [
        Document("0", OIL, "", "m", "t.parquet", "CC0"),
        Document("7", LENS, "", "m", "t.parquet"),
    ]


@pytest.mark.parametrize("kind", [pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_strings_of_any_kind_are_texts(tmp_path, kind):
    path = write_parquet(tmp_path / "t.parquet", body=pa.array([OIL, LENS, OIL]).cast(kind))
    assert [d.id for d in load_documents(path)] == ["t.parquet:1", "t.parquet:2"]


def test_more_rows_than_are_decoded_at_a_time_are_all_read(tmp_path):
    path = write_parquet(tmp_path / "t.parquet", text=[f"{OIL} Night {n}." for n in range(1_000)])
    assert [d.id for d in load_documents(path)] == [f"t.parquet:{n}" for n in range(1, 1_001)]


def test_a_column_text_of_something_else_is_refused(tmp_path, refusal):
    path = write_parquet(tmp_path / "t.parquet", text=[None, 4, 5])
    assert refusal(path) == f"{path}, row 2: column 'text' holds int, not text"


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no parquet at all, only text", b"PAR1" + b"\x07" * 500 + b"PAR1"])
def test_a_damaged_parquet_file_is_refused(tmp_path, refusal, content):
    (tmp_path / "t.parquet").write_bytes(content)
    assert refusal(tmp_path / "t.parquet").startswith(f"{tmp_path}/t.parquet: cannot be read as Parquet (")


def test_a_parquet_file_cut_in_its_data_is_refused(tmp_path, refusal):
    path = write_parquet(tmp_path / "t.parquet", text=[OIL, LENS])
    whole = path.read_bytes()
    path.write_bytes(b"\xff" * 120 + whole[120:])
    assert "t.parquet: cannot be read as Parquet (" in refusal(path)


def test_a_small_file_that_unpacks_to_more_than_memory_holds_is_refused(tmp_path, refusal, monkeypatch):
    path = write_parquet(tmp_path / "t.parquet", text=["lamp " * 100_000] * 40)
    monkeypatch.setattr(rows, "MAX_TOTAL_BYTES", 10_000_000)
    assert path.stat().st_size < 1_000_000
    assert refusal(path) == f"{path}: holds more than 10 MB of text; take a part of it"
    monkeypatch.setattr(parquet, "MAX_TOTAL_BYTES", 300_000)
    assert refusal(path) == f"{path}: 1 MB is too large for one file, unpacked (limit 0 MB); split it"


def test_a_text_too_large_for_one_document_is_named(tmp_path, refusal):
    path = write_parquet(tmp_path / "t.parquet", text=[OIL, "lamp " * 1_200_000])
    assert refusal(path) == f"{path}, row 2: 6 MB is too large for one document (limit 5 MB); split it"


def test_two_rows_of_one_id_are_refused(tmp_path, refusal):
    path = write_csv(tmp_path / "t.csv", ["id", "text"], ["x", OIL], ["x", LENS])
    assert refusal(path) == "two documents have the id 'x'; ids must be unique"


def test_a_table_says_the_same_read_anyhow(tmp_path):
    write_csv(tmp_path / "t.csv", ["text", "n"], [OIL, 1])
    assert csv_table.read(tmp_path / "t.csv", "folder/t.csv", "m") == [
        Document("folder/t.csv:1", OIL, "", "m", "t.csv")
    ]


def test_a_data_set_gives_its_rows_and_its_licence(on_the_hub):
    data = datasets.Dataset.from_dict({"text": [OIL, LENS], "license": [None, "CC0"], "n": [1, 2]})
    data.info.license = "cc-by-4.0"
    on_the_hub["coast/lamps"] = data
    assert load_documents("hf:coast/lamps", "m") == [
        Document("coast/lamps:train:1", OIL, "", "m", "hf:coast/lamps", "cc-by-4.0"),
        Document("coast/lamps:train:2", LENS, "", "m", "hf:coast/lamps", "CC0"),
    ]
    assert on_the_hub["asked"] == [("coast/lamps", {"split": "train", "streaming": False})]


@pytest.mark.parametrize("split", ["validation", "train[:10]", "train[10%:20%]+test"])
def test_a_split_or_a_part_of_one_can_be_named(on_the_hub, split):
    on_the_hub["lamps"] = datasets.Dataset.from_dict({"body": [OIL]})
    assert [d.id for d in load_documents(f"hf:lamps:{split}")] == [f"lamps:{split}:1"]
    assert on_the_hub["asked"][0][1]["split"] == split


def test_pictures_of_a_data_set_are_not_decoded(on_the_hub):
    data = datasets.Dataset.from_dict({"text": [OIL], "picture": [{"bytes": b"no picture", "path": None}]})
    on_the_hub["lamps"] = data.cast_column("picture", datasets.Image())
    assert load_documents("hf:lamps")[0].text == OIL


@pytest.mark.parametrize(
    "columns", [{"q": [OIL], "a": [LENS]}, {"n": [1], "m": [2]}, {"v": [[1, 2]]}], ids=["two", "numbers", "lists"]
)
def test_a_data_set_without_a_clear_text_is_refused(on_the_hub, refusal, columns):
    on_the_hub["lamps"] = datasets.Dataset.from_dict(columns)
    assert refusal("hf:lamps").startswith("hf:lamps: no column 'text', and ")
    assert all(repr(name) in refusal("hf:lamps") for name in columns)


@pytest.mark.parametrize("source", ["hf:", "hf::train"])
def test_a_data_set_without_a_name_is_refused(refusal, source):
    assert refusal(source) == f"documents {source!r}: expected hf:NAME or hf:NAME:SPLIT"


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (
            ConnectionError("Couldn't reach 'lamps' on the Hub\n(LocalEntryNotFoundError)"),
            "Couldn't reach 'lamps' on the Hub (Lo",
        ),
        (FileNotFoundError("Dataset 'lamps' doesn't exist"), "Dataset 'lamps' doesn't exist"),
        (ValueError("Unknown split \"train\". Should be one of ['test']."), 'Unknown split "train"'),
        (RuntimeError(), "RuntimeError"),
        (ValueError("x" * 5_000), "x" * 200 + ")"),
    ],
)
def test_a_hub_that_does_not_give_the_data_set_is_one_line(on_the_hub, refusal, failure, reason):
    on_the_hub["lamps"] = failure
    message = refusal("hf:lamps")
    assert message.startswith(f"documents 'hf:lamps': cannot be loaded ({reason}")
    assert message.endswith("; check the name, the split ('train') and the network")
