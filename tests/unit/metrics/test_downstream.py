"""Downstream metrics on hand-made results: what they measure, and what they say."""

import itertools
import logging
import math

import dspy
import numpy as np
import pytest
from scripted import calls_of, scripted_roles, tiny_domain

from autodata_dspy.domains.legal_labels import for_task
from autodata_dspy.errors import ConfigError, StopRun
from autodata_dspy.labelled_task import LabelledTask
from autodata_dspy.metrics import Made, make
from autodata_dspy.metrics.data_value import DataValue, shapley
from autodata_dspy.metrics.weighted import Weighted
from autodata_dspy.probes import Probe
from autodata_dspy.types import Challenge, Decision, Rollout, Round, Trajectory, Verdict

TEXTS = {
    "rent": "the rent rises by {} euros each month from May onwards",
    "eviction": "hand over the keys and be gone by noon on day {}",
    "noise": "music is to be turned down after {} o'clock in the evening",
}
PROBE = Probe.of(
    [
        {"id": str(i), "question": f"Which?\n\n{text.format(90 + i)} indeed", "answer": label.title()}
        for i in range(4)
        for label, text in TEXTS.items()
    ]
)


def labelled(n=3, wrong=False, labels=tuple(TEXTS)):
    """Challenges of each label; `wrong` gives each the next label's name."""
    names = list(TEXTS)
    return [
        Challenge(TEXTS[name].format(i), said, label=said)
        for name in labels
        for said in [names[(names.index(name) + wrong) % 3]]
        for i in range(n)
    ]


def attempts(solver, scores):
    return tuple(Rollout(solver, i, "x", verdict=Verdict(s, "off by one")) for i, s in enumerate(scores))


def round_(reason="accepted", feedback="", weak=(0.0, 1.0), strong=(1.0, 1.0), verdicts=(), question="q"):
    rollouts = (*attempts("weak_solver", weak), *attempts("strong_solver", strong))
    return Round(0, Decision(reason == "accepted", reason, feedback), Challenge(question, "a"), verdicts, rollouts)


def run(*rounds, **fields):
    trajectory = Trajectory("d", rounds=rounds, **fields)
    return dspy.Prediction(trajectory=trajectory, accepted=trajectory.accepted)


def runs(*predictions):
    return dspy.Prediction(
        trajectories=[p.trajectory for p in predictions], accepted=[r for p in predictions for r in p.accepted]
    )


# -- what all of them share ----------------------------------------------------------------------------------


@pytest.mark.parametrize("pred", [dspy.Prediction(), dspy.Prediction(accepted=[3]), {"accepted": ["text"]}])
def test_what_cannot_be_read_stops_instead_of_scoring_0(pred):
    with pytest.raises(StopRun, match="accepted"):
        make("solver_gap")(None, pred)


def test_a_broken_metric_stops_and_quotes_nothing():
    def broken(challenges):
        raise RuntimeError("SECRET")

    metric = make("validity", domain=tiny_domain(), route=broken)
    with pytest.raises(StopRun, match="the metric 'validity' is broken: RuntimeError in broken") as error:
        metric(None, run(round_()))
    assert "SECRET" not in str(error.value)


def test_a_metric_measures_once_and_its_seed_twin_again():
    asked = []

    def route(challenges):
        asked.append(len(challenges))
        return [Verdict.of(True)] * len(challenges)

    metric = make("validity", domain=tiny_domain(), route=route)
    assert metric(None, run(round_())).score == metric(None, run(round_()), None, "challenger", []).score == 1.0
    assert asked == [1]
    metric.again(1)(None, run(round_()))
    assert asked == [1, 1]


def test_undecided_measurements_are_not_remembered():
    verdicts = [[Verdict.undecidable("out")], [Verdict.of(True)]]
    metric = make("validity", domain=tiny_domain(), route=lambda challenges: verdicts.pop(0))
    first, second = metric(None, run(round_())), metric(None, run(round_()))
    assert first.undecided and not first and "no judgement" in first.feedback
    assert second.score == 1.0 and second


def test_a_metric_is_made_by_name_with_what_it_takes(tmp_path):
    assert make("acceptance_rate", probe=PROBE, domain=tiny_domain()).about() == {"metric": "acceptance_rate"}
    with pytest.raises(ConfigError, match=r"'contamination' needs a probe; give one \(--probe FILE\)"):
        make("contamination")
    with pytest.raises(ConfigError, match="unknown metric 'solvergap'; did you mean 'solver_gap'"):
        make("solvergap")
    path = tmp_path / "x.jsonl"
    path.write_text('{"question": "q", "answer": "rent"}')
    assert make("contamination", probe=str(path)).about()["n_probe"] == 1
    assert make("validity", domain="math_objects").domain.name == "math_objects"


def test_times_do_not_make_another_data_set():
    assert Made.of(run(round_(), seconds=1.0)).key == Made.of(run(round_(), seconds=2.0)).key
    assert Made.of(run(round_())).key != Made.of(run(round_(question="other"))).key


# -- acceptance_rate, solver_gap ------------------------------------------------------------------------------


def test_acceptance_rate_counts_documents_and_says_why_rounds_failed():
    bad = round_(
        "failed_check", "the answer stands in the question", verdicts=(Verdict(0.0, "it leaks", {}, "leakage"),)
    )
    strong = round_("failed_on_strong", "0 of 2 right", strong=(0.0, 0.0))
    score = make("acceptance_rate")(None, runs(run(bad, round_()), run(strong), run(round_(), round_())))
    assert score.score == pytest.approx(2 / 3) and score.objective_scores == {"acceptance_rate": score.score}
    for told in ("2 of 3 documents", "failed a check (1 of 5", "it leaks", "failed on strong (1", "off by one"):
        assert told in score.feedback
    assert make("acceptance_rate")(None, run(strong)).score == 0.0


def test_outages_are_left_out_and_unsuitable_documents_are_not():
    out, skipped = run(round_("infrastructure", "down")), run(status="skipped", note="no numbers in it")
    assert make("acceptance_rate")(None, runs(out, run(round_()))).score == 1.0
    assert make("acceptance_rate")(None, out).undecided
    score = make("acceptance_rate")(None, runs(skipped, run(round_())))
    assert score.score == 0.5 and "no numbers in it" in score.feedback
    assert make("acceptance_rate")(None, run(round_("undecided", "unclear"))).score == 0.0
    assert make("acceptance_rate")(None, labelled()).undecided


def test_solver_gap_is_half_without_a_gap():
    gap = make("solver_gap")
    assert gap(None, run(round_(weak=(0, 0), strong=(1, 1)))).score == 1.0
    assert gap(None, run(round_(weak=(1, 0), strong=(1, 0)))).score == 0.5
    assert gap(None, [{"question": "q", "answer": "a", "weak_mean": 0.25, "strong_mean": 0.75}]).score == 0.75
    assert "knows too much" in gap(None, run(round_(weak=(1, 1)))).feedback
    assert "fails too often" in gap(None, run(round_(strong=(0, 0)))).feedback


def test_solver_gap_without_examples_or_without_attempts():
    nothing = make("solver_gap")(None, run(round_("too_easy", "both right")))
    assert nothing.score == 0.0 and not nothing.undecided and "too easy (1 of 1 rounds): both right" in nothing.feedback
    assert make("solver_gap")(None, labelled()).undecided


# -- classifier_student ---------------------------------------------------------------------------------------


def test_a_classifier_learns_from_right_labels_and_not_from_wrong_ones():
    metric = make("classifier_student", probe=PROBE)
    right, wrong, few = (
        metric(None, d) for d in (labelled(), labelled(wrong=True), labelled(labels=["rent", "noise"]))
    )
    assert right.score == 1.0 and wrong.score == 0.0
    # one class has no data: F1 0, and its items spoil the others'
    assert 0.3 < few.score < 0.7 and "classes for which the data has no label" in few.feedback
    assert metric(None, []).score == 0.0
    assert metric(None, labelled()[::-1]).score == right.score


def test_a_classifier_of_one_label_is_scored_too():
    score = make("classifier_student", probe=PROBE)(None, labelled(labels=["rent"]))
    assert score.score == pytest.approx(0.5 / 2)  # F1 of "rent": precision 1/3, recall 1; of what has no label: 0


def test_macro_f1_is_scikit_learns():
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(0)
    truth, guess = rng.choice(list("abc"), 60).tolist(), rng.choice(list("abc"), 60).tolist()
    total = make("classifier_student", probe=PROBE).total(list(zip(truth, guess, strict=True)))
    assert total == pytest.approx(f1_score(truth, guess, average="macro"))


def test_another_pipeline_and_its_seeds():
    seen = []

    class Constant:
        def __init__(self, seed):
            seen.append(seed)

        def fit(self, texts, labels):
            return self

        def predict(self, texts):
            return ["rent" if seen[-1] else "noise"] * len(texts)

    metric = make("classifier_student", probe=PROBE, pipeline=Constant, seeds=(0, 1))
    score = metric(None, labelled())
    assert seen == [0, 1] and score.score == pytest.approx(0.5 / 3)
    assert "'eviction': F1 0.00 with 3 examples, mostly taken for 'noise'" in score.feedback
    metric.again(5)(None, labelled())
    assert len(set(seen)) == 4
    with pytest.raises(ConfigError, match="at least one seed"):
        make("classifier_student", probe=PROBE, seeds=())


@pytest.mark.parametrize("name", ["classifier_student", "data_value", "student_uplift"])
def test_a_probe_of_other_labels_is_refused_at_once(name):
    domain = tiny_domain(labels={"roof": "It is about the roof.", "wall": "It is about a wall."})
    with pytest.raises(ConfigError, match="none of its labels"):
        make(name, probe=PROBE, domain=domain, roles=scripted_roles(student="x"))


# -- data_value -----------------------------------------------------------------------------------------------


def brute_force(near, right, k):
    """Shapley values of one query by their definition."""
    n = len(near)
    order = {point: place for place, point in enumerate(near)}

    def utility(points):
        return sum(right[order[p]] for p in sorted(points, key=order.get)[:k]) / k

    found = []
    for i in range(n):
        others = [p for p in range(n) if p != i]
        found.append(
            sum(
                (utility((*chosen, i)) - utility(chosen)) / (n * math.comb(n - 1, size))
                for size in range(n)
                for chosen in itertools.combinations(others, size)
            )
        )
    return found


@pytest.mark.parametrize(("n", "k"), [(6, 1), (6, 2), (7, 3), (5, 5), (4, 6), (1, 1), (1, 3)])
def test_the_closed_form_is_shapleys_value(n, k):
    rng = np.random.default_rng(n * 10 + k)
    near = np.stack([rng.permutation(n) for _ in range(3)])
    right = rng.random((3, n)) < 0.5
    values = shapley(near, right, k)
    assert values.shape == (3, n)
    for row in range(3):
        assert values[row] == pytest.approx(brute_force(near[row].tolist(), right[row].tolist(), k))
        assert values[row].sum() == pytest.approx(right[row][:k].sum() / k)


def test_a_wrong_label_is_worth_less_than_a_right_one():
    metric = DataValue(PROBE, context=labelled(6), n_neighbours=2)
    bad = Challenge(TEXTS["rent"].format(91), "noise", label="noise")
    good = Challenge(TEXTS["rent"].format(91), "rent", label="rent")
    score_good, score_bad = metric(None, [good]), metric(None, [bad])
    assert score_good.score > 0.3 and score_bad.score == 0.0
    assert "Hurt" in score_bad.feedback and "written for 'noise'" in score_bad.feedback
    assert "Helped" in score_good.feedback
    nothing = metric(None, run(round_("too_easy", "both right")))
    assert nothing.score == 0.0 and "both right" in nothing.feedback


def test_what_a_task_has_examples_of_is_worth_less_than_what_it_lacks():
    labels = {label: f"It is about {label}." for label in TEXTS}
    examples = {label: tuple(TEXTS[label].format(i) for i in range(6)) for label in ("rent", "eviction")}
    bare = make("data_value", probe=PROBE, domain=for_task(LabelledTask("n", labels)))
    known = make("data_value", probe=PROBE, domain=for_task(LabelledTask("n", labels, examples=examples)))
    again, lacking = (Challenge(TEXTS[label].format(91), label, label=label) for label in ("rent", "noise"))
    assert known.values([again])[0] < 0.6 * known.values([lacking])[0]
    assert bare.values([again]) == pytest.approx(bare.values([lacking]))
    assert known.about() != bare.about()  # a hash tells them apart
    told = make("data_value", probe=PROBE, domain=for_task(LabelledTask("n", labels, examples=examples)), context=())
    assert told.values([again, lacking]) == bare.values([again, lacking])


def test_values_belong_to_their_examples_in_any_order():
    examples = [*labelled(6), Challenge(TEXTS["noise"].format(92), "rent", label="rent")]
    metric = DataValue(PROBE, n_neighbours=2)
    values = metric.values(examples)
    assert int(np.argmin(values)) == len(examples) - 1 and values[-1] < 0
    assert metric.values(examples[::-1]) == pytest.approx(values[::-1])
    assert sum(values) == pytest.approx(23 / 24 - 1 / 3)  # of 12 items with two neighbours one has a wrong one
    assert metric.values([]) == []
    with pytest.raises(ConfigError, match="n_neighbours is at least 1, not 0"):
        DataValue(PROBE, n_neighbours=0)


# -- constraints, validity, weighted --------------------------------------------------------------------------


def test_contamination_says_how_many_and_quotes_none():
    copied = Challenge(PROBE.items[0].text, "rent", label="rent")
    metric = make("contamination", probe=PROBE)
    clean = [Challenge("Parcels leave our store within two working days after the payment.", "x")]
    score = metric(None, [*clean, copied])
    assert score.score == 0.5 and "1 of 2 examples repeat protected items" in score.feedback
    assert "rent" not in score.feedback
    assert metric(None, clean).score == 1.0 and metric(None, []).score == 1.0


def test_diversity_is_low_for_one_template_and_undecided_for_a_few():
    metric = make("diversity")
    one_template = [Challenge(TEXTS["rent"].format(i), "a") for i in range(12)]
    score = metric(None, one_template)
    assert score.score < 0.5 and "resemble" in score.feedback
    assert metric(None, one_template[:3]).undecided


def test_validity_takes_the_domains_recheck_else_fresh_attempts():
    def recheck(challenges):
        return [Verdict.of(c.answer == "a", "the program says b") for c in challenges]

    wrong = Challenge("q", "b")
    score = make("validity", domain=tiny_domain(recheck=recheck))(None, [Challenge("q", "a"), wrong])
    assert score.score == 0.5 and "not confirmed (1): the program says b" in score.feedback
    with pytest.raises(ConfigError, match="'tiny' has no machine check; give roles"):
        make("validity", domain=tiny_domain())


@pytest.mark.parametrize(("said", "score"), [("a", 1.0), ("b", 0.0), ("?", None)])
def test_validity_asks_the_strong_solver_anew(said, score):
    roles = scripted_roles(strong_solver={"reasoning": "r", "answer": said})
    found = make("validity", domain=tiny_domain(), roles=roles)(None, [Challenge("q", "a")])
    assert found.undecided if score is None else found.score == score
    assert make("validity", domain=tiny_domain(), roles=roles)(None, []).score == 0.0


def test_weighted_is_the_mean_and_constraints_lower_it():
    gap, rate = make("solver_gap"), make("acceptance_rate")
    made = runs(run(round_(weak=(0, 0), strong=(1, 1))), run(round_("too_easy")))
    score = Weighted({gap: 3, rate: 1})(None, made)
    assert score.score == pytest.approx((3 * 1.0 + 0.5) / 4)
    assert score.objective_scores == {"solver_gap": 1.0, "acceptance_rate": 0.5}
    assert "solver_gap (weight 3): 1.00" in score.feedback and "too easy" in score.feedback
    held = Weighted({gap: 1}, constraints={rate: 1.0, make("diversity"): 0.5})(None, made)
    assert held.score == 0.5 and "diversity (at least 0.5): undecided" in held.feedback
    assert Weighted({gap: 1}, constraints={rate: 0.5}).again(1)(None, made).score == 1.0


def test_weighted_is_undecided_with_a_part_that_counts():
    gap, rate = make("solver_gap"), make("acceptance_rate")
    assert Weighted({gap: 1, rate: 1})(None, labelled()).undecided
    assert Weighted({make("classifier_student", probe=PROBE): 1, gap: 0})(None, labelled()).score == 1.0


def test_weights_that_mean_nothing_are_refused():
    gap = make("solver_gap")
    for options, told in [
        (({},), "not all 0"),
        (({gap: 0},), "not all 0"),
        (({gap: -1},), "not negative"),
        (({gap: 1}, {make("diversity"): 0}), r"floors of constraints lie in \(0, 1\]"),
        (({gap: 1, make("solver_gap"): 1},), "each metric once"),
    ]:
        with pytest.raises(ConfigError, match=told):
            Weighted(*options)


# -- nothing of the probe comes out ---------------------------------------------------------------------------


def test_no_canary_of_the_probe_is_in_any_score_or_log(caplog):
    caplog.set_level(logging.DEBUG)
    rows = [
        {
            "id": f"CANARY-id-{i}", "question": f"CANARY-ask\n\nCANARY-text {text.format(i)} CANARY-end",
            "answer": name, "context": "CANARY-context", "answers": [name, "CANARY-answers"],
            "choices": ["CANARY-choice"], "answer_type": f"kind-{i % 2}", "tests": "CANARY-tests",
        }
        for i in range(6)
        for name, text in {**TEXTS, "CANARY label": "dogs bark {} times"}.items()
    ]  # fmt: skip
    probe = Probe.of(rows)
    roles = scripted_roles(student={"answer": "CANARY-said"})
    domain = tiny_domain(labels=dict.fromkeys(TEXTS, "definition"))
    data = dspy.Prediction(accepted=labelled(3))
    metrics = [
        make(n, probe=probe, domain=domain, roles=roles) for n in ("classifier_student", "data_value", "contamination")
    ]
    metrics.append(make("student_uplift", probe=probe, domain=domain, roles=roles, k=1))
    metrics.append(make("student_uplift", probe=probe, domain=tiny_domain(), roles=roles, k=1))
    metrics.append(Weighted(dict.fromkeys(metrics[:4], 1)))
    for metric in metrics:
        for made in (data, dspy.Prediction(accepted=labelled(3, wrong=True)), dspy.Prediction(accepted=[])):
            score = metric(None, made, None, "challenger", [])
            assert score.feedback and "CANARY" not in f"{score.feedback} {score.toDict()} {score!r} {metric.about()}"
    assert "CANARY" not in caplog.text
    assert "CANARY-text" in calls_of(roles, "student")[0].prompt  # the student is who may read it
