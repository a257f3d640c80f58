"""Makes an exercise of a function that a model wrote: a stub to complete, a reference solution, and tests."""

from __future__ import annotations

import ast
import builtins
import itertools
import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autodata_dspy.docstrings import code_in, examples, with_values
from autodata_dspy.domains.base import Malformed
from autodata_dspy.errors import VerifierError
from autodata_dspy.functions import Function, literal, neighbours, parse, result_fits, same_work, split
from autodata_dspy.sandbox.job import SandboxLimits
from autodata_dspy.sandbox.values import Value, values
from autodata_dspy.types import Challenge
from autodata_dspy.verifiers.unit_tests import UnitTests, find_code

MIN_EXAMPLES, MIN_TESTS, MAX_CALLS = 1, 4, 8
MAX_NEIGHBOURS = 10  # further calls, a little unlike the examples
MIN_WORDS = 6  # of a docstring besides its examples
MAX_QUESTION_CHARS = 1200
_CLAUSE = re.compile(r"[.:;]\s|[.:;]$")
_UNSTATED = re.compile(r"\b(?:an?|some|given|certain|specific|particular) (?:\w+ )?(?:rule|condition)s?\b", re.I)
_EXAMPLE = re.compile(r"^\W*(?:for example|for instance|e\.?g\.?)\b", re.I)
_ONCE = re.compile(
    r"\b(?:each|every|all) (?:\w+ ){0,4}once\b"
    r"|\b(?:no|without|not include) (?:any )?(?:repeats|repetitions|duplicates)\b",
    re.I,
)
CLOSE = 1e-6  # how far a decimal may be from the expected one


def builder(demos: Sequence[Mapping[str, Any]]) -> Callable[[Any, str], Challenge]:
    """A `build` that takes none of the demonstrations' functions once more."""
    shown = [_function(demo["function"]).node for demo in demos]

    def build(prediction: Any, angle: str) -> Challenge:
        """Split the function into stub and solution; its docstring's examples and its own results become the tests."""
        function = _function(str(prediction.function or ""))
        if any(same_work(function.node, node) for node in shown):
            raise Malformed("this is the function of an example above; invent another one")
        _check_words(function)
        return _exercise(function, angle)

    return build


def _exercise(function: Function, angle: str) -> Challenge:
    said = _stated(function)
    others = _neighbours(list(said))
    try:
        found = values(function.solution, [*said, *others], function.name, SandboxLimits(cpu_s=2))
    except VerifierError as error:
        raise Malformed(f"the function could not be run: {error}") from None
    stub = _agreed(function, said, found[: len(said)])
    _check_results(function, found[: len(said)])
    fitting = [v for v in found if v.error or result_fits(function.node.returns, v.value)]
    usable = [v for v in fitting if not (v.error or _inexact(v.value))]
    if _ONCE.search(function.docstring) and (twice := next((v for v in usable if _repeats(v.value)), None)):
        raise Malformed(f"the docstring says each item comes once, but {twice.call} gives {twice.text}")
    if len(usable) < MIN_TESTS:
        why = next((f"; {v.call}: {v.error or 'a list with decimals'}" for v in found if v not in usable), "")
        raise Malformed(f"only {len(usable)} calls near the examples can be tested; give three different ones{why}")
    if len({v.text for v in usable}) < 2:
        raise Malformed(f"every call gives {usable[0].text}; choose examples with different values")
    tests = "\n".join(_assertion(v) for v in usable)
    verdict = UnitTests().verify(function.solution, tests, stub)
    if not verdict.passed:
        raise Malformed(f"the function does not give the same result each time it is called: {verdict.feedback}")
    return Challenge(question=stub, answer=function.solution, program=tests, angle=angle)


def _function(text: str) -> Function:
    """The function that was written, with a stub that can stand alone."""
    try:
        tree = parse(find_code(text).strip("\n"))
    except VerifierError:
        raise Malformed("there are several blocks of code; write one function") from None
    except SyntaxError as error:
        raise Malformed(f"the function is not Python: {error}") from None
    if any(isinstance(n, (ast.ClassDef, ast.AsyncFunctionDef)) for n in tree.body):
        raise Malformed("write one plain function, no class and no coroutine")
    found = [n for n in tree.body if isinstance(n, ast.FunctionDef)]
    if len(found) != 1:
        raise Malformed(f"there are {len(found)} functions; write exactly one, with helpers inside it")
    node, imported = found[0], {m for n in ast.walk(tree) for m in _modules(n)}
    if foreign := sorted(imported - sys.stdlib_module_names):
        raise Malformed(f"{foreign[0]} is not in the standard library; do without it")
    if hasattr(builtins, node.name) or node.name in sys.stdlib_module_names or node.name.startswith("_"):
        raise Malformed(f"{node.name} is no good name; choose another")
    named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    if not named or node.args.vararg or node.args.kwarg:
        raise Malformed("the function takes at least one argument, and no * or **")
    if node.returns is None or any(a.annotation is None for a in named):
        raise Malformed("give every argument and the result a type hint")
    return split(tree, node)


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    return [(node.module or ".").split(".")[0]] if isinstance(node, ast.ImportFrom) else []


def _check_words(function: Function) -> None:
    """The docstring says what to do, in words, and there is something to do."""
    body = function.node.body[1:]
    if not function.docstring:
        raise Malformed("the function has no docstring that says what it does")
    if all(isinstance(n, (ast.Pass, ast.Expr, ast.Raise)) for n in body):
        raise Malformed("the function has no code below its docstring")
    prose = " ".join(n for n in function.docstring.splitlines() if function.name not in n and ">>>" not in n)
    said = _said(prose)
    if len(said) < MIN_WORDS:
        raise Malformed("the docstring says too little; state the whole rule in words")
    if len(_said(" ".join(c for c in _CLAUSE.split(prose) if not _is_empty(c)))) < MIN_WORDS:
        raise Malformed("the docstring speaks of a rule and does not state it; say which items, which numbers, when")
    if len(function.stub) > MAX_QUESTION_CHARS:
        raise Malformed("the docstring is too long; choose a simpler rule")
    if code := code_in(function.docstring, body):
        raise Malformed(f"the docstring shows the code `{code}`; say it in words")


def _said(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]{2,}", text.lower())


def _is_empty(clause: str) -> bool:
    """Whether a clause only names a rule ("items that keep a rule"), or begins an example.

    The 1.5B wrote such stubs, the reviewer called them clear, and the strong solver guessed the rule from the examples.
    """
    return bool(_UNSTATED.search(clause) or _EXAMPLE.search(clause))


def _stated(function: Function) -> dict[str, Any]:
    """call → value, as the docstring says; what is no literal there is no example."""
    said: dict[str, Any] = {}
    for call, text in examples(function.docstring, function.name):
        try:
            said.setdefault(call, literal(text))
        except ValueError:
            continue
    if len(said) < MIN_EXAMPLES:
        raise Malformed("the docstring needs an example: >>> call, and its value in the next line")
    return dict(list(said.items())[:MAX_CALLS])


def _neighbours(written: Sequence[str]) -> list[str]:
    """Calls next to the written ones, of each in turn: a limit is where a small step changes the value."""
    near = [neighbours(call) for call in written]
    mixed = dict.fromkeys(call for row in itertools.zip_longest(*near) for call in row if call)
    return [call for call in mixed if call not in written][:MAX_NEIGHBOURS]


def _check_results(function: Function, found: Sequence[Value]) -> None:
    """What was written down as a call gives what the hint says; what it gives else is a rule that is not stated."""
    for value in found:
        if not value.error and not result_fits(function.node.returns, value.value):
            hint = ast.unparse(function.node.returns) if function.node.returns else ""
            raise Malformed(f"the hint says {hint}, but {value.call} gives {value.text}; say what is returned when")


def _repeats(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and any(item in value[:i] for i, item in enumerate(value))


def _agreed(function: Function, said: dict[str, Any], found: Sequence[Value]) -> str:
    """The stub, with the values of its examples as the function gives them.

    Small models write sound functions and miscount in their examples: of the first exercises of a 1.5B more than half.
    A value of another kind than the one that was written (a list for a number) tells of a misunderstanding. Whether
    words and function mean the same is what independent solutions have to show, whose writers see the stub alone.
    """
    wrong: dict[str, str] = {}
    for value in found:
        expected = said[value.call]
        if value.error:
            raise Malformed(f"the example {value.call} fails: {value.error}")
        if _inexact(value.value):
            raise Malformed(f"{function.name} returns a list with decimals; return whole numbers")
        if not _same(value.value, expected):
            wrong[value.call] = value.text
    stub = with_values(function.stub, function.name, wrong)
    shown = dict(examples(stub, function.name))
    kinds = {value.call: _kind(value.value) == _kind(said[value.call]) for value in found}
    call = next((c for c in wrong if not kinds[c] or shown.get(c) != wrong[c]), "")
    if call:
        raise Malformed(
            f"the docstring says {call} gives {said[call]!r}, but the function returns {wrong[call]}; "
            "make rule, examples and code agree"
        )
    return stub


def _kind(value: Any) -> str:
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, (int, float)):
        return math.isclose(one, other, rel_tol=CLOSE, abs_tol=CLOSE)
    return type(one) is type(other) and one == other


def _inexact(value: Any) -> bool:
    """Whether a value can only be compared exactly, but holds decimals, which another formula may round otherwise."""
    if isinstance(value, dict):
        return any(isinstance(v, float) or _inexact(v) for pair in value.items() for v in pair)
    return isinstance(value, (list, tuple, set)) and any(isinstance(v, float) or _inexact(v) for v in value)


def _assertion(value: Value) -> str:
    if isinstance(value.value, float):
        return f"assert abs({value.call} - {value.text}) < {CLOSE}"
    return f"assert {value.call} == {value.text}"
