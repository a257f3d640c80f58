"""Compile as a whole: killed and continued, bounded, refused, tested on what nothing has seen."""

import functools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import compiling
import dspy
import pytest
from dspy import lm15

from autodata_dspy import registry
from autodata_dspy.artifact import load_program
from autodata_dspy.budget import Limits
from autodata_dspy.candidates import state_of
from autodata_dspy.errors import BudgetExceeded, ConfigError, ProviderError, StoreError
from autodata_dspy.examiner import examiner_digest
from autodata_dspy.generation import Interrupted
from autodata_dspy.metrics import Score, combine
from autodata_dspy.program_file import read_program
from autodata_dspy.verifiers.exact_match import ExactMatch

WITHOUT_OPTUNA = [n for n in registry.names("optimizers") if n != "mipro"]


def started(optimizer, run_dir, counter, sleep_s=0.0):
    job = {"optimizer": optimizer, "run_dir": str(run_dir), "counter": str(counter), "sleep_s": sleep_s}
    command = [sys.executable, compiling.__file__, json.dumps(job)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(root())})


def root():
    return Path(compiling.__file__).parents[1]


def n_lines(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


def plain(record):
    return {k: v for k, v in record.items() if k != "usage"}


@pytest.mark.parametrize("name", WITHOUT_OPTUNA)
def test_killed_and_continued_is_the_same_as_not_killed(name, tmp_path):
    counter, folder = tmp_path / "counter", tmp_path / "run"
    whole = compiling.compiled(name, compiling.maker(counter=tmp_path / "whole"), run_dir=tmp_path / "whole-run")
    n_calls = n_lines(tmp_path / "whole")
    killed = started(name, folder, counter, sleep_s=0.01)
    while n_lines(counter) < n_calls // 2 and killed.poll() is None:
        time.sleep(0.02)
    assert killed.poll() is None
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    again = compiling.compiled(name, compiling.maker(counter=counter), run_dir=folder)
    assert plain(again.record()) == plain(whole.record())
    assert again.n_replayed > 0
    assert n_lines(counter) <= n_calls + 1  # at most the call in flight is made again
    # And once more: nothing is paid.
    before = n_lines(counter)
    assert plain(compiling.compiled(name, compiling.maker(counter=counter), run_dir=folder).record()) == plain(
        whole.record()
    )
    assert n_lines(counter) == before


def test_a_folder_holds_the_program_and_the_lineage(tmp_path):
    found = compiling.compiled("bootstrap", run_dir=tmp_path)
    record = json.loads((tmp_path / "compiled.json").read_text())
    assert record["verdict"] == found.verdict and record["candidates"][1]["parent"] == found.seed.id
    loaded = load_program(tmp_path / "program.json", maker=compiling.maker())
    assert state_of(loaded) == found.chosen.state
    card = read_program(tmp_path / "program.json").card
    assert (card.optimizer, card.metric, card.verdict) == ("bootstrap", "accepted", found.verdict)
    assert card.arguments["acceptance"].startswith("ExactCounts(n_weak=")
    power = found.forecast.power
    assert record["signal"]["test"]["detectable"] == power.detectable and record["signal"]["warnings"] == [
        power.warning
    ]
    assert card.scores["test, smallest detectable difference"].value == pytest.approx(power.detectable)
    steps = sorted((tmp_path / "steps").glob("*.json"))
    assert [path.stem for path in steps] == [
        f"step-{n:02d}" for n, c in enumerate(found.candidates) if c.id in found.validation
    ]
    assert state_of(load_program(steps[1], maker=compiling.maker())) == found.candidates[int(steps[1].stem[5:])].state
    assert read_program(steps[0]).card.scores["validation"].value == found.validation[found.seed.id]
    assert card.lineage[1].parents == [0] and card.scores["test, chosen"].value == 1.0 and card.spend["calls"] > 50


def test_a_folder_of_another_metric_or_optimizer_is_refused(tmp_path):
    compiling.compiled("bootstrap", run_dir=tmp_path)

    def other(gold, pred, trace=None, pred_name=None, pred_trace=None):
        return Score(1.0)

    with pytest.raises(StoreError, match="belongs to another configuration"):
        compiling.compile(compiling.maker(), compiling.documents(), other, run_dir=tmp_path)
    with pytest.raises(StoreError, match="belongs to another configuration"):
        compiling.compiled("random", run_dir=tmp_path)


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("name", ["bootstrap", "gepa"])
def test_a_limit_on_calls_stops_it_with_the_best_so_far(name, concurrency):
    program = compiling.maker()
    found = compiling.compiled(name, program, limits=Limits(max_calls=60), concurrency=concurrency)
    assert isinstance(found.stopped, BudgetExceeded) and "stopped: the limit of" in found.verdict
    assert sum(len(lm.engine.calls) for lm in program.roles._given.values()) <= 60
    assert state_of(found.program) == found.seed.state or found.improved


def test_the_share_of_the_test_is_set_aside():
    found = compiling.compiled("random", limits=Limits(max_calls=170), budget=400)
    assert "is reached" in str(found.stopped)
    assert found.chosen.id != found.seed.id or found.test


def test_an_outage_stops_gepa_instead_of_scoring_zeros():
    program = compiling.maker()
    engine = program.roles._given["challenger"].engine
    healthy = engine.script
    engine.script = lambda call: lm15.ServerError("down") if call.number > 12 else healthy(call)
    found = compiling.compiled("gepa", program)
    assert isinstance(found.stopped, ProviderError) and "down" in str(found.stopped)
    assert not found.improved and found.verdict.startswith("no evidence of improvement, the seed is kept")


def test_a_reflection_model_that_does_not_answer_is_found_before_the_budget_is_spent():
    program = compiling.maker(reflection=lm15.ServerError("no such model"))
    with pytest.raises(ProviderError, match="no such model"):
        compiling.compiled("gepa", program)
    assert len(program.roles._given["challenger"].engine.calls) == 1


def test_a_reflection_model_that_writes_nonsense_gives_the_seed_back():
    for name in ("gepa", "boltzmann"):
        found = compiling.compiled(name, compiling.maker(reflection="{ no"))
        assert not found.improved and found.stopped is None


def test_a_metric_that_fails_in_feedback_only_is_found_before_the_budget_is_spent():
    def metric(gold, pred, trace=None, pred_name=None, pred_trace=None):
        if pred_name:
            raise KeyError("nothing here")
        return compiling.accepted(gold, pred)

    program = compiling.maker()
    with pytest.raises(ConfigError, match=r"the metric failed in the feedback for 'challenger.write': KeyError"):
        compiling.compile(program, compiling.documents(), metric, optimizer="gepa")
    assert len(program.roles._given["challenger"].engine.calls) == 1


def test_a_metric_that_breaks_later_stops_the_run_with_the_best_so_far():
    runs = []

    def metric(gold, pred, trace=None, pred_name=None, pred_trace=None):
        runs.append(pred)
        if len(runs) > 30:
            raise ZeroDivisionError
        return compiling.accepted(gold, pred)

    found = compiling.compile(
        compiling.maker(), compiling.documents(), metric, optimizer="random", budget=60, concurrency=1
    )
    assert "the metric failed: ZeroDivisionError" in str(found.stopped) and not found.improved


@pytest.mark.parametrize("concurrency", [1, 4])
def test_ctrl_c_keeps_what_is_finished(tmp_path, concurrency):
    def interrupt(candidate, bench):
        if bench.n_runs > 20:
            raise KeyboardInterrupt

    counter = tmp_path / "counter"
    with pytest.raises(Interrupted):
        compiling.compiled(
            "random",
            compiling.maker(counter=counter),
            run_dir=tmp_path / "run",
            told=interrupt,
            concurrency=concurrency,
        )
    n_calls = n_lines(counter)
    found = compiling.compiled("random", compiling.maker(counter=counter), run_dir=tmp_path / "run")
    assert found.n_replayed >= 20 and plain(found.record()) == plain(compiling.compiled("random").record())
    whole = tmp_path / "whole"
    compiling.compiled("random", compiling.maker(counter=whole))
    assert n_calls < n_lines(counter) <= n_lines(whole)


def test_the_metric_never_sees_a_test_document_before_the_end():
    seen = []

    def metric(gold, pred, trace=None, pred_name=None, pred_trace=None):
        seen.append(gold.document.id)
        return Score(float(bool(pred.accepted)) * gold.weight)

    gold = {d.id: {"weight": 0.5} for d in compiling.documents()}
    found = compiling.compile(
        compiling.maker(), compiling.documents(), metric, gold=gold, budget=40, concurrency=1, repeats=2
    )
    tested = set(found.split["test"])
    first = next(i for i, d in enumerate(seen) if d in tested)
    assert not tested & set(seen[:first]) and set(seen[first:]) <= tested
    assert found.test["chosen"] == 0.5


def test_the_examiner_has_a_hash_that_prompts_of_the_student_do_not_change():
    program = compiling.maker()
    before = examiner_digest(program, compiling.accepted)
    write = program.challenger.write
    write.signature = write.signature.with_instructions("Other words.")
    assert examiner_digest(program, compiling.accepted) == before
    frozen = next(m for _, m in program.weak.named_sub_modules() if hasattr(m, "signature"))
    frozen.signature = frozen.signature.with_instructions("Be lenient.")
    assert examiner_digest(program, compiling.accepted) != before
    assert examiner_digest(compiling.maker(), len) != before


def closing_over(threshold):
    def metric(gold, pred, trace=None, pred_name=None, pred_trace=None):
        return Score(float(len(pred.accepted) > threshold))

    return metric


def test_the_examiners_hash_is_of_what_the_metric_does_and_of_what_it_reads():
    program = compiling.maker()

    def digest(metric, gold=None):
        return examiner_digest(program, metric, gold)

    def another():
        return lambda gold, pred: Score(float(len(pred.accepted) > 0), str({"a", "b"}))

    def other():
        return lambda gold, pred: Score(float(len(pred.accepted) > 0), str({"a", "c"}))

    assert digest(closing_over(1)) == digest(closing_over(1)) != digest(closing_over(2))
    assert digest(another()) == digest(another()) != digest(other())
    halves = [functools.partial(compiling.accepted, pred_name=name) for name in ("a", "a", "b")]
    assert digest(halves[0]) == digest(halves[1]) != digest(halves[2])
    assert digest(len) == digest(len, {}) != digest(len, {"doc-anchor": {"weight": 1}})
    verified = [combine([ExactMatch(), ExactMatch()], weights=[1, w]) for w in (1, 1, 2)]
    assert digest(verified[0]) == digest(verified[1]) != digest(verified[2])


def test_the_examiners_hash_is_the_same_in_another_process():
    program = (
        "import compiling; from autodata_dspy.examiner import examiner_digest as digest; from autodata_dspy.metrics import "
        "combine; from autodata_dspy.verifiers.exact_match import ExactMatch; f = lambda g, p: p in {'a', 'b', 'c'}; "
        "print(digest(compiling.maker(), combine([ExactMatch()])), digest(compiling.maker(), f))"
    )
    places = os.pathsep.join([str(root()), str(root() / "tests")])
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": places, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


class Wrapped(dspy.Module):
    """A module of one's own that calls its data-maker what optimizers' programs call theirs."""

    def __init__(self, maker):
        super().__init__()
        self.maker, self.domain, self.roles = maker, maker.domain, maker.roles

    def forward(self, document, seed=0):
        return self.maker(document=document, seed=seed)


@pytest.mark.parametrize("optimizer", ["bootstrap", "gepa"])
def test_a_data_maker_in_a_module_of_ones_own_is_compiled_whatever_its_name(optimizer):
    found = compiling.compiled(optimizer, Wrapped(compiling.maker()))
    assert found.improved and state_of(found.program).keys() == {"maker.challenger.write"}


def test_what_dspy_has_compiled_can_be_compiled_further():
    program = compiling.maker()
    program._compiled = True
    assert compiling.compiled("bootstrap", program).improved


@pytest.mark.parametrize("concurrency", [1, 4])
def test_ctrl_c_ends_program_runs_at_their_next_model_call(tmp_path, concurrency):
    def press(candidate, document, score, bench):
        if bench.n_finished == 12:
            os.kill(os.getpid(), signal.SIGINT)
            deadline = time.monotonic() + 30
            while bench.meter.stopped_by is None and time.monotonic() < deadline:
                time.sleep(0.001)

    before = signal.getsignal(signal.SIGINT)
    counter = tmp_path / "counter"
    program = compiling.maker(counter=counter)
    with pytest.raises(Interrupted):
        compiling.compiled("random", program, run_dir=tmp_path / "run", ran=press, concurrency=concurrency)
    assert signal.getsignal(signal.SIGINT) is before
    n_runs = len((tmp_path / "run" / "evaluations.jsonl").read_text().splitlines())
    assert 12 <= n_runs < 12 + concurrency
    found = compiling.compiled("random", compiling.maker(counter=counter), run_dir=tmp_path / "run")
    assert found.n_replayed == n_runs and plain(found.record()) == plain(compiling.compiled("random").record())


def test_few_documents_or_silly_numbers_are_refused():
    with pytest.raises(ConfigError, match="at least 6"):
        compiling.compile(compiling.maker(), compiling.documents(5), compiling.accepted)
    with pytest.raises(ConfigError, match="must be at least 1"):
        compiling.compiled("random", repeats=0)
    with pytest.raises(ConfigError, match="hoped=0 must be a difference above 0"):
        compiling.compiled("random", hoped=0)


def test_too_few_test_documents_prove_nothing():
    found = compiling.compile(compiling.maker(), compiling.documents(9), compiling.accepted, budget=60)
    assert "too few to tell" in found.verdict and not found.improved
