"""Which texts are alike: character n-gram TF-IDF, exact above a threshold, in bounded memory.

All pairs of 100 000 texts are 5·10⁹ and nearly all share some n-gram. A pair can reach the threshold t
only if it shares one of the n-grams in its *prefixes*: the rarest of each text that carry more than
1 - t² of its squared length, for what is left of unit vectors has a product below t (Bayardo et al.,
"Scaling up all pairs similarity search", 2007). So only prefixes are multiplied, block by block, and
the few candidates are scored in full: nothing above the threshold is lost.
"""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportOptionalSubscript=false
# (scikit-learn and scipy do not tell their types)
from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from autodata_dspy.text import fold

N_FEATURES = 2**20
_CHUNK = 4000  # texts that are vectorised at a time
_MAX_PRODUCTS = 8_000_000  # multiplications of one block; each may leave one entry of 8 bytes
_RELIEF = 0.2  # prefixes are longer than they must be, so that a pair must share at least this much in them
_SLACK = 1e-4  # of float32 sums
_MAX_PAIRS = 5_000  # candidates that are scored at a time: about 2 x 600 n-grams of 8 bytes each

_NUMBER_WORDS = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|"
    "eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|billion"
)
_SURROGATE = re.compile("[\ud800-\udfff]")  # half a character, which nothing can encode
_NUMBER = re.compile(rf"\d+(?:[.,:/]\d+)*|\b(?:{_NUMBER_WORDS})(?:[-\s]+(?:{_NUMBER_WORDS}))*\b")


def comparable(text: str, mask_numbers: bool = True) -> str:
    """The text as it is compared: folded, white space squeezed, every number the same if they are masked."""
    folded = " ".join(fold(_SURROGATE.sub("\ufffd", text)).split())
    return _NUMBER.sub("0", folded) if mask_numbers else folded


def vectors(texts: Sequence[str], rare_weighs_more: bool = True) -> Any:
    """Character 3- to 5-gram TF-IDF of texts as `comparable` gives them.

    Args:
        texts: one row each.
        rare_weighs_more: inverse document frequency; without it, n-grams of a template that all the
            texts share count as much as any.

    Returns:
        A sparse matrix (n texts, N_FEATURES) of float32 with rows of length 1 (0 for a text below three
        characters). Columns are hashed: a vocabulary of millions of n-grams takes more memory than the data.
    """
    from sklearn.feature_extraction.text import HashingVectorizer

    hashing = HashingVectorizer(
        analyzer="char", ngram_range=(3, 5), n_features=N_FEATURES, alternate_sign=False, norm=None,
        dtype=np.float32, lowercase=False,
    )  # fmt: skip
    blocks = [hashing.transform(texts[i : i + _CHUNK]) for i in range(0, len(texts), _CHUNK)]
    n_with = n_texts_with(*blocks)
    weights = (np.log((1 + len(texts)) / (1 + n_with)) * rare_weighs_more + 1).astype(np.float32)
    for block in blocks:
        block.data *= weights[block.indices]
        rows = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr))
        length = np.sqrt(np.bincount(rows, weights=block.data**2, minlength=block.shape[0]))
        block.data /= length[rows]
    return _stack(blocks)


def n_texts_with(*matrices: Any) -> np.ndarray:
    """How many rows have each column."""
    return sum((np.bincount(m.indices, minlength=N_FEATURES) for m in matrices), np.zeros(N_FEATURES, np.int64))


def _stack(blocks: list[Any]) -> Any:
    """One matrix of them, freeing each as it is copied: half the peak of scipy's vstack."""
    sizes = [b.shape[0] for b in blocks]
    counts = [np.diff(b.indptr) for b in blocks]
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.concatenate([np.zeros(0, np.int64), *counts]))])
    data, indices = np.empty(starts[-1], np.float32), np.empty(starts[-1], np.int32)
    at = 0
    blocks.reverse()
    while blocks:
        block = blocks.pop()
        data[at : at + block.nnz], indices[at : at + block.nnz] = block.data, block.indices
        at += block.nnz
    return sparse.csr_matrix((data, indices, starts), shape=(sum(sizes), N_FEATURES), copy=False)


def similar_pairs(
    left: Any, right: Any | None = None, threshold: float = 0.8
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """All pairs of rows with a cosine of at least `threshold`, in blocks of ascending left rows.

    Args:
        left: vectors of `vectors`.
        right: other rows of the same `vectors` call; without them, pairs (i, j < i) within `left`.
        threshold: cosine in (0, 1].

    Yields:
        Arrays of left rows, right rows and cosines.
    """
    other = left if right is None else right
    n_with = n_texts_with(left) if right is None else n_texts_with(left, right)
    ours = _prefixes(left, n_with, threshold - _RELIEF)
    columns = (ours if right is None else _prefixes(other, n_with, threshold - _RELIEF)).T.tocsr()
    products = _products(ours, columns)
    first = 0
    while first < left.shape[0]:
        last = int(np.searchsorted(products, products[first] + _MAX_PRODUCTS, side="right")) - 1
        last = max(first + 1, last)
        shared = (ours[first:last] @ columns).tocoo()
        near = shared.data >= _RELIEF - _SLACK
        if right is None:
            near &= shared.col < shared.row + first
        yield from _scored(left, other, shared.row[near] + first, shared.col[near], threshold)
        first = last


def _products(ours: Any, columns: Any) -> np.ndarray:
    """How many multiplications the rows before each row (and before the end) take."""
    length = np.diff(columns.indptr)
    rows = np.zeros(ours.shape[0] + 1, np.int64)
    for start in range(0, ours.shape[0], _CHUNK):
        ends = ours.indptr[start : start + _CHUNK + 1]
        sums = np.concatenate([np.zeros(1, np.int64), np.cumsum(length[ours.indices[ends[0] : ends[-1]]])])
        rows[start + 1 : start + len(ends)] = np.diff(sums[ends - ends[0]])
    return np.cumsum(rows)


def _prefixes(matrix: Any, n_with: np.ndarray, rest: float) -> Any:
    """The rarest n-grams of each row, so many that the others have a length below `rest`."""
    parts = []
    for start in range(0, matrix.shape[0], _CHUNK):
        chunk = matrix[start : start + _CHUNK]
        rows = np.repeat(np.arange(chunk.shape[0]), np.diff(chunk.indptr))
        order = np.lexsort((chunk.indices, n_with[chunk.indices], rows))
        rows, columns, data = rows[order], chunk.indices[order], chunk.data[order]
        squares = np.cumsum(data.astype(np.float64) ** 2)
        before = squares - data.astype(np.float64) ** 2
        begin = before[np.minimum(chunk.indptr[:-1], max(len(before) - 1, 0))] if len(before) else before
        kept = before - begin[rows] <= 1.0 - rest**2 + _SLACK
        parts.append(sparse.csr_matrix((data[kept], (rows[kept], columns[kept])), shape=chunk.shape))
    return sparse.vstack(parts, format="csr") if parts else sparse.csr_matrix((0, N_FEATURES), dtype=np.float32)


def _scored(
    left: Any, right: Any, i: np.ndarray, j: np.ndarray, threshold: float
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    for start in range(0, len(i), _MAX_PAIRS):
        a, b = i[start : start + _MAX_PAIRS], j[start : start + _MAX_PAIRS]
        cosines = np.asarray(left[a].multiply(right[b]).sum(axis=1)).ravel()
        near = cosines >= threshold - _SLACK
        if near.any():
            yield a[near], b[near], np.minimum(cosines[near], 1.0)
