"""A configuration written as TOML reads back as it was."""

import tomllib

import pytest

from autodata_dspy.config_file import check_target, to_toml, write_config
from autodata_dspy.errors import ConfigError

DATA = {
    "domain": "math_objects",
    "n": 50,
    "quality_check": False,
    "roles": {
        "weak_solver": {"model": "vllm:tiny", "temperature": 0.7, "top_p": 1e-05},
        "judge": {"model": 'a "quoted" \\ name\n', "stop": ["a", "b"], "extra_body": {"odd key": {"x": [True, 1]}}},
    },
    "task": {"labels": {"a label, spaced": "§ 5 \x7f\t", "b": "ü"}, "examples": {}},
    "nested": [{"a": 1, "b": [1.5, {"c": "d"}]}],
}


def test_what_is_written_reads_back():
    assert tomllib.loads(to_toml(DATA)) == DATA


def test_none_is_left_out():
    assert to_toml({"a": None, "b": 1, "c": {"d": None}}) == "b = 1\n\n[c]\n"


def test_only_the_input_is_overwritten(tmp_path):
    path, other = tmp_path / "run.toml", tmp_path / "other.toml"
    check_target(path, None)
    path.write_text("n = 1")
    other.write_text("n = 2")
    check_target(path, path)
    for source in (None, other, tmp_path / "gone.toml"):
        with pytest.raises(ConfigError, match=r"run\.toml exists and is not the file this started from; name another"):
            check_target(path, source)


def test_a_target_that_cannot_be_written_is_told_before_the_pilot(tmp_path):
    with pytest.raises(ConfigError, match="is a folder; name a file"):
        check_target(tmp_path, None)
    with pytest.raises(ConfigError, match="there is no folder"):
        check_target(tmp_path / "no" / "run.toml", None)
    with pytest.raises(ConfigError, match="cannot write"):
        write_config(tmp_path / "no" / "run.toml", {})


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("x = 1\n" * 1000)
    write_config(path, {"n": 3})
    assert path.read_text() == "n = 3\n"
    assert [p.name for p in tmp_path.iterdir()] == ["run.toml"]
