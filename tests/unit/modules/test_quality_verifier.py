import pytest
from dspy import lm15

from autodata_dspy.budget import Meter, metered
from autodata_dspy.errors import ConfigError, ProviderError
from autodata_dspy.modules import QualityVerifier
from autodata_dspy.types import Challenge

CHALLENGE = Challenge("Where to?", "Into the harbour.", program="secret()")


def review(scripted, script):
    roles = scripted.roles(quality_verifier=script, schema=True)
    return QualityVerifier(scripted.domain(), roles)(challenge=CHALLENGE).verdict, roles


def test_the_sound_verdict_passes(scripted):
    verdict, roles = review(scripted, {"verdict": "sound"})
    assert (verdict.passed, verdict.feedback, verdict.verifier) == (True, "", "quality_verifier")
    (call,) = scripted.calls(roles, "quality_verifier")
    assert call.inputs["question"] == "Where to?" and "secret" not in call.prompt
    assert call.request.config.temperature == 0.0


def test_another_verdict_fails_and_is_the_feedback(scripted):
    verdict, _ = review(scripted, {"verdict": "ambiguous"})
    assert (verdict.score, verdict.feedback) == (0.0, "ambiguous")


@pytest.mark.parametrize("said", ["nothing readable", {"verdict": "perhaps"}])
def test_an_unreadable_review_is_undecided(scripted, said):
    verdict, _ = review(scripted, said)
    assert verdict.undecided and verdict.feedback == "the review could not be read"


def test_a_lost_call_is_raised_and_not_taken_for_a_verdict(scripted):
    with metered(Meter()), pytest.raises(ProviderError):
        roles = scripted.roles(quality_verifier=[{"verdict": "sound"}, lm15.ServerError("down")], schema=True)
        verifier = QualityVerifier(scripted.domain(), roles)
        verifier(challenge=CHALLENGE)
        verifier(challenge=CHALLENGE)


def test_alone_it_can_be_optimized(scripted):
    assert [n for n, _ in QualityVerifier(scripted.domain(), scripted.roles()).named_predictors()] == ["review"]


def test_a_domain_without_a_review_is_told_of():
    with pytest.raises(ConfigError, match="the domain 'legal_labels' has no review"):
        QualityVerifier("legal_labels")
