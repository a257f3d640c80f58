"""The challenger: writes one example from a document."""

from __future__ import annotations

import dataclasses
import random
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import dspy
from dspy.utils.exceptions import AdapterParseError

from autodata_dspy.calls import cut_off
from autodata_dspy.domains.base import Malformed, fenced_demos, passage_of, shown
from autodata_dspy.modules.base import RoleModule, seed_for
from autodata_dspy.roles import Roles
from autodata_dspy.types import Challenge, Document

if TYPE_CHECKING:
    from autodata_dspy.domains.base import Domain

TEMPERATURE = 0.8
N_SHOWN = 3  # demonstrations of one call, where there are labels


def _angle(angles: tuple[str, ...], document_id: str, seed: int, round_index: int, known: Mapping[str, int]) -> str:
    """The next angle of a document; its `{one}`, `{other}` and `{numbers}` become numbers drawn for this round."""
    angle = angles[_place([known.get(a, 0) for a in angles], seed_for(document_id, seed), round_index)]
    one, other = random.Random(seed_for("numbers", document_id, seed, round_index)).sample(range(2, 10), 2)
    drawn = {"{one}": str(one), "{other}": str(other), "{numbers}": f"{one} and {other}"}
    return re.sub(r"{(?:one|other|numbers)}", lambda slot: drawn[slot[0]], angle)


def _place(counts: list[int], first: int, round_index: int) -> int:
    """Which angle's turn it is: of those with the lowest count the next one in turn, beginning with `first`.

    With equal counts the rounds walk through the angles. A round counts, whatever came of it, and where there are at
    least four angles a rare one comes twice in a document before others follow: more would leave nothing for them
    where it is one from which nothing is ever accepted.
    """
    n, place, tries = len(counts), 0, [0] * len(counts)
    most = 2 if n >= 4 else 1
    for _ in range(round_index + 1):
        place = min(range(n), key=lambda i: (tries[i] // most, counts[i] + tries[i], (i - first) % n))
        tries[place] += 1
    return place


class Challenger(RoleModule):
    """document, feedback → `challenge` (or None) and `problem` (what is wrong with the output, if anything).

    Its predictor `write` is what optimizers change: instruction and demonstrations.
    """

    def __init__(self, domain: str | Domain, roles: Roles | None = None):
        super().__init__(domain, roles)
        self.write = dspy.Predict(self.domain.write)
        self.write.demos = fenced_demos(self.domain.demos)
        self.repairer = Repairer(self.domain, self.roles) if self.domain.repair_mode else None

    @property
    def learned_demos(self) -> list[dict[str, Any]]:
        """The outputs of demonstrations that the domain did not bring: those that an optimizer drew."""
        own, outputs = fenced_demos(self.domain.demos), self.write.signature.output_fields  # type: ignore[union-attr]
        learned = [demo for demo in map(dict, self.write.demos) if demo not in own]
        return [{name: demo[name] for name in outputs if name in demo} for demo in learned]

    def forward(
        self,
        document: Document,
        feedback: str = "none",
        round_index: int = 0,
        seed: int = 0,
        extraction: Mapping[str, str] | None = None,
        known: Mapping[str, int] | None = None,
    ) -> dspy.Prediction:
        """Write one challenge; the angle depends on document, round, seed and `known` alone.

        Args:
            known: angle → how many examples there are of it, in other documents; the rarer ones come first.
            extraction: what the extractor found, by field, where the domain has one.

        Raises:
            ProviderError: the model failed after its retries.
        """
        text = passage_of(document, seed, self.domain)
        angles = (self.domain.directions(text) if self.domain.directions else ()) or self.domain.angles
        angle = _angle(angles, document.id, seed, round_index, known or {})
        # Inputs go from constant to changing, so that the passage stays in the model's prompt cache.
        inputs = {"passage": shown(text), "angle": angle, "feedback": feedback, **(extraction or {})}
        try:
            base = seed_for("challenger", document.id, seed, round_index)
            written = self.ask(
                self.write,
                "challenger",
                base,
                {"temperature": TEMPERATURE, "max_tokens": self.domain.write_tokens},
                demos=self._demos(angle, base),
                **{name: inputs[name] for name in self.domain.write.input_fields},
            )
            # Repaired JSON has all its fields, the last one torn. A machine that checks what is built would notice.
            if cut_off() and self.domain.recheck is None:
                raise Malformed("the output was cut off; write less")
            challenge = dataclasses.replace(self._built(written, angle, seed), angle=angle)
        except AdapterParseError:
            problem = "the output did not have the demanded fields, or was cut off; write less"
            return dspy.Prediction(challenge=None, problem=problem, angle=angle)
        except Malformed as error:
            return dspy.Prediction(challenge=None, problem=str(error), angle=angle)
        return dspy.Prediction(challenge=challenge, problem="", angle=angle)

    def _demos(self, angle: str, seed: int) -> list[Any]:
        """What this call shows. Where there are labels: a few of the other labels, and others each time. A small model
        copies the one of its own label, and the same few each time make all texts alike."""
        if not self.domain.labels:
            return self.write.demos
        others = [demo for demo in self.write.demos if demo.get("angle") != angle]
        return random.Random(seed).sample(others, min(N_SHOWN, len(others)))

    def _built(self, written: dspy.Prediction, angle: str, seed: int) -> Challenge:
        """The challenge that was written; where only its program fails, the program is written once more."""
        try:
            return self.domain.build(written, angle)
        except Malformed as error:
            if self.repairer is None or not error.question:
                raise
            program = self.repairer(question=error.question, remark=str(error), seed=seed).program
            return self.domain.build(dspy.Prediction(question=error.question, program=program), angle)


class Repairer(RoleModule):
    """question, remark → `program`: a program that did not run, written anew for its question.

    A small model that is told the error in the next round invents the same function again; asked for the program
    alone, with examples of programs, it often knows the right one. Its prompt is the one that solvers of this mode have
    already met (warm in the cache), and frozen: optimizers change how challenges are written.
    """

    def __init__(self, domain: str | Domain, roles: Roles | None = None):
        super().__init__(domain, roles)
        form = self.domain.solving[self.domain.repair_mode]
        self.solve, self.parameters_of_mode = dspy.Predict(form.signature), dict(form.defaults)
        self.solve.demos = [dict(demo) for demo in form.demos]
        self._compiled = True  # DSPy's word for frozen

    def forward(self, question: str, remark: str, seed: int = 0) -> dspy.Prediction:
        """Write the program of a question.

        Raises:
            ProviderError, AdapterParseError: see `asking.ask`.
        """
        said = self.ask(
            self.solve,
            "challenger",
            seed_for("repairer", question, remark, seed),
            self.parameters_of_mode,
            context="none",
            question=question,
            remark=remark,
        )
        return dspy.Prediction(program=str(said.program or ""))
