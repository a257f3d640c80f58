"""Accepted examples read back: from an exported file, or from a run folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autodata_dspy.errors import ConfigError
from autodata_dspy.exporters._source import source_of
from autodata_dspy.metrics import Made
from autodata_dspy.subjects import as_challenge

EXPECTED = 'expected an example, such as {"question": …, "answer": …}'


def read_examples(path: str | Path) -> Made:
    """Examples of a JSON-lines file (as `autodata export` writes it), or those of a run folder with their trajectories.

    Raises:
        ConfigError, StoreError: nothing there, or the first line that is no example.
    """
    path = Path(path)
    if path.is_dir():
        result = source_of(path).result
        kept = Made.of([round_ for _, round_ in result.kept])
        return Made(kept.examples, tuple(result.trajectories))
    rows = []
    for number, row in read_rows(path):
        if as_challenge(row) is None:
            raise ConfigError(f"{path}, line {number}: {EXPECTED}")
        rows.append(row)
    return Made.of(rows)


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSON-lines file, with the numbers of their lines.

    Raises:
        ConfigError: nothing there, or the first line that is no object.
    """
    try:
        lines = path.read_text("utf-8").split("\n")
    except FileNotFoundError:
        raise ConfigError(f"examples not found: {path}; give a .jsonl file or a run folder") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"examples {path}: {type(error).__name__}; give a .jsonl file or a run folder") from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            if not isinstance(row, dict):
                raise ConfigError(f"{path}, line {number}: {EXPECTED}")
            yield number, row
