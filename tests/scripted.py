"""Language models that follow a script, and a tiny domain to run the loop on.

Everything is real except the model: requests go through DSPy, its adapters and our roles to an engine whose answers
depend on the request (seed included), not on timing, threads or sessions. Child processes of tests use it too.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import dspy
from dspy import lm15

from autodata_dspy.acceptance import AcceptanceRule, ExactCounts
from autodata_dspy.asking import ATTEMPTS, seed_for
from autodata_dspy.domains.base import Domain, Malformed, SolvingMode
from autodata_dspy.roles import Roles
from autodata_dspy.seed_tasks import Instance, SeedTask
from autodata_dspy.types import Challenge, Document, Verdict
from autodata_dspy.verifiers.base import VerifierExample

WRONG, UNCLEAR = "wrong", "?"


@dataclass(frozen=True)
class Said:
    """What a scripted model says: fields (formatted as the adapter asked) or raw text, and its bill."""

    fields: dict[str, Any] = field(default_factory=dict)
    text: str | None = None
    finish: str = "stop"
    tokens: tuple[int, int] = (10, 5)


@dataclass(frozen=True)
class Call:
    """One request as the model sees it. `number` counts the engine's calls from 1."""

    number: int
    request: Any

    @property
    def seed(self) -> int | None:
        return self.request.config.seed

    @property
    def prompt(self) -> str:
        """Everything the model can read."""
        system = self.request.system or ""
        system = system if isinstance(system, str) else "".join(p.text for p in system)
        return "\n".join([system, *(m.text or "" for m in self.request.messages)])

    @property
    def inputs(self) -> dict[str, str]:
        """Input fields of the last message."""
        parts = re.split(r"^\[\[ ## (\w+) ## \]\]\n", self.request.messages[-1].text, flags=re.MULTILINE)
        pairs = zip(parts[1::2], parts[2::2], strict=True)
        return {name: text.split("\n\nRespond with")[0].strip() for name, text in pairs}

    def render(self, fields: dict[str, Any]) -> str:
        """Fields in the form the request demands: markers, or a JSON object."""
        if "\nRespond with a JSON object" in self.request.messages[-1].text:
            return json.dumps(fields)
        return "\n\n".join(f"[[ ## {name} ## ]]\n{value}" for name, value in fields.items())


Answer = dict[str, Any] | str | Said | Exception
Script = Answer | list[Answer] | Callable[[Call], Answer]


class Engine:
    """A DSPy engine that follows a script. A list answers call by call, its last item for ever.

    Args:
        script: fields, raw text, a Said, an exception to raise, a list of these, or a function of the Call.
        schema: declare structured output, so that modules choose the JSON adapter.
        sleep_s: how long an answer takes.
        counter: a file to which every call adds one line, also from other processes.
    """

    supported_params = frozenset({"seed", "temperature", "max_tokens", "response_format"})

    def __init__(
        self, script: Script, schema: bool = False, sleep_s: float = 0.0, counter: str | os.PathLike | None = None
    ):
        self.script, self.supports_response_schema, self.sleep_s, self.counter = script, schema, sleep_s, counter
        self.calls: list[Call] = []
        self._lock = threading.Lock()

    def __deepcopy__(self, memo: dict[int, Any]) -> Engine:
        return self

    def complete(self, request: Any) -> Any:
        with self._lock:
            call = Call(len(self.calls) + 1, request)
            self.calls.append(call)
        if self.counter is not None:
            out = os.open(self.counter, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(out, b"call\n")
            os.close(out)
        if self.sleep_s:
            time.sleep(self.sleep_s)
        answer = self.script(call) if callable(self.script) else self.script
        if isinstance(answer, list):
            answer = answer[min(call.number, len(answer)) - 1]
        if isinstance(answer, Exception):
            raise answer
        said = answer if isinstance(answer, Said) else Said(text=answer) if isinstance(answer, str) else Said(answer)
        text, (n_in, n_out) = call.render(said.fields) if said.text is None else said.text, said.tokens
        return lm15.Response(
            id=None,
            model=request.model,
            message=lm15.Message.assistant(text),
            finish_reason=said.finish,
            usage=lm15.Usage(input_tokens=n_in, output_tokens=n_out, total_tokens=n_in + n_out),
        )


def scripted_lm(script: Script, name: str = "model", *, num_retries: int = 0, **options: Any) -> dspy.LM:
    """A `dspy.LM` that follows a script; its engine (with `.calls`) is `lm.engine`."""
    engine = {key: options.pop(key) for key in ("schema", "sleep_s", "counter") if key in options}
    return dspy.LM(f"scripted/{name}", engine=Engine(script, **engine), cache=False, num_retries=num_retries, **options)


def scripted_roles(**scripts: Script) -> Roles:
    """Roles with one scripted LM each; `sleep_s`, `counter` and `schema` hold for all of them."""
    options = {key: scripts.pop(key) for key in ("sleep_s", "counter", "schema") if key in scripts}
    return Roles(**{role: scripted_lm(script, role, **options) for role, script in scripts.items()})


def calls_of(roles: Roles, role: str) -> list[Call]:
    """The requests a role's scripted LM received, in order."""
    return roles._given[role].engine.calls


# -- a tiny domain --------------------------------------------------------------------------------------------


class WriteQuestion(dspy.Signature):
    """Write a question about the passage."""

    passage: str = dspy.InputField()
    angle: str = dspy.InputField()
    feedback: str = dspy.InputField()
    question: str = dspy.OutputField()
    answer: str = dspy.OutputField()


class ReviewQuestion(dspy.Signature):
    """Say whether the question is sound."""

    question: str = dspy.InputField()
    verdict: Literal["sound", "ambiguous"] = dspy.OutputField()


class AnswerDirectly(dspy.Signature):
    """Answer the question."""

    context: str = dspy.InputField()
    question: str = dspy.InputField()
    answer: str = dspy.OutputField()


class AnswerStepByStep(dspy.Signature):
    """Answer the question step by step."""

    context: str = dspy.InputField()
    question: str = dspy.InputField()
    reasoning: str = dspy.OutputField()
    answer: str = dspy.OutputField()


class SameText:
    """Exact match; an answer of "?" is undecided."""

    name: ClassVar = "same_text"
    checks: ClassVar = "answer"
    cost: ClassVar = "free"
    EXAMPLES: ClassVar = (VerifierExample("a", "a"), VerifierExample("a", "b", expected=False))

    def verify(self, subject: str, reference: str = "", context: str = "") -> Verdict:
        if subject == UNCLEAR:
            return Verdict.undecidable("cannot say", self.name)
        return Verdict.of(subject == reference, "another text", self.name)


class NotForbidden:
    """A challenge verifier: "forbidden" in a question fails, "murky" is undecided."""

    name: ClassVar = "not_forbidden"
    checks: ClassVar = "challenge"
    cost: ClassVar = "free"
    EXAMPLES: ClassVar = (VerifierExample(Challenge("ok", "a")),)

    def verify(self, subject: Challenge, reference: str = "", context: str = "") -> Verdict:
        if "murky" in subject.question:
            return Verdict.undecidable("too murky to say", self.name)
        return Verdict.of("forbidden" not in subject.question, "the question is forbidden", self.name)


def build(prediction: Any, angle: str) -> Challenge:
    if not prediction.question:
        raise Malformed("there is no question")
    return Challenge(prediction.question, prediction.answer)


MODES = {
    "direct": SolvingMode(AnswerDirectly, lambda said: said.answer, {"temperature": 0.7, "max_tokens": 50}),
    "steps": SolvingMode(AnswerStepByStep, lambda said: said.answer, {"temperature": 0.7, "max_tokens": 200}),
}


def tiny_domain(acceptance: AcceptanceRule | None = None, **changes: Any) -> Domain:
    """Questions with an exact textual answer; `changes` replace fields of the Domain."""
    fields = {
        "name": "tiny",
        "summary": "questions with a textual answer",
        "write": WriteQuestion,
        "demos": (),
        "angles": ("a", "b", "c"),
        "build": build,
        "review": ReviewQuestion,
        "review_demos": (),
        "sound": "sound",
        "solving": MODES,
        "weak_mode": "direct",
        "strong_mode": "steps",
        "challenge_verifiers": lambda: (NotForbidden(),),
        "answer_verifier": lambda roles: SameText(),
        "acceptance": acceptance or ExactCounts(),
        "verified": "checked",
        "seeds": seed_tasks,
    }
    return Domain(**{**fields, **changes})


def seed_tasks() -> list[SeedTask]:
    """Eight tasks, two of them classification."""
    told = {
        "Name the opposite of this word.": ("warm", "cold"),
        "Which sea lies north of Poland?": ("", "the Baltic Sea"),
        "Write the number as a numeral.": ("forty-one", "41"),
        "Is the animal a bird or a fish?": ("heron", "bird"),
        "Put these names in alphabetical order.": ("Bo, Al, Cy", "Al, Bo, Cy"),
        "What can I cook with rice and two eggs?": ("", "Fried rice with egg."),
        "Does the sentence praise or blame?": ("You sang well.", "praise"),
        "Make one sentence of the two.": ("It rained. We stayed.", "It rained, so we stayed."),
    }
    return [
        SeedTask(f"seed-{i}", instruction, (Instance(*pair),), is_classification=" or " in instruction)
        for i, (instruction, pair) in enumerate(told.items())
    ]


def documents(n: int) -> list[Document]:
    return [Document(f"doc-{i}", f"This is the text of document number {i}, long enough.") for i in range(n)]


# -- questions that carry their own fate ----------------------------------------------------------------------
# "… weak=0100 strong=111?" tells a solver whether its attempt number i is right (1), wrong (0), undecided (?) or
# lost to an outage (x). The attempt is not in the request, but its seed is, and seeds depend on nothing else.


def fated(text: str, weak: str = "0000", strong: str = "1111") -> dict[str, str]:
    """The challenger's fields for a question whose solvers do as told."""
    return {"question": f"{text} weak={weak} strong={strong}", "answer": answer_to(text)}


def answer_to(text: str) -> str:
    """The reference answer of a fated question; a word that appears nowhere else."""
    return "a" + hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def fate(call: Call, role: str, job_seed: int = 0, n: int = 16) -> str:
    """The letter that the question holds for the attempt which this call belongs to."""
    letters = re.search(rf"{role.removesuffix('_solver')}=(\S*)", call.inputs["question"]).group(1)
    return letters[_attempt(role, call.inputs["question"], job_seed, call.seed, n)]


@functools.lru_cache(maxsize=10_000)
def _attempt(role: str, question: str, job_seed: int, seed: int, n: int) -> int:
    for attempt in range(n):
        first = seed_for(role, question, job_seed, attempt, "none")  # as modules.Solver asks the first time
        if seed in (first, *(seed_for(first, again) for again in range(1, ATTEMPTS))):
            return attempt
    raise LookupError("the request's seed belongs to no attempt")


def solver_script(role: str, job_seed: int = 0) -> Script:
    """A solver that does what the question's letters say."""

    def answer(call: Call) -> Answer:
        letter = fate(call, role, job_seed)
        if letter == "x":
            return lm15.ServerError("no answer today")
        right = answer_to(call.inputs["question"].split(" weak=")[0])
        return {"reasoning": "because", "answer": {"1": right, "0": WRONG, "?": UNCLEAR}[letter]}

    return answer


def fated_roles(challenger: Script, quality_verifier: Script | None = None, job_seed: int = 0, **options: Any) -> Roles:
    """Roles for the whole loop; solvers follow the questions' letters."""
    return scripted_roles(
        challenger=challenger,
        quality_verifier=quality_verifier or {"verdict": "sound"},
        weak_solver=solver_script("weak_solver", job_seed),
        strong_solver=solver_script("strong_solver", job_seed),
        **options,
    )
