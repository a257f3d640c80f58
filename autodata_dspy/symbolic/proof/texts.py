"""The comparison of texts as texts: what is written alike means the same, even where nothing could be read."""

from __future__ import annotations

import re

from autodata_dspy.symbolic.notation.normalising import check_input, normalise

# A space between letters or digits means something: 1 2 is not 12, \l n is not \ln.
_SPACE = re.compile(r"(?<![A-Za-z0-9.]) | (?![A-Za-z0-9.])")


def same_text(a: str, b: str) -> bool:
    """Whether two texts differ at most in spaces, delimiters and styles."""
    left, right = (_SPACE.sub("", re.sub(r"\s+", " ", normalise(check_input(t)))) for t in (a, b))
    return bool(left) and left == right
