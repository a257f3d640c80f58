"""Data sets of the Hugging Face hub, or of its cache on this machine: one document a row."""

from __future__ import annotations

from typing import Any

from autodata_dspy.documents.rows import documents_from, worth_reading
from autodata_dspy.errors import ConfigError
from autodata_dspy.types import Document

PREFIX = "hf:"


def read(source: str, domain: str) -> list[Document]:
    """`hf:NAME`, or `hf:NAME:SPLIT` where SPLIT may name a part, as in `hf:NAME:train[:1000]`.

    Ids are `NAME:SPLIT:ROW` (from 1) unless a column `id` gives them; the licence is the data set's unless the row's.

    Raises:
        ConfigError: no such data set or split, the hub is out of reach, or no column that is the text.
    """
    name, _, split = source.removeprefix(PREFIX).partition(":")
    if not name:
        raise ConfigError(f"documents {source!r}: expected {PREFIX}NAME or {PREFIX}NAME:SPLIT")
    data = _loaded(name, split or "train", source)
    wanted = [c for c, feature in data.features.items() if worth_reading(c, _is_string(feature))]
    licence = str(data.info.license or "")
    known = Document(f"{name}:{split or 'train'}", "", domain=domain, source=f"{PREFIX}{name}", licence=licence)
    return documents_from(data.select_columns(wanted), data.column_names, source, known)


def _loaded(name: str, split: str, source: str) -> Any:
    import datasets

    try:
        return datasets.load_dataset(name, split=split, streaming=False)
    except Exception as error:  # the hub, the network and a stranger's files fail in any way
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ConfigError(
            f"documents {source!r}: cannot be loaded ({reason}); check the name, the split ({split!r}) and the network"
        ) from None


def _is_string(feature: Any) -> bool:
    return getattr(feature, "dtype", "") in ("string", "large_string", "string_view")
