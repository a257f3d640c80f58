"""autodata resume: continue a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autodata_dspy.cli import options


def command(
    run_dir: Annotated[Path, typer.Argument(help="The run folder.")],
    n: options.N = None,
    concurrency: options.Concurrency = None,
    executor: options.Executor = None,
    passes: options.Passes = None,
    max_calls: options.MaxCalls = None,
    max_tokens: options.MaxTokens = None,
    max_usd: options.MaxUsd = None,
) -> None:
    """Continue a run; finished documents and answered calls are not paid again."""
    from autodata_dspy import runs
    from autodata_dspy.cli.display import display

    limits = {"max_calls": max_calls, "max_tokens": max_tokens, "max_usd": max_usd}
    config = runs.read_config(run_dir)
    with display(f"resuming {run_dir}", runs.n_accepted(run_dir)) as watch:
        changes = {"n": n, "concurrency": concurrency, "executor": executor, "passes": passes, "limits": limits}
        result = runs.resume(run_dir, watch, **changes)
    options.finish(result, run_dir, n or config.n, config.domain)
