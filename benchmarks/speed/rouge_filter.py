"""How fast Self-Instruct's pool decides: `python benchmarks/speed/rouge_filter.py --out FILE`.

The instructions are made up: 5 to 60 random words (of a vocabulary of 20 000, the frequent ones as frequent as in
language); every fifth is an earlier one with some of its words replaced, a few or many, so that some of these are too
much alike and some are not. A pool grows by them until it holds 10 000; candidates that are dropped take time too.
The first ones are also decided by plain rouge-score, pair by pair, which must say the same.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import random
import resource
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rouge_score.rouge_scorer import RougeScorer

from autodata_dspy.task_pool import MAX_ROUGE_L, TaskPool

SIZES = (1250, 2500, 5000, 10_000)
WINDOW = 200  # candidates up to a size whose times are taken together


def instructions(seed: int = 0) -> Iterator[str]:
    """Made-up instructions without end."""
    draw = random.Random(seed)
    syllables = [a + b for a in "bcdfghklmnprstvw" for b in ("a", "e", "i", "o", "u", "ar", "en", "il", "os")]
    words = ["".join(draw.choices(syllables, k=draw.randint(1, 4))) for _ in range(20_000)]
    weights = list(itertools.accumulate(1 / (rank + 3) for rank in range(len(words))))
    made: list[list[str]] = []
    for index in itertools.count():
        if index % 5 == 4:
            text = list(draw.choice(made))
            for place in draw.sample(range(len(text)), round(len(text) * draw.uniform(0.05, 0.6))):
                text[place] = draw.choice(words)
        else:
            text = draw.choices(words, cum_weights=weights, k=draw.randint(5, 60))
        made.append(text)
        yield " ".join(text).capitalize() + "."


def grown(size: int) -> dict[str, Any]:
    """Grow a pool to `size`; milliseconds of every candidate, at the pool's size when it came."""
    pool, told = TaskPool([]), []
    for text in instructions():
        started = time.perf_counter()
        dropped = pool.reserve(text) is not None
        told.append((len(pool), (time.perf_counter() - started) * 1000, dropped))
        if len(pool) == size:
            break
    last = [ms for _, ms, dropped in told if not dropped][-1]
    return {
        "candidates": len(told),
        "dropped": sum(dropped for _, _, dropped in told),
        "seconds": round(sum(ms for _, ms, _ in told) / 1000, 1),
        "last_ms": round(last, 2),
        "scaling": [_around(told, n) for n in SIZES if n <= size],
    }


def _around(told: list[tuple[int, float, bool]], size: int) -> dict[str, Any]:
    ms = [took for n, took, _ in told if n <= size][-WINDOW:]
    return {"pool": size, "ms_median": round(statistics.median(ms), 2), "ms_max": round(max(ms), 2)}


def compared(n: int) -> dict[str, Any]:
    """The first n candidates, decided by the pool and by scoring every pair with plain rouge-score."""
    scorer, pool, kept = RougeScorer(["rougeL"], use_stemmer=False), TaskPool([]), []
    same = dropped = 0
    seconds = {"pool": 0.0, "plain": 0.0}
    for text in itertools.islice(instructions(), n):
        started = time.perf_counter()
        found = pool.reserve(text) is not None
        between = time.perf_counter()
        expected = any(scorer.score(known, text)["rougeL"].fmeasure > MAX_ROUGE_L for known in kept)
        seconds["pool"] += between - started
        seconds["plain"] += time.perf_counter() - between
        same, dropped = same + (found is expected), dropped + expected
        if not expected:
            kept.append(text)
    times = {f"{name}_ms_per_candidate": round(took * 1000 / n, 2) for name, took in seconds.items()}
    return {"candidates": n, "same_decision": same, "dropped": dropped, **times}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=500, help="candidates that plain rouge-score decides too")
    parser.add_argument("--beside", default="nothing else", help="what else the machine did, for the record")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    before = os.getloadavg()[0]
    body = {
        "command": f"python benchmarks/speed/rouge_filter.py --sample {given.sample}",
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "beside": given.beside},
        "growth": grown(SIZES[-1]),
        "plain_rouge_score": compared(given.sample),
    }
    body["machine"] |= {"load_before": round(before, 1), "load_after": round(os.getloadavg()[0], 1)}
    body["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(json.dumps(body, indent=1))
    if given.out:
        given.out.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
