"""Save a data-maker's prompts as a portable program, and make a data-maker of one. Nothing is pickled or run."""

from __future__ import annotations

import inspect
import itertools
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autodata_dspy import program_card, registry
from autodata_dspy.errors import ArtifactError, ConfigError, UnknownPluginError, did_you_mean
from autodata_dspy.labelled_task import LabelledTask
from autodata_dspy.program_file import (
    Card,
    Options,
    Program,
    RoleUsed,
    checked,
    read_program,
    write_program,
    write_whole,
)
from autodata_dspy.program_sources import locate
from autodata_dspy.roles import EMBEDDED, Roles

if TYPE_CHECKING:
    from autodata_dspy.domains.base import Domain

# Of a role's parameters these are kept: none of them can hold a key or an address.
_SAMPLING = (
    *("temperature", "top_p", "top_k", "min_p", "seed", "max_tokens", "max_completion_tokens", "n_ctx", "stop"),
    *("frequency_penalty", "presence_penalty", "repetition_penalty", "reasoning_effort"),
)
_PLAYING = ("challenger", "quality_verifier", "weak_solver", "strong_solver", "judge")
_ASKED_FOR = "quality_verifier"  # part of the examiner unless somebody wants it compiled


def save_program(maker: Any, path: str | Path, card: Card | Mapping[str, Any] | None = None) -> None:
    """Write a generator's prompts as a program file, and a card in Markdown beside it (`<name>.md`).

    The file holds the predictors that can change (instructions, demonstrations, names of the fields), the generator's
    and the domain's name, options that are plain data, the adapter, and who played which role; no key and no endpoint.
    Of a demonstration the signature's fields are kept, not what optimizers note beside them (`augmented`, or the other
    columns of a training example). Files that were there are replaced in one step each, or not at all.

    Args:
        maker: a generator, or any `dspy.Module`; only generators can be loaded without `maker=`.
        card: how it was made; see `program_file.Card`.

    Raises:
        ArtifactError: the maker or the card has a part that JSON cannot hold, a file cannot be written, or `path` does
            not end in .json.
    """
    path = Path(path)
    if path.suffix != ".json":  # the card takes the name with another ending
        raise ArtifactError(f"{path}: the name of a program file ends in .json")
    program = describe(maker, card)
    write_program(program, path)
    write_whole(path.with_suffix(".md"), program_card.card(program, path.stem).encode())


def describe(maker: Any, card: Card | Mapping[str, Any] | None = None) -> Program:
    """What `save_program` writes.

    Raises:
        ArtifactError: a demonstration or the card is no plain data.
    """
    import dspy

    domain, roles = getattr(maker, "domain", None), getattr(maker, "roles", None)
    adapter = dspy.settings.adapter
    try:
        return checked(
            Program,
            {
                "generator": _generator_name(maker),
                "domain": getattr(domain, "name", ""),
                "task": _task_of(domain),
                "paper_form": domain is not None and _in_paper_form(domain),
                "options": _options_of(maker),
                "predictors": {name: _prompt(predictor) for name, predictor in maker.named_predictors()},
                "adapter": type(adapter).__name__ if adapter is not None else "",
                "roles": _roles_used(roles) if isinstance(roles, Roles) else {},
                "card": card if card is not None else Card(),
            },
        )
    except ArtifactError as error:
        raise ArtifactError(f"the program cannot be saved: {error}") from None


def load_program(name_or_path: str | Path, roles: Roles | None = None, maker: Any = None) -> Any:
    """A generator with the prompts of a program; a `dspy.Module` like any other.

    It can stand inside another module, be frozen (`_compiled = True`), be compiled further, and be saved again.
    Solvers, judges, verifiers and the acceptance rule come from this code and from `roles`, never from the file.

    Args:
        name_or_path: a shipped program's name ("legal_labels/terms_of_service"), a path, or
            "hf:OWNER/REPOSITORY[/FILE.json]".
        roles: who plays which role; by default `dspy.configure(lm=…)`, then the embedded models.
        maker: an uncompiled module of the same kind to put the prompts into, for those that are no plugins. It keeps
            its own roles, options and domain.

    Raises:
        ArtifactError: unreadable, of a newer schema, or not fitting (names the part that differs); the maker is as
            it was.
        ConfigError: no such program, `roles` together with `maker`, or a plugin that is not here.
    """
    path = locate(name_or_path)
    program = read_program(path)
    if maker is not None and roles is not None:
        raise ConfigError("load_program: give roles or a maker, not both; a maker has its own roles")
    try:
        if maker is None:
            maker = uncompiled(program, roles)
        _put(program, maker)
    except (ArtifactError, ConfigError) as error:
        raise type(error)(f"{path}: {error}") from None
    return maker


def uncompiled(program: Program, roles: Roles | None = None) -> Any:
    """The generator a program was compiled from, as the code makes it.

    Raises:
        ConfigError: an unknown generator, domain or part to leave out, or a task that the domain does not take.
        ArtifactError: an option that the generator does not have.
    """
    kind = registry.load("generators", generator_plugin(program))
    options = program.options.given()
    for name in options.keys() - inspect.signature(kind.__init__).parameters.keys():
        raise ArtifactError(f"options.{name}: the generator {program.generator!r} does not take it")
    maker = kind(domain_of(program), roles, **options)
    _open(program, maker)
    return maker


def generator_plugin(program: Program) -> str:
    """The name of a program's generator among the plugins; files of schema 1 have the name of its class.

    Raises:
        UnknownPluginError: it is none.
    """
    known = registry.names("generators")
    if program.generator in known:
        return program.generator
    by_class = {registry.load("generators", name).__name__: name for name in known}
    if program.generator not in by_class:
        hint = "; a module of your own is loaded with load_program(…, maker=MODULE)"
        raise UnknownPluginError(did_you_mean("generator", program.generator, known) + hint)
    return by_class[program.generator]


def domain_of(program: Program) -> Domain:
    """The domain of a program, for its task. Raises ConfigError: unknown, not told, or it takes no task."""
    if not program.domain:
        raise ConfigError("the file does not tell the domain (schema 1); load it with maker=GENERATOR")
    domain = registry.load("domains", program.domain)
    if program.paper_form:
        if domain.paper_form is None:
            raise ConfigError(f"the domain {program.domain!r} has but one form, but the file has another")
        domain = domain.paper_form()
    if program.task is None:
        return domain
    if domain.for_task is None:
        raise ConfigError(f"the domain {program.domain!r} takes no task, but the file has one")
    return domain.for_task(LabelledTask.of(program.task))


def _put(program: Program, maker: Any) -> None:
    domain = getattr(getattr(maker, "domain", None), "name", "")
    if program.domain and domain and program.domain != domain:
        raise ArtifactError(f"domain: the program is for {program.domain!r}, the generator's is {domain!r}")
    if program.domain and domain and _sorting(program.task) != _sorting(_task_of(maker.domain)):
        raise ArtifactError("task: the program is for another classification task than the generator's domain")
    if program.domain and domain and program.paper_form != _in_paper_form(maker.domain):
        forms = ("paper's form", "short form") if program.paper_form else ("short form", "paper's form")
        raise ArtifactError(
            f"paper_form: the program is for the {forms[0]} of {domain!r}, the generator's is the {forms[1]}"
        )
    before = getattr(getattr(maker, _ASKED_FOR, None), "_compiled", None)
    _open(program, maker)
    expected = dict(maker.named_predictors())
    try:
        _check_fit(program, expected)
    except ArtifactError:
        if before is not None:
            getattr(maker, _ASKED_FOR)._compiled = before
        raise
    for name, predictor in expected.items():
        prompt = program.predictors[name]
        # The line before keeps DSPy, which cleans instructions like docstrings, from taking off a first indentation.
        predictor.signature = predictor.signature.with_instructions("\n" + prompt.instructions)
        predictor.demos = [dict(demo) for demo in prompt.demos]


def _sorting(task: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What a task is, without the texts that somebody gives as examples of it, and without their length."""
    return {k: v for k, v in task.items() if k not in ("examples", "words")} if task is not None else None


def _open(program: Program, maker: Any) -> None:
    """Let the quality verifier change where the program has prompts of it: somebody asked for that."""
    examiner = getattr(maker, _ASKED_FOR, None)
    if examiner is not None and any(name.startswith(f"{_ASKED_FOR}.") for name in program.predictors):
        examiner._compiled = False


def _check_fit(program: Program, expected: dict[str, Any]) -> None:
    if set(program.predictors) != set(expected):
        given = sorted(program.predictors)
        raise ArtifactError(f"the program has the predictors {given}, the generator has {sorted(expected)}")
    for name, predictor in expected.items():
        prompt, fields = program.predictors[name], list(predictor.signature.fields)
        for theirs, ours in itertools.zip_longest(prompt.fields, fields):
            if theirs != ours:
                said = f"has {_named(theirs)} where the generator has {_named(ours)}"
                raise ArtifactError(f"{name} {said}: {prompt.fields} and {fields}")
        for field in (field for demo in prompt.demos for field in demo if field not in fields):
            raise ArtifactError(f"a demo of {name} has the field {field!r}; the predictor has {fields}")


def _named(field: str | None) -> str:
    return "no more field" if field is None else f"the field {field!r}"


def _prompt(predictor: Any) -> dict[str, Any]:
    signature = predictor.signature
    fields = list(signature.fields)
    return {
        "inputs": {name: _told(name, field) for name, field in signature.input_fields.items()},
        "outputs": {name: _told(name, field) for name, field in signature.output_fields.items()},
        "instructions": signature.instructions,
        "demos": [{field: demo[field] for field in fields if field in demo} for demo in predictor.demos],
    }


def _told(name: str, field: Any) -> str:
    """What a prompt says of a field: its description, and the values it may have where they are few."""
    said = field.json_schema_extra.get("desc") or ""
    parts = [] if said == f"${{{name}}}" else [said]
    if typing.get_origin(field.annotation) is typing.Literal:
        parts.append("one of: " + ", ".join(map(str, typing.get_args(field.annotation))))
    return "; ".join(part for part in parts if part)


def _generator_name(maker: Any) -> str:
    kind = type(maker)
    own = (n for n in registry.names("generators") if kind.__module__ == f"autodata_dspy.generators.{n}")
    return next(own, kind.__name__)


def _options_of(maker: Any) -> dict[str, Any]:
    taken = inspect.signature(type(maker).__init__).parameters
    given = {name: getattr(maker, name, None) for name in Options.model_fields if name in taken}
    return {name: list(v) if isinstance(v, tuple) else v for name, v in given.items() if v is not None}


def _task_of(domain: Any) -> dict[str, Any] | None:
    task = getattr(domain, "task", None)
    return None if task is None or task == registry.load("domains", domain.name).task else task.to_table()


def _in_paper_form(domain: Domain) -> bool:
    """Told by the room that is left for its long rubrics, which parts that are left out do not change."""
    if domain.name not in registry.names("domains"):
        return False
    form = registry.load("domains", domain.name).paper_form
    return form is not None and domain.write_tokens == form().write_tokens


def _roles_used(roles: Roles) -> dict[str, Any]:
    """Who plays which role now; of the roles that a generator has no part for, those that were named."""
    import dspy

    named = roles.to_dict()
    default = dspy.settings.lm
    for role in _PLAYING:
        model = default.model if default is not None else EMBEDDED[role]
        named.setdefault(role, {"model": model, **(default.kwargs if default is not None else {})})
    used = {role: {**getattr(roles._given.get(role), "kwargs", {}), **spec} for role, spec in named.items()}
    return {role: _without_secrets(spec) for role, spec in used.items()}


def _without_secrets(spec: dict[str, Any]) -> RoleUsed:
    model = " ".join("…" if "://" in part else part for part in str(spec["model"]).split())
    return RoleUsed(model=model, parameters={k: spec[k] for k in _SAMPLING if spec.get(k) is not None})
