"""Computer-science research: questions that need reasoning from a paper or an article, graded by a rubric.

One document → kind of question and two or three skills, a context that does not give the answer away, one question,
its reference answer and a weighted rubric, as in the computer-science section of arXiv 2606.25996. `PLUGIN` is the form
that small models can write (short rubrics); `cs_research(paper_form=True)` is the paper's.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
from collections.abc import Iterator
from typing import Any, get_args

from autodata_dspy.acceptance import PRESETS
from autodata_dspy.domains._cs_research import (
    ANGLES,
    DEMOS,
    FULL_DEMOS,
    REVIEW_DEMOS,
    AnswerByReasoning,
    AnswerDirectly,
    Kind,
    ReviewChallenge,
    WriteChallenge,
    WriteFullChallenge,
)
from autodata_dspy.domains.base import LONG_PASSAGE_CHARS, Domain, ExportTemplate, Malformed, SolvingMode
from autodata_dspy.rubrics import read_rubric
from autodata_dspy.types import Challenge, Rubric
from autodata_dspy.verifiers.atomicity import Atomicity
from autodata_dspy.verifiers.base import Verifier
from autodata_dspy.verifiers.language import Language
from autodata_dspy.verifiers.leakage import Leakage
from autodata_dspy.verifiers.near_duplicates import NearDuplicates
from autodata_dspy.verifiers.quote_grounding import QuoteGrounding
from autodata_dspy.verifiers.rubric_form import RubricBounds, RubricForm
from autodata_dspy.verifiers.rubric_judge import RubricJudge

# The paper's form: 10 to 20 criteria, at least 4 that earn and 3 that cost, weights to 10 either way.
PAPER_RUBRIC = RubricBounds()
# The default, for the embedded models: a 1.5B writes three or four criteria that hold, and each criterion is one call
# of the judge for each of six attempts.
SMALL_RUBRIC = RubricBounds(n=(4, 20), n_positive=(3, None), n_negative=(1, None))

MIN_SKILLS, MAX_SKILLS = 2, 3
MAX_QUOTES = 2
MIN_QUOTE_WORDS = 5  # fewer words stand in any text
MAX_ANSWER_CHARS = 2000

_SOURCE = re.compile(
    r"(?i)\b(?:the|this|that) (?:passage|excerpt)\b|"
    r"\b(?:according to|described in|stated in|mentioned in|as per|based on) (?:the|this) "
    r"(?:text|article|paper|document|authors?)\b|\b(?:the|this) (?:text|article|paper|author)s? "
    r"(?:above|says?|states?|explains?|describes?|mentions?|argues?|claims?)\b"
)
_WEIGHT = re.compile(r"(?=\[[+\-−]\d{1,2}\])")  # a criterion begins here
_WRITTEN_BREAK = re.compile(r"\\n(?=\s*[-*\d\[])")  # a break in two characters, as in JSON
_MARKS = " \t\"'“”„«»|*-•"


def build(prediction: Any, angle: str) -> Challenge:
    """The challenge of the challenger's fields.

    Raises:
        Malformed: a part is missing or cannot be read, or the text is mentioned that solvers do not see.
    """
    context, question, answer = (str(prediction.get(part) or "").strip() for part in ("context", "question", "answer"))
    context = "" if context.lower().strip(".") == "none" else context
    for name, text in (("question", question), ("answer", answer), ("context", context)):
        if not text:
            raise Malformed(f"the {name} is empty; write quote, kind, skills, context, question, answer and rubric")
    if len(answer) > MAX_ANSWER_CHARS:
        raise Malformed("the answer is too long; ask for less")
    if found := _SOURCE.search(f"{context}\n{question}"):
        raise Malformed(f"“{found[0]}” points to a text that the reader does not have; say what it says instead")
    return Challenge(
        question=question,
        answer=answer,
        context=context,
        angle=angle,
        rubric=_rubric(str(prediction.get("rubric") or "")),
        tags=(_kind(str(prediction.get("kind") or "")), *_skills(str(prediction.get("skills") or ""))),
        quotes=_quotes(str(prediction.get("quote") or "")),
    )


def _rubric(text: str) -> Rubric:
    """Criteria a line each, as asked for; small models also write several on a line, or a list of them in JSON."""
    try:
        return read_rubric("\n".join(_criteria(text)))
    except ValueError as error:
        raise Malformed(f"{error}; write one criterion a line, such as: [+3] names the cause") from error


def _criteria(text: str) -> Iterator[str]:
    with contextlib.suppress(ValueError, RecursionError):
        listed = json.loads(text)
        if isinstance(listed, list) and all(isinstance(item, str) for item in listed):
            text = "\n".join(listed)
    for line in _WRITTEN_BREAK.sub("\n", text).splitlines():
        first, *others = _WEIGHT.split(line)
        if others and not re.search(r"[^\W\d_]", first):  # a bullet belongs to what follows it
            first += others.pop(0)
        yield from (part.rstrip(" \t,;") for part in (first, *others))


def _kind(said: str) -> str:
    kinds = get_args(Kind)
    kind = next((k for k in kinds if said.strip().lower().replace("tradeoff", "trade-off").startswith(k)), "")
    if not kind:
        raise Malformed(f"the kind of question is one of: {', '.join(kinds)}")
    return kind


def _skills(said: str) -> tuple[str, ...]:
    skills = tuple(dict.fromkeys(s for part in re.split(r"[,;\n]", said) if (s := part.strip(_MARKS + ".").lower())))
    if len(skills) < MIN_SKILLS:
        raise Malformed("name two or three reasoning skills, separated by commas")
    return skills[:MAX_SKILLS]


def _quotes(said: str) -> tuple[str, ...]:
    """One quote a line, without the marks that a writer puts round it, and without those of the fenced passage."""
    quotes = tuple(dict.fromkeys(q for line in said.splitlines() if (q := line.strip(_MARKS))))
    if not quotes or any(len(quote.split()) < MIN_QUOTE_WORDS for quote in quotes):
        raise Malformed("the quote is no sentence; copy one whole sentence of the passage, word for word")
    return quotes[:MAX_QUOTES]


def findings(paragraph: str) -> float:
    """Weight of a paragraph: prose that gives reasons; lists of references and headings give nothing to ask."""
    found = paragraph.lower().split()
    if len(found) < 25 or len(re.findall(r"\bet al\b|\bdoi\b|\barxiv\b|https?:|\[\d+\] [A-Z]", paragraph)) > 3:
        return 0.0
    reasons = re.findall(
        r"\b(?:because|therefore|however|although|whereas|unless|instead|causes?|fails?|than)\b", paragraph
    )
    return 1.0 + len(reasons)


# Three weak and three strong attempts at temperature 1.0, as in the paper. The weak one must answer at once.
SOLVING = {
    "direct": SolvingMode(AnswerDirectly, lambda said: str(said.answer or ""), {"temperature": 1.0, "max_tokens": 120}),
    "reasoned": SolvingMode(
        AnswerByReasoning, lambda said: str(said.answer or ""), {"temperature": 1.0, "max_tokens": 700}
    ),
}


def challenge_verifiers(bounds: RubricBounds = SMALL_RUBRIC, max_compound: int = 1) -> tuple[Verifier, ...]:
    """What a challenge goes through before any model sees it.

    Args:
        bounds: of the rubric.
        max_compound: criteria that may ask two things at once; small models join them, and one does little harm.
    """
    return (
        QuoteGrounding(min_quotes=1),
        Leakage(),
        Atomicity(),
        RubricForm(bounds, max_compound=max_compound),
        Language(("en",), part="all"),
    )


def cs_research(paper_form: bool = False) -> Domain:
    """The domain, in one of two forms that differ in the rubric alone.

    Args:
        paper_form: the challenger is asked for 10 to 15 criteria (7 to 10 with +1 to +10, 3 to 5 with -1 to -10), and
            a rubric passes with 10 to 20 of them, at least 4 positive and 3 negative, each one demand. It takes a
            strong challenger, and at least ten calls of the judge for each attempt. The default is for the embedded
            models: 4 criteria or more, at least 3 positive and 1 negative.
    """
    if not paper_form:
        return PLUGIN
    return dataclasses.replace(
        PLUGIN,
        write=WriteFullChallenge,
        demos=FULL_DEMOS,
        challenge_verifiers=lambda: challenge_verifiers(PAPER_RUBRIC, max_compound=0),
        write_tokens=1600,
        passage_chars=LONG_PASSAGE_CHARS,
    )


PLUGIN = Domain(
    name="cs_research",
    summary="questions on computer science that need reasoning, with a context, a reference answer and a rubric",
    write=WriteChallenge,
    demos=DEMOS,
    angles=ANGLES,
    build=build,
    review=ReviewChallenge,
    review_demos=REVIEW_DEMOS,
    sound="sound",
    solving=SOLVING,
    weak_mode="direct",
    strong_mode="reasoned",
    challenge_verifiers=challenge_verifiers,
    answer_verifier=lambda roles: RubricJudge(roles),
    acceptance=PRESETS["paper-prose"],
    verified="judged",
    reference=lambda challenge: challenge,  # the judge takes its rubric
    final_checks=lambda: (NearDuplicates(),),
    paper_form=lambda: cs_research(paper_form=True),
    per_document=1,
    write_tokens=500,
    passage_chars=2000,
    interest=findings,
    probe="cs_qasper_dev",
    template=ExportTemplate(prompt="{context}\n\n{question}"),
)
