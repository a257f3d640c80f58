"""The catalogue of embedded models."""

import re

import pytest

from autodata_dspy.embedded.catalog import MODELS, Wheels, find
from autodata_dspy.errors import ConfigError


def test_wheels_name_their_parts_and_members_in_order():
    wheels = Wheels("demo-part{n}==1.0", "demo_part{n}/data/part{n:02d}.bin", parts=11)
    pairs = list(wheels)
    assert pairs[0] == ("demo-part1==1.0", "demo_part1/data/part01.bin")
    assert pairs[10] == ("demo-part11==1.0", "demo_part11/data/part11.bin")
    assert len(pairs) == 11


@pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
def test_every_model_is_pinned_in_every_source(model):
    assert re.fullmatch(r"[0-9a-f]{64}", model.sha256)
    assert model.size > 50_000_000
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9.]+", requirement) for requirement, _ in model.wheels)
    if model.hub_repo:
        assert re.fullmatch(r"[0-9a-f]{40}", model.hub_revision), "a branch name would not be pinned"
        assert model.hub_file.endswith(".gguf")


def test_models_are_found_by_name():
    assert find("smollm2-135m").size == 98362432


def test_an_unknown_model_is_answered_with_the_nearest_name():
    with pytest.raises(ConfigError, match=r"unknown embedded model 'smollm2-135'; did you mean 'smollm2-135m'\?"):
        find("smollm2-135")
