"""Parquet: one file with typed columns."""

from __future__ import annotations

from autodata_dspy.exporters._writing import write_parquet
from autodata_dspy.exporters.base import Exporter

PLUGIN = Exporter(
    name="parquet",
    summary="one Parquet file with typed columns",
    write=write_parquet,
    about="One row for each example.",
    load='import datasets\nrows = datasets.load_dataset("parquet", data_files={pattern}, {split})',
)
