import pytest

from autodata_dspy import errors
from autodata_dspy.errors import AutodataError, StopRun, did_you_mean


def test_the_nearest_name_is_proposed():
    assert did_you_mean("role", "judg", ["judge", "student"]) == (
        "unknown role 'judg'; did you mean 'judge'? available: judge, student"
    )


def test_without_a_near_name_only_the_choice_is_shown():
    assert did_you_mean("role", "xyz", ["b", "a"]) == "unknown role 'xyz'; available: a, b"
    assert did_you_mean("domain", "xyz", []) == "unknown domain 'xyz'; available: none"


def test_every_error_is_an_autodata_error_and_an_unknown_plugin_is_the_users_to_mend():
    kinds = [v for v in vars(errors).values() if isinstance(v, type) and issubclass(v, Exception)]
    assert len(kinds) > 5 and all(issubclass(kind, AutodataError) for kind in kinds)
    assert issubclass(errors.UnknownPluginError, errors.ConfigError)


def test_the_stop_signal_passes_code_that_swallows_ordinary_exceptions():
    def swallow():
        try:
            raise StopRun(errors.BudgetExceeded("enough"))
        except Exception:
            return "swallowed"

    with pytest.raises(StopRun, match="enough") as stopped:
        swallow()
    assert isinstance(stopped.value.cause, errors.BudgetExceeded) and stopped.value.partial is None
