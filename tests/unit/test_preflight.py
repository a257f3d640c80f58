"""What is said before a budget is spent, and what saying it costs."""

import logging

import compiling
import dspy
import pytest
from scripted import scripted_lm

from autodata_dspy.budget import Limits
from autodata_dspy.errors import BudgetExceeded, ConfigError
from autodata_dspy.metrics import Score, make
from autodata_dspy.optimizers.base import fitting
from autodata_dspy.roles import Roles
from autodata_dspy.types import Challenge

ROWS = [Challenge(f"GOOD {i}", "right" if i % 2 else f"right {i}") for i in range(8)]

ROWS_WITH_SCORES = [{"question": f"{i}", "answer": f"{i}", "weak_mean": 0, "strong_mean": i % 2} for i in range(8)]


def n_calls(program):
    return sum(len(lm.engine.calls) for lm in program.roles._given.values())


def declined(program, **options):
    """The forecast, with a no."""
    shown = []
    with pytest.raises(ConfigError, match=r"not confirmed; nothing but the forecast \(6 program runs\) was paid for"):
        compiling.compile(
            program, compiling.documents(), compiling.accepted, confirm=lambda f: bool(shown.append(f)), **options
        )
    return shown[0]


def test_the_forecast_is_shown_and_can_be_declined():
    program = compiling.maker()
    forecast = declined(program, optimizer="gepa", budget=60, repeats=1)
    assert (forecast.n_runs, forecast.n_test_runs, forecast.n_proposals) == (60, 14, 4)
    assert forecast.calls == pytest.approx(74 * (n_calls(program) - 1) / 6) and forecast.tokens == 15 * forecast.calls
    power = forecast.power
    assert (power.n_documents, power.repeats, power.n_runs, power.hoped) == (7, 1, 6, 0.05)
    first, second, third = forecast.lines()
    assert first.startswith("at most 60 program runs, about 4 candidates, and 14 runs to test: about ")
    assert f"smallest detectable difference {power.detectable:.3f} (hoped for: 0.050)" in second
    assert third == f"warning: {power.warning}" and "are noise to this test, and 0.050 is hoped for" in third


def test_what_the_forecast_ran_is_of_the_budget_and_not_run_again(tmp_path):
    counter = tmp_path / "counter"
    found = compiling.compiled("bootstrap", compiling.maker(counter=counter), run_dir=tmp_path / "run")
    keys = [*(tmp_path / "run" / "evaluations.jsonl").read_text().splitlines()]
    assert found.n_runs <= 60 and len(keys) == found.n_runs + 14 and found.n_replayed == 0


def test_warnings_are_logged_where_nobody_is_asked_and_all_is_kept(caplog):
    with caplog.at_level(logging.WARNING, "autodata_dspy"):
        found = compiling.compiled("random", metric=make("solver_gap"), audit=ROWS_WITH_SCORES, budget=30, hoped=0.01)
    assert "the metric 'solver_gap', by its audit: it does not fall reliably" in caplog.text
    assert "and 0.010 is hoped for" in caplog.text
    assert found.record()["signal"]["audit"]["n_examples"] == 8 and len(found.record()["signal"]["warnings"]) == 2
    assert found.card()["scores"]["metric audit, smallest detectable difference"]["n"] == 8


def test_a_metric_that_decides_nothing_is_told_of_before_the_budget_is_spent():
    shown = []

    def undecided(gold, pred, trace=None, pred_name=None, pred_trace=None):
        return Score(0.0, "fewer than ten rows", undecided=True)

    with pytest.raises(ConfigError, match="not confirmed"):
        compiling.compile(compiling.maker(), compiling.documents(), undecided, confirm=lambda f: bool(shown.append(f)))
    first = next(shown[0].warnings())
    assert first.startswith(
        "the metric could not decide 6 of the 6 runs so far, which count as 0 (fewer than ten rows)"
    )
    assert f"warning: {first}" in list(shown[0].lines())


def test_there_is_no_warning_where_all_is_well():
    assert not list(declined(compiling.maker(), optimizer="random", hoped=1.0).warnings())


def test_the_reflection_role_decides_which_optimizer_is_taken_where_none_is_named():
    why = "the reflection role is embedded/qwen2.5-coder-1.5b, and writing instructions wants a stronger model"
    assert fitting(Roles()) == fitting(Roles.embedded()) == ("bootstrap", why)
    assert fitting(Roles(challenger="openai/some", reflection="embedded/qwen2.5-coder-1.5b"))[0] == "bootstrap"
    assert fitting(Roles(reflection="openai/some")) == (
        "gepa",
        "the reflection role is openai/some, a model of your choice",
    )
    with dspy.context(lm=scripted_lm("x")):  # which roles that are not named follow
        assert fitting(Roles())[0] == "gepa"
    program = compiling.maker()
    assert next(declined(program).lines()).startswith(
        "optimizer: gepa, because the reflection role is scripted/reflection"
    )
    del program.roles._given["reflection"]
    assert declined(program).choice == f"bootstrap, because {why}"


def test_a_metric_is_audited_on_given_examples():
    metric = make("validity", domain=compiling.maker().domain, roles=(program := compiling.maker()).roles)
    shown = []
    with pytest.raises(ConfigError, match="not confirmed"):
        compiling.compiled("random", program, metric=metric, audit=ROWS, confirm=lambda f: bool(shown.append(f)))
    (forecast,) = shown
    assert forecast.audit.n_examples == 8 and forecast.audit.hoped == 0.05
    assert forecast.calls < 74 * 12 and n_calls(program) > 500  # what the audit took is not what a program run takes
    assert "validity: 8 examples: score 0.500" in list(forecast.lines())


def test_the_audit_is_within_the_limits():
    program = compiling.maker()
    metric = make("validity", domain=program.domain, roles=program.roles)
    with pytest.raises(
        BudgetExceeded, match="the audit of the metric cannot be paid: the limit of 121 model calls is rea"
    ):
        compiling.compiled("random", program, metric=metric, audit=ROWS, limits=Limits(max_calls=150))
    assert n_calls(program) == 121


def test_a_limit_that_the_forecast_meets_ends_the_compilation_with_what_there_is():
    program = compiling.maker()
    found = compiling.compiled("bootstrap", program, limits=Limits(max_calls=25))
    assert isinstance(found.stopped, BudgetExceeded) and not found.improved
    assert 0 < found.forecast.power.n_runs < 6 and n_calls(program) <= 25


def test_what_cannot_be_audited_is_refused_before_anything_is_spent(tmp_path):
    program = compiling.maker()
    for metric, audit, message in (
        (
            compiling.accepted,
            ROWS,
            "the metric 'accepted' is no DataMetric and cannot be audited; leave the examples out",
        ),
        (make("solver_gap"), ROWS[:3], "an audit needs 8 examples and 2 draws, not 3 and 3"),
        (make("solver_gap"), tmp_path / "no.jsonl", "examples not found"),
    ):
        with pytest.raises(ConfigError, match=message):
            compiling.compiled("random", program, metric=metric, audit=audit)
    assert n_calls(program) == 0
