"""Where programs come from: those that ship with the package, a file, or a repository of the Hugging Face hub."""

from __future__ import annotations

import re
from pathlib import Path

from autodata_dspy.errors import ArtifactError, ConfigError, did_you_mean

HUB = "hf:"
HUB_FILE = "program.json"
_SHIPPED = Path(__file__).parent / "programs"
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


def shipped() -> dict[str, Path]:
    """Name → file of the programs that ship with the package, such as "legal_labels/terms_of_service"."""
    files = sorted(_SHIPPED.glob("*/*.json"))
    return {f"{path.parent.name}/{path.stem}": path for path in files}


def is_program(name: str) -> bool:
    """Whether a name means a program rather than a generator: plugins' names have neither slash nor ending."""
    return "/" in name or name.endswith(".json") or name.startswith(HUB)


def locate(name_or_path: str | Path) -> Path:
    """The file of a program: a shipped one's name, a path, or `hf:OWNER/REPOSITORY[/FILE]`.

    Raises:
        ConfigError: neither a shipped name nor a file; says the nearest name.
        ArtifactError: the hub does not give the file.
    """
    name = str(name_or_path)
    if isinstance(name_or_path, str) and name.startswith(HUB):
        return _fetched(name)
    known = shipped()
    if isinstance(name_or_path, str) and name in known:
        return known[name]
    path = Path(name_or_path)
    if path.suffix == ".json" or path.exists() or isinstance(name_or_path, Path):
        return path
    raise ConfigError(did_you_mean("program", name, known) + "; or give a path that ends in .json, or hf:OWNER/NAME")


def _fetched(source: str) -> Path:
    owner, _, rest = source.removeprefix(HUB).partition("/")
    name, _, file = rest.partition("/")
    repository, file = f"{owner}/{name}", file or HUB_FILE
    if not _REPOSITORY.fullmatch(repository) or ".." in file.split("/") or not file.endswith(".json"):
        raise ConfigError(f"program {source!r}: expected {HUB}OWNER/REPOSITORY or {HUB}OWNER/REPOSITORY/FILE.json")
    import huggingface_hub

    try:
        return Path(huggingface_hub.hf_hub_download(repository, file))
    except Exception as error:  # the hub and the network fail in any way
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ArtifactError(
            f"program {source!r}: cannot be fetched ({reason}); check the name and the network, or give a path"
        ) from None
