"""Record the model calls that test_replay.py replays: `python tests/replay/record.py` (a few minutes, real models).

Needed whenever a prompt, a sampling default or the order of calls changes on purpose.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import autodata_dspy as ad
from autodata_dspy import registry

HERE = Path(__file__).parent
CALLS = HERE / "calls.jsonl"
DOCUMENT_IDS = ("math-matrix-inverse-2x2", "math-absolute-value-inequalities")


def maker_and_documents() -> tuple[Any, list[ad.Document]]:
    """What is recorded: two built-in documents, three rounds each, on the embedded models."""
    domain = registry.load("domains", "math_objects")
    documents = [d for d in domain.documents() if d.id in DOCUMENT_IDS]
    return ad.generators.AgenticSelfInstruct(domain, ad.Roles.embedded(), per_document=3, max_rounds=3), documents


if __name__ == "__main__":
    maker, documents = maker_and_documents()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "run"
        result = ad.generate(maker, documents, run_dir=folder, concurrency=1)
        shutil.copy(folder / "calls.jsonl", CALLS)
        shutil.copy(folder / "trajectories.jsonl", HERE / "trajectories.jsonl")
    print(f"{sum(1 for _ in CALLS.open())} calls, {len(result.accepted)} accepted")
