"""How far can a verifier be trusted? Its precision, recall, undecided rate and speed on cases whose truth is known."""

from __future__ import annotations

import json
import math
import random
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autodata_dspy.errors import AutodataError, ConfigError
from autodata_dspy.subjects import as_challenge, number_as_text
from autodata_dspy.types import Verdict, to_dict
from autodata_dspy.verifiers.base import Verifier

Interval = tuple[float, float]
_Z = 1.959964  # of a 95 % interval
_RESAMPLES = 2000
_MAX_MB = 256
# What a line of a file of cases may hold, in words and as types.
_FIELDS = {
    "a": ("a text or a number", str),
    "b": ("a text or a number", str),
    "context": ("a text", str),
    "subject": ("a text, a challenge or a list", (str, dict, list, int, float)),
    "reference": ("a text, or a list of rows", (str, list)),
}


@dataclass(frozen=True, slots=True)
class Case:
    """One call of a verifier with the outcome it must have: True (score 1), False (score below 1), None (undecided)."""

    subject: Any
    reference: str = ""
    context: str = ""
    expected: bool | None = True
    why: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Rate:
    """`k` of `n`, with its 95 % Wilson interval. `value` is None for n = 0."""

    k: int
    n: int

    @property
    def value(self) -> float | None:
        return self.k / self.n if self.n else None

    @property
    def interval(self) -> Interval:
        return wilson(self.k, self.n)


@dataclass(frozen=True, slots=True)
class Confusion:
    """A case on which the verifier did not say what is expected."""

    case: Case
    said: bool | None
    feedback: str


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found.

    Attributes:
        precision: of the cases it passed, those that are expected to pass.
        recall: of the cases that are expected to pass, those it passed.
        undecided: of all cases, those it did not decide.
        accuracy: of all cases, those on which it said what is expected (undecided where that is expected).
        false_positives: passed, though expected False or undecided. One is one too many.
        false_negatives: expected to pass, but failed. (An undecided one lowers the recall, and is listed as missed.)
        missed: expected True or False, but undecided.
        overconfident: expected undecided, but failed.
        ms: milliseconds of each check, in the order of the cases.
        confusions: every case with another outcome than expected.
    """

    verifier: str
    precision: Rate
    recall: Rate
    undecided: Rate
    accuracy: Rate
    false_positives: int
    false_negatives: int
    missed: int
    overconfident: int
    ms: tuple[float, ...]
    confusions: tuple[Confusion, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data: the keys of `autodata audit --json`."""
        data: dict[str, Any] = {"verifier": self.verifier, "n": len(self.ms)}
        rates = {"precision": self.precision, "recall": self.recall, "accuracy": self.accuracy}
        for name, rate in (rates | {"undecided_rate": self.undecided}).items():
            data[name], data[f"{name}_interval"] = rate.value, list(rate.interval)
        for name in ("false_positives", "false_negatives", "missed", "overconfident"):
            data[name] = getattr(self, name)
        for name, of in (("ms_median", statistics.median), ("ms_p99", p99)):
            data[name], data[f"{name}_interval"] = of(self.ms), list(bootstrap(self.ms, of))
        data["confusions"] = [
            {**to_dict(c.case), "subject": _plain(c.case.subject), "said": c.said, "feedback": c.feedback}
            for c in self.confusions
        ]
        return data


def audit(verifier: Verifier, cases: Sequence[Case], watch: Callable[[int, int], None] | None = None) -> Audit:
    """Ask the verifier about every case, one after the other.

    Free and CPU verifiers are asked about the first case once before the clock runs: workers start then.

    Args:
        watch: told (cases done, cases in all) after each.

    Raises:
        ConfigError: no cases.
    """
    if not cases:
        raise ConfigError("an audit needs at least one case")
    if verifier.cost != "lm":
        _ask(verifier, cases[0])
    verdicts, ms = [], []
    for done, case in enumerate(cases, 1):
        started = time.perf_counter()
        verdicts.append(_ask(verifier, case))
        ms.append((time.perf_counter() - started) * 1000)
        if watch is not None:
            watch(done, len(cases))
    said = [None if v.score is None else v.passed for v in verdicts]
    pairs = [(case.expected, outcome) for case, outcome in zip(cases, said, strict=True)]
    confusions = tuple(
        Confusion(case, outcome, verdict.feedback)
        for case, outcome, verdict in zip(cases, said, verdicts, strict=True)
        if case.expected is not outcome
    )

    def count(test: Callable[[bool | None, bool | None], bool]) -> int:
        return sum(test(expected, outcome) for expected, outcome in pairs)

    n_right = count(lambda expected, outcome: expected is True and outcome is True)
    return Audit(
        verifier=verifier.name,
        precision=Rate(n_right, said.count(True)),
        recall=Rate(n_right, count(lambda expected, _: expected is True)),
        undecided=Rate(said.count(None), len(cases)),
        accuracy=Rate(len(cases) - len(confusions), len(cases)),
        false_positives=count(lambda expected, outcome: expected is not True and outcome is True),
        false_negatives=count(lambda expected, outcome: expected is True and outcome is False),
        missed=count(lambda expected, outcome: expected is not None and outcome is None),
        overconfident=count(lambda expected, outcome: expected is None and outcome is False),
        ms=tuple(ms),
        confusions=confusions,
    )


def _ask(verifier: Verifier, case: Case) -> Verdict:
    subject, reference = case.subject, case.reference
    if verifier.checks == "challenge":
        subject = as_challenge(subject) or subject
    elif verifier.checks == "answer":
        subject = number_as_text(subject)
    if verifier.checks != "dataset" and isinstance(reference, (list, dict)):
        shown = json.dumps(reference, default=repr)[:60]
        raise ConfigError(f"line {case.line}: `reference` of {verifier.name!r} is a text, not {shown}")
    try:
        return verifier.verify(subject, reference, case.context)
    except ConfigError:  # no model to ask: that is for the user to mend
        raise
    except AutodataError as error:  # a check that could not run has decided nothing
        return Verdict.undecidable(str(error), verifier.name)
    except Exception as error:  # one case broke the verifier; the others are still told about
        return Verdict.undecidable(f"the verifier is broken: {type(error).__name__}: {error}", verifier.name)


def wilson(k: int, n: int) -> Interval:
    """The 95 % Wilson interval of a rate; (0, 1) for n = 0."""
    if n == 0:
        return 0.0, 1.0
    p, z2 = k / n, _Z * _Z
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    # Exactly 0 and 1 at the ends, where rounding would leave 1e-17.
    return (0.0 if k == 0 else max(0.0, centre - half)), (1.0 if k == n else min(1.0, centre + half))


def p99(values: Iterable[float]) -> float:
    """The smallest value that at least 99 % of the values do not exceed."""
    ordered = sorted(values)
    return ordered[math.ceil(0.99 * len(ordered)) - 1]


def bootstrap(values: Sequence[float], of: Callable[[Sequence[float]], float], seed: int = 0) -> Interval:
    """A 95 % percentile bootstrap interval of a statistic."""
    draw = random.Random(seed)
    found = sorted(of(draw.choices(values, k=len(values))) for _ in range(_RESAMPLES))
    return found[int(0.025 * _RESAMPLES)], found[int(0.975 * _RESAMPLES) - 1]


def read_cases(path: Path) -> list[Case]:
    """Cases from JSON lines: `{"a", "b", "expected", "note"}` (answer a, reference b) or `{"subject", "reference",
    "context", "expected", "why"}`; `expected` is true, false or null (undecided). Numbers as a, b, reference and (for
    checks of answers) subject are read as their text; a reference may be a list of rows for checks of data sets.

    Raises:
        ConfigError: the file cannot be read, or a line is no case; says which and why.
    """
    try:
        if path.stat().st_size > _MAX_MB * 2**20:
            raise ConfigError(f"{path} is larger than {_MAX_MB} MB; audit a sample of it")
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"file of cases not found: {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"file of cases {path}: {error}") from None
    # Not splitlines: JSON strings may hold U+2028 and its like.
    lines = enumerate(text.split("\n"), 1)
    cases = [_case(line, f"{path}, line {number}", number) for number, line in lines if line.strip()]
    if not cases:
        raise ConfigError(f"{path} holds no cases")
    return cases


def _case(line: str, where: str, number: int) -> Case:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{where}: not JSON ({error})") from None
    if not isinstance(row, dict):
        raise ConfigError(f"{where}: expected an object, not {line[:60]!r}")
    subject_key, reference_key = ("a", "b") if "a" in row else ("subject", "reference")
    if subject_key not in row:
        raise ConfigError(f"{where}: a case has `a` and `b`, or `subject` (and `reference`, `context`)")
    expected = row.get("expected", "absent")
    if expected is not None and not isinstance(expected, bool):
        raise ConfigError(f"{where}: `expected` is true, false or null, not {expected!r}")
    given = {
        subject_key: row[subject_key],
        reference_key: number_as_text(row.get(reference_key, "")),
        "context": row.get("context", ""),
    }
    if subject_key == "a":
        given["a"] = number_as_text(given["a"])
    for key, value in given.items():
        wanted, fits = _FIELDS[key]
        if isinstance(value, bool) or not isinstance(value, fits):
            raise ConfigError(f"{where}: `{key}` is {wanted}, not {json.dumps(value)[:60]}")
    why = str(row.get("why") or row.get("note") or "")
    return Case(given[subject_key], given[reference_key], given["context"], expected, why, number)


def _plain(value: Any) -> Any:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return repr(value)
    return value
