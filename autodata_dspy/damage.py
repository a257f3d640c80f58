"""Data sets made worse in a known way, to see whether a metric notices."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence

from autodata_dspy.domains.base import builtin_documents
from autodata_dspy.errors import ConfigError
from autodata_dspy.metrics._made import Example
from autodata_dspy.text import sentences, words

SHARES = (0.25, 0.5, 1.0)
_FOREIGN = "math_objects"


def corrupted(rows: Sequence[Example], share: float, rng: random.Random, labels: Sequence[str] = ()) -> list[Example]:
    """`share` of the rows with a wrong label, or with the answer of another row where there are no labels.

    Raises:
        ConfigError: there is only one label or answer.
    """
    has_labels = any(e.challenge.label for e in rows)
    answers = sorted({*labels, *(e.label for e in rows)} if has_labels else {e.challenge.answer for e in rows})
    if len(answers) < 2:
        raise ConfigError("all examples have the same label or answer, so none can be made wrong; give others")
    hit = set(rng.sample(range(len(rows)), round(share * len(rows))))
    found = []
    for i, row in enumerate(rows):
        if i in hit:
            wrong = rng.choice([a for a in answers if a != (row.label if has_labels else row.challenge.answer)])
            changes = {"answer": wrong, "label": wrong} if has_labels else {"answer": wrong}
            row = dataclasses.replace(row, challenge=dataclasses.replace(row.challenge, **changes))
        found.append(row)
    return found


def redrawn(rows: Sequence[Example], rng: random.Random) -> list[Example]:
    """As many rows of each label, drawn with replacement: no worse, but another data set."""
    by_label: dict[str, list[Example]] = {}
    for row in rows:
        by_label.setdefault(row.challenge.label, []).append(row)
    return [row for group in by_label.values() for row in rng.choices(group, k=len(group))]


def duplicated(rows: Sequence[Example], rng: random.Random) -> list[Example]:
    """As many rows, half of them copies of the others."""
    kept = halved(rows, rng)
    return [*kept, *rng.choices(kept, k=len(rows) - len(kept))]


def halved(rows: Sequence[Example], rng: random.Random) -> list[Example]:
    """Half of the rows."""
    return rng.sample(list(rows), (len(rows) + 1) // 2)


def off_topic(rows: Sequence[Example], rng: random.Random, foreign: Sequence[str] | None = None) -> list[Example]:
    """Half of the rows with the text of something else; labels and answers stay."""
    texts = list(foreign) if foreign is not None else _foreign(rows)
    if not texts:
        raise ConfigError("no off-topic texts are given")
    hit = set(rng.sample(range(len(rows)), len(rows) // 2))
    return [
        dataclasses.replace(row, challenge=dataclasses.replace(row.challenge, question=rng.choice(texts), context=""))
        if i in hit
        else row
        for i, row in enumerate(rows)
    ]


def _foreign(rows: Sequence[Example]) -> list[str]:
    """Sentences of built-in documents: of mathematics, or of contracts where the examples have programs."""
    documents = builtin_documents("legal" if any(e.challenge.program for e in rows) else _FOREIGN)
    found = (sentence for document in documents for sentence in sentences(document.text))
    return sorted({s for s in found if 8 <= len(words(s)) <= 60})
