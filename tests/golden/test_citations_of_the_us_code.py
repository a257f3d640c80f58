"""Citations against the real corpus: what the statutes are and cite exists, what was changed does not."""

import random
import re
import time

import pytest
import real_data

from autodata_dspy.legal_citations import find_citations
from autodata_dspy.types import Document
from autodata_dspy.verifiers.citation import Citation


@pytest.fixture(scope="module")
def documents():
    rows = real_data.rows("corpora/law_us_code.jsonl")
    return [Document(r["id"], r["text"], r["title"]) for r in rows]


@pytest.fixture(scope="module")
def verifier(documents):
    verifier = Citation(documents=documents)
    started = time.monotonic()
    verifier.verify("See 17 U.S.C. § 107.")
    assert time.monotonic() - started < 60  # reads the corpus, once
    return verifier


@pytest.fixture(scope="module")
def real(documents):
    found = {c.canonical for d in documents for c in find_citations(f"{d.title}\n{d.text}") if c.kind != "section"}
    return sorted(found)


def test_500_citations_of_the_corpus_exist(verifier, real):
    for citation in random.Random(1).sample(real, 500):
        verdict = verifier.verify(f"It rests on {citation}, as is known.")
        assert verdict.evidence["n_citations"] == 1, citation
        assert verdict.passed, (citation, verdict.feedback)


def test_500_invented_citations_do_not_and_the_nearest_are_named(verifier, real):
    rng, known, done = random.Random(2), set(real), 0
    while done < 500:
        citation = rng.choice(real)
        numbers = list(re.finditer(r"\d+", citation))
        spot = rng.choice(numbers)
        invented = f"{citation[: spot.start()]}{int(spot[0]) + rng.randint(1, 999)}{citation[spot.end() :]}"
        found = find_citations(invented)
        if len(found) != 1 or found[0].canonical in known or _parent_of_known(found[0].canonical, known):
            continue
        done += 1
        verdict = verifier.verify(f"It rests on {invented}, as is known.")
        if verdict.undecided:  # a subdivision of a real section that nothing is known about
            assert "subdivisions are not listed" in verdict.feedback
            continue
        assert verdict.score == 0.0, invented
        first = verdict.evidence["citations"][0]
        assert first.get("near") or first.get("why")


def _parent_of_known(citation, known):
    return any(k.startswith(f"{citation}(") for k in known)


@pytest.mark.parametrize(
    ("cited", "exists"),
    [
        ("17 U.S.C. § 107(4)", True), ("17 U.S.C. § 107(5)", False), ("§ 512(c)(3)(A)(vi)", True),
        ("§ 512(c)(3)(A)(vii)", False), ("11 U.S.C. § 523(a)(19)(B)(iii)", True), ("11 U.S.C. § 523(a)(20)", False),
        ("28 U.S.C. § 1332(d)(4)(A)(i)(II)(cc)", True), ("28 U.S.C. § 1332(e)", True), ("28 U.S.C. § 1332(f)", False),
        ("17 U.S.C. § 106A", True), ("18 U.S.C. § 9999", False), ("999 U.S. 99999", False),
    ],
)  # fmt: skip
def test_subdivisions_are_read_from_the_text_of_the_statutes(verifier, cited, exists):
    assert verifier.verify(f"See {cited}.").passed is exists
