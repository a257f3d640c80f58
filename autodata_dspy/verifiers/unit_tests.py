"""Does the code pass its tests?"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any, ClassVar, Literal, get_args

from autodata_dspy.errors import ConfigError, VerifierError, did_you_mean
from autodata_dspy.sandbox import bubblewrap, monty, processes
from autodata_dspy.sandbox.job import Job, Outcome, SandboxLimits
from autodata_dspy.subjects import as_challenge, not_text
from autodata_dspy.types import Verdict
from autodata_dspy.verifiers.base import Checks, Cost, VerifierExample

Where = Literal["auto", "monty", "bubblewrap"]
MAX_CODE = 100_000  # characters
_FENCE = re.compile(r"^[ \t]*(```+|~~~+)[ \t]*(\w*)[^\n]*\n(.*?)(?:^[ \t]*\1[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)
_STATEMENTS = (
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Assign,
    ast.AnnAssign,
)


class UnitTests:
    """Runs tests against a solution: score 1 when all pass, else 0, with the first failures as feedback.

    The solution runs apart from its tests (see `sandbox`), in pydantic-monty where that knows enough of Python, else in
    CPython inside bubblewrap: no network, no files, bounded CPU time, memory, processes and disk, the standard library
    alone. Where neither is at hand the verdict is undecided, and says what to install; `unsandboxed=True` runs the code
    with the rights of this user instead. Tests that are not at fault decide: too much CPU time, a crash and an exit are
    failures; undecided are a solution that imports a package that is not there before anything else goes wrong, tests
    that cannot run (a missing package, no assertion, objects that cannot be handed over) and runs that are
    still going after `limits.wall_s`.

    Audited on 63 hard cases (benchmarks/README.md):
    precision 1.000, recall 1.000, undecided 0.191.

    Args:
        where: "auto" (monty, and CPython for what it cannot do and to confirm failures), or one of them alone.
        unsandboxed: where no bubblewrap works, run the code WITHOUT a sandbox. Only for code you trust.
        limits: what a run may use.
        partial: score the share of tests that pass instead of all or nothing.
    """

    name: ClassVar[str] = "unit_tests"
    checks: ClassVar[Checks] = "answer"
    cost: ClassVar[Cost] = "cpu"
    EXAMPLES: ClassVar[tuple[VerifierExample, ...]] = (
        VerifierExample("def double(n):\n    return 2 * n", "assert double(4) == 8", why="the test passes"),
        VerifierExample("def double(n):\n    return n * n", "assert double(4) == 8", expected=False, why="16 is not 8"),
        VerifierExample(
            "import os\nos._exit(0)", "assert double(4) == 8", expected=False, why="ending the process passes nothing"
        ),
        VerifierExample("def double(n):\n    return 2 * n", "assert True", expected=None, why="nothing is tested"),
    )

    def __init__(
        self,
        where: Where = "auto",
        *,
        unsandboxed: bool = False,
        limits: SandboxLimits | None = None,
        partial: bool = False,
    ):
        if where not in get_args(Where):
            raise ConfigError(did_you_mean("place to run code", where, get_args(Where)))
        self.where, self.unsandboxed, self.partial = where, unsandboxed, partial
        self.limits = limits or SandboxLimits()

    def verify(self, subject: Any, reference: str = "", context: str = "") -> Verdict:
        """Run the tests `reference` against the code in `subject`.

        Args:
            subject: source code, in a fenced block or bare; or a challenge, whose `answer` is the solution and whose
                `program` holds the tests.
            reference: the tests; see `sandbox.job.Job`. A function `check` is given the last function of the context,
                else of the solution.
            context: code that stands before the solution (imports, the stub that was to be completed); prose is
                ignored.
        """
        challenge, reference, context = as_challenge(subject), reference or "", context or ""
        if challenge is not None:
            subject, reference = challenge.answer, reference or challenge.program
        if why := not_text(answer=subject, tests=reference, context=context):
            return Verdict.undecidable(why, self.name)
        if not reference.strip():
            return Verdict.undecidable("there are no tests", self.name)
        if max(len(subject), len(reference), len(context)) > MAX_CODE:
            return Verdict.undecidable(f"code, tests or context are longer than {MAX_CODE} characters", self.name)
        try:
            job = _job(subject, reference, context)
        except VerifierError as error:
            return Verdict.undecidable(str(error), self.name)
        except SyntaxError as error:
            return Verdict.of(False, f"the answer is not Python: {error}", self.name)
        try:
            return self._verdict(self._run(job))
        except VerifierError as error:
            return Verdict.undecidable(str(error), self.name)

    def _run(self, job: Job) -> Outcome:
        """The first conclusive outcome of the places that there are."""
        reasons, failed = [], None
        for try_place in self._places():
            outcome = try_place(job)
            if outcome.passed or (outcome.passed is False and outcome.runner != "monty"):
                return outcome
            if outcome.passed is False:
                failed = outcome  # CPython, where there is one, has the last word
            else:
                reasons.append(outcome)
                if outcome.runner in ("bubblewrap", "unsandboxed"):  # it ran; nothing else will know more
                    return outcome
        return failed or Outcome(None, "; ".join(f"{o.runner or 'CPython'}: {o.why}" for o in reasons))

    def _places(self) -> list[Callable[[Job], Outcome]]:
        places = []
        if self.where in ("auto", "monty"):
            places.append(self._in_monty)
        if self.where in ("auto", "bubblewrap"):
            places.append(self._in_python)
        return places

    def _in_monty(self, job: Job) -> Outcome:
        missing = monty.missing()
        return Outcome(None, missing) if missing else monty.in_monty(job, self.limits)

    def _in_python(self, job: Job) -> Outcome:
        box = bubblewrap.find_box()
        if isinstance(box, bubblewrap.Box):
            return processes.in_bubblewrap(job, self.limits, box)
        if self.unsandboxed:
            return processes.unsandboxed(job, self.limits)
        return Outcome(None, f"{box}; or run code you trust without a sandbox: UnitTests(unsandboxed=True)")

    def _verdict(self, outcome: Outcome) -> Verdict:
        evidence: dict[str, Any] = {"runner": outcome.runner, "n_tests": outcome.n_tests, "n_failed": outcome.n_failed}
        if outcome.passed is None:
            return Verdict.undecidable(f"the tests decide nothing: {outcome.why}", self.name, **evidence)
        if outcome.passed:
            return Verdict.of(True, "", self.name, **evidence)
        evidence["failed"] = [list(each) for each in outcome.failed]
        shown = "; ".join(f"{place} → {message}" for place, message in outcome.failed[:3])
        feedback = f"{outcome.n_failed} of {outcome.n_tests} tests fail: {shown}"
        score = (outcome.n_tests - outcome.n_failed) / outcome.n_tests if self.partial else 0.0
        return Verdict(max(0.0, score), feedback, evidence, self.name)


def find_code(text: str) -> str:
    """The code of a response: its fenced block, or all of it.

    Of several blocks the one that defines something is meant.

    Raises:
        VerifierError: several blocks define something.
    """
    blocks = [body for _, language, body in _FENCE.findall(text) if language.lower() in ("", "py", "python", "python3")]
    if len(blocks) < 2:
        return blocks[0] if blocks else text
    defining = [body for body in blocks if re.search(r"^\s*(async def|def|class) ", body, re.MULTILINE)]
    if len(defining) != 1:
        raise VerifierError(f"the answer holds {len(blocks)} blocks of code, and which one is meant is not clear")
    return defining[0]


def _job(answer: str, tests: str, context: str) -> Job:
    """Raises VerifierError for unreadable tests or an ambiguous answer, SyntaxError for an unreadable answer."""
    try:
        _parse(tests)
    except SyntaxError as error:
        raise VerifierError(f"the tests are not Python: {error}") from None
    code, stub = find_code(answer), _stub(context)
    if stub and (not code.strip() or code[:1].isspace()):  # the body of the function that the stub begins
        with_stub = f"{context.rstrip()}\n{code}"
    else:
        with_stub = f"{stub}\n\n{code}"
    solution = with_stub if _parses(with_stub) else code
    tree = _parse(solution)
    asked = _parse(stub) if stub else tree
    functions = [n.name for n in asked.body if isinstance(n, ast.FunctionDef)]
    expected = tuple(_defined(asked)) if stub else ()
    return Job(solution, tests, functions[-1] if functions else "", expected)


def _stub(context: str) -> str:
    """The code that a context is (its last function completed where it is only begun); "" for prose."""
    for text in (context, f"{context.rstrip()}\n    pass"):
        if _parses(text):
            body = _parse(text).body
            code = any(isinstance(n, _STATEMENTS) for n in body)
            return text if code and all(isinstance(n, (*_STATEMENTS, ast.Expr)) for n in body) else ""
    return ""


def _parse(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except (ValueError, RecursionError, MemoryError) as error:  # a NUL character; nesting that no one means
        raise SyntaxError(str(error) or type(error).__name__) from None


def _parses(source: str) -> bool:
    try:
        _parse(source)
    except SyntaxError:
        return False
    return True


def _defined(tree: ast.Module) -> list[str]:
    return [n.name for n in tree.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))]


PLUGIN = UnitTests
