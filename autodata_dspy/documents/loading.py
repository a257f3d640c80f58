"""One source → its documents: which format is read by which module, folders, duplicates, chunks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from autodata_dspy.documents import csv_table, hub, json_lines, parquet, pdf, plain, web_page
from autodata_dspy.documents.checks import check_documents, distinct
from autodata_dspy.documents.chunking import check_max_tokens, chunks
from autodata_dspy.errors import ConfigError
from autodata_dspy.types import Document

# A new format is one module beside this one with `read(path, name, domain)`, and its suffix here.
FORMATS: dict[str, Callable[[Path, str, str], list[Document]]] = {
    ".txt": plain.read,
    ".md": plain.read,
    ".html": web_page.read,
    ".htm": web_page.read,
    ".pdf": pdf.read,
    ".jsonl": json_lines.read,
    ".csv": csv_table.read,
    ".parquet": parquet.read,
}


def load_documents(source: str | Path, domain: str = "", max_tokens: int | None = None) -> list[Document]:
    """Read a file, a folder of files, or a data set of the hub.

    `.txt`, `.md`, `.html`, `.htm` and `.pdf` are one document each; a line of `.jsonl` and a row of `.csv`, `.parquet`
    or `hf:NAME[:SPLIT]` is one. Rows give the text in `text` (in tables, else in the only column that holds texts)
    and, if they like, `id`, `title`, `source` and `licence`. Documents with the text of an earlier one (white space
    and case aside) are dropped, and that is logged.

    Args:
        max_tokens: cut the documents into chunks of about this many tokens, see `chunks`; None leaves them whole.

    Raises:
        ConfigError: a missing, empty, binary, damaged or too large file, an encoding that cannot be told, a row
            without text, a library that is not installed, or two documents of one id. Names the file, the row and
            the remedy.
    """
    if max_tokens is not None:
        check_max_tokens(max_tokens)
    documents = distinct(_read(source, domain))
    if not documents:
        raise ConfigError(f"no documents in {source}: every line or row is blank or too short")
    check_documents(documents)
    if max_tokens is None:
        return documents
    return [chunk for document in documents for chunk in chunks(document, max_tokens)]


def _read(source: str | Path, domain: str) -> list[Document]:
    if str(source).startswith(hub.PREFIX):
        return hub.read(str(source), domain)
    path = Path(source)
    if not path.exists():
        raise ConfigError(
            f"documents not found: {path}; give a file ({_kinds()}), a folder, hf:NAME (a data set), or 'builtin'"
        )
    if not path.is_dir():
        return _read_file(path, path.name, domain)
    files = sorted(p for p in path.rglob("*") if p.suffix.lower() in FORMATS and not p.is_dir())
    if not files:
        raise ConfigError(f"no documents in {path}: nothing there ends in {_kinds()}")
    return [d for file in files for d in _read_file(file, str(file.relative_to(path)), domain)]


def _read_file(path: Path, name: str, domain: str) -> list[Document]:
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise ConfigError(f"{path}: cannot read documents from {suffix or 'a file without suffix'}; use {_kinds()}")
    return FORMATS[suffix](path, name, domain)


def _kinds() -> str:
    return ", ".join(FORMATS)
