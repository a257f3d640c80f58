"""Is a legal task a client's own problem, and not the recap of a case or an examination?"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from autodata_dspy.errors import ConfigError
from autodata_dspy.subjects import text_of
from autodata_dspy.types import Verdict
from autodata_dspy.verifiers.base import Checks, Cost, VerifierExample

MAX_CHARS = 1000  # Autodata paper, legal domain: the code's overrides of the loop judge

_COURT = r"(?:supreme|district|circuit|appeals?|appellate|trial|lower|high|superior|probate|bankruptcy|federal|state)"
_RULED = (
    r"(?:held|ruled|found|concluded|reasoned|affirmed|reversed|remanded|vacated|determined|granted|denied|dismissed)"
)
_RECAP = {
    "a case's name": r"\b[A-Z][\w'.&-]+(?:\s+[\w'.&-]+){0,4}?\s+vs?\.\s+(?:the\s+)?[A-Z][\w'&-]+",
    # "The court held that my lease ended" is a client's own matter.
    "what a court held": rf"(?i)\b(?:the|this|that)\s+(?:{_COURT}\s+)*(?:court|panel|justices|majority)(?:\s+of\s+"
    rf"appeals?)?\s+(?:then\s+|also\s+|later\s+|correctly\s+|erroneously\s+)?{_RULED}\b"
    r"(?![^.?!]{0,80}\b(?:my|me|our|us|I|we)\b)",
    "a question about a court": r"(?i)\b(?:how|why|what|on what (?:ground|basis)s?|which)\b[^.?!]{0,40}\b(?:did|should|"
    r"would|does|must)\s+(?:the|this|that)\s+(?:\w+\s+)?court\b",
    "the holding": r"(?i)\bthe\s+(?:court's\s+|majority's\s+)?(?:holding|ratio decidendi|majority opinion|dissenting "
    r"opinion|concurring opinion|dissent|concurrence|procedural history)\b",
    "the case at bar": r"(?i)\b(?:case at bar|instant case|case at hand|present appeal|in (?:that|this) case,? the "
    r"(?:court|plaintiff|defendant|appell(?:ant|ee)|petitioner|respondent))\b",
    "parties by their roles": r"(?i)\b(?:the\s+)?(?:plaintiff|defendant|appellant|appellee|petitioner|respondent)s?\s+"
    r"(?:argue[ds]?|contend(?:ed|s)?|appeal(?:ed|s)?|move[ds]?|assert(?:ed|s)?|allege[ds]?|sued|filed|brought|claim"
    r"(?:ed|s)?)\b",
    "a decision on appeal": r"(?i)\b(?:on appeal,|(?:affirm|revers|vacat|remand)(?:ed|ing)\s+(?:the|that|this|and)\b|"
    r"certiorari|judgment below|\b(?:we|this court)\s+(?:hold|conclude|reverse|affirm|overrule)d?\b|\boverrul(?:ed?|es|ing)\b)",
}  # fmt: skip
_EXAM = {
    "a bare task word": r"(?im)(?:^|[.?!]\s+)(?:discuss|analy[sz]e|advise|evaluate|explain your reasoning)\s*[.!]?\s*$",
    "examination wording": r"(?i)\b(?:bar exam(?:ination)?|law school|law students?|exam(?:ination)? question|fact "
    r"pattern|hypothetical(?:ly)?|issue[- ]spott\w+|IRAC|essay question|multiple[- ]choice|model answer|call of the "
    r"question|moot court)\b",
    "issue spotting": r"(?i)\b(?:identify|discuss|analy[sz]e|spot|list|address)\s+(?:and\s+\w+\s+)?(?:all|the|any|each|"
    r"every)\s+(?:of\s+the\s+)?(?:(?:legal|relevant|possible|potential)\s+)*(?:issues?|claims?|causes? of action|rights "
    r"and liabilities)\b",
    "rights and liabilities": r"(?i)\brights,?\s+(?:duties\s+)?and\s+(?:liabilities|obligations|remedies)\s+of\s+(?:the\s+"
    r")?(?:parties|each)\b",
    "what result": r"(?i)\bwhat\s+result\b|\bwhich\s+of\s+the\s+following\b|\bwho\s+(?:should|will|would)\s+prevail\b",
    "options": r"(?m)^\s*\(?A[).]\s.+\n+\s*\(?B[).]\s",
    "an assumption": r"(?i)(?:^|[.?!]\s+)(?:assume|suppose)\s+(?:that|the|a|an)\b|\bassume\s+for\s+(?:the\s+)?purposes?\b",
    "a reference to the text": r"(?i)\b(?:according to|based on|as (?:stated|described|discussed|set out) in|under|in) "
    r"the\s+(?:above|passage|excerpt|provided (?:text|document|statute)|document|text above|opinion|statute above|"
    r"given (?:text|statute))\b",
    "an examiner's address": r"(?i)\b(?:in your answer|your answer should|you are (?:a|an|the) (?:associate|attorney|"
    r"lawyer|judge|clerk|counsel)|prepare a memo(?:randum)?|draft a memo(?:randum)?)\b",
}  # fmt: skip
_YEAR = re.compile(r"(?<![\w.,$€£#§/-])(1[89]\d\d)(?:s|'s|’s)?(?![\w%°]|[.,]\d)")
_NO_YEAR_BEFORE = re.compile(
    r"(?i)(?:§+|sections?|secs?\.?|u\.?\s?s\.?\s?c\.?(?:\s?§+)?|c\.?f\.?r\.?|articles?|art\.?|rules?|no\.?|nos\.|number|"
    r"pages?|pp?\.|para(?:graph)?s?\.?|form|route|highway|room|unit|apartment|suite|lot|model|about|roughly|nearly|over|"
    r"paid|cost|costs|worth|usd|eur|gbp|volume|vol\.|stat\.|rs\.?|act)\s*$"
)
_NO_YEAR_AFTER = re.compile(
    r"(?i)\s*(?:dollars?|euros?|pounds?|bucks|cents?|square|sq\.?|feet|foot|ft\.?|met(?:er|re)s?|miles?|km|kg|lbs?\.?|"
    r"acres?|hours?|days?|units?|shares?|employees|people|members|customers|tenants|items|copies|users|words|"
    r"(?:[A-Z][a-z]+\s+){1,2}(?:street|st\.|avenue|ave\.?|road|rd\.|drive|lane|boulevard|blvd\.?))\b"
)


class CaseRecap:
    """The overrides of the legal domain, applied to the body of a task (its question).

    Fails when the body is longer than 1000 characters, recaps a case (a case's name, what a court
    held, the parties by their roles, …), is worded like an examination (issue spotting, options, "assume
    that", references to a text the solver does not see, …), or names a year from 1800 to 1939 (cases of
    that age come from the document, not from a client). A figure is no year where it is a section, an
    amount, a measure or an address.

    Audited on 67 hard cases (benchmarks/README.md):
    precision 1.000, recall 1.000, undecided 0.030.

    Patterns are English; in other languages only length and years are found.

    Args:
        max_chars: the longest body that passes.
        last_year: the last year that is too old; the first is 1800.
    """

    name: ClassVar[str] = "case_recap"
    checks: ClassVar[Checks] = "challenge"
    cost: ClassVar[Cost] = "free"
    EXAMPLES: ClassVar[tuple[VerifierExample, ...]] = (
        VerifierExample(
            "I run a bakery and my supplier has sent spoiled flour twice this spring. Our contract says nothing about "
            "quality. Can I refuse to pay the second invoice?",
            why="a client with a problem of her own",
        ),
        VerifierExample(
            "In Harlow v. Pettigrew the court held that the supplier had to replace the flour. Why did it say so?",
            expected=False,
            why="recaps a case",
        ),
        VerifierExample(
            "Identify all legal issues raised by the supplier's conduct and discuss.",
            expected=False,
            why="an examination question",
        ),
        VerifierExample("My family has owned the mill since 1874. Is it mine?", expected=False, why="1874"),
        VerifierExample("", expected=None, why="there is no body"),
    )

    def __init__(self, max_chars: int = MAX_CHARS, last_year: int = 1939):
        if max_chars < 1 or not 1800 <= last_year <= 1999:
            raise ConfigError(f"max_chars is positive and last_year in 1800–1999, not {max_chars} and {last_year}")
        self.max_chars, self.last_year = max_chars, last_year

    def verify(self, subject: Any, reference: str = "", context: str = "") -> Verdict:
        """Score 1 for a body that no override touches, else 0; undecided without a body.

        Args:
            subject: a challenge (its question is the body) or the body itself.
            reference: not used.
            context: not used.
        """
        body = text_of(subject, "question")
        if body is None or not body.strip():
            return Verdict.undecidable(f"there is no body of a task in {type(subject).__name__}", self.name)
        body = body.strip()
        faults: dict[str, Any] = {}
        if len(body) > self.max_chars:
            faults["n_chars"] = len(body)
        for kind, patterns in (("recap", _RECAP), ("exam", _EXAM)):
            if hits := {what: m[0].strip()[:80] for what, p in patterns.items() if (m := re.search(p, body[:20_000]))}:
                faults[kind] = hits
        if years := old_years(body, self.last_year):
            faults["years"] = years
        return Verdict(0.0 if faults else 1.0, self._advice(faults), faults, self.name)

    def _advice(self, faults: dict[str, Any]) -> str:
        parts = []
        if "n_chars" in faults:
            parts.append(f"the body has {faults['n_chars']} characters; use at most {self.max_chars}")
        if "recap" in faults:
            what, shown = next(iter(faults["recap"].items()))
            parts.append(f"it recaps a case ({what}: “{shown}”); invent a new client with a problem of their own")
        if "exam" in faults:
            what, shown = next(iter(faults["exam"].items()))
            parts.append(f"it is worded like an examination ({what}: “{shown}”); let the client ask in their own words")
        if "years" in faults:
            parts.append(f"it names {', '.join(map(str, faults['years']))}; let it happen in the present")
        return "; ".join(parts)


def old_years(text: str, last_year: int = 1939) -> list[int]:
    """Years from 1800 to `last_year` that a text names, ascending."""
    found = set()
    for match in _YEAR.finditer(text):
        before, after = text[max(0, match.start() - 24) : match.start()], text[match.end() : match.end() + 40]
        if int(match[1]) <= last_year and not _NO_YEAR_BEFORE.search(before) and not _NO_YEAR_AFTER.match(after):
            found.add(int(match[1]))
    return sorted(found)


PLUGIN = CaseRecap
