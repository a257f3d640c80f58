import pytest

from autodata_dspy.budget import Limits
from autodata_dspy.config import RunConfig, parse_lm_flags
from autodata_dspy.errors import ConfigError

TOML = """
domain = "math_objects"
n = 3
[limits]
max_calls = 100
max_usd = 2.5
[roles]
judge = "openai/judge"
[roles.strong_solver]
model = "openai/strong"
temperature = 0.5
[acceptance]
n_weak = 8
"""


@pytest.fixture
def toml(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text(TOML)
    return path


def refusal(**data):
    with pytest.raises(ConfigError) as refused:
        RunConfig.of(data)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_defaults_run_the_built_in_documents():
    config = RunConfig.read()
    assert (config.domain, config.documents, config.n, config.seed) == ("math_objects", "builtin", 10, 0)
    assert config.limits.limits() == Limits()


def test_a_toml_file_is_read(toml):
    config = RunConfig.read(toml)
    assert (config.n, config.acceptance.n_weak, config.limits.limits()) == (3, 8, Limits(100, None, 2.5))
    assert config.roles == {
        "judge": {"model": "openai/judge"},
        "strong_solver": {"model": "openai/strong", "temperature": 0.5},
    }


def test_overrides_win_over_the_file_table_by_table_and_none_changes_nothing(toml):
    config = RunConfig.read(
        toml, n=7, seed=None, limits={"max_calls": 5, "max_usd": None}, roles={"weak_solver": "openai/weak"}
    )
    assert (config.n, config.seed, config.limits.limits()) == (7, 0, Limits(5, None, 2.5))
    assert sorted(config.roles) == ["judge", "strong_solver", "weak_solver"]


def test_a_role_parameter_joins_the_files_model_and_a_role_model_replaces_it(toml):
    joined = RunConfig.read(toml, roles=parse_lm_flags(["strong_solver.top_p=0.9", "judge.temperature=0"]))
    assert joined.roles["strong_solver"] == {"model": "openai/strong", "temperature": 0.5, "top_p": 0.9}
    assert joined.roles["judge"] == {"model": "openai/judge", "temperature": 0}
    replaced = RunConfig.read(toml, roles=parse_lm_flags(["strong_solver=ollama/tiny"]))
    assert replaced.roles["strong_solver"] == {"model": "ollama/tiny"}  # its old parameters may not fit


def test_a_table_in_the_file_that_is_none_is_refused_in_one_line(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text('limits = "many"\n')
    with pytest.raises(ConfigError, match=r"setting 'limits': .*, not 'many'"):
        RunConfig.read(path, limits={"max_calls": 3})
    path.write_text('roles = "openai/x"\n')
    with pytest.raises(ConfigError, match="expected a table of roles"):
        RunConfig.read(path, roles={"judge": "openai/x"})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"domian": "x"}, "unknown setting 'domian'; did you mean 'domain'? available: acceptance, "),
        ({"acceptance": {"n_wek": 3}}, "unknown setting 'n_wek'; did you mean 'n_weak'? available: "),
        ({"limits": {"max_cals": 3}}, "(in [limits])"),
        ({"roles": {"weak": "openai/x"}}, "unknown role 'weak'; did you mean 'weak_solver'?"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_name(data, message):
    assert message in refusal(**data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"n": 0}, "setting 'n': Input should be greater than or equal to 1, not 0"),
        ({"n": "many"}, "setting 'n': Input should be a valid integer"),
        ({"seed": -1}, "setting 'seed'"),
        ({"passes": 1001}, "setting 'passes'"),
        ({"concurrency": 0}, "setting 'concurrency'"),
        ({"limits": {"max_usd": 0}}, "setting 'limits.max_usd': Input should be greater than 0, not 0"),
        ({"acceptance": {"n_weak": -1}}, "setting 'acceptance.n_weak'"),
        ({"roles": 3}, "setting 'roles': expected a table of roles, not 3"),
        ({"roles": {"judge": 3}}, "role 'judge': expected a model string"),
        ({"domain": None}, "setting 'domain'"),
    ],
)
def test_a_bad_value_is_refused_in_one_line_that_shows_it(data, message):
    assert message in refusal(**data)


def test_keys_are_refused_and_not_repeated():
    message = refusal(roles={"judge": {"model": "openai/x", "api_key": "sk-secret"}})
    assert "roles.judge.api_key" in message and "api_key_env" in message and "sk-secret" not in message


def test_a_key_given_as_a_flag_is_refused_too():
    with pytest.raises(ConfigError, match="api_key_env"):
        RunConfig.read(roles=parse_lm_flags(["judge=openai/x", "judge.api_key=sk-secret"]))


def test_data_that_is_no_table_is_refused():
    with pytest.raises(ConfigError, match="configuration: "):
        RunConfig.of(3)  # pyright: ignore


def test_a_configuration_survives_its_own_dump():
    config = RunConfig.of({"roles": {"judge": "openai/x"}, "limits": {"max_calls": 3}})
    assert RunConfig.of(config.model_dump()) == config


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "configuration file not found"),
        (b"n = ", "Invalid value"),
        (b"n = 1\nn = 2", "Cannot overwrite a value"),
        (b"\xff\xfe", "can't decode byte"),
    ],
)
def test_an_unreadable_file_is_refused_in_one_line(tmp_path, content, message):
    path = tmp_path / "run.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=message) as refused:
        RunConfig.read(path)
    assert str(path) in str(refused.value) and "\n" not in str(refused.value)


def test_a_folder_is_no_configuration_file(tmp_path):
    with pytest.raises(ConfigError, match="Is a directory"):
        RunConfig.read(tmp_path)


def test_lm_flags_name_models_and_parameters():
    assert parse_lm_flags(["judge=openai/x", "judge.temperature=0.5", "judge.api_base=http://h:1/v1=a"]) == {
        "judge": {"model": "openai/x", "temperature": 0.5, "api_base": "http://h:1/v1=a"}
    }
    assert parse_lm_flags([]) == {}
    assert parse_lm_flags(["judge=a", "judge=b"]) == {"judge": {"model": "b"}}


def test_all_means_every_role():
    roles = parse_lm_flags(["all=openai/x", "weak_solver=openai/y"])
    assert len(roles) == 7
    assert roles["judge"] == {"model": "openai/x"} and roles["weak_solver"] == {"model": "openai/y"}
    assert parse_lm_flags(["weak_solver=openai/y", "all=openai/x"]) == roles  # in whatever order
    warm = parse_lm_flags(["judge.temperature=0.1", "all.temperature=1.0", "all=a"])
    assert (warm["judge"]["temperature"], warm["weak_solver"]["temperature"]) == (0.1, 1.0)


@pytest.mark.parametrize("flag", ["judge", "judge=", "=", "=x", "judg=x", "judg.temperature=1", "judge.=x"])
def test_a_flag_of_another_form_is_refused(flag):
    with pytest.raises(ConfigError, match=r"expected ROLE=MODEL|unknown role"):
        parse_lm_flags([flag])
