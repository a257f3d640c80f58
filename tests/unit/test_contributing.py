"""The code of CONTRIBUTING.md is real: it is run as it stands there."""

import re
import sys
import types
import typing
from pathlib import Path

import dspy
import pytest

from autodata_dspy.domains.base import Domain, Malformed
from autodata_dspy.generators import AgenticSelfInstruct
from autodata_dspy.types import Document, Verdict
from autodata_dspy.verifiers.base import Verifier, VerifierExample

TEXT = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text("utf-8")
DOCUMENT = Document("d", "A baker mixes rye and wheat flour, two parts of rye to five parts of wheat.")
PROBLEM = {
    "question": "A dough holds 2 parts of rye and 5 parts of wheat. Which share of 3 kg of it, in kg, is rye?",
    "program": "answer = Rational(2, 7)*3",
}


def block(heading):
    """The first Python block below a heading."""
    return re.search(rf"^## {heading}$.*?^```python\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)[1]


@pytest.fixture
def domain(monkeypatch):
    module = types.ModuleType("word_problems")
    monkeypatch.setitem(sys.modules, module.__name__, module)  # signatures look their annotations up there
    exec(compile(block("Add a domain"), "CONTRIBUTING.md", "exec"), module.__dict__)  # noqa: S102
    return module.PLUGIN


def test_a_whole_domain_takes_at_most_60_lines():
    assert 30 < len(block("Add a domain").splitlines()) <= 60
    assert all(len(line) <= 120 for line in TEXT.splitlines())


def test_the_domain_keeps_the_contract(domain):
    assert isinstance(domain, Domain)
    assert list(domain.write.input_fields) == ["passage", "angle", "feedback"]
    assert domain.sound in typing.get_args(domain.review.output_fields["verdict"].annotation)
    assert {domain.weak_mode, domain.strong_mode} <= set(domain.solving)
    with pytest.raises(Malformed):
        domain.build(dspy.Prediction(question="", program=""), "")


@pytest.mark.parametrize(("strong", "reason"), [("6/7", "accepted"), ("3/7", "failed_on_strong")])
def test_a_scripted_round_of_the_domain(domain, scripted, strong, reason):
    roles = scripted.roles(
        challenger=PROBLEM,
        quality_verifier={"verdict": "usable"},
        weak_solver={"answer": "2/7"},
        strong_solver={"reasoning": "3 times 2/7", "answer": strong},
    )
    maker = AgenticSelfInstruct(domain, roles, per_document=1, max_rounds=1)
    (round_,) = maker(document=DOCUMENT).trajectory.rounds
    assert (round_.decision.reason, round_.challenge.answer) == (reason, "6/7")


def test_the_verifier_does_on_its_examples_as_it_says():
    names = {"Verdict": Verdict, "VerifierExample": VerifierExample}
    exec(compile(block("Add a verifier"), "CONTRIBUTING.md", "exec"), names)  # noqa: S102
    verifier = names["PLUGIN"]()
    assert isinstance(verifier, Verifier)
    for example in verifier.EXAMPLES:
        assert verifier.verify(example.subject).passed is example.expected
