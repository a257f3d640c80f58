"""autodata bench: several ways to make data, compared at equal cost."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from autodata_dspy.cli import options

if TYPE_CHECKING:
    from autodata_dspy.benchmarking.forecast import SuiteForecast


def command(
    suite: Annotated[
        Path,
        typer.Argument(
            help="A TOML file: arms, domains, seeds, budget; README, Benchmarks. Or the .json file of results that one "
            "wrote: shows them and writes their page anew."
        ),
    ],
    run_dir: Annotated[
        Path | None, typer.Option(help="Where to keep it; continued if it is there. By default runs/bench-NAME.")
    ] = None,
    executor: options.Executor = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask after the forecast.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Also write the results to this .json file; their page is beside it.")
    ] = None,
) -> None:
    """Compare ways to make data: same documents, equal cost, one examiner, students on real test items.

    The results are tables on standard output, a .json file, and beside it one .html page with plots.
    """
    from autodata_dspy.benchmarking.page import page
    from autodata_dspy.benchmarking.results import read_results
    from autodata_dspy.benchmarking.tables import tables
    from autodata_dspy.errors import ConfigError
    from autodata_dspy.program_file import write_whole

    if suite.suffix == ".json":
        if run_dir is not None or executor is not None or out is not None:
            raise ConfigError(f"{suite} holds results, and is run no more; leave out --run-dir, --executor and --out")
        found, written = read_results(suite), suite
    else:
        found, written = _run(suite, run_dir, executor, yes, out)
    try:
        shown = page(found)
        print(tables(found))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        if written is not suite:
            raise
        raise ConfigError(f"{suite}: damaged ({type(error).__name__}: {error}); run the suite again") from None
    beside = written.with_suffix(".html")
    write_whole(beside, shown.encode())
    print(f"\nwritten: {written}, and with plots {beside}")


def _run(
    suite: Path, run_dir: Path | None, executor: str | None, yes: bool, out: Path | None
) -> tuple[dict[str, Any], Path]:
    """The results of a suite, and the file that holds them."""
    from autodata_dspy.benchmarking.results import portable
    from autodata_dspy.benchmarking.running import run_suite
    from autodata_dspy.benchmarking.suite import file_name, read_suite
    from autodata_dspy.cli.display import display, say
    from autodata_dspy.errors import ConfigError, Interrupted
    from autodata_dspy.program_file import write_whole

    read = read_suite(suite)
    if executor is not None:
        read = read.model_copy(update={"executor": executor})
    if out is not None and not out.parent.is_dir():
        raise ConfigError(f"--out {out}: there is no folder {out.parent}; make it first")
    if out is not None and out.suffix != ".json":
        raise ConfigError(f"--out {out}: the page takes the name with another ending; name a .json file")
    folder = run_dir or Path("runs") / f"bench-{file_name(read.name)}"
    made_with = f"autodata bench {shlex.quote(portable(str(suite)))}"
    try:
        found = run_suite(
            read, folder, confirm=None if yes else _confirm, progress=display, tell=say, command=made_with
        )
    except Interrupted as stop:
        again = f"autodata bench {shlex.quote(str(suite))} --run-dir {shlex.quote(str(folder))}"
        print(f"everything so far is kept; to go on: {again}\nstopped: {stop}")
        raise typer.Exit(130) from None
    written = folder / "results.json"
    if out is not None:
        write_whole(out, written.read_bytes())
        written = out
    return found, written


def _confirm(forecast: SuiteForecast) -> bool:
    return typer.confirm("go on?")
