"""Is every legal citation well formed, and does what it cites exist?"""

from __future__ import annotations

import datetime
import re
import threading
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from rapidfuzz import fuzz, process

from autodata_dspy.legal_citations import Citation as Cited
from autodata_dspy.legal_citations import check_eyecite, find_citations, incomplete_citations
from autodata_dspy.subjects import not_text, text_of
from autodata_dspy.types import Document, Verdict
from autodata_dspy.verifiers.base import Checks, Cost, VerifierExample

_N_NEAR = 3
_Path = tuple[str, ...]

# The last number there is; a higher one is invented whatever the list says.
_LAST = {
    "Art. GDPR": 99, "Recital GDPR": 173, "Art. TFEU": 358, "Art. TEU": 55, "Recital AI Act": 180, "Art. AI Act": 113,
    "Art. DSA": 93, "Art. DMA": 54, "Art. CFR (EU)": 54, "Art. ECHR": 59,
}  # fmt: skip
_US_TITLES, _CFR_TITLES = 54, 50
_ARTICLES_AND_AMENDMENTS = {"art.": 7, "amend.": 27}
_COURT_YEARS = {"UKSC": (2009, 9999), "UKHL": (2001, 2009), "EWCA": (2001, 9999), "EWHC": (2001, 9999)}

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


class Citation:
    """Checks the form of legal citations, and their existence against a closed list.

    Forms: cases, state codes and journals (eyecite), `17 U.S.C. 107(1)`, `37 C.F.R. § 201.3`, `§ 12(3)`,
    `section 107 of title 17`, `U.S. Const. art. I, § 8`, `Art. 6(1)(f) GDPR`, `Recital 47 GDPR`,
    `Directive 95/46/EC`, `C-131/12`, `[2015] UKSC 11`, `s 12(3) Equality Act 2010`, `§ 823 Abs. 1 BGB`.
    A citation without its number (`17 U.S.C.`, `[2015] UKSC`) fails on form.

    The list: `known`, and what `documents` and the call's `context` are (their titles and headings) or
    cite. What is not on it does not exist, and the nearest entries are named. A section or article without
    its code exists when one of the listed codes has it. A subdivision exists when it is listed; where others
    of its rank are listed it does not; where none is, it is undecided. With a list or without,
    what cannot be (Art. 120 GDPR, 77 U.S.C., a UKSC judgment of 1998 or of next year) fails.

    Undecided: no list; a subdivision nothing is known about; no text. A text without citations passes,
    unless `min_citations` asks for some.

    Limits: whether a real citation supports what it is cited for is not checked, nor a case's name,
    nor a pin cite; a case named without a reporter is not seen.

    Audited x

    Args:
        known: citations that exist; an entry may hold several.
        documents: texts or Documents of the corpus.
        min_citations: fewer fail.

    Raises:
        ConfigError: eyecite is not installed (the extra `law`).
    """

    name: ClassVar[str] = "citation"
    checks: ClassVar[Checks] = "answer"
    cost: ClassVar[Cost] = "cpu"
    EXAMPLES: ClassVar[tuple[VerifierExample, ...]] = (
        VerifierExample(
            "Fair use is a defence under § 107(1).",
            context="17 U.S.C. § 107. Factors: 17 U.S.C. § 107(1), (2). See also 17 U.S.C. 106.",
            why="the section without its title is the one of the list",
        ),
        VerifierExample(
            "Fair use is a defence under 17 U.S.C. 1077.",
            context="17 U.S.C. § 107 and 17 U.S.C. § 106A",
            expected=False,
            why="invented",
        ),
        VerifierExample("It rests on Art. 120 GDPR.", expected=False, why="the regulation has 99 articles"),
        VerifierExample("See 17 U.S.C. § 107.", expected=None, why="there is no list"),
    )

    def __init__(self, known: Iterable[str] = (), documents: Iterable[str | Document] = (), min_citations: int = 0):
        check_eyecite()
        self.known = (known,) if isinstance(known, str) else tuple(known)
        self.documents = tuple(documents)
        self.min_citations = min_citations
        self._lock = threading.Lock()
        self._index: _ClosedList | None = None

    def verify(self, subject: Any, reference: str = "", context: str = "") -> Verdict:
        """Score: the share of citations that exist; undecided if none is wrong and one cannot be decided.

        Args:
            subject: a text or a challenge (context, question, answer and rubric).
            reference: not used.
            context: a document; what it is and cites joins the list.
        """
        text = text_of(subject)
        if text is None or not text.strip():
            return Verdict.undecidable(f"there is no text with citations in {type(subject).__name__}", self.name)
        if why := not_text(context=context or ""):
            return Verdict.undecidable(why, self.name)
        listed = self._list(context or "")
        broken = incomplete_citations(text)
        cited = list({c.canonical: c for c in find_citations(text)}.values())
        checked = [self._check(c, listed) for c in cited]
        return self._verdict(checked, broken)

    def _list(self, context: str) -> _ClosedList:
        with self._lock:  # built once: reading a corpus takes seconds
            if self._index is None:
                self._index = _ClosedList()
                for entry in (*self.known, *self.documents):
                    self._index.add(entry)
        if not context.strip():
            return self._index
        listed = self._index.copy()
        listed.add(context)
        return listed

    def _check(self, cited: Cited, listed: _ClosedList) -> dict[str, Any]:
        evidence: dict[str, Any] = {"citation": cited.canonical, "kind": cited.kind, "text": cited.text}
        if why := _impossible(cited):
            return evidence | {"exists": False, "why": why}
        if not listed.paths:
            return evidence | {"exists": None, "why": "no list of real citations is given"}
        exists = listed.has(cited)
        if exists is None:
            return evidence | {"exists": None, "why": f"{cited.base} exists; its subdivisions are not listed"}
        return evidence | {"exists": exists} | ({} if exists else {"near": listed.nearest(cited)})

    def _verdict(self, checked: list[dict[str, Any]], broken: list[str]) -> Verdict:
        n = len(checked) + len(broken)
        evidence = {"n_citations": n, "citations": checked, "incomplete": broken}
        if n < self.min_citations:
            return Verdict(0.0, f"{n} citations; cite at least {self.min_citations}", evidence, self.name)
        if not n:
            return Verdict(1.0, "there are no citations to check", evidence, self.name)
        invented = [c for c in checked if c["exists"] is False]
        open_ones = [c for c in checked if c["exists"] is None]
        said = [f"“{b}” lacks its number" for b in broken] + [_explain(c) for c in invented]
        if said:
            n_wrong = len(invented) + len(broken)
            return Verdict((n - n_wrong) / n, "; ".join(said[:5]) + "; cite what exists", evidence, self.name)
        if open_ones:
            why = f"{open_ones[0]['citation']}: {open_ones[0]['why']}"
            return Verdict(None, why, evidence, self.name)
        return Verdict(1.0, "", evidence, self.name)


class _ClosedList:
    """What exists: canonical bases, each with the subdivisions that are known of it."""

    def __init__(self) -> None:
        self.paths: dict[str, set[_Path]] = {}
        self._shown: dict[str, str] = {}  # canonical form → kind, for the neighbours
        self._short: dict[str, set[str]] = {}  # "§ 107" or "Art. 6" → bases that end or begin so

    def copy(self) -> _ClosedList:
        other = _ClosedList()
        other.paths = {base: set(paths) for base, paths in self.paths.items()}
        other._shown = dict(self._shown)
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


def _impossible(cited: Cited) -> str:
    """Why there can be no such thing; empty if there can."""
    base = cited.base
    number = re.search(r"\d+", base)
    if cited.kind in ("article", "recital") and number:
        words = base.split(" ", 2)
        last = _LAST.get(f"{words[0]} {words[2]}" if len(words) > 2 else "")
        return f"the last one is {last}" if last and int(number[0]) > last else ""
    if cited.kind in ("usc", "cfr") and number:
        last = _US_TITLES if cited.kind == "usc" else _CFR_TITLES
        return f"there are {last} titles" if not 1 <= int(number[0]) <= last else ""
    if cited.kind == "constitution":
        part, roman = base.split()[2], base.split()[3].strip(",")
        last = _ARTICLES_AND_AMENDMENTS[part]
        return f"the last one is {last}" if _arabic(roman) > last else ""
    if cited.kind == "neutral" and number:
        court = base.split()[1]
        first, last = _COURT_YEARS.get(court, (1990, 9999))
        year = int(number[0])
        if not first <= year <= min(last, datetime.date.today().year):
            return f"{court} gave no judgment under this form in {year}"
    return ""


def _arabic(roman: str) -> int:
    values = [{"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}[sign] for sign in roman]
    return sum(-v if v < max(values[i:], default=0) else v for i, v in enumerate(values))


def _explain(checked: dict[str, Any]) -> str:
    if "why" in checked:
        return f"{checked['citation']} cannot exist: {checked['why']}"
    near = f"; the nearest are {', '.join(checked['near'])}" if checked["near"] else ""
    return f"{checked['citation']} is not on the list of real citations{near}"


PLUGIN = Citation
