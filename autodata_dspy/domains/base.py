"""What a domain consists of. A plugin file in this folder exposes one as `PLUGIN`."""

from __future__ import annotations

import importlib.resources
import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from autodata_dspy.acceptance import AcceptanceRule
from autodata_dspy.documents import load_documents
from autodata_dspy.errors import ConfigError
from autodata_dspy.feedback import grouped_feedback
from autodata_dspy.judging import fenced
from autodata_dspy.labelled_task import LabelledTask
from autodata_dspy.roles import Roles
from autodata_dspy.seed_tasks import Instance, SeedTask, parse_seed_tasks
from autodata_dspy.types import Challenge, Document, Rollout, Round, Verdict
from autodata_dspy.verifiers.base import Verifier

PASSAGE_CHARS = 1400
LONG_PASSAGE_CHARS = 12_000  # for models that read fast: most of a paper's argument, a whole short statute

Interest = Callable[[str], float]


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
        signature: inputs `context, question`, and `remark` where a program that does not run is told why, once.
        answer: the prediction → the answer's text; raises Malformed when there is none (a wrong attempt) and
            VerifierError when it could not be found out (an undecided one).
        defaults: request parameters where the role's LM has none.
        demos: worked examples of the signature (dicts of all its fields), written for this project.
        shown: what a solver sees of a question, by default all of it.
        first: request parameters of a first attempt, where they differ.
    """

    signature: type
    answer: Callable[[Any], str]
    defaults: Mapping[str, Any]
    demos: tuple[dict[str, str], ...] = ()
    shown: Callable[[str], str] = str
    first: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ExportTemplate:
    """How an accepted example becomes a turn of a conversation: format strings over the columns of an example row."""

    prompt: str = "{question}"
    response: str = "{answer}"


def stated_answer(challenge: Challenge) -> Any:
    """What answers are compared with in most domains: the reference answer."""
    return challenge.answer


def told_and_answered(instruction: str, instance: Instance) -> Challenge:
    """An instance of a task as a challenge: the question is the instruction, a blank line and the input."""
    if not instruction.strip() or not instance.output.strip():
        raise Malformed("the instruction or the output is empty; write both")
    question = "\n\n".join(part for text in (instruction, instance.input) if (part := text.strip()))
    return Challenge(question=question, answer=instance.output.strip())


@dataclass(frozen=True)
class Domain:
    """One subject: how its examples are written, checked, attempted and accepted.

    Attributes:
        write: signature of the challenger. Inputs by name: `passage` (fenced), `angle`, `feedback`, and any output
            field of `extract`.
        demos: worked examples of `write` (dicts of all its fields), written for this project.
        angles: directions for a new example; rounds walk through them. `{one}` and `{other}` become two different
            numbers from 2 to 9, drawn for each round, and `{numbers}` both of them ("4 and 7").
        directions: a passage → the angles that fit it, where that can be told; an empty tuple stands for `angles`.
        build: (the challenger's prediction, the angle) → Challenge; raises Malformed with what to do better.
        review: signature of the quality verifier. Output `verdict`; inputs by name: fields of a Challenge, the
            rubric as text. None where the free checks find what a review would, and a call more is not worth it.
        review_demos: worked examples of `review`.
        sound: the value of `verdict` that lets an example pass.
        feedback: the rounds of a document so far → what the challenger is told of them.
        solving: mode → how a solver works in it; solvers never see document, program or reference answer.
        weak_mode, strong_mode: which of them the two solvers use unless told otherwise.
        challenge_verifiers: free and cheap checks of a challenge, run in order before any model call; each is given
            the document's text as context.
        answer_verifier: scores a solver's answer; judges use the roles they are given.
        acceptance: the default rule.
        verified: what stands behind an accepted example: "checked" (a machine check), "judged" (the word of a
            model), or "none".
        reference: challenge → what `answer_verifier` compares an answer with.
        extract: signature of the extractor, run once a document before anything is written. Input `passage`, output
            `suitable` ("yes", or the document is skipped) and whatever `write` wants to know.
        extract_demos: worked examples of `extract`.
        last_word: (domain, roles) → module that decides on a challenge which the rule lets pass; see `LastWord`.
        learner: → a weak solver that is no model but learns from what is accepted; see `modules.learner`.
        for_task: a classification task that the user defines → this domain for it; None where there is no such choice.
        paper_form: → this domain in the form of arXiv 2606.25996 (longer rubrics and passages), which wants strong
            models; None where there is but one form.
        repair_mode: the solving mode (with an input `remark`) in which the challenger writes a program anew that does
            not run; "" where there is none.
        recheck: checks accepted challenges once more, independently of the run that accepted them; None where
            there is nothing to check by machine.
        final_checks: verifiers of a whole data set that the accepted examples go through at the end of a run.
        max_rounds, per_document: of a document in one pass, unless told otherwise.
        write_tokens: bound on the challenger's output. A small model that begins to repeat itself writes to the end:
            at 400 tokens that was half of all tokens, where good mathematics problems need up to 150.
        passage_chars: how much of a document one call sees.
        interest: a paragraph → weight with which a passage begins there; None draws evenly.
        probe: name of the held-out set that downstream metrics use by default; "" where there is none.
        template: how examples become conversations.
        document_file: the built-in documents of a domain that lives in another package (`load_documents` reads it);
            None where they are in `domains/documents/<name>.jsonl`.
        from_instance: (instruction, instance) of a task → Challenge, for methods that start from seed tasks; raises
            Malformed.
        labels: label → definition of a domain whose tasks all have the same labels; empty where a task brings its own.
        task: the classification task the domain is for, where it is for one.
        unfit_filters: names of `instruction_filters.FILTERS` that make no sense in the domain.
        seeds: the seed tasks of a domain that lives in another package (`seed_tasks.read_seed_tasks` reads a file);
            None where they are in `domains/seeds/<name>.jsonl`.
    """

    name: str
    summary: str
    write: type
    demos: tuple[dict[str, Any], ...]
    angles: tuple[str, ...]
    build: Callable[[Any, str], Challenge]
    review: type | None
    sound: str
    solving: Mapping[str, SolvingMode]
    weak_mode: str
    strong_mode: str
    challenge_verifiers: Callable[[], tuple[Verifier, ...]]
    answer_verifier: Callable[[Roles], Verifier]
    acceptance: AcceptanceRule
    verified: Literal["none", "judged", "checked"]
    review_demos: tuple[dict[str, str], ...] = ()
    reference: Callable[[Challenge], Any] = stated_answer
    extract: type | None = None
    extract_demos: tuple[dict[str, str], ...] = ()
    last_word: Callable[[Domain, Roles], Any] | None = None
    learner: Callable[[], Any] | None = None
    for_task: Callable[[LabelledTask], Domain] | None = None
    paper_form: Callable[[], Domain] | None = None
    repair_mode: str = ""
    recheck: Callable[[Sequence[Challenge]], list[Verdict]] | None = None
    final_checks: Callable[[], tuple[Verifier, ...]] = tuple
    max_rounds: int = 6
    per_document: int = 2
    write_tokens: int = 256
    passage_chars: int = PASSAGE_CHARS
    interest: Interest | None = None
    directions: Callable[[str], tuple[str, ...]] | None = None
    probe: str = ""
    template: ExportTemplate = ExportTemplate()
    document_file: str | Path | None = None
    from_instance: Callable[[str, Instance], Challenge] = told_and_answered
    seeds: Callable[[], list[SeedTask]] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    feedback: Callable[[Sequence[Round]], str] = grouped_feedback
    unfit_filters: tuple[str, ...] = ()
    task: LabelledTask | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Domain:
        return self  # frozen, and an optimizer's copies of a program share it

    def documents(self) -> list[Document]:
        """The built-in documents. Those of this package were written for it (CC0)."""
        return (
            builtin_documents(self.name)
            if self.document_file is None
            else load_documents(self.document_file, self.name)
        )

    def seed_tasks(self) -> list[SeedTask]:
        """The built-in seed tasks. Those of this package were written for it (CC0).

        Raises:
            ConfigError: the domain has none.
        """
        return builtin_seed_tasks(self.name) if self.seeds is None else self.seeds()


class LastWord(Protocol):
    """A module that decides on a challenge after all attempts: a loop judge, a comparison of pairs.

    Its prediction has `decision` (a Decision), `verdicts` (what it found on the way), and belongs to the examiner.
    It may have `settled(weak)`: whether its decision is certain from the weak attempts alone; strong ones are then
    not made.
    """

    def __call__(
        self,
        *,
        challenge: Challenge,
        weak: Sequence[Rollout],
        strong: Sequence[Rollout],
        earlier: Sequence[Round],
        seed: int,
    ) -> Any: ...


def builtin_documents(domain: str) -> list[Document]:
    """Read `domains/documents/<domain>.jsonl` from the package."""
    path = importlib.resources.files("autodata_dspy.domains") / "documents" / f"{domain}.jsonl"
    rows = (json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip())
    return [Document(domain=domain, **row) for row in rows]


def builtin_seed_tasks(domain: str) -> list[SeedTask]:
    """Read `domains/seeds/<domain>.jsonl` from the package. Raises ConfigError if there is no such file."""
    path = importlib.resources.files("autodata_dspy.domains") / "seeds" / f"{domain}.jsonl"
    if not path.is_file():
        raise ConfigError(f"the domain {domain!r} has no seed tasks of its own; give a file: --seeds FILE.jsonl")
    return parse_seed_tasks(path.read_text("utf-8").splitlines(), f"domains/seeds/{domain}.jsonl")


def passage(document: Document, seed: int, limit: int = PASSAGE_CHARS, interest: Interest | None = None) -> str:
    """A stretch of whole paragraphs of at most `limit` characters, chosen by the seed.

    Models read slowly on a CPU (a 40 000-character chapter takes minutes), and another stretch in
    another pass over the documents gives other examples. Text that fits is returned whole. With `interest`,
    stretches begin more often where it is high; where it is 0 everywhere, anywhere.
    """
    text = document.text.strip()
    if len(text) <= limit:
        return text
    blocks = [b.strip()[:limit] for b in re.split(r"\n\s*\n", text) if b.strip()]
    rng = random.Random(f"{document.id}|{seed}")
    weights = [max(0.0, interest(b)) for b in blocks] if interest else []
    start = rng.choices(range(len(blocks)), weights)[0] if any(weights) else rng.randrange(len(blocks))
    chosen: list[str] = []
    for block in [*blocks[start:], *blocks[:start]]:
        if sum(len(c) + 2 for c in chosen) + len(block) > limit:
            break
        chosen.append(block)
    return "\n\n".join(chosen)


def shown(text: str) -> str:
    """A passage as models see it: fenced, because a document may try to give them orders."""
    return fenced(text, "passage")


def passage_of(document: Document, seed: int, domain: Domain) -> str:
    """The passage of a document that a domain works on under a seed."""
    return passage(document, seed, domain.passage_chars, domain.interest)


def fenced_demos(demos: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Worked examples with their passages fenced as `shown` does it."""
    return [{k: shown(v) if k == "passage" else v for k, v in demo.items()} for demo in demos]
