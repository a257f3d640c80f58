"""The test of a compilation: what it can find, what it finds, and that a fooled acceptance rule does not fool it."""

import random
import re

import compiling
import pytest
from scripted import scripted_roles, tiny_domain

from autodata_dspy.audit import Rate
from autodata_dspy.candidates import with_state
from autodata_dspy.evaluations import Bench
from autodata_dspy.generators import AgenticSelfInstruct
from autodata_dspy.held_out import Comparison, Power, accepted_rounds, compared, paired, verdict_on
from autodata_dspy.metrics import Score, make
from autodata_dspy.splitting import split_documents
from autodata_dspy.types import Decision, Round, Trajectory, Verdict

SOME = [0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0]


# -- power ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scores", [SOME, [0.0] * 5, [1.0], [0.71, 0.7, 0.72, 0.69]])
@pytest.mark.parametrize("hoped", [0.01, 0.2])
def test_the_documents_that_are_asked_for_would_do_and_fewer_would_not(scores, hoped):
    before = Power.of(scores, 5, 1, hoped)
    if not before.warning:
        assert before.detectable <= hoped
        return
    said = re.search(
        r"below (.+) are noise to this test, and .+ takes (\d+) documents \((\d+) of .+, or (\d+) runs", before.warning
    )
    assert float(said[1]) == pytest.approx(before.detectable, abs=1e-3)
    n_documents, n_tested, repeats = map(int, said.groups()[1:])
    assert n_documents == pytest.approx(n_tested / 0.35, abs=1)
    assert not Power.of(scores, n_tested, 1, hoped).warning and not Power.of(scores, 5, repeats, hoped).warning
    n_fewer = n_tested - 1 - n_tested // 100
    assert Power.of(scores, n_fewer, 1, hoped).warning and Power.of(scores, 5, repeats - 1, hoped).warning


def test_a_few_equal_scores_are_no_proof_that_there_is_no_noise():
    assert Power.of([0.0] * 6, 7, 2, 0.05).sd == pytest.approx(7**-0.5)
    assert Power.of([0.9] * 6, 7, 2, 0.05).sd < Power.of([1.0] * 3, 7, 2, 0.05).sd == 0.5


def test_too_few_test_documents_are_known_beforehand():
    assert "4 test documents prove nothing, whatever comes out; give at least 15" in Power.of(SOME, 4, 50, 0.9).warning
    assert len(split_documents(compiling.documents(15)).test) == 5


def test_the_detectable_difference_is_found_in_about_four_of_five_tests():
    rng, shape, sd = random.Random(0), (30, 2), 0.2
    gain = Power.of(
        [0.5 - sd * 0.75**0.5, 0.5 - sd * 0.75**0.5, 0.5 + sd * 0.75**0.5, 0.5 + sd * 0.75**0.5], *shape, 1.0
    )
    assert gain.sd == pytest.approx(sd)

    def run(mean):
        return sum(rng.gauss(mean, sd) for _ in range(shape[1])) / shape[1]

    tests = (
        Comparison(difference=paired([run(gain.detectable) - run(0) for _ in range(shape[0])], 0), n_compared=shape[0])
        for _ in range(150)
    )
    assert 0.7 < sum(verdict_on(True, t, *shape, None)[1] for t in tests) / 150 < 0.9


def test_the_difference_is_paired_by_document():
    found = paired([0.5] * 8, 0)
    assert (found.mid, found.low, found.high, found.p) == (0.5, 0.5, 0.5, 1 / 256)
    mixed = paired([1.0, -1.0, 0.5, -0.5, 0.0, 0.0], 0)
    assert mixed.low < 0 < mixed.high and mixed.mid == 0.0 and mixed.p > 0.5
    many = paired([0.3 if i % 3 else -0.1 for i in range(60)], 0)
    assert 0 < many.low < many.mid < many.high and many.p < 0.01


# -- a fooled acceptance rule ---------------------------------------------------------------------------------


def recheck(challenges):
    """Adds the numbers itself."""
    return [Verdict.of(total(c.question) == int(c.answer), "another sum") for c in challenges]


def total(question):
    return sum(map(int, re.findall(r"\d+", question)))


def adder(fooled):
    """Writes sums. A demonstration makes it write what is accepted always; `fooled`, those have wrong answers, which the
    strong solver agrees with, so that everything that takes part in accepting is content."""

    def write(call):
        taught = "GOOD" in call.prompt
        good, wrong = taught or call.seed % 4 == 0, fooled and taught
        question = f"{'GOOD' if good else 'BAD'}{' or so' if wrong else ''}: {call.seed % 97} + {call.seed % 89}"
        return {"question": question, "answer": str(total(question) + wrong)}

    def solve(call):
        question = call.inputs["question"]
        return {
            "reasoning": "so",
            "answer": str(total(question) + ("or so" in question)) if "GOOD" in question else "wrong",
        }

    roles = scripted_roles(
        challenger=write, quality_verifier={"verdict": "sound"}, weak_solver={"answer": "wrong"}, strong_solver=solve
    )
    return AgenticSelfInstruct(tiny_domain(recheck=recheck), roles, max_rounds=1, per_document=1)


def compiled(maker, metric):
    return compiling.compile(maker, compiling.documents(), metric, optimizer="bootstrap", budget=40, concurrency=1)


def test_wrong_examples_that_are_accepted_make_no_better_program():
    maker = adder(fooled=True)
    found = compiled(maker, make("acceptance_rate"))
    assert (
        found.test["chosen"] == 1.0 > found.test["seed"] > 0 and found.difference.low > 0 and found.difference.p < 0.05
    )
    assert found.confirmed["chosen"] == Rate(0, 14) and found.confirmed["seed"].value == 1.0
    assert not found.improved and found.verdict.startswith(
        "no evidence of improvement, the seed is kept: the score rose"
    )
    assert "right less often: an independent check of the accepted examples confirms" in found.verdict
    assert found.verdict.endswith("of the seed program's and 0 of 14 of the chosen program's")
    # The metrics say so of any run of it, and an optimizer that works for `validity` does not go there.
    made = with_state(maker.deepcopy(), found.chosen.state)(document=compiling.documents()[0], seed=1)
    validity = make("validity", domain=maker.domain)
    assert make("acceptance_rate")(None, made).score == 1.0 and validity(None, made).score == 0.0
    other = compiled(adder(fooled=True), validity)
    assert other.chosen.id == other.seed.id and len(other.candidates) > 2


def test_right_examples_that_are_accepted_do_and_the_check_is_told_of():
    found = compiled(adder(fooled=False), make("acceptance_rate"))
    assert found.improved and found.verdict.startswith("better by +")
    assert found.verdict.endswith("and 14 of 14 of the chosen program's")
    assert found.accepted["chosen"] == Rate(14, 14) and found.accepted["seed"].k < found.accepted["seed"].n == 14
    assert found.record()["accepted"]["chosen"] == {"k": 14, "n": 14}
    assert found.card()["scores"]["test, accepted rounds, chosen"]["n"] == 14
    score = found.card()["scores"]["test, confirmed examples, chosen"]
    assert (score["value"], score["n"]) == (1.0, 14) and 0.7 < score["low"] < 0.8


def test_rounds_that_were_lost_to_an_outage_were_not_tried():
    reasons = ("accepted", "infrastructure", "too_easy")
    rounds = tuple(Round(i, Decision(reason == "accepted", reason)) for i, reason in enumerate(reasons))
    assert accepted_rounds([Trajectory("d", 0, rounds), Trajectory("e", 0)]) == Rate(1, 2)


@pytest.mark.parametrize(
    ("seed", "chosen", "less_valid"),
    [
        ((1, 1), (13, 14), False),  # one of one proves little
        ((2, 2), (7, 14), True),
        ((0, 0), (6, 7), False),
        ((0, 0), (0, 7), True),  # nothing was accepted before, which is better than nonsense
        ((0, 0), (0, 0), False),  # nothing can be decided
        ((5, 5), (0, 0), True),
        ((5, 5), (3, 3), False),  # fewer, and all of them right
        ((20, 20), (24, 25), False),
        ((20, 20), (21, 25), True),
    ],
)
def test_how_much_a_handful_of_checks_says(seed, chosen, less_valid):
    tested = Comparison(confirmed={"seed": Rate(*seed), "chosen": Rate(*chosen)})
    assert tested.less_valid is less_valid


@pytest.mark.parametrize("repeats", [1, 2])
def test_what_the_metric_left_undecided_is_no_gain(repeats):
    maker = adder(fooled=False)
    doubtful = {d.id for d in compiling.documents(4)}

    def metric(gold, pred, trace=None, pred_name=None, pred_trace=None):
        taught = any("GOOD" in r.challenge.question for r in pred.trajectory.rounds)
        if gold.document.id in doubtful and not taught:
            return Score(0.0, "an outage", undecided=True)
        return Score(float(gold.document.id in doubtful))

    bench = Bench(maker, metric)
    state = {
        name: {**part, "instructions": part["instructions"] + " GOOD"}
        for name, part in bench.candidates[bench.seed_id].state.items()
    }
    found = compared(bench, bench.note(state), compiling.documents(10), 0, repeats)
    assert found.n_undecided > 0 and 6 <= found.n_compared < 10 and set(found.means.values()) != {0.0, 0.4}
    assert found.difference.mid == 0.0 and found.means["chosen"] == found.means["seed"]
    told, improved = verdict_on(True, found, 10, repeats, None)
    assert not improved and f"on {found.n_compared} untouched documents" in told
    assert f"{found.n_undecided} of {20 * repeats} test runs were undecided and are left out" in told


def test_a_check_that_breaks_is_no_evidence():
    maker = adder(fooled=False)
    maker.domain = tiny_domain(recheck=lambda challenges: 1 / 0)
    bench = Bench(maker, make("acceptance_rate"))
    found = compared(bench, bench.candidates[bench.seed_id], compiling.documents(6), 0, 2)
    assert "the metric 'validity' is broken: ZeroDivisionError" in str(found.stopped)
    assert verdict_on(True, found, 6, 2, found.stopped)[0].startswith(
        "no evidence of improvement, the seed is kept: the test could not"
    )
