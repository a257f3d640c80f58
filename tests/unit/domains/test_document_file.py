"""Where the built-in documents of a domain come from."""

import pytest

from autodata_dspy import registry
from autodata_dspy.errors import ConfigError


def test_a_domain_of_another_package_names_the_file_of_its_documents(scripted, tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_text('{"id": "a", "title": "A", "text": "Five words and one more.", "licence": "CC0-1.0"}\n')
    for given in (path, str(path)):
        (found,) = scripted.domain(document_file=given).documents()
        assert (found.id, found.text, found.title) == ("a", "Five words and one more.", "A")
        assert (found.domain, found.licence) == ("tiny", "CC0-1.0")


def test_a_file_that_is_missing_or_damaged_is_one_line(scripted, tmp_path):
    with pytest.raises(ConfigError, match=r"documents not found: .*gone\.jsonl"):
        scripted.domain(document_file=tmp_path / "gone.jsonl").documents()
    (tmp_path / "bad.jsonl").write_text("no json\n")
    with pytest.raises(ConfigError, match=r"bad\.jsonl, line 1: not a JSON object"):
        scripted.domain(document_file=tmp_path / "bad.jsonl").documents()


def test_without_one_the_package_has_them():
    domain = registry.load("domains", "math_objects")
    assert domain.document_file is None and len(domain.documents()) >= 12
