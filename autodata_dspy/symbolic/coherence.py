"""Does a symbolic program speak of the question it stands under? Free checks, before any model is asked."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"(?<![\w.])\d+(?![\w.]*\w)|(?<![\w.])\d+(?=[a-zA-Z(])")
_PROGRAM_NUMBER = re.compile(r"(?<![A-Za-z_.\d])\d+")
_DECIMAL = re.compile(r"\d+\.\d+")
_GIVEN_VALUE = re.compile(r"(?<![\w(])([A-Za-z]) ?= ?-?(\d+(?:/\d+)?)(?![\w(^*/]|[.,]\d| ?[-+*/^=<>])")
_LISTED = re.compile(r"(?<!range)[\[({]\s*-?\d+(?:\s*,\s*-?\d+){2,}\s*[\])}]")  # rows of a matrix, sets, tuples
_BARS = re.compile(r"\|[^|\n]+\|")
_LETTER = re.compile(r"(?<![A-Za-z\\_])[A-Za-z](?![A-Za-z])")
_CONSTANTS = frozenset("EICeijd")  # e, i and constants of integration; d stands in dx
_GIVEN = 4  # characters; a shorter answer (a root, a letter) may be one of the givens
_MOST_UNSTATED = 1  # one number of the program may be missing in words: "twice", "a quarter", a bound of a range
_MOST_UNUSED = 1  # one number of the question may be missing: "degree 2", "two significant terms", a name such as P1


def mismatch(question: str, program: str, answer: str) -> str:
    """One line for the challenger when program and question cannot belong together, else "".

    Only what no reading explains is named: two and more numbers of the question that the program never uses, or of the
    program that the question does not state (small ones may stand there as words), a value that the question gives a
    letter, a list of three and more numbers (a set, a row of a matrix) that stands in the program alone, an absolute
    value that the program leaves out, an unknown in the answer that the question does not mention, an answer that the
    question already states.
    """
    used = set(_PROGRAM_NUMBER.findall(program))
    asked = dict.fromkeys(_NUMBER.findall(_DECIMAL.sub(" ", question)))
    unused = [n for n in asked if n not in used and n not in ("0", "1")]
    if len(unused) > _MOST_UNUSED:
        return f"the program does not use the numbers {', '.join(unused)} of the problem; compute what is asked"
    for letter, value in _GIVEN_VALUE.findall(question):
        if not set(value.split("/")) <= used | ({"0", "1"} if "/" not in value else set()):
            return f"the program does not use {letter} = {value} of the problem; compute what is asked, or leave it out"
    for listed in _LISTED.findall(program):
        if _digits(listed) not in _digits(question):
            return f"the program uses {listed}, which the problem does not state; write it into the problem"
    stated = {int(n) for n in re.findall(r"\d+", question)}
    # A small model computes some of its numbers in its head: a product or a square of what is given.
    derived = {a * b for a in stated for b in stated}
    unstated = [
        n for n in dict.fromkeys(map(int, used)) if n > 4 and not {n, n - 1, n + 1} & stated and n not in derived
    ]
    if len(unstated) > _MOST_UNSTATED:
        numbers = ", ".join(map(str, sorted(unstated)))
        return (
            f"the program uses the numbers {numbers}, which the problem does not state; state all data in the problem"
        )
    if _BARS.search(question) and not re.search(r"(?i)\babs\b|\||det", program):
        return "the problem has an absolute value and the program has none; write abs(…)"
    known = _CONSTANTS | ({"x", "y"} if "Eq(" in answer else set())  # "the equation of the line" needs no names
    unknown = sorted(set(_LETTER.findall(answer)) - set(_LETTER.findall(question)) - known)
    if unknown and not re.search(r"Lambda|ImageSet", answer):
        return f"the answer has the letter {unknown[0]}, which the problem does not mention; name it there"
    if len(plain := _squeezed(answer)) > _GIVEN and plain in _squeezed(question):
        return "the answer stands in the problem as it is; ask for something that has to be worked out"
    return ""


def _digits(text: str) -> str:
    """Its numbers one after the other, without signs."""
    return f" {' '.join(re.findall('[0-9]+', text))} "


def _squeezed(formula: str) -> str:
    """A formula as it compares: 3*x**2 - 1 and 3x^2-1 are the same."""
    return re.sub(r"[\s*]", "", formula.replace("**", "^"))
