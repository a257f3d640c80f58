"""A model server, and a file of documents whose rounds go as planned."""

from collections.abc import Callable, Iterator
from pathlib import Path

import model_server
import pytest


@pytest.fixture
def server() -> Iterator[model_server.ModelServer]:
    with model_server.serving() as running:
        yield running


@pytest.fixture
def planned(tmp_path: Path) -> Callable[..., Path]:
    """`planned(alpha="easy accept", …)` writes documents with these plans and says where."""

    def write(**plans: str) -> Path:
        path = tmp_path / "documents.jsonl"
        path.write_text(model_server.lines(*(model_server.document(k, *v.split()) for k, v in plans.items())))
        return path

    return write
