"""Would the tests notice a wrong solution?"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any, ClassVar

from autodata_dspy.equivalence import COMPARE, Input, comparison, inputs, side_by_side
from autodata_dspy.errors import ConfigError, VerifierError
from autodata_dspy.functions import literal, parse
from autodata_dspy.mutation import Mutant, mutants, with_body
from autodata_dspy.sandbox import bubblewrap, monty, processes
from autodata_dspy.sandbox.job import Job, Outcome, SandboxLimits
from autodata_dspy.subjects import as_challenge, not_text
from autodata_dspy.types import Challenge, Verdict
from autodata_dspy.verifiers.base import Checks, Cost, VerifierExample
from autodata_dspy.verifiers.unit_tests import UnitTests, find_code

MAX_CODE = 10_000  # characters
CONSTANTS = ("None", "0", "''", "[]", "False", "True")
MAX_EXPECTED = 4  # of the values that tests expect, as constants to return
_SIZED = (str, list, tuple)
_SPENT = ("TimeoutError", "MemoryError")  # Monty's words for a run beyond its limits
_CLAMP = (
    "def clamp(n: int) -> int:\n    if n < 0:\n        return 0\n    if n > 9:\n        return 9\n    return n",
    "assert clamp(-1) == 0\nassert clamp(1) == 1\nassert clamp(8) == 8\nassert clamp(12) == 9\nassert clamp(0) == 0",
)


class TestAdequacy:
    """Runs the tests against the reference solution and against wrong ones made of it.

    The reference must pass. A body must fail that does nothing, or returns a constant (None, 0, "", [], False, True, or
    a value that the tests expect), its first argument, an end of that or its length. Of at most `max_mutants` small
    changes of the reference (see `mutation`) the tests must notice the share `min_killed`; a change that runs out of
    its time is noticed. One that gives the same on all of up to 200 inputs near those of the tests is no error, and
    left out. Score: 1, else the share that was noticed, or 0 where the reference fails or something trivial passes.

    Undecided: no function that the tests use, code longer than 10 000 characters, a reference that cannot be run, and
    runs that show too little to tell.

    Audited on 52 hard cases (benchmarks/README.md):
    precision 1.000, recall 1.000, undecided 0.192.

    Args:
        min_killed: share in (0, 1] of the changes that must be noticed.
        max_mutants: how many are tried; drawn by `seed`, of every kind in turn.
        seed: another seed tries other changes.
        limits: of each run of a wrong solution.
    """

    __test__ = False  # pytest: the name is no test

    name: ClassVar[str] = "test_adequacy"
    checks: ClassVar[Checks] = "challenge"
    cost: ClassVar[Cost] = "cpu"
    EXAMPLES: ClassVar[tuple[VerifierExample, ...]] = (
        VerifierExample(Challenge("Clamp n.", _CLAMP[0], _CLAMP[1]), why="both bounds and the middle are tested"),
        VerifierExample(_CLAMP[0], "assert clamp(5) == 5", expected=False, why="returning the argument passes"),
        VerifierExample(_CLAMP[0], "assert clamp(12) == 12", expected=False, why="the reference fails"),
        VerifierExample(_CLAMP[0], "", expected=None, why="there are no tests"),
    )

    def __init__(
        self, min_killed: float = 0.8, max_mutants: int = 12, seed: int = 0, limits: SandboxLimits | None = None
    ):
        if not 0.0 < min_killed <= 1.0:
            raise ConfigError(f"min_killed is a share in (0, 1], not {min_killed!r}")
        if max_mutants < 1:
            raise ConfigError(f"max_mutants must be at least 1, not {max_mutants!r}")
        self.min_killed, self.max_mutants, self.seed = min_killed, max_mutants, seed
        # What needs longer than a second is no small change of a function that a test calls.
        self.limits = limits or SandboxLimits(cpu_s=1, wall_s=20.0)
        self.unit_tests = UnitTests(limits=SandboxLimits(cpu_s=2))

    def verify(self, subject: Any, reference: str = "", context: str = "") -> Verdict:
        """Score 1 if the tests tell the reference from wrong solutions.

        Args:
            subject: a challenge, whose `answer` is the reference solution and whose `program` holds the tests, or the
                source of the solution.
            reference: the tests; the challenge's own unless given.
            context: not used (in a run it is the document).
        """
        challenge, reference = as_challenge(subject), reference or ""
        if challenge is not None:
            subject, reference = challenge.answer, reference or challenge.program
        if why := not_text(solution=subject, tests=reference):
            return Verdict.undecidable(why, self.name)
        if max(len(subject), len(reference)) > MAX_CODE:
            return Verdict.undecidable(f"solution or tests are longer than {MAX_CODE} characters", self.name)
        passed = self.unit_tests.verify(subject, reference)
        if not passed.passed:
            return Verdict(passed.score, f"the reference solution: {passed.feedback}", passed.evidence, self.name)
        try:
            return self._challenged(find_code(subject), reference)
        except (VerifierError, SyntaxError, RecursionError) as error:
            return Verdict.undecidable(f"no wrong solution could be made and run: {error}", self.name)

    def _challenged(self, solution: str, tests: str) -> Verdict:
        entry, first = _entry(parse(solution), parse(tests))
        unknown = ""
        near = inputs(parse(tests), parse(solution), entry)
        for body in _trivial(parse(tests), first, any(isinstance(v, _SIZED) for args, _ in near for v in args[:1])):
            noticed = self._noticed(with_body(solution, entry, body), tests, entry)
            if noticed is False:
                shown = "does nothing" if body == "pass" else f"only does `{body}`"
                why = f"the tests also pass when {entry} {shown}; add calls with other results"
                return Verdict(0.0, why, {"trivial": body}, self.name)
            unknown = unknown or (body if noticed is None else "")
        if unknown:
            return Verdict.undecidable(f"whether the tests notice `{unknown}` could not be found out", self.name)
        changed = mutants(solution, self.max_mutants, self.seed)
        if not changed:
            return Verdict.undecidable("there is nothing in the solution to change", self.name)
        noticed = [self._noticed(mutant.source, tests, entry) for mutant in changed]
        survivors = [m for m, n in zip(changed, noticed, strict=True) if n is False]
        told = [self._difference(solution, mutant, entry, near) for mutant in survivors]
        survived = [f"{m.where}{how}" for m, how in zip(survivors, told, strict=True) if how is not None]
        return self._share(noticed.count(True), survived, noticed.count(None), told.count(None))

    def _share(self, n_killed: int, survived: list[str], n_unknown: int, n_equal: int) -> Verdict:
        n = n_killed + len(survived) + n_unknown
        evidence = {"n_mutants": n, "n_killed": n_killed, "survived": survived, "n_equal": n_equal}
        if n and n_killed >= self.min_killed * n:
            return Verdict(1.0, "", evidence, self.name)
        if n - len(survived) < self.min_killed * n:
            why = f"the tests notice {n_killed} of {n} small errors; not noticed: {'; '.join(survived[:2])}"
            return Verdict(n_killed / n, f"{why}; add calls that show them", evidence, self.name)
        return Verdict.undecidable("too few wrong solutions could be run", self.name, **evidence)

    def _difference(self, solution: str, mutant: Mutant, entry: str, near: list[Input]) -> str | None:
        """How an unnoticed change shows; None where it changes nothing on any input near those of the tests."""
        if not near:
            return ""
        both = side_by_side(solution, mutant.source, entry)
        outcome = self._run(Job(both, comparison(near), COMPARE, (COMPARE,)))
        if outcome.passed:
            return None
        number = re.search(r"got (\d+)|assert (\d+) ==", outcome.failed[0][1] if outcome.failed else "")
        if number is None:
            return ""
        args, kwargs = near[int(number[1] or number[2])]
        shown = ", ".join([*map(repr, args), *(f"{k}={v!r}" for k, v in kwargs.items())])
        return f" (as {entry}({shown}) would show)"

    def _noticed(self, source: str, tests: str, entry: str) -> bool | None:
        """Whether tests which the reference passes fail with another solution; None when that was not to be seen.

        Monty's word counts for failures too: it is the same code up to a small change. What it stumbles over (a
        TypeError may be its own) is for CPython to say.
        """
        outcome = self._run(Job(source, tests, entry, (entry,)))
        if outcome.passed is None and outcome.why.startswith(_SPENT):
            return True
        return None if outcome.passed is None else not outcome.passed

    def _run(self, job: Job) -> Outcome:
        outcome = Outcome(None) if monty.missing() else monty.in_monty(job, self.limits)
        box = bubblewrap.find_box()
        if outcome.passed is None and not outcome.why.startswith(_SPENT) and isinstance(box, bubblewrap.Box):
            return processes.in_bubblewrap(job, self.limits, box)
        return outcome


def _entry(solution: ast.Module, tests: ast.Module) -> tuple[str, str]:
    """The function that the tests use or `check` is given, the last one of several; and its first parameter's name.

    Raises:
        VerifierError: there is none.
    """
    functions = [n for n in solution.body if isinstance(n, ast.FunctionDef)]
    used = {n.id for n in ast.walk(tests) if isinstance(n, ast.Name)}
    named = [f for f in functions if f.name in used]
    if any(isinstance(n, ast.FunctionDef) and n.name == "check" for n in tests.body):
        named = functions  # `check` is given the last one
    if not named:
        raise VerifierError("the tests use no function of the solution")
    parameters = [*named[-1].args.posonlyargs, *named[-1].args.args]
    return named[-1].name, parameters[0].arg if parameters else ""


def _trivial(tests: ast.Module, parameter: str, sized: bool) -> Iterator[str]:
    """Bodies that do hardly any work; `sized`: the first argument is a text or a list."""
    yield "pass"
    returned = dict.fromkeys(CONSTANTS)
    returned |= dict.fromkeys(_expected(tests)[:MAX_EXPECTED])
    yield from (f"return {text}" for text in returned)
    if parameter:
        yield f"return {parameter}"
        if sized:
            short = f"if not {parameter}:\n    return {{}}\nreturn {parameter}[{{}}]"
            yield from (short.format(nothing, end) for end in (0, -1) for nothing in ("None", parameter))
            yield f"return len({parameter})"


def _expected(tests: ast.Module) -> list[str]:
    """Literals that the tests compare with, the most frequent ones first."""
    found: dict[str, int] = {}
    for node in ast.walk(tests):
        if isinstance(node, ast.Compare):
            for side in (node.left, *node.comparators):
                try:
                    literal(side)
                except ValueError:
                    continue
                text = ast.unparse(side)
                found[text] = found.get(text, 0) + 1
    return sorted(found, key=lambda text: -found[text])


PLUGIN = TestAdequacy
