"""A sample of accepted examples, to be read by a person: `python benchmarks/sample.py RUN --out samples/code.jsonl`.

Draws up to 20 accepted examples of a run by a seed. Each line has `right` (true, false, or null while nobody has read
it) and `note`, to be filled in by hand; lines that are there already keep their marks. Prints the share of right ones
with its 95 % interval. No text of a document is written.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path
from typing import Any

from summary import wilson

from autodata_dspy import runs

SHOWN = ("question", "context", "answer", "label", "program")


def sample(run_dir: Path, n: int, seed: int) -> list[dict[str, Any]]:
    """Accepted examples in the order of the run."""
    run = runs.outline(run_dir)
    accepted = [(t, r) for t in run.trajectories for r in t.accepted]
    drawn = sorted(random.Random(seed).sample(range(len(accepted)), min(n, len(accepted))))
    rows = []
    for trajectory, round_ in (accepted[i] for i in drawn):
        parts = {name: getattr(round_.challenge, name) for name in SHOWN}
        scores = {"weak": round_.scores("weak_solver"), "strong": round_.scores("strong_solver")}
        where = {"document": trajectory.document_id, "seed": trajectory.seed, "round": round_.index}
        rows.append({**where, **{k: v for k, v in parts.items() if v}, **scores, "right": None, "note": ""})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--n", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    rows = sample(given.run, given.n, given.seed)
    if given.out.exists():
        read = {_key(row): row for row in map(json.loads, given.out.read_text("utf-8").splitlines())}
        for row in rows:
            if known := read.get(_key(row)):
                row |= {"right": known["right"], "note": known["note"]}
    given.out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    marks = [row["right"] for row in rows if row["right"] is not None]
    print(f"{len(rows)} examples, {len(marks)} read, {sum(marks)} right {wilson(sum(marks), len(marks))}")


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["document"], row["seed"], row["round"], row["question"]


if __name__ == "__main__":
    main()
