"""The results of a suite as one HTML page: plots, tables and what made them; it needs nothing but itself."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from autodata_dspy.benchmarking.page_style import STYLE
from autodata_dspy.benchmarking.plots import Axis, Point, Series, around, interval_plot, text, xy_plot
from autodata_dspy.benchmarking.tables import (
    NAMES,
    arm_rows,
    comparison_rows,
    comparisons_told,
    notes,
    reference_rows,
    seeds_told,
    size_rows,
)

DIFFERENT = ("better", "worse")  # verdicts
MEASURES = {**NAMES, "acceptance": "accepted of rounds"}
SHARES = (0.0, 1.0)
_FAR = 8  # times the least from which costs are shown on a logarithmic axis
_APART = 5.0
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
Row = Mapping[str, Any]


def page(results: Row) -> str:
    """The whole page.

    Args:
        results: see `results.results`; nothing in it is taken for markup.
    """
    title = f"autodata bench: {results['suite']}"
    seeds = seeds_told(len(results["seeds"]))
    numbers = iter(range(1, 100_000))
    parts = [f"<h1>{text(title)}</h1>", f'<p class="soft">{text(seeds)}. Intervals are 95 %.</p>']
    for comparison, amount in results["budget"].items():
        for domain in dict.fromkeys(arm["domain"] for arm in results["arms"]):
            parts.append(f"<h2>{text(domain)}: {text(amount)} {text(comparison)} for each arm and seed</h2>")
            parts += _section(results, comparison, domain, numbers)
    if results["comparisons"]:
        told = comparisons_told(len(results["comparisons"]))
        parts += ["<h2>All comparisons</h2>", _table(comparison_rows(results["comparisons"])), f"<p>{text(told)}</p>"]
    parts += ["<h2>How it was made</h2>", *_origin(results)]
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{text(title)}</title><style>{STYLE}</style>"
    )
    body = "\n".join(parts)
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'


def _section(results: Row, comparison: str, domain: str, numbers: Iterator[int]) -> list[str]:
    """One comparison in one domain: what was found in words, its plots, its tables."""
    here = {"comparison": comparison, "domain": domain}
    arms, cells, found = (
        [row for row in results[part] if here.items() <= row.items()] for part in ("arms", "cells", "comparisons")
    )
    lines = [line for line in results["references"] if line["domain"] == domain]
    colours = {name: place for place, name in enumerate(dict.fromkeys(arm["arm"] for arm in results["arms"]))}
    plots = _Plots(arms, cells, lines, colours, numbers)
    parts = [*_verdicts(found), '<div class="plots">', *plots.all(comparison), "</div>"]
    parts.append(_table([*arm_rows(arms), *reference_rows(lines, arms)]))
    parts += [f"<p>{text(line)}.</p>" for line in notes(arms)]
    if any(arm.get("by_size") for arm in arms):
        parts.append(_table(size_rows(arms)))
    return parts


def _verdicts(found: Sequence[Row]) -> Iterator[str]:
    """The differences in words; what is no evidence of one is counted, and told where somebody unfolds it."""
    differ, others = ([row for row in found if (row["verdict"] in DIFFERENT) is wanted] for wanted in (True, False))
    if differ:
        yield _list(differ)
    if others:
        told = f"no evidence of a difference in {len(others)} of {len(found)} comparisons"
        yield f"<details><summary>{told}</summary>{_list(others)}</details>"


def _list(rows: Iterable[Row]) -> str:
    return "<ul>" + "".join(f"<li>{text(_sentence(row))}</li>" for row in rows) + "</ul>"


def _sentence(row: Row) -> str:
    said = f"{row['arm']} against {row['than']}, {NAMES[row['measure']]}: {row['verdict']}"
    if row["value"] is None:
        return said
    return f"{said} ({row['value']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}], p = {row['adjusted']:.3f})"


class _Plots:
    """The plots of one comparison in one domain; `numbers` tell the plots of a page apart."""

    def __init__(
        self,
        arms: Sequence[Row],
        cells: Sequence[Row],
        lines: Sequence[Row],
        colours: Mapping[str, int],
        numbers: Iterator[int],
    ):
        self.arms, self.cells, self.colours, self.numbers = arms, cells, colours, numbers
        self.end = max(arm["generation"] for arm in arms)
        self.last = [arm for arm in arms if arm["generation"] == self.end]
        self.held_to = [line for line in lines if line["test"]["value"] is not None]

    def all(self, comparison: str) -> Iterator[str]:
        yield from self.intervals()
        yield from self.costs("calls" if comparison == "calls" else "tokens")
        yield from self.sizes()
        yield from self.rounds()
        yield from self.generations()
        yield from self.gaps()

    def intervals(self) -> Iterator[str]:
        """Arms with intervals, a plot for each measure; of the last generation."""
        for measure, name in MEASURES.items():
            rows = [
                Series(arm["arm"], (_point(0, arm[measure]),), self.colours[arm["arm"]])
                for arm in self.last
                if _known(arm, measure)
            ]
            if not rows:
                continue
            if measure == "test":
                rows += [Series(line["line"], (_point(0, line["test"]),)) for line in self.held_to]
            points = [row.points[0] for row in rows]
            span = around([v for p in points for v in (p.y, p.low, p.high)], (0.0,) if measure == "gap" else SHARES)
            yield interval_plot(next(self.numbers), _titled(name, self.last), rows, span)

    def costs(self, unit: str) -> Iterator[str]:
        """Quality against what an example takes."""
        for measure in ("test", "valid"):
            rows = [
                self.row(arm, [_point(arm["per_example"][unit], arm[measure], f"{unit} per example")])
                for arm in self.last
                if _known(arm, measure) and arm["per_example"][unit]
            ]
            if rows:
                costs = [row.points[0].x for row in rows]
                log = max(costs) > _FAR * min(costs)
                span = (min(costs) / 1.5, max(costs) * 1.5) if log else (0.0, max(costs) * 1.1)
                x = Axis(f"{unit} per accepted example", *span, log=log)
                title = f"{_titled(NAMES[measure], self.last)} against {unit} per example"
                yield self.xy(title, rows, x, measure)

    def sizes(self) -> Iterator[str]:
        """The learning curve: students of the first so many examples, and of all."""
        rows = []
        for arm in self.last:
            if arm.get("by_size"):
                found = [*arm["by_size"], [arm["kept"] / arm["n_seeds"], arm["test"]]]
                points = [_point(n, score, "examples") for n, score in found if score["value"] is not None]
                rows.append(self.row(arm, sorted(points, key=lambda p: p.x)))
        if any(row.points for row in rows):
            x = Axis("examples that students learn from", 0.0, 1.05 * max(p.x for row in rows for p in row.points))
            yield self.xy(f"Learning curve: {_titled(NAMES['test'], self.last)}", rows, x, "test", connected=True)

    def rounds(self) -> Iterator[str]:
        """Quality over the rounds within a document."""
        n = max(len(arm["by_round"]) for arm in self.last)
        for measure in ("acceptance", "valid", "gap") if n > 1 else ():
            rows = []
            for arm in self.last:
                known = [each for each in arm["by_round"] if each[measure]["value"] is not None and each["drafts"]]
                points = [_point(e["round"], e[measure], f"round, {e['drafts']} drafts") for e in known]
                rows.append(self.row(arm, points))
            if any(row.points for row in rows):
                x = Axis("round within a document", 0.7, n + 0.3, whole=True)
                yield self.xy(f"Over rounds: {MEASURES[measure]}", rows, x, measure, connected=True)

    def generations(self) -> Iterator[str]:
        """The collapse curves."""
        for measure in (*MEASURES, "diversity") if self.end else ():
            rows = []
            for name in dict.fromkeys(arm["arm"] for arm in self.arms):
                own = [arm for arm in self.arms if arm["arm"] == name and _known(arm, measure)]
                points = [_point(arm["generation"], _estimate(arm[measure]), "generation") for arm in own]
                rows.append(Series(name, tuple(points), self.colours[name]))
            if any(row.points for row in rows):
                x = Axis("generation", -0.3, self.end + 0.3, whole=True)
                title = f"Over generations: {MEASURES.get(measure, measure)}"
                yield self.xy(title, rows, x, measure, connected=True)

    def gaps(self) -> Iterator[str]:
        """Weak against strong mean of each example; the same pairs of one arm are one mark, arms stand side by side."""
        rows = []
        for arm in self.last:
            pairs: Counter[tuple[float, float]] = Counter()
            for cell in self.cells:
                if (cell["arm"], cell["generation"]) == (arm["arm"], arm["generation"]):
                    both = zip(cell["examined"]["weak"], cell["examined"]["strong"], strict=True)
                    pairs.update((w, s) for w, s in both if w is not None and s is not None)
            points = [
                Point(w, s, told=f"{n} with weak {w:.2f} and strong {s:.2f}", size=min(9.0, 2 + 1.2 * n**0.5))
                for (w, s), n in sorted(pairs.items())
            ]
            rows += [self.row(arm, points)] if points else []
        if rows:
            room = 0.06 + 0.01 * len(rows)
            x, y = Axis("weak solver's mean", -room, 1 + room), ("strong solver's mean", -0.06, 1.06)
            title = "Each example, weak against strong (on the line: no gap)"
            yield xy_plot(next(self.numbers), title, rows, x, y, diagonal=True, apart=_APART)

    def row(self, arm: Row, points: Sequence[Point]) -> Series:
        return Series(arm["arm"], tuple(points), self.colours[arm["arm"]])

    def xy(self, title: str, rows: Sequence[Series], x: Axis, measure: str, *, connected: bool = False) -> str:
        """A plot of one measure, in which test scores are held to the lines of reference."""
        held_to = [(line["line"], line["test"]["value"]) for line in self.held_to] if measure == "test" else []
        values = [v for row in rows for p in row.points for v in (p.y, p.low, p.high)]
        low, high = around(values, (0.0,) if measure == "gap" else SHARES)
        y = (MEASURES.get(measure, measure), low, high)
        rows = [row for row in rows if row.points]
        apart = _APART if connected else 0.0
        return xy_plot(next(self.numbers), title, rows, x, y, connected=connected, held_to=held_to, apart=apart)


def _known(arm: Row, measure: str) -> bool:
    return measure in arm and _estimate(arm[measure])["value"] is not None


def _estimate(found: Any) -> Row:
    """Diversity has no interval."""
    return found if isinstance(found, Mapping) else {"value": found, "low": None, "high": None}


def _point(x: float, found: Row, unit: str = "") -> Point:
    value, low, high = (found[k] for k in ("value", "low", "high"))
    told = f"{value:.3f}" + (f" [{low:.3f}, {high:.3f}]" if low is not None else "")
    return Point(x, value, low, high, f"{x:g} {unit}: {told}" if unit else told)


def _titled(name: str, arms: Sequence[Row]) -> str:
    """The name of a measure; of the test with how it is scored."""
    score = next((arm["measure"] for arm in arms if "measure" in arm), "")
    return f"{name} ({score})" if name == NAMES["test"] and score else name


def _table(rows: Iterable[Sequence[str]]) -> str:
    head, *body = rows
    columns = "".join(f'<th scope="col">{text(cell)}</th>' for cell in head)
    lines = "".join("<tr>" + "".join(f"<td>{_cell(cell)}</td>" for cell in row) + "</tr>\n" for row in body)
    return (
        f'<div class="wide" tabindex="0"><table><thead><tr>{columns}</tr></thead>\n<tbody>{lines}</tbody></table></div>'
    )


def _cell(value: str) -> str:
    """Lines do not break within an interval."""
    return re.sub(r"(?<=\d), (?=[+-]?[\d.]+\])", ",\N{NO-BREAK SPACE}", text(value))


def _origin(results: Row) -> Iterator[str]:
    """Command, settings, seeds, versions, machine, hashes, models, and every look at the test."""
    models = {arm["arm"]: arm["models"] for arm in results["arms"]}
    told = {
        "command": results["command"] or "made in Python",
        "seeds": ", ".join(map(str, results["seeds"])),
        "budget": ", ".join(f"{amount} {name}" for name, amount in results["budget"].items()),
        "versions": ", ".join(f"{name} {version}" for name, version in results["versions"].items()),
        "machine": ", ".join(f"{name} {value}" for name, value in results["machine"].items()),
    }
    yield (
        "<dl>"
        + "".join(f"<dt>{name}</dt><dd><code>{text(value)}</code></dd>" for name, value in told.items())
        + "</dl>"
    )
    for name, value in (("settings", results["config"]), ("hashes", results["hashes"]), ("models", models)):
        shown = json.dumps(value, indent=1, ensure_ascii=False)
        yield f"<details><summary>{name}</summary><pre>{text(shown)}</pre></details>"
    looks = [("who", "test", "data"), *([look[k] for k in ("who", "test", "data")] for look in results["touches"])]
    yield f"<details><summary>every look at test items</summary>{_table(looks)}</details>"
