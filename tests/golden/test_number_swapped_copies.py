"""Near-duplicates and contamination on real items: 300 copies with other numbers, and the untouched ones."""

import random
import re

import pytest
import real_data

from autodata_dspy.verifiers.contamination import Contamination
from autodata_dspy.verifiers.near_duplicates import NearDuplicates


def questions(name):
    return [row["question"] for row in real_data.rows(f"heldout/{name}.probe.jsonl")]


@pytest.fixture(scope="module")
def items():
    return questions("math_gsm8k")


@pytest.fixture(scope="module")
def copies(items):
    rng = random.Random(0)

    def other(match):
        digits = re.sub(r"\d", lambda _: rng.choice("123456789"), match[0])
        return digits if rng.random() < 0.7 else str(rng.randint(2, 999))

    return [re.sub(r"\d+(?:[.,]\d+)*", other, item) for item in items]


@pytest.mark.parametrize("method", ["tfidf", "minhash"])
def test_each_of_300_number_swapped_copies_is_a_near_duplicate_of_its_own_original(items, copies, method):
    verdict = NearDuplicates(method=method).verify([*items, *copies])
    own = sum(verdict.evidence["duplicate_of"].get(str(300 + i)) == i for i in range(300))
    assert own == 300
    assert verdict.evidence["drop"] == list(range(300, 600))  # and none of the untouched ones is flagged


def test_without_masking_tfidf_still_finds_most_copies_and_flags_no_untouched_one(items, copies):
    verdict = NearDuplicates(mask_numbers=False).verify([*items, *copies])
    assert all(i >= 300 for i in verdict.evidence["drop"])
    assert len(verdict.evidence["drop"]) >= 270


def test_each_number_swapped_copy_of_a_protected_item_is_found(items, copies):
    verdict = Contamination(items).verify(copies)
    assert verdict.score == 0.0
    assert [m[1] for m in verdict.evidence["matches"]] == list(range(300))


def test_copies_inside_a_longer_prompt_are_found(items, copies):
    frame = "Here is a task. {} Think step by step and put the final number on the last line, without a unit."
    verdict = Contamination(items).verify([frame.format(c) for c in copies])
    assert len(verdict.evidence["drop"]) >= 297


def test_untouched_items_of_the_same_and_of_other_kinds_are_not_flagged(items):
    assert Contamination(items[:150]).verify(items[150:]).evidence["drop"] == []
    protected = Contamination(items)
    for other in ("math_math500", "cs_mmlu", "cs_qasper_dev", "law_lb_overruling"):
        assert protected.verify(questions(other)).evidence["drop"] == []
