"""Embedded models for other programs on this machine: OpenAI's chat API over HTTP, on the loopback alone.

The server that llama.cpp brings along is not used for this: it lets pages of any web site in (it names their origin as
allowed), tells the paths of weights, and passes over a response format without a schema. This one is bound to the
engine, so that an answer is the same as in the process.
"""

from __future__ import annotations

import http.server
import ipaddress
import json
import re
import socket
import time
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from dspy import lm15
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from autodata_dspy.config import first_problem
from autodata_dspy.embedded import engine
from autodata_dspy.embedded.catalog import find
from autodata_dspy.errors import ConfigError

MAX_BODY = 4_000_000  # bytes; a context of 8192 tokens is far below
IDLE_S = 60.0  # after which a connection that says nothing is closed
HOST = "127.0.0.1"
_MOST_SAID = 300  # letters of what is wrong: it may hold the whole prompt


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Text(_Table):
    type: Literal["text"]
    text: str


class _Message(_Table):
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[_Text]
    name: str | None = None


class _Schema(_Table):
    schema_: dict[str, Any] = Field(alias="schema")
    name: str | None = None
    description: str | None = None
    strict: bool | None = None


class _Format(_Table):
    type: Literal["text", "json_object"]


class _SchemaFormat(_Table):
    type: Literal["json_schema"]
    json_schema: _Schema


def _whole(value: Any) -> Any:
    """No streams: who wants one is told, instead of waiting for events that never come."""
    if value:
        raise ValueError("answers are not streamed; leave it out")
    return None


_Penalty = Annotated[float | None, Field(ge=-2, le=2)]
_Stops = Annotated[list[str], Field(max_length=16)]


class ChatRequest(_Table):
    """What a request may say. Another parameter is refused, because its sender relies on it; null is as good as none.

    Attributes:
        n: answers to a request; there is one.
        user, metadata, store: taken, and without effect.
    """

    model: str
    messages: Annotated[list[_Message], Field(min_length=1)]
    max_tokens: Annotated[int | None, Field(ge=1)] = None
    max_completion_tokens: Annotated[int | None, Field(ge=1)] = None
    temperature: Annotated[float | None, Field(ge=0, le=2)] = None
    top_p: Annotated[float | None, Field(gt=0, le=1)] = None
    top_k: Annotated[int | None, Field(ge=0)] = None
    seed: Annotated[int | None, Field(ge=0, lt=2**32)] = None
    stop: str | _Stops | None = None
    presence_penalty: _Penalty = None
    frequency_penalty: _Penalty = None
    response_format: Annotated[_Format | _SchemaFormat, Field(discriminator="type")] | None = None
    n: Literal[1] | None = None
    stream: Annotated[None, BeforeValidator(_whole)] = None
    user: Any = None
    metadata: Any = None
    store: Any = None

    def body(self) -> dict[str, Any]:
        """What the engine is given."""
        without = {"model", "max_completion_tokens", "n", "stream", "user", "metadata", "store"}
        body = self.model_dump(by_alias=True, exclude_none=True, exclude=without)
        if self.max_completion_tokens is not None:
            body["max_tokens"] = self.max_completion_tokens
        for message in body["messages"]:
            if message["role"] == "developer":  # OpenAI's newer word for it, which templates of models do not know
                message["role"] = "system"
        return body


class ModelEndpoint(http.server.ThreadingHTTPServer):
    """Serves models of the catalog; bound when it is made, their weights loaded by `load`, answering in
    `serve_forever`.

    Args:
        names: of the models; a request's `model` chooses among them.
        port: 0 takes a free one.
        host: a name or an address of the loopback.

    Raises:
        ConfigError: an unknown model, a host that others can reach, a port that is in use or not allowed.
    """

    daemon_threads = True

    def __init__(self, names: Sequence[str], port: int = 0, host: str = HOST):
        self.names = tuple(find(name).name for name in names)
        if not _is_loopback(host):
            raise ConfigError(f"host {host!r} can be reached from elsewhere; models are served on {HOST} alone")
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise ConfigError(f"port {port} of {host}: {why}; name another, or none to take a free one") from None
        self.started = int(time.time())

    @property
    def url(self) -> str:
        """What a client is given as base URL."""
        host, port = self.server_address[:2]
        return f"http://{f'[{host}]' if ':' in str(host) else host}:{port}/v1"

    def load(self) -> None:
        """Load the models, so that the first request does not wait. Raises ConfigError: they cannot be had."""
        for name in self.names:
            engine.server(name)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of the server."""


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Refusal(Exception):
    """An answer with a status other than 200."""

    def __init__(self, status: int, message: str, kind: str = "invalid_request_error"):
        super().__init__(message)
        self.status, self.kind = status, kind


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Any  # a ModelEndpoint; of the base class, any server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "autodata", ""
    timeout = IDLE_S

    def do_GET(self) -> None:
        self._answer({"/v1/models": self._models})

    def do_POST(self) -> None:
        self._answer({"/v1/chat/completions": self._chat})

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What http.server refuses by itself: a method that is none of ours, lines that are no HTTP."""
        self.close_connection = True
        status = 405 if code == 501 else 400 if code >= 500 else code
        self._say(status, _error(message or "bad request"))

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _answer(self, ours: dict[str, Any]) -> None:
        try:
            self._check_sender()
            path = self.path.partition("?")[0].rstrip("/")
            if path not in ours:
                raise _Refusal(
                    404, f"there is no {self.command} {path}; ask GET /v1/models or POST /v1/chat/completions"
                )
            self._say(200, ours[path]())
        except _Refusal as refusal:
            self.close_connection = True  # what is left of its body would be taken for the next request
            self._say(refusal.status, _error(str(refusal), refusal.kind))

    def _check_sender(self) -> None:
        """Pages of the web reach the loopback too: through a name of theirs that leads to it, or from a script."""
        host = re.sub(r":\d+$", "", self.headers.get("Host", "")).strip("[]").lower()
        if not _is_loopback(host):
            raise _Refusal(403, f"host {host!r}: requests go to {HOST} or localhost")
        if self.headers.get("Origin"):
            raise _Refusal(403, "pages in a browser are not answered")

    def _models(self) -> dict[str, Any]:
        told = {"object": "model", "created": self.server.started, "owned_by": "autodata"}
        return {"object": "list", "data": [{"id": name, **told} for name in self.server.names]}

    def _chat(self) -> dict[str, Any]:
        asked = _read(self._body())
        name = asked.model.removeprefix("embedded/")
        if name not in self.server.names:
            served = ", ".join(self.server.names)
            raise _Refusal(404, f"model {asked.model!r} is not served here; there is {served}", "model_not_found")
        try:
            answer = engine.chat(name, asked.body())
        except lm15.InvalidRequestError as error:
            raise _Refusal(400, str(error)) from None
        except lm15.ServerError as error:
            raise _Refusal(500, str(error), "server_error") from None
        kept = {key: answer[key] for key in ("id", "object", "created", "choices", "usage") if key in answer}
        return {**kept, "model": name}

    def _body(self) -> bytes:
        length, kind = self.headers.get("Content-Length", ""), self.headers.get_content_type()
        if kind != "application/json":
            raise _Refusal(415, f"Content-Type {kind!r}: send application/json")
        if not length.isdecimal():
            raise _Refusal(411, "send the length of the body, as Content-Length")
        if int(length) > MAX_BODY:
            raise _Refusal(413, f"a body of {length} bytes is too long; the most are {MAX_BODY}")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise _Refusal(400, f"the body broke off at {len(body)} of {length} bytes")
        return body

    def _say(self, status: int, said: dict[str, Any]) -> None:
        data = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def _read(body: bytes) -> ChatRequest:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _Refusal(400, f"the body is no JSON: {error}") from None
    if not isinstance(data, dict):
        raise _Refusal(400, "the body is no JSON object")
    try:
        return ChatRequest.model_validate({key: value for key, value in data.items() if value is not None})
    except ValidationError as error:
        said = first_problem(ChatRequest, error).replace("setting", "parameter", 1)
        raise _Refusal(400, said if len(said) <= _MOST_SAID else f"{said[:_MOST_SAID]}…") from None


def _error(message: str, kind: str = "invalid_request_error") -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}
