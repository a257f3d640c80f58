"""Probes: real held-out items that a downstream metric may look at, and that no prompt but the student's may hold.

A probe file is JSON lines: `{"id", "question", "answer"}`, or `{"text", "label"}` of a classification, and, where there
are any, both, `context`, `choices`, `answers` (each of them right), `answer_type`, `task`, `tests` and `entry_point`
(of code). What is said aloud about a probe are numbers and categories, never an item.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autodata_dspy.errors import ConfigError
from autodata_dspy.text import words

SLICES = ("task", "answer_type")
_MIN_SLICE = 3  # a "category" of one or two items would tell of the items
_MAX_NAME = 60


@dataclass(frozen=True, repr=False)
class ProbeItem:
    """One real held-out item. Its representation shows nothing of it.

    Attributes:
        question: as it is asked.
        text: what is classified: the file's `text`, or what follows the first blank line of the question, or all of it.
        label: the class in the words of the file (`label`, else `answer`).
        answers: all that is right; `answer` where the file names no more.
        slices: name (`task`, `answer_type`) → category.
        tests: of a programming item, with the call of its check.
    """

    id: str
    question: str
    answer: str
    text: str
    label: str
    context: str = ""
    choices: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    tests: str = ""
    slices: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return "ProbeItem(…)"

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> ProbeItem:
        """From a row of a file. Raises ValueError: what is missing, without any of its content."""
        row = {"question": row.get("text"), "answer": row.get("label"), **row}
        for key in ("question", "answer"):
            if not isinstance(row.get(key), str) or not row[key].strip():
                raise ValueError(f"{key!r} is missing or no text")
        question, answer = row["question"], row["answer"]
        text = _text(row, "text") or question.partition("\n\n")[2].strip() or question
        tests, entry = _text(row, "tests"), _text(row, "entry_point")
        return cls(
            id=str(row.get("id", "")),
            question=question,
            answer=answer,
            text=text,
            label=_text(row, "label") or answer,
            context=_text(row, "context"),
            choices=_texts(row, "choices"),
            answers=_texts(row, "answers") or (answer,),
            tests=f"{tests}\n\ncheck({entry})" if tests and entry else tests,
            slices={name: str(row[name]) for name in SLICES if row.get(name)},
        )


def _text(row: Mapping[str, Any], key: str) -> str:
    return row[key] if isinstance(row.get(key), str) else ""


def _texts(row: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = row.get(key)
    return tuple(v for v in value if isinstance(v, str) and v) if isinstance(value, list) else ()


@dataclass(frozen=True, repr=False)
class Probe:
    """Real held-out items, in the order of the file. Equal items make an equal `digest`.

    >>> probe = Probe.read("clauses.probe.jsonl", labels={"Choice of law": "governing law"})

    Attributes:
        name: of the file.
        items: at least one.
        labels: the file's label → the data's; a label that is left out is looked up by its words.
    """

    name: str
    items: tuple[ProbeItem, ...]
    labels: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Probe({self.name!r}, {len(self.items)} items, {self.digest})"

    def __len__(self) -> int:
        return len(self.items)

    def __deepcopy__(self, memo: dict[int, Any]) -> Probe:
        return self

    @classmethod
    def read(cls, path: str | Path, *, labels: Mapping[str, str] | None = None, allow_test: bool = False) -> Probe:
        """Read a file.

        Args:
            labels: the file's label → the data's.
            allow_test: read a `*.test.jsonl` as well. Only for a final number, on which nothing is chosen any more.

        Raises:
            ConfigError: one line: no file, a test file, or the first line that is no item (by its number).
        """
        path = Path(path)
        if not allow_test and any(name.endswith(".test.jsonl") for name in (path.name, path.resolve().name)):
            raise ConfigError(
                f"{path} is a test file, which no metric may look at; give a probe, such as *.probe.jsonl, or allow it "
                "for a final number with allow_test"
            )
        try:
            lines = path.read_text("utf-8").split("\n")
        except FileNotFoundError:
            raise ConfigError(f"probe file not found: {path}") from None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"probe file {path}: {type(error).__name__}") from None
        return cls.of(_rows(lines, path), name=path.name, labels=labels)

    @classmethod
    def of(
        cls, rows: Iterable[Mapping[str, Any]], *, name: str = "probe", labels: Mapping[str, str] | None = None
    ) -> Probe:
        """From rows as a file has them. Raises ConfigError: no rows, or the first that is no item."""
        items = []
        for number, row in enumerate(rows, 1):
            try:
                items.append(ProbeItem.of(row))
            except ValueError as problem:
                raise ConfigError(f"probe {name}, item {number}: {problem}") from None
        if not items:
            raise ConfigError(f"probe {name}: it holds no items")
        return cls(name, tuple(items), dict(labels or {}))

    @property
    def digest(self) -> str:
        """Hash of items and label mapping."""
        shown = json.dumps([[dataclasses.asdict(i) for i in self.items], dict(self.labels)], sort_keys=True)
        return hashlib.blake2b(shown.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()

    def subset(self, indices: Sequence[int]) -> Probe:
        """Some of the items (an index may come twice)."""
        return Probe(self.name, tuple(self.items[i] for i in indices), self.labels)

    def labelled(self, known: Iterable[str]) -> list[tuple[str, str | None]]:
        """(text, label in the words of the data) of each item; None for a class that the data has no label for.

        Args:
            known: the labels of the data or of its domain.

        Raises:
            ConfigError: no item has a label of these, or the mapping names a label that is not among them.
        """
        by_words = {" ".join(words(label)): label for label in known}
        for label in self.labels.values():
            if " ".join(words(label)) not in by_words:
                raise ConfigError(f"labels of the probe are mapped to {label!r}, which the data does not have")
        pairs = [(i.text, by_words.get(" ".join(words(self.labels.get(i.label, i.label))))) for i in self.items]
        if all(label is None for _, label in pairs):
            shown = ", ".join(sorted(by_words.values())[:12])
            raise ConfigError(
                f"probe {self.name}: none of its labels is one of the data's ({shown}); give a mapping from its labels"
            )
        return pairs

    def slices(self) -> dict[str, list[int]]:
        """ "task=…" or "answer_type=…" → indices of its items. Only categories with three items or more, and names only
        where there is more than one: what an item says is no category."""
        found: dict[str, list[int]] = {}
        for name in SLICES:
            counts = Counter(i.slices[name] for i in self.items if name in i.slices)
            told = [c for c, n in counts.items() if n >= _MIN_SLICE and len(c) <= _MAX_NAME and "\n" not in c]
            if len(counts) > 1:
                for category in sorted(told):
                    found[f"{name}={category}"] = [
                        k for k, i in enumerate(self.items) if i.slices.get(name) == category
                    ]
        return found


def _rows(lines: Sequence[str], path: Path) -> Iterable[Mapping[str, Any]]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError:  # its message would quote the line
                row = None
            if not isinstance(row, dict):
                raise ConfigError(f'{path}, line {number}: expected a JSON object, such as {{"question": …}}')
            yield row
