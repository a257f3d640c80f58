"""The one door through which every model call goes: counted, limited, logged, replayed.

`RoleLM` stands in front of whatever LM a role resolves to. It is a `dspy.BaseLM`, so predictors take
it as `lm=`; it has no state of its own, so deepcopy, compile and threads cannot disturb it.
"""

from __future__ import annotations

import contextvars
import hashlib
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dspy
import pydantic
from dspy.utils.exceptions import LMError

from autodata_dspy.budget import RoleUsage, current_meter, one_line
from autodata_dspy.call_log import current_log, writing
from autodata_dspy.errors import ConfigError, ProviderError, StopRun

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CallInfo:
    """What is known of the last model call of this thread, beyond its text."""

    role: str
    model: str
    finish_reason: str
    replayed: bool
    output_tokens: int


_last: contextvars.ContextVar[CallInfo | None] = contextvars.ContextVar("autodata_last_call", default=None)


def last_call() -> CallInfo | None:
    """Facts of the latest call made in this context (thread); None before the first."""
    return _last.get()


def cut_off() -> bool:
    """Whether the latest call of this context ended at its limit of tokens."""
    call = last_call()
    return call is not None and call.finish_reason == "length"


def _plain(value: Any) -> Any:
    if isinstance(value, type) and issubclass(value, pydantic.BaseModel):
        return value.model_json_schema()
    return str(value)


def request_key(model: str, prompt: Any, messages: Any, kwargs: dict[str, Any]) -> str:
    """Hash that names a request: model, messages and every sampling parameter, no credentials."""
    shown = {k: v for k, v in kwargs.items() if k not in ("cache", "api_key")}
    text = json.dumps([model, prompt, messages, shown], sort_keys=True, default=_plain, ensure_ascii=False)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


class RoleLM(dspy.BaseLM):
    """A role's LM: resolves the real LM at each call, then counts, limits, logs and replays.

    Args:
        role: name of the role, for counting.
        resolve: returns the LM to call now; evaluated at call time so that `dspy.context(lm=…)` and a
            later `dspy.configure` take effect.
        params: request parameters of this role (temperature, max_tokens, …) over the LM's own.
        prices: (USD per million input tokens, per million output tokens), where the LM reports no cost.
    """

    def __init__(
        self,
        role: str,
        resolve: Callable[[], dspy.BaseLM],
        params: dict[str, Any] | None = None,
        prices: tuple[float, float] | None = None,
    ):
        self.role, self.resolve, self.params, self.prices = role, resolve, dict(params or {}), prices
        self.history: list[Any] = []
        self.callbacks: list[Any] = []

    # What adapters and predictors ask an LM for; all of it is the real LM's.
    model = property(lambda self: self.resolve().model)
    model_type = property(lambda self: self.resolve().model_type)
    cache = property(lambda self: self.resolve().cache)
    num_retries = property(lambda self: getattr(self.resolve(), "num_retries", 0))
    kwargs = property(lambda self: {**self.resolve().kwargs, **self.params})
    supports_function_calling = property(lambda self: self.resolve().supports_function_calling)  # pyright: ignore
    supports_reasoning = property(lambda self: self.resolve().supports_reasoning)  # pyright: ignore
    supports_response_schema = property(lambda self: self.resolve().supports_response_schema)  # pyright: ignore
    supported_params = property(lambda self: self.resolve().supported_params)  # pyright: ignore

    def __deepcopy__(self, memo: dict[int, Any]) -> RoleLM:
        return self

    def copy(self, **kwargs: Any) -> RoleLM:
        """The same role with other request parameters."""
        return RoleLM(self.role, self.resolve, {**self.params, **kwargs}, self.prices)

    def dump_state(self) -> dict[str, Any]:
        return {"role": self.role, "params": {k: v for k, v in self.params.items() if k != "api_key"}}

    def __call__(self, prompt: Any = None, *, messages: Any = None, **kwargs: Any) -> list[Any]:
        inner, kwargs = self.resolve(), {**self.params, **kwargs}
        if isinstance(inner, RoleLM):  # a user who passes one role's LM as another's
            return inner(prompt, messages=messages, **kwargs)
        log = current_log()
        key = request_key(inner.model, prompt, messages, {**inner.kwargs, **kwargs}) if log is not None else ""
        if log is not None and (record := log.get(key)) is not None:
            return self._replay(inner, record)
        meter = current_meter()
        meter.admit(self.role)
        started = time.monotonic()
        try:
            outputs, entry = _call(inner, prompt, messages, kwargs)
        except LMError as error:
            if isinstance(error.__cause__, ConfigError):  # weights missing, [local] not installed: nobody's outage
                meter.stop(error.__cause__)
                raise StopRun(error.__cause__) from error
            meter.record_failure(self.role, inner.model, error)
            raise ProviderError(f"role {self.role!r}: {inner.model}: {one_line(error)}") from error
        except BaseException:
            meter.abandon()
            raise
        usage, finish = self._usage(entry, time.monotonic() - started)
        meter.record(self.role, usage)
        if finish == "length":
            logger.info("role %s: the answer was cut off after %d tokens", self.role, usage.output_tokens)
        if log is not None:
            with writing():
                log.put(key, self.role, inner.model, outputs, finish, usage)
        _last.set(CallInfo(self.role, inner.model, finish, False, usage.output_tokens))
        return outputs

    def _replay(self, inner: dspy.BaseLM, record: dict[str, Any]) -> list[Any]:
        current_meter().record(self.role, RoleUsage(replayed=1), admitted=False)
        _last.set(CallInfo(self.role, inner.model, record["finish"], True, record["usage"]["output_tokens"]))
        return record["outputs"]

    def _usage(self, entry: dict[str, Any], seconds: float) -> tuple[RoleUsage, str]:
        tokens = entry.get("usage") or {}
        details = tokens.get("prompt_tokens_details") or {}
        n_in, n_out = tokens.get("prompt_tokens") or 0, tokens.get("completion_tokens") or 0
        usd, priced = entry.get("cost"), True
        if self.prices is not None:
            usd = (n_in * self.prices[0] + n_out * self.prices[1]) / 1e6
        elif usd is None:
            usd, priced = 0.0, str(entry.get("model", "")).startswith("embedded/")
        finish = _finish_reason(entry.get("response"))
        return RoleUsage(
            calls=1,
            truncated=finish == "length",
            input_tokens=n_in,
            cached_tokens=details.get("cached_tokens") or 0,
            output_tokens=n_out,
            usd=usd,
            unpriced=not priced,
            seconds=seconds,
        ), finish


def _call(inner: dspy.BaseLM, prompt: Any, messages: Any, kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Call the LM and catch the one history entry it writes (usage, cost, finish reason).

    The entry is taken from a copy of the LM whose `update_history` is ours: no history list grows,
    neither the LM's nor DSPy's global one, and concurrent calls cannot be mixed up.
    """
    taken: list[dict[str, Any]] = []
    quiet = inner.copy()
    quiet.update_history = taken.append  # type: ignore[method-assign]
    if dspy.settings.disable_history:
        with dspy.context(disable_history=False):
            outputs = quiet(prompt, messages=messages, **kwargs)
    else:
        outputs = quiet(prompt, messages=messages, **kwargs)
    return outputs, taken[-1] if taken else {}


def _finish_reason(response: Any) -> str:
    """The engine's finish reason from a typed response or an OpenAI-shaped one; "" when not told."""
    reason = getattr(response, "finish_reason", None)
    if reason is None:
        choices = getattr(response, "choices", None) or []
        reason = getattr(choices[0], "finish_reason", None) if choices else None
    return str(reason or "")
