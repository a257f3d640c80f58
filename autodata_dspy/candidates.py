"""Program variants: what optimizers change, what it is called, how it fared."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from autodata_dspy.types import to_dict

State = dict[str, dict[str, Any]]  # predictor → {"instructions": text, "demos": list of dicts}


@dataclass
class Candidate:
    """A program variant.

    Attributes:
        id: hash of its instructions and demonstrations.
        state: these, by predictor.
        parent: id of the candidate it was made from; "" for the seed, or where the optimizer does not say.
        how: what made it, in a few words.
        scores: document id → scores on that document, one a seed.
    """

    id: str
    state: State
    parent: str = ""
    how: str = ""
    scores: dict[str, list[float]] = field(default_factory=dict)

    def mean(self, documents: Sequence[str]) -> float | None:
        """Mean over documents of the mean over seeds; None unless each of them was run."""
        if not documents or any(d not in self.scores for d in documents):
            return None
        return sum(sum(self.scores[d]) / len(self.scores[d]) for d in documents) / len(documents)


def state_of(program: Any) -> State:
    """Instructions and demonstrations of the predictors that may change; of a demonstration the signature's fields."""
    state = {}
    for name, predictor in _predictors(program):
        fields = list(predictor.signature.fields)
        demos = [{f: to_dict(demo[f]) for f in fields if f in demo} for demo in predictor.demos]
        state[name] = {"instructions": predictor.signature.instructions, "demos": demos}
    return state


def settled(instructions: str) -> str:
    """Instructions as a program says them that was given them by `with_state`."""
    return inspect.cleandoc("\n" + instructions)


def state_id(state: State) -> str:
    text = json.dumps(state, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def with_state(program: Any, state: State) -> Any:
    """Put instructions and demonstrations into a program (or Compilable), and return it."""
    for name, predictor in _predictors(program):
        part = state[name]
        # The line before keeps DSPy, which cleans instructions like docstrings, from taking indentations off.
        predictor.signature = predictor.signature.with_instructions("\n" + part["instructions"])
        predictor.demos = [dict(demo) for demo in part["demos"]]
    return program


def _predictors(program: Any) -> Any:
    """By the names that they have in the data-maker, also where it stands in a Compilable."""
    return (getattr(program, "compiles", None) or program).named_predictors()
