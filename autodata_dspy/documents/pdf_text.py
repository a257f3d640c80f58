"""The pages of a PDF → one text: no running heads, no page numbers, no words broken at line ends."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

_N_EDGE = 2  # lines at the head and at the foot of a page that can be a running head
_MAX_CHARS = 200  # of a running head
_MIN_REPEATS = 3
_MIN_SHARE = 0.1  # of the pages: a running head may change with the chapter
_ROMAN = "(?=[ivxl])(?:xl|l?x{0,3})(?:ix|iv|v?i{0,3})"  # to lxxxix, and no word but "I"
_NUMBER = re.compile(
    rf"\W*(?:(?:page|p\.|seite|página|pagina)\s*)?(?:\d{{1,4}}|{_ROMAN})(?:\s*(?:/|of|von|de|di|sur)\s*\d{{1,4}})?\W*",
    re.I,
)
_NUMBER_AT_EDGE = re.compile(r"^\W*\d+\W*|\W*\d+\W*$")
_BROKEN = re.compile(r"([^\W\d_])[-‐\u00ad]\n([^\W\d_])")
_LIGATURES = re.compile("[ﬀ-ﬆ]")


def joined(pages: Sequence[str]) -> str:
    """One text of many pages; a sentence that goes on overleaf is not broken by a blank line.

    A line at the edge of a page goes when it is a bare number, or when it stands, apart from a number at its begin or
    end, at the edge of at least three pages and of a tenth of all.
    """
    split = [[line.strip() for line in page.splitlines() if line.strip()] for page in pages]
    repeated = _repeated(split)
    bodies = ["\n".join(_without_edges(lines, repeated)) for lines in split]
    if not any(bodies):  # pages that are all alike are no running heads
        bodies = ["\n".join(lines) for lines in split]
    return _mended(_bound(body for body in bodies if body))


def _repeated(pages: Sequence[Sequence[str]]) -> frozenset[str]:
    counts = Counter(key for lines in pages for key in {_key(line) for line in [*lines[:_N_EDGE], *lines[-_N_EDGE:]]})
    needed = max(_MIN_REPEATS, _MIN_SHARE * len(pages))
    return frozenset(key for key, n_pages in counts.items() if key and n_pages >= needed)


def _key(line: str) -> str:
    """A line without the number at its edge; empty for what is no running head."""
    if len(line) > _MAX_CHARS:
        return ""
    return " ".join(_NUMBER_AT_EDGE.sub("", line).split()).casefold()


def _without_edges(lines: Sequence[str], repeated: frozenset[str]) -> Sequence[str]:
    start, stop = 0, len(lines)
    while start < min(_N_EDGE, stop) and _goes(lines[start], repeated):
        start += 1
    while stop > max(start, len(lines) - _N_EDGE) and _goes(lines[stop - 1], repeated):
        stop -= 1
    return lines[start:stop]


def _goes(line: str, repeated: frozenset[str]) -> bool:
    return _key(line) in repeated or bool(len(line) <= _MAX_CHARS and _NUMBER.fullmatch(line))


def _bound(bodies: Iterable[str]) -> str:
    text = ""
    parts: list[str] = []
    for body in bodies:
        if text:
            parts.append("\n\n" if text[-1] in '.!?:。！？”"' else "\n")
        parts.append(body)
        text = body
    return "".join(parts)


def _mended(text: str) -> str:
    text = _LIGATURES.sub(lambda m: unicodedata.normalize("NFKC", m[0]), text)
    # A capital after the hyphen begins a name of its own (Rhine-\nMain); the hyphen stays.
    text = _BROKEN.sub(lambda m: m[1] + m[2] if m[2].islower() else m[0], text)
    return text.replace("\u00ad", "")
