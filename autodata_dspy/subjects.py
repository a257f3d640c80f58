"""What a verifier is given, read as a challenge, as text or as the rows of a data set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from numbers import Number
from typing import Any

from autodata_dspy.errors import VerifierError
from autodata_dspy.types import Challenge, Criterion, Round, Rubric

QUESTION_KEYS = ("question", "instruction", "prompt", "problem", "text")
MAX_CHARS = 200_000


def as_challenge(subject: Any) -> Challenge | None:
    """A Challenge as it is, a Round's challenge, a mapping with a question as one; anything else is None."""
    if isinstance(subject, Challenge):
        return subject
    if isinstance(subject, Round):
        return subject.challenge
    if not isinstance(subject, Mapping):
        return None
    question = next((subject[k] for k in QUESTION_KEYS if isinstance(subject.get(k), str)), None)
    if question is None:
        return None
    known: dict[str, Any] = {
        k: str(subject[k]) for k in ("answer", "program", "context", "angle", "label") if subject.get(k) is not None
    }
    quotes = subject.get("quotes")
    if isinstance(quotes, (list, tuple)) and all(isinstance(quote, str) for quote in quotes):
        known["quotes"] = tuple(quotes)
    return Challenge(question, known.pop("answer", ""), rubric=as_rubric(subject.get("rubric")), **known)


def as_rubric(value: Any) -> Rubric | None:
    """A Rubric as it is; a list of criteria (or a mapping with one) as a Rubric; anything else is None.

    Weights keep the type they came with: judging it is the verifier's business.
    """
    if isinstance(value, Rubric):
        return value
    if isinstance(value, Mapping):
        value = value.get("criteria")
    if isinstance(value, str) or not isinstance(value, Sequence):
        return None
    criteria = [_criterion(item) for item in value]
    return None if None in criteria else Rubric(tuple(c for c in criteria if c is not None))


def _criterion(item: Any) -> Criterion | None:
    if isinstance(item, Criterion):
        return item
    if isinstance(item, str):
        return Criterion(item)
    if isinstance(item, Mapping) and isinstance(item.get("text"), str):
        return Criterion(item["text"], item.get("weight", 1))
    return None


def number_as_text(value: Any) -> Any:
    """A number (no truth value) as it is written, without an exponent; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, Number):
        return value
    shown = float.__repr__(value) if isinstance(value, float) else str(value)
    return format(Decimal(shown), "f") if isinstance(value, float) and "e" in shown else shown


def not_text(**inputs: Any) -> str:
    """Why a check of texts cannot read what it is given, naming the first input that is no text; "" if all are."""
    wrong = next(((name, value) for name, value in inputs.items() if not isinstance(value, str)), None)
    return f"the {wrong[0]} is no text but {type(wrong[1]).__name__}" if wrong else ""


def text_of(subject: Any, part: str = "all") -> str | None:
    """The text of a subject; None when there is none to read.

    Args:
        subject: a text, or anything `as_challenge` reads.
        part: of a challenge, "question", "visible" (what a solver reads: context and question),
            "answer" or "all" (with answer and rubric).
    """
    if isinstance(subject, str):
        return subject
    challenge = as_challenge(subject)
    if challenge is None:
        return None
    visible = [challenge.context, challenge.question]
    rubric = [c.text for c in challenge.rubric.criteria] if challenge.rubric else []
    parts = {
        "question": [challenge.question],
        "visible": visible,
        "answer": [challenge.answer],
        "all": [*visible, challenge.answer, *rubric],
    }
    return "\n\n".join(p for p in parts[part] if p)


def row_texts(rows: Any, text: Callable[[Any], str] | None = None) -> list[str]:
    """One text for each row of a data set: its question, unless `text` says otherwise.

    Raises:
        VerifierError: not a list of rows, or a row without text; names the row.
    """
    if isinstance(rows, (str, bytes, Mapping)) or not isinstance(rows, Iterable):
        raise VerifierError(f"a data set is a list of rows (texts, challenges or mappings), not {type(rows).__name__}")
    texts = []
    for index, row in enumerate(rows):
        found = text(row) if text else text_of(row, "question")
        if not isinstance(found, str):
            raise VerifierError(
                f"row {index} ({type(row).__name__}) has no text; give texts, challenges, or mappings with one of "
                f"{', '.join(QUESTION_KEYS)}"
            )
        texts.append(found)
    return texts


def more_rows(reference: Any) -> Any:
    """What a check of data sets is given besides its subject: rows, or one text as a single row; nothing is no rows."""
    if isinstance(reference, str):
        return [reference] if reference.strip() else []
    return [] if reference is None else reference


def row_value(row: Any, key: str) -> Any:
    """The value of one field of a row, whatever kind of row it is; None if it has none."""
    if isinstance(row, Round):
        row = row.challenge
    return row.get(key) if isinstance(row, Mapping) else getattr(row, key, None)
