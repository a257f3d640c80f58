"""autodata generate: documents → accepted examples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autodata_dspy.cli import options

if TYPE_CHECKING:
    from autodata_dspy.config import RunConfig


def command(
    domain: options.Domain = None,
    task: options.Task = None,
    documents: options.Documents = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            help="Seed tasks as JSON lines, for programs that start from them (self_instruct, cot_self_instruct)."
        ),
    ] = None,
    n: options.N = None,
    program: options.Program = None,
    lm: options.Lm = None,
    seed: options.Seed = None,
    run_dir: options.RunDir = None,
    config: Annotated[Path | None, typer.Option(help="A TOML file with any of these settings.")] = None,
    concurrency: options.Concurrency = None,
    executor: options.Executor = None,
    passes: options.Passes = None,
    per_document: Annotated[int | None, typer.Option(min=1, help="Accepted examples per document and pass.")] = None,
    max_rounds: Annotated[int | None, typer.Option(min=1, help="Rounds per document and pass.")] = None,
    paper_form: Annotated[
        bool | None, typer.Option(help="Rubrics and passages as long as in the paper (cs_research, legal).")
    ] = None,
    acceptance: Annotated[
        str | None, typer.Option(metavar="PRESET", help="Acceptance rule: paper-prose, paper-deployed, paper-math, …")
    ] = None,
    quality_check: Annotated[
        bool | None, typer.Option(help="Let the quality verifier look before solvers are paid.")
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PART",
            help="Leave out answer_verifier, feedback, gap, learner, loop or verifiers; may be given several times.",
        ),
    ] = None,
    max_calls: options.MaxCalls = None,
    max_tokens: options.MaxTokens = None,
    max_usd: options.MaxUsd = None,
) -> None:
    """Turn documents into verified, challenging examples."""
    from autodata_dspy.config import RunConfig, parse_lm_flags

    settings = RunConfig.read(
        config,
        domain=domain,
        task=task,
        documents=documents,
        seeds=seeds,
        n=n,
        program=program,
        seed=seed,
        concurrency=concurrency,
        executor=executor,
        passes=passes,
        per_document=per_document,
        max_rounds=max_rounds,
        paper_form=paper_form,
        quality_check=quality_check,
        without=without or None,
        acceptance={"preset": acceptance},
        roles=parse_lm_flags(lm or []),
        limits={"max_calls": max_calls, "max_tokens": max_tokens, "max_usd": max_usd},
    )
    perform(settings, run_dir)


def perform(settings: RunConfig, run_dir: Path | None) -> None:
    """Run a configuration and report it; see `options.finish` for what is raised."""
    from autodata_dspy import runs
    from autodata_dspy.cli.display import display, new_run_dir

    settings = runs.completed(settings)
    run_dir = run_dir or new_run_dir(settings.domain)
    with display(f"{settings.domain}: {settings.n} examples → {run_dir}", runs.n_accepted(run_dir)) as watch:
        result = runs.start(settings, run_dir, watch)
    options.finish(result, run_dir, settings.n, settings.domain)
