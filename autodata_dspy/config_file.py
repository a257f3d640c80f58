"""Writes configurations as TOML. Reading is the standard library's; it has no writer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from autodata_dspy.errors import ConfigError

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def to_toml(data: Mapping[str, Any]) -> str:
    """Plain data (tables, lists, texts, numbers, truth values) as TOML; None is left out.

    `tomllib.loads` gives the data back. Comments of a file that the data was read from are lost.
    """
    return "\n".join(_table(data, ())).strip() + "\n"


def check_target(path: Path, source: Path | None) -> None:
    """Raises ConfigError if writing `path` would overwrite a file other than `source`, or cannot succeed."""
    if path.is_dir():
        raise ConfigError(f"--out {path} is a folder; name a file")
    if path.exists() and not (source is not None and source.exists() and path.samefile(source)):
        raise ConfigError(
            f"{path} exists and is not the file this started from; name another one with --out, or give it as "
            f"--config {path} to update it"
        )
    if not path.parent.is_dir():
        raise ConfigError(f"--out {path}: there is no folder {path.parent}; make it first")


def write_config(path: Path, data: Mapping[str, Any]) -> None:
    """Replace the file in one step. Raises ConfigError if it cannot be written."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(to_toml(data), "utf-8")
        part.replace(path)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror or error}; name another file with --out") from None


def _table(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    plain = {k: v for k, v in table.items() if v is not None and not isinstance(v, Mapping)}
    inner = {k: v for k, v in table.items() if isinstance(v, Mapping)}
    if path and (plain or not inner):
        yield f"\n[{'.'.join(map(_key, path))}]"
    yield from (f"{_key(name)} = {_value(value)}" for name, value in plain.items())
    for name, value in inner.items():
        yield from _table(value, (*path, name))


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(text: str) -> str:
    """TOML's basic strings are JSON's, but for one control character more."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(v) for v in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items() if v is not None) + "}"
    return _text(str(value))
