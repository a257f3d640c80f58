"""Does a data set hold items of a probe or test set, also with other numbers or inside longer texts?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import numpy as np

from autodata_dspy.errors import ConfigError, VerifierError
from autodata_dspy.similarity import comparable, similar_pairs, vectors
from autodata_dspy.subjects import more_rows, row_texts
from autodata_dspy.text import words
from autodata_dspy.types import Verdict
from autodata_dspy.verifiers.base import Checks, Cost, VerifierExample

_N_MATCHES = 1000  # in the evidence


class Contamination:
    """Finds rows that are, or hold, items of protected sets. Score: the share of clean rows.

    Two routes: character 3- to 5-gram TF-IDF (cosine of whole texts), and word n-grams for an item
    inside a longer row or a row cut from a longer item (at least `overlap` of the shorter one's n-grams). Numbers
    are masked in both, so that an item with other numbers is found. Paraphrases are not.

    Evidence: `drop` (indices of rows), `matches` ([row, protected index, similarity, route], the best
    of each row, the first 1000), `n_protected`.

    Measured (tests/golden/test_number_swapped_copies.py): all of 300 GSM8K items found with swapped
    numbers; none of the untouched half flagged against the other half.

    Audited on 46 hard cases (benchmarks/README.md):
    precision 1.000, recall 1.000, undecided 0.130.

    Args:
        protected: rows nothing may be made of (probe and test items).
        threshold: cosine in (0, 1] from which a row counts as a protected item.
        overlap: share of the word n-grams in (0, 1]; n_words: their length. Items with fewer than
            n_words + 2 words are compared as wholes only.
        mask_numbers: treat all numbers, digits and words, as one.
        text: row → text, for rows and protected items; the question unless given.
    """

    name: ClassVar[str] = "contamination"
    checks: ClassVar[Checks] = "dataset"
    cost: ClassVar[Cost] = "cpu"
    EXAMPLES: ClassVar[tuple[VerifierExample, ...]] = (
        VerifierExample(
            ["Name three rivers that cross the border of Peru."],
            ["A baker sells 12 loaves at 3 coins each. How many coins does she get?"],  # type: ignore[arg-type]
            why="nothing in common",
        ),
        VerifierExample(
            ["A baker sells 40 loaves at 5 coins each. How many coins does she get?"],
            ["A baker sells 12 loaves at 3 coins each. How many coins does she get?"],  # type: ignore[arg-type]
            expected=False,
            why="a test item with other numbers",
        ),
        VerifierExample(["A question."], expected=None, why="nothing is protected"),
    )

    def __init__(
        self,
        protected: Iterable[Any] = (),
        threshold: float = 0.8,
        overlap: float = 0.6,
        n_words: int = 8,
        mask_numbers: bool = True,
        text: Callable[[Any], str] | None = None,
    ):
        for what, value in (("threshold", threshold), ("overlap", overlap)):
            if not 0.0 < value <= 1.0:
                raise ConfigError(f"{what} lies in (0, 1], not {value!r}")
        if n_words < 2:
            raise ConfigError(f"n_words is at least 2, not {n_words!r}")
        self.protected = list(protected)
        self.threshold, self.overlap, self.n_words = threshold, overlap, n_words
        self.mask_numbers, self.text = mask_numbers, text

    def verify(self, subject: Any, reference: Any = "", context: str = "") -> Verdict:
        """Score: the share of clean rows; undecided without rows or without protected items.

        Args:
            subject: rows: texts, challenges, rounds or mappings.
            reference: more protected items: a list of rows, or one text.
            context: not used.
        """
        try:
            rows = row_texts(subject, self.text)
            protected = [*row_texts(self.protected, self.text), *row_texts(more_rows(reference), self.text)]
        except VerifierError as error:
            return Verdict.undecidable(str(error), self.name)
        if not rows or not protected:
            what = "the data set has no rows" if not rows else "no protected items are given"
            return Verdict.undecidable(what, self.name)
        best = self._matches(
            [comparable(t, self.mask_numbers) for t in rows], [comparable(t, self.mask_numbers) for t in protected]
        )
        drop = sorted(best)
        matches = [[i, best[i][1], round(best[i][0], 4), best[i][2]] for i in drop[:_N_MATCHES]]
        evidence = {"n_rows": len(rows), "n_protected": len(protected), "drop": drop, "matches": matches}
        feedback = ""
        if drop:
            shown = ", ".join(str(i) for i in drop[:5]) + (" …" if len(drop) > 5 else "")
            feedback = f"{len(drop)} of {len(rows)} rows repeat protected items: rows {shown}; write new ones instead"
        return Verdict(1.0 - len(drop) / len(rows), feedback, evidence, self.name)

    def _matches(self, rows: Sequence[str], protected: Sequence[str]) -> dict[int, tuple[float, int, str]]:
        """Row → its best match: similarity, index of the protected item, route."""
        best: dict[int, tuple[float, int, str]] = {}

        def note(i: int, j: int, similarity: float, route: str) -> None:
            if i not in best or (similarity, -j) > (best[i][0], -best[i][1]):
                best[i] = similarity, j, route

        exact: dict[str, int] = {}
        for j, text in enumerate(protected):
            exact.setdefault(text, j)
        for i, text in enumerate(rows):  # also those too short to have an n-gram
            if text in exact:
                note(i, exact[text], 1.0, "whole")
        matrix = vectors([*rows, *protected])
        pairs = similar_pairs(matrix[: len(rows)], matrix[len(rows) :], self.threshold)
        for left, right, cosines in pairs:
            for i, j, cosine in zip(left.tolist(), right.tolist(), cosines.tolist(), strict=True):
                note(i, j, cosine, "whole")
        for i, j, share in self._contained(rows, protected):
            note(i, j, share, "part")
        return best

    def _contained(self, rows: Sequence[str], protected: Sequence[str]) -> Iterable[tuple[int, int, float]]:
        grams = [self._grams(text) for text in protected]
        holders: dict[str, list[int]] = {}
        for j, own in enumerate(grams):
            for gram in own:
                holders.setdefault(gram, []).append(j)
        for i, text in enumerate(rows):
            ours = self._grams(text)
            shared = np.array([j for gram in ours for j in holders.get(gram, ())], dtype=np.int64)
            for j, n_shared in zip(*np.unique(shared, return_counts=True), strict=True):
                share = float(n_shared / min(len(grams[j]), len(ours)))
                if share >= self.overlap:
                    yield i, int(j), share

    def _grams(self, text: str) -> set[str]:
        """Word n-grams; none for a text too short for them to mean anything."""
        found = words(text)
        n = self.n_words
        return {" ".join(found[k : k + n]) for k in range(len(found) - n + 1)} if len(found) >= n + 2 else set()


PLUGIN = Contamination
