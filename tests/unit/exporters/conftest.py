import datasets
import pytest
import world
from exportable import accepted, result_of

from autodata_dspy import generate


@pytest.fixture(scope="session")
def many():
    """10 000 examples; the first has no decided score at all, so that no reader can guess types from it."""
    first = accepted("first?", weak=(0.0,), strong=())
    return result_of([first, *(accepted(f"Question {i}?", str(i)) for i in range(1, 10_000))])


@pytest.fixture
def run(tmp_path):
    """→ (run folder, its result)."""
    folder = tmp_path / "run"
    return folder, generate(world.maker(), world.DOCUMENTS, run_dir=folder, n=3)


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """What `datasets` caches goes beside the data of the test."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
