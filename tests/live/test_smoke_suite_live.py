"""The smoke suite of this repository as anybody would run it, with the smallest embedded model in every role."""

import json
from pathlib import Path

import browser
import page_reader
import pytest
from command_line import contents, run_here

from autodata_dspy.embedded import engine

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]
ROOT = Path(__file__).parents[2]
PROGRAMS = ["self_instruct", "cot_self_instruct", "agentic_self_instruct"]
ARMS = {
    "mathematics": [*PROGRAMS, "by hand"],
    "clauses": [*PROGRAMS, "agentic_self_instruct without gap", "by hand"],
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The suite, run: (what the command said, its folder)."""
    folder = tmp_path_factory.mktemp("bench") / "smoke"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        ran = run_here("bench", "benchmarks/suites/smoke.toml", "--yes", "--run-dir", folder)
    engine.close_all()
    assert ran.code == 0, ran.err
    return ran, folder


def test_every_arm_has_its_calls_its_examination_and_its_students(finished):
    ran, folder = finished
    found = json.loads((folder / "results.json").read_text("utf-8"))
    arms = {(arm["domain"], arm["arm"]): arm for arm in found["arms"]}
    assert list(arms) == [(domain, arm) for domain in ARMS for arm in ARMS[domain]]
    assert all(arm["calls"] == 2 * 2 for (_, name), arm in arms.items() if name != "by hand")  # two of either seed
    assert all(arm["test"]["value"] is not None for arm in arms.values())
    for domain, n_examples in (("mathematics", 3), ("clauses", 8)):
        by_hand = arms[domain, "by hand"]
        assert (by_hand["kept"], by_hand["contaminated"], by_hand["examined"]) == (2 * n_examples, 0, 2)
        assert by_hand["gap"]["value"] is not None
    assert arms["clauses", "by hand"]["test"]["value"] > arms["clauses", "self_instruct"]["test"]["value"]
    models = {model for arm in arms.values() for model in arm["models"].values()}
    assert {model.partition("@")[0] for model in models} == {"embedded/smollm2-135m", "learner"}
    assert str(ROOT) not in json.dumps(found) and found["command"] == "autodata bench benchmarks/suites/smoke.toml"
    assert all(f"**smoke, {domain}: 2 calls for each arm and seed" in ran.out for domain in ARMS)


def test_its_page_opens_in_a_browser_without_complaint(finished):
    _, folder = finished
    titles = [plot.title for plot in page_reader.Page((folder / "results.html").read_text("utf-8")).plots]
    assert titles.count("Each example, weak against strong (on the line: no gap)") == 2
    with browser.browsing() as chromium:
        assert chromium.faults(folder / "results.html") == []


def test_run_again_it_asks_no_model_and_says_the_same(finished, monkeypatch):
    ran, folder = finished
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(engine, "_start", lambda name: pytest.fail(f"{name} was started"))
    before = contents(folder)
    again = run_here("bench", "benchmarks/suites/smoke.toml", "--run-dir", folder)  # there is nothing to ask about
    assert (again.code, again.out) == (0, ran.out) and contents(folder) == before
