"""A model server on loopback: OpenAI's chat completions, answered as each document's plan demands.

A document says `Plan: easy garbled accept`, one word a round. Every answer is a function of the request alone (only
`outage` counts), so that a run gives the same whatever its timing, sessions and threads.
"""

from __future__ import annotations

import collections
import contextlib
import http.server
import json
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

from autodata_dspy.domains.math_objects import ANGLES
from autodata_dspy.modules.base import ATTEMPTS, seed_for
from autodata_dspy.types import Document

TOKENS_IN, TOKENS_CACHED, TOKENS_OUT = 100, 60, 20


def document(name: str, *plan: str) -> Document:
    """A document whose rounds go as planned, one word each; the last word holds for all later rounds.

    accept · copy (accepted, and like every other copy but for its number) · easy (the weak solver is right) · hard
    (the strong one is wrong) · doubtful (the quality verifier objects) · broken (the program does not run) · garbled
    (no fields at all) · twin (repeats the round before) · unclear (the weak answer cannot be compared) · outage (the
    challenger's calls fail in this round)
    """
    return Document(name, f"A passage about squares of sums.\nName: {name}\nPlan: {' '.join(plan)}")


def lines(*documents: Document) -> str:
    """Documents as JSON lines."""
    return "".join(json.dumps({"id": d.id, "text": d.text}) + "\n" for d in documents)


class ModelServer(http.server.ThreadingHTTPServer):
    """Attributes:
    requests: (role, body) of every request in order of arrival; failed ones too.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/v1"
        self.requests: list[tuple[str, str]] = []
        self.changed = threading.Condition()
        self._answers_left = 1_000_000
        self._outages: collections.Counter[str] = collections.Counter()

    @property
    def flags(self) -> list[str]:
        """The options that make every role this server's model."""
        lm = ("all=vllm:scripted", f"all.api_base={self.url}", "all.num_retries=0")
        return [part for flag in lm for part in ("--lm", flag)]

    def by_role(self) -> dict[str, int]:
        return dict(collections.Counter(role for role, _ in self.requests))

    def hold_after(self, n_answers: int) -> None:
        """Answer so many requests more, and keep the next ones waiting."""
        with self.changed:
            self._answers_left = n_answers
            self.changed.notify_all()

    def release(self) -> None:
        self.hold_after(1_000_000)

    def wait_for_requests(self, n: int, timeout_s: float = 60.0) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.requests) >= n, timeout_s), f"{len(self.requests)} of {n}"

    def answer(self, body: dict[str, Any], raw: str) -> str | None:
        """What the model says; None for an outage."""
        system, last = body["messages"][0]["content"], body["messages"][-1]["content"]
        role, inputs = _role(system), _inputs(last)
        plays = "challenger" if role == "strong_solver" and "This is broken" in inputs["question"] else role
        with self.changed:
            self.requests.append((plays, raw))
            self.changed.notify_all()
            assert self.changed.wait_for(lambda: self._answers_left > 0, 60.0)
            self._answers_left -= 1
        said = getattr(self, f"_{role}")(inputs)
        if isinstance(said, dict):
            said = "\n\n".join(f"[[ ## {name} ## ]]\n{text}" for name, text in said.items())
        return said

    def _challenger(self, inputs: dict[str, str]) -> dict[str, str] | str | None:
        name = re.search(r"Name: (\S+)", inputs["passage"])[1]
        plan = re.search(r"Plan: (.+)", inputs["passage"])[1].split()
        turn = next(i for i, angle in enumerate(ANGLES) if inputs["angle"].startswith(angle.partition("{")[0]))
        index = (turn - seed_for(name, 0)) % len(ANGLES)
        fate = plan[min(index, len(plan) - 1)]
        if fate == "garbled":
            return "I would rather not."
        if fate == "outage":
            self._outages[name] += 1
            if self._outages[name] <= ATTEMPTS:
                return None
        number = 2 + seed_for(name) % 90 + (index - 1 if fate == "twin" else index)
        fate = "easy" if fate == "twin" else fate
        # Numbers are not enough to tell two problems apart: the final audit takes such copies out. `copy` is one.
        setting = "" if fate == "copy" else _setting(number)
        question = f"Expand (x + {number})^2 as a polynomial in x. This is {fate}.{setting}"
        program = "import os" if fate == "broken" else f"x = symbols('x')\nanswer = expand((x + {number})**2)"
        return {"question": question, "program": program}

    def _quality_verifier(self, inputs: dict[str, str]) -> dict[str, str]:
        return {"asks_for": "a square", "verdict": "data missing" if "doubtful" in inputs["question"] else "usable"}

    def _weak_solver(self, inputs: dict[str, str]) -> dict[str, str]:
        number = int(re.search(r"\+ (\d+)", inputs["question"])[1])
        right = f"x^2 + {2 * number}*x + {number**2}"
        return {
            "answer": right
            if "easy" in inputs["question"]
            else "x or maybe 5"
            if "unclear" in inputs["question"]
            else "x^2"
        }

    def _strong_solver(self, inputs: dict[str, str]) -> dict[str, str]:
        if "This is broken" in inputs["question"]:  # the challenger's program, asked for once more
            return {"plan": "None.", "program": "import os"}
        number = int(re.search(r"\+ (\d+)", inputs["question"])[1])
        sign = "-" if "hard" in inputs["question"] else "+"
        return {"plan": "Expand.", "program": f"x = symbols('x')\nanswer = expand((x {sign} {number})**2)"}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no error of the server."""


def _setting(number: int) -> str:
    """A sentence after the question with words that no other number has."""
    letters = [chr(97 + (number * k + k * k) % 26) + chr(97 + (number + 7 * k) % 26) for k in range(1, 25)]
    return f" In {''.join(letters[:8])} {''.join(letters[8:16])} {''.join(letters[16:])}."


def _role(system: str) -> str:
    for field, role in (("passage", "challenger"), ("verdict", "quality_verifier"), ("plan", "strong_solver")):
        if f"[[ ## {field} ## ]]" in system:
            return role
    return "weak_solver"


def _inputs(message: str) -> dict[str, str]:
    parts = re.split(r"^\[\[ ## (\w+) ## \]\]\n", message, flags=re.MULTILINE)
    return {
        name: text.split("\n\nRespond with")[0].strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)
    }


class _Handler(http.server.BaseHTTPRequestHandler):
    server: ModelServer

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"])).decode()
        said = self.server.answer(json.loads(raw), raw)
        usage = {
            "prompt_tokens": TOKENS_IN,
            "completion_tokens": TOKENS_OUT,
            "total_tokens": TOKENS_IN + TOKENS_OUT,
            "prompt_tokens_details": {"cached_tokens": TOKENS_CACHED},
        }
        choice = {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
        reply: dict[str, Any] = {
            "id": "1",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": "scripted",
        }
        reply |= {"error": {"message": "no power"}} if said is None else {"choices": [choice], "usage": usage}
        data = json.dumps(reply).encode()
        self.send_response(500 if said is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        pass


@contextlib.contextmanager
def serving(server: ModelServer | None = None) -> Iterator[ModelServer]:
    """A running server; another kind of it where one is given."""
    server = server or ModelServer()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.release()
        server.shutdown()
        server.server_close()
