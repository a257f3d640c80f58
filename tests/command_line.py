"""Run `autodata`: in this process (fast, and seen by coverage) or as a process of its own."""

from __future__ import annotations

import contextlib
import hashlib
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


def contents(folder: Path) -> dict[str, Any]:
    """Every file below a folder and what is in it; of huge ones only size and time."""
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        if p.stat().st_size < 1_000_000
        else (p.stat().st_size, p.stat().st_mtime_ns)
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.name != "lock"  # whoever asks last leaves its process number there
    }


def refused(*arguments: Any, says: str) -> str:
    """Run it, and demand the one line."""
    ran = run_here(*arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.count("\n") == 1, ran.err
    assert ran.err.startswith("error: ")
    assert says in ran.err
    return ran.err


def refused_run(*arguments: Any, says: str) -> Ran:
    """As `refused`, for what is only found out when the run begins: lines of progress may come before."""
    ran = run_here(*arguments)
    assert (ran.code, len(ran.errors)) == (2, 1)
    assert ran.err.splitlines()[-1] == ran.errors[0]
    assert says in ran.errors[0]
    return ran
