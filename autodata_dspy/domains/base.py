"""What a domain consists of. A plugin file in this folder exposes one as `PLUGIN`."""

from __future__ import annotations

import importlib.resources
import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autodata_dspy.acceptance import AcceptanceRule
from autodata_dspy.types import Challenge, Document, Verdict
from autodata_dspy.verifiers.base import Verifier

PASSAGE_CHARS = 1400


class Malformed(Exception):
    """The challenger's output is not a challenge; the message is what the challenger is told.

    Attributes:
        question: of a challenge whose question stands and whose program does not run; "" where nothing stands.
    """

    def __init__(self, message: str, question: str = ""):
        super().__init__(message)
        self.question = question


@dataclass(frozen=True)
class SolvingMode:
    """One way to attempt a challenge.

    Attributes:
        signature: inputs `context, question`.
        answer: the prediction → the answer's text; raises Malformed when there is none (a wrong attempt) and
            VerifierError when it could not be found out (an undecided one).
        defaults: request parameters where the role's LM has none.
        demos: worked examples of the signature (dicts of all its fields), written for this project.
    """

    signature: type
    answer: Callable[[Any], str]
    defaults: Mapping[str, Any]
    demos: tuple[dict[str, str], ...] = ()


@dataclass(frozen=True)
class Domain:
    """One subject: how its examples are written, checked, attempted and accepted.

    Attributes:
        write: signature of the challenger; inputs `passage, angle, feedback`.
        demos: worked examples of `write` (dicts of all its fields), written for this project.
        angles: directions for a new example; rounds walk through them. `{numbers}` becomes two numbers drawn anew.
        build: the challenger's prediction → Challenge; raises Malformed with what to do better.
        review: signature of the quality verifier; input `question`, output `verdict`.
        review_demos: worked examples of `review`.
        repair_mode: the solving mode (with an input `remark`) in which the challenger writes a program anew that does
            not run; "" where there is none.
        recheck: checks accepted challenges once more, independently of the run that accepted them; None where
            there is nothing to check by machine.
        sound: the value of `verdict` that lets an example pass.
        solving: mode → how a solver works in it; solvers never see document, program or reference answer.
        weak_mode, strong_mode: which of them the two solvers use unless told otherwise.
        challenge_verifiers: free and cheap checks of a challenge, run in order before any model call.
        answer_verifier: decides whether a solver's answer equals the reference answer.
        acceptance: the default rule.
    """

    name: str
    summary: str
    write: type
    demos: tuple[dict[str, str], ...]
    angles: tuple[str, ...]
    build: Callable[[Any], Challenge]
    review: type
    sound: str
    solving: Mapping[str, SolvingMode]
    weak_mode: str
    strong_mode: str
    challenge_verifiers: Callable[[], tuple[Verifier, ...]]
    answer_verifier: Callable[[], Verifier]
    acceptance: AcceptanceRule
    review_demos: tuple[dict[str, str], ...] = ()
    recheck: Callable[[Sequence[Challenge]], list[Verdict]] | None = None
    repair_mode: str = ""

    def __deepcopy__(self, memo: dict[int, Any]) -> Domain:
        return self  # frozen, and an optimizer's copies of a program share it

    def documents(self) -> list[Document]:
        """The built-in documents, written for this project (CC0)."""
        return builtin_documents(self.name)


def builtin_documents(domain: str) -> list[Document]:
    """Read `domains/documents/<domain>.jsonl` from the package."""
    path = importlib.resources.files("autodata_dspy.domains") / "documents" / f"{domain}.jsonl"
    rows = (json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip())
    return [Document(domain=domain, **row) for row in rows]


def passage(document: Document, seed: int, limit: int = PASSAGE_CHARS) -> str:
    """A stretch of whole paragraphs of at most `limit` characters, chosen by the seed.

    Models read slowly on a CPU (a 40 000-character chapter takes minutes), and another stretch in
    another pass over the documents gives other examples. Text that fits is returned whole.
    """
    text = document.text.strip()
    if len(text) <= limit:
        return text
    blocks = [b.strip()[:limit] for b in re.split(r"\n\s*\n", text) if b.strip()]
    rng = random.Random(f"{document.id}|{seed}")
    start = rng.randrange(len(blocks))
    chosen: list[str] = []
    for block in [*blocks[start:], *blocks[:start]]:
        if sum(len(c) + 2 for c in chosen) + len(block) > limit:
            break
        chosen.append(block)
    return "\n\n".join(chosen)
