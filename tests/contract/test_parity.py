"""The table "The paper, element by element" of the README names modules and tests that exist."""

import re
from pathlib import Path

import pytest

import autodata_dspy

PACKAGE = Path(autodata_dspy.__file__).parent
ROOT = PACKAGE.parent
BEGIN, END = "<!-- parity: begin", "<!-- parity: end"


def rows() -> list[tuple[str, str, str]]:
    text = (ROOT / "README.md").read_text("utf-8")
    table = text[text.index(BEGIN) : text.index(END)]
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")]
    assert all(len(row) == 3 for row in cells)
    return [(row[0], row[1], row[2]) for row in cells[2:]]


def missing(where: str, test: str) -> list[str]:
    """What a row names and is not there."""
    files = [name for name in re.findall(r"`([^`]+)`", where) if not (PACKAGE / name).exists()]
    path, _, function = test.strip("`").partition("::")
    source = (ROOT / path).read_text("utf-8") if (ROOT / path).exists() else ""
    known = f"def {function}(" in source if function else "def test_" in source
    return files if known else [*files, test]


@pytest.mark.parametrize(("element", "where", "test"), rows())
def test_every_element_of_the_paper_has_its_module_and_its_test(element, where, test):
    assert element and missing(where, test) == []


def test_a_test_or_a_module_that_is_not_there_is_found():
    assert missing("`modules/nowhere.py`", "`tests/unit/test_roles.py`") == ["modules/nowhere.py"]
    assert missing("`roles.py`", "`tests/unit/test_roles.py::test_nothing`") == [
        "`tests/unit/test_roles.py::test_nothing`"
    ]
    assert missing("`roles.py`", "`tests/nowhere.py`") == ["`tests/nowhere.py`"]
    assert len(rows()) >= 25
