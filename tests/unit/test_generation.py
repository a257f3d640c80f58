"""Documents → trajectories: results, limits, watchers, failures."""

import threading
import time

import dspy
import pytest
from dspy import lm15

from autodata_dspy.budget import Limits
from autodata_dspy.errors import BudgetExceeded, ConfigError, ProviderError
from autodata_dspy.events import Watch
from autodata_dspy.generation import generate
from autodata_dspy.generators import AgenticSelfInstruct
from autodata_dspy.types import Challenge


def write(scripted, **letters):
    """A challenger whose question depends on the passage and the seed alone."""
    return lambda call: scripted.fated(f"{call.inputs['passage']} {call.seed:x}", **letters)


@pytest.fixture
def make(scripted):
    def make(challenger=None, job_seed=0, max_rounds=2, per_document=1, **options):
        roles = scripted.fated_roles(challenger or write(scripted), job_seed=job_seed, schema=True, **options)
        domain = scripted.domain()
        return AgenticSelfInstruct(domain, roles, max_rounds=max_rounds, per_document=per_document)

    return make


def questions(result):
    return [row["question"] for row in result.accepted]


def test_every_document_gives_its_trajectory_in_order(scripted, make):
    result = generate(make(), scripted.documents(5), concurrency=3)
    assert [t.document_id for t in result.trajectories] == [f"doc-{i}" for i in range(5)]
    assert result.stopped is None and result.seconds > 0
    row = result.accepted[0]
    assert (row["document_id"], row["round"], row["seed"]) == ("doc-0", 0, 0)
    assert (row["weak_right"], row["weak_attempts"], row["strong_right"], row["strong_attempts"]) == (0, 3, 3, 3)
    assert (row["weak_model"], row["challenger_model"]) == ("scripted/weak_solver", "scripted/challenger")
    assert result.usage["weak_solver"]["calls"] == 15


@pytest.mark.parametrize("concurrency", [1, 4])
def test_the_run_ends_when_n_examples_are_accepted_whatever_the_timing(scripted, make, concurrency):
    def uneven(call):
        time.sleep(0.002 * (call.seed % 7))
        return write(scripted)(call)

    result = generate(make(uneven), scripted.documents(30), n=4, concurrency=concurrency)
    assert questions(result) == questions(generate(make(), scripted.documents(4)))
    assert len(result.trajectories) == 4 and result.stopped is None


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_seed_gives_the_same_examples_at_any_concurrency(scripted, make, concurrency):
    documents = scripted.documents(6)
    reference = generate(make(), documents, concurrency=2)
    assert questions(generate(make(), documents, concurrency=concurrency)) == questions(reference)
    assert questions(generate(make(job_seed=7000), documents, seed=7)) != questions(reference)


def test_passes_go_through_the_documents_again_with_other_seeds(scripted):
    roles = scripted.roles(challenger=lambda call: {"question": f"{call.seed}", "answer": "a"})

    class Maker(dspy.Module):
        def forward(self, document, seed):
            assert roles is not None
            return dspy.Prediction(challenge=Challenge(f"{document.id}/{seed}", "a"))

    result = generate(Maker(), scripted.documents(2), passes=2, seed=3)
    assert questions(result) == ["doc-0/3000", "doc-1/3000", "doc-0/3001", "doc-1/3001"]


def test_a_result_becomes_a_dataset_of_fixed_columns_even_when_empty(scripted, make):
    full = generate(make(), scripted.documents(2)).to_dataset()
    empty = generate(make(write(scripted, weak="11")), scripted.documents(2)).to_dataset()
    assert (len(full), len(empty)) == (2, 0)
    assert full.column_names == empty.column_names and full.features == empty.features
    assert full[0]["question"].splitlines()[1].startswith("| This is the text of document number 0")


@pytest.mark.parametrize(
    ("prediction", "n_accepted"),
    [
        ({"challenge": Challenge("q", "a")}, 1),
        ({"challenge": None}, 0),
        ({"accepted": [Challenge("q", "a"), Challenge("r", "b")]}, 2),
        ({"accepted": []}, 0),
    ],
)
def test_a_generator_may_return_plain_challenges(scripted, prediction, n_accepted):
    result = generate(lambda document, seed: dspy.Prediction(**prediction), scripted.documents(1))
    assert len(result.accepted) == n_accepted and result.trajectories[0].status == "done"


def test_a_generator_that_returns_none_of_the_fields_is_the_users_to_mend_and_no_document_is_blamed(scripted, tmp_path):
    maker = lambda document, seed: dspy.Prediction(answer=3)  # noqa: E731
    result = generate(maker, scripted.documents(9), run_dir=tmp_path, concurrency=1)
    assert isinstance(result.stopped, ConfigError) and "trajectory, accepted, challenge" in str(result.stopped)
    assert result.trajectories == ()


def test_a_document_that_breaks_the_generator_is_recorded_and_the_run_goes_on(scripted, tmp_path):
    def maker(document, seed):
        if document.id == "doc-1":
            raise RuntimeError("cannot\nread this")
        return dspy.Prediction(challenge=Challenge("q", "a"))

    result = generate(maker, scripted.documents(3), run_dir=tmp_path)
    assert [(t.status, t.note) for t in result.trajectories] == [
        ("done", ""),
        ("failed", "RuntimeError: cannot read this"),
        ("done", ""),
    ]
    assert "Traceback" in (tmp_path / "run.log").read_text()
    assert result.stopped is None


def test_a_generator_that_exits_ends_the_run(scripted):
    def maker(document, seed):
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        generate(maker, scripted.documents(3))


def test_bad_documents_are_refused_before_anything_is_written(scripted, make, tmp_path):
    with pytest.raises(ConfigError, match="two documents have the id 'doc-0'"):
        generate(make(), scripted.documents(1) * 2, run_dir=tmp_path / "run")
    with pytest.raises(ConfigError, match="no documents given"):
        generate(make(), [], run_dir=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("max_calls", [1, 7, 40])
def test_max_calls_is_never_exceeded_with_eight_threads(scripted, make, tmp_path, max_calls):
    counter = tmp_path / "calls"
    maker = make(write(scripted, weak="11"), counter=counter, sleep_s=0.001)
    result = generate(maker, scripted.documents(20), concurrency=8, limits=Limits(max_calls=max_calls))
    assert len(counter.read_text().splitlines()) == max_calls
    assert isinstance(result.stopped, BudgetExceeded)
    assert sum(role["calls"] for role in result.usage.values()) == max_calls


def test_a_token_limit_stops_the_run_and_keeps_what_was_made(scripted, make):
    # 15 tokens a call, 8 calls an example: the limit falls into the third document.
    result = generate(make(), scripted.documents(9), concurrency=1, limits=Limits(max_tokens=15 * 20))
    assert len(result.accepted) == 2 and str(result.stopped) == "the limit of 300 tokens is reached (300 used)"
    assert [t.status for t in result.trajectories] == ["done", "done", "stopped"]


def test_a_money_limit_stops_a_priced_run_and_refuses_an_unpriced_one(scripted):
    table = {"usd_per_million_input": 1e6, "usd_per_million_output": 0.0}
    for prices, calls, stop in ((table, 10, BudgetExceeded), ({}, 1, ConfigError)):
        roles = scripted.fated_roles(write(scripted), schema=True)
        for role in list(roles._given):
            roles[role].prices = tuple(prices.values()) or None
        maker = AgenticSelfInstruct(scripted.domain(), roles, per_document=1)
        result = generate(maker, scripted.documents(9), concurrency=1, limits=Limits(max_usd=100.0))
        assert isinstance(result.stopped, stop)
        assert sum(role["calls"] for role in result.usage.values()) == calls
    assert "usd_per_million_input" in str(result.stopped)


def test_a_limit_that_is_reached_after_the_nth_example_does_not_stop_the_run(scripted, make):
    first_is_done = threading.Event()

    class Waits(Watch):
        def document_finished(self, trajectory):
            first_is_done.set()

    def challenger(call):
        if "number 1" in call.inputs["passage"]:
            assert first_is_done.wait(30)  # still in flight when n is complete, and then the budget ends
        return write(scripted)(call)

    limits = Limits(max_calls=9)
    result = generate(make(challenger), scripted.documents(2), n=1, concurrency=2, limits=limits, watch=Waits())
    assert len(result.accepted) == 1 and result.stopped is None


def test_a_model_outage_stops_the_run_and_names_the_role(scripted, make):
    result = generate(make(lm15.ServerError("no route")), scripted.documents(3))
    assert isinstance(result.stopped, ProviderError) and "role 'challenger'" in str(result.stopped)
    assert result.accepted == []


def test_a_configuration_error_that_shows_in_a_worker_stops_the_run(scripted, make, tmp_path):
    result = generate(make(ConfigError("weights not found")), scripted.documents(9), run_dir=tmp_path)
    assert isinstance(result.stopped, ConfigError)
    assert {t.status for t in result.trajectories} == {"stopped"}


class Recorder(Watch):
    def __init__(self):
        self.events, self.busy, self.clashes = [], threading.Lock(), 0

    def _note(self, *event):
        if not self.busy.acquire(blocking=False):
            self.clashes += 1
            return
        time.sleep(0.002)
        self.events.append(event)
        self.busy.release()

    def started(self, n_jobs, n_done, n_wanted, meter):
        self._note("started", n_jobs, n_done, n_wanted)

    def round_finished(self, document_id, round_):
        self._note("round", document_id, round_.decision.reason)

    def document_finished(self, trajectory):
        self._note("document", trajectory.document_id, trajectory.status)


def test_a_watcher_hears_everything_one_call_at_a_time(scripted, make):
    watch = Recorder()
    generate(make(per_document=2), scripted.documents(8), concurrency=8, watch=watch)
    assert watch.clashes == 0
    assert watch.events[0] == ("started", 8, 0, None)
    assert sorted(e for e in watch.events if e[0] == "document") == [("document", f"doc-{i}", "done") for i in range(8)]
    assert sum(e[0] == "round" for e in watch.events) == 16


def test_a_watcher_that_breaks_does_not_change_the_run(scripted, make):
    class Broken(Watch):
        def round_finished(self, document_id, round_):
            raise ValueError("cannot draw")

        def document_finished(self, trajectory):
            raise ValueError("cannot draw")

    result = generate(make(), scripted.documents(3), watch=Broken())
    assert [t.status for t in result.trajectories] == ["done"] * 3 and len(result.accepted) == 3
