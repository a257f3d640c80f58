"""Parquet: one document a row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autodata_dspy.documents.checks import MAX_FILE_BYTES, MAX_TOTAL_BYTES, check_size
from autodata_dspy.documents.rows import documents_from, worth_reading
from autodata_dspy.errors import ConfigError
from autodata_dspy.types import Document

_N_ROWS = 64  # decoded at a time: of the largest texts allowed, 320 MB


def read(path: Path, name: str, domain: str) -> list[Document]:
    """`rows.text_column` says which column is the text.

    Raises:
        ConfigError: damaged, too large also when unpacked, or no column that is the text.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        check_size(path.stat().st_size, str(path), MAX_FILE_BYTES, "one file")
        with pyarrow.parquet.ParquetFile(path) as file:
            known = Document(name, "", domain=domain, source=path.name)
            return documents_from(_rows(file, str(path)), file.schema_arrow.names, str(path), known)
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(f"{path}: cannot be read as Parquet ({reason}); write it anew") from None


def _rows(file: Any, where: str) -> Iterator[dict[str, Any]]:
    wanted = [field.name for field in file.schema_arrow if worth_reading(field.name, _is_string(field.type))]
    groups = (file.metadata.row_group(i) for i in range(file.metadata.num_row_groups))
    columns = (group.column(i) for group in groups for i in range(group.num_columns))
    unpacked = sum(c.total_uncompressed_size for c in columns if c.path_in_schema in wanted)
    check_size(unpacked, where, MAX_TOTAL_BYTES, "one file, unpacked")
    for batch in file.iter_batches(batch_size=_N_ROWS, columns=wanted):
        yield from batch.to_pylist()


def _is_string(kind: Any) -> bool:
    from pyarrow import types

    held = kind.value_type if types.is_dictionary(kind) else kind
    return types.is_string(held) or types.is_large_string(held)
