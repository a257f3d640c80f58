"""How a role is asked: one way to call a predictor, for modules and for judges alike."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import dspy
from dspy.utils.exceptions import AdapterParseError

from autodata_dspy.calls import cut_off
from autodata_dspy.errors import ProviderError
from autodata_dspy.roles import Roles
from autodata_dspy.text import defused

_DISPENSABLE = {"top_p", "presence_penalty", "frequency_penalty"}  # defaults that some endpoints refuse
ATTEMPTS = 3  # a call that fails or comes back empty is made this often before it counts as infrastructure


def seed_for(*parts: Any) -> int:
    """A sampling seed in [0, 2^31) that depends on nothing but its arguments."""
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=4).digest(), "big") >> 1


def ask(
    roles: Roles,
    predict: dspy.Predict,
    role: str,
    seed: int,
    defaults: dict[str, Any],
    demos: Sequence[Any] | None = None,
    **inputs: Any,
) -> Any:
    """Call a predictor as `role`; `defaults` are request parameters where the role's LM has none, `demos` those of its
    demonstrations to show, by default all.

    A failed call or an empty answer is tried again with another seed. Whatever goes in may have been written by a
    model or a stranger; nothing in it can open a field or a turn of its own.

    Raises:
        ProviderError: it failed every time.
        AdapterParseError: text came back that is not of the signature's form.
    """
    lm, inputs = roles[role], _defused(inputs)
    shown = getattr(predict, "demos", ()) if demos is None else demos
    inputs["demos"] = [_defused(dict(demo)) for demo in shown]  # may hold what models made of a document
    adapter = dspy.settings.adapter or (dspy.JSONAdapter() if lm.supports_response_schema else None)
    for attempt in range(ATTEMPTS):
        config = request_parameters(lm, defaults, seed_for(seed, attempt) if attempt else seed)
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
                raise ProviderError(f"role {role!r}: {lm.model} {_silence()}") from error
    raise AssertionError("unreachable")


def _defused(value: Any) -> Any:
    if isinstance(value, str):
        return defused(value)
    if isinstance(value, (list, tuple)):
        return type(value)(_defused(part) for part in value)
    return {_defused(k): _defused(v) for k, v in value.items()} if isinstance(value, dict) else value


def _silence() -> str:
    if cut_off():  # a reasoning model that thought to the last token
        return "used up its tokens before it answered; raise its max_tokens"
    return "returned an empty answer"


def request_parameters(lm: Any, defaults: dict[str, Any], seed: int) -> dict[str, Any]:
    """The sampling parameters of one request: a seed, and each default that the LM does not set itself.

    A default that only shapes the sampling is left out where the endpoint does not know it.
    """
    own = lm.kwargs
    unknown = _DISPENSABLE & defaults.keys() and _DISPENSABLE - set(lm.supported_params)
    # A model without a seed parameter still needs its samples told apart, by DSPy's rollout id.
    chosen: dict[str, Any] = {"seed" if "seed" in lm.supported_params else "rollout_id": seed}
    if "max_completion_tokens" in own:  # reasoning models refuse a temperature
        return chosen
    return chosen | {key: value for key, value in defaults.items() if own.get(key) is None and key not in unknown}
