"""What came of a compilation."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autodata_dspy.artifact import describe, save_program
from autodata_dspy.audit import Rate
from autodata_dspy.candidates import Candidate, State
from autodata_dspy.errors import ArtifactError, AutodataError
from autodata_dspy.held_out import Difference
from autodata_dspy.preflight import CompileForecast
from autodata_dspy.program_file import write_program, write_whole

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Compiled:
    """What came of it.

    Attributes:
        program: the compiled data-maker; the seed where there is no evidence that another one is better.
        verdict: one sentence.
        improved: whether `program` is another one than the seed.
        seed, chosen: the seed program, and the candidate with the best validation score.
        validation: candidate id → mean score on the validation documents, for those that were run on all of them.
        test: "seed" and "chosen" → mean score on the test documents; empty where the test could not be run.
        difference: of these, where both were run.
        n_compared: test documents of which both had a run that could be decided.
        n_undecided: test runs (of both) that the metric could not decide; they are left out.
        accepted: "seed" and "chosen" → accepted rounds of those tried on the test documents, whatever the metric is.
        confirmed: "seed" and "chosen" → how many accepted examples of the test documents a machine check of the domain
            confirmed, of those it could decide; empty for a domain without one.
        forecast: what was said before the budget was spent.
        candidates: every one, in the order of its first run.
        split: ids of the documents of each part.
        n_runs, n_replayed: program runs, and how many of these an earlier session had paid for.
        usage: role → counts, over all sessions.
        examiner: hash of what scored.
        stopped: why it ended before its time; None if it did not.
    """

    program: Any
    verdict: str
    improved: bool
    seed: Candidate
    chosen: Candidate
    validation: dict[str, float]
    test: dict[str, float]
    difference: Difference | None
    n_compared: int
    n_undecided: int
    accepted: dict[str, Rate]
    confirmed: dict[str, Rate]
    forecast: CompileForecast
    candidates: tuple[Candidate, ...]
    split: dict[str, list[str]]
    n_runs: int
    n_replayed: int
    usage: dict[str, Any]
    examiner: str
    stopped: AutodataError | None = None

    def card(self, **told: Any) -> dict[str, Any]:
        """What a program file says of how it was made (see `program_file.Card`); `told` joins it."""
        place = {c.id: i for i, c in enumerate(self.candidates)}
        lineage = [
            {
                "parents": [place[c.parent]] if c.parent in place else [],
                "score": self.validation.get(c.id),
                "instructions": {name: part["instructions"] for name, part in c.state.items()},
                "note": c.how,
            }
            for c in self.candidates
        ]
        names = ("calls", "input_tokens", "output_tokens", "usd", "seconds")
        spend = {name: sum(used[name] for used in self.usage.values()) for name in names}
        return {"verdict": self.verdict, "scores": self._scores(), "spend": spend, "lineage": lineage, **told}

    def _scores(self) -> dict[str, Any]:
        n = self.n_compared
        scores: dict[str, Any] = {f"test, {arm}": {"value": mean, "n": n} for arm, mean in self.test.items()}
        if d := self.difference:
            scores["test, difference"] = {"value": d.mid, "low": d.low, "high": d.high, "n": n}
        power, audit = self.forecast.power, self.forecast.audit
        scores["test, smallest detectable difference"] = {"value": power.detectable, "n": n}
        if audit is not None:
            found = {"value": audit.detectable, "n": audit.n_examples}
            scores["metric audit, smallest detectable difference"] = found
        for what, rates in (("accepted rounds", self.accepted), ("confirmed examples", self.confirmed)):
            for arm, rate in rates.items():
                if rate.value is not None:
                    low, high = rate.interval
                    scores[f"test, {what}, {arm}"] = {"value": rate.value, "low": low, "high": high, "n": rate.n}
        return scores

    def record(self) -> dict[str, Any]:
        """As plain data, without the program."""
        lineage = [dataclasses.asdict(c) | {"validation": self.validation.get(c.id)} for c in self.candidates]
        return {
            "verdict": self.verdict,
            "improved": self.improved,
            "seed": self.seed.id,
            "chosen": self.chosen.id,
            "test": self.test,
            "difference": dataclasses.asdict(self.difference) if self.difference else None,
            "n_compared": self.n_compared,
            "n_undecided": self.n_undecided,
            "accepted": {arm: dataclasses.asdict(rate) for arm, rate in self.accepted.items()},
            "confirmed": {arm: dataclasses.asdict(rate) for arm, rate in self.confirmed.items()},
            "signal": self.forecast.signal(),
            "n_runs": self.n_runs,
            "usage": self.usage,
            "examiner": self.examiner,
            "split": self.split,
            "stopped": str(self.stopped or ""),
            "candidates": lineage,
        }


def save_compiled(compiled: Compiled, folder: Path, program: Callable[[State], Any], told: Mapping[str, Any]) -> None:
    """Write the program with its card, the record, and (`steps/`) as programs the candidates that were run on all
    validation documents, by their place in the lineage.

    Args:
        program: makes one of a candidate's state.
        told: joins the card.
    """
    save_program(compiled.program, folder / "program.json", compiled.card(**told))
    note(folder / "compiled.json", compiled.record())
    steps = folder / "steps"
    steps.mkdir(exist_ok=True)
    for place, candidate in enumerate(compiled.candidates):
        if candidate.id in compiled.validation:
            score = {"validation": {"value": compiled.validation[candidate.id]}}
            how = {"verdict": f"Candidate {place} of a compilation: {candidate.how}", "scores": score}
            try:
                write_program(describe(program(candidate.state), how), steps / f"step-{place:02d}.json")
            except ArtifactError as error:  # what was chosen is safe already
                logger.warning("candidate %d: %s", place, error)


def note(path: Path, record: Mapping[str, Any]) -> None:
    """Write plain data as JSON, whole or not at all."""
    write_whole(path, (json.dumps(record, indent=1, ensure_ascii=False, default=str) + "\n").encode("utf-8", "replace"))
