"""Data sets in the formats that trainers and hubs expect, each with its card.

>>> export("runs/my-run", "chat_sft", "train.jsonl")
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autodata_dspy import registry
from autodata_dspy.errors import ConfigError
from autodata_dspy.exporters._card import Facts, card
from autodata_dspy.exporters._source import Source, source_of
from autodata_dspy.exporters._writing import plain, staged
from autodata_dspy.exporters.base import Example, Exporter, Row, Tally, common_row, features_of
from autodata_dspy.results import Result

if TYPE_CHECKING:
    import datasets

    from autodata_dspy.domains.base import Domain

__all__ = ["Exported", "export", "features"]


@dataclass(frozen=True)
class Exported:
    """What `export` wrote.

    Attributes:
        path: the data set, as it was asked for.
        card: where its card lies.
        n: rows.
        n_skipped: examples that have no row in this format.
        skipped: why; follows "7 of 20 examples".
    """

    path: Path
    card: Path
    n: int
    n_skipped: int
    skipped: str


def export(
    run: Result | str | Path,
    format: str,
    out: str | Path,
    *,
    overwrite: bool = False,
    domain: Domain | None = None,
) -> Exported:
    """Write the accepted examples that the final audit left, in the order of the run, with a card beside them.

    The file appears whole or not at all. Without examples it is a valid empty one with the same columns.

    Args:
        run: what `generate` returned, or a run folder, also of an unfinished run.
        format: an exporter's name: jsonl, parquet, hf, chat_sft, dpo, grpo, dspy, or one of another package.
        out: a file (the card is `<out>.card.md`); a folder for "hf" (the card is its README.md). A name ending in
            `.parquet` makes chat_sft, dpo and grpo Parquet; they are JSON lines otherwise.
        overwrite: replace an earlier export there.
        domain: of a run whose domain is no plugin; its template writes the conversations.

    Raises:
        ConfigError: an unknown format; a place that is taken, lies in the run folder or cannot be written.
        StoreError: no run folder, or a damaged one.
    """
    exporter: Exporter = registry.load("exporters", format)
    out = Path(out)
    data, beside = _places(exporter, out)
    _check_place(exporter, out, overwrite, [data, beside], None if isinstance(run, Result) else Path(run))
    source = source_of(run)
    if exporter.needs_domain and domain is None:
        domain, source = _domain_of(source)
    tally = Tally()
    with staged([data, beside]) as (data_part, card_part):
        exporter.write(_rows(exporter, source.result, domain, tally), exporter.columns, data_part)
        card_part.write_text(card(Facts(source, exporter, tally, out, data)), encoding="utf-8", newline="\n")
    return Exported(out, beside, tally.n, tally.n_skipped, exporter.skipped)


def features(format: str) -> datasets.Features:
    """The columns of a format with their types, for `datasets.load_dataset("json", …, features=…)`.

    JSON lines have no schema of their own: a column without a value would otherwise have no type.
    """
    return features_of(registry.load("exporters", format).columns)


def _places(exporter: Exporter, out: Path) -> tuple[Path, Path]:
    """Where the data and the card go."""
    return (out / exporter.file, out / "README.md") if exporter.file else (out, out.with_name(out.name + ".card.md"))


def _check_place(exporter: Exporter, out: Path, overwrite: bool, files: list[Path], run_dir: Path | None) -> None:
    if not out.name:
        raise ConfigError(f"--out {str(out)!r} names no place of its own; name a file or a folder to be made")
    if run_dir is not None and run_dir.resolve() in (out.resolve(), *out.resolve().parents):
        raise ConfigError(f"{out} lies in the run folder {run_dir}; name a place outside of it")
    if exporter.file and out.exists() and not out.is_dir():
        raise ConfigError(f"{out} is a file; the format {exporter.name!r} makes a folder: name another place")
    if not exporter.file and out.is_dir():
        raise ConfigError(f"{out} is a folder; the format {exporter.name!r} makes a file: name one in it")
    taken = [out] if exporter.file and out.is_dir() and any(out.iterdir()) else [f for f in files if f.exists()]
    if taken and not overwrite:
        raise ConfigError(f"{taken[0]} exists; name another place, or replace it with --overwrite")


def _domain_of(source: Source) -> tuple[Domain | None, Source]:
    """The domain of a run; a remark where it is not installed."""
    try:
        return registry.load("domains", source.domain), source
    except ConfigError:
        remark = (
            f"The domain {source.domain!r} is not installed where this was exported: conversations are context and "
            "question, then the answer; no verifier is named."
        )
        return None, Source(source.result, source.config, (*source.remarks, remark))


def _rows(exporter: Exporter, result: Result, domain: Domain | None, tally: Tally) -> Iterator[Row]:
    """Rows in the order of the run, each with every column, counted on the way."""
    for trajectory, round_ in result.kept:
        example = Example(common_row(round_, trajectory, result), round_, domain)
        own = exporter.row(example)
        if own is None:
            tally.n_skipped += 1
            continue
        tally.add(example)
        whole: dict[str, Any] = {**example.row, **own}
        yield plain({name: whole[name] for name in exporter.columns})
