"""What is known of a finished cell: what its run took and gave, and what the examiner made of it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import Any

from autodata_dspy.benchmarking.cells import Cell
from autodata_dspy.benchmarking.examination import places
from autodata_dspy.benchmarking.given import COSTS
from autodata_dspy.benchmarking.suite import Examination
from autodata_dspy.exporters._source import source_of
from autodata_dspy.results import Result
from autodata_dspy.store import RunFolder
from autodata_dspy.types import Challenge
from autodata_dspy.verifiers.diversity import Diversity


def kept_of(cell: Cell) -> tuple[Result, list[Challenge]]:
    """The result in a cell's folder, and its examples; of as many as are wanted, the first.

    Raises:
        StoreError: no run, or a damaged one.
    """
    result = source_of(cell.folder).result
    kept = [r.challenge for _, r in result.kept if r.challenge]
    return result, kept[: cell.amount] if cell.comparison == "examples" else kept


def record(cell: Cell, mark: str, result: Result, kept: list[Challenge], found: Mapping[str, Any]) -> dict[str, Any]:
    """As plain data; of the examples only scores.

    Args:
        mark: what the cell's run depends on, as a hash.
        result: of its run. What a file of examples made elsewhere does not tell (calls, rounds, …) is None.
        found: by the examiner.
    """
    rounds = [r for t in result.trajectories for r in t.rounds]
    used = result.usage.values()
    verdict = Diversity().verify(kept)
    unknown = {} if cell.given is None else dict.fromkeys({*COSTS, "rounds"} - cell.given.tells)
    seconds = result.seconds if cell.given is None else sum(u["seconds"] for u in used)
    return {
        "key": cell.key,
        "mark": mark,
        "comparison": cell.comparison,
        "domain": cell.ground.name,
        "arm": cell.arm.title,
        "seed": cell.seed,
        "generation": cell.generation,
        "data": data_hash(kept),
        "documents_tried": len(result.trajectories),
        "rounds": len(rounds),
        "accepted": sum(r.decision.accepted for r in rounds),
        "kept": len(kept),
        "reasons": dict(Counter(r.decision.reason for r in rounds).most_common()),
        "calls": sum(u["calls"] for u in used),
        "tokens": sum(u["input_tokens"] + u["output_tokens"] for u in used),
        "seconds": round(seconds, 1),
        "usd": round(sum(u["usd"] for u in used), 6),
        "unpriced": sum(u["unpriced"] for u in used),
        "models": result.models,
        "diversity": None if verdict.score is None else round(verdict.score, 4),
        "variety": {k: v for k, v in verdict.evidence.items() if k in Diversity.TARGETS},
        "examined": dict(found),
        **unknown,
    }


def with_rounds(told: Mapping[str, Any], cell: Cell, how: Examination) -> dict[str, Any]:
    """A record with what the cell's folder says of the rounds within a document.

    Returns:
        `by_round`: [drafts, accepted] of the first round, of the second, …; and among what was examined `round`, from
        0, of each example.
    """
    if not RunFolder(cell.folder).exists():  # its line had ended before it
        return {**told, "by_round": [], "examined": {**told["examined"], "round": []}}
    result, kept = kept_of(cell)
    known = cell.given is None or "rounds" in cell.given.tells
    rounds = [r for t in result.trajectories for r in t.rounds if known]
    drafts = Counter(r.index for r in rounds)
    accepted = Counter(r.index for r in rounds if r.decision.accepted)
    of_kept = [r.index for _, r in result.kept if r.challenge]
    return {
        **told,
        "by_round": [[drafts[number], accepted[number]] for number in range(max(drafts, default=-1) + 1)],
        "examined": {**told["examined"], "round": [of_kept[p] for p in places(len(kept), how, cell.seed)]},
    }


def nothing(cell: Cell, mark: str) -> dict[str, Any]:
    """The record of a generation that had nothing to start from."""
    empty: dict[str, Any] = {"weak": [], "strong": [], "valid": [], "checked": []}
    return record(cell, mark, Result((), {}, {}, 0.0), [], empty)


def data_hash(kept: list[Challenge]) -> str:
    return hashlib.blake2b(repr(kept).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
