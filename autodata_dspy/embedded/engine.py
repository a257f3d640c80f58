"""A DSPy engine on llama.cpp inside this process: one server per model, freed at exit."""

from __future__ import annotations

import atexit
import contextlib
import importlib
import logging
import os
import secrets
import threading
from collections.abc import Iterator
from typing import Any

import dspy
from dspy import lm15

from autodata_dspy.embedded import weights
from autodata_dspy.embedded.catalog import find
from autodata_dspy.errors import ConfigError

logger = logging.getLogger(__name__)

CONTEXT_TOKENS = 8192
DEFAULT_MAX_TOKENS = 1024  # a small model that starts to repeat itself would otherwise fill its context
PROMPT_CACHE_MIB = 384
# Small models fall into loops: a third of the functions that the 1.5B drafted ended in a list that went on until it was
# cut off. llama.cpp's DRY sampler makes a repetition the less likely the longer it already is; it starts at so many
# tokens without a line break that a line of code may come again, and a quote of the passage: at a dozen, a model that
# was to quote wrote "a markeronly" to get round it.
DRY = {"dry_multiplier": 0.8, "dry_base": 1.5, "dry_allowed_length": 40, "dry_penalty_last_n": 256}
_FINISH = {"stop": "stop", "length": "length", "tool_calls": "tool_call", "content_filter": "content_filter"}
_servers: dict[str, Any] = {}
_servers_lock = threading.Lock()
_server_locks: dict[str, threading.Lock] = {}
_met: dict[tuple[str, int], threading.Lock] = {}  # constant parts of prompts; held while the first call computes one
_MOST_MET = 1000


def embedded_lm(name: str, **options: Any) -> dspy.LM:
    """`dspy.LM` on an embedded model. Weights are fetched, and the server started, at the first call.

    Args:
        name: a name of the catalog.
        **options: request parameters (temperature, max_tokens, seed, …).

    Raises:
        ConfigError: unknown model, or a connection setting (there is no connection).
    """
    model = find(name)
    try:
        return dspy.LM(
            # The checkpoint's hash is part of the name, so that no cache mistakes one file for another.
            f"embedded/{name}@{model.sha256[:8]}",
            engine=LlamaEngine(name),
            **{"cache": False, **options},
        )
    except ValueError as error:
        raise ConfigError(f"model 'embedded/{name}': {error}") from error


class LlamaEngine:
    """Implements DSPy's engine contract: `complete(Request) -> Response`, errors as lm15 errors.

    Structured output (JSON schema) is declared, because the server constrains decoding to it. Calls
    from many threads are batched by the server; the share of the prompt that was served from its cache is
    reported in the usage.
    """

    supports_response_schema = True
    supported_params = frozenset(
        {"response_format", "seed", "stop", "temperature", "top_p", "top_k", "max_tokens"}
        | {"presence_penalty", "frequency_penalty"}
    )

    def __init__(self, name: str):
        self.name = name

    def __deepcopy__(self, memo: dict[int, Any]) -> LlamaEngine:
        return self

    def dump_state(self) -> dict[str, Any]:
        return {"name": self.name}

    @classmethod
    def load_state(cls, state: dict[str, Any]) -> LlamaEngine:
        return cls(find(state["name"]).name)

    def complete(self, request: lm15.Request) -> lm15.Response:
        answer = chat(self.name, _body(request))
        choice, usage = answer["choices"][0], answer.get("usage") or {}
        cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens")
        return lm15.Response(
            id=None,
            model=request.model,
            message=lm15.Message.assistant(choice["message"].get("content") or ""),
            finish_reason=_FINISH.get(choice.get("finish_reason"), "error"),  # type: ignore[arg-type]
            usage=lm15.Usage(
                input_tokens=usage.get("prompt_tokens"),
                output_tokens=usage.get("completion_tokens"),
                cache_read_tokens=cached,
            ),
        )


def chat(name: str, body: dict[str, Any]) -> dict[str, Any]:
    """An embedded model's answer to a request of OpenAI's chat API, both in its form.

    Raises:
        ConfigError: the model cannot be had.
        lm15.InvalidRequestError, lm15.ContextLengthError, lm15.ServerError: it refuses, or fails.
    """
    llama = server(name)
    try:
        with _first_alone(name, body["messages"]):
            answer = llama.handle_chat_completions(
                {"max_tokens": DEFAULT_MAX_TOKENS, **body, "cache_prompt": True, **DRY}
            )
    except (ValueError, TypeError) as error:  # how it refuses a schema it cannot decode by, and one nested too deep
        raise lm15.InvalidRequestError(str(error)) from error
    if "error" in answer:
        raise _error(answer["error"])
    return answer


def _body(request: lm15.Request) -> dict[str, Any]:
    config = request.config
    messages = [{"role": m.role, "content": m.text or ""} for m in request.messages]
    if request.system:
        parts = [lm15.TextPart(request.system)] if isinstance(request.system, str) else request.system
        system = "".join(p.text for p in parts if isinstance(p, lm15.TextPart))
        messages.insert(0, {"role": "system", "content": system})
    body = {
        "messages": messages,
        "max_tokens": config.max_tokens,
        "temperature": config.temperature,
        "top_p": config.top_p,
        "top_k": config.top_k,
        "seed": config.seed,
        "presence_penalty": config.presence_penalty,
        "frequency_penalty": config.frequency_penalty,
        "stop": list(config.stop) or None,
        "response_format": _response_format(config.response_format),
    }
    return {key: value for key, value in body.items() if value is not None}


def _response_format(canonical: dict[str, Any] | None) -> dict[str, Any] | None:
    """lm15 keeps a schema flat; the server reads the nested form of OpenAI's chat API."""
    if not canonical or canonical.get("type") != "json_schema":
        return canonical
    return {"type": "json_schema", "json_schema": {k: v for k, v in canonical.items() if k != "type"}}


def _error(error: dict[str, Any]) -> Exception:
    text = str(error.get("message", error))
    if error.get("type") == "exceed_context_size_error":
        return lm15.ContextLengthError(f"the prompt is too long for an embedded model: {text}")
    if error.get("code") == 400:
        return lm15.InvalidRequestError(text)
    return lm15.ServerError(text)


@contextlib.contextmanager
def _first_alone(name: str, messages: list[dict[str, Any]]) -> Iterator[None]:
    """The first call with a constant part (all messages but the last) goes alone; those that share it wait.

    Side by side each would compute it, in a slot of its own: 20 s on two cores for the challenger's demonstrations.
    """
    key = (name, hash(tuple((m["role"], m["content"]) for m in messages[:-1])))
    with _servers_lock:
        lock = _met.get(key)
        if len(messages) < 2 or (lock is not None and not lock.locked()):
            first, lock = False, None
        elif first := lock is None:
            if len(_met) >= _MOST_MET:
                _met.clear()
            lock = _met[key] = threading.Lock()
            lock.acquire()
    try:
        if lock is not None and not first:
            with lock:  # until the first is through
                pass
        yield
    finally:
        if lock is not None and first:
            lock.release()


def server(name: str) -> Any:
    """The process-wide llama.cpp server of a model, started at the first call."""
    with _servers_lock:
        lock = _server_locks.setdefault(name, threading.Lock())
    with lock:  # one model may load while another already answers
        if name not in _servers:
            _servers[name] = _start(name)
        return _servers[name]


def _start(name: str) -> Any:
    # Read when llama.cpp is loaded. Threads that spin for long while they wait take the cores from the other model's
    # threads and from other programs (two busy cores: 1 token a second instead of 40); threads that never spin lose
    # a third of the speed of a calm machine. A short spin has both: 26 against 17 tokens a second calm, 18 against 12
    # beside a busy program (1.5B, 2 cores).
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    try:
        xllamacpp: Any = importlib.import_module("xllamacpp")  # without type stubs, and not a dependency of all
    except ImportError as error:
        raise ConfigError(
            "the embedded models need the extra [local]: pip install 'autodata-dspy[local]'; or name a model for "
            "each role, for example --lm challenger=openai/gpt-4o-mini"
        ) from error
    path = weights.ensure(name)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx = CONTEXT_TOKENS
    # A new prompt prefix is computed once per slot, so no more slots than can compute at the same time.
    params.n_parallel = max(2, min(cores, 8))
    params.kv_unified = True  # slots share the context, so that one long prompt may use all of it
    params.cache_ram_mib = PROMPT_CACHE_MIB  # keeps the prefixes of idle slots, whichever slot comes next
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = cores
    params.verbosity = -1
    # The library opens a port of its own on the loopback, which would serve pages of any web site. Nobody gets in.
    params.api_keys = [secrets.token_urlsafe()]
    params.api_prefix = f"/{secrets.token_urlsafe()}"
    logger.info("loading %s from %s", name, path)
    return xllamacpp.Server(params)


def close_all() -> None:
    """Stop every server and free its memory; the next call starts it anew."""
    with _servers_lock:
        _servers.clear()


atexit.register(close_all)
