"""Documents → training, validation and test documents, with near-duplicates on one side."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from autodata_dspy.errors import ConfigError
from autodata_dspy.types import Document

SHARES = (0.35, 0.3, 0.35)  # of training, validation, test
NEAR = 0.8  # cosine of character n-grams from which two documents are one
FEWEST = 6  # groups of near-duplicates: two of each part, or nothing can be said of either
_CHARS = 20_000  # of a document that are compared


@dataclass(frozen=True)
class Split:
    """Disjoint documents; no near-duplicate of one part is in another."""

    train: tuple[Document, ...]
    val: tuple[Document, ...]
    test: tuple[Document, ...]

    def ids(self) -> dict[str, list[str]]:
        return {part: [d.id for d in getattr(self, part)] for part in ("train", "val", "test")}


def split_documents(documents: Sequence[Document], seed: int = 0, shares: Sequence[float] = SHARES) -> Split:
    """Whole groups of near-duplicates go to the part that lacks most of its share, in an order that the seed decides.

    Raises:
        ConfigError: fewer than six groups.
    """
    groups = clusters([d.text[:_CHARS] for d in documents])
    if len(groups) < FEWEST:
        raise ConfigError(
            f"{len(documents)} documents are {len(groups)} without near-duplicates; compiling needs at least {FEWEST}, "
            "to learn from some, choose by others and test on the rest"
        )
    random.Random(seed).shuffle(groups)
    parts: list[list[int]] = [[], [], []]
    for group in groups:
        lacking = min(range(3), key=lambda part: (len(parts[part]) / shares[part], part))
        parts[lacking] += group
    return Split(*(tuple(documents[i] for i in sorted(part)) for part in parts))


def clusters(texts: Sequence[str], threshold: float = NEAR) -> list[list[int]]:
    """Indices of texts that are alike, directly or by way of others; numbers count."""
    from autodata_dspy.similarity import comparable, similar_pairs, vectors

    above = list(range(len(texts)))

    def root(i: int) -> int:
        while above[i] != i:
            above[i] = above[above[i]]
            i = above[i]
        return i

    for left, right, _ in similar_pairs(vectors([comparable(t, False) for t in texts]), threshold=threshold):
        for i, j in zip(left.tolist(), right.tolist(), strict=True):
            above[max(root(i), root(j))] = min(root(i), root(j))
    groups: dict[int, list[int]] = {}
    for i in range(len(texts)):
        groups.setdefault(root(i), []).append(i)
    return list(groups.values())
