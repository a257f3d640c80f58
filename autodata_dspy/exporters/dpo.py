"""Preference pairs in the conversational form of TRL's DPOTrainer."""

from __future__ import annotations

from autodata_dspy.exporters._writing import write_by_ending
from autodata_dspy.exporters.base import MESSAGES, Example, Exporter, Row
from autodata_dspy.results import comparison
from autodata_dspy.types import Rollout, Round


def row(example: Example) -> Row | None:
    """`prompt`, `chosen`, `rejected`, where the pair comes from, and how far judges agreed on it."""
    if found := comparison(example.round):
        chosen, rejected, origin = found.evidence["chosen"], found.evidence["rejected"], "comparison"
        agreement = float(found.evidence["agreement"])
    else:
        chosen, origin = example.row["answer"], "reference"
        if not chosen.strip():
            chosen, origin = _best(example.round), "strong_rollout"
        rejected, agreement = _wrong(example.round, chosen), None
    if not chosen.strip() or not rejected.strip():
        return None
    return {
        "prompt": example.asked(),
        "chosen": example.replied(chosen),
        "rejected": example.replied(rejected),
        "pair_origin": origin,
        "agreement": agreement,
    }


def _scored(round_: Round, solver: str) -> list[tuple[float, Rollout]]:
    """Answers of a solver that a verifier scored, in order."""
    return [
        (r.verdict.score, r)
        for r in round_.rollouts
        if r.solver == solver and r.verdict and r.verdict.score is not None and r.answer.strip() and not r.error
    ]


def _best(round_: Round) -> str:
    """The whole strong answer with the highest score above 0, the first of equals; "" where there is none."""
    whole = (s for s in _scored(round_, "strong_solver") if s[1].finish_reason != "length")
    score, best = max(whole, key=lambda s: s[0], default=(0.0, Rollout("", 0)))
    return best.answer if score > 0 else ""


def _wrong(round_: Round, chosen: str) -> str:
    """The first weak answer with score 0 that is not cut off and not the chosen text; "" where there is none."""
    return next(
        (
            r.answer
            for score, r in _scored(round_, "weak_solver")
            if score == 0.0 and r.finish_reason != "length" and r.answer.split() != chosen.split()
        ),
        "",
    )


PLUGIN = Exporter(
    name="dpo",
    summary="preference pairs for TRL's DPOTrainer: `prompt`, `chosen`, `rejected` as conversations",
    write=write_by_ending,
    extra={
        "prompt": MESSAGES,
        "chosen": MESSAGES,
        "rejected": MESSAGES,
        "pair_origin": "string",
        "agreement": "float64",
    },
    row=row,
    about="One preference pair for each example that has one, in TRL's conversational form. `pair_origin` says where "
    "it comes from:\n\n"
    "- `comparison`: judges compared a strong and a weak answer; `agreement` is how far they agreed.\n"
    "- `reference`: chosen is the reference answer (written by the challenger).\n"
    "- `strong_rollout`: there is no reference answer; chosen is the strong solver's whole answer with the highest "
    "score above 0, the first of equals.\n\n"
    "Without a comparison, rejected is the first answer of the weak solver that a verifier scored 0, that was not cut "
    "off and that is another text than the chosen one.",
    skipped="have no pair (no comparison, and no whole weak answer that a verifier scored 0)",
    load="import datasets, autodata_dspy.exporters as ex\n"
    'rows = datasets.load_dataset("{kind}", data_files={pattern}, {split}, features=ex.features("dpo"))',
    needs_domain=True,
)
