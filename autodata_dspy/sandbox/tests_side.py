"""The side that holds the tests: asks the solution's process for values, compares them here, reports.

Runs inside a sandbox of its own (its text is sent there). No code of the solution ever runs in this process.
"""

import ast
import builtins
import inspect
import json
import sys
import traceback
import types

from autodata_dspy.sandbox.reading import (
    Explained,
    asserting_functions,
    compares_identity,
    holds_test,
    missing_module,
    names_in,
)
from autodata_dspy.sandbox.remote import Remote
from autodata_dspy.sandbox.wire import Foreign, Gone, Peer, decode, encode, limit, private_streams

MAX_MESSAGE = 300
MAX_FAILURES = 20
# What only works in one process with the solution; tests that use it and fail have shown nothing.
SHARED = {"open", "tempfile", "mock", "patch", "inspect", "gc", "weakref", "input", "monkeypatch", "capsys", "capfd"}
# What such tests would even pass wrongly.
IDENTITY = {"id", "assertIsNot"}


def raisable(thing):
    return isinstance(thing, type) and issubclass(thing, BaseException)


class TestsSide(Peer):
    """Talks to the solution's process and runs the tests."""

    def __init__(self, reader, writer):
        super().__init__(reader, writer)
        self.callables, self.exceptions, self.named = [], {}, set()
        self.n_requests = self.n_tests = 0
        self.failed, self.told, self.source, self.asserting = [], [], "", set()

    # -- the solution's values --------------------------------------------------------------------------------

    def keep(self, value):
        if isinstance(value, Remote):
            return {"object": {"number": value._remote["number"]}}
        if callable(value):
            self.callables.append(value)
            return {"callable": len(self.callables) - 1}
        if hasattr(type(value), "__next__"):
            return {"iterator": {"list": [encode(v, self.keep) for v in value]}}
        return self.give_up(Foreign("the tests hand over a " + type(value).__name__ + ", which is not plain data"))

    def revive(self, tag, content):
        return Remote(self, content) if tag == "object" else object()

    def trusts(self, remote):
        name = remote._remote["class"]
        return name[:1].isupper() and name in self.named

    def ask(self, message):
        self.n_requests += 1
        for key in ("target", "value", "args", "kwargs"):
            if key in message:
                message[key] = encode(message[key], self.keep)
        self.last = reply = self.request(message)
        if "raised" in reply:
            raise self.error(reply["raised"]) from None
        return NotImplemented if "unknown" in reply else decode(reply["value"], self.revive)

    def call(self, target, args, kwargs):
        value = self.ask({"do": "call", "target": target, "args": list(args), "kwargs": kwargs})
        reply = self.last
        sys.stdout.write(reply["printed"])
        for index, new in reply["changed"]:
            renew(args[index], decode(new, self.revive))
        value = value if reply["same_as"] is None else args[reply["same_as"]]
        return later(value) if reply["awaited"] else value

    def serve(self, message):
        """The solution calls a function of the tests."""
        function = self.callables[message["callback"]]
        args, kwargs = decode(message["args"], self.revive), decode(message["kwargs"], self.revive)
        return {"value": encode(function(*args, **kwargs), self.keep)}

    def exception(self, names):
        """A local class for one of the solution's exception classes, given the names of its ancestors."""
        known = Exception
        for name in reversed(names):
            builtin = getattr(builtins, name, None)
            if isinstance(builtin, type) and issubclass(builtin, BaseException):
                known = builtin
            elif name in self.exceptions:
                known = self.exceptions[name]
            elif name != "object":
                known = self.exceptions[name] = type(name, (known,), {})
        return known

    def error(self, raised):
        kind = self.exceptions.get(raised["class"]) or self.exception(raised["bases"])
        try:
            error = kind(*decode(raised["args"], self.revive))
        except Exception:
            error = kind(raised["message"])
        error.__dict__["of_the_solution"] = True
        return error

    def load(self, job):
        """Load the solution; returns the names the tests may use."""
        reply = self.request({"do": "load", "source": job["solution"]})
        if "raised" in reply:
            raise self.error(reply["raised"])
        names = {}
        for name, what in reply["names"].items():
            # A solution that brings its own `abs` or `math` must not bend the tests with it.
            ours = hasattr(builtins, name) or name in sys.stdlib_module_names
            if what.get("module") in sys.stdlib_module_names:
                __import__(what["module"])
                names[name] = sys.modules[what["module"]]
            elif "exception" in what and (not ours or raisable(getattr(builtins, name, None))):
                names[name] = self.exception(what["exception"])
            elif "value" in what and (not ours or name in job["expected"]):
                names[name] = decode(what["value"], self.revive)
        return names

    # -- the tests --------------------------------------------------------------------------------------------

    def run(self, job):
        """Run all tests of a job: solution, tests, entry (the function that `check` is given), expected names."""
        self.source = job["tests"]
        tree = ast.parse(job["tests"])
        self.named, self.asserting = names_in(tree), asserting_functions(tree)
        if self.named & IDENTITY or compares_identity(tree, ast.IsNot):
            self.give_up(Foreign("the tests compare the identity of objects"))
        try:
            names = self.load(job)
        except (Gone, Foreign):
            raise
        except ModuleNotFoundError as error:
            name = missing_module(job["solution"], str(error))
            if name:  # nothing has been tested: the solution may be right where that module is there
                self.give_up(Foreign(f"the solution needs a module that is not there: {name}"))
            self.n_tests = 1
            self.failed.append(["loading the solution", describe(error)])
            return self.report(True)
        except BaseException as error:
            self.n_tests = 1
            self.failed.append(["loading the solution", describe(error)])
            return self.report(True)
        sys.modules["solution"] = types.ModuleType("solution")
        sys.modules["solution"].__dict__.update(names)
        space = {**names, "__name__": "tests", "_autodata_same": self.same}  # ours last: nothing takes their place
        called = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
        if self.run_statements(ast.fix_missing_locations(Explained().visit(tree)).body, space):
            self.run_functions(space, called, job["entry"])
        if self.failed and (self.named & SHARED or compares_identity(tree, ast.Is)):
            self.give_up(Foreign("the tests fail, but use what only works in one process with the solution"))
        return self.report(bool(self.failed) or self.n_requests > 0 or bool(self.named & set(names)))

    def run_statements(self, statements, space):
        for statement in statements:
            code = compile(ast.Module([statement], []), "tests.py", "exec")
            is_test = holds_test(statement, self.asserting)
            if not self.attempt(f"line {statement.lineno}", is_test, exec, code, space) and not is_test:
                return False
        return True

    def run_functions(self, space, called, entry):
        for name, value in list(space.items()):
            if isinstance(value, types.FunctionType) and name.startswith("test"):
                needed = [p for p in inspect.signature(value).parameters.values() if p.default is p.empty]
                if needed:
                    self.give_up(Foreign(f"{name} needs fixtures: {', '.join(p.name for p in needed)}"))
                self.attempt(name, True, finish, value)
            elif isinstance(value, types.FunctionType) and name == "check" and name not in called:
                self.attempt(name, True, lambda check=value: check(space[entry]))
            elif isinstance(value, type) and value.__module__ == "tests" and hasattr(value, "countTestCases"):
                self.run_case(value)

    def attempt(self, name, is_test, function, *args):
        """Run one piece of the tests; False when it fails."""
        self.n_tests += is_test
        self.told.clear()
        failure = None
        try:
            function(*args)
        except BaseException as error:
            failure = error
        if self.over is not None:
            raise self.over
        if isinstance(failure, ModuleNotFoundError) and not hasattr(failure, "of_the_solution"):
            self.give_up(Foreign(f"the tests need a module that is not there: {failure.name}"))
        if failure is not None:
            self.n_tests += not is_test
            self.fail(name, failure)
        return failure is None

    def fail(self, name, error):
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == "tests.py" and f.lineno]
        where = name
        if lines:
            text = self.source.splitlines()[lines[-1] - 1].strip()
            where = f"{'' if name.startswith('line') else name + ', '}line {lines[-1]}: {text[:160]}"
        told = self.told[-1] if self.told and isinstance(error, AssertionError) else ""
        self.failed.append([where, f"{told} {describe(error)}".strip()[:MAX_MESSAGE]])

    def run_case(self, case):
        import unittest

        for test in unittest.defaultTestLoader.loadTestsFromTestCase(case):
            result = unittest.TestResult()
            test.run(result)
            if self.over is not None:  # unittest catches everything
                raise self.over
            self.n_tests += not result.skipped
            for failing, text in (result.failures + result.errors)[:1]:
                self.failed.append([failing.id().split(".", 1)[-1], text.strip().splitlines()[-1][:MAX_MESSAGE]])

    def same(self, left, right):
        equal = left == right
        if not equal:
            self.told.append(f"got {shorten(left)}, expected {shorten(right)};")
        return equal

    def report(self, touched):
        found = {"n_tests": self.n_tests, "n_failed": len(self.failed), "failed": self.failed[:MAX_FAILURES]}
        return {**found, "touched": touched}


def renew(old, new):
    """Give a container of the tests the content that the solution left in its copy."""
    old.clear()
    (old.update if isinstance(old, (dict, set)) else old.extend)(new)


def finish(function):
    result = function()
    if inspect.iscoroutine(result):
        import asyncio

        asyncio.run(result)


async def later(value):
    return value


def describe(error):
    text = str(error).replace("'Remote'", "an object of the solution")
    return type(error).__name__ + (": " + text if text else "")


def shorten(value):
    try:
        text = repr(value)
    except Exception as error:
        text = f"<{type(error).__name__}>"
    return text if len(text) <= 100 else text[:97] + "..."


def main(limits, reader, writer):  # pragma: no cover — runs in the sandbox
    """Read a job from standard input, run it against the solution behind two descriptors, write a report."""
    limit(limits)
    jobs, reports = private_streams()
    job = json.loads(jobs.readline())
    side = TestsSide(open(reader, "rb"), open(writer, "wb"))
    started = False
    try:
        side.receive()
        started = True
        report = side.run(job)
    except Gone:
        report = {**side.report(True), "gone": True, "started": started}
    except Foreign as error:
        report = {"foreign": str(error)}
    reports.write(json.dumps(report).encode() + b"\n")
    reports.flush()
