"""Is a rubric fit to grade with: enough criteria, right weights, each about one thing and about content?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from autodata_dspy.errors import ConfigError, did_you_mean
from autodata_dspy.subjects import as_challenge, as_rubric
from autodata_dspy.text import STOPWORDS, sentences, words
from autodata_dspy.types import Criterion, Verdict
from autodata_dspy.verifiers.base import Checks, Cost, VerifierExample


@dataclass(frozen=True, slots=True)
class RubricBounds:
    """Inclusive bounds; None for no upper one.

    Attributes:
        n: criteria in all; n_positive, n_negative: of them with a weight above, below 0.
        positive: weights above 0; negative: weights below 0.
    """

    n: tuple[int, int | None] = (10, 20)
    n_positive: tuple[int, int | None] = (4, None)
    n_negative: tuple[int, int | None] = (3, None)
    positive: tuple[int, int] = (1, 10)
    negative: tuple[int, int] = (-10, -1)

    def __post_init__(self) -> None:
        for what in ("n", "n_positive", "n_negative", "positive", "negative"):
            low, high = getattr(self, what)
            if high is not None and high < low:
                raise ConfigError(f"rubric bounds {what}={low, high} leave nothing that would do")


# Autodata paper: quality verifier of CS research (at least 4 positive, 3 negative, 10 to 20 in all, weights
# to 10 either way), and the weight classes of the legal domain (8 to 10, 5 to 7, 2 to 4; at least one negative).
PRESETS = {
    "cs_research": RubricBounds(),
    "legal": RubricBounds(n=(15, 25), n_positive=(1, None), n_negative=(1, None), positive=(2, 10)),
}

_VERB = (
    "states?|identif(?:y|ies)|explains?|mentions?|concludes?|notes?|describes?|appl(?:y|ies)|argues?|shows?|computes?|"
    "derives?|discuss(?:es)?|cites?|compares?|contrasts?|recommends?|advises?|distinguish(?:es)?|recogni[sz]es?|"
    "acknowledges?|gives?|provides?|lists?|defines?|justif(?:y|ies)|proves?|address(?:es)?|analy[sz]es?|calculates?|"
    "clarif(?:y|ies)|considers?|demonstrates?|determines?|evaluates?|illustrates?|includes?|links?|observes?|"
    "points? out|proposes?|refers?|rejects?|relates?|reports?|specif(?:y|ies)|suggests?|summari[sz]es?|uses?|warns?|"
    "connects?|names?|quantif(?:y|ies)|outlines?|predicts?|interprets?|asserts?|claims?|assumes?|infers?|ties?|flags?"
)
_COMPOUND = {
    "two things to do": re.compile(
        rf"(?i)\b(?:and|as well as|but also|while also|plus|or)\s+(?:(?:also|then|correctly|clearly|explicitly|briefly|"
        rf"properly|accurately|further|does not|do not)\s+)*(?:{_VERB})\b(?!\s+(?:of|in|for)\b)"
    ),
    "two things to do (gerund)": re.compile(
        r"(?i)\b\w+ing\b[^.;]*\band\s+(?:explain|describ|justify|stat|show|deriv|comput)ing\b"
    ),
    "two statements": re.compile(r"(?i)\bthat\b[^.;]*,?\s+(?:and|as well as)\s+that\b"),
    "two questions": re.compile(
        r"(?i)\b(?:why|how|what|which|when|whether)\b[^.;]*\b(?:and|or)\s+(?:why|how|what|which|when|whether)\b"
    ),
    "a semicolon": re.compile(r";\s*\w"),
    "and/or": re.compile(r"(?i)\band/or\b"),
    "numbered parts": re.compile(r"\((?:1|i|a)\).*\((?:2|ii|b)\)", re.DOTALL),
}
_GOOD = re.compile(
    r"(?i)^\W*(?:the\s+)?(?:answer\s+|response\s+|it\s+)?(?:(?:correctly|accurately|rightly|properly|clearly|explicitly)\s+"
    r"\w+|avoids?\b|refrains?\s+from\b|recogni[sz]es?\s+that\b)"
)
_BAD = re.compile(
    r"(?i)\b(?:incorrectly|wrongly|erroneously|mistakenly|falsely|inaccurately|misstates?|misinterprets?|misunderstands?|"
    r"misapplies|misattributes?|misidentifies|confuses?|conflates?|hallucinates?|fabricates?|invents?|contradicts?|"
    r"overlooks?|ignores?|omits?|neglects?|fails?\s+to|failure\s+to|contains?\s+(?:an?\s+)?(?:error|mistake|factual\s+"
    r"error)s?|makes?\s+up)\b"
)
_ABSENT_BAD = re.compile(
    r"(?i)^\W*(?:the\s+)?(?:answer\s+|response\s+|it\s+)?(?:does\s+not|do\s+not|doesn't|never|avoids?|refrains?\s+from|is\s+"
    r"free\s+of|without)\b"
)
_LACKS = re.compile(
    r"(?i)^\W*(?:the\s+)?(?:answer\s+|response\s+|it\s+)?(?:does\s+not|do\s+not|doesn't|never)\s+(?:\w+ly\s+)?(?:mention|"
    r"address|discuss|explain|identify|include|provide|give|state|consider|justify|show|define|cite|apply|name|answer|"
    r"acknowledge|recognize|recognise|distinguish|describe|support)\b"
)
_FORMAT = frozenset(
    "format formats formatted formatting markdown latex bullet bullets bulleted list lists numbered heading headings header "
    "headers paragraph paragraphs sentence sentences word words length lengthy long short concise concisely brief briefly "
    "succinct readable readability legible layout structure structured organised organized organisation organization style "
    "stylistic tone professional professionally polite politely formal formally grammar grammatical grammatically spelling "
    "punctuation typo typos typographical table tables bold italic italics section sections clear clearly clarity coherent "
    "coherently coherence fluent fluently flow flows eloquent english prose language presentation presented neat neatly "
    "citation-style font emoji emojis intro introduction conclusion characters lines easy read follow followed understandable "
    "verbose rambling repetitive logically logical order ordered well-written well-structured well-organized well-organised "
    "jargon simple plain".split()
)  # fmt: skip
_GENERIC = frozenset(
    "answer answers response responses text output solution reply is are be has have uses use using used written write writes "
    "writing good well nice great high quality overall appropriate appropriately suitable proper properly correct correctly "
    "accurate accurately complete completely thorough thoroughly comprehensive relevant helpful useful free contains contain "
    "includes include provides provide gives give given makes make made presents present errors error mistakes mistake least "
    "most fewer less more than exactly between limit limited keeps keep stays stay maintains maintain demonstrates demonstrate "
    "shows show level way manner user reader question prompt task exceed exceeds under over within throughout does poor poorly "
    "badly bad wrong incorrect incorrectly fully entire whole all any every properly explanation explanations sound "
    "number ideas points information content topic issue issues detail details detailed".split()
)  # fmt: skip


class RubricForm:
    """Checks a rubric without a model: counts, weights, and the wording of each criterion.

    Of a criterion: an integer weight within bounds; one demand, not two joined; about content, not
    format alone (layout, length, tone, grammar) and not empty praise ("the answer is correct"); worded to fit
    its sign: what earns points is something good, what costs points is the bad thing asserted ("claims that …",
    not "does not claim that …", which would punish its absence); no repetition. English wording.

    Audited on 60 hard cases (benchmarks/README.md):
    precision 1.000, recall 1.000, undecided 0.067.

    Args:
        bounds: a RubricBounds, or "cs_research" or "legal" (the paper's).
        max_compound, max_format_only: criteria of these kinds that are forgiven.
    """

    name: ClassVar[str] = "rubric_form"
    checks: ClassVar[Checks] = "challenge"
    cost: ClassVar[Cost] = "free"
    EXAMPLES: ClassVar[tuple[VerifierExample, ...]] = (
        VerifierExample(
            [
                {"text": "States that the lock is released before the callback runs", "weight": 5},
                {"text": "Names starvation of the writer as the consequence", "weight": 4},
                {"text": "Derives the bound of two retries from the queue's length", "weight": 6},
                {"text": "Explains why a fair queue removes the effect", "weight": 3},
                {"text": "Gives an interleaving with three threads", "weight": 3},
                {"text": "Relates the effect to the size of the cache line", "weight": 2},
                {"text": "Concludes that read-copy-update is no remedy here", "weight": 4},
                {"text": "Claims that the lock is recursive", "weight": -4},
                {"text": "Attributes the stall to the garbage collector", "weight": -3},
                {"text": "Proposes a longer timeout as the remedy", "weight": -2},
            ],
            why="seven positive and three negative criteria, each about one thing",
        ),
        VerifierExample(
            [{"text": "Is well structured and easy to read", "weight": 5}, {"text": "Names the lemma", "weight": 2.5}],
            expected=False,
            why="too few, one about format only, one weight that is no integer",
        ),
        VerifierExample("no rubric", expected=None, why="there is no rubric"),
    )

    def __init__(self, bounds: RubricBounds | str = "cs_research", max_compound: int = 0, max_format_only: int = 0):
        if isinstance(bounds, str):
            if bounds not in PRESETS:
                raise ConfigError(did_you_mean("rubric bounds", bounds, PRESETS))
            bounds = PRESETS[bounds]
        self.bounds, self.max_compound, self.max_format_only = bounds, max_compound, max_format_only

    def verify(self, subject: Any, reference: str = "", context: str = "") -> Verdict:
        """Score: the share of faultless criteria, divided by 1 + the number of wrong counts.

        Args:
            subject: a challenge with a rubric, a Rubric, or a list of criteria ({text, weight}).
            reference: not used.
            context: not used.
        """
        rubric = as_rubric(subject)
        if rubric is None:
            challenge = as_challenge(subject)
            rubric = challenge.rubric if challenge else None
        if rubric is None:
            return Verdict.undecidable(f"there is no rubric in {type(subject).__name__}", self.name)
        criteria = rubric.criteria
        counts = self._counts(criteria)
        faults = self._faults(criteria)
        share = 1.0 - len(faults) / len(criteria) if criteria else 0.0
        evidence = {"n": len(criteria), "counts": counts, "faults": {str(i): f for i, f in faults.items()}}
        said = [*counts, *(f"criterion {i + 1} ({criteria[i].text[:60]!r}) {', '.join(f)}" for i, f in faults.items())]
        feedback = "; ".join(said[:6]) + (f"; and {len(said) - 6} more" if len(said) > 6 else "")
        return Verdict(share / (1 + len(counts)), feedback, evidence, self.name)

    def _counts(self, criteria: Sequence[Criterion]) -> list[str]:
        weights = [c.weight for c in criteria if _is_number(c.weight)]
        found = (
            ("criteria", len(criteria), self.bounds.n),
            ("positive criteria", sum(w > 0 for w in weights), self.bounds.n_positive),
            ("negative criteria", sum(w < 0 for w in weights), self.bounds.n_negative),
        )
        return [
            f"{n} {what}, where {low} to {high if high is not None else 'any number'} are wanted"
            for what, n, (low, high) in found
            if n < low or (high is not None and n > high)
        ]

    def _faults(self, criteria: Sequence[Criterion]) -> dict[int, list[str]]:
        seen: dict[str, int] = {}
        faults: dict[int, list[str]] = {}
        left = {"compound": self.max_compound, "format": self.max_format_only}
        for index, criterion in enumerate(criteria):
            own = [*self._weight_faults(criterion.weight), *_polarity_faults(criterion)]
            found = words(criterion.text)
            key = " ".join(found)
            if len(found) < 2:
                own.append("says too little to be judged")
            elif key in seen:
                own.append(f"repeats criterion {seen[key] + 1}")
            elif kind := _kind(found):
                left["format"] -= kind == "format"
                if kind == "empty" or left["format"] < 0:
                    own.append("is about format only" if kind == "format" else "says nothing about this task")
            seen.setdefault(key, index)
            if what := _compound(criterion.text):
                left["compound"] -= 1
                if left["compound"] < 0:
                    own.append(f"asks several things at once ({what}); split it")
            if own:
                faults[index] = own
        return faults

    def _weight_faults(self, weight: Any) -> list[str]:
        if not isinstance(weight, int) or isinstance(weight, bool):
            return [f"has the weight {weight!r}, which is no integer"]
        if weight == 0:
            return ["has the weight 0 and counts for nothing"]
        low, high = self.bounds.positive if weight > 0 else self.bounds.negative
        return [] if low <= weight <= high else [f"has the weight {weight}, outside {low} to {high}"]


def _is_number(weight: Any) -> bool:
    return isinstance(weight, (int, float)) and not isinstance(weight, bool)


def _compound(text: str) -> str:
    """How a criterion joins several demands; empty if it does not."""
    if len(sentences(text)) > 1:
        return "two sentences"
    return next((what for what, pattern in _COMPOUND.items() if pattern.search(text)), "")


def _kind(found: Sequence[str]) -> str:
    """ "format" or "empty" for a criterion that names nothing of the task; else an empty text."""
    telling = [w for w in found if w not in STOPWORDS and w not in _GENERIC and not w.isdigit()]
    if any(w not in _FORMAT for w in telling):
        return ""
    return "format" if telling else "empty"


def _polarity_faults(criterion: Criterion) -> list[str]:
    text, weight = criterion.text, criterion.weight
    if not _is_number(weight) or weight == 0:
        return []
    if weight > 0:
        bad = (
            _BAD.search(text)
            and not _ABSENT_BAD.match(text)
            and not re.search(rf"(?i)\b(?:{_VERB})\b.*{_BAD.pattern[4:]}", text)
        )
        return ["rewards something bad; give it a negative weight"] if bad or _LACKS.match(text) else []
    if _LACKS.match(text) or _BAD.search(text):
        return []
    good = _GOOD.match(text) or _ABSENT_BAD.match(text)
    return ["punishes something good; name the bad thing that the answer would say"] if good else []


PLUGIN = RubricForm
