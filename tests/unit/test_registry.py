import importlib.metadata
import sys

import pytest

from autodata_dspy import registry
from autodata_dspy.errors import ConfigError, UnknownPluginError


@pytest.fixture
def other_package(tmp_path, monkeypatch):
    """An installed package with entry points in our groups, as its metadata on sys.path shows it."""
    info = tmp_path / "other_domains-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-domains\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[autodata_dspy.domains]\nchess = other_domains:CHESS\nbroken = other_domains:MISSING\nabsent = nowhere:X\n"
    )
    (tmp_path / "other_domains.py").write_text("CHESS = 'the chess domain'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    registry._entry_points.cache_clear()
    yield
    registry._entry_points.cache_clear()
    sys.modules.pop("other_domains", None)


def test_plugins_are_named_without_being_imported():
    assert "math_objects" in registry.names("domains")
    assert registry.names("generators") == sorted(registry.names("generators"))
    assert not {"base", "worker", "documents"} & {n for room in registry.ROOMS for n in registry.names(room)}


def test_a_plugin_is_loaded_by_its_modules_name():
    from autodata_dspy.generators.agentic_self_instruct import AgenticSelfInstruct

    assert registry.load("generators", "agentic_self_instruct") is AgenticSelfInstruct


def test_an_unknown_name_proposes_the_nearest():
    with pytest.raises(UnknownPluginError, match="unknown domain 'math_object'; did you mean 'math_objects'"):
        registry.load("domains", "math_object")


@pytest.mark.parametrize("name", ["base", "worker", "../errors", ""])
def test_modules_that_are_no_plugins_are_unknown(name):
    with pytest.raises(UnknownPluginError):
        registry.load("verifiers", name)


def test_another_package_adds_a_plugin_with_an_entry_point(other_package):
    assert importlib.metadata.version("other-domains") == "1.0"
    assert "chess" in registry.names("domains") and "math_objects" in registry.names("domains")
    assert registry.load("domains", "chess") == "the chess domain"


@pytest.mark.parametrize("name", ["broken", "absent"])
def test_a_broken_entry_point_is_named(other_package, name):
    with pytest.raises(ConfigError, match=f"the domain '{name}' of another package cannot be loaded"):
        registry.load("domains", name)
