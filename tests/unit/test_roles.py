import copy
import pickle

import dspy
import pytest

from autodata_dspy.calls import RoleLM
from autodata_dspy.errors import ConfigError
from autodata_dspy.roles import ROLES, Roles, RoleSpec, build_lm


def test_an_unknown_role_is_refused_with_the_nearest_name():
    with pytest.raises(ConfigError, match="unknown role 'weak_solve'; did you mean 'weak_solver'"):
        Roles(weak_solve="openai/x")
    with pytest.raises(ConfigError, match="unknown role 'judg'"):
        Roles()["judg"]
    with pytest.raises(ConfigError, match="unknown role 'judg'"):
        Roles().model_of("judg")


@pytest.mark.parametrize("value", ["", 3, {}, {"temperature": 1}, {"model": ""}, {"model": 3}, ["openai/x"]])
def test_a_value_that_names_no_model_is_refused(value):
    with pytest.raises(ConfigError, match="role 'judge': expected a model string such as 'openai/gpt-4o-mini'"):
        Roles(judge=value)


def test_a_key_does_not_show_up_in_a_message():
    with pytest.raises(ConfigError) as refused:
        Roles(judge={"api_key": "sk-secret"})
    assert "sk-secret" not in str(refused.value) and "api_key" in str(refused.value)


def test_a_role_is_a_model_string_a_table_a_spec_or_an_lm(scripted):
    lm = scripted.lm("x", "given")
    roles = Roles(
        judge="openai/a",
        student={"model": "openai/b", "temperature": 0.5},
        reflection=RoleSpec("openai/c"),
        challenger=lm,
        weak_solver=None,
    )
    assert roles.model_of("judge") == "openai/a"
    assert roles.model_of("student") == "openai/b"
    assert roles.model_of("reflection") == "openai/c"
    assert roles.model_of("challenger") == "scripted/given"
    assert roles.to_dict() == {
        "judge": {"model": "openai/a"},
        "student": {"model": "openai/b", "temperature": 0.5},
        "reflection": {"model": "openai/c"},
        "challenger": {"model": "scripted/given", "given": True},
    }
    assert repr(roles).startswith("Roles(judge='openai/a', student='openai/b'")


def test_a_roles_lm_is_made_once_and_counts_as_its_role():
    roles = Roles(judge="openai/a")
    assert roles["judge"] is roles["judge"]
    assert isinstance(roles["judge"], RoleLM) and roles["judge"].role == "judge"


def test_parameters_of_a_role_reach_its_lm_and_prices_do_not():
    table = {"model": "openai/a", "temperature": 0.5, "usd_per_million_input": 1, "usd_per_million_output": 2.5}
    lm = Roles(judge=table)["judge"]
    assert lm.kwargs["temperature"] == 0.5 and lm.prices == (1.0, 2.5)
    assert not any("usd" in name for name in lm.kwargs)
    assert Roles(judge={**table, "usd_per_million_output": None} | {"model": "x"}).specs["judge"].params


def test_one_price_alone_is_no_price():
    assert Roles(judge={"model": "openai/a", "usd_per_million_input": 1})["judge"].prices is None


def test_dspys_cache_is_off_because_its_key_ignores_the_server():
    assert Roles(judge="openai/a")["judge"].cache is False
    assert Roles(judge={"model": "openai/a", "cache": True})["judge"].cache is True


def test_roles_that_are_not_named_follow_the_configured_lm_and_then_the_embedded_models(scripted):
    roles = Roles()
    assert roles.model_of("weak_solver").startswith("embedded/qwen2.5-coder-0.5b@")
    dspy.configure(lm=scripted.lm("x", "configured"))
    assert {roles.model_of(role) for role in ROLES} == {"scripted/configured"}
    with dspy.context(lm=scripted.lm("x", "context")):
        assert roles.model_of("judge") == "scripted/context"
    assert roles.model_of("judge") == "scripted/configured"
    assert Roles.embedded().model_of("judge").startswith("embedded/")


def test_copies_play_the_same_roles(scripted):
    roles = Roles(judge=scripted.lm("x"))
    assert copy.deepcopy(roles) is roles


def test_pickled_roles_keep_models_and_lose_keys_and_lms(scripted):
    roles = Roles(judge={"model": "openai/a", "api_key": "sk-secret", "top_p": 1}, student=scripted.lm("x"))
    data = pickle.dumps(roles)
    assert b"sk-secret" not in data
    assert pickle.loads(data).to_dict() == {"judge": {"model": "openai/a", "top_p": 1}}  # noqa: S301


def test_a_key_is_read_from_the_environment_variable_that_is_named(monkeypatch):
    spec = RoleSpec("openai/a", {"api_key_env": "MY_KEY"})
    with pytest.raises(ConfigError, match=r"model 'openai/a': the environment variable MY_KEY .* is not set"):
        build_lm(spec)
    monkeypatch.setenv("MY_KEY", "sk-secret")
    assert build_lm(spec).kwargs["api_key"] == "sk-secret"
    assert Roles(judge=spec).to_dict() == {"judge": {"model": "openai/a", "api_key_env": "MY_KEY"}}


def test_equal_specs_share_an_lm():
    assert build_lm(RoleSpec("openai/a", {"top_p": 1})) is build_lm(RoleSpec("openai/a", {"top_p": 1}))
    assert build_lm(RoleSpec("openai/a")) is not build_lm(RoleSpec("openai/b"))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (RoleSpec("embedded/qwen"), "qwen"),
        (RoleSpec("embedded/qwen2.5-coder-0.5b", {"api_base": "http://x"}), "api_base"),
        (RoleSpec("openai/a", {"engine": "steam"}), "model 'openai/a': engine must be"),
    ],
)
def test_a_model_that_cannot_be_built_is_named(spec, message):
    with pytest.raises(ConfigError, match=message):
        build_lm(spec).supported_params  # noqa: B018
