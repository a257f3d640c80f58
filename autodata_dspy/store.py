"""The run folder: readable by a person, safe against `kill -9`, owned by one process at a time.

config.json          what was asked, and a fingerprint of it
documents.jsonl      the documents, so that a run can be resumed without their source
trajectories.jsonl   one line per finished document, fsynced; the driver alone writes
calls.jsonl          one line per model call; replayed on resume, so that nothing is paid twice
usage.json           calls, tokens and money by role: a summary of calls.jsonl
removed.json         accepted examples that the final audit of the last session took out, and why
result.json          what that session's result is made of: trajectories in order, models, what made it
run.log              what the library logged
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from autodata_dspy.errors import StoreError
from autodata_dspy.types import Document, Removed, Trajectory, from_dict, to_dict

SCHEMA = 1
_OWN_FILES = ("lock", "run.log", "documents.jsonl", "config.json")
T = TypeVar("T")


def job_key(document_id: str, seed: int) -> str:
    return f"{seed}|{document_id}"


class RunFolder:
    """Append-only record of a run.

    Args:
        path: the folder.

    Raises:
        StoreError: not a run folder, damaged beyond a torn last line, or of a newer schema.
    """

    def __init__(self, path: Path):
        self.path = Path(path)
        self._lock_file: Any = None
        self._trajectories: Any = None

    # -- opening ------------------------------------------------------------------------------------------

    def exists(self) -> bool:
        return (self.path / "config.json").is_file()

    def create(self, config: dict[str, Any], fingerprint: str, documents: list[Document]) -> None:
        """Write a new folder's config and documents; the folder may exist, but must be empty of a run.

        Raises:
            StoreError: it cannot be written, or holds other files.
        """
        self._refuse_foreign()
        lines = "".join(json.dumps(to_dict(d), ensure_ascii=False) + "\n" for d in documents)
        with _told(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            _write_whole(self.path / "documents.jsonl", lines)
        self.write_config(config, fingerprint)

    def write_config(self, config: dict[str, Any], fingerprint: str) -> None:
        """Replace the config, in one step. Raises StoreError: it cannot be written."""
        body = {"schema": SCHEMA, "fingerprint": fingerprint, "config": config}
        with _told(self.path):
            _write_whole(self.path / "config.json", json.dumps(body, indent=1) + "\n")

    def _refuse_foreign(self) -> None:
        """A new run needs a folder of its own; what a run killed at its very start left behind is its own."""
        with _told(self.path):
            names = sorted(p.name.removesuffix(".part") for p in self.path.iterdir()) if self.path.exists() else []
        foreign = [name for name in names if name not in _OWN_FILES]
        if foreign:
            raise StoreError(f"{self.path} is not a run folder and not empty ({foreign[0]}, …); name another one")

    def read_config(self) -> tuple[dict[str, Any], str]:
        """(config, fingerprint). Raises StoreError when this is no run folder of a schema known here."""
        try:
            body = json.loads((self.path / "config.json").read_text("utf-8"))
            if body["schema"] > SCHEMA:
                raise StoreError(f"{self.path} was written by a newer version of autodata (schema {body['schema']})")
            return body["config"], body["fingerprint"]
        except FileNotFoundError:
            raise StoreError(f"{self.path} is not a run folder (no config.json)") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{self.path}/config.json cannot be read: {error}") from error

    def read_documents(self) -> list[Document]:
        """Raises StoreError when a line is unreadable."""
        return list(_read_lines(self.path / "documents.jsonl", "document", _document))

    @contextlib.contextmanager
    def owned(self) -> Iterator[RunFolder]:
        """Hold the folder for writing.

        Raises:
            StoreError: another process holds it, it cannot be written, or it holds other files.
        """
        if not self.exists():
            self._refuse_foreign()
        with _told(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            lock = (self.path / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise StoreError(
                f"the run folder {self.path} is in use by process {holder}; wait for it or name another folder"
            ) from None
        try:
            with _told(self.path):
                lock.truncate(0)
                lock.write(str(os.getpid()))
                lock.flush()
                self._recover()
            yield self
        finally:
            if self._trajectories is not None:
                with contextlib.suppress(OSError):  # what could not be written was told when it was appended
                    self._trajectories.close()
                self._trajectories = None
            lock.close()  # the kernel drops the lock, also when the process is killed

    def _recover(self) -> None:
        """Cut off a torn last line: the process died while writing it, so its document is not finished."""
        path = self.path / "trajectories.jsonl"
        if not path.exists():
            return
        with path.open("r+b") as stream:
            size = stream.seek(0, os.SEEK_END)
            back = min(size, 1 << 20)
            stream.seek(size - back)
            tail = stream.read(back)
            while tail and not tail.endswith(b"\n") and b"\n" not in tail and back < size:
                back = min(size, back * 4)
                stream.seek(size - back)
                tail = stream.read(back)
            if tail and not tail.endswith(b"\n"):
                stream.truncate(size - len(tail) + tail.rfind(b"\n") + 1)

    # -- trajectories -------------------------------------------------------------------------------------

    def append(self, trajectory: Trajectory) -> None:
        """Add one document's record; it is on the disk when this returns."""
        line = json.dumps(to_dict(trajectory), ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
        with _told(self.path):
            if self._trajectories is None:
                self._trajectories = (self.path / "trajectories.jsonl").open("ab")
            self._trajectories.write(line)
            self._trajectories.flush()
            os.fsync(self._trajectories.fileno())

    def trajectories(self, rejected: bool = True) -> Iterator[Trajectory]:
        """Every record in the order of writing; a later record of the same document and seed replaces an
        earlier one (see `latest`).

        Args:
            rejected: with challenges and rollouts of rejected rounds, which are most of a long run; of those rounds
                the decision and the verdicts are there in any case.
        """
        revive = _trajectory if rejected else _slim_trajectory
        return _read_lines(self.path / "trajectories.jsonl", "trajectory", revive, torn_ok=True)

    def latest(self) -> dict[str, Trajectory]:
        """job key → its last record."""
        return {job_key(t.document_id, t.seed): t for t in self.trajectories()}

    # -- usage and log ------------------------------------------------------------------------------------

    def write_usage(self, usage: dict[str, Any], seconds: float) -> None:
        text = json.dumps({"by_role": usage, "seconds": seconds}, indent=1) + "\n"
        with _told(self.path):
            _write_whole(self.path / "usage.json", text)

    def read_usage(self) -> dict[str, Any]:
        """`{"by_role": …, "seconds": …}` as last written; empty counts when nothing was."""
        try:
            return json.loads((self.path / "usage.json").read_text("utf-8"))
        except FileNotFoundError:
            return {"by_role": {}, "seconds": 0.0}
        except (OSError, ValueError) as error:
            raise StoreError(f"{self.path}/usage.json cannot be read: {error}; delete it to go on") from error

    def write_removed(self, removed: Sequence[Removed]) -> None:
        """Keep what the final audit took out, for `status` and `show`; the audit itself is made anew every time."""
        with _told(self.path):
            _write_whole(self.path / "removed.json", json.dumps(to_dict(removed), indent=1, ensure_ascii=False) + "\n")

    def read_removed(self) -> list[Removed]:
        """As last written; empty when no session has come to its end."""
        try:
            return [from_dict(Removed, row) for row in json.loads((self.path / "removed.json").read_text("utf-8"))]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise StoreError(f"{self.path}/removed.json cannot be read: {error}; delete it to go on") from error

    def write_result(self, record: dict[str, Any]) -> None:
        """Keep what the result of a session is made of (`Result.record`); written when it comes to its end."""
        with _told(self.path):
            _write_whole(self.path / "result.json", json.dumps(record, indent=1, ensure_ascii=False) + "\n")

    def read_result(self) -> dict[str, Any] | None:
        """As last written; None when no session has come to its end, or an earlier version made the run."""
        try:
            record = json.loads((self.path / "result.json").read_text("utf-8"))
            return {**record, "trajectories": [(str(i), int(s), int(n)) for i, s, n in record["trajectories"]]}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{self.path}/result.json cannot be read: {error}; delete it to go on") from error

    def read_calls_usage(self) -> dict[str, dict[str, Any]]:
        """role → sums over calls.jsonl: up to date also while the first documents are still worked on."""
        by_role: dict[str, dict[str, Any]] = {}
        for role, usage in _read_lines(self.path / "calls.jsonl", "call", _bill, torn_ok=True):
            if not role:  # a note, see call_log.noted
                continue
            sums = by_role.setdefault(role, dict.fromkeys(usage, 0))
            for name, value in usage.items():
                sums[name] += value
        return dict(sorted(by_role.items()))

    @contextlib.contextmanager
    def logging_to(self) -> Iterator[None]:
        """Send the library's log records to run.log."""
        with _told(self.path):
            handler = logging.FileHandler(self.path / "run.log", encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        library = logging.getLogger("autodata_dspy")
        before = library.level
        library.addHandler(handler)
        library.setLevel(logging.INFO)
        try:
            yield
        finally:
            library.removeHandler(handler)
            library.setLevel(before)
            handler.close()


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn a failure to write (no right, no space, a file in the way) into one clear line."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"cannot write the run folder {path}: {error.strerror or error}") from error


def _write_whole(path: Path, text: str) -> None:
    """Replace a file in one step: a reader sees the old or the new one, never half."""
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)


_document = functools.partial(from_dict, Document)
_trajectory = functools.partial(from_dict, Trajectory)


def _slim_trajectory(data: dict[str, Any]) -> Trajectory:
    rounds = [
        r if r["decision"]["accepted"] else {**r, "challenge": None, "rollouts": []} for r in data.get("rounds", ())
    ]
    return from_dict(Trajectory, {**data, "rounds": rounds})


def _bill(call: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return call["role"], dict(call["usage"])


def _read_lines(path: Path, kind: str, revive: Callable[[Any], T], torn_ok: bool = False) -> Iterator[T]:
    if not path.exists():
        return
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if torn_ok and not line.endswith(b"\n"):
                return
            try:
                yield revive(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise StoreError(f"{path}, line {number}: not a {kind} ({error}); remove the line to go on") from error
