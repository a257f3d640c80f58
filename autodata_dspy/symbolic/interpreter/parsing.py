"""Python source to a syntax tree, never further: nothing is compiled."""

from __future__ import annotations

import ast
import warnings
from typing import Any

from autodata_dspy.symbolic.interpreter import limits
from autodata_dspy.symbolic.interpreter.limits import ProgramError


def parse(source: str, mode: str = "exec") -> Any:
    """The syntax tree of a source of at most MAX_SOURCE characters.

    Raises:
        ProgramError: too long, or not Python syntax (with the usual slips named).
    """
    if len(source) > limits.MAX_SOURCE:
        raise ProgramError(f"the program has {len(source)} characters; at most {limits.MAX_SOURCE} are allowed")
    if "\x00" in source:
        raise ProgramError("the program contains a NUL character")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            return ast.parse(source, mode=mode)
    except SyntaxError as error:
        raise ProgramError(
            f"line {error.lineno}: not Python syntax: {error.msg}: {_line(source, error.lineno)!r}"
        ) from None
    except (ValueError, RecursionError, MemoryError):
        raise ProgramError("not Python syntax, or nested too deeply") from None


def _line(source: str, number: int | None) -> str:
    lines = source.splitlines()
    return lines[number - 1].strip()[:60] if number and number <= len(lines) else ""
