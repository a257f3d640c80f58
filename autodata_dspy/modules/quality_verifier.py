"""The quality verifier: a model's look at a challenge before any solver is paid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dspy
from dspy.utils.exceptions import AdapterParseError

from autodata_dspy.errors import ConfigError
from autodata_dspy.modules.base import RoleModule, seed_for
from autodata_dspy.roles import Roles
from autodata_dspy.types import Challenge, Verdict

if TYPE_CHECKING:
    from autodata_dspy.domains.base import Domain

DEFAULTS = {"temperature": 0.0, "max_tokens": 80}


class QualityVerifier(RoleModule):
    """challenge → `verdict`: passed when the model finds the challenge sound, else the defect it names.

    Raises:
        ConfigError: the domain has no review.
    """

    name = "quality_verifier"

    def __init__(self, domain: str | Domain, roles: Roles | None = None):
        super().__init__(domain, roles)
        form: Any = self.domain.review
        if form is None:
            raise ConfigError(f"the domain {self.domain.name!r} has no review; its checks do without a model")
        self.review, self._asks = dspy.Predict(form), tuple(form.input_fields)
        self.review.demos = [dict(demo) for demo in self.domain.review_demos]

    def forward(self, challenge: Challenge) -> dspy.Prediction:
        """Judge a challenge. Unreadable output is an undecided verdict, not a defect of the challenge.

        Raises:
            ProviderError: the model failed after its retries.
        """
        try:
            said = self.ask(
                self.review,
                "quality_verifier",
                seed_for("quality_verifier"),
                DEFAULTS,
                **{name: _part(challenge, name) for name in self._asks},
            ).verdict
        except AdapterParseError:
            return dspy.Prediction(verdict=Verdict.undecidable("the review could not be read", self.name))
        sound = said == self.domain.sound
        return dspy.Prediction(verdict=Verdict.of(sound, "" if sound else str(said), self.name))


def _part(challenge: Challenge, name: str) -> str:
    """A field of a challenge as the review shows it."""
    value = getattr(challenge, name)
    if name == "rubric":
        return "\n".join(f"[{c.weight:+d}] {c.text}" for c in value.criteria) if value else "none"
    return ", ".join(value) if isinstance(value, tuple) else str(value) or "none"
