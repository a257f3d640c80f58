"""A folder as users of the Hugging Face Hub expect it: README.md (the card) and Parquet below data/."""

from __future__ import annotations

from autodata_dspy.exporters._writing import write_parquet
from autodata_dspy.exporters.base import Exporter

PLUGIN = Exporter(
    name="hf",
    summary="a folder for the Hugging Face Hub: README.md with the card, and Parquet",
    write=write_parquet,
    about="One row for each example.",
    load="import datasets\nrows = datasets.load_dataset({path}, {split})",
    file="data/train-00000-of-00001.parquet",
)
