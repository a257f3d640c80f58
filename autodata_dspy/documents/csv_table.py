"""CSV: one document a row; comma, semicolon, tab or bar between the cells."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from autodata_dspy.documents.checks import MAX_BYTES, MAX_FILE_BYTES
from autodata_dspy.documents.encoding import read_text
from autodata_dspy.documents.rows import documents_from
from autodata_dspy.errors import ConfigError
from autodata_dspy.types import Document

_DELIMITERS = ",;\t|"


def read(path: Path, name: str, domain: str) -> list[Document]:
    """The first line names the columns; `rows.text_column` says which one is the text.

    Raises:
        ConfigError: no CSV, a row with more cells than the first line, or no column that is the text.
    """
    table = _table(read_text(path, MAX_FILE_BYTES, "one file"), path)
    columns = [column.strip() for column in next(table, [])]
    if not columns:
        return []
    rows = (_row(columns, cells, f"{path}, row {number}") for number, cells in enumerate(table, 1))
    return documents_from(rows, columns, str(path), Document(name, "", domain=domain, source=path.name))


def _table(text: str, path: Path) -> Iterator[list[str]]:
    """Rows of cells, blank lines left out."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    before = csv.field_size_limit(MAX_BYTES)  # a setting of the whole process; the default is 128 kB
    try:
        rows = [row for row in reader if row]
    except csv.Error as error:
        raise ConfigError(f"{path}, line {reader.line_num}: not CSV ({error})") from None
    finally:
        csv.field_size_limit(before)
    return iter(rows)


def _delimiter(text: str) -> str:
    # csv.Sniffer guesses from the prose in the cells, and is often wrong; the first line has names only.
    line = text.lstrip().partition("\n")[0]
    names = re.sub(r'"[^"]*"', "", line)
    return max(_DELIMITERS, key=names.count)


def _row(columns: list[str], cells: list[str], where: str) -> dict[str, str]:
    if len(cells) > len(columns):  # a text with a bare comma would lose its end without a word
        raise ConfigError(
            f"{where}: has {len(cells)} cells, the first line {len(columns)}; put cells that hold separators in quotes"
        )
    return dict(zip(columns, cells, strict=False))
