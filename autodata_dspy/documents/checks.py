"""What a set of documents must hold to: sizes, ids, enough words, no text twice."""

from __future__ import annotations

import hashlib
import itertools
import logging
import re
from collections.abc import Iterable

from autodata_dspy.errors import ConfigError
from autodata_dspy.text import words
from autodata_dspy.types import Document

logger = logging.getLogger(__name__)

MAX_BYTES = 5_000_000  # of text in one document
MAX_FILE_BYTES = 50_000_000  # of a file whose format wraps its text; it is read into memory whole
MAX_TOTAL_BYTES = 250_000_000  # of text in one table or data set: all of it is held in memory
MIN_WORDS = 5

_TAG = re.compile(r"<[/!]?[A-Za-z-][^<>]*>")
_PIECE = re.compile(rf"{_TAG.pattern}|[^\s<]+|<[^\s<]*")


def check_documents(documents: Iterable[Document], may_be_empty: bool = False) -> None:
    """Raises ConfigError when there are none, one is empty (unless that is allowed), or two share an id."""
    seen: set[str] = set()
    for document in documents:
        if not says_something(document.text) and (document.text or not may_be_empty):
            raise ConfigError(
                f"document {document.id!r} is empty or has fewer than {MIN_WORDS} words; remove it or give it text"
            )
        if document.id in seen:
            raise ConfigError(f"two documents have the id {document.id!r}; ids must be unique")
        seen.add(document.id)
    if not seen:
        raise ConfigError("no documents given")


def digest(documents: Iterable[Document]) -> str:
    """Hash of ids and texts, in order."""
    total = hashlib.blake2b(digest_size=16)
    for document in documents:
        total.update(f"{document.id}\0{document.text}\0".encode("utf-8", "surrogatepass"))
    return total.hexdigest()


def distinct(documents: Iterable[Document]) -> list[Document]:
    """Without the documents whose text, white space and case aside, an earlier one has; logs how many those are."""
    first: dict[bytes, str] = {}
    kept, dropped = [], []
    for document in documents:
        plain = " ".join(document.text.split()).casefold()
        key = hashlib.blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if key in first:
            dropped.append(f"{document.id} = {first[key]}")
        else:
            first[key] = document.id
            kept.append(document)
    if dropped:
        examples = ", ".join(dropped[:3]) + (", …" if len(dropped) > 3 else "")
        total = len(kept) + len(dropped)
        logger.warning("%d of %d documents dropped, same text as an earlier one: %s", len(dropped), total, examples)
    return kept


def has_words(text: str) -> bool:
    """Whether a text is long enough to be a document."""
    # Counting properly folds the whole text; scripts without spaces (one "word" a page) need that, few others do.
    return len(text.split(maxsplit=MIN_WORDS)) >= MIN_WORDS or len(words(text)) >= MIN_WORDS


def says_something(text: str) -> bool:
    """Whether it has the words of a document once tags, signs and characters that nobody sees are left out."""
    pieces = (piece[0] for piece in _PIECE.finditer(text))
    spoken = (piece for piece in pieces if not _TAG.fullmatch(piece) and any(map(str.isalnum, piece)))
    return len(list(itertools.islice(spoken, MIN_WORDS))) == MIN_WORDS or len(words(_TAG.sub(" ", text))) >= MIN_WORDS


def n_bytes(text: str) -> int:
    """Size as UTF-8; lone surrogates, which JSON can hold, count as three."""
    return len(text.encode("utf-8", "surrogatepass"))


def check_size(size: int, where: str, limit: int = MAX_BYTES, what: str = "one document") -> None:
    """Raises ConfigError when `size` (bytes) is beyond the limit."""
    if size > limit:
        raise ConfigError(
            f"{where}: {size / 1e6:.0f} MB is too large for {what} (limit {limit / 1e6:.0f} MB); split it"
        )
