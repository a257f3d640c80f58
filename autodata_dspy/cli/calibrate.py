"""autodata calibrate: a pilot → an acceptance rule for the models in use, a forecast, a configuration."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from autodata_dspy.cli import options

if TYPE_CHECKING:
    from autodata_dspy.calibration import Calibration
    from autodata_dspy.config import RunConfig


def command(
    domain: options.Domain = None,
    task: options.Task = None,
    documents: options.Documents = None,
    n: Annotated[int | None, typer.Option("--n", min=1, help="Accepted examples to forecast for (default 50).")] = None,
    program: options.Program = None,
    lm: options.Lm = None,
    config: Annotated[Path | None, typer.Option(help="A TOML file with settings; they go into --out.")] = None,
    pilot: Annotated[int, typer.Option(min=1, help="Documents of the pilot.")] = 8,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of each document in the pilot.")] = 3,
    attempts: Annotated[int, typer.Option(min=1, max=8, help="Attempts of each solver in the pilot.")] = 4,
    seed: options.Seed = None,
    concurrency: options.Concurrency = None,
    run_dir: options.RunDir = None,
    max_calls: options.MaxCalls = None,
    max_tokens: options.MaxTokens = None,
    max_usd: options.MaxUsd = None,
    out: Annotated[Path, typer.Option(help="Where to write the configuration for `autodata generate`.")] = Path(
        "run.toml"
    ),
) -> None:
    """Fit the acceptance rule to the models in use, and forecast yield and cost, from a run on a few documents."""
    from autodata_dspy import runs
    from autodata_dspy.calibration import Pilot
    from autodata_dspy.config import RunConfig, parse_lm_flags
    from autodata_dspy.config_file import check_target

    settings = RunConfig.read(
        config,
        domain=domain,
        task=task,
        documents=documents,
        n=n,
        program=program,
        seed=seed,
        concurrency=concurrency,
        roles=parse_lm_flags(lm or []),
    )
    check_target(out, config)
    settings = runs.completed(settings)
    settings = settings if "n" in settings.model_fields_set else settings.model_copy(update={"n": 50})
    bounds = {"max_calls": max_calls, "max_tokens": max_tokens, "max_usd": max_usd}
    size = Pilot(pilot, rounds, attempts, settings.seed, settings.concurrency)
    found = _run(settings, size, run_dir, bounds)
    _finish(found, settings, out)


def _run(settings: RunConfig, size: Any, run_dir: Path | None, bounds: dict[str, Any]) -> Calibration:
    """The pilot, in a run folder. Its limits are those of the configuration unless given."""
    from autodata_dspy import runs
    from autodata_dspy.budget import Limits
    from autodata_dspy.calibration import calibrate
    from autodata_dspy.cli.display import display, new_run_dir
    from autodata_dspy.errors import BudgetExceeded, Interrupted

    run_dir = run_dir or new_run_dir(f"pilot-{settings.domain}")
    limits = Limits(**settings.limits.model_dump() | {k: v for k, v in bounds.items() if v is not None})
    maker, documents = runs.build_maker(settings), runs.read_documents(settings)
    try:
        with display(f"{settings.domain}: pilot → {run_dir}", runs.n_accepted(run_dir)) as watch:
            how = {"run_dir": run_dir, "limits": limits, "watch": watch, "executor": settings.executor}
            found = calibrate(maker, documents, settings.n, pilot=size, **how)
    except (Interrupted, BudgetExceeded) as stop:
        again = f"the same command with --run-dir {shlex.quote(str(run_dir))}"
        print(f"everything so far is kept; to go on: {again}\nstopped: {stop}")
        raise typer.Exit(130 if isinstance(stop, Interrupted) else 3) from None
    print(f"pilot kept in {run_dir}")
    return found


def _finish(found: Calibration, settings: RunConfig, out: Path) -> None:
    """Print what was found, write the configuration, print the next command.

    Raises:
        ConfigError: no rule accepts anything that the pilot saw; nothing is written then.
    """
    from autodata_dspy.config_file import write_config
    from autodata_dspy.errors import ConfigError
    from autodata_dspy.report.calibrated import calibration_lines
    from autodata_dspy.report.narrative import printable

    for line in calibration_lines(found):
        print(printable(line))
    if found.tells_nothing:
        raise ConfigError(f"nothing is written to {out}: {found.notes[0]}")
    data = settings.model_dump(exclude_unset=True, exclude_none=True) | {"n": settings.n}
    data |= {"acceptance": found.acceptance} if found.acceptance else {}
    more = found.passes is not None and found.passes > settings.n_passes
    if more:
        print(
            f"warning: {found.forecast.n} examples need about {found.passes} passes over the documents; "
            f"{out} says so; more documents give more variety"
        )
        data |= {"passes": min(found.passes or 1, 1000)}
    write_config(out, data)
    print(f"written: {out}\nnext: autodata generate --config {shlex.quote(str(out))}")
    if found.stopped:
        raise typer.Exit(3)
