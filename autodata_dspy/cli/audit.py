"""autodata audit: how far a verifier can be trusted."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from autodata_dspy.audit import Audit
    from autodata_dspy.verifiers.base import Verifier

Lm = Annotated[
    list[str] | None,
    typer.Option("--lm", help="judge=MODEL, for verifiers that ask a model; may be given several times."),
]


def command(
    verifier: Annotated[str, typer.Argument(help="A name that `autodata list verifiers` shows.")],
    cases: Annotated[Path, typer.Option(help="JSON lines: {a, b, expected, note} or {subject, reference, expected}.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    lm: Lm = None,
) -> None:
    """Measure a verifier on cases whose truth is known: precision, recall, undecided rate, time, confusions."""
    from autodata_dspy.audit import audit, read_cases

    built, known = build(verifier, lm), read_cases(cases)
    found = audit(built, known, watch=_show if sys.stderr.isatty() else None)
    if as_json:
        print(json.dumps(found.to_dict(), ensure_ascii=False, indent=1))
        return
    for line in told(found):
        print(line)


def build(name: str, lm: list[str] | None) -> Verifier:
    """A verifier by name, with the roles that --lm gives, if it takes any.

    Raises:
        ConfigError: an unknown name, or --lm for a verifier that asks no model.
    """
    import inspect

    from autodata_dspy import registry
    from autodata_dspy.config import parse_lm_flags
    from autodata_dspy.errors import ConfigError
    from autodata_dspy.roles import Roles

    plugin = registry.load("verifiers", name)
    if not lm:
        return plugin()
    if "roles" not in inspect.signature(plugin).parameters:
        raise ConfigError(f"the verifier {name!r} asks no model; leave out --lm")
    return plugin(roles=Roles(**parse_lm_flags(lm)))


def _show(done: int, n: int) -> None:
    print(f"\r{done} of {n}", end="\n" if done == n else "", file=sys.stderr, flush=True)


def told(found: Audit) -> list[str]:
    """An audit in plain lines."""
    data = found.to_dict()
    lines = [f"{data['verifier']}: {data['n']} cases"]
    for name in ("precision", "recall", "undecided_rate", "accuracy"):
        low, high = data[f"{name}_interval"]
        value = "      –" if data[name] is None else f"{data[name]:7.2%}"
        lines.append(f"  {name.replace('_', ' '):15} {value}   95 % interval {low:.2%} to {high:.2%}")
    for name in ("ms_median", "ms_p99"):
        low, high = data[f"{name}_interval"]
        lines.append(f"  {name.replace('_', ' '):15} {data[name]:7.2f}   95 % interval {low:.2f} to {high:.2f}")
    counts = ("false_positives", "false_negatives", "missed", "overconfident")
    lines.append("  " + ", ".join(f"{name.replace('_', ' ')}: {data[name]}" for name in counts))
    word = {True: "pass", False: "fail", None: "undecided"}
    for c in found.confusions:
        case = c.case
        lines.append(
            f"  line {case.line}: expected {word[case.expected]}, said {word[c.said]}: "
            f"{_short(case.subject)} against {_short(case.reference)}{f' ({case.why})' if case.why else ''}"
        )
        if c.feedback:
            lines.append(f"    {_short(c.feedback, 200)}")
    return lines


def _short(value: Any, limit: int = 80) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
