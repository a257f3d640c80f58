"""Does a small model answer real questions better with demos from the data than without?"""

# pyright: reportArgumentType=false
from __future__ import annotations

import contextvars
import hashlib
import json
import logging
import random
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from autodata_dspy.asking import seed_for
from autodata_dspy.errors import ConfigError, ProviderError, VerifierError
from autodata_dspy.metrics._made import Example, Made, failures
from autodata_dspy.metrics._terms import characters, cosines
from autodata_dspy.metrics.base import DataMetric, Measured
from autodata_dspy.modules.student import Student
from autodata_dspy.probes import Probe, ProbeItem
from autodata_dspy.resampling import bootstrap, interval
from autodata_dspy.roles import Roles
from autodata_dspy.types import Challenge
from autodata_dspy.verifiers.base import Verifier

if TYPE_CHECKING:
    from autodata_dspy.domains.base import Domain

logger = logging.getLogger(__name__)
Demos = list[dict[str, str]]


class StudentUplift(DataMetric):
    """Mean paired difference of a student's scores on the probe, with k demos and without, from [-1, 1] to [0, 1].

    0.5 is no uplift; without an accepted example the score is 0. Undecided where less than half of the items are
    decided in both arms. Answers are scored by the domain's answer verifier and remembered by (student, demos, item).

    Args:
        probe: the questions.
        domain: whose answer verifier scores; with labels, the probe's texts are sorted into them.
        roles: who plays the student.
        k: demos for each item.
        choose: "nearest" by character TF-IDF, for each item anew, or "fixed" for all of them.
        control: examples for a third arm with as many demos (human-made ones), or "unaccepted": those that the
            program wrote and nobody accepted.
        verifier: instead of the domain's. It must not ask a model: nothing of the probe may reach another's prompt.
        concurrency: items at a time.

    Raises:
        ConfigError: the answers are scored by a model; no label fits; k below 1; an unknown choice.
    """

    name: ClassVar[str] = "student_uplift"
    summary: ClassVar[str] = "a small model's gain on a probe from demos of the data"

    def __init__(
        self,
        probe: Probe,
        domain: Domain,
        roles: Roles | None = None,
        k: int = 4,
        choose: Literal["nearest", "fixed"] = "nearest",
        control: Iterable[Any] | Literal["unaccepted"] = (),
        verifier: Verifier | None = None,
        concurrency: int = 1,
    ):
        if k < 1 or concurrency < 1:
            raise ConfigError(f"k and concurrency are at least 1, not {k!r} and {concurrency!r}")
        if choose not in ("nearest", "fixed"):
            raise ConfigError(f"demos are chosen 'nearest' or 'fixed', not {choose!r}")
        self.roles = roles or Roles()
        self.verifier = verifier or domain.answer_verifier(self.roles)
        if self.verifier.cost == "lm":
            raise ConfigError(
                f"the answers of {domain.name!r} are scored by a model, which would read the probe; give a "
                "verifier that asks none, such as exact_match"
            )
        self.probe, self.domain, self.k, self.choose, self.seed = probe, domain, k, choose, 0
        self.control = control if control == "unaccepted" else Made.of(list(control)).examples
        self.student, self.concurrency = Student(self.roles), concurrency
        self.labels = [label for _, label in probe.labelled(domain.labels)] if domain.labels else []
        self._answered: dict[str, float | None] = {}

    def about(self) -> dict[str, Any]:
        student = self.roles.to_dict().get("student", {"model": self.roles.model_of("student")})
        own = {"domain": self.domain.name, "k": self.k, "choose": self.choose, "verifier": self.verifier.name}
        control = self.control if self.control == "unaccepted" else Made(self.control).key
        own |= {"control": control, "max_tokens": self.student.max_tokens, "seed": self.seed}
        return {**super().about(), **own, "student": student}

    def reseed(self, seed: int) -> None:
        self.seed = seed_for(self.seed, seed)  # what it answered is remembered by seed

    def measure(self, made: Made) -> Measured:
        if not made.examples:
            told = f"Nothing was accepted.\n{failures(made.trajectories)}"
            return Measured(0.0, told.strip(), {self.name: 0.0})
        n_asked = sum(row is not None for row in self._asked())
        arms = {"without": self.scores(())}
        if 2 * sum(score is not None for score in arms["without"]) < n_asked:  # an outage: spare it the other arms
            return Measured(None, "most answers of the student could not be scored")
        arms["with"] = self.scores(made.examples)
        control = _unaccepted(made) if self.control == "unaccepted" else self.control
        if control:
            arms["control"] = self.scores(control)
        rows = list(zip(*arms.values(), strict=True))
        items = tuple(None if None in row else row for row in rows)
        decided = [row for row in items if row is not None]
        if 2 * len(decided) < n_asked:
            return Measured(None, f"only {len(decided)} of {len(items)} answers could be scored")
        means = dict(zip(arms, (sum(side) / len(decided) for side in zip(*decided, strict=True)), strict=True))
        score = self.total(items)
        assert score is not None
        objectives = {self.name: score, "with_demos": means["with"]}
        if control:
            objectives["over_control"] = (1 + means["with"] - means["control"]) / 2
        return Measured(score, self._told(items, means), objectives, items)

    def total(self, items: Sequence[Any]) -> float | None:
        decided = [row for row in items if row is not None]
        return 0.5 + sum(row[1] - row[0] for row in decided) / (2 * len(decided)) if decided else None

    def _asked(self) -> list[tuple[ProbeItem, str, str, Any] | None]:
        """(item, context, question, references) of each; None for a class that the data has no label for."""
        found: list[tuple[ProbeItem, str, str, Any] | None] = []
        for i, item in enumerate(self.probe.items):
            if not self.labels:
                references = [self._reference(item, answer) for answer in item.answers]
                found.append((item, item.context, _with_choices(item), references))
            elif self.labels[i] is None:
                found.append(None)
            else:
                found.append((item, self._frame(), item.text, [self.labels[i]]))
        return found

    def _reference(self, item: ProbeItem, answer: str) -> Any:
        return self.domain.reference(Challenge(item.question, answer, program=item.tests, context=item.context))

    def _frame(self) -> str:
        """What stands above every text that is sorted into labels."""
        return f"The answer is one of: {'; '.join(self.domain.labels)}"

    def scores(self, examples: Sequence[Example]) -> list[float | None]:
        """The score of each item with demos from the examples, in [0, 1]; None is undecided."""
        asked = self._asked()
        demos = self._demos(examples, [row[2] if row else "" for row in asked])
        jobs = [(row, chosen) for row, chosen in zip(asked, demos, strict=True)]
        if self.concurrency == 1:
            return [self._score(*job) for job in jobs]
        contexts = [contextvars.copy_context() for _ in jobs]  # budgets and settings travel in the context
        with ThreadPoolExecutor(self.concurrency) as pool:
            return list(pool.map(lambda c, job: c.run(self._score, *job), contexts, jobs))

    def _demos(self, examples: Sequence[Example], questions: Sequence[str]) -> list[Demos]:
        """The demos of each question, the most like it last, where a small model looks."""
        ordered = sorted(examples, key=lambda e: (e.challenge.question, e.challenge.answer))
        if not ordered:
            return [[] for _ in questions]
        forms = [
            {
                "context": self._frame() if self.labels else e.challenge.context or "none",
                "question": e.challenge.question,
                "answer": e.label if self.labels else e.challenge.answer,
            }
            for e in ordered
        ]
        if self.choose == "fixed":
            chosen = random.Random(self.seed).sample(range(len(forms)), min(self.k, len(forms)))
            return [[forms[i] for i in chosen]] * len(questions)
        near = np.argsort(-cosines(questions, [f["question"] for f in forms], characters()), axis=1, kind="stable")
        return [[forms[i] for i in reversed(row[: self.k])] for row in near]

    def _score(self, row: tuple[ProbeItem, str, str, Any] | None, demos: Demos) -> float | None:
        if row is None:
            return None
        _, context, question, references = row
        shown = json.dumps([self.roles.model_of("student"), demos, context, question, repr(references), self.seed])
        key = hashlib.blake2b(shown.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        if key in self._answered:
            return self._answered[key]
        try:
            said = self.student(context=context, question=question, demos=demos, seed=seed_for(key))
            verdicts = [self.verifier.verify(said.answer, each, question) for each in references if said.answer]
        except (ProviderError, VerifierError) as error:  # its text may quote the probe
            logger.debug("an answer of the student could not be scored: %s", type(error).__name__)
            return None
        scores = [v.score for v in verdicts if v.score is not None]
        undecided = bool(verdicts) and not scores
        self._answered[key] = found = None if undecided else max(scores, default=0.0)  # no answer is a wrong one
        return found

    def _told(self, items: Sequence[Any], means: Mapping[str, float]) -> str:
        decided = [row for row in items if row is not None]
        gains = np.array([row[1] - row[0] for row in decided])
        low, high = interval(bootstrap(len(gains), lambda at: float(gains[at].mean())))
        lines = [
            f"With {self.k} demos the student scores {means['with']:.2f} on {len(decided)} real questions, without "
            f"{means['without']:.2f}: {gains.mean():+.2f} [{low:+.2f}, {high:+.2f}]."
        ]
        if "control" in means:
            lines.append(f"With as many other demos it scores {means['control']:.2f}.")
        if len(decided) < len(items):
            lines.append(f"{len(items) - len(decided)} items are left out as undecided.")
        for name, scores in self._slices(items):
            share = sum(scores) / len(scores)
            if share < 0.7:
                lines.append(f"- still fails at {name}: {share:.2f} right of {len(scores)}")
        return "\n".join(lines)

    def _slices(self, items: Sequence[Any]) -> list[tuple[str, list[float]]]:
        """Category → scores with demos, the worst first. In labelled domains the categories are the labels."""
        groups = self.probe.slices()
        if self.labels:
            known = sorted({label for label in self.labels if label})
            groups = {repr(name): [i for i, label in enumerate(self.labels) if label == name] for name in known}
        found = [(name, [items[i][1] for i in at if items[i] is not None]) for name, at in groups.items()]
        return sorted(((n, s) for n, s in found if s), key=lambda pair: sum(pair[1]) / len(pair[1]))[:5]


def _with_choices(item: ProbeItem) -> str:
    """The question with its choices, lettered where the answer is a letter."""
    if not item.choices:
        return item.question
    lettered = item.answer not in item.choices
    lines = [f"{chr(65 + i)}. {c}" if lettered else f"- {c}" for i, c in enumerate(item.choices)]
    return "\n".join([item.question, *lines])


def _unaccepted(made: Made) -> tuple[Example, ...]:
    rounds = [r for t in made.trajectories for r in t.rounds if r.challenge is not None and not r.decision.accepted]
    return Made.of(rounds).examples


PLUGIN = StudentUplift
