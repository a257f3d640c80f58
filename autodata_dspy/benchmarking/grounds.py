"""What a domain of a suite comes to: its domain, documents and test, read and checked before anything is paid."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from autodata_dspy import runs
from autodata_dspy.benchmarking.suite import Subject
from autodata_dspy.config import RunConfig
from autodata_dspy.documents import digest
from autodata_dspy.errors import ConfigError
from autodata_dspy.labelled_task import MAX_LABELS, LabelledTask
from autodata_dspy.metrics._made import Example
from autodata_dspy.probes import Probe, ProbeItem
from autodata_dspy.text import words
from autodata_dspy.types import Challenge, Document

if TYPE_CHECKING:
    from autodata_dspy.domains.base import Domain

logger = logging.getLogger(__name__)

SET_ASIDE = 2  # items of each label of a labelled test file, where no other real items are given


@dataclass(frozen=True)
class Ground:
    """One domain of a suite.

    Attributes:
        name: in tables and folders.
        settings: what a run's configuration says of it.
        test: what students are tested on; None where the suite has no test for it.
        human: real items that may be looked at; none of them is one of the test.
    """

    name: str
    subject: Subject
    settings: dict[str, Any]
    test: Probe | None = None
    human: tuple[ProbeItem, ...] = ()

    @cached_property
    def domain(self) -> Domain:
        return runs.domain_of(RunConfig.of(self.settings))

    @cached_property
    def documents(self) -> list[Document]:
        return runs.read_documents(RunConfig.of(self.settings))

    @property
    def examples(self) -> tuple[Example, ...]:
        """The human items as examples that a student can learn from."""
        if not self.human:
            return ()
        if not self.domain.labels:
            return tuple(Example(Challenge(i.question, i.answer, context=i.context)) for i in self.human)
        pairs = Probe("human", self.human, self.subject.labels).labelled(self.domain.labels)
        return tuple(Example(Challenge(text, label, label=label)) for text, label in pairs if label is not None)

    @property
    def given(self) -> tuple[Example, ...]:
        """The labelled texts that every arm is given with its task; students can learn from them alone, too."""
        task = self.domain.task
        pairs = [(text, label) for label, texts in task.examples.items() for text in texts] if task else []
        return tuple(Example(Challenge(text, label, label=label)) for text, label in pairs)

    def hashes(self) -> dict[str, str]:
        """What must be the same for two results to be compared."""
        human = Probe("human", self.human).digest if self.human else ""
        return {"documents": digest(self.documents), "test": self.test.digest if self.test else "", "human": human}


def read_ground(name: str, subject: Subject) -> Ground:
    """Read what a subject names.

    Raises:
        ConfigError: a file that cannot be read, a test that fits no domain, a task without labels in the test.
    """
    test = Probe.read(subject.test, labels=subject.labels, allow_test=True) if subject.test else None
    human = Probe.read(subject.human).items if subject.human else ()
    human = _unseen(human, test) if human and test is not None else human
    settings: dict[str, Any] = {"documents": subject.documents}
    derived = test is not None and subject.domain is None and subject.task is None
    if test is not None and derived:
        names = _labels(test)
        if not human:
            human, test = _set_aside(test)
        settings |= {"domain": "legal_labels", "task": _task(names, test, human)}
    elif subject.task:
        settings |= {"domain": subject.domain or "legal_labels", "task": _with_examples(subject, human)}
    elif subject.domain:
        settings |= {"domain": subject.domain}
    ground = Ground(name, subject, settings, test, human)
    if test is not None and ground.domain.labels:
        test.labelled(ground.domain.labels)  # says at once that they do not fit
        _refuse_tested(ground.given, test)
    return ground


def _labels(test: Probe) -> list[str]:
    """The labels of a labelled test file. Raises ConfigError: its items are no texts with labels."""
    counts = Counter(test.labels.get(i.label, i.label) for i in test.items)
    labelled = 2 <= len(counts) <= MAX_LABELS and len(test) >= 3 * len(counts)
    if not labelled or any(i.choices and i.label not in i.choices for i in test.items):
        raise ConfigError(
            f"{test.name} has {len(counts)} different answers to {len(test)} items, so they are no labels of texts "
            f"(2 to {MAX_LABELS}, of three items each on average); give more items, or say which domain its "
            'questions belong to: domain = "math_objects"'
        )
    return sorted(counts)


def _set_aside(test: Probe) -> tuple[tuple[ProbeItem, ...], Probe]:
    """A few items of each label, chosen by a hash of their texts so that the order of the file does not matter; and
    the rest."""
    by_label: dict[str, list[ProbeItem]] = {}
    for item in sorted(test.items, key=lambda i: hashlib.blake2b(i.text.encode("utf-8", "surrogatepass")).digest()):
        by_label.setdefault(item.label, []).append(item)
    texts = {tuple(words(i.text)) for items in by_label.values() for i in items[: min(SET_ASIDE, len(items) - 1)]}
    taken = [tuple(words(i.text)) in texts for i in test.items]
    kept = tuple(i for i, is_taken in zip(test.items, taken, strict=True) if not is_taken)
    rest = dataclasses.replace(test, items=kept)
    return tuple(i for i, is_taken in zip(test.items, taken, strict=True) if is_taken), rest


def _task(names: Sequence[str], test: Probe, human: Sequence[ProbeItem]) -> dict[str, Any]:
    """A task with the labels of the test file, and with texts from outside the test as its examples."""
    labels = {name: f"What people sort under {name!r}." for name in names}
    texts = _texts(names, test.labels, human)
    return LabelledTask(test.name.partition(".")[0], labels, "text", texts).to_table()


def _with_examples(subject: Subject, human: Sequence[ProbeItem]) -> dict[str, Any]:
    """The task of a subject, with texts of human items before its own examples: models are shown the first ones."""
    task = LabelledTask.of(subject.task or {})
    real = _texts(list(task.labels), subject.labels, human)
    known = {label: (*real.get(label, ()), *task.examples.get(label, ())) for label in task.labels}
    return dataclasses.replace(task, examples={label: texts for label, texts in known.items() if texts}).to_table()


def _texts(names: Sequence[str], labels: Mapping[str, str], human: Sequence[ProbeItem]) -> dict[str, tuple[str, ...]]:
    """Label → the first of its texts."""
    texts: dict[str, tuple[str, ...]] = {}
    for item in human:
        label = next((n for n in names if words(n) == words(labels.get(item.label, item.label))), None)
        if label is not None and len(texts.get(label, ())) < SET_ASIDE:
            texts[label] = (*texts.get(label, ()), item.text)
    return texts


def _unseen(human: tuple[ProbeItem, ...], test: Probe) -> tuple[ProbeItem, ...]:
    """The human items that are no items of the test. Raises ConfigError where all of them are."""
    tested = _tested(test)
    kept = tuple(i for i in human if tuple(words(i.text)) not in tested)
    if not kept:
        raise ConfigError(f"all human items are items of the test {test.name} too; give others, or leave them out")
    if len(kept) < len(human):
        logger.warning("%d human items are items of the test %s, and left out", len(human) - len(kept), test.name)
    return kept


def _refuse_tested(given: Sequence[Example], test: Probe) -> None:
    """Raises ConfigError: an example of the task, which models are shown, is an item of the test."""
    tested = _tested(test)
    known = [e.challenge for e in given if tuple(words(e.challenge.question)) in tested]
    if known:
        raise ConfigError(
            f"the task's examples: {len(known)} of {len(given)}, such as one for {known[0].label!r}, are items of "
            f"the test {test.name}, which no arm may be shown; take them out of the task, or out of the test"
        )


def _tested(test: Probe) -> set[tuple[str, ...]]:
    return {tuple(words(i.text)) for i in test.items}
