"""A configured run: RunConfig → generator and documents → run folder. `resume` continues one."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autodata_dspy import registry
from autodata_dspy.acceptance import adjusted
from autodata_dspy.artifact import load_program
from autodata_dspy.config import RunConfig
from autodata_dspy.documents import load_documents
from autodata_dspy.errors import ConfigError, StoreError
from autodata_dspy.labelled_task import LabelledTask
from autodata_dspy.roles import Roles
from autodata_dspy.store import RunFolder
from autodata_dspy.types import Document, Removed, Verdict

if TYPE_CHECKING:
    from autodata_dspy.domains.base import Domain
    from autodata_dspy.events import Watch
    from autodata_dspy.results import Result


def domain_of(config: RunConfig) -> Domain:
    """The domain a configuration names, for its task where it has one.

    Raises:
        ConfigError: unknown domain, or one that takes no task.
    """
    domain = registry.load("domains", config.domain)
    if config.task is None:
        return domain
    if domain.for_task is None:
        raise ConfigError(
            f"the domain {config.domain!r} takes no task; leave it out, or name the domain 'legal_labels'"
        )
    return domain.for_task(LabelledTask.of(config.task))


def build_maker(config: RunConfig) -> Any:
    """The generator a configuration describes.

    Raises:
        ConfigError, ArtifactError: unknown domain or program, contradicting numbers, a file that does not fit.
    """
    domain = domain_of(config)
    is_file = config.program.endswith(".json")
    kind = registry.load("generators", "agentic_self_instruct" if is_file else config.program)
    maker = kind(
        domain,
        Roles(**config.roles),
        acceptance=adjusted(domain.acceptance, config.acceptance.model_dump()),
        per_document=config.per_document,
        max_rounds=config.max_rounds,
        quality_check=config.quality_check,
        **_left_out(kind, config),
    )
    return load_program(maker, config.program) if is_file else maker


def _left_out(kind: Any, config: RunConfig) -> dict[str, Any]:
    """What a generator is told to do without; those that have nothing to leave out are not asked."""
    if not config.without:
        return {}
    if "without" not in inspect.signature(kind.__init__).parameters:  # a DSPy module hides its own signature
        raise ConfigError(
            f"the program {config.program!r} has no parts to leave out, such as {config.without[0]!r}; use "
            "agentic_self_instruct"
        )
    return {"without": config.without}


def read_documents(config: RunConfig) -> list[Document]:
    """The configuration's documents; "builtin" are the domain's own."""
    if config.documents == "builtin":
        return domain_of(config).documents()
    return load_documents(config.documents, config.domain)


def start(config: RunConfig, run_dir: Path, watch: Watch | None = None) -> Result:
    """Run a configuration in a folder; an unfinished run of the same configuration there is continued.

    Raises:
        ConfigError, ArtifactError, StoreError: see `build_maker`, `load_documents`, `generate`.
    """
    return _generate(config, read_documents(config), run_dir, watch)


def resume(run_dir: Path, watch: Watch | None = None, **changes: Any) -> Result:
    """Continue the run in a folder from its own config and documents.

    Args:
        changes: n, passes, concurrency or limits (a dict) to use from now on; None keeps what was.

    Raises:
        StoreError: no run folder, in use, or damaged.
    """
    config = read_config(run_dir)
    given = {key: value for key, value in changes.items() if value is not None}
    if limits := {k: v for k, v in given.pop("limits", {}).items() if v is not None}:
        given["limits"] = {**config.limits.model_dump(), **limits}
    config = RunConfig.of({**config.model_dump(), **given})
    return _generate(config, RunFolder(run_dir).read_documents(), run_dir, watch)


def _generate(config: RunConfig, documents: list[Document], run_dir: Path, watch: Watch | None) -> Result:
    from autodata_dspy.generation import generate

    if run_dir.exists() and not run_dir.is_dir():
        raise StoreError(f"{run_dir} is a file; name a folder for the run")
    return generate(
        build_maker(config),
        documents,
        config.n,
        seed=config.seed,
        passes=config.passes,
        concurrency=config.concurrency,
        run_dir=run_dir,
        limits=config.limits.limits(),
        config=config.model_dump(),
        watch=watch,
    )


def recheck(domain: str, result: Result) -> list[Verdict]:
    """A verdict for each example of the result, made anew; empty where the domain has no machine check."""
    check = registry.load("domains", domain).recheck
    accepted = [round_.challenge for _, round_ in result.kept if round_.challenge]
    return check(accepted) if check and accepted else []


def verified(domain: str, without: Sequence[str] = ()) -> str:
    """What stands behind a domain's examples ("checked", "judged", "none"); "" where it is not installed here.

    Args:
        without: what the run left out.
    """
    from autodata_dspy.ablations import Parts, leave_out  # with DSPy, which other readers of a run folder do not need

    try:
        full: Domain = registry.load("domains", domain)
        return leave_out(Parts(full, full.acceptance), without).domain.verified
    except ConfigError:
        return ""


@dataclasses.dataclass(frozen=True)
class Outline:
    """A run folder at a glance; reading it needs neither models nor DSPy. `config` is None for a run that was
    made in Python without one; `removed` is what the final audit of its last session took out."""

    config: RunConfig | None
    documents: dict[str, Document]
    trajectories: list[Any]
    usage: dict[str, Any]
    removed: list[Removed]


def outline(run_dir: Path) -> Outline:
    """Read a run folder, also one that is being written.

    Raises:
        StoreError: it is not one, or damaged.
    """
    folder = RunFolder(run_dir)
    config = _configured(folder)
    documents = {d.id: d for d in folder.read_documents()}
    trajectories, usage = list(folder.latest().values()), folder.read_usage()
    return Outline(config, documents, trajectories, usage, folder.read_removed())


def n_accepted(run_dir: Path) -> int:
    """Accepted examples of the documents that are finished in a folder; 0 where there is no run yet."""
    folder = RunFolder(run_dir)
    return sum(len(t.accepted) for t in folder.latest().values() if t.status != "stopped") if folder.exists() else 0


def read_config(run_dir: Path) -> RunConfig:
    """The configuration a folder's run was started with.

    Raises:
        StoreError: no run folder, or its run has no configuration.
    """
    config = _configured(RunFolder(run_dir))
    if config is None:
        raise StoreError(
            f"{run_dir} was made in Python by `generate(…)` without a configuration; continue it with the same call"
        )
    return config


def _configured(folder: RunFolder) -> RunConfig | None:
    stored, _ = folder.read_config()
    return RunConfig.of(stored) if stored else None
