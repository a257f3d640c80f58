"""A JSON list that becomes `dspy.Example`s."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from autodata_dspy.exporters._writing import write_json_list
from autodata_dspy.exporters.base import Exporter

INPUTS = ("context", "question")


def load(path: str | Path) -> list[Any]:
    """The `dspy.Example`s of an exported file, with `context` and `question` marked as inputs.

    >>> trainset = load("train.json")
    """
    import dspy

    return [dspy.Example(**row).with_inputs(*INPUTS) for row in json.loads(Path(path).read_text("utf-8"))]


PLUGIN = Exporter(
    name="dspy",
    summary="a JSON list that becomes dspy.Examples with `context` and `question` as inputs",
    write=write_json_list,
    about="A JSON list with one object for each example. The inputs of a program are `context` and `question`.",
    load="import json, dspy\n"
    'rows = [dspy.Example(**row).with_inputs("context", "question") for row in json.load(open({path}))]',
)
