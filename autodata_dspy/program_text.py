"""A program as plain text, for use without this package, and what differs between two."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from typing import Any

from autodata_dspy.program_file import Program, Prompt


def prompts(program: Program) -> str:
    """Instructions, fields and demonstrations of every predictor."""
    lines = [f"{program.generator} on {program.domain or 'any domain'}"]
    for name, prompt in program.predictors.items():
        lines += ["", f"=== {name} ===", *_told(prompt)]
    return "\n".join(lines)


def difference(before: Program, after: Program, names: tuple[str, str]) -> str:
    """What changed from one program to another, as a unified diff of their texts and options; "" if nothing did."""
    lines = difflib.unified_diff(_compared(before), _compared(after), *names, lineterm="", n=2)
    return "\n".join(lines)


def _compared(program: Program) -> list[str]:
    options = [f"{name}: {_text(value)}" for name, value in program.options.given().items()]
    options += ["paper_form: true"] * program.paper_form
    return [*options, *prompts(program).splitlines()]


def _told(prompt: Prompt) -> Iterator[str]:
    yield prompt.instructions
    for title, fields in (("Given", prompt.inputs), ("Write", prompt.outputs)):
        if fields:
            yield f"\n{title}:"
            yield from (f"- {field}: {said}".rstrip(": ") for field, said in fields.items())
    for number, demo in enumerate(prompt.demos, 1):
        yield f"\nExample {number}:"
        yield from (f"{field}: {_text(demo[field])}" for field in prompt.fields if field in demo)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
