"""JSON lines: one document a line."""

from __future__ import annotations

import json
from pathlib import Path

from autodata_dspy.documents.encoding import read_text
from autodata_dspy.documents.rows import from_row
from autodata_dspy.errors import ConfigError
from autodata_dspy.types import Document


def read(path: Path, name: str, domain: str) -> list[Document]:
    """Each line an object with `text` and, if it likes, `id`, `title`, `source`, `licence`; blank lines are skipped.

    Raises:
        ConfigError: a line that is none; names it.
    """
    return [
        _from_line(line, f"{path}, line {number}", f"{name}:{number}", domain)
        for number, line in enumerate(read_text(path, limit=None).split("\n"), 1)
        if line.strip()
    ]


def _from_line(line: str, where: str, default_id: str, domain: str) -> Document:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise ConfigError(f"{where}: not a JSON object ({error})") from None
    except RecursionError:
        raise ConfigError(f"{where}: not a JSON object (nested too deeply)") from None
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        raise ConfigError(f'{where}: needs an object with a string "text"')
    return from_row(row, row["text"], where, Document(default_id, "", domain=domain))
