"""Are two texts, or a program's answer and a text, the same mathematical object?

True, False, or None: undecided, and by which route. Soundness first: True needs the same text, the same
structure or an exact simplification of the difference to zero, under the conventions of
`verifiers.math_objects`; numbers never make anything equal. False needs a difference that was seen.
These are the replies of the worker's tasks.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from autodata_dspy.symbolic.extraction import extract_answer
from autodata_dspy.symbolic.notation.conversion import to_object
from autodata_dspy.symbolic.objects import (
    TooHardError,
    UnreadableError,
    over_the_reals,
    substitute,
    symbols_in,
    variable,
)
from autodata_dspy.symbolic.proof.budget import Budget, OutOfTime
from autodata_dspy.symbolic.proof.comparison import Comparison
from autodata_dspy.symbolic.proof.proving import Outcome
from autodata_dspy.symbolic.proof.texts import conjugated_letters, same_text
from autodata_dspy.symbolic.reading import read

BUDGET_S = 1.6  # CPU seconds for one pair; the worker's wall clock stands behind it


def equal_texts(a: str, b: str, context: str = "", budget_s: float = BUDGET_S) -> dict[str, Any]:
    """Compare two texts.

    Args:
        a: LaTeX, sympy syntax or plain notation.
        b: the same.
        context: the question; a letter it uses is no arbitrary constant.
        budget_s: CPU seconds.

    Returns:
        {"equal": True | False | None, "route": how, or why it is undecided}.
    """
    return _guarded(lambda budget: _compare_texts(a, b, context, budget), budget_s)


def equal_to_value(value: Any, text: str, context: str = "", budget_s: float = BUDGET_S) -> dict[str, Any]:
    """As `equal_texts`, with a program's answer (sympy objects in plain containers) on one side."""

    def decide(budget: Budget) -> dict[str, Any]:
        known = to_object(value)
        # A program's symbols carry its own assumptions; a text's are real.
        known = substitute(known, {s: variable(s.name) for s in symbols_in(known)})
        return _best(_outcomes([known], read(text), context, budget))

    return _guarded(decide, budget_s)


def judge_response(answer: str, reference: str, context: str = "") -> dict[str, Any]:
    """Find the answer in a response and compare it with the reference.

    Returns:
        As `equal_texts`, plus "answer" (what was found). Several answers that are not provably the
        same leave it undecided.
    """
    with contextlib.suppress(TooHardError):
        if same_text(answer, reference):  # also where the reference is a sentence
            return {**equal_texts(answer, reference, context), "answer": answer}
    found = extract_answer(answer)
    if not found.answers:
        return {"equal": None, "route": found.how, "answer": ""}
    *others, last = found.answers
    for other in others[-4:]:
        if equal_texts(other, last, context, BUDGET_S / 4)["equal"] is not True:
            return {"equal": None, "route": f"{found.why}: {other[:60]} and {last[:60]}", "answer": ""}
    return {**equal_texts(last, reference, context), "answer": last[:2000]}


def _guarded(decide: Callable[[Budget], dict[str, Any]], budget_s: float) -> dict[str, Any]:
    """Run a comparison within its budget; whatever stops it leaves the question undecided."""
    budget = Budget(budget_s)
    why = "out of time"
    try:
        with budget.attempt(budget_s):
            return decide(budget)
    except (TooHardError, UnreadableError) as error:
        why = str(error)
    except OutOfTime:
        pass
    except RecursionError:
        why = "nested too deeply"
    except MemoryError:
        raise  # the worker ends: its heap cannot be trusted
    except Exception as error:  # sympy raises what it likes; a check that breaks has not decided
        why = " ".join(f"{type(error).__name__}: {error}".split())[:120]
    return {"equal": None, "route": why}


def _compare_texts(a: str, b: str, context: str, budget: Budget) -> dict[str, Any]:
    try:
        left, right = read(a), read(b)
    except UnreadableError as error:
        return {"equal": True, "route": "the same text"} if same_text(a, b) else _unreadable(error)
    outcomes = _outcomes(left, right, context, budget)
    if letters := conjugated_letters(a, b):
        outcomes += _outcomes(read(a, letters), read(b, letters), context, budget)
    reply = _best(outcomes)
    if reply["equal"] is None and same_text(a, b):
        return {"equal": True, "route": "the same text"}
    return reply


def _unreadable(error: UnreadableError) -> dict[str, Any]:
    return {"equal": None, "route": f"unreadable: {error}"}


def _outcomes(left: list[Any], right: list[Any], context: str, budget: Budget) -> list[Outcome]:
    """One outcome for each pair of readings, up to the first that is equal."""
    comparison = Comparison(budget, context)
    outcomes: list[Outcome] = []
    for pair in ((u, v) for u in left for v in right):
        try:
            outcomes.append(comparison.equal(*over_the_reals(pair)))
        except UnreadableError as error:
            outcomes.append((None, str(error)))
        if outcomes[-1][0]:
            break
    return outcomes


def _best(outcomes: list[Outcome]) -> dict[str, Any]:
    """Equal under one pair of readings is equal; different needs every pair to differ."""
    verdicts = [equal for equal, _ in outcomes]
    chosen = next(v for v in (True, None, False) if v in verdicts)
    return {"equal": chosen, "route": outcomes[verdicts.index(chosen)][1]}
