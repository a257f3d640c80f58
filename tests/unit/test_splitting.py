"""No document of one part is a near-duplicate of one of another."""

import compiling
import pytest

from autodata_dspy.errors import ConfigError
from autodata_dspy.splitting import clusters, split_documents
from autodata_dspy.types import Document


def test_near_duplicates_stay_together():
    documents = [
        Document(f"{d.id}-{copy}", d.text + " Printed again." * copy)
        for d in compiling.documents(12)
        for copy in range(3)
    ]
    split = split_documents(documents, seed=4)
    where = {d.id: part for part in ("train", "val", "test") for d in getattr(split, part)}
    assert len(where) == 36 and all(len(ids) >= 9 for ids in split.ids().values())
    for d in compiling.documents(12):
        assert len({where[f"{d.id}-{copy}"] for copy in range(3)}) == 1


def test_the_seed_decides_and_every_document_is_in_one_part():
    documents = compiling.documents(20)
    parts = [split_documents(documents, seed).ids() for seed in (0, 0, 1)]
    assert parts[0] == parts[1] != parts[2]
    assert sorted(i for ids in parts[0].values() for i in ids) == sorted(d.id for d in documents)
    assert [len(ids) for ids in parts[0].values()] == [7, 6, 7]


def test_likeness_is_passed_on():
    texts = ["the cat sat on the mat by the door", "the cat sat on the mat by the door today", "quite another text"]
    assert clusters(texts, 0.8) == [[0, 1], [2]]


def test_copies_of_one_document_are_not_enough():
    copies = [Document(f"d{i}", "The same words in each and every one of them." + " " * i) for i in range(30)]
    with pytest.raises(ConfigError, match="30 documents are 1 without near-duplicates"):
        split_documents(copies)
