"""The quotes that a challenge declares."""

import pytest

from autodata_dspy.types import Challenge
from autodata_dspy.verifiers.quote_grounding import QuoteGrounding

LEASE = "The Tenant shall not sublet the garden without written consent. Notice is given within 30 days."
TRUE, CHANGED = "the tenant shall not sublet", "the tenant shall sublet"


def challenge(*quotes, answer="The lease forbids it."):
    return Challenge("Why may the garden not be let?", answer, quotes=quotes)


@pytest.mark.parametrize(
    ("subject", "score"),
    [
        (challenge(TRUE), 1.0),
        (challenge("garden"), 1.0),  # a declared quote is looked up however short it is
        (challenge("house"), 0.0),
        (challenge(CHANGED), 0.0),
        (challenge(TRUE, CHANGED), 0.5),
        (challenge(TRUE, answer=f"It says: “{CHANGED} the garden”."), 0.5),  # marked passages count as before
        (challenge(TRUE, answer=f"It says: “{TRUE}”."), 1.0),
        (challenge(TRUE, answer=f'It says: “{CHANGED} the garden".'), 0.5),  # marks of two kinds are marks, too
        (challenge(TRUE, answer=f'It says: "{CHANGED} the garden”.'), 0.5),
        (challenge(TRUE, answer=f'It says: “{TRUE}".'), 1.0),
        (challenge(" "), 1.0),
        ({"question": "Why?", "quotes": [CHANGED]}, 0.0),
        ({"question": "Why?", "quotes": [TRUE]}, 1.0),
        ({"question": "Why?", "quotes": "no list"}, 1.0),
    ],
)
def test_quotes_of_a_challenge_are_looked_up_whole(subject, score):
    assert QuoteGrounding().verify(subject, context=LEASE).score == score


def test_declared_quotes_count_among_those_that_are_wanted():
    wants_one = QuoteGrounding(min_quotes=1)
    assert wants_one.verify(challenge(TRUE), context=LEASE).passed
    assert wants_one.verify(challenge(), context=LEASE).score == 0.0
    # One quote, declared and marked alike, is one.
    twice = challenge(TRUE, answer=f"It says: “{TRUE}”.")
    assert QuoteGrounding(min_quotes=2).verify(twice, context=LEASE).score == 0.0
