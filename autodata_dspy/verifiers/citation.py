"""Is every legal citation well formed, and does what it cites exist?"""

from __future__ import annotations

import copy
import datetime
import re
import threading
from collections.abc import Iterable
from typing import Any, ClassVar

from autodata_dspy.legal_authorities import ClosedList
from autodata_dspy.legal_citations import Citation as Cited
from autodata_dspy.legal_citations import (
    beyond,
    check_eyecite,
    find_citations,
    incomplete_citations,
    unrecognised_citations,
)
from autodata_dspy.subjects import not_text, text_of
from autodata_dspy.types import Document, Verdict
from autodata_dspy.verifiers.base import Checks, Cost, VerifierExample

# The last number there is; a higher one is invented whatever the list says.
_LAST = {
    "Art. GDPR": 99, "Recital GDPR": 173, "Art. TFEU": 358, "Art. TEU": 55, "Recital AI Act": 180, "Art. AI Act": 113,
    "Art. DSA": 93, "Art. DMA": 54, "Art. CFR (EU)": 54, "Art. ECHR": 59,
}  # fmt: skip
_US_TITLES, _CFR_TITLES = 54, 50
_ARTICLES_AND_AMENDMENTS = {"art.": 7, "amend.": 27}
_COURT_YEARS = {"UKSC": (2009, 9999), "UKHL": (2001, 2009), "EWCA": (2001, 9999), "EWHC": (2001, 9999)}


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

    A decision that the list gives with a year fails with another one.

    Undecided: no list; a subdivision nothing is known about; no text; a public law, a federal rule, or a case with its
    court or year but without a reporter (`Doe v. Roe (11th Cir. 2019)`), which no list here can be compared with; what
    stands beyond the first 400 000 characters. A text without citations passes,
    unless `min_citations` asks for some.

    Limits: whether a real citation supports what it is cited for is not checked, nor a case's name,
    nor a pin cite; a case named without reporter and year is not seen.

    Audited on 98 hard cases (benchmarks/README.md):
    precision 1.000, recall 1.000, undecided 0.102.

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
        self._index: ClosedList | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Citation:
        """A copy that shares the list, which is only read: optimizers copy a program for each of its runs."""
        self._list("")
        return copy.copy(self)

    def __reduce__(self) -> Any:  # a lock cannot be copied; another process reads the list for itself
        return type(self), (self.known, self.documents, self.min_citations)

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
        found = find_citations(text)
        cited = list({(c.canonical, c.year): c for c in found}.values())
        checked = [self._check(c, listed) for c in cited]
        return self._verdict(checked, broken, unrecognised_citations(text, found), beyond(text))

    def _list(self, context: str) -> ClosedList:
        with self._lock:  # built once: reading a corpus takes seconds
            if self._index is None:
                self._index = ClosedList()
                for entry in (*self.known, *self.documents):
                    self._index.add(entry)
        if not context.strip():
            return self._index
        listed = self._index.copy()
        listed.add(context)
        return listed

    def _check(self, cited: Cited, listed: ClosedList) -> dict[str, Any]:
        evidence: dict[str, Any] = {"citation": cited.canonical, "kind": cited.kind, "text": cited.text}
        if why := _impossible(cited):
            return evidence | {"exists": False, "why": why}
        if not listed.paths:
            return evidence | {"exists": None, "why": "no list of real citations is given"}
        exists = listed.has(cited)
        years = listed.years.get(cited.base, set())
        if exists and cited.year and years and cited.year not in years:
            listed_with = ", ".join(map(str, sorted(years)))
            return evidence | {"exists": False, "why": f"it is of {listed_with}, not of {cited.year}"}
        if exists is None:
            return evidence | {"exists": None, "why": f"{cited.base} exists; its subdivisions are not listed"}
        return evidence | {"exists": exists} | ({} if exists else {"near": listed.nearest(cited)})

    def _verdict(
        self, checked: list[dict[str, Any]], broken: list[str], unrecognised: list[str], n_unread: int
    ) -> Verdict:
        n = len(checked) + len(broken)
        evidence: dict[str, Any] = {"n_citations": n, "citations": checked, "incomplete": broken}
        evidence |= {"unrecognised": unrecognised[:20]} if unrecognised else {}
        evidence |= {"n_unread": n_unread} if n_unread else {}
        if n + len(unrecognised) < self.min_citations and not n_unread:
            return Verdict(0.0, f"{n} citations; cite at least {self.min_citations}", evidence, self.name)
        unknown = _unknown(unrecognised, n_unread)
        if not n and not unknown:
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
        if unknown:
            return Verdict(None, unknown, evidence, self.name)
        return Verdict(1.0, "", evidence, self.name)


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


def _unknown(unrecognised: list[str], n_unread: int) -> str:
    """What else may be wrong and cannot be told."""
    if unrecognised:
        return f"“{unrecognised[0][:120]}” is in a form whose existence cannot be checked here"
    return f"the last {n_unread} characters of the text are not read" if n_unread else ""


def _explain(checked: dict[str, Any]) -> str:
    if "why" in checked:
        return f"{checked['citation']} cannot exist: {checked['why']}"
    near = f"; the nearest are {', '.join(checked['near'])}" if checked["near"] else ""
    return f"{checked['citation']} is not on the list of real citations{near}"


PLUGIN = Citation
