"""Find plugins: a module of the room's folder, or an entry point of another package.

A plugin module exposes `PLUGIN`. Another package adds one with an entry point in the group
`autodata_dspy.<room>` (for example `autodata_dspy.domains`) whose name is the plugin's name.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import pkgutil
from typing import Any

from autodata_dspy.errors import ConfigError, UnknownPluginError, did_you_mean

ROOMS = {
    "domains": "domain",
    "exporters": "exporter",
    "generators": "generator",
    "metrics": "metric",
    "verifiers": "verifier",
}
_NOT_PLUGINS = {"base", "worker", "verified"}  # `verified` makes metrics of verifiers and has no name to go by


@functools.cache
def _entry_points(room: str) -> dict[str, importlib.metadata.EntryPoint]:
    return {e.name: e for e in importlib.metadata.entry_points(group=f"autodata_dspy.{room}")}


def names(room: str) -> list[str]:
    """Sorted plugin names of a room ("domains", "exporters", …), without importing them."""
    package = importlib.import_module(f"autodata_dspy.{room}")
    own = {m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_")}
    return sorted((own - _NOT_PLUGINS) | set(_entry_points(room)))


def load(room: str, name: str) -> Any:
    """The `PLUGIN` of one module of a room.

    Raises:
        UnknownPluginError: nothing answers to the name; says the nearest ones.
        ConfigError: an entry point of another package cannot be loaded.
    """
    available = names(room)
    if name not in available:
        raise UnknownPluginError(did_you_mean(ROOMS[room], name, available))
    if name in _entry_points(room):
        try:
            return _entry_points(room)[name].load()
        except (ImportError, AttributeError) as error:
            raise ConfigError(f"the {ROOMS[room]} {name!r} of another package cannot be loaded: {error}") from error
    return importlib.import_module(f"autodata_dspy.{room}.{name}").PLUGIN
