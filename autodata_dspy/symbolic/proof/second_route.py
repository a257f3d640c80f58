"""The second opinion: math-verify, and the comparison of texts as texts.

math-verify drops units and skips what it cannot read (an equals sign, a prime), so it never decides
alone: it counts where both texts were read by our grammar and agree at random points, but no proof
was found.
"""

from __future__ import annotations

import re

from autodata_dspy.symbolic.notation.tokens import check_input, normalise

# A space between letters or digits means something: 1 2 is not 12, \l n is not \ln.
_SPACE = re.compile(r"(?<![A-Za-z0-9.]) | (?![A-Za-z0-9.])")


def same_text(a: str, b: str) -> bool:
    """Whether two texts differ at most in spaces, delimiters and styles."""
    left, right = (_SPACE.sub("", re.sub(r"\s+", " ", normalise(check_input(t)))) for t in (a, b))
    return bool(left) and left == right


def agrees(a: str, b: str) -> bool:
    """Whether math-verify reads both texts and calls them equal."""
    left, right = normalise(check_input(a)), normalise(check_input(b))
    from math_verify import LatexExtractionConfig, parse, verify

    config = [LatexExtractionConfig()]  # never its "expr" mode: that one evaluates Python text
    try:
        # 0 switches its SIGALRM timer off: our own budget and the worker's wall clock are in force.
        gold, answer = (parse(f"${t}$", extraction_config=config, parsing_timeout=0) for t in (left, right))
        # Each parse is [object, text]; without an object there is only the text to go by.
        if len(gold) < 2 or len(answer) < 2:
            return False
        return bool(verify(gold, answer, timeout_seconds=0, strict=True))
    except Exception:  # whatever its parser raises means: no second opinion
        return False
