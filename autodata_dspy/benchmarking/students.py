"""Students learn from an arm's examples and are tested on real items: each arm looks at them once."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import dspy

from autodata_dspy import registry
from autodata_dspy.asking import seed_for
from autodata_dspy.benchmarking.grounds import Ground
from autodata_dspy.budget import Limits, Meter, metered
from autodata_dspy.call_log import CallLog, logged
from autodata_dspy.errors import ConfigError, ProviderError, StopRun
from autodata_dspy.evaluation_log import EvaluationLog
from autodata_dspy.metrics._made import Example, Made
from autodata_dspy.metrics.classifier_student import OTHER, ClassifierStudent
from autodata_dspy.metrics.contamination import Contamination
from autodata_dspy.metrics.student_uplift import StudentUplift
from autodata_dspy.modules.student import Student
from autodata_dspy.roles import Roles
from autodata_dspy.text import words

Items = list[Any]  # one for each test item: a score (None: undecided), or [label, the student's label]
NOTHING = "\0"  # the guess of a student that was taught nothing; no label is called so


class Exam:
    """The test of a ground, and who sits it: a classifier where the domain has labels, else a model with demos.

    Args:
        roles: who plays the student.

    Raises:
        ConfigError: the answers are scored by a model, which would read the test.
    """

    def __init__(self, ground: Ground, roles: Roles, concurrency: int = 1):
        assert ground.test is not None
        self.test, self.domain, self.roles = ground.test, ground.domain, roles
        self.labels = list(ground.domain.labels)
        self.contamination = Contamination(self.test)
        self.student: ClassifierStudent | StudentUplift
        if self.labels:
            self.student, self.measure = ClassifierStudent(self.test, self.domain), "macro-F1"
        else:
            name = ground.subject.verifier
            verifier = registry.load("verifiers", name)() if name else None
            self.student = StudentUplift(self.test, self.domain, roles, verifier=verifier, concurrency=concurrency)
            self.measure = "mean score"

    @property
    def n_calls(self) -> int:
        """Model calls of one student's test; the classifier needs none."""
        return 0 if self.labels else len(self.test)

    def clean(self, examples: Sequence[Example]) -> list[Example]:
        """Without those that repeat a test item."""
        if not examples:
            return []
        dropped = self.contamination.measured(Made(tuple(examples))).items
        return [e for e, kept in zip(examples, dropped or (1.0,) * len(examples), strict=True) if kept]

    def taught(self, examples: Sequence[Example]) -> Items:
        """How a student that learned from the examples does on each item."""
        if isinstance(self.student, StudentUplift):
            return list(self.student.scores(examples))
        found = self.student.measured(Made(tuple(examples))).items if examples else ()
        return [list(item) for item in found] or [[truth or OTHER, NOTHING] for _, truth in self._texts()]

    def untaught(self) -> Items:
        """The same of the role `student` without any example: the zero-shot line."""
        if isinstance(self.student, StudentUplift):
            return list(self.student.scores(()))
        context = f"The answer is one of: {'; '.join(self.labels)}"
        return [[truth or OTHER, self._sorted(text, context)] for text, truth in self._texts()]

    def _texts(self) -> list[tuple[str, str | None]]:
        return self.test.labelled(self.labels)

    def _sorted(self, text: str, context: str) -> str:
        try:
            said = Student(self.roles)(context=context, question=text, seed=seed_for(context, text)).answer
        except ProviderError:
            return NOTHING
        return next((label for label in self.labels if words(label) == words(said)), NOTHING)


class Touches:
    """Who has looked at which test items, with what, and what came of it: one line each, in `touches.jsonl`.

    Raises:
        StoreError: the file cannot be read or written.
    """

    def __init__(self, folder: Path):
        self.log = EvaluationLog(folder / "touches.jsonl")
        self.calls = CallLog(folder / "students.calls.jsonl")
        self.meter = Meter(Limits(), self.calls.earlier)

    def close(self) -> None:
        self.log.close()
        self.calls.close()

    def refuse_other(self, exam: Exam, who: str, made: str) -> None:
        """Raises ConfigError: the arm has been tested, and what its students learn from was made in another way."""
        begun = self.log.get(f"begun: {who} on {exam.test.digest}")
        if begun is not None and begun.get("made", made) != made:
            raise ConfigError(
                f"the test items of {exam.test.name} have been given to {who!r} before; with another budget, other "
                "seeds, sizes, generations or students this would be a second look. Go back to the suite as it was, or "
                "take another --run-dir"
            )

    def once(
        self, exam: Exam, who: str, data: str, look: Callable[[], dict[str, Any]], made: str = ""
    ) -> dict[str, Any]:
        """What `look` finds, made once: from the record where this arm has been tested with this data.

        Args:
            who: the arm, in its comparison and domain.
            data: hash of what its students learn from.
            made: hash of how it was made, for `refuse_other`.

        Raises:
            ConfigError: the arm has been tested with other data.
            AutodataError: a model does not answer.
        """
        key, marks = f"{who} on {exam.test.digest}", {"who": who, "test": exam.test.digest, "data": data}
        begun = self.log.get(f"begun: {key}")
        if begun is not None and begun["data"] != data:
            raise ConfigError(
                f"the test items of {exam.test.name} have been given to {who!r} before, with other examples; a second "
                "look would be a choice among them. Go back to the suite as it was, or take another --run-dir"
            )
        if (done := self.log.get(key)) is not None:
            return done["found"]
        if begun is None:
            self.log.put({"key": f"begun: {key}", **marks, **({"made": made} if made else {})})
        with self._counted():
            found = look()
        self.log.put({"key": key, **marks, "found": found})
        return found

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        try:
            with metered(self.meter), logged(self.calls), dspy.context(trace=None):
                yield
        except StopRun as stop:
            raise stop.cause from None

    def told(self) -> list[dict[str, str]]:
        """Every look, in order; without what it found."""
        done = [r for r in self.log.records() if "found" in r]
        return [{name: r[name] for name in ("who", "test", "data")} for r in done]


def data_digest(examples: Sequence[Sequence[Example]]) -> str:
    """Hash of what students learn from: examples of each seed."""
    shown = json.dumps([[[e.challenge.question, e.label] for e in each] for each in examples], ensure_ascii=True)
    return hashlib.blake2b(shown.encode(), digest_size=12).hexdigest()
