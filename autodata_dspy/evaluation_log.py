"""Finished program runs on disk: what a continued compilation replays."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from autodata_dspy.errors import StoreError
from autodata_dspy.metrics.base import Score
from autodata_dspy.types import Challenge, Trajectory, to_dict


class EvaluationLog:
    """Finished program runs, one JSON line each, on the disk when `put` returns. A torn last line is cut off.

    Raises:
        StoreError: it cannot be opened or written, or a line that is not the last one is unreadable.
    """

    def __init__(self, path: Path):
        self.path = path
        self._records: dict[str, dict[str, Any]] = {}
        try:
            self._stream = path.open("ab")
            self._read()
        except OSError as error:
            raise StoreError(f"cannot open {path}: {error.strerror or error}") from error

    def _read(self) -> None:
        whole = 0
        with self.path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.endswith(b"\n"):
                    break
                try:
                    record = json.loads(line)
                    self._records[record["key"]] = record
                except (ValueError, KeyError, TypeError) as error:
                    raise StoreError(f"{self.path}, line {number}: unreadable ({error}); remove the line") from error
                whole += len(line)
        os.truncate(self.path, whole)

    def get(self, key: str) -> dict[str, Any] | None:
        return self._records.get(key)

    def records(self) -> Iterator[dict[str, Any]]:
        """All runs, in the order of writing."""
        return iter(list(self._records.values()))

    def put(self, record: dict[str, Any]) -> None:
        line = json.dumps(record, ensure_ascii=False, default=str).encode("utf-8", "backslashreplace") + b"\n"
        try:
            self._stream.write(line)
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except (OSError, ValueError) as error:
            raise StoreError(f"cannot write {self.path}: {error}") from error
        self._records[record["key"]] = json.loads(line)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.close()


def telling_calls(
    trace: Sequence[Any], maker: Any, trajectory: Trajectory, ends: Sequence[int] = ()
) -> list[list[list[Any]]]:
    """The calls behind each accepted example: of each predictor that may change, the one that the example rests on.

    Args:
        ends: how long the trace was at the end of each round. The call is then the last one until the round ended;
            without them, of a generator that tells of no rounds, the one that wrote the question.

    Returns:
        One list for each accepted example, in order; where there is none, one list of the last calls. Each holds
        [name, inputs, outputs]. A program that was written anew before the example was accepted stands in the place
        of the one that did not run.
    """
    accepted = [(i, r.challenge) for i, r in enumerate(trajectory.rounds) if r.decision.accepted]
    if not accepted:
        return [_behind(trace, maker, None, False)]
    told = len(ends) == len(trajectory.rounds)
    return [_behind(trace[: ends[i]] if told else trace, maker, good, told) for i, good in accepted]


def _behind(trace: Sequence[Any], maker: Any, good: Challenge | None, told: bool) -> list[list[Any]]:
    names = {id(predictor): name for name, predictor in maker.named_predictors()}
    question, program = (good.question, good.program) if good is not None else ("", "")
    chosen: dict[str, tuple[bool, list[Any]]] = {}
    for predictor, inputs, outputs in trace:
        name = names.get(id(predictor))
        if name is None or (not told and name in chosen and chosen[name][0]):
            continue
        inputs = {k: v for k, v in inputs.items() if k in predictor.signature.input_fields}
        said = {k: v for k, v in outputs.items() if k in predictor.signature.output_fields}
        hit = told or (good is not None and _wrote(said, question))
        if hit and program and "program" in said:
            said["program"] = program
        chosen[name] = (hit, [name, to_dict(inputs), to_dict(said)])
    return [call for _, call in chosen.values()]


def _wrote(said: dict[str, Any], question: str) -> bool:
    plain = " ".join(question.split())
    return any(" ".join(text.split()) == plain for text in said.values() if isinstance(text, str))


def plain_score(score: Score) -> dict[str, Any]:
    """A score as JSON-able data."""
    said: Any = score
    return {
        "score": said.score,
        "feedback": said.feedback,
        "objectives": dict(said.objective_scores),
        "undecided": bool(said.undecided),
        "pass_mark": said._pass_mark,
    }


def revived_score(kept: dict[str, Any]) -> Score:
    """Inverse of `plain_score`."""
    marks = {"undecided": kept["undecided"], "pass_mark": kept["pass_mark"]}
    return Score(kept["score"], kept["feedback"], **marks, **kept["objectives"])
