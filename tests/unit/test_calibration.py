"""Calibration from Python: the pilot, its proposal, its forecast and its warnings, with scripted models."""

import dataclasses
import json

import dspy
import pytest
import scripted

from autodata_dspy import calibrate, generate
from autodata_dspy.acceptance import ExactCounts, FullSample, Thresholds
from autodata_dspy.budget import Limits
from autodata_dspy.calibration import Pilot, pilot_maker
from autodata_dspy.config import RunConfig
from autodata_dspy.errors import BudgetExceeded, ConfigError, StoreError
from autodata_dspy.generators import AgenticSelfInstruct
from autodata_dspy.report.calibrated import calibration_lines
from autodata_dspy.types import Decision

FATES = [("000000", "111111"), ("100000", "111111"), ("111111", "111111"), ("110000", "110100")]


def write(fates=FATES):
    """A challenger whose questions have the fates, in turn by their seed."""

    def script(call):
        weak, strong = fates[call.seed % len(fates)]
        return scripted.fated(f"{call.inputs['passage'][-30:]} {call.seed:08x}", weak, strong)

    return script


def maker(fates=FATES, acceptance=None, changes=None, challenger=None, **options):
    domain = scripted.tiny_domain(acceptance, **(changes or {}))
    return AgenticSelfInstruct(domain, scripted.fated_roles(challenger or write(fates)), **options)


DOCUMENTS = scripted.documents(20)


def told(found):
    return "\n".join(calibration_lines(found))


def test_a_pilot_samples_both_solvers_fully_on_a_few_documents_and_changes_nothing():
    made = maker()
    found = calibrate(made, DOCUMENTS, pilot=Pilot(documents=5, rounds=2, attempts=5))
    assert len({r.document_id for r in found.rounds}) == 5
    assert len(found.rounds) == 10
    assert {(len(r.weak), len(r.strong)) for r in found.rounds} == {(5, 5)}
    assert (made.acceptance, made.curtail, made.max_rounds, made.per_document) == (ExactCounts(), True, 6, 2)
    assert found.usage["weak_solver"]["calls"] == 50
    # drawn, not the first ones
    assert {r.document_id for r in found.rounds} != {d.id for d in DOCUMENTS[:5]}


def test_the_rounds_of_a_pilot_are_decided_as_the_run_would_decide_them():
    pilot = Pilot(documents=20, rounds=1, seed=0)
    found = calibrate(maker(), DOCUMENTS, pilot=pilot)
    plain = generate(maker(max_rounds=1, per_document=1), DOCUMENTS, seed=0)
    decided = {t.document_id: t.rounds[0].decision.reason for t in plain.trajectories}
    assert {r.document_id: r.reason for r in found.rounds} == decided
    assert len(set(decided.values())) > 1


def test_a_pair_far_apart_gets_a_strict_rule_that_fits_a_configuration():
    found = calibrate(maker([("000000", "111111"), ("111111", "111111")]), DOCUMENTS, n=30)
    assert found.rule == ExactCounts(4, 0, 4, 4)
    assert found.acceptance == {"n_weak": 4, "max_weak": 0, "n_strong": 4, "min_strong": 4}
    config = RunConfig.of({"acceptance": found.acceptance})
    assert config.acceptance.min_strong == 4
    assert 0.2 < found.forecast.yield_per_round.mid < 0.8
    assert found.forecast.rounds.low < found.forecast.rounds.mid < found.forecast.rounds.high
    assert found.passes >= 1
    assert not found.tells_nothing
    assert "proposed rule: ExactCounts(n_weak=4, max_weak=0, n_strong=4, min_strong=4)" in told(found)


def test_where_the_rule_in_force_accepts_nothing_a_looser_one_is_proposed():
    found = calibrate(maker([("110000", "110100")], ExactCounts(4, 0, 4, 4)), DOCUMENTS, pilot=Pilot(attempts=6))
    assert found.forecast_before.accepted == 0
    assert found.forecast.accepted > 0
    assert "rule in force: ExactCounts(n_weak=4, max_weak=0, n_strong=4, min_strong=4); accepts none of 24" in told(
        found
    )
    assert found.rule.max_weak >= 1 and 2 * found.rule.min_strong > found.rule.n_strong


@pytest.mark.parametrize(
    ("fates", "says"),
    [
        ([("111111", "111111")], "the weak solver struggles with 0, the strong one succeeds in 24; use a weaker"),
        ([("000000", "000000")], "the weak solver struggles with 24, the strong one succeeds in 0; use a stronger"),
    ],
)
def test_a_hopeless_pair_is_told_with_its_remedy(fates, says):
    found = calibrate(maker(fates), DOCUMENTS)
    assert found.tells_nothing and found.rule is None and found.acceptance == {}
    assert found.passes is None
    assert says in found.notes[0]
    assert "cannot tell anything apart" in found.notes[1] and "--lm strong_solver=MODEL" in found.notes[1]
    assert "accepts none of 24 rounds: a yield of at most 12.5% (95 %)" in told(found)
    assert "at least 400; the pilot is too small for more" in told(found)


def test_a_challenger_that_passes_no_check_is_told():
    found = calibrate(maker(challenger={"question": "forbidden", "answer": "a"}), DOCUMENTS)
    assert found.tells_nothing
    assert (
        "no challenge passed the checks, so the solvers were never asked; use a stronger challenger" in found.notes[0]
    )
    assert "0 passed the checks" in told(found)


def test_few_accepted_are_told():
    found = calibrate(maker([("000000", "111111")]), DOCUMENTS, pilot=Pilot(documents=1, rounds=2))
    assert "accepts 2.0 of the pilot's 2 rounds, too few for a narrow forecast" in found.notes[0]
    assert "all rounds are of one document" in found.notes[1]


def test_the_tables_show_how_many_challenges_have_which_scores():
    fates = [("000000", "111111"), ("111111", "000000")]
    found = calibrate(maker(fates), DOCUMENTS, pilot=Pilot(documents=10, rounds=1))
    n = sum(r.weak == (0.0,) * 4 for r in found.rounds)
    assert 0 < n < 10
    lines = told(found).splitlines()
    start = lines.index("weak solver (scripted/weak_solver), challenges by right answers of attempts:")
    bars = [line.split() for line in lines[start + 1 : start + 6]]
    assert [bar[:4] for bar in bars] == [
        ["0", "of", "4", str(n)],
        ["1", "of", "4", "0"],
        ["2", "of", "4", "0"],
        ["3", "of", "4", "0"],
        ["4", "of", "4", str(10 - n)],
    ]
    assert len(bars[0][4]) == (30 if n >= 5 else round(30 * n / (10 - n)))
    table = lines.index("weak (rows) by strong (columns):")
    assert lines[table + 2].split() == ["0", "of", "4", ".", ".", ".", ".", str(n)]
    assert lines[table + 6].split() == ["4", "of", "4", str(10 - n), ".", ".", ".", "."]


def test_mean_scores_are_shown_in_ranges_and_attempts_without_score_apart():
    class Half:
        name, checks, cost, EXAMPLES = "half", "answer", "free", ()

        def verify(self, subject, reference="", context=""):
            from autodata_dspy.types import Verdict

            return Verdict(0.8 if subject == reference else 0.2)

    found = calibrate(
        maker([("000000", "111111")], Thresholds(n_weak=3, n_strong=3), {"answer_verifier": lambda roles: Half()}),
        DOCUMENTS,
    )
    assert found.rule.weak_at_most == 0.2 and found.rule.strong_min == 0.8 and found.rule.gap == 0.5
    assert "    0.2–0.4   24 ##############################\n" in told(found)
    assert RunConfig.of({"acceptance": found.acceptance}).acceptance.gap == 0.5


class Picky(dspy.Module):
    """A last word that accepts by the question's last digit."""

    def __init__(self, domain, roles):
        super().__init__()

    def forward(self, *, challenge, weak, strong, earlier, seed):
        good = challenge.question.split(" weak=")[0][-1] in "01234567"
        decision = Decision(True, "accepted") if good else Decision(False, "improve", "again")
        return dspy.Prediction(decision=decision, verdicts=())


def test_where_a_module_has_the_last_word_its_verdicts_are_forecast_and_the_rule_stays():
    found = calibrate(maker([("000000", "111111")], FullSample(5, 3), {"last_word": Picky}), DOCUMENTS)
    assert {(len(r.weak), len(r.strong)) for r in found.rounds} == {(5, 3)}
    assert found.rule is None and found.acceptance == {} and not found.tells_nothing
    assert found.forecast.accepted == sum(r.accepted for r in found.rounds)
    assert 0 < found.forecast.accepted < 24
    assert any("a module with the last word decides" in note for note in found.notes)
    assert found.forecast.calls.mid == pytest.approx(50 * 24 * (1 + 1 + 5 + 3) / found.forecast.accepted)


def test_a_last_word_that_accepts_nothing_is_told():
    class Never(Picky):
        def forward(self, **given):
            return dspy.Prediction(decision=Decision(False, "improve", "again"), verdicts=())

    found = calibrate(maker([("000000", "111111")], FullSample(5, 3), {"last_word": Never}), DOCUMENTS)
    assert found.tells_nothing
    assert found.notes[0].startswith("none of 24 rounds was accepted; see why with `autodata show`")


def test_another_kind_of_rule_names_a_preset():
    assert calibrate(maker([("000000", "111111")], FullSample(), {"last_word": Picky}), DOCUMENTS).rule is None
    other = maker([("000000", "111111")])
    other.acceptance = Thresholds()
    found = calibrate(other, DOCUMENTS)
    assert found.acceptance["preset"] in ("paper-prose", "paper-deployed")
    assert RunConfig.of({"acceptance": found.acceptance}).acceptance.gap == found.rule.gap


def test_a_reached_limit_ends_the_pilot_and_what_there_is_is_used(tmp_path):
    found = calibrate(maker(), DOCUMENTS, run_dir=tmp_path / "r", limits=Limits(max_calls=60))
    assert "60 model calls" in found.stopped
    assert 0 < len(found.rounds) < 24
    assert sum(u["calls"] for u in found.usage.values()) == 60
    assert any(note.startswith("the pilot ended early") for note in found.notes)
    with pytest.raises(BudgetExceeded):
        calibrate(maker(), DOCUMENTS, limits=Limits(max_calls=3))


def test_a_pilot_that_goes_on_finds_what_an_uninterrupted_one_finds(tmp_path):
    whole = calibrate(maker(), DOCUMENTS, run_dir=tmp_path / "whole")
    calibrate(maker(), DOCUMENTS, run_dir=tmp_path / "r", limits=Limits(max_calls=75))
    resumed = calibrate(maker(), DOCUMENTS, run_dir=tmp_path / "r")
    assert resumed.rounds == whole.rounds and resumed.rule == whole.rule
    assert resumed.forecast.calls == whole.forecast.calls
    assert resumed.forecast.yield_per_round == whole.forecast.yield_per_round
    assert sum(u["calls"] for u in resumed.usage.values()) == sum(u["calls"] for u in whole.usage.values())
    with pytest.raises(StoreError, match="belongs to another configuration"):
        calibrate(maker(acceptance=ExactCounts(3, 1, 3, 2)), DOCUMENTS, run_dir=tmp_path / "r")


def test_everything_is_plain_data():
    data = json.loads(json.dumps(calibrate(maker(), DOCUMENTS).to_dict()))
    assert data["before"] == {"kind": "ExactCounts", **dataclasses.asdict(ExactCounts())}
    assert data["rule"]["kind"] == "ExactCounts"
    assert len(data["rounds"]) == 24


def test_documents_without_a_round_are_told():
    class Broken(AgenticSelfInstruct):
        def forward(self, document, seed=0):
            raise RuntimeError("no such thing")

    broken = Broken(scripted.tiny_domain(), scripted.fated_roles(write()))
    with pytest.raises(
        ConfigError, match=r"gave no round \(failed: RuntimeError: no such thing\); name other documents"
    ):
        calibrate(broken, DOCUMENTS)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: calibrate(maker(), DOCUMENTS, n=0), "n=0 must be at least 1"),
        (lambda: calibrate(maker(), DOCUMENTS, pilot=Pilot(documents=0)), "a pilot's documents=0 must be at least 1"),
        (lambda: calibrate(dspy.Module(), DOCUMENTS), "Module has no weak and strong solver to calibrate a rule for"),
        (lambda: calibrate(maker(), []), "document"),
    ],
)
def test_bad_input_is_refused(make, says):
    with pytest.raises(ConfigError, match=says):
        make()


def test_the_pilots_maker_keeps_compiled_prompts():
    made = maker()
    made.challenger.write.demos = [{"question": "learned"}]
    assert pilot_maker(made, Pilot()).challenger.write.demos == [{"question": "learned"}]
