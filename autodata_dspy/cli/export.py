"""autodata export: a run's examples as a data set that trainers and hubs read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    run_dir: Annotated[Path, typer.Argument(help="The run folder.")],
    format_: Annotated[
        str,
        typer.Option("--format", help="jsonl, parquet, hf, chat_sft, dpo, grpo, dspy; see `autodata list exporters`."),
    ],
    out: Annotated[Path, typer.Option(help="The file to write; a folder for hf. The card lies beside or in it.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier export there.")] = False,
) -> None:
    """Write the examples of a run as a data set, with a card that tells how it was made."""
    from autodata_dspy.exporters import export

    done = export(run_dir, format_, out, overwrite=overwrite)
    if done.n_skipped:
        print(f"{done.n_skipped} of {done.n + done.n_skipped} examples {done.skipped}; they are left out")
    if not done.n:
        print("there are no examples: the data set is empty, with the same columns")
    print(f"{done.n} example{'s' * (done.n != 1)}: {done.path}\ncard: {done.card}")
