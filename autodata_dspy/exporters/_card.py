"""The card of a data set: how it was made, what stands behind it, what it cost, and what nobody checked.

Texts of documents and models reach it only through `inline`, which leaves them no power over Markdown or YAML.
"""

from __future__ import annotations

import glob
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autodata_dspy import __version__
from autodata_dspy.exporters._source import Source
from autodata_dspy.exporters.base import MEANINGS, Exporter, Tally
from autodata_dspy.report.agreement import warning
from autodata_dspy.report.narrative import MEANING, causes, printable, reasons, usage_lines
from autodata_dspy.roles import ROLES

_MARKDOWN = re.compile(r"([\\`*_\[\]<>|~&$])")
_UNPRINTABLE = re.compile("[^\t\n\r -~\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u2028\u2029\ufeff]")
_SHOWN, _LIMIT = 50, 200  # rows of a table; characters of a text
_USAGE = (
    "calls",
    "replayed",
    "failed",
    "truncated",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "usd",
    "unpriced",
)
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
# As the Hub spells them; a data set under any other licence, or under several, is "other" there.
_LICENCES = ("apache-2.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-3.0", "cc-by-sa-3.0", "cc0-1.0", "mit", "odc-by")
_BEHIND = {
    "checked": "**checked**: a machine check stands behind every example.",
    "judged": "**judged**: the word of a model stands behind every example, not a machine check.",
    "none": "**none**: nothing stands behind the examples.",
    "": "not recorded.",
}
_UNCHECKED = {
    "checked": "The check compares answers with the reference; that the question is well put, useful or new was at "
    "most judged by a model.",
    "judged": "No machine checked the answers; the models that judged them can be wrong in the same way.",
}
_CITATION = """```bibtex
@misc{autodata2026,
  title = {Autodata: An agentic data scientist to create high quality synthetic data},
  year = {2026},
  eprint = {2606.25996},
  archivePrefix = {arXiv},
  url = {https://arxiv.org/abs/2606.25996}
}
```"""


@dataclass(frozen=True)
class Facts:
    """What a card is written from: the run, the format, what was written, and where (`out` asked for, `data` file)."""

    source: Source
    exporter: Exporter
    tally: Tally
    out: Path
    data: Path


def inline(text: Any, limit: int = _LIMIT) -> str:
    """A text of any origin as one line of Markdown that shows it and does nothing else."""
    line = _UNPRINTABLE.sub("\ufffd", " ".join(printable(str(text)).split()))
    line = line if len(line) <= limit else line[: limit - 1] + "…"
    return _MARKDOWN.sub(r"\\\1", line)


def card(facts: Facts) -> str:
    """The whole card: YAML front matter as the Hugging Face Hub reads it, then Markdown."""
    name = inline(facts.source.domain or "unnamed domain")
    parts = [
        _front_matter(facts),
        f"# {name}: {facts.tally.n} example{'s' * (facts.tally.n != 1)}, made by autodata-dspy",
        facts.exporter.about,
    ]
    parts += [f"## {title}\n\n" + "\n".join(write(facts)) for title, write in _SECTIONS.items()]
    return "\n\n".join(parts) + "\n"


def _front_matter(facts: Facts) -> str:
    """Every value is JSON, which is YAML too, so no text can end its scalar."""
    file = facts.exporter.file or facts.data.name
    found = {licence.lower() for licence, _ in facts.tally.by_source}
    known = len(found) == 1 and found <= set(_LICENCES)
    data: dict[str, Any] = {
        "pretty_name": f"{facts.source.domain or 'unnamed domain'} (autodata-dspy)",
        "license": found.pop() if known else "other",
        **({} if known else {"license_name": "see-card"}),
        "tags": ["synthetic", "autodata-dspy", "dspy", f"format:{facts.exporter.name}"],
        "size_categories": [next((word for bound, word in _SIZES if facts.tally.n < bound), "n>1M")],
        "configs": [{"config_name": "default", "data_files": [{"split": "train", "path": file}]}],
        "dataset_info": {"features": [_feature(name, kind) for name, kind in facts.exporter.columns.items()]},
    }
    return "---\n" + "\n".join(f"{key}: {_scalar(value)}" for key, value in data.items()) + "\n---"


def _scalar(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return _UNPRINTABLE.sub(
        lambda found: f"\\u{ord(found.group()):04x}" if ord(found.group()) < 0xD800 else "\ufffd", text
    )


def _feature(name: str, kind: Any) -> dict[str, Any]:
    if not isinstance(kind, list):
        return {"name": name, "dtype": kind}
    inner = kind[0]
    return {"name": name, "list": [_feature(*one) for one in inner.items()] if isinstance(inner, dict) else inner}


def _method(facts: Facts) -> Iterator[str]:
    source, result = facts.source, facts.source.result
    without = sorted({w for t in result.trajectories for w in t.without})
    config = {k: v for k, v in source.config.items() if k not in ("roles", "acceptance") and v is not None}
    yield f"- generator: {inline(result.origin.get('generator') or source.config.get('program') or 'not recorded')}"
    yield f"- domain: {inline(source.domain or 'not recorded')}"
    yield f"- switched off: {', '.join(map(inline, without)) or 'nothing'}"
    made = inline(result.origin.get("version") or "(version not recorded)")
    yield f"- made by autodata-dspy {made}, exported as {facts.exporter.name} by {__version__}"
    seeds = sorted({t.seed for t in result.trajectories})
    yield f"- seeds: {', '.join(map(str, seeds[:_SHOWN])) or 'none'}{', …' * (len(seeds) > _SHOWN)}"
    told = json.dumps(config, ensure_ascii=False) if config else "made in Python, not recorded"
    yield f"- settings: {inline(told, 1500)}"
    yield from (f"- **incomplete:** {inline(remark, 500)}" for remark in source.remarks)


def _models(facts: Facts) -> Iterator[str]:
    if not facts.source.result.models:
        yield "Not recorded."
        return
    yield "| role | model | what it does |\n|---|---|---|"
    yield from (f"| {inline(r)} | {inline(m)} | {ROLES.get(r, '')} |" for r, m in _asked(facts).items())


def _asked(facts: Facts) -> dict[str, str]:
    """Role → model, of those that took part; of all where nobody recorded it."""
    models, asked = facts.source.result.models, facts.source.result.usage
    return {role: model for role, model in models.items() if not asked or role in asked or model == "learner"}


def _behind(facts: Facts) -> Iterator[str]:
    result, config = facts.source.result, facts.source.config
    yield _BEHIND.get(result.verified, inline(result.verified)) + "\n"
    yield f"- acceptance rule: {_rule(result.origin.get('acceptance'), config)}"
    said = facts.tally.said
    for name in sorted({verifier for verifier, _ in said}):
        counts = ", ".join(
            f"{word} {said[name, word]}" for word in ("passed", "below 1", "undecided") if said[name, word]
        )
        yield f"- verifier {inline(name)}: {counts}"
    if line := warning(result.trajectories):
        yield f"- **warning:** {inline(line, 500)}"


def _rule(recorded: str | None, config: dict[str, Any]) -> str:
    if recorded:
        return inline(recorded, 500)
    if recorded is not None:
        return "none; the generator keeps what its filters leave"
    given = {k: v for k, v in (config.get("acceptance") or {}).items() if v is not None}
    return f"the domain's own, with {inline(json.dumps(given))}" if config else "not recorded"


def _yield(facts: Facts) -> Iterator[str]:
    result, tally = facts.source.result, facts.tally
    n_accepted, n_kept = sum(len(t.accepted) for t in result.trajectories), tally.n + tally.n_skipped
    status = Counter(t.status for t in result.trajectories)
    n_worked_on = len({t.document_id for t in result.trajectories})
    if _has_texts(facts):
        yield f"- documents worked on: {n_worked_on} of {len(result.documents)}"
    else:
        yield f"- documents: none; attempts without one (`document_id` numbers them): {n_worked_on}"
    yield from (f"  - {word}: {count}" for word, count in sorted(status.items()) if word != "done")
    rounds = reasons(result.trajectories)
    yield f"- rounds: {rounds.total()}"
    for reason, count in rounds.most_common():
        yield f"  - {inline(MEANING.get(reason, reason))}: {count}"
        if reason == "filtered":
            by_filter = causes(result.trajectories, reason).most_common()
            yield from (f"    - {inline(name)}: {n_dropped}" for name, n_dropped in by_filter)
    removed = Counter(r.verifier for r in result.removed)
    by_check = ", ".join(f"{inline(name)}: {count}" for name, count in removed.most_common())
    named = f" ({by_check})" if by_check else ""
    yield f"- accepted: {n_accepted}, removed by the final audit: {n_accepted - n_kept}{named}"
    left = f"; {tally.n_skipped} of {n_kept} examples {facts.exporter.skipped}" if tally.n_skipped else ""
    yield f"- rows: {tally.n}{left}"


def _has_texts(facts: Facts) -> bool:
    """Whether the run had documents, rather than slots that stand for them."""
    documents = facts.source.result.documents.values()
    return not documents or any(document.text for document in documents)


def _cost(facts: Facts) -> Iterator[str]:
    usage = {role: {**dict.fromkeys(_USAGE, 0), **u} for role, u in facts.source.result.usage.items()}
    yield from (f"- {inline(line, 500)}" for line in usage_lines(usage, facts.source.result.seconds))


def _sources(facts: Facts) -> Iterator[str]:
    if not facts.tally.by_source:
        yield "No examples."
        return
    documents = Counter((d.licence, d.source) for d in facts.source.result.documents.values())
    yield "Each row names its own document, source and licence.\n\n| licence | source | rows | documents of the run |"
    yield "|---|---|---|---|"
    found = sorted(facts.tally.by_source.items(), key=lambda item: (-item[1], item[0]))
    for (licence, origin), count in found[:_SHOWN]:
        words = inline(licence or "not stated"), inline(origin or "not stated")
        yield f"| {words[0]} | {words[1]} | {count} | {documents[licence, origin]} |"
    if more := found[_SHOWN:]:
        yield f"| … | {len(more)} more | {sum(count for _, count in more)} | |"


def _columns(facts: Facts) -> Iterator[str]:
    yield ", ".join(f"`{name}`" for name in facts.exporter.columns) + "\n"
    yield from (f"- `{name}`: {meaning}" for name, meaning in MEANINGS.items())


def _limits(facts: Facts) -> Iterator[str]:
    verified = facts.source.result.verified
    yield f"- {_UNCHECKED.get(verified, 'Nothing was checked that is not named above.')}"
    if _has_texts(facts):
        yield "- Models wrote the examples, from the documents named above; they can carry errors and biases of both."
    else:
        yield "- Models wrote the examples, from no document; they can carry the models' errors and biases."
    if {"weak_solver", "strong_solver"} & _asked(facts).keys():
        yield "- Difficulty is that of the solvers named above; for other models it can be another."
    yield "- Nobody compared the examples with test sets of benchmarks unless a verifier above says so."
    yield "- Personal data and harmful content were not searched for."
    yield "- The licences are as the documents' owner stated them; nobody checked them."


def _loading(facts: Facts) -> Iterator[str]:
    kind = "parquet" if facts.data.suffix == ".parquet" else "json"
    name = facts.out.name
    words = {
        # Without the dot, a folder called "parquet" would be taken for the format.
        "path": ascii(f"./{name}" if facts.exporter.file else name),
        "pattern": ascii(glob.escape(name)),
        "kind": kind,
        "split": 'split="train"' if facts.tally.n else 'split="train", streaming=True',
    }
    code = re.sub(r"\{(path|pattern|kind|split)\}", lambda found: words[found[1]], facts.exporter.load)
    yield f"```python\n{code}\n```"
    if not facts.tally.n and "{split}" in facts.exporter.load:
        yield "\n`datasets` refuses a split without rows unless it is streamed."
        if facts.data.suffix == ".parquet":
            place = ascii(str(facts.data.relative_to(facts.out.parent)))
            yield "This gives a `Dataset` of no rows with the right columns:\n\n```python"
            yield f"import datasets, pyarrow.parquet\nrows = datasets.Dataset(pyarrow.parquet.read_table({place}))\n```"
    if "features=" in code:
        yield "\n`features=` gives the types; without it, a column that begins with many empty values may not load."


_SECTIONS = {
    "Loading": _loading,
    "Method": _method,
    "Models": _models,
    "What stands behind the examples": _behind,
    "Yield": _yield,
    "Cost": _cost,
    "Sources and licences": _sources,
    "Columns": _columns,
    "Limits": _limits,
    "Citation": lambda facts: iter([_CITATION]),
}
