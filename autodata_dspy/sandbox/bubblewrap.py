"""Real CPython inside bubblewrap: no network, no files but the interpreter's, a private /tmp, bounded in everything.

As root, the sandbox runs as the user nobody: the kernel does not apply limits on processes to root, and a fork bomb
would take the machine with it.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NOBODY = 65534
INSTALL = "install it (apt-get install bubblewrap; it is version 0.8 or newer on Debian 12 and Ubuntu 24.04)"
_ABOUT = "import sys; print(sys.prefix); print(sys.version_info >= (3, 10))"


@dataclass(frozen=True)
class Box:
    """A sandbox that was seen to work: which bubblewrap, and which interpreter inside it."""

    bwrap: str
    python: str
    prefix: str

    def start_options(self) -> dict[str, Any]:
        """How `subprocess.Popen` starts it."""
        if os.geteuid() != 0:
            return {}
        return {"user": NOBODY, "group": NOBODY, "extra_groups": []}

    def command(self, code: str, disk_mb: int) -> list[str]:
        """The command line that runs `code`."""
        libraries = [str(Path(self.prefix) / "lib"), "/usr/lib", "/usr/lib64", "/lib", "/lib64", self.python]
        binds = [part for path in dict.fromkeys(libraries) for part in ("--ro-bind-try", path, path)]
        return [
            *(self.bwrap, "--unshare-all", "--unshare-user", "--disable-userns", "--cap-drop", "ALL"),
            *("--uid", str(NOBODY), "--gid", str(NOBODY), "--die-with-parent", "--new-session", "--clearenv"),
            *("--setenv", "LANG", "C.UTF-8", "--setenv", "PYTHONHASHSEED", "0", *binds),
            *("--dev-bind", "/dev/null", "/dev/null", "--dev-bind", "/dev/urandom", "/dev/urandom"),
            *("--size", str(disk_mb * 2**20), "--tmpfs", "/tmp", "--remount-ro", "/", "--chdir", "/tmp"),
            *(self.python, "-I", "-S", "-B", "-c", code),
        ]


def interpreters() -> list[str]:
    """Candidates in order: this interpreter, then the system's, for which the sandbox's user may lack no rights."""
    own = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    system = [path for path in ("/usr/bin/python3", "/usr/local/bin/python3") if os.path.exists(path)]
    return list(dict.fromkeys([own, *map(os.path.realpath, system)]))


@functools.cache
def find_box() -> Box | str:
    """A sandbox that works on this machine, or why there is none. Tried once per process."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        return f"bubblewrap is not there; {INSTALL}"
    reasons = []
    for python in interpreters():
        try:
            about = subprocess.run([python, "-I", "-S", "-c", _ABOUT], capture_output=True, text=True, timeout=30)
            prefix, recent = about.stdout.split()
            if recent != "True":
                raise ValueError("older than Python 3.10")
            box = Box(bwrap, python, prefix)
            hello = subprocess.run(
                box.command("print('hello')", 1), capture_output=True, text=True, timeout=30, **box.start_options()
            )
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            reasons.append(f"{python}: {error}")
            continue
        if hello.stdout == "hello\n":
            return box
        last = (hello.stderr.strip().splitlines() or [f"exit code {hello.returncode}"])[-1]
        reasons.append(f"{python}: {last}")
    return f"bubblewrap does not work here: {'; '.join(reasons)}"
