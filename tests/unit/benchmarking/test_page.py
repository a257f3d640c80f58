"""The page of a suite's results: one file that needs nothing else, whatever strangers called their things."""

import json
import re

import browser
import page_reader
import pytest
from command_line import refused, run_here

from autodata_dspy.benchmarking.page import page
from autodata_dspy.benchmarking.page_style import STYLE
from autodata_dspy.benchmarking.plots import Axis
from autodata_dspy.benchmarking.results import SCHEMA, results
from autodata_dspy.benchmarking.suite import Suite

HOSTILE = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(2)'>",
    "]]></desc></svg></style><!-- & &lt;b&gt; {not markup}",
    "http://example.com/x.js \x1b[2J \u2028 " + "and a name that goes on and on " * 4,
)


def cell(arm, place, seed, generation, domain):
    """The record of a run: three rounds within a document, the arms one better than the other."""
    n = 2 * (place + 1)
    return {
        **{"key": "k", "mark": "m", "comparison": "tokens", "domain": domain, "arm": arm, "seed": seed},
        **{"generation": generation, "models": {"challenger": HOSTILE[1]}, "rounds": 56, "accepted": n, "kept": n},
        **{"calls": 40, "tokens": 900, "seconds": 5.0, "usd": 0.0, "unpriced": 0, "diversity": 0.8 - 0.1 * generation},
        "by_round": [[50, n - 2], [4, 1], [2, 1]],
        "examined": {
            **{"weak": [0.0] * (n - 1) + [0.5], "strong": [1.0] * (n - 2) + [0.5, None]},
            **{"valid": [1] * (n - 1) + [None], "checked": [None] * n, "round": [0] * (n - 2) + [1, 2]},
        },
    }


def made():
    """Results of everything there is: several seeds, generations, sizes and lines to compare with."""
    suite = Suite.of(
        {
            **{"name": HOSTILE[0], "arms": [{"program": "self_instruct", "name": name} for name in HOSTILE]},
            **{"seeds": 2, "generations": 2, "sizes": [1, 2], "budget": {"tokens": 900}},
            "domains": {HOSTILE[2]: {"documents": HOSTILE[1]}},
        }
    )
    cells = [cell(a, i, s, g, HOSTILE[2]) for i, a in enumerate(HOSTILE) for s in suite.seeds for g in (0, 1)]
    tested = [
        {
            **{
                "comparison": "tokens",
                "domain": HOSTILE[2],
                "arm": a,
                "measure": "mean score",
                "contaminated": [(0, 0), (1, 2)],
            },
            "points": [[g, size, [[1.0] * (i + 1) + [0.0] * (23 - i)] * 2] for g in (0, 1) for size in (1, 2, 0)],
        }
        for i, a in enumerate(HOSTILE)
    ]
    line = {"domain": HOSTILE[2], "line": HOSTILE[0], "measure": "mean score", "n": 3, "items": [1.0, 0.0]}
    hashes = {HOSTILE[2]: {"documents": HOSTILE[2]}}
    looks = [{"who": HOSTILE[3], "test": "t", "data": "d"}]
    found = results(suite, cells, tested, [line], hashes, looks)
    return json.loads(json.dumps(found | {"command": f"autodata bench {HOSTILE[1]}"}))


@pytest.fixture(scope="module")
def found():
    return made()


def test_names_of_strangers_stay_text_in_a_page_that_refers_to_nothing(found):
    read = page_reader.Page(page(found))
    said = "".join(read.texts)
    for name in HOSTILE[:3]:
        assert said.count(name) > 10
    assert "\x1b" not in page(found) and r"\x1b[2J" in said
    assert "default-src 'none'; style-src 'unsafe-inline'" in page(found)


def test_there_is_a_plot_for_every_question_and_each_says_in_words_what_it_shows(found):
    plots = page_reader.Page(page(found)).plots
    assert [plot.title for plot in plots] == [
        *("test score (mean score)", "gap", "validity", "accepted of rounds"),
        *("test score (mean score) against tokens per example", "validity against tokens per example"),
        "Learning curve: test score (mean score)",
        *("Over rounds: accepted of rounds", "Over rounds: validity", "Over rounds: gap"),
        *(f"Over generations: {name}" for name in ("test score", "gap", "validity", "accepted of rounds", "diversity")),
        "Each example, weak against strong (on the line: no gap)",
    ]
    test, *_, collapse, each = plots
    assert re.search(r"onerror='alert\(2\)'>: 0\.083 \[0\.000, 0\.\d{3}\]\. ", test.desc)  # two of 24 items are right
    assert f". {HOSTILE[0]}: 0.500 [" in test.desc  # the line to compare with
    assert f"{HOSTILE[0]}: 0 generation: 0.800; 1 generation: 0.700. " in collapse.desc
    assert each.desc.startswith(f"{HOSTILE[0]}: 2 with weak 0.00 and strong 0.50. ")  # one of either seed
    assert [line for plot in plots for line in page_reader.crowded(plot)] == []


def test_what_was_found_and_what_made_it_stand_on_the_page(found):
    said = "".join(page_reader.Page(page(found)).texts)
    assert f"{HOSTILE[1]} against {HOSTILE[0]}, validity: no evidence of a difference" in said
    for told in ("2 seeds, which is few", "autodata bench", "dspy", "cores", "0, 1", "900 tokens", "Holm's correction"):
        assert told in said
    verdicts = [row["verdict"] for row in found["comparisons"]]
    n_unseen = sum(verdict not in ("better", "worse") for verdict in verdicts)
    assert 0 < n_unseen and f"no evidence of a difference in {n_unseen} of {len(verdicts)} comparisons" in said
    unfolded = re.sub("<details>.*?</details>", "", page(found), flags=re.DOTALL).partition("All comparisons")[0]
    assert [verdict in unfolded for verdict in ("better (", "no evidence")] == ["better" in verdicts, False]
    assert '"documents"' in said


def test_a_name_that_is_too_long_keeps_its_end_and_an_interval_stays_on_its_line(found):
    arms = [{**found["arms"][0], "arm": "agentic_self_instruct without verifiers"}]
    shown = page({**found, "arms": arms, "cells": [], "comparisons": []})
    assert ">agentic_se…ruct without verifiers</text>" in shown
    table = shown.partition("<tbody>")[2].partition("</table>")[0]
    assert table.count(",\N{NO-BREAK SPACE}") >= 4 and not re.search(r"\[[^]]*, ", table)
    assert "calls, tokens" in shown


def test_rounds_within_a_document_are_counted_over_seeds(found):
    arm = next(a for a in found["arms"] if (a["arm"], a["generation"]) == (HOSTILE[1], 0))
    rounds = arm["by_round"]
    assert [(r["round"], r["drafts"], r["accepted"], r["examined"]) for r in rounds] == [
        (1, 100, 4, 4),
        (2, 8, 2, 2),
        (3, 4, 2, 2),
    ]
    assert rounds[0]["acceptance"]["value"] == pytest.approx(0.04)
    assert [r["valid"]["value"] for r in rounds] == [1.0, 1.0, None]
    assert [r["gap"]["value"] for r in rounds] == [1.0, 0.5, None]


def test_every_domain_has_a_section_and_twenty_arms_are_told_apart(found):
    one, *_ = found["arms"]
    arms = [{**one, "arm": f"arm {n}", "domain": domain} for domain in ("a", "b") for n in range(20)]
    shown = page({**found, "arms": arms, "cells": [], "comparisons": []})
    plots = page_reader.Page(shown).plots
    assert len(plots) == 2 * 10 and not [line for plot in plots for line in page_reader.crowded(plot)]
    marks = re.findall(r'class="mark (c\d)" d="M[^,]+,[^a-z]+([a-z])[^a-z]+([a-z])[^"]*"><title>(arm \d+):', shown)
    looks = {name: look for *look, name in map(tuple, marks)}
    assert len(looks) == len(set(map(tuple, looks.values()))) == 20  # colour and shape


@pytest.fixture(scope="module")
def chromium():
    with browser.browsing() as running:
        yield running


@pytest.mark.parametrize("width", (1400, 420))
def test_a_browser_shows_the_page_without_complaint_on_a_screen_and_on_a_telephone(found, chromium, width, tmp_path):
    (tmp_path / "s.html").write_text(page(found), "utf-8")
    assert chromium.faults(tmp_path / "s.html", width) == []


SVG = '<svg width="90" height="90"><text y="20">one</text></svg>'
POLICY = "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'\">"
BROKEN = {
    "a warning": (f"{SVG}<script>console.warn('mind this')</script>", ["console: mind this"]),
    "a late error": (f"{SVG}<script>setTimeout(() => nothing())</script>", ["console: ReferenceError: nothing is not"]),
    "a script against the policy": (f"{POLICY}{SVG}<script>1</script>", ["console: Executing inline script violates"]),
    "a picture from elsewhere": (
        f"{SVG}<img src='http://example.org/x.png'>",
        ["console: Failed to load resource", "asks for http://example.org/x.png"],
    ),
    "a plot that is folded up": (f"<div hidden>{SVG}</div>", ["a plot of 0 by 0"]),
    "no plot": ("<p>none</p>", ["a plot of 0 by 0"]),
    "words on words": (SVG.replace("</svg>", '<text y="22">two</text></svg>'), ["crowded: one | two"]),
    "words cut off": (SVG.replace('y="20"', 'y="20" x="80"'), ["crowded: one"]),
    "a page too wide": (f"{SVG}<p style='width: 2000px'>wide</p>", ["2008 wide in 1400"]),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_wrong_with_a_page_is_found(chromium, kind, tmp_path):
    body, says = BROKEN[kind]
    (tmp_path / "s.html").write_text(f"<!DOCTYPE html>{body}")
    found = chromium.faults(tmp_path / "s.html")
    assert len(found) == len(says) and all(map(str.startswith, found, says)), found


def test_ticks_are_round_numbers_within_the_axis():
    assert Axis("", 0.0, 1.0).ticks() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert Axis("", -0.31, 0.42).ticks() == pytest.approx([-0.2, 0, 0.2, 0.4])
    assert Axis("", 0.7, 2.3, whole=True).ticks() == [1, 2] and len(Axis("", 0.7, 8.3, whole=True).ticks()) == 4
    assert Axis("", 70.0, 2400.0, log=True).ticks() == [100, 200, 500, 1000, 2000]
    assert Axis("", 10.0, 1000.0, log=True, start=0, end=2).at(100.0) == pytest.approx(1.0)


def test_colours_can_be_told_from_their_ground():
    light, dark = re.findall(r":root \{.*?\}", STYLE, flags=re.DOTALL)
    for scheme in (light, dark):
        colours = dict(re.findall(r"--(\w+): (#\w+);", scheme))
        ratios = {name: contrast(colours["ground"], colour) for name, colour in colours.items() if name[1:].isdigit()}
        assert len(ratios) == 8 and min(ratios.values()) >= 3 and contrast(colours["ground"], colours["soft"]) >= 4.5


def contrast(one, other):
    """Ratio of luminances as WCAG 2 has it."""

    def luminance(colour):
        full = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
        parts = [int(full[k : k + 2], 16) / 255 for k in (0, 2, 4)]
        red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


REFUSED = {
    "no JSON": ("{", "s.json: cannot be read"),
    "no results": ("[1]", "s.json: no results of a suite; name one's TOML file or its results.json"),
    "an earlier version": ({"schema": 1}, f"schema 1, this version reads {SCHEMA}; run the suite again"),
    "no number": ({"arms": [{"domain": "d"}]}, "s.json: damaged (KeyError: "),
    "no list": ({"comparisons": 7}, "s.json: damaged (TypeError: "),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_file_of_results_is_refused_in_one_line(found, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    body, says = REFUSED[kind]
    (tmp_path / "s.json").write_text(body if isinstance(body, str) else json.dumps(found | body))
    refused("bench", "s.json", says=says)
    assert not (tmp_path / "s.html").exists()


def test_results_alone_give_their_tables_and_page_anew(found, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.json").write_text(json.dumps(found))
    ran = run_here("bench", "s.json")
    assert ran.code == 0 and "| arm | examples |" in ran.out and ran.out.endswith("with plots s.html\n")
    assert (tmp_path / "s.html").read_text("utf-8") == page(found)
    refused("bench", "s.json", "--out", "t.json", says="s.json holds results, and is run no more; leave out --run-dir")
