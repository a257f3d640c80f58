"""What Self-Instruct drops before anything is paid for it: instructions by their form, instances by each other.

Source: Self-Instruct (arXiv 2212.10560), section 2.2 and the authors' published code, which says the lists of words and
what counts as unfinished. Likeness to what the pool already holds is `task_pool`'s business.
"""

from __future__ import annotations

import re
import string
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from autodata_dspy.errors import ConfigError, did_you_mean
from autodata_dspy.seed_tasks import Instance
from autodata_dspy.types import Verdict

MIN_WORDS, MAX_WORDS = 4, 150
_MEDIA = re.compile(  # what a model of text can neither see, hear nor open
    r"\b(?:images?|pictures?|graphs?|plots?|maps?|files?|draw|videos?|audio|music|flowcharts?|diagrams?|go to)\b",
    re.IGNORECASE,
)
_PROGRAM = re.compile(r"write (?:a|the) programs?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class InstructionFilter:
    """One rule about an instruction alone: its name in reports, what it objects to, and the rule."""

    name: str
    why: str
    drops: Callable[[str], bool]


FILTERS = (
    InstructionFilter("too_short", f"fewer than {MIN_WORDS} words", lambda text: len(text.split()) < MIN_WORDS),
    InstructionFilter("too_long", f"more than {MAX_WORDS} words", lambda text: len(text.split()) > MAX_WORDS),
    InstructionFilter(
        "mentions_media", "about images, files, graphs or the like", lambda text: bool(_MEDIA.search(text))
    ),
    InstructionFilter("asks_for_program", "asks to write a program", lambda text: bool(_PROGRAM.match(text))),
    InstructionFilter(
        "starts_with_punctuation", "starts with punctuation", lambda text: text[:1] in string.punctuation
    ),
    InstructionFilter("starts_with_non_ascii", "starts with a sign that is not ASCII", lambda t: not t[:1].isascii()),
)
NAMES = tuple(f.name for f in FILTERS)


def chosen(names: Iterable[str]) -> tuple[InstructionFilter, ...]:
    """The filters of these names, in the order of `FILTERS`. Raises ConfigError for an unknown name."""
    names = set(names)
    for name in sorted(names - set(NAMES)):
        raise ConfigError(did_you_mean("instruction filter", name, NAMES))
    return tuple(f for f in FILTERS if f.name in names)


def objection(instruction: str, filters: Iterable[InstructionFilter]) -> Verdict | None:
    """The first filter that drops an instruction, as its verdict; None where it may stay."""
    return next((Verdict.of(False, f.why, f.name) for f in filters if f.drops(instruction)), None)


def instance_objections(instances: Sequence[Instance]) -> list[Verdict | None]:
    """For each instance of one task: why it is dropped, or None.

    Of equal instances the first stays. Instances with one input and several outputs contradict each other, and all of
    them go; where the input is empty they may stand side by side, as in the authors' code: a task such as "Write a
    proverb about rain." has many right answers.
    """
    outputs: dict[str, set[str]] = defaultdict(set)
    alone = [_alone(instance) for instance in instances]
    for instance, found in zip(instances, alone, strict=True):
        if found is None:
            outputs[instance.input].add(instance.output)
    seen: set[Instance] = set()
    verdicts: list[Verdict | None] = []
    for instance, found in zip(instances, alone, strict=True):
        if found is None and instance.input and len(outputs[instance.input]) > 1:
            found = Verdict.of(False, "the same input has other outputs too", "contradicted_instance")
        elif found is None and instance in seen:
            found = Verdict.of(False, "an earlier instance is the same", "duplicate_instance")
        seen.add(instance)
        verdicts.append(found)
    return verdicts


def _alone(instance: Instance) -> Verdict | None:
    if not instance.output:
        return Verdict.of(False, "it has no output", "empty_output")
    if instance.input == instance.output:
        return Verdict.of(False, "its input is its output", "input_is_output")
    if instance.input.endswith(":") or instance.output.endswith(":"):
        return Verdict.of(False, "it ends with a colon, so something is missing", "unfinished_instance")
    return None
