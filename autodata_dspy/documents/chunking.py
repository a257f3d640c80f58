"""A long document → chunks that each fit a model's window, cut where the text itself has its seams."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

from autodata_dspy.documents.checks import has_words, n_bytes, says_something
from autodata_dspy.documents.seams import Section, Span, atoms, sections
from autodata_dspy.errors import ConfigError
from autodata_dspy.types import Document

BYTES_PER_TOKEN = 4
MIN_TOKENS = 20
# 1400 characters of English, as long as the passage that a generator reads at a time.
DEFAULT_TOKENS = 350
_SMALL = 0.25  # of max_tokens; a section below that is read together with the next one


def chunks(document: Document, max_tokens: int = DEFAULT_TOKENS) -> list[Document]:
    """Cut a document at its headings, else between paragraphs, sentences or words, never in a word.

    Each chunk is a piece of the text as it stands, with the id `<id>#<n>` (from 1), the title `<title> › <section>`
    and the document's domain, source and licence; together they are the whole text. Without headings the title
    stays as it is. Small neighbouring sections share a chunk.

    Args:
        max_tokens: about how many tokens a chunk may have (`n_tokens`), at least 20. Two things may exceed it: a word
            that is longer, and fewer than five words, which are no chunk and stay with their neighbour.

    Returns:
        The chunks in order; none of a blank document.

    Raises:
        ConfigError: `max_tokens` is below 20.
    """
    check_max_tokens(max_tokens)
    text, limit = document.text, max_tokens * BYTES_PER_TOKEN
    pieces = _without_crumbs(_cut(text, limit), text, limit)
    return [
        dataclasses.replace(
            document, id=f"{document.id}#{n}", text=text[start:stop].strip(), title=_title(document, name)
        )
        for n, (name, (start, stop)) in enumerate(pieces, 1)
    ]


def n_tokens(text: str) -> int:
    """About how many tokens: a quarter of the UTF-8 bytes, rounded up.

    That is 4 characters of English a token, 2 of Russian or Greek and 1.3 of Chinese: close to what tokenizers make
    of these scripts, without loading one.
    """
    return -(-n_bytes(text) // BYTES_PER_TOKEN)


def check_max_tokens(max_tokens: int) -> None:
    """Raises ConfigError when chunks would be too small to be documents."""
    if max_tokens < MIN_TOKENS:
        raise ConfigError(f"max_tokens={max_tokens} is too small for a chunk; give {MIN_TOKENS} or more")


def _title(document: Document, section: str) -> str:
    if section.casefold() == document.title.casefold():  # a page whose first heading is its title
        return document.title
    return " › ".join(filter(None, (document.title, section)))


def _cut(text: str, limit: int) -> Iterator[Section]:
    for name, span in _merged(sections(text), text, limit):
        size = n_bytes(text[span[0] : span[1]])
        aim = size / -(-size // limit)  # pieces of like size, not full ones and a rest
        for piece in _packed(atoms(text, span, limit), text, limit, aim):
            yield name, piece


def _merged(found: Iterable[Section], text: str, limit: int) -> Iterator[Section]:
    """Small sections together with the next one, a small last one with the one before, where both fit."""
    small = _SMALL * limit
    held: list[tuple[Section, int]] = []  # the last two at most
    for name, (start, stop) in found:
        own = n_bytes(text[start:stop])
        if held and held[-1][1] < small and held[-1][1] + own <= limit:
            held[-1] = _joined(held[-1], ((name, (start, stop)), own))
        else:
            held.append(((name, (start, stop)), own))
        if len(held) > 2:
            yield held.pop(0)[0]
    if len(held) == 2 and held[1][1] < small and held[0][1] + held[1][1] <= limit:
        held = [_joined(*held)]
    yield from (section for section, _ in held)


def _joined(before: tuple[Section, int], after: tuple[Section, int]) -> tuple[Section, int]:
    ((name, (start, _)), size), ((second, (_, stop)), own) = before, after
    return (name or second, (start, stop)), size + own


def _packed(spans: Iterable[Span], text: str, limit: int, aim: float) -> Iterator[Span]:
    """Neighbours in one piece until it has `aim` bytes; never more than `limit`."""
    start = end = size = 0
    for at, stop in spans:
        own = n_bytes(text[at:stop])
        between = n_bytes(text[end:at])
        if size and size < aim and size + between + own <= limit:
            size += between + own
        else:
            if size:
                yield start, end
            start, size = at, own
        end = stop
    yield start, end


def _without_crumbs(pieces: Iterable[Section], text: str, limit: int) -> list[Section]:
    """Pieces that are too short to be a document go to the piece before them, a first one to the next."""
    kept: list[Section] = []
    for name, (start, stop) in pieces:
        if kept:
            before, (begin, end) = kept[-1]
            is_crumb = not has_words(text[begin:end])
            # Where words are so long that every piece is a crumb, they must not all end up in one chunk.
            if is_crumb or (n_bytes(text[begin:end]) <= limit and not has_words(text[start:stop])):
                kept[-1] = (name if is_crumb else before, (begin, stop))
                continue
        kept.append((name, (start, stop)))
    if len(kept) > 1 and not has_words(text[slice(*kept[-1][1])]):
        _, (_, stop) = kept.pop()
        kept[-1] = (kept[-1][0], (kept[-1][1][0], stop))
    return _without_signs(kept, text)


def _without_signs(pieces: Sequence[Section], text: str) -> list[Section]:
    """Pieces of signs alone, which are no document, go to the piece before them, first ones to the next."""
    kept: list[Section] = []
    waiting: int | None = None
    for name, (start, stop) in pieces:
        if says_something(text[start:stop]):
            kept.append((name, (start if waiting is None else waiting, stop)))
            waiting = None
        elif kept:
            kept[-1] = (kept[-1][0], (kept[-1][1][0], stop))
        elif waiting is None:
            waiting = start
    return kept or [(name, (start, pieces[-1][1][1])) for name, (start, _) in pieces[:1]]
