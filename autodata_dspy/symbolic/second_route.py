"""The second opinion: math-verify, and the comparison of texts as texts.

math-verify drops units and reads carelessly what it does not know, so it never decides alone: it
counts where random points agree but no proof was found, or where both texts hold the same numbers
and letters.
"""

from __future__ import annotations

import re

from autodata_dspy.symbolic.tokens import check_input, normalise

_TOKENS = re.compile(r"\d+(?:\.\d+)?|[A-Za-z]+")
_PRESENTATION = frozenset(
    "left right frac dfrac tfrac cdot times text mathrm mathbf begin end displaystyle quad qquad le leq ge geq ne neq".split()
)


def same_text(a: str, b: str) -> bool:
    """Whether two texts differ at most in spaces, delimiters and styles."""
    left, right = (re.sub(r"\s+", "", normalise(check_input(t))) for t in (a, b))
    return bool(left) and left == right


def agrees(a: str, b: str, letters: bool = True) -> bool:
    """Whether math-verify reads both texts and calls them equal.

    Args:
        letters: demand that both texts hold the same numbers and letters as well.
    """
    left, right = normalise(check_input(a)), normalise(check_input(b))
    if letters and _symbols(left) != _symbols(right):
        return False
    from math_verify import LatexExtractionConfig, parse, verify

    config = [LatexExtractionConfig()]  # never its "expr" mode: that one evaluates Python text
    try:
        gold, answer = (parse(f"${t}$", extraction_config=config, parsing_timeout=None) for t in (left, right))
        # Each parse is [object, text]; without an object there is only the text to go by.
        if len(gold) < 2 or len(answer) < 2:
            return False
        return bool(verify(gold, answer, timeout_seconds=None, strict=True))
    except Exception:  # whatever its parser raises means: no second opinion
        return False


def _symbols(text: str) -> list[str]:
    return sorted(t for t in _TOKENS.findall(text) if t not in _PRESENTATION)
