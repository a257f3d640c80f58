"""Figures that are written down in tables and docstrings are those of the committed results."""

import importlib.util
import json
from pathlib import Path

import pytest

from autodata_dspy import registry

ROOT = Path(__file__).parents[2]


def loaded(name):
    """A script of the folder benchmarks as a module."""
    spec = importlib.util.spec_from_file_location(f"benchmarks_{name}", ROOT / "benchmarks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def script():
    return loaded("verifiers")


@pytest.fixture(scope="module")
def results(script):
    return json.loads(script.RESULTS.read_text("utf-8"))["verifiers"]


def test_every_verifier_is_audited_on_at_least_40_cases_of_its_own(script, results):
    # The judges' figures need a model, and are there once somebody has measured one.
    assert sorted({*results, *script.JUDGES}) == registry.names("verifiers")
    for name in registry.names("verifiers"):
        assert len((script.GOLDEN / f"{name}.jsonl").read_text("utf-8").splitlines()) >= 40, name


def test_the_table_and_the_docstrings_say_what_the_results_say(script, results):
    assert script.differences(results) == []


def test_a_changed_figure_is_noticed(script, results):
    changed = {**results, "leakage": {**results["leakage"], "recall": 0.123}}
    assert script.differences(changed) == [
        "README.md: the table of the verifiers",
        "leakage: the Audited line of its docstring",
    ]


def test_no_verifier_without_a_model_passes_what_it_should_not(results):
    assert {
        name: r["false_positives"] for name, r in results.items() if "judge" not in r and r["false_positives"]
    } == {}


def test_the_tables_of_suites_are_those_of_the_results():
    tables = loaded("tables")
    readme = (ROOT / "benchmarks" / "README.md").read_text("utf-8")
    assert tables.written(readme, tables.stored()) == readme, "write them with `python benchmarks/tables.py`"


def test_a_changed_figure_of_a_suite_is_noticed(tmp_path):
    tables = loaded("tables")
    score = {"value": 0.6, "low": 0.5, "high": 0.7}
    arm = dict.fromkeys(("valid", "weak", "strong", "gap", "acceptance", "test"), score)
    arm |= {
        "comparison": "calls",
        "domain": "terms",
        "arm": "a|b",
        "generation": 0,
        "kept": 3,
        "accepted": 4,
        "rounds": 9,
    }
    arm |= {"per_example": dict.fromkeys(("rounds", "calls", "tokens", "seconds", "usd"), 2.5), "unpriced": 0}
    arm |= {"checked": None, "diversity": 0.5, "contaminated": 1}
    line = {"domain": "terms", "line": "zero-shot", "n": 0, "test": {"value": None}}
    body = {"suite": "s", "seeds": [0, 1, 2], "machine": {"cores": 2}, "budget": {"calls": 50}, "arms": [arm]}
    body |= {"references": [line], "comparisons": []}
    (tmp_path / "bench_s.json").write_text(json.dumps(body))
    (tmp_path / "speed.json").write_text('{"ms": 3}')  # of another kind
    readme = f"before\n{tables.BEGIN}\nold\n{tables.END}\nafter"
    first = tables.written(readme, tables.stored(tmp_path))
    row = "| a/b | 3 | 4 of 9 [0.500, 0.700] | 0.600 [0.500, 0.700] | – |"
    assert (
        first.startswith("before\n") and first.endswith("\nafter") and row in first and "| *zero-shot* | – |" in first
    )
    (tmp_path / "bench_s.json").write_text(json.dumps(body | {"arms": [arm | {"checked": 0.25}]}))
    changed = tables.written(first, tables.stored(tmp_path))
    assert changed != first and "| 0.250 |" in changed
