"""The extractor: reads a document once, says whether it is suitable, and what the challenger should know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dspy
from dspy.utils.exceptions import AdapterParseError

from autodata_dspy.domains.base import fenced_demos, passage_of, shown
from autodata_dspy.errors import ConfigError
from autodata_dspy.judging import clean
from autodata_dspy.modules.base import RoleModule, seed_for
from autodata_dspy.roles import Roles
from autodata_dspy.types import Document

if TYPE_CHECKING:
    from autodata_dspy.domains.base import Domain

DEFAULTS = {"temperature": 0.2, "max_tokens": 400}
READINGS = 2  # an output that cannot be read is asked for once more


class Extractor(RoleModule):
    """document → `extraction` (field → text) and `unsuitable` ("" or why the document should be skipped).

    Plays the role `challenger`, because it is a part of the data-maker that optimizers may change.

    Raises:
        ConfigError: the domain has no `extract` signature.
    """

    def __init__(self, domain: str | Domain, roles: Roles | None = None):
        super().__init__(domain, roles)
        if self.domain.extract is None:
            raise ConfigError(f"the domain {self.domain.name!r} extracts nothing")
        self.read = dspy.Predict(self.domain.extract)
        self.read.demos = fenced_demos(self.domain.extract_demos)

    def forward(self, document: Document, seed: int = 0) -> dspy.Prediction:
        """Read one document. Output that cannot be read twice makes the document unsuitable.

        Raises:
            ProviderError: the model failed after its retries.
        """
        for reading in range(READINGS):
            try:
                said = self.ask(
                    self.read,
                    "challenger",
                    seed_for("extractor", document.id, seed, reading),
                    DEFAULTS,
                    passage=shown(passage_of(document, seed, self.domain)),
                )
            except AdapterParseError:
                continue
            # Cleaned, because it goes into the challenger's prompt and comes from a document that may give orders.
            found = {name: clean(str(said.get(name) or "")) for name in self.read.signature.output_fields}  # type: ignore[union-attr]
            suitable = found.get("suitable", "yes").lower().startswith("yes")
            why = "" if suitable else found.get("why") or "the extractor finds nothing in it to write about"
            return dspy.Prediction(extraction=found, unsuitable=why)
        return dspy.Prediction(extraction={}, unsuitable="the extractor's output could not be read")
