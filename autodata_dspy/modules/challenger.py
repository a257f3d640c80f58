"""The challenger: writes one example from a document."""

from __future__ import annotations

import dataclasses
import random
from typing import TYPE_CHECKING

import dspy
from dspy.utils.exceptions import AdapterParseError

from autodata_dspy.domains.base import Malformed, passage
from autodata_dspy.modules.base import RoleModule, seed_for
from autodata_dspy.roles import Roles
from autodata_dspy.types import Document

if TYPE_CHECKING:
    from autodata_dspy.domains.base import Domain

# A small model that begins to repeat itself writes to the end: half of all its tokens at 400. Good ones need up to 150.
DEFAULTS = {"temperature": 0.8, "max_tokens": 256}


def _angle(angles: tuple[str, ...], document_id: str, seed: int, round_index: int) -> str:
    """The next angle of a document; `{numbers}` in it becomes two numbers from 2 to 9, drawn for this round."""
    angle = angles[(seed_for(document_id, seed) + round_index) % len(angles)]
    one, other = random.Random(seed_for("numbers", document_id, seed, round_index)).sample(range(2, 10), 2)
    return angle.replace("{numbers}", f"{one} and {other}")


class Challenger(RoleModule):
    """document, feedback → `challenge` (or None) and `problem` (what is wrong with the output, if anything).

    Its predictor `write` is what optimizers change: instruction and demonstrations.
    """

    def __init__(self, domain: str | Domain, roles: Roles | None = None):
        super().__init__(domain, roles)
        self.write = dspy.Predict(self.domain.write)
        self.write.demos = [dict(demo) for demo in self.domain.demos]

    def forward(
        self, document: Document, feedback: str = "none", round_index: int = 0, seed: int = 0
    ) -> dspy.Prediction:
        """Write one challenge; the angle depends on document, round and seed alone.

        Raises:
            ProviderError: the model failed after its retries.
        """
        angle = _angle(self.domain.angles, document.id, seed, round_index)
        # Inputs go from constant to changing, so that the passage stays in the model's prompt cache.
        try:
            written = self.ask(
                self.write,
                "challenger",
                seed_for("challenger", document.id, seed, round_index),
                DEFAULTS,
                passage=passage(document, seed),
                angle=angle,
                feedback=feedback,
            )
            challenge = dataclasses.replace(self.domain.build(written), angle=angle)
        except AdapterParseError:
            problem = "the output did not have the demanded fields, or was cut off; write less"
            return dspy.Prediction(challenge=None, problem=problem, angle=angle)
        except Malformed as error:
            return dspy.Prediction(challenge=None, problem=str(error), angle=angle)
        return dspy.Prediction(challenge=challenge, problem="", angle=angle)
