"""The comparison of texts as texts: what is written alike means the same, even where nothing could be read."""

from __future__ import annotations

import re

from autodata_dspy.symbolic.notation.normalising import check_input, normalise

# A space between letters or digits means something: 1 2 is not 12, \l n is not \ln.
_SPACE = re.compile(r"(?<![A-Za-z0-9.]) | (?![A-Za-z0-9.])")


# c \bar c and |c|: what a bar or a pair of them stands around, where it is one letter.
_BARRED = re.compile(r"\\(?:bar|overline)\s*(?:\{\s*([a-z])\s*\}|([a-z])(?![a-z]))")
_SIZED = re.compile(r"(?:\||\\[lr]?vert(?![a-z]))\s*([a-z])\s*(?:\||\\[lr]?vert(?![a-z]))")
_LETTER = re.compile(r"(?<![A-Za-z\\])[a-z](?![a-z])")
_OFTEN_COMPLEX = frozenset("abcduv")  # x and y with a bar are means, p and q are negated


def conjugated_letters(a: str, b: str) -> frozenset[str]:
    """Letters that can only be complex: beside their barred form in one text, between bars in the other."""

    if not _BARRED.search(a) and not _BARRED.search(b):
        return frozenset()
    a, b = normalise(check_input(a)), normalise(check_input(b))

    def barred(text: str) -> set[str]:
        alone = set(_LETTER.findall(_BARRED.sub(" ", text)))
        return {m[1] or m[2] for m in _BARRED.finditer(text)} & alone

    sized = [set(_SIZED.findall(text)) for text in (a, b)]
    return frozenset((barred(a) & sized[1]) | (barred(b) & sized[0])) & _OFTEN_COMPLEX


def same_text(a: str, b: str) -> bool:
    """Whether two texts differ at most in spaces, delimiters and styles."""
    left, right = (_SPACE.sub("", re.sub(r"\s+", " ", normalise(check_input(t)))) for t in (a, b))
    return bool(left) and left == right
