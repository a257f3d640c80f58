"""Is the answer the same mathematical object as the reference?"""

from __future__ import annotations

from typing import Any, ClassVar

from autodata_dspy.errors import VerifierError
from autodata_dspy.symbolic.extraction import MAX_RESPONSE, Extraction, extract_answer
from autodata_dspy.types import Verdict
from autodata_dspy.verifiers.base import Checks, Cost, VerifierExample
from autodata_dspy.verifiers.worker import WorkerPool, shared_pool

__all__ = ["PLUGIN", "Extraction", "MathObjects", "extract_answer"]


class MathObjects:
    r"""Equality of numbers, expressions, equations, sets, intervals, matrices, functions, families, quantities.

    Reads LaTeX, sympy syntax and plain notation; finds the answer in a response (\boxed, "the answer
    is", the last line). Equal needs the same structure or a proof, different needs a difference that
    was seen; two different answers, a rejected one, an unreadable text, a time-out or a NUL are undecided.

    Conventions: a label is dropped (`x = 5` is 5), a missing unit, currency or degree sign is
    forgiven (a wrong one is not), a column vector equals the tuple, unordered lists of solutions
    equal sets, a constant of integration may be missing, `log` is natural, 50 % is 0.5, `pi/4 + n pi/2`
    beside a list of such angles means all integers n, `3 + 2j` beside `3 + 2i` the same number. Of things that
    are counted a plain noun may be missing (`5 apples`), any other only if the question names it.

    Limits: letters are numbers, so products commute, and AB equals BA even where they name matrices. What
    sums and factorials count is taken for positive, other letters for real.

    Audited on 664 hard cases (benchmarks/README.md):
    precision 1.000, recall 1.000, undecided 0.047.

    Args:
        timeout_s: CPU seconds of one comparison in a worker.
        pool: the workers; the process-wide ones by default.
    """

    name: ClassVar[str] = "math_objects"
    checks: ClassVar[Checks] = "answer"
    cost: ClassVar[Cost] = "cpu"
    EXAMPLES: ClassVar[tuple[VerifierExample, ...]] = (
        VerifierExample(r"\frac{1}{2}", "0.5", why="the same number"),
        VerifierExample(r"The roots are \boxed{x = \pm 2}", "{-2, 2}", why="plus-minus, in a box, against sympy"),
        VerifierExample(r"\frac{1}{3}", "0.3333", expected=False, why="a rounded decimal is not the fraction"),
        VerifierExample(r"5\text{ cm}", r"5\text{ m}", expected=False, why="another unit"),
        VerifierExample("5 or maybe 6", "6", expected=None, why="no single answer is given"),
        VerifierExample("9**9**9**9", "1", expected=None, why="too large to be computed"),
    )

    def __init__(self, timeout_s: float = 2.0, pool: WorkerPool | None = None):
        self.timeout_s = timeout_s
        self._pool = pool

    def verify(self, subject: Any, reference: Any = "", context: str = "") -> Verdict:
        """Score 1 if the answer in `subject` equals `reference`, 0 if it differs, else undecided.

        Args:
            subject: a response or a bare answer; an int or float counts as its text, anything else is undecided.
            reference: the bare reference answer, likewise.
            context: the question; a letter it uses is no arbitrary constant.
        """
        subject, reference = (str(v) if type(v) in (int, float) else v for v in (subject, reference))
        if not isinstance(subject, str) or not isinstance(reference, str):
            kinds = " and ".join(type(v).__name__ for v in (subject, reference) if not isinstance(v, str))
            return Verdict.undecidable(f"answer and reference must be texts or numbers, not {kinds}", self.name)
        if not reference.strip():
            return Verdict.undecidable("there is no reference answer to compare with", self.name)
        if len(subject) > MAX_RESPONSE:
            return Verdict.undecidable(f"the answer is longer than {MAX_RESPONSE} characters", self.name)
        payload = {"answer": subject, "reference": reference[:MAX_RESPONSE], "context": context[:MAX_RESPONSE]}
        try:
            reply = (self._pool or shared_pool()).call("math_objects", payload, self.timeout_s)
        except VerifierError as error:
            return Verdict.undecidable(f"the comparison could not be finished: {error}", self.name)
        found, route = reply["answer"], reply["route"]
        if reply["equal"] is None:
            return Verdict.undecidable(f"undecided: {route}", self.name, route=route, answer=found)
        feedback = (
            "" if reply["equal"] else f"the answer {found[:200]} is not the reference {reference[:200]} ({route})"
        )
        return Verdict.of(reply["equal"], feedback, self.name, route=route, answer=found)


PLUGIN = MathObjects
