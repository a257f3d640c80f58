"""Python source to a syntax tree, never further: nothing is compiled."""

from __future__ import annotations

import ast
import contextlib
import re
import warnings
from typing import Any

from autodata_dspy.symbolic.interpreter import limits
from autodata_dspy.symbolic.interpreter.limits import ProgramError

# What people write on paper and Python does not read: 12x, 3(x + 1) and |x - 2|.
_PAPER = ((re.compile(r"(?<![\w.])(\d+)(?=[a-df-zA-DF-Z(])"), r"\1*"), (re.compile(r"\|([^|\n]{1,80})\|"), r"abs(\1)"))


def parse(source: str, mode: str = "exec") -> Any:
    """The syntax tree of a source of at most MAX_SOURCE characters.

    A source that is not Python is read once more with the usual slips of paper notation (`12x`, `|x - 2|`) mended.

    Raises:
        ProgramError: too long, or not Python syntax (with the usual slips named).
    """
    if len(source) > limits.MAX_SOURCE:
        raise ProgramError(f"the program has {len(source)} characters; at most {limits.MAX_SOURCE} are allowed")
    if "\x00" in source:
        raise ProgramError("the program contains a NUL character")
    try:
        return _tree(source, mode)
    except SyntaxError as error:
        mended = source
        for pattern, repair in _PAPER:
            mended = pattern.sub(repair, mended)
        if mended != source:
            with contextlib.suppress(SyntaxError):
                return _tree(mended, mode)
        raise ProgramError(
            f"line {error.lineno}: not Python syntax: {error.msg}: {_line(source, error.lineno)!r}"
        ) from None
    except (ValueError, RecursionError, MemoryError):
        raise ProgramError("not Python syntax, or nested too deeply") from None


def _tree(source: str, mode: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        return ast.parse(source, mode=mode)


def _line(source: str, number: int | None) -> str:
    lines = source.splitlines()
    return lines[number - 1].strip()[:60] if number and number <= len(lines) else ""
