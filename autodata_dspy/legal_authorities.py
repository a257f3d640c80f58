"""Which legal citations exist: a closed list, read from texts that are authorities or cite them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rapidfuzz import fuzz, process

from autodata_dspy.legal_citations import Citation as Cited
from autodata_dspy.legal_citations import find_citations
from autodata_dspy.types import Document

_N_NEAR = 3
_Path = tuple[str, ...]
_OWN_HEADING = re.compile(r"^#+\s*§\s*(\S+?)\.?\s", re.MULTILINE)
_NOTES = re.compile(
    r"^\s*(?:\(\[?Pub\. L\.|\([A-Z][a-z]+\.? \d+, \d{4}, ch\.|__|.{0,6}Historical and Revision Notes)", re.M
)
# At the start of a line, after a dash, or after the heading of an outer one: "(a) In general.—(1) …".
_ENUMERATOR = re.compile(
    r"(?:^[\s>*_]*|—\s*|^[\s>*_]*\([^()\s]{1,5}\)[^\n]{0,120}?[.—-]+[^\S\n]*)((?:\(\w{1,5}\)[^\S\n]*)+)", re.MULTILINE
)
_OTHER_LAW = re.compile(
    r"\s*(?:,\s*)?of\s(?:the\s(?:\w+[\s,]){0,6}?(?:Act|Code|Law|Constitution|Treaty|Rules)|title\s|such\s|that\s)"
)
_LEVELS = (r"[a-z]", r"\d+[a-z]?", r"[A-Z]", r"[ivxl]+", r"[IVXL]+", r"([a-hj-uwyz])\1")


class ClosedList:
    """What exists: canonical bases, each with the subdivisions that are known of it."""

    def __init__(self) -> None:
        self.paths: dict[str, set[_Path]] = {}
        self._shown: dict[str, str] = {}  # canonical form → kind, for the neighbours
        self.years: dict[str, set[int]] = {}  # base → years it is listed with
        self._short: dict[str, set[str]] = {}  # "§ 107" or "Art. 6" → bases that end or begin so

    def copy(self) -> ClosedList:
        other = ClosedList()
        other.paths = {base: set(paths) for base, paths in self.paths.items()}
        other._shown = dict(self._shown)
        other.years = {base: set(years) for base, years in self.years.items()}
        other._short = {short: set(bases) for short, bases in self._short.items()}
        return other

    def add(self, entry: str | Document) -> None:
        """Everything a text or a document is and cites."""
        title, text = (entry.title, entry.text) if isinstance(entry, Document) else ("", entry)
        own = next((c for c in find_citations(f"{title}\n{text[:400]}") if c.kind == "usc" and not c.path), None)
        if own and (title or _OWN_HEADING.search(text)):
            for path in _subdivisions(text):
                self._note(own, path)
        for cited in find_citations(f"{title}\n{text}"):
            self._note(cited, cited.path)
            if own and cited.kind == "section" and not _names_other_law(cited, text):
                # In a title of the Code, "section 106" is a section of that title.
                form = f"{own.base.split(' § ')[0]} {cited.form}"
                self._note(Cited(form, (), "usc", cited.text, cited.start), cited.path)

    def _note(self, cited: Cited, path: _Path) -> None:
        paths = self.paths.setdefault(cited.base, set())
        paths.update(path[:k] for k in range(1, len(path) + 1))
        self._shown[Cited(cited.form, path, cited.kind, "", 0).canonical] = cited.kind
        self._shown.setdefault(cited.base, cited.kind)
        if cited.year:
            self.years.setdefault(cited.base, set()).add(cited.year)
        if short := _short_form(cited):
            self._short.setdefault(short, set()).add(cited.base)

    def has(self, cited: Cited) -> bool | None:
        bases = {cited.base} & self.paths.keys()
        if cited.kind in ("section", "article", "recital"):
            bases |= self._short.get(cited.base, set())
        answers = {self._has_path(base, cited.path) for base in bases}
        return True if True in answers else (None if None in answers else False)

    def _has_path(self, base: str, path: _Path) -> bool | None:
        known = self.paths[base]
        for depth in range(1, len(path) + 1):
            if path[:depth] not in known:
                siblings = [p for p in known if len(p) == depth and p[:-1] == path[: depth - 1]]
                return False if siblings else None
        return True

    def nearest(self, cited: Cited) -> list[str]:
        same = [shown for shown, kind in self._shown.items() if kind == cited.kind]
        wanted = cited.canonical
        ranked = process.extract(wanted, same or list(self._shown), scorer=fuzz.ratio, limit=_N_NEAR)
        return [match[0] for match in ranked]


def _short_form(cited: Cited) -> str:
    if cited.kind in ("usc", "cfr", "act"):
        return f"§ {cited.base.split(' § ')[-1]}"
    if cited.kind in ("article", "recital", "code"):
        return " ".join(cited.base.split()[:2])
    return ""


def _names_other_law(cited: Cited, text: str) -> bool:
    """Whether a section in a statute is followed by the name of another law."""
    at = text.find(cited.text)
    return at >= 0 and bool(_OTHER_LAW.match(text[at + len(cited.text) : at + len(cited.text) + 80]))


def _subdivisions(text: str) -> Iterator[_Path]:
    """Paths of the enumerators of a section's text: (a), (1), (A), (i), (I), (aa), outermost first.

    A level is told by the label's alphabet; i, v and x are Roman below a capital letter, else they
    continue the alphabet after h, u and w.
    """
    heading = _OWN_HEADING.search(text)
    body = text[heading.end() if heading else 0 :]
    notes = _NOTES.search(body)
    stack: list[tuple[int, str]] = []
    for run in _ENUMERATOR.findall(body[: notes.start() if notes else None]):
        for label in re.findall(r"\((\w+)\)", run):
            level = _level(label, stack)
            if level < 0:
                continue
            while stack and stack[-1][0] >= level:
                stack.pop()
            stack.append((level, label))
            yield tuple(one for _, one in stack)


def _level(label: str, stack: list[tuple[int, str]]) -> int:
    fits = [k for k, pattern in enumerate(_LEVELS) if re.fullmatch(pattern, label)]
    if len(fits) < 2:
        return fits[0] if fits else -1
    alphabet, roman = fits[0], fits[-1]
    before = next((last for level, last in reversed(stack) if level == alphabet), "")
    continues = len(label) == 1 and len(before) == 1 and ord(label) == ord(before) + 1
    has_parent = any(level == roman - 1 for level, _ in stack)
    started = any(level == roman for level, _ in stack)
    return roman if (has_parent and (started or label in "iI")) or (not continues and has_parent) else alphabet
