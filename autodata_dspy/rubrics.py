"""Rubrics as text: what a file, a model or the command line writes → `Rubric`."""

from __future__ import annotations

import json
import re
from typing import Any

from autodata_dspy.types import Criterion, Rubric

_BULLET = re.compile(r"^\s*(?:[-*•]\s+|\d{1,3}[.)]\s+)?")
_WEIGHT = re.compile(r"^[\[(]\s*([+\-−]?\d{1,6})\s*[\])]\s*:?\s*|^([+\-−]\d{1,6})\s*[:|]\s*")
_MARK = re.compile(r"(?=[\[(][+\-−]\d{1,2}[\])])")
_TEXT, _NUMBER = ("text", "criterion", "description"), ("weight", "points", "score")


def read_rubric(text: str) -> Rubric:
    """A rubric from JSON (`[{"text": …, "weight": …}, …]`, strings, or `{"criteria": […]}`) or from lines.

    A line is one criterion, with an optional bullet and an optional weight before it: `- [+3] names the rule`,
    `(-2) invents a case`, `+1: is brief`. Without a weight it counts 1.

    Raises:
        ValueError: no criterion, an empty one, or a weight that is no whole number.
    """
    stripped = text.strip()
    if stripped[:1] in ("[", "{") and (items := _json(stripped)) is not None:
        criteria = [_criterion(item) for item in items]
    else:
        criteria = [_line(line) for line in stripped.splitlines() if line.strip()]
    if not criteria:
        raise ValueError("the rubric has no criteria")
    return Rubric(tuple(criteria))


def read_written_rubric(text: str) -> Rubric:
    """As `read_rubric`, as small models write: several criteria on a line, headings, bare bullets, lists of texts.

    Raises:
        ValueError: as `read_rubric`.
    """
    text = text.strip()
    if not text.startswith(("{", "[{")):
        found = _MARK.sub("\n", text.replace("\\n", "\n")).splitlines()
        lines = [line.rstrip(" ;,\"'-*•]") for line in found]
        text = "\n".join(line for line in lines if re.search(r"[^\W\d]", line) and not line.endswith(":"))
    return read_rubric(text)


def _json(text: str) -> list[Any] | None:
    try:
        data = json.loads(text)
    except RecursionError:
        raise ValueError("the rubric is nested too deep") from None
    except ValueError:
        if text.startswith("{"):
            raise ValueError("the rubric begins like JSON but is not") from None
        return None  # a line such as "[+3] names the rule"
    items = data.get("criteria") if isinstance(data, dict) else data
    if not isinstance(items, list):
        raise ValueError("a rubric in JSON is a list of criteria, or an object with a list `criteria`")
    return items


def _criterion(item: Any) -> Criterion:
    if isinstance(item, str):
        item = {"text": item}
    if not isinstance(item, dict):
        raise ValueError(f"a criterion is a text or an object with `text` and `weight`, not {item!r}")
    text = next((item[key] for key in _TEXT if isinstance(item.get(key), str)), "").strip()
    weight = next((item[key] for key in _NUMBER if key in item), 1)
    if not text:
        raise ValueError(f"a criterion without text: {item!r}")
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or weight != int(weight):
        raise ValueError(f"the weight of a criterion is a whole number, not {weight!r}")
    return Criterion(text, int(weight))


def _line(line: str) -> Criterion:
    rest = line[_BULLET.match(line).end() :]  # type: ignore[union-attr] — it matches the empty text
    found = _WEIGHT.match(rest)
    weight = int((found[1] or found[2]).replace("−", "-")) if found else 1
    text = rest[found.end() :].strip() if found else rest.strip()
    if not text:
        raise ValueError(f"a criterion without text: {line!r}")
    return Criterion(text, weight)
