"""Documents worked on in real processes: loky's, those of a dask cluster, those of two ray nodes."""

import contextlib
import json
import os
import signal
import time
from concurrent.futures import BrokenExecutor
from pathlib import Path

import pytest
import world

from autodata_dspy.budget import Limits
from autodata_dspy.errors import BudgetExceeded
from autodata_dspy.executors import started
from autodata_dspy.generation import generate
from autodata_dspy.store import RunFolder
from autodata_dspy.types import to_dict

LIMIT = 9  # calls; document 2 has not begun by then


@contextlib.contextmanager
def loky(patch):
    yield "loky"


@contextlib.contextmanager
def dask(patch):
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        yield f"dask:{cluster.scheduler_address}"


@contextlib.contextmanager
def ray(patch):
    from ray.cluster_utils import Cluster

    patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    node = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
    cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    try:
        cluster.add_node(**node)
        patch.setenv("RAY_ADDRESS", cluster.address)
        yield "ray:auto"
    finally:
        cluster.shutdown()


def told(result):
    """Trajectories without what a clock says."""
    return [{**to_dict(t), "seconds": 0} for t in result.trajectories]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """→ (result, number of calls) of the run in threads."""
    counter = tmp_path_factory.mktemp("threads") / "calls"
    result = generate(world.Traveller(counter), world.DOCUMENTS)
    assert len(result.trajectories[2].rounds) > 1  # so the killed process is killed
    return result, world.n_lines(counter)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("engine", [loky, dask, ray], ids=lambda engine: engine.__name__)
def test_a_run_elsewhere_that_loses_a_process_is_the_run_of_threads(engine, uninterrupted, tmp_path, monkeypatch):
    places = [str(Path(world.__file__).parent), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, places)))
    threads, n_calls = uninterrupted
    counter, grave, run_dir = tmp_path / "calls", tmp_path / "grave", tmp_path / "run"
    with engine(monkeypatch) as address, started(address, 2) as elsewhere:
        options = {"executor": elsewhere, "run_dir": run_dir}
        first = generate(world.Traveller(counter), world.DOCUMENTS, **options, limits=Limits(max_calls=LIMIT))
        assert isinstance(first.stopped, BudgetExceeded) and not grave.exists()
        assert world.n_lines(counter) == LIMIT == sum(u["calls"] for u in first.usage.values())
        whole = generate(world.Traveller(counter, grave), world.DOCUMENTS, **options)
    assert grave.exists() and whole.stopped is None
    assert told(whole) == told(threads) and whole.accepted == threads.accepted
    calls = [json.loads(line) for line in (run_dir / "calls.jsonl").read_text().splitlines()]
    assert len({call["key"] for call in calls}) == len(calls) == n_calls  # none lost, none twice
    finished = [t.document_id for t in RunFolder(run_dir).trajectories() if t.status == "done"]
    assert sorted(finished) == [d.id for d in world.DOCUMENTS]
    lost = world.n_lines(counter) - n_calls  # what the killed process had called, which its document needed again
    assert 0 < lost <= sum(call["job"] == "0|doc-2" for call in calls)
    assert {role: u["calls"] for role, u in whole.usage.items()} == {
        role: u["calls"] for role, u in threads.usage.items()
    }


@pytest.mark.timeout(60)
def test_a_process_that_died_while_it_had_nothing_to_do_is_replaced():
    with started("loky", 1) as elsewhere:
        for _ in range(2):
            process = elsewhere(os.getpid, until=lambda: None)
            os.kill(process, signal.SIGKILL)
            time.sleep(1)  # its executor has noticed
        assert elsewhere(os.getpid, until=lambda: None) not in (process, os.getpid())


@pytest.mark.timeout(60)
def test_a_process_that_dies_again_and_again_over_one_document_is_not_replaced_for_ever():
    with started("loky", 1) as elsewhere:
        with pytest.raises(BrokenExecutor):
            elsewhere(os._exit, 1, until=lambda: None)
        assert elsewhere(os.getpid, until=lambda: None) != os.getpid()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("executor", ["loky", "dask"])
def test_ctrl_c_in_a_terminal_ends_no_process_that_was_started_here(executor):
    with started(executor, 1) as elsewhere:
        process = elsewhere(os.getpid, until=lambda: None)
        os.kill(process, signal.SIGINT)
        assert elsewhere(os.getpid, until=lambda: None) == process != os.getpid()
