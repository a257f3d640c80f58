"""What the role modules share: a domain, the roles, and one way to call a predictor."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import dspy
from dspy.utils.exceptions import AdapterParseError

from autodata_dspy import registry
from autodata_dspy.errors import ProviderError
from autodata_dspy.roles import Roles

if TYPE_CHECKING:
    from autodata_dspy.domains.base import Domain

ATTEMPTS = 3  # a call that fails or comes back empty is made this often before it counts as infrastructure


def seed_for(*parts: Any) -> int:
    """A sampling seed in [0, 2^31) that depends on nothing but its arguments."""
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=4).digest(), "big") >> 1


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
        """Call a predictor as `role`; `defaults` are request parameters where the role's LM has none.

        A failed call or an empty answer is tried again with another seed.

        Raises:
            ProviderError: it failed every time.
            AdapterParseError: text came back that is not of the signature's form.
        """
        lm = self.roles[role]
        adapter = dspy.settings.adapter or (dspy.JSONAdapter() if lm.supports_response_schema else None)
        for attempt in range(ATTEMPTS):
            config = _request_parameters(lm, defaults, seed_for(seed, attempt) if attempt else seed)
            try:
                with dspy.context(adapter=adapter):
                    return predict(lm=lm, config=config, **inputs)
            except ProviderError:
                if attempt == ATTEMPTS - 1:
                    raise
            except AdapterParseError as error:
                if (error.lm_response or "").strip():
                    raise
                if attempt == ATTEMPTS - 1:
                    raise ProviderError(f"role {role!r}: {lm.model} returned an empty answer") from error
        raise AssertionError("unreachable")


def _request_parameters(lm: Any, defaults: dict[str, Any], seed: int) -> dict[str, Any]:
    own = lm.kwargs
    # A model without a seed parameter still needs its samples told apart, by DSPy's rollout id.
    chosen: dict[str, Any] = {"seed" if "seed" in lm.supported_params else "rollout_id": seed}
    if "max_completion_tokens" in own:  # reasoning models refuse a temperature
        return chosen
    return chosen | {key: value for key, value in defaults.items() if own.get(key) is None}
