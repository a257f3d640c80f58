"""The opt-in that runs code with no sandbox: bounded in CPU time and memory, and nothing else."""

from autodata_dspy.sandbox.job import Job, SandboxLimits
from autodata_dspy.sandbox.processes import unsandboxed

LIMITS = SandboxLimits(cpu_s=1, wall_s=100, memory_mb=256)


def test_a_solution_is_judged():
    outcome = unsandboxed(Job("def f(x): return x + 1", "assert f(1) == 2\nassert f(2) == 4"), LIMITS)
    assert (outcome.passed, outcome.n_tests, outcome.n_failed, outcome.runner) == (False, 2, 1, "unsandboxed")


def test_cpu_time_and_memory_are_bounded():
    tests = "try:\n    big()\n    assert False\nexcept MemoryError:\n    pass\nassert loop() == 1"
    outcome = unsandboxed(Job("def big(): return bytearray(2**40)\ndef loop():\n    while True: pass", tests), LIMITS)
    assert outcome.failed == (("the solution's process ended", "it used more than 1 s of CPU time"),)


def test_a_solution_that_falls_silent_has_failed_and_is_ended():
    closing = "for n in range(3, 64):\n        try: os.close(n)\n        except OSError: pass"
    outcome = unsandboxed(
        Job(f"import os, time\ndef f():\n    {closing}\n    time.sleep(600)", "assert f() == 1"), LIMITS
    )
    assert outcome.failed == (("the solution's process ended", "it closed its side of the conversation"),)


def test_it_runs_in_a_folder_of_its_own_that_is_removed(tmp_path):
    solution = "import os\ndef here(): return os.getcwd()\ndef leave(path):\n    open(path, 'w').write(os.getcwd())"
    noted = tmp_path / "where"
    assert unsandboxed(Job(solution, f"leave({str(noted)!r})\nassert 'autodata-' in here()"), LIMITS).passed
    import os

    assert not os.path.exists(noted.read_text())


def test_no_environment_of_ours_is_handed_on(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "sk-canary")
    solution = "import os\ndef names(): return sorted(os.environ)"
    assert unsandboxed(Job(solution, "assert 'SECRET_KEY' not in names()"), LIMITS).passed
