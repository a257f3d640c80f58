"""A run whose every outcome is known, for tests that interrupt it; as a program, a server of such runs.

`python world.py` reads one JSON job a line ({"run_dir", "counter", "report", …}), forks a process that runs it, and
prints its pid: real processes that can be killed, without paying DSPy's import for each.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any

import scripted

from autodata_dspy.errors import AutodataError
from autodata_dspy.generation import generate
from autodata_dspy.generators import AgenticSelfInstruct

N_DOCUMENTS = 5
DOCUMENTS = scripted.documents(N_DOCUMENTS)
FATES = [("0000", "1111"), ("1010", "1111"), ("0?00", "0110"), ("0100", "1011"), ("??00", "1111"), ("0000", "1?1?")]


def write(call: scripted.Call) -> dict[str, str]:
    """A question whose outcome its seed decides; now and then one that is forbidden or malformed."""
    weak, strong = FATES[call.seed % len(FATES)]
    word = "forbidden" if call.seed % 5 == 0 else ""
    return scripted.fated(f"{call.inputs['passage'][-20:]} {call.seed:08x} {word}", weak, strong)


def maker(counter: str | os.PathLike | None = None, sleep_s: float = 0.0, **options: Any) -> AgenticSelfInstruct:
    roles = scripted.fated_roles(write, schema=True, counter=counter, sleep_s=sleep_s)
    return AgenticSelfInstruct(scripted.tiny_domain(), roles, **({"max_rounds": 3, "per_document": 2} | options))


class Traveller(AgenticSelfInstruct):
    """The same as `maker`'s, for other processes, where its scripted models are made anew.

    Args:
        grave: the process that comes to the second round of document 2 first is killed there, and leaves this file.
    """

    def __init__(self, counter: str | os.PathLike | None = None, grave: str | os.PathLike | None = None):
        def perilous(call: scripted.Call) -> dict[str, str]:
            deep = "number 2" in call.inputs["passage"] and call.inputs["feedback"] != "none"
            if grave is not None and deep and not Path(grave).exists():
                Path(grave).touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return write(call)

        roles = scripted.fated_roles(perilous, schema=True, counter=counter)
        super().__init__(scripted.tiny_domain(), roles, max_rounds=3, per_document=2)
        self._given = counter, grave

    def __reduce__(self) -> Any:
        return type(self), self._given


def n_lines(path: str | os.PathLike) -> int:
    return Path(path).read_bytes().count(b"\n") if Path(path).exists() else 0


def _run(job: dict[str, Any]) -> dict[str, Any]:
    options = {key: job[key] for key in ("concurrency", "n") if key in job}
    if "max_bytes" in job:  # of any file, as if the disk had this much left
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["max_bytes"], job["max_bytes"]))
    try:
        result = generate(maker(job["counter"], job.get("sleep_s", 0.0)), DOCUMENTS, run_dir=job["run_dir"], **options)
        return {"accepted": result.accepted, "stopped": str(result.stopped or "")}
    except AutodataError as error:
        return {"error": f"{type(error).__name__}: {error}"}


def _serve() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        job = json.loads(line)
        pid = os.fork()
        if pid == 0:
            part = Path(job["report"] + ".part")
            part.write_text(json.dumps(_run(job)))
            part.rename(job["report"])
            os._exit(0)
        print(pid, flush=True)


def wait_until(condition: Any, timeout_s: float = 60.0) -> None:
    """Poll. Raises TimeoutError."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the condition did not come true")
        time.sleep(0.001)


if __name__ == "__main__":
    _serve()
