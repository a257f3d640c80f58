"""The tables of the suites in README.md are those of results/*.json: `python benchmarks/tables.py` writes them.

`--check` writes nothing, and fails where they differ.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from autodata_dspy.benchmarking.tables import tables

HERE = Path(__file__).parent
BEGIN, END = "<!-- suites: begin, written by tables.py -->", "<!-- suites: end -->"
NONE = "No suite has been measured yet."


def stored(folder: Path = HERE / "results") -> dict[str, dict[str, Any]]:
    """File → results, of the files that a suite wrote."""
    found = {path.name: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))}
    return {name: body for name, body in found.items() if {"suite", "arms", "comparisons"} <= body.keys()}


def section(results: dict[str, dict[str, Any]]) -> str:
    """What stands between the marks."""
    parts = [
        f"### {body['suite']}\n\n[{name}](results/{name}), seeds {', '.join(map(str, body['seeds']))}, "
        f"{body['machine']['cores']} cores.\n\n{tables(body)}"
        for name, body in results.items()
    ]
    return f"{BEGIN}\n" + "\n\n".join(parts or [NONE]) + f"\n{END}"


def written(readme: str, results: dict[str, dict[str, Any]]) -> str:
    """The README with the tables of these results."""
    start, end = readme.index(BEGIN), readme.index(END) + len(END)
    return readme[:start] + section(results) + readme[end:]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    path, results = HERE / "README.md", stored()
    readme = path.read_text("utf-8")
    new = written(readme, results)
    if not given.check:
        path.write_text(new, "utf-8")
    elif new != readme:
        print("README.md: its tables are not those of the results; write them with `python benchmarks/tables.py`")
        return 1
    print(f"README.md: {len(results)} suites")
    return 0


if __name__ == "__main__":
    sys.exit(main())
