"""Where a text can be cut: sections, paragraphs, rows, sentences, words. Spans are `(start, stop)` in the text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from autodata_dspy.documents.checks import n_bytes
from autodata_dspy.text import ABBREVIATION

Span = tuple[int, int]
Section = tuple[str, Span]  # with the nearest heading above it, or ""

_LINE = re.compile(r"[^\n]*\n?")
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(.*)")
_UNDERLINE = re.compile(r" {0,3}(?:={3,}|-{3,})\s*")
_FENCE = re.compile(r" {0,3}(?:```|~~~)")
_BLANK_LINES = re.compile(r"\n[^\S\n]*\n\s*")
_ROW = re.compile(r"\s*(?:\||[-*+•]\s|\d{1,3}[.)]\s)")
_SENTENCE_END = re.compile(r"""(?:(?<=[.!?…؟۔।])|(?<=[.!?…]["'”’»)\]]))\s+|(?<=[。！？])(?=[^\s”’」』）])""")
# Chinese and Japanese put no spaces between words; between any two signs is a seam there.
_WORD_END = re.compile(
    r"\s+|(?<=[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff])(?=[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff])"
)


def sections(text: str) -> Iterator[Section]:
    """What stands under one heading, or between two or more blank lines; headings stand with what follows them."""
    start, body, name = 0, 0, ""
    for at, end, heading in _section_seams(text):
        if text[body:at].strip():
            yield name, (start, at)
            start = body = at
        if heading:
            body, name = end, heading
    if text[start:].strip():
        yield name, (start, len(text))


def _section_seams(text: str) -> Iterator[tuple[int, int, str]]:
    """Begin and end of each heading with its words, and of each gap of blank lines without; code is passed over."""
    in_code, n_blank, previous = False, 1, (0, "")
    for match in _LINE.finditer(text):
        line, at, end = match[0], match.start(), match.end()
        if _FENCE.match(line):
            in_code = not in_code
        if in_code:
            n_blank = 0
            continue
        if heading := _heading(line):
            yield at, end, heading
        elif _UNDERLINE.fullmatch(line) and previous[1]:
            yield previous[0], end, previous[1]
        elif n_blank >= 2 and line.strip():
            yield at, at, ""
        # Only a line that stands alone above the underline is a heading; below a paragraph it is a rule.
        previous = (at, line.strip() if n_blank else "")
        n_blank = 0 if line.strip() else n_blank + 1


def _heading(line: str) -> str:
    """The words of a heading's line; empty for other lines."""
    match = _HEADING.match(line)
    return match[1].strip().rstrip("#").strip() if match else ""


def atoms(text: str, span: Span, limit: int) -> Iterator[Span]:
    """The largest parts of a span that have at most `limit` bytes: paragraphs, else rows, sentences, words.

    Between two atoms stands nothing but white space. A word is never cut, however long.
    """
    return _atoms(text, span, limit, (_paragraphs, _rows, _sentences, _words))


def _atoms(
    text: str, span: Span, limit: int, splits: tuple[Callable[[str, Span], Iterator[Span]], ...]
) -> Iterator[Span]:
    if not splits or n_bytes(text[span[0] : span[1]]) <= limit:
        yield span
        return
    for part in splits[0](text, span):
        yield from _atoms(text, part, limit, splits[1:])


def _paragraphs(text: str, span: Span) -> Iterator[Span]:
    begin = None  # of headings, which wait for their first paragraph
    for start, stop in _between(text, span, _BLANK_LINES):
        start = start if begin is None else begin
        if "\n" not in text[start:stop] and _heading(text[start:stop]):
            begin = start
            continue
        begin = None
        yield start, stop
    if begin is not None:
        yield begin, span[1]


def _rows(text: str, span: Span) -> Iterator[Span]:
    """The lines of a table or a list; prose, whose lines end anywhere, stays whole."""
    lines = text[span[0] : span[1]].split("\n")
    if 2 * sum(bool(_ROW.match(line)) for line in lines) < len(lines):
        yield span
        return
    yield from _between(text, span, re.compile(r"\n"))


def _sentences(text: str, span: Span) -> Iterator[Span]:
    at, stop = span
    for match in _SENTENCE_END.finditer(text, *span):
        if match.start() > at and not ABBREVIATION.search(text, max(at, match.start() - 12), match.start()):
            yield at, match.start()
            at = match.end()
    if at < stop:
        yield at, stop


def _words(text: str, span: Span) -> Iterator[Span]:
    return _between(text, span, _WORD_END)


def _between(text: str, span: Span, seam: re.Pattern[str]) -> Iterator[Span]:
    at, stop = span
    for match in seam.finditer(text, *span):
        if match.start() > at:
            yield at, match.start()
        at = match.end()
    if at < stop:
        yield at, stop
