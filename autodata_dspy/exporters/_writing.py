"""Rows → files, and files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from autodata_dspy.errors import ConfigError
from autodata_dspy.exporters.base import Row, features_of

_ROWS_AT_ONCE = 1000
# Valid in JSON, but line ends for readers that split by Unicode's rules.
_LINE_ENDS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def plain(value: Any) -> Any:
    """`value` with texts that UTF-8 can hold: halves of surrogate pairs join, or become U+FFFD."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [plain(v) for v in value]
    return {k: plain(v) for k, v in value.items()} if isinstance(value, dict) else value


def one_line_json(row: Row) -> str:
    """A row as JSON without a line end of any kind in it."""
    return json.dumps(row, ensure_ascii=False).translate(_LINE_ENDS)


def write_jsonl(rows: Iterable[Row], columns: Mapping[str, Any], path: Path) -> None:
    """One JSON object a line."""
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for row in rows:
            stream.write(one_line_json(row) + "\n")


def write_json_list(rows: Iterable[Row], columns: Mapping[str, Any], path: Path) -> None:
    """One JSON list, an object a line."""
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write("[")
        for number, row in enumerate(rows):
            stream.write((",\n" if number else "\n") + one_line_json(row))
        stream.write("\n]\n")


def write_parquet(rows: Iterable[Row], columns: Mapping[str, Any], path: Path) -> None:
    """Parquet with the schema of `columns`, also without rows."""
    import pyarrow
    import pyarrow.parquet

    schema, rows = features_of(columns).arrow_schema, iter(rows)
    with pyarrow.parquet.ParquetWriter(path, schema) as writer:
        while some := list(itertools.islice(rows, _ROWS_AT_ONCE)):
            writer.write_table(pyarrow.Table.from_pylist(some, schema=schema))


def write_by_ending(rows: Iterable[Row], columns: Mapping[str, Any], path: Path) -> None:
    """Parquet where the path ends in `.parquet`, else JSON lines."""
    (write_parquet if path.suffix == ".parquet" else write_jsonl)(rows, columns, path)


@contextlib.contextmanager
def staged(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """Hidden places to write to; what is there becomes `paths` when the block ends well, and vanishes when not.

    Raises:
        ConfigError: a place cannot be written.
    """
    # The ending stays: it may choose the format.
    parts = [path.with_name(f".{os.getpid()}.part-{path.name}") for path in paths]
    made: list[Path] = []
    try:
        for path in paths:
            made += _make_folder(path.parent)
        yield parts
        for part in parts:
            with part.open("rb") as stream:
                os.fsync(stream.fileno())
        for part, path in zip(parts, paths, strict=True):
            part.replace(path)
    except OSError as error:
        raise ConfigError(f"cannot write {paths[0]}: {error.strerror or error}; name another place") from error
    finally:
        for leftover in parts:
            with contextlib.suppress(OSError):  # never made, or in what turned out to be no folder
                leftover.unlink()
        for folder in reversed(made):
            with contextlib.suppress(OSError):  # not empty: then all went well
                folder.rmdir()


def _make_folder(folder: Path) -> list[Path]:
    """Make a folder and those above it; which of them are new, the outermost first."""
    new = [f for f in (folder, *folder.parents) if not f.exists()][::-1]
    folder.mkdir(parents=True, exist_ok=True)
    return new
