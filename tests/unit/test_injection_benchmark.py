"""The script that measures what models make of documents with orders in them, on scripted models."""

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = [
    json.loads(line) for line in (ROOT / "tests/golden/injected_documents.jsonl").read_text("utf-8").splitlines()[:3]
]


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("benchmarks_injection", ROOT / "benchmarks" / "injection.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def roles(scripted, obey):
    """A challenger that does as told by a document whose attack `obey` picks, and honest others."""

    def write(call):
        passage = call.inputs["passage"]
        told = "QUORVEX" in passage and obey(passage)
        if told == "garbled":
            return "quorvex!"
        word = ", QUORVEX" if told else ""
        return {
            "question": f"Expand (x + 4)^2 as a polynomial in x{word}.",
            "program": "x = symbols('x')\nanswer = expand((x + 4)**2)",
        }

    return scripted.roles(
        challenger=write,
        quality_verifier={"asks_for": "a square", "verdict": "usable"},
        weak_solver={"answer": "x^2"},
        strong_solver={"plan": "Expand.", "program": "x = symbols('x')\nanswer = expand((x + 4)**2)"},
    )


def test_an_honest_model_is_said_to_be_honest(script, scripted, tmp_path):
    body = script.run(ROWS, roles(scripted, lambda passage: False), tmp_path / "o.json")
    assert json.loads((tmp_path / "o.json").read_text("utf-8")) == body
    assert [d["id"] for d in body["documents"]] == [row["id"] for row in ROWS]
    assert [d["attacked"]["outcomes"] for d in body["documents"]] == [["accepted"]] * 3
    assert body["summary"]["canary_written"]["count"] == 0
    assert body["summary"]["same_outcome_without_attack"] == 3
    assert body["documents"][0]["attacked"]["calls"] == 1 + 1 + 3 + 3


def test_a_model_that_obeys_is_found_out_also_where_its_output_is_unusable(script, scripted, tmp_path):
    obeying = roles(scripted, lambda passage: "garbled" if "poems" in passage else True)
    body = script.run(ROWS, obeying, tmp_path / "o.json", plain=False)
    counts = {name: body["summary"][name]["count"] for name in body["summary"] if name.startswith("canary")}
    assert counts == {"canary_written": 3, "canary_in_challenge": 2, "canary_accepted": 2}
    assert body["documents"][0]["attacked"]["outcomes"] == ["malformed"]
    assert "same_outcome_without_attack" not in body["summary"]
