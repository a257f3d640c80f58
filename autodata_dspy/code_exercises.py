"""Makes an exercise of a function that a model wrote: a stub to complete, a reference solution, and tests."""

from __future__ import annotations

import ast
import builtins
import itertools
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autodata_dspy.docstrings import code_in, words
from autodata_dspy.domains.base import Malformed
from autodata_dspy.errors import VerifierError
from autodata_dspy.functions import Function, arguments_fit, calls, fits, neighbours, parse, same_work, split
from autodata_dspy.sandbox.job import SandboxLimits
from autodata_dspy.sandbox.values import Value, values
from autodata_dspy.types import Challenge
from autodata_dspy.verifiers.unit_tests import UnitTests, find_code

MIN_TESTS, MAX_CALLS, MAX_EXAMPLES = 4, 6, 3
MAX_NEIGHBOURS = 14  # further calls, a little unlike the written ones
MIN_WORDS = 6  # of a docstring, besides examples
MAX_WORDS_CHARS = 800
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
        """Split the function into stub and solution; what it gives for calls becomes examples and tests."""
        function = _function(str(prediction.function or ""))
        if any(same_work(function.node, node) for node in shown):
            raise Malformed("this is the function of an example above; invent another one")
        said = words(function.docstring, function.name).strip()
        _check_words(function, said)
        # Calls in the docstring are as good as any; the values beside them are not.
        written = "\n".join([*map(str, prediction.calls or ()), function.docstring])
        found = [call for call in calls(written, function.name) if arguments_fit(function.node, call)][:MAX_CALLS]
        if not found:
            raise Malformed(f"there is no call {function.name}(…) with plain values of the hinted types; write three")
        return _exercise(function, said, found, angle)

    return build


def _exercise(function: Function, said: str, written: Sequence[str], angle: str) -> Challenge:
    tried = [*written, *_neighbours(written)]
    try:
        found = values(function.solution, tried, function.name, SandboxLimits(cpu_s=2))
    except VerifierError as error:
        raise Malformed(f"the function could not be run: {error}") from None
    _check_results(function, found[: len(written)])
    fitting = [v for v in found if v.error or fits(function.node.returns, v.value)]
    usable = [v for v in fitting if not (v.error or _inexact(v.value))]
    if _ONCE.search(said) and (twice := next((v for v in usable if _repeats(v.value)), None)):
        raise Malformed(f"the docstring says each item comes once, but {twice.call} gives {twice.text}")
    if len(usable) < MIN_TESTS:
        why = next((f"; {v.call}: {v.error or 'a list with decimals'}" for v in found if v not in usable), "")
        raise Malformed(f"only {len(usable)} calls like the written ones can be tested; write three others{why}")
    if len({v.text for v in usable}) < 2:
        raise Malformed(f"every call gives {usable[0].text}; write calls that give different values")
    stub = function.stub(f"{said}\n\n{_examples(usable)}")
    tests = "\n".join(_assertion(v) for v in usable)
    verdict = UnitTests().verify(function.solution, tests, stub)
    if not verdict.passed:
        raise Malformed(f"the function does not give the same result each time it is called: {verdict.feedback}")
    return Challenge(question=stub, answer=function.solution, program=tests, angle=angle)


def _examples(usable: Sequence[Value]) -> str:
    """Calls with the values that the function gives, each value once: the kinds of cases that there are.

    Small models write sound functions and miscount in their examples: of the first exercises of a 1.5B more than half.
    Whether words and function mean the same is what independent solutions have to show, whose writers see words alone.
    """
    first: dict[str, str] = {}
    for value in usable:
        first.setdefault(value.text, value.call)
    return "\n".join(f">>> {call}\n{text}" for text, call in list(first.items())[:MAX_EXAMPLES])


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


def _check_words(function: Function, said: str) -> None:
    """The docstring says what to do, in words, and there is something to do."""
    body = function.node.body[1:]
    if not function.docstring:
        raise Malformed("the function has no docstring that says what it does")
    if all(isinstance(n, (ast.Pass, ast.Expr, ast.Raise)) for n in body):
        raise Malformed("the function has no code below its docstring")
    prose = " ".join(said.split())
    if len(_terms(prose)) < MIN_WORDS:
        raise Malformed("the docstring says too little; state the whole rule in words")
    if len(_terms(" ".join(c for c in _CLAUSE.split(prose) if not _is_empty(c)))) < MIN_WORDS:
        raise Malformed("the docstring speaks of a rule and does not state it; say which items, which numbers, when")
    if len(said) > MAX_WORDS_CHARS:
        raise Malformed("the docstring is too long; choose a simpler rule")
    if code := code_in(said, body):
        raise Malformed(f"the docstring shows the code `{code}`; say it in words")


def _terms(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]{2,}", text.lower())


def _is_empty(clause: str) -> bool:
    """Whether a clause only names a rule ("items that keep a rule"), or begins an example.

    The 1.5B wrote such stubs, the reviewer called them clear, and the strong solver guessed the rule from the examples.
    """
    return bool(_UNSTATED.search(clause) or _EXAMPLE.search(clause))


def _neighbours(written: Sequence[str]) -> list[str]:
    """Calls next to the written ones, of each in turn: a limit is where a small step changes the value."""
    near = [neighbours(call) for call in written]
    mixed = dict.fromkeys(call for row in itertools.zip_longest(*near) for call in row if call)
    return [call for call in mixed if call not in written][:MAX_NEIGHBOURS]


def _check_results(function: Function, found: Sequence[Value]) -> None:
    """What was written down as a call gives what the hint says; what it gives else is a rule that is not stated."""
    for value in found:
        if not value.error and not fits(function.node.returns, value.value):
            hint = ast.unparse(function.node.returns) if function.node.returns else ""
            raise Malformed(f"the hint says {hint}, but {value.call} gives {value.text}; say what is returned when")


def _repeats(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and any(item in value[:i] for i, item in enumerate(value))


def _inexact(value: Any) -> bool:
    """Whether a value can only be compared exactly, but holds decimals, which another formula may round otherwise."""
    if isinstance(value, dict):
        return any(isinstance(v, float) or _inexact(v) for pair in value.items() for v in pair)
    return isinstance(value, (list, tuple, set)) and any(isinstance(v, float) or _inexact(v) for v in value)


def _assertion(value: Value) -> str:
    if isinstance(value.value, float):
        return f"assert abs({value.call} - {value.text}) < {CLOSE}"
    return f"assert {value.call} == {value.text}"
