"""Self-Instruct (arXiv 2212.10560): grow a pool of instructions from seed tasks, and write instances of each."""

from __future__ import annotations

import dataclasses
import hashlib
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import dspy

from autodata_dspy import instruction_filters
from autodata_dspy.asking import seed_for
from autodata_dspy.call_log import noted
from autodata_dspy.domains.base import Malformed, passage_of, shown
from autodata_dspy.errors import ConfigError, ProviderError, StopRun
from autodata_dspy.events import round_finished
from autodata_dspy.instruction_filters import instance_objections, objection
from autodata_dspy.modules.base import RoleModule
from autodata_dspy.modules.task_writer import InstanceWriter, TaskWriter
from autodata_dspy.roles import Roles
from autodata_dspy.seed_tasks import Instance, SeedTask, read_seed_tasks
from autodata_dspy.task_pool import TaskPool
from autodata_dspy.types import Challenge, Decision, Document, Round, Status, Trajectory, Verdict

if TYPE_CHECKING:
    from autodata_dspy.domains.base import Domain

N_SHOWN, N_MACHINE = 8, 2  # in-context tasks of one writing call, and how many of them may be machine-made
MAX_INSTANCES = 5  # of one task


class SelfInstruct(RoleModule):
    """document → `trajectory` and `accepted` (its accepted rounds).

    One document, or one slot without text, is one writing call: eight tasks of the pool are shown, the model goes on
    with the list, filters drop what they must, and each instruction that is left is sorted (classification or not) and
    gets instances. A document with text grounds all of it. Each instruction or instance that was dropped is a round
    with the reason "filtered" and a verdict of the filter's name; each instance that was kept is an accepted round,
    whose challenge bears the instruction as its `angle`. Nothing is checked for being right: that is the baseline. So
    the domain's checks of challenges, many of which ask for tests or a rubric that the method does not write, have no
    part in it, nor in the final audit of a run, which looks for near-duplicates alone.

    The pool holds the seeds and all instructions of which an instance was accepted. It grows with what this object
    makes and with what `learn` tells it, so one object is for one run.

    Args:
        domain: a domain's name or a Domain.
        roles: who plays the challenger, which writes everything; by default `dspy.configure(lm=…)`, then the embedded
            model.
        seeds: seed tasks, or a file of them; by default the domain's own.
        per_document: begin no further instance of a document after this many accepted ones; None takes all.
        filters: names of `instruction_filters.FILTERS` to use; by default all that fit the domain.

    Raises:
        ConfigError: unknown domain or filter, no or unreadable seed tasks, `per_document` below 1.
    """

    needs_documents: ClassVar[bool] = False
    verified: ClassVar[str] = "none"

    def __init__(
        self,
        domain: str | Domain,
        roles: Roles | None = None,
        *,
        seeds: Sequence[SeedTask] | str | Path | None = None,
        per_document: int | None = None,
        filters: Iterable[str] | None = None,
    ):
        super().__init__(domain, roles)
        self.domain = dataclasses.replace(self.domain, challenge_verifiers=tuple)
        if per_document is not None and per_document < 1:
            raise ConfigError(f"per_document={per_document} must be at least 1")
        self.per_document = per_document
        if filters is None:
            filters = set(instruction_filters.NAMES) - set(self.domain.unfit_filters)
        self.filters = instruction_filters.chosen(filters)
        if seeds is None:
            seeds = self.domain.seed_tasks()
        tasks = read_seed_tasks(seeds) if isinstance(seeds, (str, Path)) else list(seeds)
        if not tasks:
            raise ConfigError("no seed tasks given; Self-Instruct needs at least one to start from")
        self.pool = TaskPool(task.instruction for task in tasks)
        self.made_from = _digest(tasks, [f.name for f in self.filters])  # a run folder's fingerprint holds it
        self.task_writer = TaskWriter(self.domain, self.roles)
        self.instance_writer = InstanceWriter(self.domain, self.roles)

    @staticmethod
    def verified_as(domain: Domain) -> Literal["none"]:
        """What stands behind the examples: nothing, in any domain."""
        return "none"

    def learn(self, accepted: Sequence[Challenge]) -> None:
        """Add the instructions of accepted challenges to the pool; a run calls this with what each document gave."""
        self.pool.keep(challenge.angle for challenge in accepted if challenge.angle)

    def forward(self, document: Document, seed: int = 0) -> dspy.Prediction:
        """One writing call and the instances of what it gave.

        Raises:
            StopRun: a budget is used up, a model is out, or the run was interrupted; `.partial` holds the
                trajectory so far.
        """
        started, rounds, held = time.monotonic(), [], []

        def add(round_: Round) -> None:
            rounds.append(dataclasses.replace(round_, index=len(rounds)))
            round_finished(document.id, rounds[-1])

        def told(status: Status, note: str = "") -> Trajectory:
            return Trajectory(document.id, seed, tuple(rounds), status, note, time.monotonic() - started)

        try:
            for round_ in self._rounds(document, seed, held):
                add(round_)
                if self.per_document and sum(r.decision.accepted for r in rounds) >= self.per_document:
                    break
            self.learn([r.challenge for r in rounds if r.decision.accepted])
        except StopRun as stop:
            stop.partial = told("stopped", str(stop))
            raise
        finally:
            self.pool.release(held)
        outage = [r.decision.feedback for r in rounds if r.decision.reason == "infrastructure"]
        trajectory = told("failed", outage[0]) if outage else told("done")
        return dspy.Prediction(trajectory=trajectory, accepted=trajectory.accepted)

    def _rounds(self, document: Document, seed: int, held: list[str]) -> Iterator[Round]:
        """What a document gives; a model that does not answer ends it."""
        try:
            yield from self._written(document, seed, held)
        except ProviderError as error:
            yield Round(0, Decision(False, "infrastructure", str(error)))

    def _written(self, document: Document, seed: int, held: list[str]) -> Iterator[Round]:
        """All rounds of a document; `held` receives the instructions that have a place in the pool because of it."""
        base = seed_for("self_instruct", document.id, seed)
        passage = shown(passage_of(document, seed, self.domain)) if document.text.strip() else ""
        tasks = noted("tasks", self.pool.sample(random.Random(base), N_SHOWN, N_MACHINE))
        written = self.task_writer(tasks=tasks, passage=passage, seed=base)
        if written.problem:
            yield Round(0, Decision(False, "malformed", written.problem))
            return
        for place, instruction in enumerate(written.instructions):
            last = written.cut_off and place == len(written.instructions) - 1
            if verdict := self._objection(instruction, last):
                yield _filtered(Challenge(instruction, "", angle=instruction), verdict)
            else:
                held.append(instruction)
        for instruction in held:
            yield from self._instances(instruction, passage, seed_for(base, instruction))

    def _objection(self, instruction: str, cut_off: bool) -> Verdict | None:
        """Why an instruction is dropped; None where it now has a place in the pool."""
        if cut_off:
            return Verdict.of(False, "the output broke off within it", "cut_off")
        if verdict := objection(instruction, self.filters):
            return verdict
        if like := self.pool.reserve(instruction):
            return Verdict.of(False, f"too much like {like[0]!r}", "rouge_l", score=round(like[1], 4), like=like[0])
        return None

    def _instances(self, instruction: str, passage: str, seed: int) -> Iterator[Round]:
        draw = random.Random(seed)
        labels = draw.sample(sorted(self.domain.labels), min(MAX_INSTANCES, len(self.domain.labels)))
        written = self.instance_writer(
            instruction=instruction,
            labels={label: self.domain.labels[label] for label in labels},
            passage=passage,
            seed=seed,
        )
        if written.problem:
            yield Round(0, Decision(False, "malformed", written.problem), Challenge(instruction, "", angle=instruction))
            return
        instances: list[Instance] = written.instances
        verdicts = instance_objections(instances)
        if written.cut_off:
            verdicts[-1] = Verdict.of(False, "the output broke off within it", "cut_off")
        fit = [place for place, verdict in enumerate(verdicts) if verdict is None]
        taken = set(draw.sample(fit, min(MAX_INSTANCES, len(fit))))
        for place, (instance, verdict) in enumerate(zip(instances, verdicts, strict=True)):
            if verdict is None and place not in taken:
                verdict = Verdict.of(False, f"the task has {MAX_INSTANCES} instances already", "too_many_instances")
            yield self._instance(instruction, instance, verdict)

    def _instance(self, instruction: str, instance: Instance, verdict: Verdict | None) -> Round:
        if verdict is not None:
            question = "\n\n".join(part for part in (instruction, instance.input) if part)
            return _filtered(Challenge(question, instance.output, angle=instruction), verdict)
        try:
            challenge = self.domain.from_instance(instruction, instance)
        except Malformed as error:
            return Round(0, Decision(False, "malformed", str(error)))
        return Round(0, Decision(True, "accepted"), dataclasses.replace(challenge, angle=instruction))


def _filtered(challenge: Challenge, verdict: Verdict) -> Round:
    return Round(0, Decision(False, "filtered", verdict.feedback), challenge, (verdict,))


def _digest(tasks: Sequence[SeedTask], filters: Sequence[str]) -> str:
    known = repr([(t.instruction, t.instances, t.is_classification) for t in tasks]) + repr(list(filters))
    return hashlib.sha256(known.encode("utf-8", "surrogatepass")).hexdigest()[:16]


PLUGIN = SelfInstruct
