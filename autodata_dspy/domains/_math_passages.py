"""Where in a text mathematics can be computed, and what a passage can be turned into."""

from __future__ import annotations

import re

# What passages of some subjects can be turned into. A small model that is only told to use "an idea of the passage"
# asks textbooks of discrete mathematics for bare counts and for proofs, which have no symbolic object as an answer.
_SUBJECTS = (
    (
        r"\bsubsets?\b|\b(?<!solution )sets?\b|\\cup|\\cap|power set",
        "three sets of whole numbers with {numbers} among them: list the elements of a set made from all three",
        "a product of two small sets, or the pairs (a, b) with a rule; one listed set as the answer",
    ),
    (
        r"sequence|series|\bsum|summation|\\sum|induction",
        "a closed formula in n for a sum with the numbers {numbers}",
        "the n-th term, as a formula in n, of a sequence with the numbers {numbers}",
    ),
    (
        r"recurrence|recursive|recursion",
        "a recurrence a(n) = p*a(n-1) + q with the numbers {numbers}: its closed formula in n",
    ),
    (
        r"binomial|Pascal|\\binom|generating (function|series)",
        "the expansion of a power of a binomial in x and y with the numbers {numbers}",
        "a generating function: the closed formula, in x, of a series with the numbers {numbers}",
    ),
    (
        r"\bcount|\bways\b|combination|permutation|factorial|pigeonhole|bit strings?",
        "how many there are, as a formula in n, with the numbers {numbers}",
    ),
    (r"probab|expected|random", "a probability with the numbers {numbers}, as an exact fraction"),
    (
        r"congruen|\bmod\b|modul|divis|\bgcd\b|remainder|prime",
        "all whole numbers from 0 to 20 with a remainder condition with the numbers {numbers}: one listed set",
    ),
    (
        r"graphs?\b|vertices|edges|\btrees?\b",
        "the number of edges of a family of graphs, as a formula in n, with the numbers {numbers}",
    ),
    (
        r"relations?\b|ordered pairs?|equivalence|transitive",
        "a relation on whole numbers from 1 to 6 with the numbers {numbers} in its rule: the listed set of its pairs",
    ),
)
MIN_MENTIONS = 3  # of a subject in a passage, to count as what it is about

_FORMULA = re.compile(r"[=^_+*/<>≤≥√∑∫]|\\\\[a-z]+|\\d|\\b[a-z]\\b")


def directions(passage: str) -> tuple[str, ...]:
    """Angles for the two subjects that a passage speaks of most; none where it speaks of none of those we know."""
    counts = [len(re.findall(pattern, passage, re.IGNORECASE)) for pattern, *_ in _SUBJECTS]
    known = sorted((i for i, n in enumerate(counts) if n >= MIN_MENTIONS), key=lambda i: -counts[i])
    return tuple(angle for i in known[:2] for angle in _SUBJECTS[i][1:])


def density_of_formulas(paragraph: str) -> float:
    """Share of the characters that belong to formulas: prose about proofs or history holds nothing to compute."""
    if not paragraph:
        return 0.0
    return (len(_FORMULA.findall(paragraph)) / len(paragraph)) ** 2
