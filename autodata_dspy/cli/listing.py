"""autodata list: what can be plugged together."""

from __future__ import annotations

from typing import Any

import typer


def command(
    what: str = typer.Argument(
        "all", help="domains, exporters, generators, metrics, optimizers, verifiers, programs, roles, models, or all."
    ),
) -> None:
    """List domains, exporters, generators, metrics, optimizers, verifiers, shipped programs, roles and models."""
    from autodata_dspy import registry
    from autodata_dspy.embedded.catalog import MODELS
    from autodata_dspy.errors import ConfigError, did_you_mean
    from autodata_dspy.program_sources import shipped
    from autodata_dspy.roles import ROLES

    kinds = [*registry.ROOMS, "programs", "roles", "models"]
    if what not in ("all", *kinds):
        raise ConfigError(did_you_mean("thing to list", what, ["all", *kinds]))
    for kind in kinds if what == "all" else [what]:
        if kind == "programs":
            rows = dict.fromkeys(shipped(), "") or {"(none)": "this version ships no programs"}
        elif kind == "roles":
            rows = dict(ROLES)
        elif kind == "models":
            rows = {f"embedded/{name}": model.licence for name, model in MODELS.items()}
        else:
            rows = {
                name: _options(registry.load(kind, name)) if kind == "optimizers" else ""
                for name in registry.names(kind)
            }
        print(f"{kind}:")
        for name, note in rows.items():
            print(f"  {name:24} {note}".rstrip())


def _options(optimizer: Any) -> str:
    """What `autodata compile --option` may set, with the defaults."""
    return "".join(f" --option {name}={value}" for name, value in optimizer.OPTIONS.items()).strip()
