"""Results as Markdown tables. The tables of benchmarks/README.md are these; a test fails where they differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

NAMES = {"test": "test score", "added": "test score with the given", "gap": "gap", "valid": "validity"}
Row = Mapping[str, Any]


def tables(results: Row) -> str:
    """Every table of a suite, one after the other."""
    parts = []
    for comparison, amount in results["budget"].items():
        for domain in dict.fromkeys(arm["domain"] for arm in results["arms"]):
            arms = [a for a in results["arms"] if (a["comparison"], a["domain"]) == (comparison, domain)]
            lines = [line for line in results["references"] if line["domain"] == domain]
            seeds = seeds_told(len(results["seeds"]))
            parts.append(f"**{results['suite']}, {domain}: {amount} {comparison} for each arm and seed; {seeds}**")
            references = [(f"*{name}*", *cells) for name, *cells in reference_rows(lines, arms)]
            parts.append(_table([*arm_rows(arms), *references]))
            parts += [f"{line}." for line in notes(arms)]
            if any(arm.get("by_size") for arm in arms):
                parts.append(_table(size_rows(arms)))
    if results["comparisons"]:
        parts.append(_table(comparison_rows(results["comparisons"])))
        parts.append(comparisons_told(len(results["comparisons"])))
    return "\n\n".join(parts)


def notes(arms: Sequence[Row]) -> list[str]:
    """What is to be known of arms besides their figures, a line each."""
    return [f"{name}: {note}" for name, note in {a["arm"]: a["note"] for a in arms if a.get("note")}.items()]


def comparisons_told(n: int) -> str:
    return (
        "Differences with 95 % intervals (paired bootstrap over items and seeds); p after Holm's correction over all "
        f"{n} of them; 'found from' is the smallest true difference that 4 of 5 such suites would find."
    )


def seeds_told(n: int) -> str:
    if n == 1:
        return "1 seed, so the intervals know nothing of how much seeds differ"
    return f"{n} seeds" + (", which is few: 3 are the least for a claim" if n < 3 else "")


def arm_rows(arms: Sequence[Row]) -> Iterable[Sequence[str]]:
    """The names of the columns, then an arm each."""
    added = any("added" in arm for arm in arms)
    yield (
        *("arm", "examples", "accepted of rounds", "valid", "checked", "weak", "strong", "gap"),
        *("rounds, calls, tokens, seconds, USD per example", "diversity", "repeat the test", "test score"),
        *([NAMES["added"]] if added else []),
    )
    many = len({arm["generation"] for arm in arms}) > 1
    for arm in arms:
        each = arm["per_example"]
        usd = "?" if arm["unpriced"] else _figure(each["usd"], 4)
        cost = [*(_figure(each[k], d) for k, d in (("rounds", 1), ("calls", 1), ("tokens", 0), ("seconds", 1))), usd]
        yield (
            arm["arm"] + (f", generation {arm['generation']}" if many else ""),
            str(arm["kept"]),
            "–" if arm["rounds"] is None else f"{arm['accepted']} of {arm['rounds']} {_interval(arm['acceptance'])}",
            *(_estimate(arm["valid"]), _figure(arm["checked"]), _estimate(arm["weak"]), _estimate(arm["strong"])),
            *(_estimate(arm["gap"]), ", ".join(cost) if arm["kept"] else "–", _figure(arm["diversity"], 2)),
            *(str(arm.get("contaminated", "–")), _estimate(arm["test"]) if "test" in arm else "–"),
            *([_estimate(arm["added"]) if "added" in arm else "–"] if added else []),
        )


def reference_rows(lines: Sequence[Row], arms: Sequence[Row]) -> Iterable[Sequence[str]]:
    """The lines to compare with, in the columns of the arms."""
    added = ["–"] * any("added" in arm for arm in arms)
    for line in lines:
        yield line["line"], str(line["n"] or "–"), *["–"] * 9, _estimate(line["test"]), *added


def size_rows(arms: Sequence[Row]) -> Iterable[Sequence[str]]:
    """Test score by how many examples students learn from."""
    sizes = sorted({size for arm in arms for size, _ in arm["by_size"]})
    yield "arm", *(f"test score after {size} examples" for size in sizes), "after all"
    for arm in arms:
        found = dict(arm["by_size"])
        yield arm["arm"], *(_estimate(found[size]) for size in sizes), _estimate(arm["test"])


def comparison_rows(rows: Sequence[Row]) -> Iterable[Sequence[str]]:
    """Differences between arms."""
    yield "arm", "minus", "at equal", "domain", "measure", "difference", "p", "found from", "verdict"
    for row in rows:
        measured = row["value"] is not None
        yield (
            *(row["arm"], row["than"], row["comparison"] + ("" if row.get("counted", True) else ", not counted")),
            *(row["domain"], NAMES[row["measure"]]),
            f"{row['value']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]" if measured else "–",
            *((_figure(row["adjusted"]), _figure(row["detectable"])) if measured else ("–", "–")),
            row["verdict"],
        )


def _table(rows: Iterable[Sequence[str]]) -> str:
    head, *body = [[cell.replace("|", "/") for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *body))


def _figure(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _interval(found: Row) -> str:
    return f"[{found['low']:.3f}, {found['high']:.3f}]"


def _estimate(found: Row) -> str:
    return "–" if found["value"] is None else f"{found['value']:.3f} {_interval(found)}"
