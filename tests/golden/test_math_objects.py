"""Pairs written by hand, the shared hard cases, and the golds of held-out sets against themselves."""

from __future__ import annotations

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import real_data

from autodata_dspy.verifiers.math_objects import MathObjects

GOLDEN = Path(__file__).parent / "math_objects.jsonl"
SCORE = {True: 1.0, False: 0.0}


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def scores(pairs: list[tuple[str, str]]) -> list[float | None]:
    verifier = MathObjects()
    with ThreadPoolExecutor(2) as threads:
        return [v.score for v in threads.map(lambda pair: verifier.verify(*pair), pairs)]


@pytest.mark.parametrize("swapped", [False, True], ids=["as written", "swapped"])
def test_no_false_equality_and_recall_of_at_least_97_percent(swapped):
    cases = rows(GOLDEN)
    assert len(cases) >= 200
    pairs = [(c["b"], c["a"]) if swapped else (c["a"], c["b"]) for c in cases]
    found = scores(pairs)
    false_equalities = [p for p, c, s in zip(pairs, cases, found, strict=True) if s == 1.0 and not c["expected"]]
    missed = [p for p, c, s in zip(pairs, cases, found, strict=True) if s != 1.0 and c["expected"]]
    assert false_equalities == []
    assert len(missed) <= 0.03 * sum(c["expected"] for c in cases), missed


def test_every_kind_has_cases_of_both_outcomes():
    kinds: dict[str, set[bool]] = {}
    for case in rows(GOLDEN):
        kinds.setdefault(case["kind"], set()).add(case["expected"])
    assert all(outcomes == {True, False} for outcomes in kinds.values())


def test_the_shared_cases_come_out_as_expected():
    cases = real_data.rows("math_equivalence_cases.jsonl")
    found = scores([(c["a"], c["b"]) for c in cases])
    wrong = [(c["a"], c["b"], s) for c, s in zip(cases, found, strict=True) if s != SCORE[c["expected"]]]
    assert wrong == []


@pytest.mark.parametrize("name", ["math_math500", "math_college_math_objects"])
def test_golds_equal_themselves_and_not_their_neighbours(name):
    golds = [row["answer"] for row in real_data.rows(*(f"heldout/{name}.{part}.jsonl" for part in ("probe", "test")))]
    to_themselves = scores([(g, g) for g in golds])
    assert sum(s == 1.0 for s in to_themselves) >= 0.99 * len(golds)
    neighbours = list(itertools.pairwise(golds))
    equal = [pair for pair, s in zip(neighbours, scores(neighbours), strict=True) if s == 1.0]
    assert all("".join(a.split()) == "".join(b.split()) for a, b in equal), equal
