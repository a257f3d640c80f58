"""Tasks that people wrote, from which classic methods start: read from JSON lines.

{"id": "s1", "instruction": "Name the opposite.", "instances": [{"input": "warm", "output": "cold"}],
 "is_classification": false}                       # on one line; id and is_classification may be left out
{"instruction": "Name the opposite.", "input": "warm", "output": "cold"}                        # short form
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autodata_dspy.errors import ConfigError

MAX_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class Instance:
    """One input of a task with its right output; `input` is empty where the instruction says everything."""

    input: str
    output: str


@dataclass(frozen=True, slots=True)
class SeedTask:
    """An instruction with at least one instance. Source: Self-Instruct (arXiv 2212.10560), section 2.

    Attributes:
        id: unique in its file.
        is_classification: the output is one of a few labels.
    """

    id: str
    instruction: str
    instances: tuple[Instance, ...]
    is_classification: bool = False


def read_seed_tasks(path: str | Path) -> list[SeedTask]:
    """Read a file of seed tasks; blank lines are skipped, unknown keys ignored.

    Raises:
        ConfigError: one line that names the file, the line and the first problem.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"seed tasks {path}: more than {MAX_BYTES} bytes; give fewer tasks")
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"seed tasks not found: {path}; give a file of JSON lines") from None
    except OSError as error:
        raise ConfigError(f"seed tasks {path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"seed tasks {path}: not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    return parse_seed_tasks(text.split("\n"), str(path))


def parse_seed_tasks(lines: Iterable[str], where: str) -> list[SeedTask]:
    """Seed tasks of lines; `where` names their source in messages.

    Raises:
        ConfigError: see `read_seed_tasks`.
    """
    tasks: dict[str, SeedTask] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        task = _task(line, f"{where}, line {number}", f"seed-{number:05d}")
        if task.id in tasks:
            raise ConfigError(f"{where}, line {number}: a second task with the id {task.id!r}; ids must be unique")
        tasks[task.id] = task
    if not tasks:
        raise ConfigError(f'{where}: no seed tasks; give lines such as {{"instruction": "…", "output": "…"}}')
    return list(tasks.values())


def _task(line: str, where: str, default_id: str) -> SeedTask:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{where}: not a JSON object ({error})") from None
    if not isinstance(row, dict):
        raise ConfigError(f"{where}: not a JSON object but {line.strip()[:60]!r}")
    listed = row["instances"] if "instances" in row else [row]
    if not isinstance(listed, list) or not listed:
        raise ConfigError(f'{where}: "instances" must be a list of {{"input", "output"}}, not {str(listed)[:60]!r}')
    sorts = row.get("is_classification", False)
    if not isinstance(sorts, bool):
        raise ConfigError(f'{where}: "is_classification" must be true or false, not {sorts!r}')
    return SeedTask(
        id=str(row.get("id", default_id)),
        instruction=_text(row, "instruction", where),
        instances=tuple(_instance(item, where) for item in listed),
        is_classification=sorts,
    )


def _instance(item: Any, where: str) -> Instance:
    if not isinstance(item, dict):
        raise ConfigError(f'{where}: an instance must be an object with "output", not {str(item)[:60]!r}')
    return Instance(_text(item, "input", where, needed=False), _text(item, "output", where))


def _text(row: Mapping[str, Any], key: str, where: str, needed: bool = True) -> str:
    """A text of a row, stripped; numbers and lists are refused, because their spelling would be a guess."""
    value = row.get(key, "")
    if not isinstance(value, str):
        raise ConfigError(f'{where}: "{key}" must be a text, not {str(value)[:60]!r}')
    if needed and not value.strip():
        raise ConfigError(f'{where}: "{key}" is missing or empty')
    return value.strip()
