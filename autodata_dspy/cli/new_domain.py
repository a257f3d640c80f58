"""autodata new-domain: a commented skeleton of a domain, as a package of its own."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer


def command(
    name: Annotated[str, typer.Argument(help="Of the domain: small letters, digits and underscores, such as chess.")],
    out: Annotated[
        Path | None, typer.Option(help="The folder to write; new or empty. By default autodata-NAME.")
    ] = None,
) -> None:
    """Write a small package with a domain that works, to be changed piece by piece."""
    files = skeleton(name)
    folder = out or Path(f"autodata-{name.replace('_', '-')}")
    _write(folder, files)
    print(f"{folder}: a domain {name!r}")
    for path in files:
        print(f"  {path}")
    place, test = shlex.quote(str(folder)), shlex.quote(str(folder / f"test_{name}.py"))
    print(f"next: pip install -e {place} && python -m pytest {test}")


def skeleton(name: str) -> dict[str, str]:
    """Path in the folder → text.

    Raises:
        ConfigError: a name that no domain can have, or that one has already.
    """
    import importlib.resources

    _check(name)
    package = f"autodata_{name}"
    templates = importlib.resources.files("autodata_dspy.cli") / "skeleton"
    words = {"DISTRIBUTION": package.replace("_", "-"), "PACKAGE": package, "NAME": name}
    files = {
        "pyproject.toml": "pyproject.toml.txt",
        f"{package}/__init__.py": "domain.py.txt",
        f"{package}/documents.jsonl": "documents.jsonl",
        f"test_{name}.py": "test.py.txt",
    }
    return {path: _filled((templates / template).read_text("utf-8"), words) for path, template in files.items()}


def _check(name: str) -> None:
    import re

    from autodata_dspy import registry
    from autodata_dspy.errors import ConfigError

    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or len(name) > 40:
        raise ConfigError(
            f"{name[:60]!r} cannot name a domain; take at most 40 small letters, digits and single underscores, "
            "a letter first, such as 'chess_endings'"
        )
    if name in registry.names("domains") or name in ("base", "documents"):
        raise ConfigError(f"the name {name!r} is taken; `autodata list domains` shows the domains there are")


def _filled(text: str, words: dict[str, str]) -> str:
    for placeholder, word in words.items():
        text = text.replace(placeholder, word)
    return text


def _write(folder: Path, files: dict[str, str]) -> None:
    from autodata_dspy.errors import ConfigError

    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ConfigError(f"{folder} is there already and not an empty folder; give another one with --out")
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write {folder}: {error.strerror or error}; give another one with --out") from error
