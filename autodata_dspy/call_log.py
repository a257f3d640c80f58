"""Finished model calls of a run, kept so that a run which goes on does not pay for them again."""

from __future__ import annotations

import contextlib
import contextvars
import hashlib
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autodata_dspy.budget import RoleUsage, current_meter
from autodata_dspy.errors import StopRun, StoreError

_job: contextvars.ContextVar[str] = contextvars.ContextVar("autodata_job", default="")


class CallLog:
    """Finished calls of a run, appended to a JSON-lines file; a resumed run replays them for free.

    One line per call: `{"key", "role", "model", "outputs", "finish", "usage", "job"}`; notes (see `noted`) have no
    role. The key is a hash of the whole request, sampling seed included; the job tells what it was made for, see
    `working_on`. Lines are flushed, not fsynced: they survive a killed process, and losing some to a power cut only
    costs calling again. A torn last line is cut off. Memory: about 200 bytes per call that was already there when the
    log was opened, nothing for later ones.

    Attributes:
        earlier: role → usage of the calls that were there when the log was opened.

    Raises:
        StoreError: it cannot be opened, or a line that is not the last one is unreadable.
    """

    def __init__(self, path: Path):
        self.path = path
        self._lock = threading.Lock()
        self._offsets: dict[bytes, int] = {}
        self._of_job: dict[str, list[int]] = {}
        self.earlier: dict[str, RoleUsage] = {}
        try:
            self._append = path.open("ab")
            self._index()
            self._read = path.open("rb")
        except OSError as error:
            raise StoreError(f"cannot open {path}: {error.strerror or error}") from error

    def _index(self) -> None:
        offset = 0
        with self.path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.endswith(b"\n"):
                    break
                try:
                    record = json.loads(line)
                    self._offsets[bytes.fromhex(record["key"])] = offset
                    if job := record.get("job"):
                        self._of_job.setdefault(job, []).append(offset)
                    if record["role"]:  # notes were asked of nobody
                        self.earlier.setdefault(record["role"], RoleUsage()).add(RoleUsage(**record["usage"]))
                except (ValueError, KeyError, TypeError) as error:
                    raise StoreError(
                        f"{self.path}, line {number}: unreadable ({error}); remove the line to go on"
                    ) from error
                offset += len(line)
        os.truncate(self.path, offset)

    def __len__(self) -> int:
        return len(self._offsets)

    def get(self, key: str) -> dict[str, Any] | None:
        with self._lock:
            offset = self._offsets.get(bytes.fromhex(key))
            if offset is None:
                return None
            self._read.seek(offset)
            return json.loads(self._read.readline())

    def of(self, job: str) -> list[dict[str, Any]]:
        """The calls of a job that were there when the log was opened."""
        with self._lock:
            return [json.loads(self._read.readline()) for at in self._of_job.get(job, ()) if self._read.seek(at) >= 0]

    def put(self, key: str, role: str, model: str, outputs: list[Any], finish: str, usage: RoleUsage) -> None:
        record = {"key": key, "role": role, "model": model, "outputs": outputs, "finish": finish}
        self.add(record | {"usage": asdict(usage), "job": _job.get()})

    def add(self, record: dict[str, Any]) -> None:
        """Append a finished call."""
        line = json.dumps(record, ensure_ascii=False)
        try:
            with self._lock:
                self._append.write(line.encode("utf-8", "backslashreplace") + b"\n")
                self._append.flush()
        except OSError as error:
            raise StoreError(f"cannot write {self.path}: {error.strerror or error}") from error

    def close(self) -> None:
        with contextlib.suppress(OSError):  # what could not be written was told by `put`
            self._append.close()
        self._read.close()


@contextlib.contextmanager
def working_on(job: str) -> Iterator[None]:
    """Calls in this context are made for a job: a document in one pass, by one program."""
    token = _job.set(job)
    try:
        yield
    finally:
        _job.reset(token)


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """What cannot be written in this context stops the run: a full disk says nothing about the document."""
    try:
        yield
    except StoreError as error:
        current_meter().stop(error)
        raise StopRun(error) from error


def noted(what: str, value: Any) -> Any:
    """What the job of this context noted under a name when it was first worked on, else this value, noted now.

    A job may depend on what the run knew when it began. When it is made again after a kill the run knows more, and
    the calls that are paid already would not be asked again. The value is JSON-able; without a log it is given back.

    Raises:
        StopRun: the log cannot be written.
    """
    log = current_log()
    if log is None:
        return value
    key = hashlib.blake2b(f"note|{what}|{_job.get()}".encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    if (known := log.get(key)) is not None:
        return json.loads(known["outputs"][0])
    with writing():
        log.put(key, "", "", [json.dumps(value)], "note", RoleUsage())
    return value


_log: contextvars.ContextVar[CallLog | None] = contextvars.ContextVar("autodata_call_log", default=None)


def current_log() -> CallLog | None:
    """The log of this context, if it has one."""
    return _log.get()


@contextlib.contextmanager
def logged(log: CallLog | None) -> Iterator[None]:
    """Log calls to, and replay them from, `log` in this context."""
    token = _log.set(log)
    try:
        yield
    finally:
        _log.reset(token)
