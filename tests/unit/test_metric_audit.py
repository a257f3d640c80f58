"""The audit of metrics, on data sets and metrics whose behaviour is known."""

import json
import random

import numpy as np
import pytest
from command_line import refused, run_here
from scripted import documents, fated, fated_roles, tiny_domain

from autodata_dspy.damage import corrupted, duplicated, halved, off_topic, redrawn
from autodata_dspy.errors import ConfigError
from autodata_dspy.example_files import read_examples
from autodata_dspy.generation import generate
from autodata_dspy.generators import AgenticSelfInstruct
from autodata_dspy.metric_audit import audit_metric
from autodata_dspy.metrics import Made, make
from autodata_dspy.metrics.base import DataMetric, Measured
from autodata_dspy.probes import Probe
from autodata_dspy.resampling import bootstrap, falling, interval
from autodata_dspy.types import Challenge

TEXTS = {
    "rent": "the rent rises by {} euros each month, from {} onwards",
    "eviction": "hand over the keys and be gone by {} o'clock in {}",
    "noise": "music is to be turned down after {} in the evening of {}",
}
MONTHS = "January February March April May June July August September October".split()


def rows(n=8, start=0):
    return [
        {"id": f"{label}{i}", "question": text.format(start + i, MONTHS[i % 10]), "answer": label, "label": label}
        for label, text in TEXTS.items()
        for i in range(n)
    ]


PROBE = Probe.of(rows(10, 50))
EXAMPLES = Made.of(rows()).examples


class ShareRight(DataMetric):
    """Share of the examples whose label is the one the text was written for, with made-up noise."""

    name, summary = "share_right", "for tests"

    def __init__(self, noise=0.0, blind=False):
        self.noise, self.blind, self.seed = noise, blind, 0

    def reseed(self, seed):
        self.seed = seed

    def measure(self, made):
        items = tuple(float(TEXTS[e.label][:5] == e.challenge.question[:5]) for e in made.examples)
        drawn = random.Random(f"{made.key}{self.seed}").uniform(-self.noise, self.noise)
        right = 0.5 if self.blind else self.total(items)
        return Measured(min(1.0, max(0.0, right + drawn)), "", {}, items)


# -- damage ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("share", "n"), [(0.25, 6), (0.5, 12), (1.0, 24)])
def test_a_share_of_the_labels_becomes_wrong(share, n):
    found = corrupted(EXAMPLES, share, random.Random(0))
    changed = [(a, b) for a, b in zip(EXAMPLES, found, strict=True) if a != b]
    assert len(changed) == n
    assert all(b.label != a.label and b.challenge.answer == b.label for a, b in changed)
    assert all(b.challenge.question == a.challenge.question for a, b in changed)


def test_answers_are_taken_from_other_rows_and_labels_from_the_domain():
    plain = Made.of([Challenge(f"q{i}", str(i)) for i in range(8)]).examples
    found = corrupted(plain, 1.0, random.Random(0))
    assert all(
        a.challenge.answer != b.challenge.answer and not b.challenge.label for a, b in zip(plain, found, strict=True)
    )
    one = Made.of([Challenge("q", "x", label="x")] * 8).examples
    with pytest.raises(ConfigError, match="all examples have the same label"):
        corrupted(one, 1.0, random.Random(0))
    assert {e.label for e in corrupted(one, 1.0, random.Random(0), ["x", "y"])} == {"y"}


def test_other_damage():
    rng = random.Random(0)
    assert len(set(duplicated(EXAMPLES, rng))) == 12 and len(duplicated(EXAMPLES, rng)) == 24
    assert len(set(halved(EXAMPLES, rng))) == 12
    again = redrawn(EXAMPLES, rng)
    assert [e.label for e in again] == [e.label for e in EXAMPLES] and again != list(EXAMPLES)
    off = off_topic(EXAMPLES, rng, ["The comet returns."])
    assert sum(e.challenge.question == "The comet returns." for e in off) == 12
    assert [e.label for e in off] == [e.label for e in EXAMPLES]
    assert all("keys" not in e.challenge.question for e in off_topic(EXAMPLES, rng) if e not in EXAMPLES)
    with pytest.raises(ConfigError, match="no off-topic texts"):
        off_topic(EXAMPLES, rng, [])


# -- statistics -----------------------------------------------------------------------------------------------


def test_spearman_is_scipys_and_its_p_is_exact_for_a_few_points():
    from scipy.stats import spearmanr

    levels, values = [0, 1, 1, 2, 3], [5.0, 4.0, 3.0, 3.5, 1.0]
    rho, _ = falling(levels, values)
    assert rho == pytest.approx(spearmanr(levels, values).statistic)
    assert falling([1, 2, 3, 4], [4, 3, 2, 1]) == (pytest.approx(-1.0), pytest.approx(1 / 24))
    assert falling([1, 2, 3, 4], [1, 2, 3, 4]) == (pytest.approx(1.0), 1.0)
    assert falling([1, 2, 3], [2, 2, 2]) is None and falling([1, 2], [2, 1]) is None


def test_many_points_are_permuted_under_a_seed():
    levels = list(range(12))
    rho, p = falling(levels, [-x for x in levels])
    assert rho == pytest.approx(-1.0) and p < 0.001
    values = np.random.default_rng(1).random(12).tolist()
    assert falling(levels, values) == falling(levels, values) and falling(levels, values)[1] > 0.05


def test_a_bootstrap_finds_the_standard_error_of_a_mean():
    values = np.random.default_rng(0).random(200)
    draws = bootstrap(200, lambda at: float(values[at].mean()), 2000)
    assert draws.std() == pytest.approx(values.std() / 200**0.5, rel=0.1)
    low, high = interval(draws)
    assert low < values.mean() < high and (high - low) == pytest.approx(4 * draws.std(), rel=0.15)


# -- the audit ------------------------------------------------------------------------------------------------


def test_a_metric_without_noise_is_clean():
    seen = []
    found = audit_metric(ShareRight(), EXAMPLES, draws=3, watch=lambda done, n: seen.append((done, n)))
    assert found.score == 1.0 and found.monotone and found.rho < -0.9 and found.p < 0.05
    assert [d.mean for d in found.ladder] == [0.75, 0.5, 0.0]
    assert found.noise == 0.0 and found.detectable == 0.0 and found.signal_to_noise is None and found.clean
    assert seen[-1] == (25, 25) and len(seen) == 25
    assert "a difference of 0.050 can be found" in "\n".join(found.lines())


def test_a_noisy_metric_needs_repeats():
    found = audit_metric(ShareRight(noise=0.3), EXAMPLES, draws=8, hoped=0.02)
    assert found.repeat_sd > 0.03 and found.data_sd > 0.03 and not found.clean
    assert found.detectable > 0.1 and any("average" in line for line in found.advice())
    averaged = audit_metric(ShareRight(noise=0.3), EXAMPLES, draws=8, hoped=0.02, repeats=16)
    assert averaged.detectable == pytest.approx(found.detectable / 4)


def test_a_metric_that_sees_nothing_is_told_so():
    found = audit_metric(ShareRight(blind=True), EXAMPLES, draws=2)
    assert found.rho is None and found.monotone is False and not found.clean
    assert "corruption: no response" in "\n".join(found.lines())
    assert "cannot tell right from wrong" in found.advice()[0]


@pytest.mark.parametrize("name", ["classifier_student", "data_value"])
def test_the_label_metrics_fall_with_corruption(name):
    found = audit_metric(make(name, probe=PROBE), EXAMPLES, draws=3)
    assert found.monotone and found.p < 0.01 and found.n_probe == 30
    assert found.to_dict()["ladder"][2]["share"] == 1.0
    json.dumps(found.to_dict())


def test_a_small_probe_is_told_to_grow():
    weak = [r for i, r in enumerate(rows()) if i % 3 or r["label"] == "rent"]
    blurred = [
        {**r, "question": f"{r['question']} {random.Random(i).choice(list(TEXTS.values()))}"}
        for i, r in enumerate(weak)
    ]
    probe = Probe.of(
        [
            {**r, "question": f"{r['question']} {random.Random(i).choice(list(TEXTS.values()))}"}
            for i, r in enumerate(rows(3, 50))
        ]
    )
    found = audit_metric(make("classifier_student", probe=probe), blurred, draws=3, hoped=0.01)
    assert found.probe_sd > 0.01 and any("probe items instead of 9" in line for line in found.advice())


def test_what_cannot_be_audited_is_refused():
    with pytest.raises(ConfigError, match="needs 8 examples and 2 draws, not 3 and 5"):
        audit_metric(ShareRight(), EXAMPLES[:3])
    with pytest.raises(ConfigError, match="'acceptance_rate' is undecided on these examples: no trajectories"):
        audit_metric(make("acceptance_rate"), EXAMPLES)


def test_an_audit_holds_nothing_of_the_probe():
    probe = Probe.of([{**r, "question": f"CANARY {r['question']}", "id": "CANARY"} for r in rows(4, 50)])
    found = audit_metric(make("classifier_student", probe=probe), EXAMPLES, draws=2)
    assert "CANARY" not in f"{found} {found.to_dict()} {list(found.lines())}"


# -- the command ----------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path):
    lines = {"made.jsonl": rows(), "clauses.probe.jsonl": rows(10, 50), "clauses.test.jsonl": rows(2, 90)}
    for name, each in lines.items():
        (tmp_path / name).write_text("\n".join(json.dumps(row) for row in each))
    labels = "\n".join(f'{label} = "It is about {label}."' for label in TEXTS)
    (tmp_path / "task.toml").write_text(f'name = "letters"\nkind = "a letter"\n[labels]\n{labels}\n')
    return tmp_path


def command(files, *more, metric="classifier_student", probe="clauses.probe.jsonl"):
    task = ["--domain", "legal_labels", "--task", files / "task.toml"]
    return [
        "audit-metric",
        "--metric",
        metric,
        "--examples",
        files / "made.jsonl",
        "--probe",
        files / probe,
        *task,
        *more,
    ]


def test_the_command_prints_text_and_json(files):
    done = run_here(*command(files, "--draws", 2))
    assert done.code == 0 and "classifier_student: 24 examples, 30 probe items: score 1.000" in done.out
    assert "100% wrong labels or answers" in done.out and "smallest detectable difference" in done.out
    done = run_here(*command(files, "--draws", 2, "--json"))
    assert json.loads(done.out)["monotone"] is True


def test_the_command_mixes_metrics(files):
    done = run_here(*command(files, "--metric", "data_value=1", "--draws", 2, "--json", metric="classifier_student=2"))
    about = json.loads(done.out)["about"]
    assert about["metric"] == "weighted" and [p["weight"] for p in about["parts"]] == [2.0, 1.0]


def test_the_command_refuses_in_one_line(files):
    refused(*command(files, probe="clauses.test.jsonl"), says="is a test file, which no metric may look at")
    refused(*command(files, metric="data_value=much"), says="the weight is a number")
    refused(*command(files, "--label", "rent"), says="--label rent: expected PROBE_LABEL=LABEL")
    refused(*command(files, metric="value"), says="unknown metric 'value'")
    missing = ["audit-metric", "--metric", "data_value", "--domain", "math_objects", "--examples"]
    refused(*missing, files / "no.jsonl", says="examples not found")
    refused(*missing, files / "made.jsonl", says="needs a probe; give one (--probe FILE)")
    (files / "bad.jsonl").write_text('{"question": "q", "answer": "a"}\n{"a": 1}')
    refused(*missing, files / "bad.jsonl", says="line 2: expected an example")
    refused(*missing, files / "made.jsonl", "--task", files / "task.toml", says="takes no task")


def test_a_run_folder_is_read_with_its_trajectories(tmp_path):
    roles = fated_roles(lambda call: fated(f"question {call.number}"))
    maker = AgenticSelfInstruct(tiny_domain(), roles, per_document=1)
    generate(maker, documents(3), 3, run_dir=tmp_path / "run", concurrency=1)
    made = read_examples(tmp_path / "run")
    assert len(made.examples) == len(made.trajectories) == 3
    assert [(e.weak, e.strong) for e in made.examples] == [(0.0, 1.0)] * 3
    assert make("acceptance_rate")(None, made).score == make("solver_gap")(None, made).score == 1.0
