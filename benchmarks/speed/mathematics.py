"""How fast answers are compared, and what poison costs: `python benchmarks/speed/mathematics.py ITEMS.jsonl …`.

ITEMS are JSON lines with an `answer`, such as MATH-500. Every answer is compared with itself and with its neighbour,
through the pool of worker processes, by two threads. Then each poison pair is asked alone, and after it an ordinary
pair, which must be answered. `--out FILE` keeps the figures.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from autodata_dspy.audit import p99
from autodata_dspy.verifiers.math_objects import MathObjects

POISON = {
    "9**9**9**9": "9**9**9**9",
    "9^{9^{9^{9}}}": "9^{9^{9^{9}}}",
    "1000000000!": "1000000000!",
    "2000 nested parentheses": "(" * 2000 + "x" + ")" * 2000,
    "1 MB of digits": "7" * 1_000_000,
    "NUL": "1\x002",
    "sum to 1e9": r"\sum_{k=1}^{1000000000} \frac{1}{k^2}",
    "(x+y+z)^300": "(x+y+z)^{300}",
}


def timed(verifier: MathObjects, pair: tuple[str, str]) -> tuple[float | None, float]:
    """(score, milliseconds) of one comparison, waiting for a worker not counted out."""
    started = time.perf_counter()
    score = verifier.verify(*pair).score
    return score, (time.perf_counter() - started) * 1000


def measured(golds: list[str]) -> dict[str, Any]:
    verifier = MathObjects()
    verifier.verify("1", "1")  # workers start
    pairs = [(g, g) for g in golds] + list(itertools.pairwise(golds))
    started = time.perf_counter()
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(lambda pair: timed(verifier, pair), pairs))
    seconds = time.perf_counter() - started
    ms = [m for _, m in found]
    poison = {}
    for name, text in POISON.items():
        score, took = timed(verifier, (text, "1"))
        after, _ = timed(verifier, ("2x", "x + x"))
        poison[name] = {"score": score, "seconds": round(took / 1000, 2), "next_pair": after}
    return {
        "n_pairs": len(pairs),
        "pairs_per_second": round(len(pairs) / seconds, 1),
        "ms_median": round(statistics.median(ms), 2),
        "ms_p99": round(p99(ms), 1),
        "ms_max": round(max(ms), 1),
        "gold_equals_itself": sum(s == 1.0 for s, _ in found[: len(golds)]),
        "n_golds": len(golds),
        "poison": poison,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("items", type=Path, nargs="+")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    lines = [line for path in given.items for line in path.read_text("utf-8").split("\n") if line.strip()]
    body = {
        "command": "python benchmarks/speed/mathematics.py " + " ".join(path.name for path in given.items),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        **measured([json.loads(line)["answer"] for line in lines]),
    }
    print(json.dumps(body, indent=1))
    if given.out:
        given.out.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
