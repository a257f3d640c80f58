"""What the tests of every format need."""

import pytest

from autodata_dspy.documents import load_documents
from autodata_dspy.errors import ConfigError


@pytest.fixture
def refusal():
    """The one line with which a source is refused."""

    def refused(source):
        with pytest.raises(ConfigError) as error:
            load_documents(source)
        assert "\n" not in str(error.value)
        return str(error.value)

    return refused


@pytest.fixture
def without(monkeypatch):
    """As if a library were not installed: `without("pypdf")`."""
    return lambda library: monkeypatch.setitem(__import__("sys").modules, library, None)
