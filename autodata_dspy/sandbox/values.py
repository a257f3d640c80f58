"""What calls of a function give: computed in the sandbox, brought out as text that must read as a literal."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autodata_dspy.errors import ConfigError, VerifierError
from autodata_dspy.sandbox import bubblewrap, monty, processes
from autodata_dspy.sandbox.job import Job, Outcome, SandboxLimits

MAX_CHARS = 200  # of a value; failures are cut at 300 characters, and a cut value must not pass for a whole one
_MARK = "AssertionError: the value "
# An object of the solution stays on its side and may call itself what it likes; here it is told by its type.
_TESTS = """
def autodata_plain(value):
    kind = type(value)
    if kind in (list, tuple, set):
        return all(autodata_plain(each) for each in value)
    if kind is dict:
        return all(autodata_plain(each) for pair in value.items() for each in pair)
    return value is None or kind in (bool, int, float, str, bytes)
def autodata_shown(value):
    return 'the value ' + (repr(value) if autodata_plain(value) else 'is an object')
"""


@dataclass(frozen=True, slots=True)
class Value:
    """What one call gave: `value`, with the text of its literal, or `error`, why there is none."""

    call: str
    value: Any = None
    text: str = ""
    error: str = ""


def values(solution: str, calls: Sequence[str], name: str, limits: SandboxLimits | None = None) -> list[Value]:
    """Call the function `name` of a solution, in CPython where there is a box for it, else in Monty.

    The door is the failing assertion: the tests' side, which receives what a call returns as plain data, fails with its
    repr as the message. Nothing but text comes out, and it is read with `ast.literal_eval`.

    Args:
        calls: expressions that call it with literals; at most 20, of which failures are told.

    Raises:
        ConfigError: there is no sandbox on this machine.
        VerifierError: the run showed nothing.
    """
    if not 0 < len(calls) <= 20:
        raise ValueError(f"between 1 and 20 calls, not {len(calls)}")
    tests = _TESTS + "\n".join(f"assert False, autodata_shown({call})" for call in calls)
    outcome = _run(Job(solution, tests, name, (name,)), limits or SandboxLimits())
    if outcome.passed is None:
        raise VerifierError(outcome.why)
    told = {}
    for place, message in outcome.failed:
        line = re.match(r"line (\d+):", place)
        told[int(line[1]) - _TESTS.count("\n") if line else 0] = message
    # A failure outside the calls (loading, a crash) explains those of which nothing is told.
    return [_value(call, told.get(i) or told.get(0) or "nothing came back") for i, call in enumerate(calls, 1)]


def _run(job: Job, limits: SandboxLimits) -> Outcome:
    box = bubblewrap.find_box()
    if isinstance(box, bubblewrap.Box):
        return processes.in_bubblewrap(job, limits, box)
    if why := monty.missing():
        raise ConfigError(f"code that a model wrote runs in a sandbox only: {box}; {why}")
    return monty.in_monty(job, limits)


def _value(call: str, message: str) -> Value:
    if not message.startswith(_MARK):
        return Value(call, error=message)
    text = message.removeprefix(_MARK)
    if len(text) > MAX_CHARS:
        return Value(call, error=f"its value is longer than {MAX_CHARS} characters")
    try:
        value = ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        value = None
    if repr(value) != text:
        return Value(call, error=f"its value is no plain data: {text[:60]}")
    return Value(call, value, text)
