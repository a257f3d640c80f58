"""JSON lines: one object an example."""

from __future__ import annotations

from autodata_dspy.exporters._writing import write_jsonl
from autodata_dspy.exporters.base import Exporter

PLUGIN = Exporter(
    name="jsonl",
    summary="JSON lines, one object an example",
    write=write_jsonl,
    about="One JSON object a line for each example.",
    load="import datasets, autodata_dspy.exporters as ex\n"
    'rows = datasets.load_dataset("json", data_files={pattern}, {split}, features=ex.features("jsonl"))',
)
