"""Libraries that only some formats need."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

from autodata_dspy.errors import ConfigError


def library(module: str, path: Path) -> ModuleType:
    """Import what the file at `path` needs.

    Raises:
        ConfigError: not installed; names the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ConfigError(
            f"{path}: reading {path.suffix.lower()} needs {module}; install it with: "
            "pip install 'autodata-dspy[documents]'"
        ) from None
