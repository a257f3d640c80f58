"""A configured run: RunConfig → generator and documents → run folder. `resume` continues one."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autodata_dspy import registry
from autodata_dspy.acceptance import adjusted
from autodata_dspy.artifact import generator_plugin, load_program
from autodata_dspy.budget import Limits
from autodata_dspy.config import N_SLOTS, AcceptanceConfig, RunConfig
from autodata_dspy.documents import load_documents
from autodata_dspy.errors import ArtifactError, ConfigError, StoreError
from autodata_dspy.labelled_task import LabelledTask
from autodata_dspy.program_file import read_program
from autodata_dspy.program_sources import is_program, locate
from autodata_dspy.roles import Roles
from autodata_dspy.store import RunFolder
from autodata_dspy.types import Document, Removed, Verdict

if TYPE_CHECKING:
    from autodata_dspy.domains.base import Domain
    from autodata_dspy.events import Watch
    from autodata_dspy.executors import Elsewhere
    from autodata_dspy.results import Result


def domain_of(config: RunConfig) -> Domain:
    """The domain a configuration names, in its paper's form if that is wanted, for its task where it has one.

    Raises:
        ConfigError: unknown domain, one that takes no task, or one of a single form.
    """
    domain = registry.load("domains", config.domain)
    if config.paper_form:
        if domain.paper_form is None:
            raise ConfigError(f"setting 'paper_form': the domain {config.domain!r} has but one form; leave it out")
        domain = domain.paper_form()
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
    kind = generator_of(config)
    if config.documents == "none" and getattr(kind, "needs_documents", True):
        raise ConfigError(
            f"documents 'none': the program {config.program!r} writes from documents; name some, or use a program "
            "that starts from seed tasks, such as 'self_instruct'"
        )
    maker = kind(domain, Roles(**config.roles), **_options(config, kind, domain))
    return load_program(config.program, maker=maker) if is_program(config.program) else maker


def generator_of(config: RunConfig) -> Any:
    """The class of the generator that a configuration names, or that its program was compiled from."""
    name = config.program
    return registry.load("generators", generator_plugin(read_program(locate(name))) if is_program(name) else name)


def completed(config: RunConfig) -> RunConfig:
    """The configuration with what its program tells of itself (domain, task, options), unless it is set already.

    Raises:
        ConfigError, ArtifactError: no such program, or not one.
    """
    if not is_program(config.program):
        return config
    program = read_program(locate(config.program))
    told = {"domain": program.domain or None, "task": program.task, "paper_form": program.paper_form or None}
    told |= program.options.given()
    missing = {name: v for name, v in told.items() if v is not None and name not in config.model_fields_set}
    return RunConfig.of({**config.model_dump(exclude_unset=True), **missing})


def _options(config: RunConfig, kind: Any, domain: Domain) -> dict[str, Any]:
    """What the configuration sets, by the generator's parameter; what it leaves open is the generator's to choose."""
    given = {
        "acceptance": None
        if config.acceptance == AcceptanceConfig()
        else adjusted(domain.acceptance, config.acceptance.model_dump()),
        "per_document": config.per_document,
        "max_rounds": config.max_rounds,
        "quality_check": None if config.quality_check else False,
        "seeds": config.seeds,
        "without": config.without or None,
    }
    options = {name: value for name, value in given.items() if value is not None}
    known = inspect.signature(kind.__init__).parameters
    if any(p.kind is p.VAR_KEYWORD for p in known.values()):
        return options
    for name in options.keys() - known:
        takes = ", ".join(n for n in given if n in known) or "none of these settings"
        raise ConfigError(f"setting {name!r}: the program {config.program!r} does not take it; leave it out ({takes})")
    return options


def slots() -> list[Document]:
    """What stands for documents where there are none: each is one call of the generator, without a text."""
    return [Document(id=f"slot-{number:05d}", text="") for number in range(1, N_SLOTS + 1)]


def read_documents(config: RunConfig) -> list[Document]:
    """The configuration's documents; "builtin" are the domain's own, "none" are slots."""
    if config.documents == "none":
        return slots()
    if config.documents == "builtin":
        return domain_of(config).documents()
    return load_documents(config.documents, config.domain)


def start(
    config: RunConfig,
    run_dir: Path,
    watch: Watch | None = None,
    limits: Limits | None = None,
    executor: str | Elsewhere | None = None,
) -> Result:
    """Run a configuration in a folder, `completed`; an unfinished run of the same configuration there is continued.

    Args:
        limits, executor: of this session alone, instead of the configuration's.

    Raises:
        ConfigError, ArtifactError, StoreError: see `build_maker`, `load_documents`, `generate`.
    """
    config = completed(config)
    return _generate(config, read_documents(config), run_dir, watch, limits, executor)


def resume(run_dir: Path, watch: Watch | None = None, **changes: Any) -> Result:
    """Continue the run in a folder from its own config and documents.

    Args:
        changes: n, passes, concurrency, executor or limits (a dict) to use from now on; None keeps what was.

    Raises:
        StoreError: no run folder, in use, or damaged.
    """
    config = read_config(run_dir)
    given = {key: value for key, value in changes.items() if value is not None}
    if limits := {k: v for k, v in given.pop("limits", {}).items() if v is not None}:
        given["limits"] = {**config.limits.model_dump(), **limits}
    config = RunConfig.of({**config.model_dump(), **given})
    return _generate(config, RunFolder(run_dir).read_documents(), run_dir, watch)


def _generate(
    config: RunConfig,
    documents: list[Document],
    run_dir: Path,
    watch: Watch | None,
    limits: Limits | None = None,
    executor: str | Elsewhere | None = None,
) -> Result:
    from autodata_dspy.generation import generate

    if run_dir.exists() and not run_dir.is_dir():
        raise StoreError(f"{run_dir} is a file; name a folder for the run")
    return generate(
        build_maker(config),
        documents,
        config.n,
        seed=config.seed,
        passes=config.n_passes,
        concurrency=config.concurrency,
        executor=executor or config.executor,
        run_dir=run_dir,
        limits=limits or config.limits.limits(),
        config=config.model_dump(),
        watch=watch,
    )


def recheck(domain: str, result: Result) -> list[Verdict]:
    """A verdict for each example of the result, made anew; empty where no machine check stands behind it."""
    check = registry.load("domains", domain).recheck if result.verified == "checked" else None
    accepted = [round_.challenge for _, round_ in result.kept if round_.challenge]
    return check(accepted) if check and accepted else []


def verified(config: RunConfig) -> str:
    """What stands behind a run's examples ("checked", "judged", "none"); "" where domain or program is gone."""
    from autodata_dspy.ablations import Parts, leave_out  # with DSPy, which other readers of a run folder do not need

    try:
        full: Domain = registry.load("domains", config.domain)
        if own := getattr(generator_of(config), "verified_as", None):
            return own(full)
        return leave_out(Parts(full, full.acceptance), config.without).domain.verified
    except (ConfigError, ArtifactError):
        return ""


@dataclasses.dataclass(frozen=True)
class Outline:
    """A run folder at a glance; reading it needs neither models nor DSPy. `config` is None for a run that was
    made in Python without one; `counted` are the finished trajectories up to the one that completes its n, as in its
    result; `removed` is what the final audit of its last session took out."""

    config: RunConfig | None
    documents: dict[str, Document]
    trajectories: list[Any]
    counted: list[Any]
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
    usage, logged = folder.read_usage(), folder.read_calls_usage()
    if n_calls(logged) > n_calls(usage["by_role"]):  # the first documents are under way, or it was killed
        usage = {**usage, "by_role": logged}
    latest = list(folder.latest().values())
    counted = _counted(latest, list(documents), config.n if config is not None else None)
    return Outline(config, documents, latest, counted, usage, folder.read_removed())


def _counted(trajectories: list[Any], ids: list[str], n: int | None) -> list[Any]:
    place = {name: i for i, name in enumerate(ids)}
    found, n_accepted = [], 0
    for trajectory in sorted(trajectories, key=lambda t: (t.seed, place.get(t.document_id, 0))):
        if trajectory.status != "stopped" and (n is None or n_accepted < n):
            found.append(trajectory)
            n_accepted += len(trajectory.accepted)
    return found


def n_calls(usage: dict[str, Any]) -> int:
    """Model calls of all roles of a usage by role."""
    return sum(role["calls"] for role in usage.values())


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


def refuse_others(path: Path) -> None:
    """Raises StoreError: it is the folder of a compilation or a suite, which have no examples of their own."""
    for mark, what, command in (("compile.json", "a compilation", "compile"), ("cells.jsonl", "a suite", "bench")):
        if (path / mark).exists():
            raise StoreError(
                f"{path} is the folder of {what} and not of a run; to go on, or to see what came of it: the same "
                f"`autodata {command}` command with --run-dir {path}"
            )


def _configured(folder: RunFolder) -> RunConfig | None:
    refuse_others(folder.path)
    stored, _ = folder.read_config()
    return RunConfig.of(stored) if stored else None
