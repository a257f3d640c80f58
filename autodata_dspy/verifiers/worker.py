"""A pool of warm, killable worker processes for computations that may hang, blow up or crash.

Workers are fresh interpreters, never forks: the parent may hold threads and a model server. They
get JSON over pipes (nothing is unpickled), no environment of ours, and limits on memory, CPU time
and files. A call that runs over its time costs its worker its life; a spare one takes over.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from autodata_dspy.errors import VerifierError

_STARTUP_S = 90.0  # importing sympy takes 1 s on a calm machine
_MAX_REPLY = 1024 * 1024
_STARVED = 4.0  # a worker that gets no CPU (a model computes beside it) may take this many times its limit
# A worker that dies this soon was probably dead before the task reached it: another one gets the task.
_AT_ONCE_S = 0.25
_ATTEMPTS = 4
_BOOTSTRAP = "import sys; sys.path[:] = {path!r}; from autodata_dspy.symbolic.server import main; main({memory})"


class WorkerTimeout(VerifierError):
    """A task ran over its time; its worker was killed and replaced."""


class WorkerCrashed(VerifierError):
    """A worker died in the middle of a task (memory, a crash in a C library)."""


class _Worker:
    """One child process; not thread-safe, used by one caller at a time."""

    def __init__(self, memory_mb: int):
        path = [str(Path(__file__).resolve().parents[2]), *(p for p in sys.path if p and Path(p).exists())]
        self.process = subprocess.Popen(
            [sys.executable, "-s", "-B", "-c", _BOOTSTRAP.format(path=path, memory=memory_mb)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # No key of ours travels; one hash seed, because sympy's results may follow hash order.
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"},
            cwd="/",
            start_new_session=True,
            close_fds=True,
            bufsize=0,
        )
        if self.process.stdin is None or self.process.stdout is None:  # never with PIPE above
            raise WorkerCrashed("a worker process without pipes")
        self._requests, self._replies = self.process.stdin.fileno(), self.process.stdout.fileno()
        self._poll = select.poll()  # select() cannot watch descriptors above 1023
        self._poll.register(self._replies, select.POLLIN)
        self.ready = False
        self.n_tasks = 0

    def is_ready(self) -> bool:
        """Whether the child has said hello and lives.

        Raises:
            WorkerCrashed: it died.
        """
        if self.process.poll() is not None:
            raise WorkerCrashed("the worker process is gone")
        if self._poll.poll(0):
            if self.ready:  # an idle worker has nothing to say: its pipe was closed
                raise WorkerCrashed("the worker process is gone")
            self.receive(time.monotonic() + 5.0)
            self.ready = True
        return self.ready

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps(message).encode()
        data = memoryview(struct.pack(">I", len(body)) + body)
        try:
            while data:
                data = data[os.write(self._requests, data) :]
        except OSError:
            raise WorkerCrashed("the worker process is gone") from None

    def wait(self, limit: float) -> None:
        """Wait for a reply until the child has used `limit` seconds of CPU time.

        On a busy machine that takes longer than `limit` seconds; counting wall time would make the
        verdict depend on what else runs.

        Raises:
            WorkerTimeout: it has used them up, or `limit` has passed _STARVED times over.
        """
        started, used_before = time.monotonic(), self._cpu_seconds()
        left = limit
        while not self._poll.poll(left * 1000):
            passed, used = time.monotonic() - started, self._cpu_seconds() - used_before
            left = min(limit - used, _STARVED * limit - passed)
            if left <= 0.02:
                raise WorkerTimeout("the task ran over its time")

    def _cpu_seconds(self) -> float:
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except (OSError, IndexError, ValueError):  # no /proc here: wall time has to do
            return time.monotonic()

    def receive(self, deadline: float) -> dict[str, Any]:
        size = struct.unpack(">I", self._read(4, deadline))[0]
        if size > _MAX_REPLY:
            raise WorkerCrashed(f"the worker sent a reply of {size} bytes")
        return json.loads(self._read(size, deadline))

    def _read(self, n_bytes: int, deadline: float) -> bytes:
        chunks = b""
        while len(chunks) < n_bytes:
            left = deadline - time.monotonic()
            if left <= 0 or not self._poll.poll(left * 1000):
                raise WorkerTimeout("the task ran over its time")
            chunk = os.read(self._replies, n_bytes - len(chunks))
            if not chunk:
                raise WorkerCrashed("the worker process died (out of memory or CPU time, or a crash)")
            chunks += chunk
        return chunks

    def stop(self) -> None:
        """Kill the process and what it may have started; whoever waits for its reply sees the pipe close."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)  # its own session, so the group is its own

    def kill(self) -> None:
        """Stop it and give its pipes back; only its user may call this."""
        self.stop()
        for stream in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=5)


class WorkerPool:
    """Runs named tasks of `symbolic.server` in child processes. Thread-safe, started on first use.

    Args:
        n_workers: tasks at a time; one more process waits as a spare, so that the call after a
            killed one need not wait for an interpreter to start.
        timeout_s: CPU seconds of a call, unless the call gives its own; on a calm machine that is its
            wall time, which is capped at four times as much.
        memory_mb: address space of a worker.
        max_tasks: a worker is replaced after this many tasks (sympy's caches grow).
    """

    def __init__(self, n_workers: int = 2, timeout_s: float = 5.0, memory_mb: int = 1500, max_tasks: int = 500):
        if n_workers < 1 or timeout_s <= 0 or max_tasks < 1:
            raise ValueError("n_workers, timeout_s and max_tasks must be positive")
        self.n_workers, self.timeout_s = n_workers, timeout_s
        self.memory_mb, self.max_tasks = memory_mb, max_tasks
        self.pid = os.getpid()
        self._slots = threading.BoundedSemaphore(n_workers)
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._closed = False
        atexit.register(self.close)

    def call(self, task: str, payload: dict[str, Any], timeout_s: float | None = None) -> Any:
        """Run one task and return its JSON result. Waiting for a free worker is not counted.

        Raises:
            WorkerTimeout: the task ran over `timeout_s`; the worker was killed and replaced.
            WorkerCrashed: the worker died, or the task raised.
        """
        limit = self.timeout_s if timeout_s is None else timeout_s
        with self._slots:
            reply = self._reply(task, payload, limit)
        if "error" in reply:
            raise WorkerCrashed(f"{task!r} failed: {reply['error']}")
        return reply["result"]

    def _reply(self, task: str, payload: dict[str, Any], limit: float) -> dict[str, Any]:
        for _ in range(_ATTEMPTS):
            reply = self._reply_of_one(task, payload, limit)
            if reply is not None:
                return reply
        raise WorkerCrashed(f"{task!r} failed: every worker died as soon as it got the task")

    def _reply_of_one(self, task: str, payload: dict[str, Any], limit: float) -> dict[str, Any] | None:
        """The reply of the next worker; None if that one turns out to be dead."""
        worker = self._take()
        healthy = False
        started = time.monotonic()
        try:
            worker.send({"task": task, "payload": payload, "timeout_s": limit})
            worker.wait(limit)
            reply = worker.receive(time.monotonic() + 5.0)
            healthy = True
            return reply
        except WorkerTimeout:
            raise WorkerTimeout(f"{task!r} ran over {limit:g} s and was stopped") from None
        except WorkerCrashed:
            if time.monotonic() - started > _AT_ONCE_S or self._closed:
                raise
            return None
        finally:
            self._give_back(worker, healthy)

    def close(self) -> None:
        """Kill every worker; later calls raise."""
        with self._lock:
            self._closed = True
            idle, busy = self._idle, list(self._busy)
            self._idle = []
        if self.pid == os.getpid():  # a forked copy of the pool must not kill its parent's workers
            for worker in busy:
                worker.stop()
            for worker in idle:
                worker.kill()
        atexit.unregister(self.close)

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def warm_up(self) -> None:
        """Start the workers now and wait until one is ready."""
        with self._slots:
            self._give_back(self._take(), True)

    def _take(self) -> _Worker:
        """A ready worker, removed from the idle ones; starts what is missing.

        Raises:
            WorkerCrashed: workers keep dying before they are ready, or none is ready in time.
        """
        deadline = time.monotonic() + _STARTUP_S
        stillborn = 0
        while time.monotonic() < deadline and stillborn <= self.n_workers:
            with self._lock:
                if self._closed:
                    raise VerifierError("the worker pool is closed")
                self._fill()
                for worker in list(self._idle):
                    try:
                        ready = worker.is_ready()
                    except VerifierError:
                        stillborn += not worker.ready
                        self._idle.remove(worker)
                        worker.kill()
                        continue
                    if ready:
                        self._idle.remove(worker)
                        self._busy.add(worker)
                        return worker
            time.sleep(0.005)
        raise WorkerCrashed(
            f"no worker process became ready ({stillborn} died at their start); check that sympy "
            f"imports in {sys.executable} and that memory_mb={self.memory_mb} is enough"
        )

    def _fill(self) -> None:
        while len(self._idle) + len(self._busy) < self.n_workers + 1:
            self._idle.append(_Worker(self.memory_mb))

    def _give_back(self, worker: _Worker, healthy: bool) -> None:
        worker.n_tasks += 1
        keep = healthy and worker.n_tasks < self.max_tasks and worker.process.poll() is None
        if not keep:
            worker.kill()
        with self._lock:
            self._busy.discard(worker)
            if self._closed:
                worker.kill()
                return
            if keep:
                self._idle.insert(0, worker)  # the warmest first
            self._fill()


_shared: WorkerPool | None = None
_shared_lock = threading.Lock()


def shared_pool() -> WorkerPool:
    """The pool of this process; made on first use, made anew after a fork."""
    global _shared
    with _shared_lock:
        if _shared is None or _shared._closed or _shared.pid != os.getpid():
            _shared = WorkerPool(n_workers=max(1, min(4, os.cpu_count() or 1)))
        return _shared
