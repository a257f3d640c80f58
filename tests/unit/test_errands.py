"""What travels to other processes and what comes back; here threads stand for processes, that know nothing of the run."""

import dataclasses
import importlib
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import cloudpickle
import compiling
import dspy
import pytest
import world
from command_line import refused_run
from interrupting import Interrupts

from autodata_dspy import runs
from autodata_dspy.budget import Limits
from autodata_dspy.config import RunConfig
from autodata_dspy.errands import packed
from autodata_dspy.errors import BudgetExceeded, ConfigError, Interrupted
from autodata_dspy.events import Watch
from autodata_dspy.executors import Elsewhere, about, started
from autodata_dspy.generation import fingerprint, generate
from autodata_dspy.generators import AgenticSelfInstruct
from autodata_dspy.roles import Roles
from autodata_dspy.types import Challenge, to_dict

TOKENS = 15  # of a scripted call
TASK = {"name": "letters", "kind": "a letter", "labels": {"rent": "It is about rent.", "keys": "It is about keys."}}
HELD = threading.Event()
INTERRUPTS = Interrupts()


@pytest.fixture(scope="module")
def elsewhere():
    with ThreadPoolExecutor(4) as pool:
        yield Elsewhere("dask", pool.submit)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    counter = tmp_path_factory.mktemp("threads") / "calls"
    return generate(world.Traveller(counter), world.DOCUMENTS), world.n_lines(counter)


def told(result):
    return [{**to_dict(t), "seconds": 0} for t in result.trajectories]


@pytest.mark.parametrize(("limit", "concurrency"), [(1, 3), (9, 1), (30, 3), (50, 2), (98, 4)])
def test_calls_are_never_exceeded_and_what_was_stopped_goes_on_without_paying_twice(
    uninterrupted, elsewhere, tmp_path, limit, concurrency
):
    threads, n_calls = uninterrupted
    counter, heard = tmp_path / "calls", []

    class Heard(Watch):
        def round_finished(self, document_id, round_):
            heard.append((document_id, round_.index))

    options = {"executor": elsewhere, "concurrency": concurrency, "run_dir": tmp_path / "run"}
    part = generate(world.Traveller(counter), world.DOCUMENTS, **options, limits=Limits(max_calls=limit))
    assert world.n_lines(counter) == limit == sum(u["calls"] for u in part.usage.values())
    assert str(part.stopped) == f"the limit of {limit} model calls is reached"
    assert {t.note for t in part.trajectories if t.status == "stopped"} == {str(part.stopped)}
    done = {t.document_id for t in part.trajectories if t.status == "done"}
    whole = generate(world.Traveller(counter), world.DOCUMENTS, **options, watch=Heard())
    assert told(whole) == told(threads) and whole.stopped is None
    assert world.n_lines(counter) == n_calls
    rounds = [(t.document_id, r.index) for t in threads.trajectories for r in t.rounds if t.document_id not in done]
    assert sorted(heard) == rounds
    assert sum(u["replayed"] for u in whole.usage.values()) <= limit


def test_threads_go_on_where_others_were_stopped_and_the_other_way_round(uninterrupted, elsewhere, tmp_path):
    threads, n_calls = uninterrupted
    for first, then in ((elsewhere, "threads"), ("threads", elsewhere)):
        place = tmp_path / str(first == "threads")
        place.mkdir()
        options = {"run_dir": place / "run", "concurrency": 2}
        generate(world.Traveller(place / "c"), world.DOCUMENTS, executor=first, limits=Limits(max_calls=40), **options)
        whole = generate(world.Traveller(place / "c"), world.DOCUMENTS, executor=then, **options)
        assert told(whole) == told(threads) and world.n_lines(place / "c") == n_calls


@pytest.mark.parametrize("limit", [TOKENS * 7, TOKENS * 40 + 1])
def test_tokens_are_overshot_by_at_most_a_call_of_each_document_in_flight(elsewhere, tmp_path, limit):
    options = {"executor": elsewhere, "concurrency": 3, "limits": Limits(max_tokens=limit)}
    part = generate(world.Traveller(tmp_path / "c"), world.DOCUMENTS, **options)
    assert isinstance(part.stopped, BudgetExceeded)
    assert limit <= TOKENS * world.n_lines(tmp_path / "c") < limit + 3 * TOKENS


class Odd(dspy.Module):
    """Breaks, ends its process, learns, or waits, as it is told."""

    def __init__(self, way):
        super().__init__()
        self.way, self.known = way, 0

    def learn(self, accepted):
        self.known += len(accepted)

    def forward(self, document, seed):
        if self.way == "breaks" and document.id == "doc-1":
            raise RuntimeError("cannot\nread this")
        if self.way == "returns nothing":
            return dspy.Prediction(answer=3)
        if self.way == "exits":
            raise SystemExit(3)
        if self.way == "is interrupted":
            INTERRUPTS.press(2)
            assert HELD.wait(30)
        return dspy.Prediction(challenge=Challenge(f"{document.id} after {self.known}", "a"))


def test_a_document_that_breaks_the_generator_is_told_as_in_threads(scripted, elsewhere, tmp_path):
    here = generate(Odd("breaks"), scripted.documents(3), concurrency=1)
    there = generate(Odd("breaks"), scripted.documents(3), executor=elsewhere, concurrency=1, run_dir=tmp_path)
    assert told(here) == told(there) and [t.status for t in there.trajectories] == ["done", "failed", "done"]
    assert there.trajectories[1].note == "RuntimeError: cannot read this"
    assert "Traceback" in (tmp_path / "run.log").read_text()


@pytest.mark.parametrize(("way", "says"), [("returns nothing", "none of the fields"), ("exits", "SystemExit: 3")])
def test_what_is_no_documents_fault_stops_the_run(scripted, elsewhere, way, says):
    result = generate(Odd(way), scripted.documents(9), executor=elsewhere, concurrency=1)
    assert isinstance(result.stopped, ConfigError) and says in str(result.stopped)
    assert result.trajectories == ()


def test_a_worker_that_cannot_read_the_generator_stops_the_run_and_no_document_is_lost(
    scripted, elsewhere, monkeypatch
):
    with monkeypatch.context() as there:
        there.setattr("autodata_dspy.errands.cloudpickle.loads", lambda packet: importlib.import_module("theirs"))
        result = generate(Odd(""), scripted.documents(3), executor=elsewhere, concurrency=1)
    assert isinstance(result.stopped, ConfigError) and result.trajectories == ()
    assert "cannot be read by a worker: ModuleNotFoundError: No module named 'theirs'; install" in str(result.stopped)


def test_a_generator_knows_there_what_it_has_learnt_here(scripted, elsewhere):
    here, there = (generate(Odd(""), scripted.documents(4), executor=e, concurrency=1) for e in ("threads", elsewhere))
    assert [row["question"] for row in there.accepted] == [f"doc-{i} after {i}" for i in range(4)]
    assert told(here) == told(there)


@pytest.mark.timeout(25)
def test_ctrl_c_twice_gives_up_what_is_worked_on_elsewhere(scripted, elsewhere):
    result = generate(Odd("is interrupted"), scripted.documents(3), executor=elsewhere, concurrency=1, watch=INTERRUPTS)
    HELD.set()
    assert isinstance(result.stopped, Interrupted) and result.trajectories == ()


def test_a_document_that_the_engine_gives_up_is_a_failed_one(scripted):
    def submit(function, *given):
        future = Future()
        future.set_exception(MemoryError("the node is gone"))
        return future

    result = generate(Odd(""), scripted.documents(2), executor=Elsewhere("ray", submit))
    assert {(t.status, t.note) for t in result.trajectories} == {("failed", "MemoryError: the node is gone")}
    assert result.stopped is None


def test_a_compilation_elsewhere_is_that_of_threads(elsewhere, tmp_path):
    def timeless(compiled):
        record = compiled.record()
        usage = {role: {**used, "seconds": 0} for role, used in record.pop("usage").items()}
        return record, usage

    here, there = (
        timeless(compiling.compiled("gepa", compiling.Traveller(), executor=e, run_dir=tmp_path / str(i)))
        for i, e in enumerate(("threads", elsewhere))
    )
    assert here == there and here[0]["improved"]


# -- what can travel ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("domain", "program"),
    [
        *((d, "agentic_self_instruct") for d in ("math_objects", "code", "cs_research", "legal", "instructions")),
        *((d, "agentic_self_instruct") for d in ("support_tone", "legal_labels")),
        ("instructions", "self_instruct"),
        ("math_objects", "cot_self_instruct"),
    ],
)
def test_generators_of_every_domain_arrive_as_they_were(scripted, monkeypatch, domain, program):
    monkeypatch.setenv("THEIR_KEY", "sk-secret")
    roles = {"weak_solver": {"model": "openai/gpt-4o-mini", "api_key_env": "THEIR_KEY"}}
    task = TASK if domain == "legal_labels" else None
    maker = runs.build_maker(RunConfig(domain=domain, program=program, task=task, roles=roles))
    packet = packed(maker)
    arrived, _ = cloudpickle.loads(packet.data)
    marks = [fingerprint(m, scripted.documents(1), 0) for m in (maker, arrived)]
    assert marks[0] == marks[1] and arrived.roles.to_dict() == maker.roles.to_dict()
    assert b"sk-secret" not in packet.data


class Locked(dspy.Module):
    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()


def test_what_cannot_travel_is_told_in_one_line_and_nothing_is_begun(scripted, elsewhere, tmp_path):
    domain = scripted.domain()

    def refused(maker):
        with pytest.raises(ConfigError) as told:
            generate(maker, scripted.documents(2), executor=elsewhere, run_dir=tmp_path / "run")
        assert "\n" not in str(told.value) and not (tmp_path / "run").exists()
        return str(told.value)

    given = AgenticSelfInstruct(domain, scripted.roles(judge="x"))
    assert refused(given).startswith("role 'judge' is played by an LM object (scripted/judge), which stays in its")
    assert "Locked cannot travel to another process (TypeError: cannot pickle '_thread.lock'" in refused(Locked())
    key = AgenticSelfInstruct(domain, Roles(judge={"model": "openai/a", "api_key": "sk-secret"}))
    assert "api_key_env" in refused(key) and "secret" not in refused(key)
    named = AgenticSelfInstruct(domain, Roles(**dict.fromkeys(("challenger", "judge"), "openai/a")))
    assert packed(named)
    with dspy.context(lm=scripted.lm("x")):
        assert refused(named).startswith("role 'quality_verifier' is played by an LM object (scripted/model)")
    with pytest.raises(ConfigError, match="role 'challenger' is played by an LM object"):
        compiling.compiled("random", executor=elsewhere)


@pytest.mark.parametrize(
    ("executor", "says"),
    [
        ("daks", "unknown executor 'daks'; did you mean 'dask'? available: dask, loky, ray, threads"),
        ("loky:8786", "loky takes no address"),
        ("dask:scheduler", "expected tcp://HOST:PORT"),
        ("dask:tcp://127.0.0.1:1", "executor 'dask:tcp://127.0.0.1:1': nobody answers at 127.0.0.1:1"),
        ("ray:127.0.0.1:1", "executor 'ray:127.0.0.1:1': nobody answers at 127.0.0.1:1"),
        ("dask", "executor 'dask' needs distributed; install it with: pip install 'autodata-dspy[dask]'"),
        ("ray", "executor 'ray' needs ray; install it with: pip install 'autodata-dspy[ray]'"),
    ],
)
def test_an_executor_that_cannot_be_used_is_refused_in_one_line(executor, says, monkeypatch, tmp_path):
    for package in ("distributed", "ray") if ":" not in executor else ():
        monkeypatch.setitem(__import__("sys").modules, package, None)
    refused_run("generate", "--domain", "code", "--executor", executor, "--run-dir", tmp_path / "run", says=says)
    assert not (tmp_path / "run").exists()


def test_workers_of_another_version_are_refused():
    def submit(function, *given):
        future = Future()
        future.set_result("autodata_dspy 0.0 on Python 3.9")
        return future

    with pytest.raises(ConfigError, match=f"have autodata_dspy 0.0 on Python 3.9, not {about()}"):
        Elsewhere("dask", submit).check()
    with pytest.raises(ConfigError, match="workers need this package"):
        dataclasses.replace(Elsewhere("dask", submit), submit=lambda f: _failing()).check()


def _failing():
    future = Future()
    future.set_exception(ModuleNotFoundError("No module named 'autodata_dspy'"))
    return future


def test_one_that_runs_already_is_left_running(elsewhere):
    with started(elsewhere, 2) as given:
        assert given is elsewhere
    assert elsewhere(about, until=lambda: None) == about()
