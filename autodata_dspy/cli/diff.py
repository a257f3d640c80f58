"""autodata diff: what compiling changed."""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    before: Annotated[str, typer.Argument(help="A program, or 'seed': AFTER as the code makes it, uncompiled.")],
    after: Annotated[str, typer.Argument(help="A shipped program's name, a .json file, or hf:OWNER/NAME[/FILE].")],
) -> None:
    """Show how the instructions, demonstrations and options of two programs differ."""
    from autodata_dspy.artifact import describe, uncompiled
    from autodata_dspy.program_file import read_program
    from autodata_dspy.program_sources import locate
    from autodata_dspy.program_text import difference
    from autodata_dspy.report.narrative import printable

    new = read_program(locate(after))
    old = describe(uncompiled(new)) if before == "seed" else read_program(locate(before))
    print(
        printable(difference(old, new, (before, after))) or "no difference in instructions, demonstrations and options"
    )
