"""Figures that are written down in tables and docstrings are those of the committed results."""

import importlib.util
import json
from pathlib import Path

import pytest

from autodata_dspy import registry

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("benchmarks_verifiers", ROOT / "benchmarks" / "verifiers.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
