"""The exceptions of autodata_dspy, and the one signal that no optimizer may swallow.

Every message says what is wrong, shows the offending value and names the remedy.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class AutodataError(Exception):
    """Base of every error this package raises on purpose."""


class ConfigError(AutodataError):
    """The user must edit something (a flag, a file, a role); the CLI exits with code 2."""


class UnknownPluginError(ConfigError):
    """A name that no plugin answers to."""


class ProviderError(AutodataError):
    """A model call failed after its retries; says nothing about the quality of an example."""


class BudgetExceeded(AutodataError):
    """A limit on calls, tokens or money was reached; everything done so far is kept."""


class Interrupted(AutodataError):
    """The user asked the run to stop."""


class VerifierError(AutodataError):
    """A check could not run. The verdict is undecided, never 0."""


class ArtifactError(AutodataError):
    """A program file does not fit this code."""


class StoreError(AutodataError):
    """A run folder is unreadable, in use, or belongs to another configuration."""


class StopRun(BaseException):
    """Carries an AutodataError (`.cause`) out through code that swallows ordinary exceptions.

    DSPy's evaluators and GEPA turn any `Exception` into a score of 0 and go on spending; a
    `BaseException` leaves them at once. `.partial` holds the unfinished trajectory, if there is one.
    """

    def __init__(self, cause: AutodataError):
        super().__init__(str(cause))
        self.cause = cause
        self.partial: Any = None


def did_you_mean(what: str, given: str, available: Iterable[str]) -> str:
    """One line for an unknown name: `unknown role 'judg'; did you mean 'judge'? available: …`."""
    names = sorted(available)
    near = difflib.get_close_matches(given, names, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ";"
    return f"unknown {what} {given!r}{hint} available: {', '.join(names) or 'none'}"
