"""Does a legal challenge cite only what its document holds?"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any, ClassVar

from autodata_dspy.legal_citations import find_citations
from autodata_dspy.subjects import text_of
from autodata_dspy.types import Verdict
from autodata_dspy.verifiers.base import Checks, Cost, VerifierExample
from autodata_dspy.verifiers.citation import Citation

_NUMBER = r"\d{1,4}[A-Za-z]?(?:\.\d{1,4}){0,3}"
_CLAUSE = re.compile(rf"\b(?:[Cc]lause|[Rr]ule)\s(?={_NUMBER})")
_HEADING = re.compile(
    rf"^[\s#*>]*(?:(?:§|[Ss]ection|SECTION|[Ss]ec\.)\s*(?P<named>{_NUMBER})\b|"
    r"(?P<parted>\d{1,4}(?:\.\d{1,4}){1,3})\b|(?P<bare>\d{1,4}[A-Za-z]?)[.):])",
    re.MULTILINE,
)
_LABEL = re.compile(r"\(([a-z]|\d{1,2}|[ivx]{1,4})\)")
_MAX_LABELS = 60  # of one section


class DocumentCitations:
    """The `citation` verifier with the document as the closed list, read as advisers cite it.

    "Clause 7" and "rule 7" count as "Section 7"; a heading "7." or "7.2" is a section too, with the labels (1), (a), …
    in its text; and "Section 7 of the Harbour Act" is "Section 7" in a document that names the Harbour Act. Where the
    document numbers nothing, every citation is invented.
    """

    name: ClassVar[str] = "document_citations"
    checks: ClassVar[Checks] = "challenge"
    cost: ClassVar[Cost] = "cpu"
    EXAMPLES: ClassVar[tuple[VerifierExample, ...]] = (
        VerifierExample("See clause 2.", context="1. Price\n2. Delivery\nThe seller delivers.", why="a heading"),
        VerifierExample("See clause 9.", context="1. Price\n2. Delivery", expected=False, why="there are two"),
        VerifierExample("See Section 4.", expected=None, why="there is no document"),
    )

    def __init__(self) -> None:
        self._citation = Citation()

    def verify(self, subject: Any, reference: str = "", context: str = "") -> Verdict:
        """Score as `citation`.

        Args:
            subject: a text or a challenge (context, question, answer and rubric).
            reference: not used.
            context: the document's text.
        """
        text = text_of(subject)
        if text is None:
            return Verdict.undecidable(f"there is no text in {type(subject).__name__}", self.name)
        law = _CLAUSE.sub("Section ", context)
        listed = "\n".join([law, *_headings(law)])
        spoken = _without_own_name(_CLAUSE.sub("Section ", text), context)
        verdict = self._citation.verify(spoken, context=listed)
        if verdict.undecided and context.strip() and not find_citations(listed):
            return Verdict.of(False, "the document numbers nothing; name its rules in words", self.name)
        return Verdict(verdict.score, verdict.feedback, verdict.evidence, self.name)


def _headings(law: str) -> Iterator[str]:
    """The document's numbered parts, and the labels inside each, as citations."""
    found = list(_HEADING.finditer(law))
    for heading, later in itertools.zip_longest(found, found[1:]):
        end = later.start() if later else len(law)
        number = heading[heading.lastgroup or 0]
        yield f"Section {number}."
        labels = list(dict.fromkeys(_LABEL.findall(law[heading.end() : end])))[:_MAX_LABELS]
        yield from (f"Section {number}({label})." for label in labels)


def _without_own_name(text: str, document: str) -> str:
    """ "Section 4 of the Harbour Act" as "Section 4", where the document names that Act."""
    known = document.casefold()
    parts: dict[str, list[str]] = {}
    for cited in find_citations(text):
        if cited.kind == "act" and cited.base.split(" § ")[0].casefold() in known:
            parts.setdefault(cited.text, []).append(f"Section {cited.canonical.split(' § ')[-1]}")
    for stands, sections in parts.items():
        text = text.replace(stands, " and ".join(sections))
    return text
