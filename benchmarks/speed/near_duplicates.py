"""Time and memory of finding near-duplicates: `python benchmarks/speed/near_duplicates.py --rows 100000`.

The rows are made up: questions of random words (30 to 60 of a vocabulary of 20 000, the frequent ones as frequent as in
language), every hundredth a copy of an earlier one with other numbers. Prints rows, seconds, peak memory, and how many
of the copies were found.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import time
from pathlib import Path

from autodata_dspy.verifiers.near_duplicates import NearDuplicates


def rows(n: int, seed: int = 0) -> tuple[list[str], set[int]]:
    """n rows, and the indices of those that are copies."""
    draw = random.Random(seed)
    syllables = [a + b for a in "bcdfghklmnprstvw" for b in ("a", "e", "i", "o", "u", "ar", "en", "il", "os")]
    words = ["".join(draw.choices(syllables, k=draw.randint(1, 4))) for _ in range(20_000)]
    weights = [1 / (rank + 3) for rank in range(len(words))]
    made: list[str] = []
    copies: set[int] = set()
    for index in range(n):
        if index % 100 == 99:
            number = str(draw.randint(2, 9999))
            made.append(made[index - 1 - draw.randrange(99)].replace("17", number).replace("230", number))
            copies.add(index)
        else:
            text = draw.choices(words, weights, k=draw.randint(30, 60))
            made.append(f"{' '.join(text[:15])} 17 {' '.join(text[15:])} 230?")
    return made, copies


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--method", default="tfidf", choices=["tfidf", "minhash"])
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    made, copies = rows(given.rows)
    started = time.perf_counter()
    verdict = NearDuplicates(method=given.method).verify(made)
    dropped = set(verdict.evidence["drop"])
    body = {
        "command": f"python benchmarks/speed/near_duplicates.py --rows {given.rows} --method {given.method}",
        "rows": given.rows,
        "seconds": round(time.perf_counter() - started, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "copies": len(copies),
        "copies_found": len(copies & dropped),
        "others_dropped": len(dropped - copies),
    }
    print(json.dumps(body, indent=1))
    if given.out:
        given.out.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
