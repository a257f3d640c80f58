"""Exporters of other packages, and writes that fail half-way: of theirs and of ours."""

import resource
import secrets
import signal
import sys

import pytest
from command_line import contents
from exportable import accepted, result_of

from autodata_dspy import registry
from autodata_dspy.errors import ConfigError
from autodata_dspy.exporters import export

SOURCE = """
from autodata_dspy.exporters.base import Exporter

def lines(rows, columns, path):
    path.write_text("".join(row["shout"] + "|" + row["domain"] + "\\n" for row in rows))

def torn(error):
    def write(rows, columns, path):
        with path.open("w") as stream:
            stream.write(next(rows)["question"])
            stream.flush()
            raise error
    return write

def shout(example):
    return None if example.row["answer"] == "quiet" else {"shout": example.row["question"].upper()}

def plugin(name, write):
    return Exporter(name=name, summary="shouted", write=write, about="Loud.", load="rows = open({path}).readlines()",
                    extra={"shout": "string"}, row=shout, skipped="are quiet")

SHOUTS = plugin("shouts", lines)
FULL = plugin("full", torn(OSError(28, "No space left on device")))
BROKEN = plugin("broken", torn(ZeroDivisionError("a bug")))
"""


@pytest.fixture
def other_package(tmp_path_factory, monkeypatch):
    """An installed package with exporters, as its metadata on sys.path shows it."""
    site = tmp_path_factory.mktemp("site")
    info = site / "other_exporters-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-exporters\nVersion: 1.0\n")
    plugins = "".join(f"{name} = other_exporters:{name.upper()}\n" for name in ("shouts", "full", "broken"))
    (info / "entry_points.txt").write_text(f"[autodata_dspy.exporters]\n{plugins}")
    (site / "other_exporters.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(site))
    registry._entry_points.cache_clear()
    yield
    registry._entry_points.cache_clear()
    sys.modules.pop("other_exporters", None)


def test_another_package_adds_a_format(other_package, tmp_path):
    done = export(result_of([accepted("a?"), accepted("b?", "quiet")]), "shouts", tmp_path / "out.txt")
    assert done.path.read_text() == "A?|math_objects\n"
    assert (done.n, done.n_skipped, done.skipped) == (1, 1, "are quiet")
    card = done.card.read_text()
    assert "Loud." in card and "`shout`" in card and "rows = open('out.txt').readlines()" in card
    assert "1 of 2 examples are quiet" in card


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [("full", ConfigError, "No space left on device"), ("broken", ZeroDivisionError, "a bug")],
)
def test_a_write_that_fails_half_way_leaves_all_as_it_was(other_package, name, error, says, tmp_path):
    with pytest.raises(error, match=says):
        export(result_of([accepted()]), name, tmp_path / "new" / "folder" / "out.txt")
    assert not any(tmp_path.iterdir())
    export(result_of([accepted()]), "shouts", tmp_path / "out.txt")
    before = contents(tmp_path)
    with pytest.raises(error, match=says):
        export(result_of([accepted()]), name, tmp_path / "out.txt", overwrite=True)
    assert contents(tmp_path) == before


@pytest.fixture
def small_disk():
    """No file can grow beyond 100 kB, as if the disk were full then."""
    before, limits = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, before)


@pytest.mark.parametrize("name", registry.names("exporters"))
def test_a_full_disk_leaves_nothing_behind(name, small_disk, tmp_path):
    rows = [accepted(secrets.token_hex(10_000)) for _ in range(20)]  # no format can make it small
    with pytest.raises(ConfigError, match=r"cannot write .*File too large; name another place"):
        export(result_of(rows), name, tmp_path / "new" / "out")
    assert not any(tmp_path.iterdir())
