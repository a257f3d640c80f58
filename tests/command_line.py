"""Run `autodata`: in this process (fast, and seen by coverage) or as a process of its own."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

COMMAND = Path(sys.executable).with_name("autodata")


@dataclass(frozen=True)
class Ran:
    """What a finished command left: exit code, standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """The lines of standard error that are no progress."""
        return [line for line in self.err.splitlines() if line.startswith("error:") or "Traceback" in line]


def run_here(*args: Any) -> Ran:
    """`autodata …` in this process."""
    from autodata_dspy.cli import main

    out, err, argv = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["autodata", *map(str, args)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as end:
            main()
    finally:
        sys.argv = argv
    return Ran(end.value.code or 0, out.getvalue(), err.getvalue())


def start(*args: Any, **options: Any) -> subprocess.Popen[str]:
    """`autodata …` as a process; in a session of its own, so that signals reach it alone."""
    env = {**os.environ, **options.pop("env", {})}
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.Popen([COMMAND, *map(str, args)], text=True, start_new_session=True, env=env, **pipes)


def finish(process: subprocess.Popen[str], timeout_s: float = 60.0) -> Ran:
    """Wait for a started command."""
    try:
        out, err = process.communicate(timeout=timeout_s)
    finally:
        process.kill()
    return Ran(process.returncode, out or "", err or "")


def run(*args: Any, **options: Any) -> Ran:
    """`autodata …` as a process, to its end."""
    return finish(start(*args, **options))
