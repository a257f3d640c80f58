"""autodata run: `generate` with a program, which brings its own domain and options."""

from __future__ import annotations

from typing import Annotated

import typer

from autodata_dspy.cli import generate, options


def command(
    program: Annotated[
        str,
        typer.Argument(
            help="A shipped program's name (legal_labels/terms_of_service), a .json file, or hf:OWNER/NAME[/FILE]."
        ),
    ],
    documents: options.Documents = None,
    seeds: Annotated[
        str | None, typer.Option(help="Seed tasks as JSON lines, for programs that start from them.")
    ] = None,
    n: options.N = None,
    lm: options.Lm = None,
    seed: options.Seed = None,
    run_dir: options.RunDir = None,
    concurrency: options.Concurrency = None,
    executor: options.Executor = None,
    passes: options.Passes = None,
    max_calls: options.MaxCalls = None,
    max_tokens: options.MaxTokens = None,
    max_usd: options.MaxUsd = None,
) -> None:
    """Make examples with a program, as `generate --program PROGRAM` does; that one has more options."""
    from autodata_dspy.config import RunConfig, parse_lm_flags
    from autodata_dspy.program_sources import locate

    locate(program)  # a generator's name is no program, and is told so here
    settings = RunConfig.read(
        program=program,
        documents=documents,
        seeds=seeds,
        n=n,
        seed=seed,
        concurrency=concurrency,
        executor=executor,
        passes=passes,
        roles=parse_lm_flags(lm or []),
        limits={"max_calls": max_calls, "max_tokens": max_tokens, "max_usd": max_usd},
    )
    generate.perform(settings, run_dir)
