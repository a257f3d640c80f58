"""Write what a run or a compilation gave, as committed evidence:
`python benchmarks/summary.py RUN --command '…' --out results/x.json`.

The file holds counts, rates with 95 % Wilson intervals, cost per accepted example, models and versions; accepted
examples by document id, with the verdict of a second check; no text of a document. Of a compilation: its record, what
came of each candidate's rounds, on the documents it was chosen by and on the untouched ones, and its log of runs.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import math
import os
import platform
import re
from collections import Counter
from pathlib import Path
from typing import Any

from autodata_dspy import registry, runs
from autodata_dspy.report.narrative import reasons


def wilson(k: int, n: int, z: float = 1.96) -> list[float]:
    """95 % interval of a share of k in n."""
    if n == 0:
        return [0.0, 1.0]
    p, z2 = k / n, z * z
    centre, half = p + z2 / (2 * n), z * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return [round((centre - half) / (1 + z2 / n), 3), round((centre + half) / (1 + z2 / n), 3)]


def _own_words(question: str, document: str, run: int = 13) -> str:
    """The question, unless it takes over a run of words from its document: no text of documents is committed."""
    asked, source = (re.findall(r"\w+", text.lower()) for text in (question, document))
    known = {tuple(source[i : i + run]) for i in range(len(source) - run + 1)}
    copied = any(tuple(asked[i : i + run]) in known for i in range(len(asked) - run + 1))
    return f"(left out: {run} words in a row stand in the document)" if copied else question


def around(command: str) -> dict[str, Any]:
    return {
        "command": command,
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "versions": {p: importlib.metadata.version(p) for p in ("autodata-dspy", "dspy", "sympy", "xllamacpp")},
    }


def compilation(run_dir: Path, command: str) -> dict[str, Any]:
    record = json.loads((run_dir / "compiled.json").read_text("utf-8"))
    evaluations = [json.loads(line) for line in (run_dir / "evaluations.jsonl").read_text("utf-8").splitlines()]
    tested = set(record["split"]["test"])
    for candidate in record["candidates"]:
        for part in candidate["state"].values():
            for demo in part["demos"]:
                demo.pop("passage", None)
        for name, untouched in (("rounds", False), ("rounds_on_test_documents", True)):
            found = Counter(
                r["decision"]["reason"]
                for e in evaluations
                if e["program"] == candidate["id"] and (e["document"] in tested) == untouched
                for r in e["trajectory"]["rounds"]
            )
            share = {"accepted_share_interval": wilson(found["accepted"], found.total())} if found else {}
            candidate[name] = {"by_reason": dict(found.most_common()), **share}
    log = [[e["program"], e["document"], e["seed"], round(e["score"]["score"], 4)] for e in evaluations]
    minutes = sum(e["trajectory"]["seconds"] for e in evaluations) / 60
    return {**around(command), **record, "document_minutes": round(minutes, 1), "runs": log}


def summary(run_dir: Path, command: str) -> dict[str, Any]:
    run = runs.outline(run_dir)
    rounds = reasons(run.trajectories)
    accepted = [(t, r) for t in run.trajectories for r in t.accepted]
    usage, seconds = run.usage["by_role"], run.usage["seconds"]
    calls = sum(u["calls"] for u in usage.values())
    by_machine = runs.verified(run.config) == "checked"
    check = registry.load("domains", run.config.domain).recheck if by_machine else None
    verdicts = check([r.challenge for _, r in accepted]) if check and accepted else []
    dropped = (r for t in run.trajectories for r in t.rounds if r.decision.reason == "filtered")
    filters = Counter(v.verifier for r in dropped for v in r.verdicts if not v.passed)
    # Names of files, not where they lie on this machine.
    names = {key: Path(path).name for key in ("documents", "seeds") if (path := getattr(run.config, key))}
    n = max(len(accepted), 1)
    return {
        **around(command),
        "config": run.config.model_dump() | names,
        "documents_finished": sum(t.status == "done" for t in run.trajectories),
        "rounds": rounds.total(),
        "rounds_by_reason": dict(rounds.most_common()),
        "dropped_by_filter": dict(filters.most_common()),
        "accepted": len(accepted),
        "accepted_share_of_rounds": round(len(accepted) / max(rounds.total(), 1), 3),
        "accepted_share_interval": wilson(len(accepted), rounds.total()),
        "right_on_second_check": sum(v.passed for v in verdicts) if check else None,
        "minutes": round(seconds / 60, 1),
        "calls": calls,
        "calls_per_accepted": round(calls / n, 1),
        "minutes_per_accepted": round(seconds / 60 / n, 2),
        "usage": usage,
        "examples": [
            {
                "document": t.document_id,
                "question": _own_words(r.challenge.question, run.documents[t.document_id].text),
                "answer": r.challenge.answer,
                "weak": r.scores("weak_solver"),
                "strong": r.scores("strong_solver"),
            }
            for t, r in accepted
        ],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--command", required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    body = (compilation if (given.run / "compiled.json").exists() else summary)(given.run, given.command)
    given.out.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print({k: v for k, v in body.items() if k not in ("config", "usage", "examples", "candidates", "runs")})
