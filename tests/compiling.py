"""A data-maker that can be improved in known ways, for tests of optimizers; as a program, one compilation.

The challenger writes an acceptable question when its prompt holds the word MARKER (instructions) or an earlier good
question (demonstrations), and now and then by chance, which its seed decides. `hopeless` ones write by chance only.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import scripted

from autodata_dspy.candidates import State, state_of, with_state
from autodata_dspy.compilation import compile
from autodata_dspy.compiled import Compiled
from autodata_dspy.generators import AgenticSelfInstruct
from autodata_dspy.metrics import Score
from autodata_dspy.types import Document

WORDS = "anchor bridge candle desert engine forest garden harbour island jungle kettle ladder meadow needle orchard pepper quarry river saddle timber".split()
PROPOSED = "Write a question about the passage. MARKER."
OPTIONS = {"simba": {"bsize": 4, "candidates": 2}, "copro": {"breadth": 2}}
BUDGET = {"simba": 80}


def documents(n: int = 20) -> list[Document]:
    return [Document(f"doc-{w}", f"{w} " * 7 + f"A tale of the {w}, of {w}s and of a {w}-maker.") for w in WORDS[:n]]


def challenger(hopeless: bool) -> scripted.Script:
    def write(call: scripted.Call) -> dict[str, str]:
        taught = "MARKER" in call.prompt or "GOOD" in call.prompt
        good = (taught and not hopeless) or call.seed % 4 == 0
        return {"question": f"{'GOOD' if good else 'BAD'} {call.seed:x}", "answer": "right"}

    return write


def solve(call: scripted.Call) -> dict[str, str]:
    return {"reasoning": "so", "answer": "right" if "GOOD" in call.inputs["question"] else "wrong"}


def propose(text: str = PROPOSED) -> scripted.Script:
    """Answers whatever an optimizer asks a reflection model for."""

    def answer(call: scripted.Call) -> dict[str, Any]:
        if "module_advice" in call.prompt:
            return {"discussion": "d", "module_advice": json.dumps({"maker.challenger.write": text})}
        fields = ("new_instruction", "proposed_instruction", "proposed_prefix_for_output_field", "causes")
        return {f: text for f in fields if f in call.prompt} or {"ready": "ready"}

    return answer


def maker(hopeless: bool = False, reflection: Any = None, **options: Any) -> AgenticSelfInstruct:
    roles = scripted.scripted_roles(
        challenger=challenger(hopeless),
        quality_verifier={"verdict": "sound"},
        weak_solver={"answer": "wrong"},
        strong_solver=solve,
        reflection=reflection or propose(),
        **options,
    )
    return AgenticSelfInstruct(scripted.tiny_domain(), roles, max_rounds=1, per_document=1)


class Traveller(AgenticSelfInstruct):
    """The same, for other processes, where its scripted models are made anew."""

    def __init__(self, state: State | None = None):
        super().__init__(scripted.tiny_domain(), maker().roles, max_rounds=1, per_document=1)
        if state is not None:
            with_state(self, state)

    def __reduce__(self) -> Any:
        return type(self), (state_of(self),)


def accepted(gold: Any, pred: Any, trace: Any = None, pred_name: Any = None, pred_trace: Any = None) -> Score:
    """1 where a document gave an accepted example."""
    reasons = ", ".join(r.decision.reason for r in pred.trajectory.rounds)
    return Score(float(bool(pred.accepted)), f"rounds: {reasons}")


def compiled(optimizer: Any, program: Any = None, metric: Any = accepted, **options: Any) -> Compiled:
    settings = {"optimizer": optimizer, "budget": BUDGET.get(optimizer, 60), "concurrency": 1, "repeats": 1}
    settings |= {"options": OPTIONS.get(optimizer)}
    return compile(program or maker(), documents(), metric, **(settings | options))


if __name__ == "__main__":
    import compiling  # by the name that tests import it under, which the metric's is part of

    job = json.loads(sys.argv[1])
    program = compiling.maker(counter=job["counter"], sleep_s=job.get("sleep_s", 0.0))
    print(json.dumps(compiling.compiled(job["optimizer"], program, run_dir=job["run_dir"]).record()))
