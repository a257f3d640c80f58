"""autodata verify: one answer against one reference."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from autodata_dspy.cli.audit import Lm, build


def command(
    name: Annotated[str, typer.Argument(help="A name that `autodata list verifiers` shows.")],
    answer: Annotated[str, typer.Option(help="What is checked; for a check of challenges or data, JSON.")],
    gold: Annotated[str, typer.Option(help="The reference: an answer, tests, a rubric, a source.")] = "",
    context: Annotated[str, typer.Option(help="The question, or what else the check needs.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
    lm: Lm = None,
) -> None:
    """Check one answer and say why. Exit code 0: it passes; 1: it does not; 3: undecided."""
    verifier = build(name, lm)
    verdict = verifier.verify(_subject(verifier.checks, answer), gold, context)
    words = ("equal", "different") if gold else ("passes", "fails")
    outcome = "undecided" if verdict.score is None else words[not verdict.passed]
    if as_json:
        from autodata_dspy.types import to_dict

        print(json.dumps({"outcome": outcome, **to_dict(verdict)}, ensure_ascii=False, default=str))
    else:
        partly = "" if verdict.score in (None, 0.0, 1.0) else f" (score {verdict.score:.2f})"
        why = verdict.feedback.removeprefix("undecided: ")
        print(f"{outcome}{partly}" + (f": {why}" if why else ""))
    raise typer.Exit(3 if verdict.score is None else 0 if verdict.passed else 1)


def _subject(checks: str, text: str) -> Any:
    from autodata_dspy.errors import ConfigError
    from autodata_dspy.subjects import as_challenge

    if checks == "answer":
        return text
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    subject = as_challenge(data) if checks == "challenge" else data if isinstance(data, list) else None
    if subject is None:
        what = '{"question": …, "answer": …}' if checks == "challenge" else "[row, …]"
        raise ConfigError(f"this verifier checks a {checks}: give --answer as JSON, such as {what}, not {text[:60]!r}")
    return subject
