"""Audit every verifier on its golden cases and write the figures down: `python benchmarks/verifiers.py`.

Writes results/verifiers.json, the table in README.md, and the `Audited:` line of each verifier's docstring. `--check`
audits nothing and fails where table or docstrings differ from the results. `--judge MODEL` also measures the judges,
which ask a model: on those golden cases that come without a scripted output.

The golden cases were chosen to be hard and to show every known trap; the rates are not those of everyday data.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import platform
import re
import sys
from pathlib import Path
from typing import Any

from autodata_dspy import registry
from autodata_dspy.audit import audit, read_cases
from autodata_dspy.roles import Roles

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "tests" / "golden"
RESULTS = HERE / "results" / "verifiers.json"
README = HERE / "README.md"
BEGIN, END = "<!-- verifiers: begin, written by verifiers.py -->", "<!-- verifiers: end -->"
KEPT = (
    "n", "precision", "precision_interval", "recall", "recall_interval", "undecided_rate", "undecided_rate_interval",
    "accuracy", "false_positives", "false_negatives", "missed", "overconfident", "ms_median", "ms_median_interval",
    "ms_p99",
)  # fmt: skip
JUDGES = ("rubric_judge", "answer_judge")


def measured(name: str, judge: str | None) -> dict[str, Any]:
    """The audit of one verifier, as plain data."""
    plugin, path = registry.load("verifiers", name), GOLDEN / f"{name}.jsonl"
    cases = read_cases(path)
    if name in JUDGES:
        scripted = ["says" in json.loads(line) for line in path.read_text("utf-8").split("\n") if line]
        cases = [c for c, s in zip(cases, scripted, strict=True) if not s and c.expected is not None]
        return {"judge": judge, **_kept(audit(plugin(Roles(judge=judge)), cases, watch=_show).to_dict())}
    return _kept(audit(plugin(), cases).to_dict())


def _kept(found: dict[str, Any]) -> dict[str, Any]:
    return {key: _rounded(found[key]) for key in KEPT}


def _rounded(value: Any) -> Any:
    if isinstance(value, list):
        return [_rounded(v) for v in value]
    return round(value, 4) if isinstance(value, float) else value


def _show(done: int, n: int) -> None:
    print(f"\r{done} of {n}", end="\n" if done == n else "", file=sys.stderr, flush=True)


def table(results: dict[str, Any]) -> str:
    """The generated table, between its marks."""
    lines = [
        BEGIN,
        "| verifier | hard cases | precision | recall | undecided | false passes | ms, median | ms, 99 % |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, r in sorted(results.items()):
        by = f" ({r['judge']})" if "judge" in r else ""
        rates = " | ".join(_rate(r, key) for key in ("precision", "recall", "undecided_rate"))
        ms = f"{r['ms_median']:.3g} | {r['ms_p99']:.3g}"
        lines.append(f"| {name}{by} | {r['n']} | {rates} | {r['false_positives']} | {ms} |")
    return "\n".join([*lines, END])


def _rate(r: dict[str, Any], name: str) -> str:
    if r[name] is None:
        return "–"
    low, high = r[f"{name}_interval"]
    return f"{r[name]:.3f} [{low:.3f}, {high:.3f}]"


def sentence(name: str, r: dict[str, Any]) -> str:
    """The line that stands in a verifier's docstring."""
    by = f" by {r['judge']}" if "judge" in r else ""
    shown = {k: "–" if r[k] is None else f"{r[k]:.3f}" for k in ("precision", "recall", "undecided_rate")}
    return (
        f"Audited{by} on {r['n']} hard cases (benchmarks/README.md): precision {shown['precision']}, "
        f"recall {shown['recall']}, undecided {shown['undecided_rate']}."
    )


def module_of(name: str) -> Path:
    return Path(inspect.getfile(importlib.import_module(f"autodata_dspy.verifiers.{name}")))


_LINE = re.compile(r"^    Audited[^\n]*\n(?:    precision[^\n]*\n)?", re.MULTILINE)


def documented(source: str, line: str) -> str:
    """A module's source with the `Audited` paragraph of its plugin's docstring replaced by `line`, in two lines."""
    cut = line.index(": ", line.index("README.md")) + 1
    return _LINE.sub(lambda _: f"    {line[:cut]}\n    {line[cut + 1 :]}\n", source, count=1)


def differences(results: dict[str, Any]) -> list[str]:
    """What does not say what the results say."""
    wrong = [] if table(results) in README.read_text("utf-8") else [f"{README.name}: the table of the verifiers"]
    for name, r in results.items():
        source = module_of(name).read_text("utf-8")
        if not _LINE.search(source) or documented(source, sentence(name, r)) != source:
            wrong.append(f"{name}: the Audited line of its docstring")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--judge", help="a model string, such as embedded/qwen2.5-coder-1.5b")
    given = parser.parse_args()
    stored = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {"verifiers": {}}
    if not given.check:
        names = [n for n in registry.names("verifiers") if n not in JUDGES] + list(JUDGES if given.judge else ())
        found = {name: measured(name, given.judge) for name in names}
        kept = {name: r for name, r in stored["verifiers"].items() if name in JUDGES}
        stored = {"python": platform.python_version(), "verifiers": dict(sorted((kept | found).items()))}
        RESULTS.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
        text = README.read_text("utf-8")
        start, end = text.index(BEGIN), text.index(END) + len(END)
        README.write_text(text[:start] + table(stored["verifiers"]) + text[end:], encoding="utf-8")
        for name, r in stored["verifiers"].items():
            path = module_of(name)
            path.write_text(documented(path.read_text("utf-8"), sentence(name, r)), encoding="utf-8")
    wrong = differences(stored["verifiers"])
    print("\n".join(wrong) or f"{len(stored['verifiers'])} verifiers: table and docstrings are those of the results")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
