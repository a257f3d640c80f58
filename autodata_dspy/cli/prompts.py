"""autodata prompts: a program's instructions and demonstrations as plain text."""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    program: Annotated[
        str,
        typer.Argument(
            help="A shipped program's name (legal_labels/terms_of_service), a .json file, or hf:OWNER/NAME[/FILE]."
        ),
    ],
) -> None:
    """Print a program's instructions and demonstrations, for use without this package."""
    from autodata_dspy.program_file import read_program
    from autodata_dspy.program_sources import locate
    from autodata_dspy.program_text import prompts
    from autodata_dspy.report.narrative import printable

    print(printable(prompts(read_program(locate(program)))))
