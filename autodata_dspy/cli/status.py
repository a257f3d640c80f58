"""autodata status: a run at a glance."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

N_CAUSES = {"malformed": 4, "failed_check": 4, "filtered": None}  # reasons that gather several causes; None shows all


def command(run_dir: Annotated[Path, typer.Argument(help="The run folder.")]) -> None:
    """Show how far a run is, what it accepted, and why it rejected the rest."""
    from autodata_dspy import runs
    from autodata_dspy.report.narrative import MEANING, causes, printable, reasons, removal_lines, usage_lines

    run = runs.outline(run_dir)
    done = [t for t in run.trajectories if t.status != "stopped"]
    n_accepted = sum(len(t.accepted) for t in run.counted)
    config = run.config
    left_out = next((t.without for t in run.trajectories), config.without if config else ())
    if config is None:
        print(f"{run_dir}: made in Python\n{n_accepted} examples accepted\n{len(done)} documents finished")
    else:
        print(f"{run_dir}: {config.program} on {config.domain}, seed {config.seed}")
        print(f"{n_accepted} of {config.n} examples accepted")
        print(f"{len(done)} of {len(run.documents) * config.n_passes} documents finished")
    if left_out:
        print(f"left out: {', '.join(left_out)}")
    for status in ("failed", "skipped", "stopped"):
        if count := sum(t.status == status for t in run.trajectories):
            print(f"  {status}: {count}")
    rounds = reasons(run.trajectories)
    for line in removal_lines(run.removed, n_accepted):
        print(printable(line))
    print(f"{rounds.total()} rounds")
    for reason, count in rounds.most_common():
        print(f"  {count:4} {MEANING[reason]}")
        for cause, times in causes(run.trajectories, reason).most_common(N_CAUSES.get(reason, 0)):
            print(f"       {times:4} {printable(cause)}")
    seconds = run.usage["seconds"]
    for line in usage_lines(run.usage["by_role"], seconds):
        print(line)
    if n_accepted:
        calls = runs.n_calls(run.usage["by_role"])
        print(f"per accepted example: {calls / n_accepted:.1f} calls, {seconds / 60 / n_accepted:.1f} min")
