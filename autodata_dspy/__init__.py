"""autodata_dspy: make the data-maker something you compile. Public names load on first use."""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0.dev0"

_MODULE_OF = {
    "ConfigError": "errors",
    "AutodataError": "errors",
    "Challenge": "types",
    "Document": "types",
    "ExactCounts": "acceptance",
    "Limits": "budget",
    "Result": "results",
    "Roles": "roles",
    "RunConfig": "config",
    "Trajectory": "types",
    "Verdict": "types",
    "calibrate": "calibration",
    "compile": "compilation",
    "generate": "generation",
    "load_documents": "documents",
    "load_program": "artifact",
    "save_program": "artifact",
}
_ROOMS = ("domains", "exporters", "generators", "modules", "verifiers")

__all__ = ["__version__", *sorted(_MODULE_OF), *_ROOMS]


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        return getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
