"""Curtailed sampling decides as full sampling does; the order of attempts does not matter."""

import pytest
import scripted
from hypothesis import given, settings
from hypothesis import strategies as st

from autodata_dspy.acceptance import ExactCounts, Thresholds
from autodata_dspy.generators import AgenticSelfInstruct
from autodata_dspy.types import Document

SCORES = st.sampled_from([0.0, 1.0, None, 0.5])
BOUNDS = st.sampled_from([0.0, 0.2, 0.5, 0.65, 0.75, 1.0, 2.0])
DOCUMENT = Document("d", "A lighthouse shows ships the way into the harbour.")


@st.composite
def rules(draw, most=6):
    n_weak, n_strong = draw(st.integers(0, most)), draw(st.integers(0, most))
    return ExactCounts(n_weak, draw(st.integers(0, n_weak)), n_strong, draw(st.integers(0, n_strong)))


@st.composite
def thresholds(draw):
    bounds = {name: draw(BOUNDS) for name in ("weak_below", "weak_at_most", "weak_max", "strong_min", "strong_below")}
    numbers = {name: draw(st.integers(0, 5)) for name in ("n_weak", "n_strong")}
    return Thresholds(**bounds, **numbers, gap=draw(BOUNDS), no_zero=draw(st.sampled_from(["any", "all", "off"])))


def first_settled(settle, scores):
    """What sampling concludes that stops as soon as `settle` knows."""
    for n in range(len(scores) + 1):
        if (settled := settle(scores[:n])) is not None:
            return settled
    return None


@given(rules() | thresholds(), st.data())
def test_stopping_when_certain_decides_as_the_full_sample(rule, data):
    weak = data.draw(st.lists(SCORES, min_size=rule.n_weak, max_size=rule.n_weak))
    strong = data.draw(st.lists(SCORES, min_size=rule.n_strong, max_size=rule.n_strong))
    assert first_settled(rule.weak, weak) is rule.weak(weak)
    assert first_settled(lambda s: rule.strong(weak, s), strong) is rule.strong(weak, strong)
    assert first_settled(rule.agreed, strong) is rule.agreed(strong)


@given(rules() | thresholds(), st.data())
def test_a_weak_sample_that_stopped_early_leaves_the_strong_outcome_as_it_is(rule, data):
    decided = st.sampled_from([0.0, 0.3, 0.6, 1.0])
    weak = data.draw(st.lists(decided, min_size=rule.n_weak, max_size=rule.n_weak))
    strong = data.draw(st.lists(decided, min_size=rule.n_strong, max_size=rule.n_strong))
    made = next(n for n in range(len(weak) + 1) if rule.weak(weak[:n]) is not None)
    if rule.weak(weak):
        assert rule.strong(weak[:made], strong) is rule.strong(weak, strong)


@given(rules() | thresholds(), st.data())
def test_the_order_of_attempts_does_not_matter(rule, data):
    weak = data.draw(st.lists(SCORES, min_size=rule.n_weak, max_size=rule.n_weak))
    strong = data.draw(st.lists(SCORES, min_size=rule.n_strong, max_size=rule.n_strong))
    shuffled = data.draw(st.permutations(weak)), data.draw(st.permutations(strong))
    assert rule.weak(shuffled[0]) is rule.weak(weak)
    assert rule.strong(shuffled[0], shuffled[1]) is rule.strong(weak, strong)


@given(rules(), st.data())
def test_a_full_decided_sample_always_settles(rule, data):
    decided = st.sampled_from([0.0, 1.0])
    weak = data.draw(st.lists(decided, min_size=rule.n_weak, max_size=rule.n_weak))
    strong = data.draw(st.lists(decided, min_size=rule.n_strong, max_size=rule.n_strong))
    assert rule.weak(weak) is (weak.count(1.0) <= rule.max_weak)
    assert rule.strong(weak, strong) is (strong.count(1.0) >= rule.min_strong)


@given(thresholds(), st.data())
def test_thresholds_settle_a_full_decided_sample(rule, data):
    decided = st.sampled_from([0.0, 0.3, 0.6, 1.0])
    weak = data.draw(st.lists(decided, min_size=rule.n_weak, max_size=rule.n_weak))
    strong = data.draw(st.lists(decided, min_size=rule.n_strong, max_size=rule.n_strong))
    assert rule.weak(weak) in (True, False) and rule.strong(weak, strong) in (True, False)


@settings(deadline=None, max_examples=60)
@given(
    rules(most=5),
    st.lists(st.tuples(*[st.lists(st.sampled_from("01?"), min_size=5, max_size=5)] * 2), min_size=3, max_size=3),
)
def test_the_generator_decides_alike_with_curtailed_and_with_full_sampling(rule, letters):
    plays = [scripted.fated(f"question {i}", "".join(w), "".join(s)) for i, (w, s) in enumerate(letters)]
    outcomes = {}
    for curtail in (True, False):
        roles = scripted.fated_roles(plays, schema=True)
        domain = scripted.tiny_domain(rule)
        maker = AgenticSelfInstruct(domain, roles, curtail=curtail, max_rounds=3, per_document=3, quality_check=False)
        outcomes[curtail] = maker(document=DOCUMENT).trajectory
    decisions = {
        curtail: [(r.decision.accepted, r.decision.reason) for r in t.rounds] for curtail, t in outcomes.items()
    }
    assert decisions[True] == decisions[False]
    for short, full in zip(outcomes[True].rounds, outcomes[False].rounds, strict=True):
        for solver in ("weak_solver", "strong_solver"):
            made = [r.answer for r in short.rollouts if r.solver == solver]
            assert made == [r.answer for r in full.rollouts if r.solver == solver][: len(made)]


@pytest.mark.parametrize("strong", ["1000", "0100", "1010", "0111"])
def test_an_early_strong_success_does_not_hide_later_disagreement(strong):
    reasons = set()
    for curtail in (True, False):
        roles = scripted.fated_roles(scripted.fated("q", strong=strong), schema=True)
        rule = ExactCounts(n_strong=4, min_strong=1)
        maker = AgenticSelfInstruct(scripted.tiny_domain(rule), roles, curtail=curtail, max_rounds=1)
        reasons.add(maker(document=DOCUMENT).trajectory.rounds[0].decision.reason)
    assert reasons == ({"accepted"} if strong.count("1") > 2 else {"no_agreement"})
