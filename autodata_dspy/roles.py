"""Role → LM. Roles are resolved at call time and survive compile, deepcopy, save and load."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autodata_dspy.errors import ConfigError, did_you_mean

ROLES = {
    "challenger": "writes the example",
    "quality_verifier": "checks the example before any solver is paid",
    "weak_solver": "attempts it; should fail",
    "strong_solver": "attempts it; should succeed",
    "judge": "scores answers where no symbolic check exists",
    "student": "learns from the data, downstream",
    "reflection": "proposes better instructions while compiling",
}
EMBEDDED = dict.fromkeys(ROLES, "embedded/qwen2.5-coder-1.5b") | {
    "weak_solver": "embedded/qwen2.5-coder-0.5b",
    "student": "embedded/qwen2.5-coder-0.5b",
}
_PRICE_KEYS = ("usd_per_million_input", "usd_per_million_output")


@dataclass(frozen=True)
class RoleSpec:
    """A model string and its parameters.

    `model` is any DSPy LM string (`openai/…`, `anthropic/…`, `vllm:…`, `ollama/…`) or
    `embedded/<name>`. `params` go with every request (temperature, max_tokens, api_base, …);
    `api_key_env` names an environment variable that holds the key, so that no key is ever stored.
    """

    model: str
    params: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, role: str, value: Any) -> RoleSpec:
        """From a model string, `{"model": …, parameter: …}` or a RoleSpec.

        Raises:
            ConfigError: neither of these, or the mapping has no model.
        """
        if isinstance(value, RoleSpec):
            return value
        if isinstance(value, str) and value:
            return cls(value)
        if isinstance(value, Mapping) and isinstance(value.get("model"), str) and value["model"]:
            return cls(value["model"], {k: v for k, v in value.items() if k != "model"})
        shown = f"a table of {', '.join(map(str, value)) or 'nothing'}" if isinstance(value, Mapping) else repr(value)
        raise ConfigError(  # the table's values are not shown: one may be a key
            f"role {role!r}: expected a model string such as 'openai/gpt-4o-mini' or a table with `model`, not {shown}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data without any key."""
        return {"model": self.model, **{k: v for k, v in self.params.items() if k != "api_key"}}


def check_role(role: str) -> str:
    """The role itself. Raises ConfigError with the nearest right name."""
    if role not in ROLES:
        raise ConfigError(did_you_mean("role", role, ROLES))
    return role


class Roles:
    """Which LM plays which role.

    A role that is not named falls back to the LM of `dspy.configure(lm=…)`, and only then to the
    embedded model. Values are model strings, `{"model": …, parameter: …}`, RoleSpecs or LMs.

        roles = Roles(strong_solver="openai/gpt-4o-mini", weak_solver={"model": "vllm:tiny", "temperature": 1.0})
        roles["weak_solver"]     # an LM that counts, limits and logs its calls

    Raises:
        ConfigError: an unknown role (with the nearest right name) or an unreadable value.
    """

    def __init__(self, **by_role: Any):
        self.specs: dict[str, RoleSpec] = {}
        self._given: dict[str, Any] = {}
        for role, value in by_role.items():
            check_role(role)
            if value is None:
                continue
            if hasattr(value, "model_type") and callable(value):  # an LM object
                self._given[role] = value
            else:
                self.specs[role] = RoleSpec.read(role, value)
        self._role_lms: dict[str, Any] = {}

    @classmethod
    def embedded(cls, **by_role: Any) -> Roles:
        """Every role on the embedded models, except those named."""
        return cls(**{**EMBEDDED, **by_role})

    def __getitem__(self, role: str) -> Any:
        """The RoleLM of a role (made once)."""
        if role not in self._role_lms:
            check_role(role)
            from autodata_dspy.calls import RoleLM

            spec = self.specs.get(role)
            prices = None
            if spec and all(k in spec.params for k in _PRICE_KEYS):
                prices = (float(spec.params[_PRICE_KEYS[0]]), float(spec.params[_PRICE_KEYS[1]]))
            self._role_lms[role] = RoleLM(role, functools.partial(self._resolve, role), prices=prices)
        return self._role_lms[role]

    def _resolve(self, role: str) -> Any:
        if role in self._given:
            return self._given[role]
        if role in self.specs:
            return build_lm(self.specs[role])
        import dspy

        return dspy.settings.lm or build_lm(RoleSpec(EMBEDDED[role]))

    def model_of(self, role: str) -> str:
        """The model string a role resolves to now."""
        return self._resolve(check_role(role)).model

    def is_object(self, role: str) -> bool:
        """Whether an LM object of this process plays a role: one that was given, or that of `dspy.configure`."""
        if role in self._given or role in self.specs:
            return role in self._given
        import dspy

        return dspy.settings.lm is not None

    def to_dict(self) -> dict[str, Any]:
        """role → {model, parameters}; LM objects by their model name; no keys."""
        given = {role: {"model": lm.model, "given": True} for role, lm in self._given.items()}
        return {**{role: spec.to_dict() for role, spec in self.specs.items()}, **given}

    def __deepcopy__(self, memo: dict[int, Any]) -> Roles:
        return self  # engines and connections are shared, and an optimizer's copy plays the same roles

    def __reduce__(self) -> Any:
        return (_rebuild, ({role: spec.to_dict() for role, spec in self.specs.items()},))

    def __repr__(self) -> str:
        shown = ", ".join(f"{role}={spec['model']!r}" for role, spec in self.to_dict().items())
        return f"Roles({shown})"


def _rebuild(specs: dict[str, Any]) -> Roles:
    return Roles(**specs)


def build_lm(spec: RoleSpec) -> Any:
    """A `dspy.LM` for a role's spec; equal specs share one.

    Raises:
        ConfigError: an unknown embedded model, a missing key variable, a model string DSPy refuses.
    """
    return _build_lm(spec.model, json.dumps(spec.params, sort_keys=True, default=repr))


@functools.lru_cache(maxsize=64)
def _build_lm(model: str, params: str) -> Any:
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "true")  # else the first call downloads a price list
    import dspy

    options = {k: v for k, v in json.loads(params).items() if k not in _PRICE_KEYS}
    if model.startswith("embedded/"):
        from autodata_dspy.embedded.engine import embedded_lm

        return embedded_lm(model.removeprefix("embedded/"), **options)
    key_env = options.pop("api_key_env", None)
    if key_env:
        if not os.environ.get(key_env):
            raise ConfigError(f"model {model!r}: the environment variable {key_env} (api_key_env) is not set")
        options["api_key"] = os.environ[key_env]
    try:
        # Our call log replaces DSPy's cache, whose key ignores which server answered.
        return dspy.LM(model, **{"cache": False, **options})
    except (ValueError, TypeError) as error:
        raise ConfigError(f"model {model!r}: {error}") from error
