"""Which brace closes which, in LaTeX."""

from __future__ import annotations


def brace_pairs(text: str) -> dict[int, int]:
    """Index of each opening brace → index of the brace that closes it, in one pass."""
    pairs: dict[int, int] = {}
    opened: list[int] = []
    i = 0
    while i < len(text):
        if text[i] == "\\":
            i += 2
            continue
        if text[i] == "{":
            opened.append(i)
        elif text[i] == "}" and opened:
            pairs[opened.pop()] = i
        i += 1
    return pairs


def matching_brace(text: str, start: int) -> int:
    """Index of the brace that closes the one at `start`, or -1."""
    depth, i = 0, start
    while i < len(text):
        if text[i] == "\\":
            i += 2
            continue
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if depth == 0:
            return i
        i += 1
    return -1
