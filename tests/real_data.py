"""Real held-out items and corpora that lie beside a checkout; a test that needs them is skipped where they are not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "shared" / "data"


def rows(*names: str) -> list[dict[str, Any]]:
    """The rows of JSON-lines files, such as "heldout/math_gsm8k.probe.jsonl", one file after another."""
    for name in names:
        if not (FOLDER / name).exists():
            pytest.skip(f"{name} is not on this machine (looked in {FOLDER})")
    lines = (line for name in names for line in (FOLDER / name).read_text("utf-8").split("\n"))
    return [json.loads(line) for line in lines if line.strip()]
