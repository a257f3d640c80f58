"""What an exporter is, and the columns that every row carries. A plugin file in this folder exposes one as `PLUGIN`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autodata_dspy.results import Result, example_row
from autodata_dspy.types import Document, Round, Trajectory

if TYPE_CHECKING:
    import datasets

    from autodata_dspy.domains.base import Domain

# Column → kind: the name of an Arrow type, [kind] for a list, {name: kind} for a structure.
COLUMNS: dict[str, Any] = {
    "question": "string",
    "answer": "string",
    "context": "string",
    "rubric": "string",
    "label": "string",
    "tags": "string",
    "program": "string",
    "verified": "string",
    "verdicts": "string",
    "weak_mean": "float64",
    "weak_scores": ["float64"],
    "weak_right": "int64",
    "weak_attempts": "int64",
    "strong_mean": "float64",
    "strong_scores": ["float64"],
    "strong_right": "int64",
    "strong_attempts": "int64",
    "document_id": "string",
    "source": "string",
    "licence": "string",
    "domain": "string",
    "round": "int64",
    "seed": "int64",
    "challenger_model": "string",
    "weak_model": "string",
    "strong_model": "string",
    "judge_model": "string",
    "without": ["string"],
    "package_version": "string",
}
MEANINGS = {
    "rubric": "JSON: a list of criteria, each with a text and a weight; empty where there is none",
    "verified": "what stands behind the example: checked (by a machine), judged (by a model) or none",
    "verdicts": "JSON: verifier → its score in [0, 1] (null: undecided) and its feedback",
    "weak_scores, strong_scores": "one for each attempt, in order; null where nothing could be decided; the means, the "
    "numbers of right answers and of attempts leave those out",
    "without": "parts of the method that were switched off",
}
MESSAGES = [{"role": "string", "content": "string"}]


@dataclass(frozen=True, slots=True)
class Example:
    """An accepted example that the final audit left.

    Attributes:
        row: the columns of `COLUMNS`.
        round: where it was made; its rollouts are all there.
        domain: what it belongs to; None where the exporter does not ask for it, or it is not installed.
    """

    row: dict[str, Any]
    round: Round
    domain: Domain | None = None

    def asked(self) -> list[dict[str, str]]:
        """The question as the user's turn of a conversation, in the words of the domain's template."""
        return [{"role": "user", "content": self._filled("prompt", self.row)}]

    def replied(self, answer: str) -> list[dict[str, str]]:
        """An answer as the assistant's turn, in the words of the domain's template."""
        return [{"role": "assistant", "content": self._filled("response", {**self.row, "answer": answer})}]

    def _filled(self, part: str, row: dict[str, Any]) -> str:
        default = {"prompt": "{context}\n\n{question}", "response": "{answer}"}[part]
        form = getattr(self.domain.template, part) if self.domain is not None else default
        return form.format(**row).strip() if part == "prompt" else form.format(**row)


Row = dict[str, Any]
Write = Callable[[Iterable[Row], Mapping[str, Any], Path], None]


@dataclass(frozen=True)
class Exporter:
    """One format of a data set.

    Attributes:
        name: the plugin's name, equal to its module's name.
        summary: one line.
        write: (rows, columns, path) → a file; must also write a valid one when there are no rows.
        extra: columns besides `COLUMNS`, with their kinds; they come first.
        row: example → its values of `extra`; None where the example has no row in this format.
        about: what the rows are, for the card (Markdown).
        skipped: why an example may have no row ("" where each has one): follows "7 of 20 examples".
        load: Python lines that load it, for the card. `{path}` becomes the path and `{pattern}` the path where a
            pattern is taken, `{kind}` "json" or "parquet", `{split}` the arguments of `datasets` that give the rows.
        file: where the data lie below the output folder; "" for formats of a single file.
        needs_domain: `row` looks at the example's domain.
    """

    name: str
    summary: str
    write: Write
    load: str
    about: str
    extra: Mapping[str, Any] = field(default_factory=dict)
    row: Callable[[Example], Row | None] = lambda example: {}
    skipped: str = ""
    file: str = ""
    needs_domain: bool = False

    @property
    def columns(self) -> dict[str, Any]:
        """All columns of a row, with their kinds, in order."""
        return {**self.extra, **{name: kind for name, kind in COLUMNS.items() if name not in self.extra}}


@dataclass
class Tally:
    """What was written, counted on the way."""

    n: int = 0
    n_skipped: int = 0
    by_source: Counter[tuple[str, str]] = field(default_factory=Counter)
    said: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, example: Example) -> None:
        self.n += 1
        self.by_source[example.row["licence"], example.row["source"]] += 1
        for verdict in example.round.verdicts:
            word = "undecided" if verdict.undecided else "passed" if verdict.passed else "below 1"
            self.said[verdict.verifier or "check", word] += 1


def common_row(round_: Round, trajectory: Trajectory, result: Result) -> Row:
    """The columns of `COLUMNS` for one accepted round."""
    document = result.documents.get(trajectory.document_id) or Document(trajectory.document_id, "")
    row = example_row(round_, trajectory, document, result.models, result.verified)
    return row | {
        "verdicts": _verdicts(round_),
        "weak_scores": _scores(round_, "weak_solver"),
        "strong_scores": _scores(round_, "strong_solver"),
        "domain": result.origin.get("domain", "") or document.domain,
        # A judge that nobody asked had no part in it.
        "judge_model": result.models.get("judge", "") if not result.usage or "judge" in result.usage else "",
        "without": sorted(trajectory.without),
        "package_version": result.origin.get("version", ""),
    }


def _verdicts(round_: Round) -> str:
    """Compact JSON; a verifier's second verdict is `name_2`."""
    found: dict[str, Any] = {}
    for verdict in round_.verdicts:
        base = name = verdict.verifier or "check"
        again = 1
        while name in found:
            again += 1
            name = f"{base}_{again}"
        found[name] = {"score": verdict.score, "feedback": verdict.feedback}
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def _scores(round_: Round, solver: str) -> list[float | None]:
    verdicts = [r.verdict for r in round_.rollouts if r.solver == solver]
    return [None if v is None or v.score is None else float(v.score) for v in verdicts]


def features_of(columns: Mapping[str, Any]) -> datasets.Features:
    """Columns as `datasets` wants them."""
    import datasets

    def feature(kind: Any) -> Any:
        if isinstance(kind, list):
            return [feature(kind[0])]
        return {k: feature(v) for k, v in kind.items()} if isinstance(kind, dict) else datasets.Value(kind)

    return datasets.Features({name: feature(kind) for name, kind in columns.items()})
