"""What the role modules share: a domain, the roles, and one way to call a predictor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dspy

from autodata_dspy import asking, registry
from autodata_dspy.asking import ATTEMPTS, seed_for
from autodata_dspy.asking import request_parameters as _request_parameters
from autodata_dspy.roles import Roles

if TYPE_CHECKING:
    from autodata_dspy.domains.base import Domain

__all__ = ["ATTEMPTS", "RoleModule", "_request_parameters", "seed_for"]


class RoleModule(dspy.Module):
    """A module that plays roles in a domain.

    Args:
        domain: a domain's name or a Domain.
        roles: who plays which role; by default `dspy.configure(lm=…)`, then the embedded models.
    """

    def __init__(self, domain: str | Domain, roles: Roles | None = None):
        super().__init__()
        self.domain: Domain = registry.load("domains", domain) if isinstance(domain, str) else domain
        self.roles = roles or Roles()

    def ask(self, predict: dspy.Predict, role: str, seed: int, defaults: dict[str, Any], **inputs: Any) -> Any:
        """Call a predictor as `role`; see `asking.ask`."""
        return asking.ask(self.roles, predict, role, seed, defaults, **inputs)
