"""`autodata serve-embedded` with the smallest model: one server for all tests, as a process of its own."""

import contextlib
import http.client
import json
import re
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from command_line import finish, refused, start

from autodata_dspy.budget import Meter, metered
from autodata_dspy.config import parse_lm_flags
from autodata_dspy.embedded import engine
from autodata_dspy.roles import Roles

pytestmark = pytest.mark.live
SMALL = "smollm2-135m"
STORY = [{"role": "user", "content": "Tell a long story about a fox and a crow."}]


class Served:
    """The running command: its process, what it printed, and requests to it."""

    def __init__(self):
        self.process = start("serve-embedded", SMALL)
        self.said, self.line = self.process.stdout.readline(), self.process.stdout.readline()
        self.port = int(re.search(r"http://127\.0\.0\.1:(\d+)/v1 ", self.said)[1])

    def ask(self, method, path, body=None, **headers):
        """Status and JSON of a request; `body` is sent as JSON unless it is bytes."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def chat(self, **parameters):
        given = {"model": SMALL, "messages": STORY, "max_tokens": 4, "temperature": 1.0, **parameters}
        return self.ask("POST", "/v1/chat/completions", given)


@pytest.fixture(scope="module")
def served():
    running = Served()
    yield running
    # It is in the middle of a long answer, and ends at once all the same.
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(running.chat, max_tokens=4000)
        time.sleep(0.3)
        asked = time.monotonic()
        running.process.send_signal(signal.SIGINT)
        ran = finish(running.process, timeout_s=20)
        assert time.monotonic() - asked < 2 and (ran.code, ran.err) == (0, "")
        assert isinstance(answer.exception(), OSError)


def test_an_answer_has_the_form_of_openais_and_the_parameters_count(served):
    status, answer = served.chat(seed=1)
    assert (status, answer["object"], answer["model"]) == (200, "chat.completion", SMALL)
    [choice] = answer["choices"]
    assert (choice["finish_reason"], choice["message"]["role"]) == ("length", "assistant") and choice["message"][
        "content"
    ]
    used = answer["usage"]
    assert used["completion_tokens"] == 4 and used["total_tokens"] == used["prompt_tokens"] + 4
    again, other = (served.chat(seed=seed)[1]["choices"][0]["message"]["content"] for seed in (1, 2))
    assert again == served.chat(seed=1, max_tokens=None, max_completion_tokens=4)[1]["choices"][0]["message"]["content"]
    assert again != other
    [stopped] = served.chat(stop=" ", max_tokens=30)[1]["choices"]
    assert stopped["finish_reason"] == "stop" and " " not in stopped["message"]["content"]
    status, listed = served.ask("GET", "/v1/models")
    assert (status, [model["id"] for model in listed["data"]]) == (200, [SMALL])


def test_a_schema_is_obeyed(served):
    schema = {"type": "object", "properties": {"sure": {"type": "boolean"}}, "required": ["sure"]}
    said = []
    for n, form in (
        (40, {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}),
        (2, {"type": "json_object"}),
    ):
        _, answer = served.chat(response_format=form, max_tokens=n, temperature=0.0)
        said.append(answer["choices"][0]["message"]["content"])
    assert isinstance(json.loads(said[0])["sure"], bool) and said[1].startswith("{")


def test_our_own_roles_reach_it_by_the_line_it_prints_two_at_once(served):
    flags = re.findall(r"--lm (\S+)", served.line)
    roles = Roles(**parse_lm_flags([*flags, "all.max_tokens=4", "all.num_retries=0"]))
    both = threading.Barrier(2)

    def ask(role):
        with metered(Meter()) as meter:
            both.wait()
            return roles[role]("Say hello."), meter.total()

    with ThreadPoolExecutor(2) as pool:
        for [text], used in pool.map(ask, ("judge", "challenger")):
            assert text and (used.calls, used.output_tokens) == (1, 4) and used.input_tokens > 4


DEEP = {"a": {}}
for _ in range(400):
    DEEP = {"a": DEEP}
SENT = {
    "no JSON": (b"{", 400, "the body is no JSON"),
    "no object": (b"[]", 400, "the body is no JSON object"),
    "a stream": ({"stream": True}, 400, "answers are not streamed"),
    "a misspelt parameter": ({"max_token": 3}, 400, "unknown parameter 'max_token'; did you mean 'max_tokens'?"),
    "a word for a number": ({"temperature": "hot"}, 400, "parameter 'temperature'"),
    "several answers": ({"n": 2}, 400, "parameter 'n'"),
    "no messages": ({"messages": []}, 400, "parameter 'messages'"),
    "a stranger's role": ({"messages": [{"role": "bard", "content": "x"}]}, 400, "'system'"),
    "a picture": ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, 400, "messages.0.content"),
    "half a letter": ({"messages": [{"role": "user", "content": "\ud800"}]}, 400, "surrogate"),
    "no schema": ({"response_format": {"type": "json_schema"}}, 400, "json_schema"),
    "a schema that is none": (
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "odd"}}}},
        400,
        "unrecognized type odd",
    ),
    "one too deep": ({"response_format": {"type": "json_schema", "json_schema": {"schema": DEEP}}}, 400, "Recursion"),
    "a prompt too long": ({"messages": [{"role": "user", "content": "word " * 9000}]}, 400, "too long for an embedded"),
    "another model": ({"model": "gpt-9"}, 404, f"model 'gpt-9' is not served here; there is {SMALL}"),
}


def test_every_bad_request_gets_a_json_error_in_the_four_hundreds(served):
    whole = {"model": SMALL, "messages": STORY, "max_tokens": 4}
    requests = {
        name: (("POST", "/v1/chat/completions", {**whole, **body} if isinstance(body, dict) else body), {}, *expected)
        for name, (body, *expected) in SENT.items()
    }
    there = ("POST", "/v1/chat/completions", whole)
    requests |= {
        "another path": (("GET", "/props"), {}, 404, "there is no GET /props"),
        "another method": (("PUT", "/v1/models"), {}, 405, "Unsupported method"),
        "another kind of body": (there, {"Content_Type": "text/plain"}, 415, "send application/json"),
        "no length": (there, {"Content_Length": "x"}, 411, "Content-Length"),
        "a page of the web": (there, {"Origin": "http://example.org"}, 403, "pages in a browser"),
        "a name that leads here": (("GET", "/v1/models"), {"Host": f"example.org:{served.port}"}, 403, "'example.org'"),
        "far too much": (there, {"Content_Length": "9999999"}, 413, "too long"),
    }
    for name, (request, headers, status, says) in requests.items():
        found, answer = served.ask(*request, **headers)
        assert (name, found) == (name, status), answer
        assert says in answer["error"]["message"] and len(answer["error"]["message"]) < 400, (name, answer)
    with socket.create_connection(("127.0.0.1", served.port)) as raw:
        raw.sendall(b"nonsense\r\n\r\n")
        assert b'{"error": {"message": "Bad request syntax' in raw.makefile("rb").read()


def test_what_it_cannot_serve_is_refused_in_one_line(served):
    refused("serve-embedded", SMALL, "--port", served.port, says=f"port {served.port} of 127.0.0.1: Address already in")
    for host in ("0.0.0.0", "example.org", "::"):
        refused("serve-embedded", SMALL, "--host", host, says=f"host '{host}' can be reached from elsewhere")
    refused("serve-embedded", "smollm", says="did you mean 'smollm2-135m'?")


def test_the_port_that_llama_cpp_opens_by_itself_lets_nobody_in():
    engine.chat(
        SMALL, {"messages": STORY, "max_tokens": 1}
    )  # llama.cpp may never end where it has answered nothing yet
    address = engine.server(SMALL).listening_address.removeprefix("http://")
    with contextlib.closing(http.client.HTTPConnection(address, timeout=20)) as connection:
        for path in ("/v1/models", "/props", "/slots", "/health", "/"):
            connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
            answer = connection.getresponse()
            assert answer.status in (401, 404) and b"gguf" not in answer.read(), path
    engine.close_all()
