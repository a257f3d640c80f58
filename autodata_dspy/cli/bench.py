"""autodata bench: several ways to make data, compared at equal cost."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from autodata_dspy.benchmarking.forecast import SuiteForecast


def command(
    suite: Annotated[Path, typer.Argument(help="A TOML file: arms, domains, seeds, budget; README, Benchmarks.")],
    run_dir: Annotated[
        Path | None, typer.Option(help="Where to keep it; continued if it is there. By default runs/bench-NAME.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask after the forecast.")] = False,
    out: Annotated[Path | None, typer.Option(help="Also write the results to this .json file.")] = None,
) -> None:
    """Compare ways to make data: same documents, equal cost, one examiner, students on real test items."""
    from autodata_dspy.benchmarking.running import run_suite
    from autodata_dspy.benchmarking.suite import file_name, read_suite
    from autodata_dspy.benchmarking.tables import tables
    from autodata_dspy.cli.display import display, say
    from autodata_dspy.errors import ConfigError
    from autodata_dspy.generation import Interrupted
    from autodata_dspy.program_file import write_whole

    read = read_suite(suite)
    if out is not None and not out.parent.is_dir():
        raise ConfigError(f"--out {out}: there is no folder {out.parent}; make it first")
    folder = run_dir or Path("runs") / f"bench-{file_name(read.name)}"
    try:
        found = run_suite(read, folder, confirm=None if yes else _confirm, progress=display, tell=say)
    except Interrupted as stop:
        again = f"autodata bench {shlex.quote(str(suite))} --run-dir {shlex.quote(str(folder))}"
        print(f"everything so far is kept; to go on: {again}\nstopped: {stop}")
        raise typer.Exit(130) from None
    print(tables(found))
    written = folder / "results.json"
    if out is not None:
        write_whole(out, written.read_bytes())
        written = out
    print(f"\nwritten: {written}")


def _confirm(forecast: SuiteForecast) -> bool:
    return typer.confirm("go on?")
