"""autodata audit-metric: is a metric's signal clean enough to compile on?"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from autodata_dspy.domains.base import Domain
    from autodata_dspy.probes import Probe


def command(
    metric: Annotated[
        list[str], typer.Option(help="A name that `autodata list metrics` shows; NAME=WEIGHT several times for a mix.")
    ],
    examples: Annotated[Path, typer.Option(help="An exported .jsonl file, or a run folder.")],
    domain: Annotated[str, typer.Option(help="See `autodata list domains`.")],
    task: Annotated[str | None, typer.Option(help="A TOML file with the labels (domain legal_labels).")] = None,
    probe: Annotated[Path | None, typer.Option(help="JSON lines of real items: {id, question, answer, …}.")] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", help="PROBE_LABEL=LABEL, where they differ; may be given several times."),
    ] = None,
    verifier: Annotated[str | None, typer.Option(help="Scores a student's answers instead of the domain's.")] = None,
    lm: Annotated[list[str] | None, typer.Option("--lm", help="ROLE=MODEL; may be given several times.")] = None,
    draws: Annotated[int, typer.Option(min=2, help="Data sets of each kind.")] = 5,
    repeats: Annotated[int, typer.Option(min=1, help="Measurements that a compilation would average.")] = 1,
    hoped: Annotated[float, typer.Option(min=0.001, max=1.0, help="The difference that you hope to find.")] = 0.05,
    seed: Annotated[int, typer.Option(min=0, help="Of every draw.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Measure a metric's noise, and its response to data sets that are known to be worse."""
    from autodata_dspy.errors import StopRun
    from autodata_dspy.example_files import read_examples
    from autodata_dspy.metric_audit import audit_metric
    from autodata_dspy.probes import Probe

    made, subject = read_examples(examples), _domain(domain, task)
    items = Probe.read(probe, labels=_pairs(label, "--label", "PROBE_LABEL=LABEL")) if probe else None
    built = _metric(metric, items, subject, verifier, lm)
    watch = _show if sys.stderr.isatty() else None
    try:
        found = audit_metric(
            built, made, labels=list(subject.labels), draws=draws, repeats=repeats, hoped=hoped, seed=seed, watch=watch
        )
    except StopRun as stop:
        raise stop.cause from None
    if as_json:
        print(json.dumps(found.to_dict(), ensure_ascii=False, indent=1))
        return
    for line in found.lines():
        print(line)


def _domain(name: str, task: str | None) -> Domain:
    from autodata_dspy import registry
    from autodata_dspy.errors import ConfigError
    from autodata_dspy.labelled_task import read_task

    domain = registry.load("domains", name)
    if task is None:
        return domain
    if domain.for_task is None:
        raise ConfigError(f"the domain {name!r} takes no task; leave out --task, or name the domain 'legal_labels'")
    return domain.for_task(read_task(task))


def _metric(names: list[str], probe: Probe | None, domain: Domain, verifier: str | None, lm: list[str] | None) -> Any:
    from autodata_dspy import registry
    from autodata_dspy.config import parse_lm_flags
    from autodata_dspy.errors import ConfigError
    from autodata_dspy.metrics import make
    from autodata_dspy.roles import Roles

    given = {
        "probe": probe,
        "domain": domain,
        "roles": Roles(**parse_lm_flags(lm or [])),
        "verifier": registry.load("verifiers", verifier)() if verifier else None,
    }
    if len(names) == 1 and "=" not in names[0]:
        return make(names[0], **given)
    parts = {}
    for name, weight in _pairs(names, "--metric", "NAME=WEIGHT").items():
        try:
            parts[make(name, **given)] = float(weight)
        except ValueError:
            raise ConfigError(f"--metric {name}={weight}: the weight is a number, such as {name}=0.5") from None
    return make("weighted", parts=parts)


def _pairs(values: list[str] | None, flag: str, form: str) -> dict[str, str]:
    from autodata_dspy.errors import ConfigError

    for value in values or []:
        if not all(part.strip() for part in value.partition("=")):
            raise ConfigError(f"{flag} {value}: expected {form}")
    return {left.strip(): right.strip() for left, _, right in (v.partition("=") for v in values or [])}


def _show(done: int, n: int) -> None:
    print(f"\r{done} of {n}", end="\n" if done == n else "", file=sys.stderr, flush=True)
