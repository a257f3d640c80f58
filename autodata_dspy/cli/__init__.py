"""The command line: one subcommand a file. Here they are put together, and errors become one line."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

import typer

from autodata_dspy.cli import (
    audit,
    audit_metric,
    bench,
    calibrate,
    compile,
    diff,
    export,
    generate,
    listing,
    models,
    new_domain,
    prompts,
    resume,
    run,
    serve_embedded,
    show,
    status,
    verify,
)
from autodata_dspy.errors import AutodataError

app = typer.Typer(
    name="autodata",
    help="Make verified, challenging examples from documents, on models of your choice.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("generate")(generate.command)
app.command("run")(run.command)
app.command("calibrate")(calibrate.command)
app.command("compile")(compile.command)
app.command("bench")(bench.command)
app.command("resume")(resume.command)
app.command("status")(status.command)
app.command("show")(show.command)
app.command("export")(export.command)
app.command("prompts")(prompts.command)
app.command("diff")(diff.command)
app.command("list")(listing.command)
app.command("verify")(verify.command)
app.command("audit")(audit.command)
app.command("audit-metric")(audit_metric.command)
app.command("serve-embedded")(serve_embedded.command)
app.command("new-domain")(new_domain.command)
app.add_typer(models.app, name="models")


_UsageError: type[Exception] = typer.BadParameter.__mro__[1]  # click's; newer versions of typer have their own copy


def main() -> None:
    """Entry point of `autodata`. Exit codes: 0 done, 2 the user must edit something or a model does not
    answer, 3 stopped by a budget, 130 interrupted."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a letter that the terminal cannot show must not stop a report
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = app(prog_name="autodata", standalone_mode=False) or 0
        sys.stdout.flush()
    except AutodataError as error:
        code = _refuse(str(error))
    except _UsageError as error:
        code = _refuse_usage(error)
    except typer.Abort:  # Ctrl-C, Ctrl-D or no terminal, at a question
        code = _refuse("no answer is a no; where nobody can answer, use --yes")
    except BrokenPipeError:  # `autodata show … | head`: whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)


def _refuse(message: str) -> int:
    print(f"error: {' '.join(message.splitlines())}", file=sys.stderr)
    return 2


def _refuse_usage(error: Any) -> int:
    """One line like every other refusal; click's own takes four."""
    if type(error).__name__ == "NoArgsIsHelpError":  # nothing was asked, so the help is the answer
        print(error.format_message(), file=sys.stderr)
        return 2
    command = error.ctx.command_path if error.ctx is not None else "autodata"
    return _refuse(f"{error.format_message().rstrip('.')}; see: {command} --help")
