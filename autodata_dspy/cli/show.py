"""autodata show: what was tried, why it was rejected, what came next."""

from __future__ import annotations

import difflib
import shlex
from pathlib import Path
from typing import Annotated

import typer

SHOWN = 20  # ids offered for an unknown one


def command(
    run_dir: Annotated[Path, typer.Argument(help="The run folder.")],
    document: Annotated[str | None, typer.Argument(help="A document's id, or the beginning of one.")] = None,
) -> None:
    """Tell a document's trajectory in plain words; without an id, one line per document."""
    from autodata_dspy import runs
    from autodata_dspy.errors import ConfigError, did_you_mean
    from autodata_dspy.report.narrative import outcome, printable, story

    run = runs.outline(run_dir)
    if document is None:
        for trajectory in run.trajectories:
            print(printable(f"{trajectory.document_id} (seed {trajectory.seed}): {outcome(trajectory)}"))
        print(f"one of them in full: autodata show {shlex.quote(str(run_dir))} ID")
        return
    ids = {t.document_id for t in run.trajectories}
    chosen = [t for t in run.trajectories if t.document_id == document] or [
        t for t in run.trajectories if t.document_id.startswith(document)
    ]
    if not chosen:
        near = difflib.get_close_matches(document, ids, n=SHOWN, cutoff=0.0)  # a run can have thousands
        raise ConfigError(did_you_mean("finished document", document, near))
    verified = runs.verified(run.config) if run.config and any(t.accepted for t in chosen) else ""
    for trajectory in chosen:
        print(printable("\n".join(story(trajectory, run.documents.get(trajectory.document_id), verified))))
        for one in run.removed:
            if (one.document_id, one.seed) == (trajectory.document_id, trajectory.seed):
                print(printable(f"Round {one.round + 1} was removed at the end: {one.verifier}: {one.why}"))
        print()
