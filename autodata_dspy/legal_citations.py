"""Finds legal citations in a text and writes each in one canonical form.

Case reporters, state codes and journals are recognised by eyecite (the extra `law`), the rest by the
patterns of `legal_forms`.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Iterator, Sequence

from autodata_dspy.errors import ConfigError
from autodata_dspy.legal_forms import PATTERNS, READERS, UK_COURT, Citation

__all__ = ["Citation", "beyond", "check_eyecite", "find_citations", "incomplete_citations", "unrecognised_citations"]

_MAX_CHARS = 400_000
# Forms that name a law or a case and that no list here can be compared with.
_UNRECOGNISED = re.compile(
    r"\b(?:Pub(?:lic|\.)\s?L(?:aw|\.)\s?(?:No\.\s?)?\d{1,4}[-–]\d{1,6}|"
    r"Fed\.\s?R\.\s?(?:Civ|Crim|App|Bankr|Evid)\.\s?(?:P\.\s?)?\d{1,5}|F\.?R\.?(?:C\.?P|E)\.?\s\d{1,5}|"
    r"(?:Federal|Fed\.)\sRules?\sof\s(?:Civil|Criminal|Appellate|Bankruptcy)\sProcedure\s\d{1,5}|"
    r"(?:Federal|Fed\.)\sRules?\sof\sEvidence\s\d{1,5}|"
    r"[A-Z][\w.'’&-]{0,40}(?:\s[\w.'’&-]{1,40}){0,6}?\sv\.\s[A-Z][\w.'’&-]{0,40}(?:,?\s[\w.'’&-]{1,40}){0,8}?,?\s"
    r"\((?:[^()]{0,40}\s)?(?:1[789]|20)\d\d\))"
)
_RUN = re.compile(r"[^\s§()]{200,}")  # no citation holds so long a word; patterns and eyecite would search it for ever
# Begun, but without the number that would make it a citation.
_INCOMPLETE = re.compile(
    r"\b\d{1,2}\sU\.\s?S\.\s?C\.(?!\s?(?:A\.)?\s?(?:§|[Ss]ec|\d))|(?<!§)§+(?!\s?§|\s?\d|\s?[IVX]+\b)|"
    rf"\[\d{{4}}\]\s(?:{UK_COURT})(?!\s?\d|\s(?:Civ|Crim)\b)|\b[Aa]rt(?:icle|\.)\s(?:GDPR|TFEU|TEU|ECHR)\b|"
    r"\b\d{1,3}\s(?:U\.\s?S\.|F\.(?:2d|3d|4th)|S\.\s?Ct\.)\s(?:_{2,}|\?+|XX+)"
)
_CASE_LIKE = re.compile(r"\d+\s+[A-Z][\w.' ]{0,30}?\s*(?:\d|_{2,})|[A-Z][\w.]*\s+(?:Code|Stat|Laws|Gen)\b|§")
_WINDOW = 300
_YEAR = re.compile(
    r"(?:,\s?\d{1,5}(?:[-–]\d{1,5})?){0,4}\s?\((?:[^()\d]{0,30}(?:\d\w\w\s)?[^()\d]{0,30})?((?:1[789]|20)\d\d)\)"
)


def check_eyecite() -> None:
    """Raises ConfigError when eyecite is not installed."""
    if importlib.util.find_spec("eyecite") is None:
        raise ConfigError("legal citations need eyecite; install it with: pip install 'autodata-dspy[law]'")


def find_citations(text: str) -> list[Citation]:
    """Every citation of a text (its first 400 000 characters), in order; overlapping ones once, the most telling kept.

    Raises:
        ConfigError: eyecite is not installed.
    """
    text = _readable(text)
    taken = bytearray(len(text))
    found: list[Citation] = []

    def add(citations: Iterator[Citation], start: int, end: int) -> None:
        if not any(taken[start:end]):
            taken[start:end] = b"\1" * (end - start)
            found.extend(citations)

    *others, bare_sections = PATTERNS
    for kind, pattern in others:
        for match in pattern.finditer(text):
            add(READERS[kind](match), *match.span())
    rest = "".join(" " if hidden else character for character, hidden in zip(text, taken, strict=True))
    for citation, end in _by_eyecite(rest):
        add(iter([citation]), citation.start, end)
    kind, pattern = bare_sections  # last: most other forms hold one
    for match in pattern.finditer(text):
        add(READERS[kind](match), *match.span())
    return sorted(found, key=lambda c: (c.start, c.canonical))


def incomplete_citations(text: str) -> list[str]:
    """Stretches that begin a citation and lack its number."""
    return [m[0].strip() for m in _INCOMPLETE.finditer(_readable(text))]


def unrecognised_citations(text: str, found: Sequence[Citation]) -> list[str]:
    """Public laws, federal rules and cases with a year in parentheses that are none of the citations `found`."""
    spans = [(c.start, c.start + len(c.text)) for c in found]
    forms = _UNRECOGNISED.finditer(_readable(text))
    return [m[0] for m in forms if not any(m.start() < end and start < m.end() for start, end in spans)]


def beyond(text: str) -> int:
    """Characters of a text that are not read."""
    return max(0, len(text) - _MAX_CHARS)


def _readable(text: str) -> str:
    return _RUN.sub("…", re.sub(r"\s+", " ", text[:_MAX_CHARS]))


def _by_eyecite(text: str) -> Iterator[tuple[Citation, int]]:
    """Full citations of cases, other laws and journals; with where each ends."""
    check_eyecite()
    eyecite, models = importlib.import_module("eyecite"), importlib.import_module("eyecite.models")
    full = (models.FullCaseCitation, models.FullLawCitation, models.FullJournalCitation)
    for start, end in _windows(text):  # eyecite takes 12 s for a megabyte; most of a text holds no citation
        for citation in eyecite.get_citations(text[start:end]):
            if isinstance(citation, full) and "___" not in citation.matched_text():
                first, last = citation.span()
                # Its corrected form of a law loses words: "Cal. Civ. Code" and "Cal. Penal Code" become one.
                is_law = isinstance(citation, models.FullLawCitation)
                base = " ".join(citation.matched_text().split()) if is_law else citation.corrected_citation()
                yield (
                    Citation(base, (), "reporter", citation.matched_text(), start + first, _year(text, start + last)),
                    start + last,
                )


def _year(text: str, end: int) -> int:
    """The year in the parenthesis that follows a citation: `410 U.S. 113, 115 (1974)`, `(2d Cir. 1999)`."""
    found = _YEAR.match(text, end)
    return int(found[1]) if found else 0


def _windows(text: str) -> Iterator[tuple[int, int]]:
    """Stretches round everything that looks like a volume and a page or like a code."""
    start = end = -1
    for match in _CASE_LIKE.finditer(text):
        if match.start() - _WINDOW > end:
            if end > 0:
                yield max(0, start), end
            start = match.start() - _WINDOW
        end = match.end() + _WINDOW
    if end > 0:
        yield max(0, start), end
