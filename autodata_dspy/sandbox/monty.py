"""Small pure code in pydantic-monty: a Python written for sandboxes, a thousand times faster to start than CPython.

Solution and tests are two sessions of it; a call of a test comes out of one as plain data and goes into the other.
Monty knows a part of Python only. So a pass is a pass, but a failure counts only where it cannot be Monty's own.
"""

from __future__ import annotations

import ast
import atexit
import builtins
import contextlib
import os
import sys
import threading
from typing import Any, NoReturn

from autodata_dspy.sandbox.job import Job, Outcome, SandboxLimits
from autodata_dspy.sandbox.reading import asserting_functions, compares_identity, holds_test

_PLAIN = (bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset, type(None))
# What a solution raises for its own reasons; other exceptions may be Monty's way to say that it lacks something.
_HONEST = (ValueError, KeyError, IndexError, ZeroDivisionError, AssertionError, StopIteration)
# What is no plain data leaves Monty as its repr, a text; so both sessions look at types before a value leaves them.
_LOOK = """
def __plain(value):
    kind = type(value)
    if kind in (list, tuple, set, frozenset):
        return all(__plain(each) for each in value)
    if kind is dict:
        return all(__plain(each) for pair in value.items() for each in pair)
    return value is None or kind in (bool, int, float, complex, str, bytes)
"""
_CALL = _LOOK + "__result = {name}(*__args, **__kwargs)\n(__plain(__result), type(__result).__name__, __result, __args)"
_HANDED = """
def {name}(*args, **kwargs):
    return __{name}(__plain(args) and __plain(kwargs), *args, **kwargs)
"""
_pool: Any = None
_pool_pid = 0
_lock = threading.Lock()


class Beyond(Exception):
    """This job needs a whole Python."""


def missing() -> str:
    """Why Monty cannot be used here; "" when it can."""
    if _pool is not None and _pool_pid != os.getpid():
        return "pydantic-monty does not outlive a fork"  # a new pool hangs in the child of a process that had one
    try:
        _shared_pool()
    except ImportError:
        return "pydantic-monty is not installed (pip install 'autodata-dspy[code]')"
    except Exception as error:  # a package whose program does not fit this machine; nothing is known of its errors
        return f"pydantic-monty does not start: {error}"
    return ""


def _shared_pool() -> Any:
    global _pool, _pool_pid
    with _lock:
        if _pool is None:
            import pydantic_monty

            # Two sessions a run: with fewer workers than that, runs would wait for each other for ever.
            _pool = pydantic_monty.Monty(max_processes=2 * (os.cpu_count() or 1), request_timeout=60.0).__enter__()
            _pool_pid = os.getpid()
            atexit.register(_close, _pool, _pool_pid)
        return _pool


def _close(pool: Any, pid: int) -> None:
    if pid == os.getpid():
        with contextlib.suppress(Exception):
            pool.__exit__(None, None, None)


_runs = threading.BoundedSemaphore(os.cpu_count() or 1)


def in_monty(job: Job, limits: SandboxLimits) -> Outcome:
    """Run a job; undecided when it needs what Monty lacks."""
    try:
        with _runs:
            return _Run(job, limits).outcome()
    except Beyond as error:
        return Outcome(None, str(error), runner="monty")


class _Run:
    def __init__(self, job: Job, limits: SandboxLimits):
        self.job = job
        try:
            self.tests = ast.parse(job.tests)
            self.solution = ast.parse(job.solution)
        except (SyntaxError, ValueError) as error:
            raise Beyond(f"not readable: {error}") from None
        self.functions = self._functions()
        self.limits = {
            "max_feed_duration_secs": float(limits.cpu_s),
            "max_memory": limits.memory_mb * 2**20,
            "max_suspensions": 100_000,
        }
        self.beyond = ""
        self.failed: list[tuple[str, str]] = []
        self.n_tests = self.n_calls = 0

    def _functions(self) -> set[str]:
        """Names of the solution's functions that the tests use, if they use nothing else of it."""
        defined = {n.name for n in self.solution.body if isinstance(n, ast.FunctionDef)}
        other = {n.name for n in self.solution.body if isinstance(n, (ast.ClassDef, ast.AsyncFunctionDef))}
        for node in self.solution.body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            other |= {n.id for t in targets if t for n in ast.walk(t) if isinstance(n, ast.Name)}
        used = {n.id for n in ast.walk(self.tests) if isinstance(n, ast.Name)} | {self.job.entry}
        if used & other:
            raise Beyond(f"the tests use {', '.join(sorted(used & other))}, which is no plain function")
        if any(isinstance(n, (ast.ClassDef, ast.AsyncFunctionDef)) for n in self.tests.body):
            raise Beyond("the tests are classes or coroutines")
        if compares_identity(self.tests, (ast.Is, ast.IsNot)):
            raise Beyond("the tests compare identities")
        for name in (defined & used) | self._renamed():
            if hasattr(builtins, name) or name in sys.stdlib_module_names:
                raise Beyond(f"the solution replaces {name}")
        return defined & used

    def _renamed(self) -> set[str]:
        """Names that the solution's imports bind, but for a module's own: tests see them, too."""
        found = set()
        for node in self.solution.body:
            if isinstance(node, ast.Import):
                found |= {a.asname for a in node.names if a.asname and a.asname != a.name}
            elif isinstance(node, ast.ImportFrom):
                if any(a.name == "*" for a in node.names):
                    raise Beyond("the solution imports whatever a module has")
                found |= {a.asname or a.name for a in node.names} - {(node.module or "").partition(".")[0]}
        return found

    def outcome(self) -> Outcome:
        import pydantic_monty as monty

        options = {"limits": self.limits, "os_policy": {"sleep": "zero", "random_start": {"seed": 0}}}
        pool = _shared_pool()
        try:
            with pool.checkout(**options) as self.theirs, pool.checkout(**options) as self.ours:
                self._load()
                self._run_tests()
        except monty.MontyError as error:
            raise Beyond(f"{type(error).__name__}: {error}"[:300]) from None
        if self.failed:
            return Outcome(False, "", self.n_tests, len(self.failed), tuple(self.failed[:20]), "monty")
        if not self.n_tests or not self.n_calls:
            raise Beyond("there are no tests, or they never use the solution")
        return Outcome(True, "", self.n_tests, runner="monty")

    def _feed(self, session: Any, code: str, **options: Any) -> Any:
        return session.feed_run(code, print_callback=lambda stream, text: None, **options)

    def _load(self) -> None:
        self._feed(self.theirs, self.job.solution)
        for node in self.solution.body:  # tests may count on what the solution imports
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                self._feed(self.ours, ast.unparse(node))
        self._feed(self.ours, _LOOK + "".join(_HANDED.format(name=name) for name in self.functions))

    def _run_tests(self) -> None:
        asserting = asserting_functions(self.tests)
        for node in self.tests.body:
            is_test = holds_test(node, asserting)
            passed = self._attempt(f"line {node.lineno}", ast.get_source_segment(self.job.tests, node) or "", is_test)
            if not passed and not is_test:
                return
        called = {n.func.id for n in ast.walk(self.tests) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
        for node in self.tests.body:
            if not isinstance(node, ast.FunctionDef):
                continue
            if node.name.startswith("test"):
                if node.args.args or node.args.kwonlyargs:
                    raise Beyond(f"{node.name} needs fixtures")
                self._attempt(node.name, f"{node.name}()", True)
            elif node.name == "check" and "check" not in called:
                self._attempt("check", f"check({self.job.entry or '__no_entry'})", True)

    def _attempt(self, place: str, code: str, is_test: bool) -> bool:
        import pydantic_monty as monty

        self.n_tests += is_test
        try:
            self._feed(self.ours, code, external_lookup={f"__{name}": self._caller(name) for name in self.functions})
        except monty.MontyRuntimeError as error:
            raised = error.exception()
            if self.beyond or not isinstance(raised, _HONEST):
                raise Beyond(self.beyond or f"{type(raised).__name__}: {raised}"[:300]) from None
            self.n_tests += not is_test
            self.failed.append((f"{place}: {code[:160]}", f"{type(raised).__name__}: {raised}"[:300]))
            return False
        if self.beyond:  # caught by the tests
            raise Beyond(self.beyond)
        return True

    def _caller(self, name: str) -> Any:
        def call(plain: bool, *args: Any, **kwargs: Any) -> Any:
            import pydantic_monty as monty

            self.n_calls += 1
            if not plain:
                self._go_beyond("the tests hand over what is not plain data")
            inputs = {"__args": list(args), "__kwargs": kwargs}
            try:
                plain, kind, result, after = self._feed(self.theirs, _CALL.format(name=name), inputs=inputs)
            except monty.MontyRuntimeError as error:
                raised = error.exception()
                if not isinstance(raised, _HONEST):
                    self._go_beyond(f"{type(raised).__name__}: {raised}"[:300])
                raise raised from None
            except monty.MontyError as error:
                self._go_beyond(f"{type(error).__name__}: {error}"[:300])
            if not plain or not _is_plain(result):
                self._go_beyond(f"{name} returns a {kind}")
            if list(after) != list(args):
                self._go_beyond(f"{name} changes its arguments")
            return result

        return call

    def _go_beyond(self, why: str) -> NoReturn:
        self.beyond = self.beyond or why
        raise RuntimeError(why)


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_plain(v) for pair in value.items() for v in pair)
    if isinstance(value, (list, tuple, set, frozenset)):
        return all(map(_is_plain, value))
    return type(value) in _PLAIN
