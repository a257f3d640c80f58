"""The results of a suite as plain data: what a table, a plot or another reader needs, and what it came from."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path, PurePath
from typing import Any

from autodata_dspy.audit import wilson
from autodata_dspy.benchmarking.statistics import (
    Difference,
    Estimate,
    Total,
    corrected,
    difference,
    estimate,
    macro_f1,
    mean,
)
from autodata_dspy.benchmarking.suite import Suite
from autodata_dspy.errors import ConfigError

SCHEMA = 2  # 1 had no rounds and no command
PACKAGES = ("autodata-dspy", "dspy", "sympy", "scikit-learn", "numpy")
GIVEN = "given examples"  # the line of a student that learns from what all arms are given
MEASURES = ("test", "gap", "valid")  # in which arms are compared; the first where there is a test
TOTALS: dict[str, Total] = {"macro-F1": macro_f1, "mean score": mean}
Row = dict[str, Any]


def results(
    suite: Suite,
    cells: Sequence[Row],
    tested: Sequence[Row],
    references: Sequence[Row],
    hashes: Mapping[str, Mapping[str, str]],
    touches: Sequence[Mapping[str, str]],
) -> dict[str, Any]:
    """Everything: suite, versions, machine, hashes, one row a cell, an arm and a comparison; JSON-able.

    Args:
        cells: records of `measures`.
        tested: of each arm in each comparison and domain, the items of its students, by generation, size and seed.
        references: items of the lines to compare with.
    """
    return {
        "schema": SCHEMA,
        "suite": suite.name,
        "config": portable(suite.model_dump(exclude_defaults=True, exclude={"executor"})),
        "seeds": list(suite.seeds),
        "budget": suite.budget.given(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.system()},
        "hashes": {name: dict(each) for name, each in hashes.items()},
        "touches": [dict(touch) for touch in touches],
        "references": [_reference(row) for row in references],
        "arms": [_arm(suite, rows, _looks(tested, rows[0])) for rows in _grouped(cells)],
        "comparisons": _comparisons(suite, cells, tested, references),
        "cells": [{k: v for k, v in cell.items() if k not in ("key", "mark")} for cell in cells],
    }


def read_results(path: Path) -> Row:
    """What a suite wrote.

    Raises:
        ConfigError: unreadable, nothing of a suite, or of another version.
    """
    try:
        body = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: cannot be read ({error}); name the results of a suite") from None
    if not isinstance(body, dict) or not {"suite", "schema", "arms", "comparisons"} <= body.keys():
        raise ConfigError(f"{path}: no results of a suite; name one's TOML file or its results.json")
    if body["schema"] != SCHEMA:
        raise ConfigError(
            f"{path}: schema {body['schema']}, this version reads {SCHEMA}; run the suite again: nothing is paid twice"
        )
    return body


def portable(value: Any) -> Any:
    """Settings without places on this machine: of an absolute path its last part is left."""
    if isinstance(value, dict):
        return {k: portable(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [portable(v) for v in value]
    return PurePath(value).name if isinstance(value, str) and value.startswith(("/", "~")) else value


def _grouped(cells: Sequence[Row]) -> list[list[Row]]:
    """The seeds of an arm together."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for cell in cells:
        groups.setdefault(tuple(cell[k] for k in ("comparison", "domain", "generation", "arm")), []).append(cell)
    return list(groups.values())


def _looks(tested: Sequence[Row], cell: Row) -> Row | None:
    names = ("comparison", "domain", "arm")
    return next((row for row in tested if all(row[n] == cell[n] for n in names)), None)


def _added(looks: Row, generation: int) -> list[Any] | None:
    """Test items of each seed, of students that learned from the given examples too; None where there are none."""
    return next((items for number, items in looks.get("added", ()) if number == generation), None)


def _arm(suite: Suite, rows: Sequence[Row], looks: Row | None) -> Row:
    """One arm in one comparison, domain and generation, over its seeds; what nobody counted is None."""
    counts = ("rounds", "accepted", "kept", "calls", "tokens", "seconds", "usd")
    n_unpriced = sum(row["unpriced"] for row in rows)
    sums = {k: _sum([row[k] for row in rows]) for k in counts}
    first, n, n_seeds, note = rows[0], sums["kept"], len(rows), _note(suite, rows)
    counted = rows[:1] if _alike(suite, first["arm"]) else rows
    if _repeated(suite, rows):
        rows = rows[:1]
    variety = [row["diversity"] for row in rows if row["diversity"] is not None]
    checks = [c for row in rows for c in row["examined"]["checked"] if c is not None]
    told = {k: first[k] for k in ("comparison", "domain", "arm", "generation", "models")}
    found = {
        **told,
        "n_seeds": n_seeds,
        **sums,
        "unpriced": n_unpriced,
        "acceptance": _share(*(_sum([row[k] for row in counted]) for k in ("accepted", "rounds"))),
        "per_example": {
            k: round(sums[k] / n, 4) if n and sums[k] is not None else None
            for k in ("rounds", "calls", "tokens", "seconds", "usd")
        },
        "examined": sum(len(row["examined"]["weak"]) for row in rows),
        **{k: asdict(estimate([row["examined"][k] for row in rows], mean, False)) for k in ("valid", "weak", "strong")},
        "gap": asdict(estimate([_gaps(row) for row in rows], mean, False)),
        "checked": sum(checks) / len(checks) if checks else None,
        "diversity": sum(variety) / len(variety) if variety else None,
        "by_round": _by_round(rows),
        "note": note,
    }
    if looks is not None:
        points = {size: items for generation, size, items in looks["points"] if generation == first["generation"]}
        total = TOTALS[looks["measure"]]
        found |= {
            "measure": looks["measure"],
            "contaminated": dict(looks["contaminated"])[first["generation"]],
            "test": asdict(estimate(points[0], total, True)),
            "by_size": [[s, asdict(estimate(items, total, True))] for s, items in sorted(points.items()) if s],
        }
        if (items := _added(looks, first["generation"])) is not None:
            found["added"] = asdict(estimate(items, total, True))
    return found


def _sum(values: Sequence[Any]) -> Any:
    return None if None in values else round(sum(values), 6)


def _note(suite: Suite, rows: Sequence[Row]) -> str:
    """What is to be known of an arm, in words; "" where there is nothing."""
    arm = next(arm for arm in suite.arms if arm.title == rows[0]["arm"])
    told = [arm.note] if arm.note else []
    if arm.examples:
        told.append("its examples were made elsewhere")
        uncounted = [name for name in ("calls", "tokens") if any(row[name] is None for row in rows)]
        told += [f"its {' and '.join(uncounted)} are not counted"] if uncounted else []
        told += ["they are the same for every seed"] if len(rows) > 1 and _alike(suite, arm.title) else []
    return "; ".join(told)


def _alike(suite: Suite, title: str) -> bool:
    """Whether an arm has the same examples for every seed."""
    arm = next(arm for arm in suite.arms if arm.title == title)
    return bool(arm.examples) and "{seed}" not in arm.examples


def _repeated(suite: Suite, rows: Sequence[Row]) -> bool:
    """Whether all seeds of an arm examined the same examples: counted once for each they would look like more."""
    return _alike(suite, rows[0]["arm"]) and all(len(row["examined"]["weak"]) == row["kept"] for row in rows)


def _share(k: int, n: int | None) -> Row:
    return dict.fromkeys(("value", "low", "high")) if n is None else asdict(Estimate(k / max(1, n), *wilson(k, n)))


def _by_round(rows: Sequence[Row]) -> list[Row]:
    """Drafts of the first round within a document, of the second, …, and what was accepted of them, over the seeds."""
    found = []
    for number in range(max(len(row["by_round"]) for row in rows)):
        counts = [row["by_round"][number] for row in rows if number < len(row["by_round"])]
        drafts, accepted = (sum(count[k] for count in counts) for k in (0, 1))
        places = [[p for p, r in enumerate(row["examined"]["round"]) if r == number] for row in rows]
        measured = {
            name: asdict(
                estimate([[each[p] for p in own] for each, own in zip(by_seed, places, strict=True)], mean, False)
            )
            for name, by_seed in (
                ("valid", [row["examined"]["valid"] for row in rows]),
                ("gap", [_gaps(row) for row in rows]),
            )
        }
        told = {"round": number + 1, "drafts": drafts, "accepted": accepted, "examined": sum(map(len, places))}
        found.append({**told, "acceptance": _share(accepted, drafts), **measured})
    return found


def _gaps(cell: Row) -> list[float | None]:
    """Strong minus weak of each example."""
    pairs = zip(cell["examined"]["weak"], cell["examined"]["strong"], strict=True)
    return [None if weak is None or strong is None else strong - weak for weak, strong in pairs]


def _reference(row: Row) -> Row:
    score = estimate([row["items"]], TOTALS[row["measure"]], True)
    return {k: row[k] for k in ("domain", "line", "measure", "n")} | {"test": asdict(score)}


def _comparisons(suite: Suite, cells: Sequence[Row], tested: Sequence[Row], references: Sequence[Row]) -> list[Row]:
    """Every pair in every comparison, domain and measure, and what each arm adds to the given examples; of the last
    generation, corrected together."""
    last, rows, pairs = suite.generations - 1, [], []
    for comparison in suite.budget.given():
        for domain in suite.subjects:
            for better, than in suite.compared(domain):
                sides = [
                    _side(
                        suite,
                        cells,
                        tested,
                        {"comparison": comparison, "domain": domain, "arm": arm, "generation": last},
                    )
                    for arm in (better, than)
                ]
                for measure in MEASURES:
                    if all(measure in side for side in sides):
                        (first, total), (second, _) = sides[0][measure], sides[1][measure]
                        pairs.append((first, second, total, measure == "test"))
                        rows.append({"comparison": comparison, "domain": domain, "arm": better, "than": than})
                        rows[-1] |= {"measure": measure, "counted": all(side["counted"] for side in sides)}
    for looks in tested:
        items = _added(looks, last)
        line = next((r for r in references if (r["domain"], r["line"]) == (looks["domain"], GIVEN)), None)
        if items is not None and line is not None:
            total = TOTALS[looks["measure"]]
            pairs.append((items, [line["items"]] * len(items), total, True))
            rows.append({k: looks[k] for k in ("comparison", "domain", "arm")} | {"than": GIVEN, "measure": "added"})
    found = corrected([difference(*pair, n_looks=len(pairs)) for pair in pairs])
    return [row | _plain(d) for row, d in zip(rows, found, strict=True)]


def _side(suite: Suite, cells: Sequence[Row], tested: Sequence[Row], which: Row) -> dict[str, Any]:
    """Measure → the items of each seed of an arm, and what makes a figure of them; `counted`: was what they have in
    common counted?"""
    own = [cell for cell in cells if all(cell[k] == v for k, v in which.items())]
    found: dict[str, Any] = {
        "gap": ([_gaps(cell) for cell in own], mean),
        "valid": ([c["examined"]["valid"] for c in own], mean),
    }
    if own and _repeated(suite, own):  # one list for all seeds, so that its items are drawn once
        found = {name: (items[:1] * len(items), total) for name, (items, total) in found.items()}
    found["counted"] = all(cell.get(which["comparison"], 0) is not None for cell in own)
    if (looks := _looks(tested, which)) is not None:
        [items] = [
            items for generation, size, items in looks["points"] if (generation, size) == (which["generation"], 0)
        ]
        found["test"] = (items, TOTALS[looks["measure"]])
    return found


def _plain(found: Difference) -> Row:
    body = asdict(found) | {"verdict": found.verdict}
    if found.value is None:
        body |= dict.fromkeys(("low", "high", "p", "adjusted", "detectable", "sd"))
    return body
