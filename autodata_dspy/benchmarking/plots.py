"""Plots as SVG, written out by hand: no script, no font, nothing from elsewhere; what strangers wrote is escaped.

A plot is 360 units wide, so that its text is readable on a telephone and several stand side by side on a screen.
Colours are classes (c0 … c7, see `page_style`), marks differ too, and every plot says in words what it shows.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from autodata_dspy.report.narrative import printable

WIDTH = 360
N_COLOURS = 8
_TOP, _FOOT = 26.0, 210.0
_LETTERS = 33  # of a name that fit beside its figure
_LEGEND = 16


@dataclass(frozen=True)
class Point:
    """A value with its interval, if it has one.

    Attributes:
        told: what it is, in words.
        size: radius of its mark.
    """

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    told: str = ""
    size: float = 4.0


@dataclass(frozen=True)
class Series:
    """What belongs together in a plot; `colour` is the place of an arm among the arms, None what they are held to."""

    name: str
    points: tuple[Point, ...]
    colour: int | None = None


@dataclass(frozen=True)
class Axis:
    """From `low` to `high` (`low` < `high`; above 0 where `log`; `whole` numbers), drawn from `start` to `end`."""

    name: str
    low: float
    high: float
    log: bool = False
    whole: bool = False
    start: float = 40.0
    end: float = 350.0

    def at(self, value: float) -> float:
        low, high, value = (math.log10(v) if self.log else v for v in (self.low, self.high, value))
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        if self.log:
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            found = [10.0**decade * step for decade in decades for step in (1, 2, 5)]
        else:
            rough = max((self.high - self.low) / 5, float(self.whole))
            unit = 10.0 ** math.floor(math.log10(rough))
            step = next(unit * k for k in (1, 2, 5, 10) if unit * k >= rough)
            found = [step * k for k in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)]
        return [value for value in found if self.low <= value <= self.high]


def around(values: Iterable[float | None], least: Sequence[float] = ()) -> tuple[float, float]:
    """The least and the greatest of all values, of which None are left out; never the same."""
    known = [v for v in (*values, *least) if v is not None]
    low, high = min(known), max(known)
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def text(value: object) -> str:
    """As text of a page: nothing in it is markup."""
    return html.escape(printable(str(value)))


def interval_plot(number: int, title: str, rows: Sequence[Series], span: tuple[float, float]) -> str:
    """A row for each series: its name, its first point's `y` and the interval of that."""
    axis, height = Axis("", *span, start=10.0, end=350.0), 34 * len(rows) + 8
    parts = [_tick(axis.at(v), height, v, upright=True) for v in axis.ticks()]
    for place, row in enumerate(rows):
        point, y = row.points[0], 34 * place + 26
        parts.append(_words(10, y - 10, _short(row.name)))
        parts.append(_words(350, y - 10, _figures(point), "end"))
        if point.low is not None and point.high is not None:
            parts.append(_line(axis.at(point.low), y, axis.at(point.high), y, f"bar {_kind(row)}"))
        parts.append(_mark(row, axis.at(point.y), y, point))
    return _figure(number, title, rows, "".join(parts), height + 18)


def xy_plot(
    number: int,
    title: str,
    rows: Sequence[Series],
    x: Axis,
    y: tuple[str, float, float],
    *,
    connected: bool = False,
    held_to: Sequence[tuple[str, float]] = (),
    diagonal: bool = False,
    apart: float = 0.0,
) -> str:
    """Points with upright intervals.

    Args:
        y: name, least and greatest value of the upright axis.
        connected: the points of a series by a line.
        held_to: names and heights of lines across the plot.
        diagonal: a line along which both axes are the same.
        apart: units by which series stand side by side where their points would cover each other.
    """
    up = Axis(*y, start=_FOOT, end=_TOP)
    parts = [_tick(x.at(v), _FOOT, v, upright=True) for v in x.ticks()]
    parts += [_tick(up.at(v), x.start, v, upright=False) for v in up.ticks()]
    parts += [_words(4, 14, up.name), _words(350, _FOOT + 32, x.name, "end")]
    if diagonal:
        low, high = max(x.low, up.low), min(x.high, up.high)
        parts.append(_line(x.at(low), up.at(low), x.at(high), up.at(high), "axis"))
    lines = [Series(name, (Point(0, value, told=f"{value:.3f}"),)) for name, value in held_to]
    for place, line in enumerate(lines):
        height = up.at(line.points[0].y)
        parts.append(_line(x.start, height, x.end, height, f"ref dash{place % 2}"))
    for place, row in enumerate(rows):
        aside = apart * (place - (len(rows) - 1) / 2)
        at = [(x.at(p.x) + aside, up.at(p.y)) for p in row.points]
        if connected and len(at) > 1:
            places = " ".join(f"{across:.1f},{height:.1f}" for across, height in at)
            parts.append(f'<polyline class="path {_kind(row)}" points="{places}"/>')
        for (across, height), p in zip(at, row.points, strict=True):
            if p.low is not None and p.high is not None:
                parts.append(_line(across, up.at(p.low), across, up.at(p.high), f"bar upright {_kind(row)}"))
            parts.append(_mark(row, across, height, p))
    foot = _FOOT + 52
    for place, row in enumerate([*rows, *lines]):
        parts.append(_legend(row, foot + _LEGEND * place, f"ref dash{(place - len(rows)) % 2}"))
    return _figure(number, title, [*rows, *lines], "".join(parts), foot + _LEGEND * (len(rows) + len(lines)))


def _figure(number: int, title: str, rows: Sequence[Series], body: str, height: float) -> str:
    told = ". ".join(f"{row.name}: {'; '.join(p.told for p in row.points)}" for row in rows)
    return (
        f"<figure><figcaption>{text(title)}</figcaption>"
        f'<svg role="img" viewBox="0 0 {WIDTH} {height:.0f}" aria-labelledby="t{number} d{number}">'
        f'<title id="t{number}">{text(title)}</title><desc id="d{number}">{text(told)}.</desc>{body}</svg></figure>'
    )


def _kind(row: Series) -> str:
    return "ref" if row.colour is None else f"c{row.colour % N_COLOURS}"


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _words(x: float, y: float, said: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text(said)}</text>'


def _tick(place: float, edge: float, value: float, *, upright: bool) -> str:
    """A line of the grid with its number: upright down to `edge`, or from `edge` to the right."""
    kind = "axis" if value == 0 else "grid"
    said = f"{value / 1000:g}k" if abs(value) >= 1000 else f"{value:.4g}"
    if upright:
        return _line(place, 20, place, edge, kind) + _words(place, edge + 15, said, "middle")
    return _line(edge, place, 350, place, kind) + _words(edge - 5, place + 4, said, "end")


def _mark(row: Series, x: float, y: float, point: Point) -> str:
    r, colour = point.size, row.colour or 0
    shapes = (
        f"M{x - r:.1f},{y:.1f}a{r:.1f},{r:.1f} 0 1 0 {2 * r:.1f},0a{r:.1f},{r:.1f} 0 1 0 {-2 * r:.1f},0z",
        f"M{x - r:.1f},{y - r:.1f}h{2 * r:.1f}v{2 * r:.1f}h{-2 * r:.1f}z",
        f"M{x:.1f},{y - 1.2 * r:.1f}l{1.2 * r:.1f},{2 * r:.1f}h{-2.4 * r:.1f}z",
        f"M{x:.1f},{y - 1.4 * r:.1f}l{1.4 * r:.1f},{1.4 * r:.1f}l{-1.4 * r:.1f},{1.4 * r:.1f}"
        f"l{-1.4 * r:.1f},{-1.4 * r:.1f}z",
    )
    shape = shapes[
        (colour + colour // N_COLOURS) % len(shapes)
    ]  # the ninth arm has the first one's colour, not its mark
    told = f"{row.name}: {point.told}" if point.told else row.name
    return f'<path class="mark {_kind(row)}" d="{shape}"><title>{text(told)}</title></path>'


def _legend(row: Series, y: float, dash: str) -> str:
    sign = _line(10, y - 4, 30, y - 4, dash) if row.colour is None else _mark(row, 20, y - 4, Point(0, 0))
    return sign + _words(38, y, _short(row.name, _LETTERS + 12))


def _short(name: str, letters: int = _LETTERS) -> str:
    """Its beginning and its end: what is left out of a program stands there."""
    end = letters * 2 // 3
    return name if len(name) <= letters else f"{name[: letters - end - 1]}…{name[-end:]}"


def _figures(point: Point) -> str:
    interval = "" if point.low is None else f" [{point.low:.2f}, {point.high:.2f}]"
    return f"{point.y:.2f}{interval}"
