"""A classification task that a user defines: labels, what they mean, and perhaps a few real texts of each.

name = "consumer contract clauses"
kind = "clause of a contract with consumers"     # of the texts
words = [30, 70]                                  # of most real texts; optional, by default as long as the examples

[labels]
arbitration = "Disputes go to an arbitrator instead of a court."
"none of these" = "The clause is about something else."

[examples]                                        # optional
arbitration = ["Any dispute shall be finally settled by a single arbitrator."]
"""

from __future__ import annotations

import statistics
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autodata_dspy.errors import ConfigError, did_you_mean
from autodata_dspy.text import words

KEYS = ("name", "kind", "words", "labels", "examples")
MAX_LABELS = 50  # all of them stand in every prompt
MAX_LABEL_CHARS = 80
WORDS = (12, 50)  # of a text, where nothing is known of it
MAX_WORDS = 200


@dataclass(frozen=True)
class LabelledTask:
    """What texts are sorted into.

    Attributes:
        name: of the task.
        labels: label → one sentence that says what belongs to it.
        kind: what a text is, such as "clause of a contract".
        examples: label → real texts of it. They show models what is meant, and the learner starts from them.
        words: how many words most real texts have, from and to. A student that has learned from texts of a third of
            the length knows a third of the words.

    Raises:
        ConfigError: one line for the first thing that is wrong.
    """

    name: str
    labels: Mapping[str, str]
    kind: str = "legal text"
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    words: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        _check_labels(self.labels)
        for what in ("name", "kind"):
            _text(getattr(self, what), f"the task's {what}")
        for label, texts in self.examples.items():
            if label not in self.labels:
                raise ConfigError(f"examples: {did_you_mean('label', label, self.labels)}")
            for text in texts:
                _text(text, f"an example of the label {label!r}")
        if self.words is not None and not 1 <= self.words[0] <= self.words[1] <= MAX_WORDS:
            raise ConfigError(f"the task's words must be [from, to] within 1 to {MAX_WORDS}, not {list(self.words)!r}")

    @property
    def length(self) -> tuple[int, int]:
        """Words of a text, from and to: as given, or the middle half of the examples', or 12 to 50."""
        counts = sorted(min(len(words(text)), MAX_WORDS) for texts in self.examples.values() for text in texts)
        if self.words is not None or not counts:
            return self.words or WORDS
        usual, n = statistics.median(counts), len(counts)
        # A few examples that are alike say less than they seem to.
        longest = max(counts[3 * n // 4], round(1.25 * usual))
        return max(1, min(counts[n // 4], int(0.8 * usual))), min(longest, MAX_WORDS)

    @property
    def form(self) -> str:
        """What a text is, and how long."""
        return "{}, {} to {} words long".format(self.kind, *self.length)

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> LabelledTask:
        """From plain data, as `tomllib` or a configuration gives it. Raises ConfigError."""
        for key in table:
            if key not in KEYS:
                raise ConfigError(f"task: {did_you_mean('key', str(key), KEYS)}")
        for key in ("name", "labels"):
            if key not in table:
                raise ConfigError(f"task: the key {key!r} is missing")
        labels = _table(table["labels"], "labels", 'label = "one sentence that defines it"')
        examples = _table(table.get("examples", {}), "examples", 'label = ["a text", …]')
        for label, texts in examples.items():
            if not isinstance(texts, (list, tuple)):
                raise ConfigError(f"task: the examples of {label!r} must be a list of texts, not {texts!r}")
        return cls(
            name=_text(table["name"], "the task's name"),
            labels={label: _text(said, f"the definition of the label {label!r}") for label, said in labels.items()},
            kind=_text(table.get("kind", "legal text"), "the task's kind"),
            words=_range(table["words"]) if "words" in table else None,
            examples={
                label: tuple(_text(text, f"an example of the label {label!r}") for text in texts)
                for label, texts in examples.items()
            },
        )

    def to_table(self) -> dict[str, Any]:
        """Plain data, the inverse of `of`."""
        examples = {label: list(texts) for label, texts in self.examples.items()}
        known = {"words": list(self.words)} if self.words is not None else {}
        return {"name": self.name, "kind": self.kind, **known, "labels": dict(self.labels), "examples": examples}

    def label_of(self, text: str) -> str | None:
        """The label that a text names, whatever its case, spaces and punctuation; None if it names none."""
        found = words(text)
        return next((label for label in self.labels if found and words(label) == found), None)


def read_task(path: str | Path) -> LabelledTask:
    """Read a TOML file.

    Raises:
        ConfigError: one line that names the file and the first problem.
    """
    try:
        with Path(path).open("rb") as file:
            table = tomllib.load(file)
    except FileNotFoundError:
        raise ConfigError(f"task file not found: {path}") from None
    except (OSError, ValueError) as error:  # ValueError: no TOML, no UTF-8
        raise ConfigError(f"task file {path}: {error}") from None
    try:
        return LabelledTask.of(table)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _check_labels(labels: Mapping[str, str]) -> None:
    if not 2 <= len(labels) <= MAX_LABELS:
        raise ConfigError(f"a task needs 2 to {MAX_LABELS} labels, not {len(labels)}: {_listed(labels)}")
    known: dict[tuple[str, ...], str] = {}
    for label, definition in labels.items():
        spelt = tuple(words(label))
        if not spelt or len(label) > MAX_LABEL_CHARS or not label.isprintable():
            raise ConfigError(
                f"the label {label[:100]!r} must be one line of 1 to {MAX_LABEL_CHARS} characters with a word in it"
            )
        if spelt in known:
            raise ConfigError(f"the labels {known[spelt]!r} and {label!r} differ in case or punctuation only")
        known[spelt] = label
        _text(definition, f"the definition of the label {label!r}")


def _listed(labels: Iterable[str]) -> str:
    return ", ".join(labels)[:200] or "none"


def _table(value: Any, name: str, form: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"task: {name!r} must be a table ([{name}], then lines of the form {form}), not {value!r}")
    return value


def _range(value: Any) -> tuple[int, int]:
    if not (isinstance(value, (list, tuple)) and len(value) == 2 and all(type(n) is int for n in value)):
        raise ConfigError(f"the task's words must be two whole numbers, such as [30, 70], not {value!r}")
    return value[0], value[1]


def _text(value: Any, what: str) -> str:
    """A text with its white space squeezed. Raises ConfigError if it is none or empty."""
    if not isinstance(value, str):
        raise ConfigError(f"{what} must be a text, not {value!r}")
    if not value.strip():
        raise ConfigError(f"{what} is empty")
    return " ".join(value.split())
