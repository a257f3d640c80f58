"""The card of a program: what it is, how it was made, what it scored and cost, and its prompts.

Texts that a model or a stranger wrote stand in indented blocks or go through `_cell`, which leaves them no power.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from autodata_dspy.program_file import Candidate, Measured, Program
from autodata_dspy.program_text import prompts

_MARKUP = re.compile(r"([\\`*_\[\]<>|~&$#])")
_LIMIT = 200


def card(program: Program, name: str) -> str:
    """The Markdown text of a card; tables that would be empty are left out."""
    return "\n".join(_lines(program, name)) + "\n"


def _lines(program: Program, name: str) -> Iterator[str]:
    made = program.card
    yield f"# {_cell(name)}\n"
    yield f"A program for autodata-dspy: {_cell(program.generator)} on {_cell(program.domain or 'any domain')}."
    if made.verdict:
        yield f"\n{_cell(made.verdict)}"
    yield from _table("How it was made", ("what", "value"), _facts(program))
    yield from _table("Roles", ("role", "model", "parameters"), _roles(program))
    scores = ((what, *_measured(score)) for what, score in made.scores.items())
    yield from _table("Scores", ("what", "value", "interval", "n"), scores)
    yield from _table("Spend", ("what", "amount"), ((k, _number(v)) for k, v in made.spend.items()))
    yield from _table("Hashes", ("of", "hash"), made.hashes.items())
    yield from _table("Versions", ("package", "version"), made.versions.items())
    rows = ((i, *_row(candidate)) for i, candidate in enumerate(made.lineage))
    yield from _table("Candidates", ("number", "from", "score", "note"), rows)
    yield "\n## Prompts\n"
    yield from _block(prompts(program))
    if any(candidate.instructions for candidate in made.lineage):
        yield "\n## Instructions of the candidates"
    for number, candidate in enumerate(made.lineage):
        for predictor, text in candidate.instructions.items():
            yield f"\nCandidate {number}, {_cell(predictor)}:\n"
            yield from _block(text)


def _facts(program: Program) -> Iterator[tuple[str, Any]]:
    made = program.card
    yield from program.options.given().items()
    if program.paper_form:
        yield "paper_form", True
    if program.task:
        yield "task", program.task.get("name", "")
    if program.adapter:
        yield "adapter", program.adapter
    yield from ((k, v) for k in ("optimizer", "metric") if (v := getattr(made, k)))
    yield from ((f"argument {k}", v) for k, v in made.arguments.items())
    if made.seed is not None:
        yield "seed", made.seed
    for name, prompt in program.predictors.items():
        yield f"demonstrations of {name}", len(prompt.demos)


def _roles(program: Program) -> Iterator[tuple[str, str, str]]:
    for role, used in program.roles.items():
        yield role, used.model, ", ".join(f"{k}={v}" for k, v in used.parameters.items())


def _measured(score: Measured) -> tuple[str, str, Any]:
    interval = "" if score.low is None or score.high is None else f"{_number(score.low)} to {_number(score.high)}"
    return _number(score.value), interval, "" if score.n is None else score.n


def _row(candidate: Candidate) -> tuple[str, str, str]:
    score = "" if candidate.score is None else _number(candidate.score)
    return ", ".join(map(str, candidate.parents)), score, candidate.note


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.4g}"


def _table(title: str, header: tuple[str, ...], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    lines = ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    if lines:
        yield f"\n## {title}\n"
        yield "| " + " | ".join(header) + " |"
        yield "| " + " | ".join("---" for _ in header) + " |"
        yield from lines


def _cell(value: Any) -> str:
    """A text of any origin as one line of Markdown that shows it and does nothing else."""
    line = "".join(c if c.isprintable() else "\ufffd" for c in " ".join(str(value).split()))
    return _MARKUP.sub(r"\\\1", line if len(line) <= _LIMIT else line[: _LIMIT - 1] + "…")


def _block(text: str) -> Iterator[str]:
    """An indented block: nothing that stands in one can end it."""
    for line in text.splitlines():
        yield "    " + "".join(c if c.isprintable() or c == "\t" else "\ufffd" for c in line)
