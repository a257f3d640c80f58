"""What a run gave: trajectories in order, accepted examples as rows, a data set."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from autodata_dspy.errors import AutodataError
from autodata_dspy.types import Challenge, Document, Removed, Round, Trajectory, Verdict, to_dict

if TYPE_CHECKING:
    import datasets


@dataclass(frozen=True)
class Result:
    """What a run gave.

    Attributes:
        trajectories: in the order of the documents, up to the one that completed `n`. Documents that were
            worked on at the same time and finished beyond it are in the run folder, but not here: so the
            result does not depend on timing.
        documents: by id.
        usage: role → calls, tokens, money, of all sessions of the run.
        seconds: wall time of this session.
        stopped: why the run ended before `n` examples or the last document; None if it did not.
        models: role → model.
        verified: what stands behind the examples: "checked", "judged" or "none"; "" if the generator has no domain.
        removed: what the final audit took out again, and why (see `curation.final_audit`): it is still accepted in the
            trajectories, but not among the rows. So there may be fewer than `n` rows.
        origin: what made it, as text: `version` of this package, `generator`, `domain`, `acceptance` (the rule).
    """

    trajectories: tuple[Trajectory, ...]
    documents: dict[str, Document]
    usage: dict[str, Any]
    seconds: float
    stopped: AutodataError | None = None
    models: dict[str, str] = field(default_factory=dict)
    verified: str = ""
    removed: tuple[Removed, ...] = ()
    origin: dict[str, str] = field(default_factory=dict)

    @property
    def kept(self) -> list[tuple[Trajectory, Round]]:
        """Accepted rounds that the final audit left, each with its trajectory."""
        gone = {(r.document_id, r.seed, r.round) for r in self.removed}
        return [(t, r) for t in self.trajectories for r in t.accepted if (t.document_id, t.seed, r.index) not in gone]

    @property
    def accepted(self) -> list[dict[str, Any]]:
        """Accepted examples that the final audit left, as rows; see `to_dataset`."""
        return [
            example_row(round_, trajectory, self.documents[trajectory.document_id], self.models, self.verified)
            for trajectory, round_ in self.kept
        ]

    @property
    def pairs(self) -> list[dict[str, Any]]:
        """Preference pairs (for DPO) of the accepted examples whose replies were compared; see `pair_row`."""
        return [
            pair_row(round_, found, trajectory, self.documents[trajectory.document_id], self.verified)
            for trajectory, round_ in self.kept
            if (found := comparison(round_))
        ]

    def record(self) -> dict[str, Any]:
        """What a run folder keeps of it besides trajectories and removals: JSON-able."""
        return {
            "origin": self.origin,
            "models": self.models,
            "verified": self.verified,
            "stopped": str(self.stopped or ""),
            "trajectories": [[t.document_id, t.seed, len(t.rounds)] for t in self.trajectories],
        }

    def to_dataset(self) -> datasets.Dataset:
        """A `datasets.Dataset` of the accepted examples, with the same columns even when there are none."""
        import datasets

        features = datasets.Features({name: datasets.Value(kind) for name, kind in _COLUMNS.items()})
        rows = self.accepted
        return datasets.Dataset.from_dict({name: [row[name] for row in rows] for name in _COLUMNS}, features=features)


_COLUMNS = {
    "question": "string",
    "answer": "string",
    "context": "string",
    "program": "string",
    "label": "string",
    "rubric": "string",
    "tags": "string",
    "verified": "string",
    "weak_mean": "float64",
    "strong_mean": "float64",
    "weak_right": "int64",
    "weak_attempts": "int64",
    "strong_right": "int64",
    "strong_attempts": "int64",
    "round": "int64",
    "seed": "int64",
    "document_id": "string",
    "source": "string",
    "licence": "string",
    "weak_model": "string",
    "strong_model": "string",
    "challenger_model": "string",
}


def example_row(
    round_: Round, trajectory: Trajectory, document: Document, models: dict[str, str], verified: str = ""
) -> dict[str, Any]:
    """One accepted example as a flat row. Attempts and means count only attempts with a decided score.

    `rubric` is JSON (a list of criteria), `verified` is what the domain says of itself.
    """
    challenge = round_.challenge or Challenge("", "")
    weak, strong = round_.scores("weak_solver"), round_.scores("strong_solver")
    return {
        "question": challenge.question,
        "answer": challenge.answer,
        "context": challenge.context,
        "program": challenge.program,
        "label": challenge.label,
        "rubric": json.dumps(to_dict(challenge.rubric)["criteria"], ensure_ascii=False) if challenge.rubric else "",
        "tags": ", ".join(challenge.tags),
        "verified": verified,
        "weak_mean": sum(weak) / len(weak) if weak else None,
        "strong_mean": sum(strong) / len(strong) if strong else None,
        "weak_right": sum(s == 1.0 for s in weak),
        "weak_attempts": len(weak),
        "strong_right": sum(s == 1.0 for s in strong),
        "strong_attempts": len(strong),
        "round": round_.index,
        "seed": trajectory.seed,
        "document_id": document.id,
        "source": document.source,
        "licence": document.licence,
        "weak_model": models.get("weak_solver", ""),
        "strong_model": models.get("strong_solver", ""),
        "challenger_model": models.get("challenger", ""),
    }


def comparison(round_: Round) -> Verdict | None:
    """The verdict of a comparison of two replies, if there was one in this round; see `modules.PairwiseJudge`."""
    return next(
        (v for v in round_.verdicts if {"chosen", "rejected", "agreement", "min_agreement"} <= v.evidence.keys()), None
    )


def pair_row(
    round_: Round, compared: Verdict, trajectory: Trajectory, document: Document, verified: str = ""
) -> dict[str, Any]:
    """One preference pair as a flat row. `prompt` is what the solvers saw; `agreement` is that of the judges."""
    challenge = round_.challenge or Challenge("", "")
    return {
        "prompt": f"{challenge.context}\n\n{challenge.question}".strip(),
        "chosen": compared.evidence["chosen"],
        "rejected": compared.evidence["rejected"],
        "verified": verified,
        "agreement": compared.evidence["agreement"],
        "round": round_.index,
        "seed": trajectory.seed,
        "document_id": document.id,
        "source": document.source,
        "licence": document.licence,
    }
