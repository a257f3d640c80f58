"""Is a labelled text in its own words, and is it the text itself instead of words about it?"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Any, ClassVar

from autodata_dspy.labelled_task import LabelledTask
from autodata_dspy.subjects import as_challenge
from autodata_dspy.text import content_words, words
from autodata_dspy.types import Challenge, Verdict
from autodata_dspy.verifiers.base import Checks, Cost, VerifierExample

N_GRAM = 8  # words in a row that two lawyers do not choose independently
COPIED = 0.6  # of a text's n-grams
REPEATED = 0.7  # of a text's content words, when they are those of a definition
QUOTED, QUOTE_GRAM = 0.7, 4  # of a definition's word 4-grams, when they stand in a text


class NewWording:
    """A text in its own words: not its label, not the definition, not a copy of the document or of an example.

    That a clause on arbitration says "arbitration" is natural and allowed.

    Args:
        task: whose labels and definitions these are.
        shown: texts that the challenger has seen besides the document.
    """

    name: ClassVar[str] = "new_wording"
    checks: ClassVar[Checks] = "challenge"
    cost: ClassVar[Cost] = "free"
    EXAMPLES: ClassVar[tuple[VerifierExample, ...]] = (
        VerifierExample(
            Challenge("All quarrels end before an arbitrator whom the guild appoints.", "", label="arbitration"),
            why="own words",
        ),
        VerifierExample(Challenge("Arbitration.", "", label="arbitration"), expected=False, why="the label"),
    )

    def __init__(self, task: LabelledTask, shown: Iterable[str] = ()):
        self.task = task
        self.shown = tuple(_line(text) for text in shown)

    def verify(self, subject: Any, reference: str = "", context: str = "") -> Verdict:
        """Score 1 for new wording, 0 for a copy; undecided without a challenge.

        Args:
            subject: a challenge with a label.
            reference: not used.
            context: the document.
        """
        challenge = as_challenge(subject)
        if challenge is None:
            return Verdict.undecidable(f"{type(subject).__name__} is no challenge", self.name)
        if self.task.label_of(challenge.question):
            return Verdict.of(False, "the text is a label; write a text that belongs to it", self.name)
        own = set(content_words(challenge.question))
        for definition in self.task.labels.values():
            repeated = own and len(own & set(content_words(definition))) / len(own) >= REPEATED
            if repeated or _shared(definition, _line(challenge.question), QUOTE_GRAM) >= QUOTED:
                return Verdict.of(False, "the text repeats a definition; write a real text of that kind", self.name)
        for what, line in (("the passage", _line(context)), *(("an example", line) for line in self.shown)):
            if (share := _shared(challenge.question, line)) >= COPIED:
                why = f"{share:.0%} of the text is copied from {what}; keep the kind of rule, and use your own words"
                return Verdict.of(False, why, self.name, copied=round(share, 3))
        return Verdict.of(True, "", self.name)


# What a model says about a text when it should write one. None of the 150 real clauses of law_lb_unfair_tos.probe and
# of 703 sentences of the built-in legal documents has it.
_ABOUT = re.compile(
    r"\b(?:weak|strong)(?:er)? solver|\b(?:this|the|that) label\b|\b(?:the|this) (?:given |provided |above )?passage\b"
    r"|\bis (?:a|the) (?:legal )?(?:text|sentence|clause|statement)\b|\brephras|\bas an ai\b|\bclearly stat"
    r"|\bclear and concise|\b(?:text|clause|sentence|statement|passage) (?:\w+ly )?"
    r"(?:should|must be clear|ensures?|clarif|explains?|belongs?)"
    r"|\b(?:it is|it's) (?:important|crucial|essential) (?:to|that|for)\b|\b(?:is|are) (?:crucial|essential)\b",
    re.IGNORECASE,
)
_KINDS = r"(?:label|categor|polic(?:y|ies)\b)"
MAX_NAMED = 2  # labels that one text may name; more is a list of them


class NoCommentary:
    """The text itself: no words about texts, labels, passages or solvers, no advice on how it should be written.

    English patterns; texts in other languages pass.

    Args:
        task: whose labels these are.
    """

    name: ClassVar[str] = "no_commentary"
    checks: ClassVar[Checks] = "challenge"
    cost: ClassVar[Cost] = "free"
    EXAMPLES: ClassVar[tuple[VerifierExample, ...]] = (
        VerifierExample(Challenge("An arbitrator decides in Lyon.", "", label="arbitration"), why="a text"),
        VerifierExample(
            Challenge("The arbitration clause should name an arbitrator.", "", label="arbitration"),
            expected=False,
            why="about a text",
        ),
    )

    def __init__(self, task: LabelledTask):
        self.labels = tuple(task.labels)
        names = "|".join(re.escape(label) for label in self.labels)
        self.about = re.compile(rf"\b(?:{names})\W+{_KINDS}", re.IGNORECASE)

    def verify(self, subject: Any, reference: str = "", context: str = "") -> Verdict:
        """Score 1 for a text, 0 for words about one; undecided without a challenge.

        Args:
            subject: a challenge with a label.
            reference, context: not used.
        """
        challenge = as_challenge(subject)
        if challenge is None:
            return Verdict.undecidable(f"{type(subject).__name__} is no challenge", self.name)
        text = _line(challenge.question)
        n_named = sum(_line(label) in text for label in self.labels)
        if found := _ABOUT.search(challenge.question) or self.about.search(challenge.question):
            why = f"{found[0]!r} speaks about a text; write the text itself, without explanation or advice"
        elif n_named > MAX_NAMED:
            why = f"it names {n_named} labels; write one real text of the kind that was asked for"
        else:
            return Verdict.of(True, "", self.name)
        return Verdict.of(False, why, self.name)


@functools.lru_cache(maxsize=64)
def _line(text: str) -> str:
    """The words of a text between single spaces; a document is asked about many times."""
    return f" {' '.join(words(text))} "


def _shared(text: str, line: str, n: int = N_GRAM) -> float:
    """Share of the text's word n-grams that stand in the other one; a shorter text counts as one."""
    own = words(text)
    grams = [" ".join(own[i : i + n]) for i in range(max(1, len(own) - n + 1))]
    return sum(f" {gram} " in line for gram in grams) / len(grams)
