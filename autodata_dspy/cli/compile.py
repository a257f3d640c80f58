"""autodata compile: let an optimizer improve a program, and test it on documents that nothing has seen."""

from __future__ import annotations

import functools
import inspect
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from autodata_dspy.cli import options

if TYPE_CHECKING:
    from autodata_dspy.compiled import Compiled, CompileForecast
    from autodata_dspy.config import RunConfig


def command(
    domain: options.Domain = None,
    task: options.Task = None,
    documents: options.Documents = None,
    program: Annotated[
        str | None, typer.Option(help="What to improve: a generator's name, or a program (see `autodata run`).")
    ] = None,
    lm: options.Lm = None,
    config: Annotated[Path | None, typer.Option(help="A TOML file with settings, as for `autodata generate`.")] = None,
    optimizer: Annotated[
        str | None,
        typer.Option(
            help="See `autodata list optimizers`; by default gepa, but bootstrap where the role reflection is embedded."
        ),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=NUMBER of the optimizer, such as max_demos=6; several times. See `autodata list optimizers`."
        ),
    ] = None,
    metric: Annotated[str, typer.Option(help="See `autodata list metrics`.")] = "acceptance_rate",
    probe: Annotated[
        Path | None, typer.Option(help="JSON lines of real items, for metrics that need them: {id, question, answer}.")
    ] = None,
    audit_examples: Annotated[
        Path | None, typer.Option(help="A .jsonl file or a run folder to audit the metric on first: `audit-metric`.")
    ] = None,
    hoped: Annotated[
        float, typer.Option(min=0.001, max=1.0, help="The difference that you hope to find; warns if that is noise.")
    ] = 0.05,
    budget: Annotated[int, typer.Option(min=1, help="Program runs (one document each) of the optimizer.")] = 100,
    repeats: Annotated[int, typer.Option(min=1, help="Runs of each test document by each program.")] = 2,
    seed: options.Seed = None,
    concurrency: options.Concurrency = None,
    executor: options.Executor = None,
    run_dir: options.RunDir = None,
    max_calls: options.MaxCalls = None,
    max_tokens: options.MaxTokens = None,
    max_usd: options.MaxUsd = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask after the forecast.")] = False,
    out: Annotated[Path | None, typer.Option(help="Also write the program to this .json file.")] = None,
) -> None:
    """Improve a program's prompts against a metric; the seed is kept unless the test shows that another is better."""
    from autodata_dspy import runs
    from autodata_dspy.cli.display import new_run_dir
    from autodata_dspy.config import RunConfig, parse_lm_flags

    settings = RunConfig.read(
        config,
        domain=domain,
        task=task,
        documents=documents,
        program=program,
        seed=seed,
        concurrency=concurrency,
        executor=executor,
        roles=parse_lm_flags(lm or []),
        limits={"max_calls": max_calls, "max_tokens": max_tokens, "max_usd": max_usd},
    )
    settings, run_dir = runs.completed(settings), run_dir or new_run_dir(f"compile-{settings.domain}")
    given = {"optimizer": optimizer, "budget": budget, "repeats": repeats, "options": _options(option)}
    given |= {"audit": audit_examples, "hoped": hoped}
    found = _run(settings, metric, probe, run_dir, yes, given)
    _finish(found, run_dir, out)


def _options(given: list[str] | None) -> dict[str, float]:
    from autodata_dspy.errors import ConfigError

    found = {}
    for text in given or []:
        name, _, value = text.partition("=")
        try:
            found[name] = int(value) if value.isdigit() else float(value)
        except ValueError:
            raise ConfigError(f"--option {text!r}: expected NAME=NUMBER, such as max_demos=6") from None
    return found


def _run(
    settings: RunConfig, metric: str, probe: Path | None, run_dir: Path, yes: bool, given: dict[str, Any]
) -> Compiled:
    from autodata_dspy import registry, runs
    from autodata_dspy.compilation import compile
    from autodata_dspy.errors import ConfigError, Interrupted
    from autodata_dspy.metrics import make

    if probe is not None and "probe" not in inspect.signature(registry.load("metrics", metric)).parameters:
        names = registry.names("metrics")
        takes = ", ".join(n for n in names if "probe" in inspect.signature(registry.load("metrics", n)).parameters)
        raise ConfigError(f"--probe: the metric {metric!r} takes none; leave it out, or name one that does ({takes})")
    maker, stream = runs.build_maker(settings), sys.stderr  # DSPy's optimizers are kept from printing there

    def told(candidate: Any, bench: Any) -> None:
        scores = [s for each in candidate.scores.values() for s in each]
        calls, mean = bench.meter.total().calls, sum(scores) / len(scores)
        origin = f" from {candidate.parent[:6]}" if candidate.parent else ""
        line = f"{bench.n_runs} runs, {calls} calls: candidate {candidate.id[:6]}{origin} ({candidate.how}): {mean:.3f}"
        print(line, file=stream, flush=True)

    def ran(candidate: Any, document: Any, score: Any, bench: Any) -> None:
        line = f"run {bench.n_finished}: candidate {candidate.id[:6]} on {document.id}: {score.score:.3f}"
        print(line, file=stream, flush=True)

    try:
        return compile(
            maker,
            runs.read_documents(settings),
            make(metric, probe=probe, domain=maker.domain, roles=maker.roles),
            limits=settings.limits.limits(),
            seed=settings.seed,
            concurrency=settings.concurrency,
            executor=settings.executor,
            run_dir=run_dir,
            confirm=functools.partial(_confirm, yes, run_dir),
            told=told,
            ran=ran,
            **given,
        )
    except Interrupted as stop:
        again = f"the same command with --run-dir {shlex.quote(str(run_dir))}"
        print(f"everything so far is kept; to go on: {again}\nstopped: {stop}")
        raise typer.Exit(130) from None


def _confirm(yes: bool, run_dir: Path, forecast: CompileForecast) -> bool:
    print(f"run folder: {run_dir} (after a stop the same command with --run-dir goes on)", file=sys.stderr, flush=True)
    for line in forecast.lines():
        print(line, flush=True)
    return yes or typer.confirm("go on?")


def _finish(found: Compiled, run_dir: Path, out: Path | None) -> None:
    from autodata_dspy.artifact import save_program
    from autodata_dspy.errors import BudgetExceeded
    from autodata_dspy.program_file import read_program

    for arm, mean in found.test.items():
        print(f"test score, {arm}: {mean:.3f}")
    for arm, rate in found.accepted.items():
        print(f"rounds accepted on the test documents, {arm}: {rate.k} of {rate.n}")
    for arm, rate in found.confirmed.items():
        print(f"accepted examples that an independent check confirms, {arm}: {rate.k} of {rate.n}")
    print(f"{found.n_runs} program runs ({found.n_replayed} of them from earlier), {len(found.candidates)} candidates")
    print(found.verdict)
    program = run_dir / "program.json"
    if out is not None:
        save_program(found.program, out, read_program(program).card)
        program = out
    print(f"written: {program}\nnext: autodata run {shlex.quote(str(program))}")
    if found.stopped is not None and not isinstance(found.stopped, BudgetExceeded):
        raise found.stopped
    if found.stopped is not None:
        raise typer.Exit(3)
