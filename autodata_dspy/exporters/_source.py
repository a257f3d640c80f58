"""What there is to export: a Result, or what a run folder holds. Reading a folder starts nothing and asks no model."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autodata_dspy import registry, runs
from autodata_dspy.config import RunConfig
from autodata_dspy.errors import ConfigError, StoreError
from autodata_dspy.results import Result
from autodata_dspy.roles import EMBEDDED, ROLES
from autodata_dspy.store import RunFolder
from autodata_dspy.types import Document, Trajectory

_CONFIG = {"n": int, "domain": str, "roles": dict, "acceptance": dict}
_RECORD = {"origin": dict, "models": dict, "verified": str}


@dataclass(frozen=True)
class Source:
    """A result with what the card tells of it.

    Attributes:
        result: rejected rounds of a run folder come without their challenges and rollouts, which nobody exports.
        config: as it stands in the run folder; empty for a run made in Python.
        remarks: sentences about what is incomplete or unknown.
    """

    result: Result
    config: dict[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    @property
    def domain(self) -> str:
        """Name of the domain; "" where nobody recorded it."""
        documents = self.result.documents.values()
        return self.result.origin.get("domain", "") or next((d.domain for d in documents), "")


def source_of(run: Result | str | Path) -> Source:
    """A Result as it is, or the run in a folder.

    Raises:
        StoreError: no run folder, or a damaged one.
    """
    if not isinstance(run, Result):
        return _of_folder(RunFolder(Path(run)))
    remarks = (f"The run was stopped before its end: {run.stopped}",) if run.stopped else ()
    return Source(run, {}, remarks)


def _of_folder(folder: RunFolder) -> Source:
    runs.refuse_others(folder.path)
    config = _checked(folder.read_config()[0], _CONFIG, folder.path / "config.json")
    _checked(config.get("roles") or {}, dict.fromkeys(ROLES, dict), folder.path / "config.json")
    documents = {d.id: d for d in folder.read_documents()}
    found = {(t.document_id, t.seed): t for t in folder.trajectories(rejected=False)}
    usage, record = folder.read_usage(), folder.read_result()
    if record is None:
        record, remarks = _reconstructed(config, documents, found)
        whole = [found[i, s] for i, s, _ in record["trajectories"]]
    else:
        _checked(record, _RECORD, folder.path / "result.json")
        # A document that was taken up again later has been through no final audit as it is now.
        whole = [found[i, s] for i, s, n in record["trajectories"] if (i, s) in found and len(found[i, s].rounds) == n]
        remarks = [f"The run was stopped before its end: {record['stopped']}"] if record.get("stopped") else []
    if n_left := len(found) - len(whole):
        remarks.append(
            f"{n_left} more documents in the run folder are left out: they came after the last example that was "
            "wanted, or have not been through a final audit (`autodata resume` takes them in)."
        )
    result = Result(
        trajectories=tuple(whole),
        documents=documents,
        usage=usage.get("by_role", {}),
        seconds=usage.get("seconds", 0.0),
        models=record.get("models", {}),
        verified=record.get("verified", ""),
        removed=tuple(folder.read_removed()),
        origin=record.get("origin", {}),
    )
    return Source(result, config, tuple(remarks))


def _checked(data: Any, forms: dict[str, type], path: Path) -> dict[str, Any]:
    """What a folder says, where what is read of it has its form; versions and hands of all kinds wrote it.

    Raises:
        StoreError: it has not. (The value is not told: it may be a key.)
    """
    wrong = "config" if not isinstance(data, dict) else ""
    if not wrong:
        wrong = next((name for name, form in forms.items() if not isinstance(data.get(name) or form(), form)), "")
    if wrong:
        raise StoreError(f"{path} cannot be read: {wrong!r} has another form than autodata gives it; correct it")
    return data


def _reconstructed(
    config: dict[str, Any], documents: dict[str, Document], found: dict[tuple[str, int], Trajectory]
) -> tuple[dict[str, Any], list[str]]:
    """What `result.json` would hold, as far as it can be told, for a folder without one."""
    remarks = [
        "No session of the run has come to its end, or an earlier version made it: which version, rule and models made "
        "it is told from its configuration, and the final audit may not have seen every example."
    ]
    kept, n_accepted = [], 0
    for key in _in_order(documents, found):
        if n_accepted >= (config.get("n") or float("inf")):
            break
        kept.append([*key, len(found[key].rounds)])
        n_accepted += len(found[key].accepted)
    name, roles = config.get("domain") or "", config.get("roles") or {}
    models = {role: (roles.get(role) or {}).get("model", EMBEDDED[role]) for role in ROLES} if config else {}
    verified, origin = "", {"domain": name}
    with contextlib.suppress(ConfigError):  # of another version, or of what is not installed here: nobody can tell
        if told := RunConfig.of(config) if config else None:  # else made in Python
            verified = runs.verified(told)
            learns = registry.load("domains", name).learner and "learner" not in told.without
            models |= {"weak_solver": "learner"} if learns else {}
            if "acceptance" not in inspect.signature(runs.generator_of(told).__init__).parameters:
                origin["acceptance"] = ""  # it has none
    return {"trajectories": kept, "models": models, "verified": verified, "origin": origin}, remarks


def _in_order(documents: dict[str, Document], found: dict[tuple[str, int], Trajectory]) -> Iterator[tuple[str, int]]:
    """Pass by pass, each in the order of the documents, whatever order they finished in."""
    place = {id_: number for number, id_ in enumerate(documents)}
    yield from sorted(found, key=lambda key: (key[1], place.get(key[0], len(place)), key[0]))
