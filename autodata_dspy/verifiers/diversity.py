"""Do the rows of a data set differ in words, in content and in the ground they cover?"""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportOptionalSubscript=false
# (scikit-learn and scipy do not tell their types)
from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import numpy as np

from autodata_dspy.errors import ConfigError, VerifierError
from autodata_dspy.similarity import comparable, vectors
from autodata_dspy.subjects import more_rows, row_texts
from autodata_dspy.text import words
from autodata_dspy.types import Verdict
from autodata_dspy.verifiers.base import Checks, Cost, VerifierExample

_WINDOW = 500  # words; distinct-n falls with the size of a text, so it is taken over windows of one size
_N_COMPARED = 2000  # rows; a sample by hash, so that the order of the rows does not matter
_N_DIMENSIONS = 32  # of the space in which the reference is clustered
_ALIKE = 0.5  # cosine from which rows belong together


class Diversity:
    """Measures variety and compares each measure with its target. Score: the worst measure / target, at most 1.

    `distinct_1`, `distinct_2`: different words and word pairs over all, in windows of 500 words
    (a fixed size, as longer texts repeat more). `novelty`: 1 - the mean cosine of each row with its
    nearest other row (character TF-IDF, numbers masked). `coverage`: with `reference` rows, the share
    of their clusters (k-means in 32 latent dimensions) in which at least one row falls; without, the
    effective number of clusters of the rows themselves (exp of the entropy of their sizes; rows with a
    cosine of 0.5 and more share one) over the number of rows.

    Undecided: fewer than `min_rows` rows, rows without text or hardly any words (below 50).

    Audited on 43 hard cases (benchmarks/README.md):
    precision 1.000, recall 1.000, undecided 0.163.

    Args:
        targets: measure → value in (0, 1] that is enough; a measure left out is reported, not scored.
        reference: rows of the ground that should be covered.
        n_clusters: of the reference; at most a third of its rows.
        min_rows: fewer rows say nothing.
        text: row → text; its question unless given.
        seed: of the clustering.
    """

    name: ClassVar[str] = "diversity"
    checks: ClassVar[Checks] = "dataset"
    cost: ClassVar[Cost] = "cpu"
    TARGETS: ClassVar[dict[str, float]] = {"distinct_1": 0.3, "distinct_2": 0.7, "novelty": 0.3, "coverage": 0.6}
    EXAMPLES: ClassVar[tuple[VerifierExample, ...]] = (
        VerifierExample(
            [
                "A farmer stores 40 sacks of wheat and sells a quarter of them. How many are left?",
                "Prove that the sum of two even integers is even.",
                "Which enzyme breaks starch into sugar in the mouth?",
                "Translate the proverb about early birds into plain advice.",
                "Name the treaty that ended the war between both kingdoms.",
                "Why does a metal spoon feel colder than a wooden one?",
                "Write down the derivative of the logarithm at a point t.",
                "Our landlord kept the deposit after we moved out; may he?",
                "Explain how a hash table deals with colliding keys.",
                "What makes a soufflé rise in a hot oven?",
            ],
            why="ten subjects",
        ),
        VerifierExample(
            [f"Tom has {n} apples and buys {n + 3} more apples. How many apples has he now?" for n in range(12)],
            expected=False,
            why="one question twelve times",
        ),
        VerifierExample(["Too", "few"], expected=None, why="two rows"),
    )

    def __init__(
        self,
        targets: dict[str, float] | None = None,
        reference: Iterable[Any] = (),
        n_clusters: int = 10,
        min_rows: int = 10,
        text: Callable[[Any], str] | None = None,
        seed: int = 0,
    ):
        self.targets = dict(self.TARGETS if targets is None else targets)
        if unknown := self.targets.keys() - self.TARGETS.keys():
            raise ConfigError(f"unknown measures {sorted(unknown)}; available: {', '.join(self.TARGETS)}")
        if any(not 0.0 < t <= 1.0 for t in self.targets.values()):
            raise ConfigError(f"targets lie in (0, 1], not {self.targets!r}")
        if n_clusters < 2 or min_rows < 3:
            raise ConfigError(f"n_clusters is at least 2 and min_rows at least 3, not {n_clusters} and {min_rows}")
        self.reference = list(reference)
        self.n_clusters, self.min_rows, self.text, self.seed = n_clusters, min_rows, text, seed

    def verify(self, subject: Any, reference: Any = "", context: str = "") -> Verdict:
        """Score: the smallest of measure / target, at most 1; the measures are the evidence.

        Args:
            subject: rows: texts, challenges, rounds or mappings.
            reference: rows of the ground to cover, beside the constructor's.
            context: not used.
        """
        try:
            texts = _sample(row_texts(subject, self.text))
            ground = _sample([*row_texts(self.reference, self.text), *row_texts(more_rows(reference), self.text)])
        except VerifierError as error:
            return Verdict.undecidable(str(error), self.name)
        if len(texts) < self.min_rows:
            why = f"{len(texts)} rows are too few to judge diversity; {self.min_rows} are needed"
            return Verdict.undecidable(why, self.name, n_rows=len(texts))
        tokens = [words(t) for t in texts]
        if sum(map(len, tokens)) < 50:
            return Verdict.undecidable("the rows hold fewer than 50 words together", self.name, n_rows=len(texts))
        measures = self._measures(texts, tokens, ground)
        reached = {k: min(1.0, measures[k] / target) for k, target in self.targets.items() if k in measures}
        if not reached:
            return Verdict.undecidable("no measure has a target", self.name, **measures)
        score = min(reached.values())
        evidence = {"n_rows": len(texts), **{k: round(v, 4) for k, v in measures.items()}}
        low = [f"{_SAYS[k]} ({k} {measures[k]:.2f}, wanted {self.targets[k]:.2f})" for k in reached if reached[k] < 1.0]
        return Verdict(score, "; ".join(low), evidence, self.name)

    def _measures(self, texts: Sequence[str], tokens: list[list[str]], ground: Sequence[str]) -> dict[str, float]:
        matrix = vectors([comparable(t) for t in (*texts, *ground)])
        own, other = matrix[: len(texts)], matrix[len(texts) :]
        cosines = _cosines(vectors([comparable(t) for t in texts], rare_weighs_more=False))
        return {
            "distinct_1": _distinct(tokens, 1),
            "distinct_2": _distinct(tokens, 2),
            "novelty": float(np.clip(1.0 - cosines.max(axis=1).mean(), 0.0, 1.0)),
            "coverage": self._covered(own, other) if len(ground) > 2 else _spread(cosines),
        }

    def _covered(self, own: Any, ground: Any) -> float:
        """Share of the clusters of `ground` that a row of `own` comes near to.

        Near is half as near to the centre as the cluster's members are on average, in the latent
        space of the ground, where a row about something else has hardly any length.
        """
        from sklearn.cluster import KMeans
        from sklearn.decomposition import TruncatedSVD
        from threadpoolctl import threadpool_limits

        used = np.unique(ground.indices)  # of a million columns
        own, ground = own[:, used], ground[:, used]
        svd = TruncatedSVD(max(2, min(_N_DIMENSIONS, ground.shape[0] - 1)), random_state=self.seed)
        with np.errstate(invalid="ignore", divide="ignore"):  # of its variance, for a ground of equal rows
            points = svd.fit_transform(ground)
        n_different = len(np.unique(_unit(points).round(4), axis=0))
        n_clusters = max(1, min(self.n_clusters, ground.shape[0] // 3, n_different))
        with threadpool_limits(1):  # on a busy machine its threads wait for one another
            clusters = KMeans(n_clusters, n_init=4, random_state=self.seed).fit(_unit(points))
        centres = _unit(clusters.cluster_centers_)
        members = (points * centres[clusters.labels_]).sum(axis=1)
        usual = np.array([members[clusters.labels_ == k].mean() for k in range(n_clusters)])
        nearest = (svd.transform(own) @ centres.T).max(axis=0)
        return float((nearest >= usual / 2).mean())


_SAYS = {
    "distinct_1": "the rows use few different words",
    "distinct_2": "the rows repeat the same phrases",
    "novelty": "the rows resemble one another",
    "coverage": "parts of the ground are left out",
}


def _sample(texts: list[str]) -> list[str]:
    """At most 2000 texts, chosen and ordered by their hash: the same for every order of the rows."""
    ranked = sorted(texts, key=lambda t: (hashlib.blake2b(t.encode("utf-8", "surrogatepass")).digest(), t))
    return ranked[:_N_COMPARED]


def _distinct(tokens: list[list[str]], n: int) -> float:
    """Mean share of different n-grams in windows of 500 words."""
    stream = [tuple(row[k : k + n]) for row in tokens for k in range(len(row) - n + 1)]
    windows = [stream[k : k + _WINDOW] for k in range(0, len(stream), _WINDOW)]
    if len(windows) > 1 and len(windows[-1]) < _WINDOW // 2:
        windows.pop()  # a short rest would look more varied than it is
    return float(np.mean([len(set(w)) / len(w) for w in windows])) if stream else 0.0


def _cosines(matrix: Any) -> np.ndarray:
    """Cosines of all rows (at most 2000, so 16 MB) with one another; 0 on the diagonal."""
    blocks = [(matrix[k : k + 250] @ matrix.T).toarray() for k in range(0, matrix.shape[0], 250)]
    cosines = np.concatenate(blocks)
    np.fill_diagonal(cosines, 0.0)
    return cosines


def _spread(cosines: np.ndarray) -> float:
    """Effective number of clusters over the number of rows; each cluster is a row and what is like it."""
    free = np.ones(len(cosines), dtype=bool)
    sizes = []
    for k in range(len(cosines)):
        if free[k]:
            members = free & (cosines[k] >= _ALIKE)
            members[k] = True
            free &= ~members
            sizes.append(int(members.sum()))
    shares = np.array(sizes) / len(cosines)
    return float(np.exp(-(shares * np.log(shares)).sum()) / len(cosines))


def _unit(points: np.ndarray) -> np.ndarray:
    return points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-12)


PLUGIN = Diversity
