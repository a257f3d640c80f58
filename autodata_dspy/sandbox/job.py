"""What is run, within which limits, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Job:
    """A solution and its tests.

    Attributes:
        solution: Python source.
        tests: `assert` statements, `test…` functions, `unittest.TestCase` classes, or a function `check(candidate)`;
            what the solution defines can be used by its name, or imported from `solution`.
        entry: name of the function that `check` is called with.
        expected: names the solution was asked to define; without that, a name of a built-in or of a standard module
            that the solution brings along is not shown to the tests.
    """

    solution: str
    tests: str
    entry: str = ""
    expected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """Bounds on a run; solution and tests have them each.

    Attributes:
        cpu_s: CPU seconds of a process; running out of them fails the tests.
        wall_s: seconds for the whole run; running out of them decides nothing, the machine may be busy.
        memory_mb: address space of a process. At worst `processes` times as much is used.
        processes: processes and threads at a time, the interpreter and the sandbox's own one included.
        disk_mb: what can be written to /tmp, which is gone afterwards.
    """

    cpu_s: int = 5
    wall_s: float = 60.0
    memory_mb: int = 512
    processes: int = 8
    disk_mb: int = 16

    def __post_init__(self) -> None:
        if min(self.cpu_s, self.wall_s, self.memory_mb, self.processes, self.disk_mb) <= 0:
            raise ValueError(f"limits are positive: {self}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What running the tests showed.

    Attributes:
        passed: all tests pass (True), one fails (False), or nothing was shown (None).
        why: for None, what was in the way.
        failed: (place, message) of failing tests, the first ones.
        runner: "monty", "bubblewrap" or "unsandboxed".
    """

    passed: bool | None
    why: str = ""
    n_tests: int = 0
    n_failed: int = 0
    failed: tuple[tuple[str, str], ...] = ()
    runner: str = ""
