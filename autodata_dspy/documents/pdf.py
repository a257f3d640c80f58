"""PDF files: the text of all pages as one document."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autodata_dspy.documents.checks import MIN_WORDS, check_size, has_words, n_bytes
from autodata_dspy.documents.encoding import read_bytes
from autodata_dspy.documents.libraries import library
from autodata_dspy.documents.pdf_text import joined
from autodata_dspy.errors import ConfigError
from autodata_dspy.types import Document

if TYPE_CHECKING:
    from pypdf import PdfReader

MAX_PAGES = 5_000
MAX_OPERATIONS = (
    5_000_000  # drawing steps of all pages, two minutes of reading; a book of 1000 pages has about 3 million
)


def read(path: Path, name: str, domain: str) -> list[Document]:
    """One document, without page numbers and the lines that pages repeat at their edges.

    Raises:
        ConfigError: encrypted, damaged, without text (scanned), too large, or pypdf is not installed.
    """
    library("pypdf", path)
    logging.getLogger("pypdf").setLevel(logging.ERROR)  # it warns of every small fault that it repairs
    data = read_bytes(path)
    try:
        reader = _unlocked(data, path)
        title, pages = _title(reader), list(_pages(reader, path))
    except ConfigError:
        raise
    except Exception as error:  # a damaged or hostile file makes the parser fail in any way
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ConfigError(f"{path}: is a damaged PDF ({reason}); open it in a viewer and save it anew") from None
    text = joined(pages)
    if not has_words(text):
        raise ConfigError(
            f"{path}: has fewer than {MIN_WORDS} words on its pages ({len(pages)}); if they are scanned, recognise "
            "the text first, for example with: ocrmypdf IN.pdf OUT.pdf"
        )
    return [Document(name, text, title or path.stem, domain, path.name)]


def _unlocked(data: bytes, path: Path) -> PdfReader:
    """A reader; many files are encrypted with the empty password, only to forbid printing."""
    from pypdf import PdfReader
    from pypdf.errors import DependencyError

    try:
        reader = PdfReader(io.BytesIO(data))
        locked = reader.is_encrypted and not reader.decrypt("")
    except (DependencyError, NotImplementedError):  # a cipher that is not at hand
        raise ConfigError(f"{path}: is encrypted; save it without a password") from None
    if locked:
        raise ConfigError(f"{path}: is encrypted; save it without a password")
    return reader


def _title(reader: PdfReader) -> str:
    given = reader.metadata.title if reader.metadata else None
    return " ".join(given.split())[:200] if isinstance(given, str) else ""


def _pages(reader: PdfReader, path: Path) -> Iterator[str]:
    n_pages = len(reader.pages)
    if n_pages > MAX_PAGES:
        raise ConfigError(f"{path}: has {n_pages} pages (limit {MAX_PAGES}); split it")
    work, n_total = _Work(path), 0
    for page in reader.pages:
        text = page.extract_text(visitor_operand_before=work)
        work.check()  # pypdf swallows what is raised inside a form
        n_total += n_bytes(text)
        check_size(n_total, str(path))
        yield text


class _Work:
    """Counts drawing steps, so that a small file that unfolds into endless drawing ends soon."""

    def __init__(self, path: Path):
        self.path, self.n_operations = path, 0

    def __call__(self, *_: Any) -> None:
        self.n_operations += 1
        self.check()

    def check(self) -> None:
        if self.n_operations > MAX_OPERATIONS:
            raise ConfigError(f"{self.path}: takes more than {MAX_OPERATIONS:,} drawing steps to read; split it")
