"""Texts as TF-IDF, for the students among the metrics."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def terms() -> Any:
    """Word (1–2) and character (2–5) TF-IDF side by side, as a scikit-learn transformer."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union

    return make_union(
        # The default pattern finds no word in "§ 5 a"; any run of letters and digits is one here.
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\w+"),
        characters(),
    )


def characters() -> Any:
    """Character (2–5) TF-IDF alone."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)


def cosines(queries: Sequence[str], texts: Sequence[str], form: Any = None) -> np.ndarray:
    """Cosine of each query with each text, (n queries, n texts); the weights of the terms are those of `texts`."""
    from sklearn.preprocessing import normalize

    form = form or terms()
    try:
        known = normalize(form.fit_transform(texts))
    except ValueError:  # no term in any text
        return np.zeros((len(queries), len(texts)))
    return np.asarray((normalize(form.transform(queries)) @ known.T).todense())
