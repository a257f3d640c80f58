"""Text and Markdown files: one document each."""

from __future__ import annotations

from pathlib import Path

from autodata_dspy.documents.encoding import read_text
from autodata_dspy.types import Document


def read(path: Path, name: str, domain: str) -> list[Document]:
    """The file as it is. Raises ConfigError as `encoding.read_text`."""
    return [Document(id=name, text=read_text(path), title=path.stem, domain=domain, source=path.name)]
