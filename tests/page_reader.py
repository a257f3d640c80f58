"""Reads a page of results as a browser would: what is well formed, what it refers to, what its plots say."""

from __future__ import annotations

import html.parser
import re
from dataclasses import dataclass, field

VOID = {"meta", "link", "line", "polyline"}
TAGS = VOID | set(
    "html head title style body h1 h2 p ul li div figure figcaption svg desc text path table thead tbody tr th td dl dt "
    "dd code pre details summary".split()
)
NAMES = set(
    "lang charset http-equiv content name rel href class role viewbox aria-labelledby id x y x1 x2 y1 y2 d points "
    "text-anchor tabindex scope".split()
)
LETTER = 6.4  # units, of text in a plot


@dataclass
class Plot:
    """An SVG: title, description, and (left, right, foot, words) of every text in it."""

    height: float
    title: str = ""
    desc: str = ""
    texts: list[tuple[float, float, float, str]] = field(default_factory=list)


class Page(html.parser.HTMLParser):
    """`Page(text)`. Raises AssertionError for what is not well formed, could run, or comes from elsewhere."""

    def __init__(self, page: str):
        super().__init__()
        self.open: list[tuple[str, dict[str, str]]] = []
        self.plots: list[Plot] = []
        self.texts: list[str] = []
        self.ids: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == [] and len(self.ids) == len(set(self.ids)) == 2 * len(self.plots)

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        assert tag in TAGS and given.keys() <= NAMES, (tag, given)
        assert given.get("href", "data:,") == "data:," and "//" not in "".join(given.values()), given
        self.ids += [given["id"]] if "id" in given else []
        if tag == "svg":
            assert given["role"] == "img"
            self.plots.append(Plot(float(given["viewbox"].split()[3])))
            self.named = given["aria-labelledby"].split()
        if tag not in VOID:
            self.open.append((tag, given))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop()[0] == tag
        if tag == "svg":
            assert self.named == self.ids[-2:]

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    def handle_data(self, data):
        tag, given = self.open[-1] if self.open else ("", {})
        self.texts.append(data)
        if tag == "style":
            assert not re.search(r"url|@import|expression", data)
        elif "svg" in [name for name, _ in self.open]:
            plot = self.plots[-1]
            if tag == "text":
                width = LETTER * len(data)
                left = float(given["x"]) - width * ("start", "middle", "end").index(given["text-anchor"]) / 2
                plot.texts.append((left, left + width, float(given["y"]), data))
            elif tag == "desc" or (tag == "title" and "id" in given):
                setattr(plot, tag, data)


def crowded(plot: Plot) -> list[str]:
    """Texts of a plot that leave it or cover each other, at about the width that they have."""
    found = [words for left, right, foot, words in plot.texts if left < 0 or right > 361 or not 9 < foot < plot.height]
    for place, (left, right, foot, words) in enumerate(plot.texts):
        for start, end, other, said in plot.texts[place + 1 :]:
            if left < end and start < right and abs(foot - other) < 11:
                found.append(f"{words} | {said}")
    return found
