"""Rows of a table or data set → documents: which column is the text, and what a row says of itself."""

from __future__ import annotations

import dataclasses
import itertools
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from autodata_dspy.documents.checks import MAX_TOTAL_BYTES, MIN_WORDS, check_size, has_words, n_bytes
from autodata_dspy.errors import ConfigError
from autodata_dspy.types import Document

logger = logging.getLogger(__name__)

TEXT = "text"
_FIELD_OF = {"id": "id", "title": "title", "source": "source", "licence": "licence", "license": "licence"}
_N_SAMPLE = 100  # rows that are looked at to tell texts from names and numbers


def worth_reading(column: str, holds_strings: bool) -> bool:
    """Whether a column can matter; the others (pictures, vectors) are not even decoded."""
    return holds_strings or plain_name(column) in (TEXT, *_FIELD_OF)


def plain_name(column: object) -> str:
    """A column's name without its case and the blanks around it."""
    return str(column).strip().lower()


def from_row(row: Mapping[Any, Any], text: str, where: str, known: Document) -> Document:
    """`known` with the text, and with the id, title, source and licence that the row has.

    Raises:
        ConfigError: the text is too large for one document.
    """
    check_size(n_bytes(text), where)
    given: dict[str, str] = {}
    for name, value in row.items():
        field = _FIELD_OF.get(plain_name(name))
        if field and (value or (field == "id" and value not in (None, ""))):  # 0 is an id
            given.setdefault(field, str(value))
    return dataclasses.replace(known, text=text, **given)


def documents_from(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[str], where: str, known: Document
) -> list[Document]:
    """A document of each row that has five words or more; how many have fewer is logged.

    Args:
        columns: all names, in order; rows may hold some of them only.
        known: what holds for every row unless it says otherwise; `known.id` is the beginning of the ids.

    Raises:
        ConfigError: no column is the text, or more text than fits in memory.
    """
    waiting = iter(rows)
    sample = list(itertools.islice(waiting, _N_SAMPLE))
    column = text_column(columns, sample, where)
    documents, n_total, n_short = [], 0, 0
    for number, row, text in _texts(itertools.chain(sample, waiting), column, where):
        n_total += n_bytes(text)
        if n_total > MAX_TOTAL_BYTES:
            raise ConfigError(f"{where}: holds more than {MAX_TOTAL_BYTES / 1e6:.0f} MB of text; take a part of it")
        if has_words(text):
            own = dataclasses.replace(known, id=f"{known.id}:{number}")
            documents.append(from_row(row, text, f"{where}, row {number}", own))
        else:
            n_short += 1
    if n_short:
        logger.warning("%s: %d rows left out, with fewer than %d words of text", where, n_short, MIN_WORDS)
    return documents


def _texts(rows: Iterable[Mapping[str, Any]], column: str, where: str) -> Iterator[tuple[int, Mapping[str, Any], str]]:
    for number, row in enumerate(rows, 1):
        text = row.get(column)
        if text is not None and not isinstance(text, str):
            raise ConfigError(f"{where}, row {number}: column {column!r} holds {type(text).__name__}, not text")
        yield number, row, text or ""


def text_column(columns: Sequence[str], sample: Sequence[Mapping[str, Any]], where: str) -> str:
    """`text`, else the only column whose cells are mostly five words or more.

    Raises:
        ConfigError: there is none, or a choice; names the columns.
    """
    named = [c for c in columns if plain_name(c) == TEXT]
    free = [c for c in columns if plain_name(c) not in _FIELD_OF]
    wordy = named or [c for c in free if _holds_texts(row.get(c) for row in sample)]
    if named or len(wordy) == 1:
        return wordy[0]
    shown = ", ".join(repr(str(c)[:40]) for c in columns[:20]) + (", …" if len(columns) > 20 else "")
    problem = "several could be the text" if wordy else "none holds texts"
    raise ConfigError(f"{where}: no column 'text', and {problem} of: {shown or 'no columns'}; name one of them 'text'")


def _holds_texts(values: Iterable[Any]) -> bool:
    filled = [v for v in values if isinstance(v, str) and v.strip()]
    return bool(filled) and 2 * sum(map(has_words, filled)) >= len(filled)
