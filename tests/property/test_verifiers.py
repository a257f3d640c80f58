"""Whatever text a verifier reads: a score in [0, 1] or undecided, with a reason, the same a second time."""

import json

import judge_scripts
import pytest
import scripted
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autodata_dspy import registry
from autodata_dspy.types import Challenge, Verdict

FEW = settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
NAMES = registry.names("verifiers")
# What verifiers look for: random letters alone would not get past their first line.
PIECES = [
    *(" ", "\n", ". ", ", ", '"', "“", "”", "$", "{", "}", "(", "\\boxed{", "[+2] ", "[-1] ", "- ", "> ", "```python\n", "```"),
    *("17 U.S.C. § 107", "Art. 6(1)(f) GDPR", "410 U.S. 113 (1973)", "Smith v. Jones", "§", "No. 5", "the court held that"),
    *("x = 2", "\\frac{1}{2}", "x^2+C", "3 km", "twenty-one", "n\\pi", "2/0", "answer = 5", "is the answer", "1e999"),
    *("def double(n):\n    return 2 * n", "assert double(4) == 8", "assert ", "label", "yes", "no", "Find ", " and ", "why?"),
]  # fmt: skip
texts = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=8).map("".join))


def cut_and_glued(example: str) -> st.SearchStrategy[str]:
    """A text that a verifier knows, with a piece taken out and another put in."""
    ends = st.integers(0, len(example))
    return st.tuples(ends, texts, ends).map(lambda t: example[: t[0]] + t[1] + example[t[2] :])


def near(value: object) -> st.SearchStrategy:
    """The value itself, something close to it, or something else."""
    if isinstance(value, str):
        return st.one_of(st.just(value), cut_and_glued(value), texts)
    if isinstance(value, list):
        row = st.one_of(texts, st.fixed_dictionaries({"question": texts, "label": texts}))
        return st.one_of(st.just(value), st.lists(st.one_of(st.sampled_from(value), row), max_size=12))
    return st.just(value)


def calls(verifier) -> st.SearchStrategy[tuple]:
    """Subject (for a challenge in any of its forms), reference and context of one call, near one of its examples."""

    def around(example) -> st.SearchStrategy[tuple]:
        subject = near(example.subject)
        if verifier.checks == "challenge":
            forms = st.fixed_dictionaries({"question": subject, "answer": texts, "program": texts, "context": texts})
            subject = st.one_of(subject, forms, st.builds(Challenge, subject, texts))
        return st.tuples(subject, near(example.reference), near(example.context))

    return st.sampled_from(verifier.EXAMPLES).flatmap(around)


@pytest.fixture
def verifier(request):
    plugin = registry.load("verifiers", request.param)
    if plugin.cost == "lm":
        return plugin(scripted.scripted_roles(judge=judge_scripts.gullible, schema=True))
    return plugin()


def judged(verifier, *call: object) -> Verdict:
    verdict = verifier.verify(*call)
    assert isinstance(verdict, Verdict) and verdict.verifier == verifier.name
    assert verdict.score is None or 0.0 <= verdict.score <= 1.0
    assert verdict.passed or verdict.feedback.strip()
    json.dumps(verdict.evidence)
    return verdict


@pytest.mark.parametrize("verifier", NAMES, indirect=True)
def test_any_text_gets_a_score_or_none(verifier):
    found: set[float | None] = set()

    @FEW
    @given(calls(verifier))
    def law(call):
        first = judged(verifier, *call)
        assert judged(verifier, *call).score == first.score
        found.add(first.score)

    law()
    assert len(found) > 1, "every input was turned away at the door: nothing was tested"
