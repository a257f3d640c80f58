"""Options that several subcommands share, and how a finished run is reported."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from autodata_dspy.results import Result
    from autodata_dspy.types import Verdict

Domain = Annotated[str | None, typer.Option(help="See `autodata list domains`.")]
Task = Annotated[str | None, typer.Option(help="A TOML file with the labels to write for (domain legal_labels).")]
Documents = Annotated[
    str | None,
    typer.Option(
        help="'builtin', 'none', a text, .html, .pdf, .jsonl, .csv or .parquet file, a folder, or hf:NAME[:SPLIT]."
    ),
]
Program = Annotated[
    str | None,
    typer.Option(
        help="A generator's name, a shipped program's (legal_labels/terms_of_service), a .json file, or hf:OWNER/NAME."
    ),
]
Lm = Annotated[
    list[str] | None,
    typer.Option("--lm", help="ROLE=MODEL, all=MODEL or ROLE.PARAMETER=VALUE; may be given several times."),
]
Seed = Annotated[int | None, typer.Option(min=0, help="Of every sampling decision.")]
RunDir = Annotated[Path | None, typer.Option(help="Where to keep the run; continued if it is there.")]
N = Annotated[int | None, typer.Option("--n", min=1, help="Accepted examples wanted.")]
Concurrency = Annotated[int | None, typer.Option(min=1, help="Documents at a time.")]
Executor = Annotated[
    str | None,
    typer.Option(help="Where documents are worked on: threads, loky (processes), dask[:ADDRESS] or ray[:ADDRESS]."),
]
MaxCalls = Annotated[int | None, typer.Option(min=1, help="Stop cleanly at this many model calls.")]
MaxTokens = Annotated[int | None, typer.Option(min=1, help="Stop cleanly at this many tokens (in + out).")]
MaxUsd = Annotated[float | None, typer.Option(help="Stop cleanly at this much money.")]
Passes = Annotated[int | None, typer.Option(min=1, help="How often to go through the documents.")]


def _said(verdict: Verdict) -> str:
    if verdict.passed:
        return "right"
    return f"{'undecided' if verdict.undecided else 'WRONG'} ({verdict.feedback})"


def _fared(row: dict[str, Any], solver: str) -> str:
    """Right answers of attempts; where an answer can be partly right, the mean score."""
    right, attempts, mean = row[f"{solver}_right"], row[f"{solver}_attempts"], row[f"{solver}_mean"]
    if mean is None or abs(mean * attempts - right) < 1e-9:
        return f"{solver} {right}/{attempts}"
    return f"{solver} {mean:.2f} on average of {attempts}"


def _print_examples(result: Result, checked: list[Verdict]) -> None:
    from autodata_dspy.report.agreement import basis
    from autodata_dspy.report.narrative import printable

    for number, (row, (_, round_)) in enumerate(zip(result.accepted, result.kept, strict=True), 1):
        print(printable(f"\n{number}. {row['question']}\n   answer: {row['answer']}"))
        if behind := basis(round_, row["verified"]):
            print(f"   verified: {behind}")
        attempts = [_fared(row, s) for s in ("weak", "strong") if row["weak_attempts"] or row["strong_attempts"]]
        print(f"   {', '.join([*attempts, 'from ' + printable(row['document_id'])])}")
        if checked:
            print(f"   checked again by a fresh worker: {_said(checked[number - 1])}")


def _print_next(run_dir: Path, n: int, n_accepted: int, n_removed: int) -> None:
    """The commands that go on from a run that came to its end."""
    from autodata_dspy import runs

    folder = shlex.quote(str(run_dir))
    if n_accepted < n:
        config = runs.read_config(run_dir)
        what = "slots" if config.documents == "none" else "documents"
        print(f"all {what} are used up; for another pass: autodata resume {folder} --passes {config.n_passes + 1}")
    elif n_removed:
        print(f"to make up for what was removed: autodata resume {folder} --n {n + n_removed}")
    print(f"next: autodata show {folder}    (or: autodata status {folder})")


def finish(result: Result, run_dir: Path, n: int, domain: str) -> None:
    """Print the examples of the result, checked once more, the totals and the next command.

    Raises:
        typer.Exit: code 3 (a budget is used up) or 130 (interrupted).
        AutodataError: why a model did not answer.
    """
    from autodata_dspy import runs
    from autodata_dspy.errors import BudgetExceeded, Interrupted
    from autodata_dspy.report.agreement import warning
    from autodata_dspy.report.narrative import MEANING, printable, reasons, removal_lines, usage_lines
    from autodata_dspy.store import RunFolder

    checked = runs.recheck(domain, result)
    _print_examples(result, checked)
    n_accepted = sum(len(t.accepted) for t in result.trajectories)
    print(f"\n{n_accepted} of {n} examples accepted; documents tried: {len(result.trajectories)}")
    if left_out := next((t.without for t in result.trajectories), ()):
        print(f"left out: {', '.join(left_out)}")
    if line := warning(result.trajectories):
        print(f"warning: {line}")
    for line in removal_lines(result.removed, n_accepted):
        print(printable(line))
    rounds = reasons(result.trajectories)
    print(f"rounds: {rounds.total()}")
    for reason, count in rounds.most_common():
        print(f"  {count:4} {MEANING[reason]}")
    seconds = RunFolder(run_dir).read_usage()["seconds"]  # of all sessions, as the usage is
    for line in usage_lines(result.usage, seconds):
        print(f"  {line}")
    folder = shlex.quote(str(run_dir))
    if result.stopped is None:
        _print_next(run_dir, n, n_accepted, len(result.removed))
        return
    print(f"everything so far is kept; to go on: autodata resume {folder}")
    if isinstance(result.stopped, Interrupted):
        print(f"stopped: {result.stopped}")
        raise typer.Exit(130)
    if isinstance(result.stopped, BudgetExceeded):
        print(f"  (with a higher limit, for example --max-calls)\nstopped: {result.stopped}")
        raise typer.Exit(3)
    raise result.stopped
