"""Finished program runs on disk: what a continued compilation replays."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autodata_dspy.errors import StoreError


class EvaluationLog:
    """Finished program runs, one JSON line each, on the disk when `put` returns. A torn last line is cut off.

    Raises:
        StoreError: it cannot be opened or written, or a line that is not the last one is unreadable.
    """

    def __init__(self, path: Path):
        self.path = path
        self._records: dict[str, dict[str, Any]] = {}
        try:
            self._stream = path.open("ab")
            self._read()
        except OSError as error:
            raise StoreError(f"cannot open {path}: {error.strerror or error}") from error

    def _read(self) -> None:
        whole = 0
        with self.path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.endswith(b"\n"):
                    break
                try:
                    record = json.loads(line)
                    self._records[record["key"]] = record
                except (ValueError, KeyError, TypeError) as error:
                    raise StoreError(f"{self.path}, line {number}: unreadable ({error}); remove the line") from error
                whole += len(line)
        os.truncate(self.path, whole)

    def get(self, key: str) -> dict[str, Any] | None:
        return self._records.get(key)

    def records(self) -> Iterator[dict[str, Any]]:
        """All runs, in the order of writing."""
        return iter(list(self._records.values()))

    def put(self, record: dict[str, Any]) -> None:
        line = json.dumps(record, ensure_ascii=False, default=str).encode("utf-8", "backslashreplace") + b"\n"
        try:
            self._stream.write(line)
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except (OSError, ValueError) as error:
            raise StoreError(f"cannot write {self.path}: {error}") from error
        self._records[record["key"]] = json.loads(line)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.close()
