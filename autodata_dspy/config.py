"""The configuration of a run: one TOML file, CLI flags, or built in Python."""

from __future__ import annotations

import json
import math
import tomllib
import typing
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from autodata_dspy.budget import Limits
from autodata_dspy.errors import ConfigError, did_you_mean
from autodata_dspy.labelled_task import LabelledTask, read_task
from autodata_dspy.roles import ROLES, RoleSpec, check_role

MAX_PASSES = 1000
# Without documents a run goes through numbered slots, which are the same whatever n is: so n may change later.
N_SLOTS = 100  # of one pass
SLOTS_PER_EXAMPLE = 10  # how many may be spent on one wanted example, unless `passes` says otherwise


class Strict(BaseModel):
    """Settings as a table; a key that is none is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class AcceptanceConfig(Strict):
    """The acceptance rule. A value left out is the domain's own; see `acceptance.ExactCounts` and `Thresholds`.

    Attributes:
        preset: a rule of `acceptance.PRESETS` to start from instead of the domain's.
        n_weak, n_strong: attempts of each solver.
        max_weak, min_strong: of exact counts.
        weak_below, weak_at_most, weak_max, no_zero, strong_min, strong_below, gap: of thresholds.
    """

    preset: str | None = None
    n_weak: int | None = Field(default=None, ge=0, le=100)
    max_weak: int | None = Field(default=None, ge=0)
    n_strong: int | None = Field(default=None, ge=0, le=100)
    min_strong: int | None = Field(default=None, ge=0)
    weak_below: float | None = None
    weak_at_most: float | None = None
    weak_max: float | None = None
    no_zero: Literal["any", "all", "off"] | None = None
    strong_min: float | None = None
    strong_below: float | None = None
    gap: float | None = None


class LimitsConfig(Strict):
    """Bounds on calls, tokens (input + output) and US dollars; absent means unbounded."""

    max_calls: int | None = Field(default=None, ge=1)
    max_tokens: int | None = Field(default=None, ge=1)
    max_usd: float | None = Field(default=None, gt=0)

    def limits(self) -> Limits:
        return Limits(**self.model_dump())


class RunConfig(Strict):
    """Everything that determines a run.

    Attributes:
        domain: name of the domain.
        task: a classification task for a domain of labelled texts: a TOML file, or its content; see `labelled_task`.
            The content is kept, so that a run can go on when the file has moved.
        paper_form: the domain in the form of its paper, for strong models; see `Domain.paper_form`.
        program: name of a generator, or a program: a shipped one's name, a file (.json), or "hf:OWNER/REPOSITORY"; see
            `load_program`. What it tells of itself (domain, task, options) holds unless it is set here.
        documents: "builtin", "none" (for a program that can do without), a path to a file or a folder, or
            "hf:NAME[:SPLIT]"; see `load_documents` for the formats.
        seeds: a file of seed tasks, for a program that starts from them; None are the domain's own.
        n: accepted examples wanted; the run ends there, or when documents and passes are used up.
        passes: how often to go through the documents (each pass reads other passages); None is once, or as often as
            it takes where there are none (see `n_passes`).
        per_document: accepted examples wanted of one document in one pass; None is the domain's number.
        max_rounds: rounds spent on one document in one pass; None is the domain's number.
        seed: of every sampling decision.
        concurrency: documents worked on at the same time.
        executor: where: "threads", "loky", "dask[:ADDRESS]" or "ray[:ADDRESS]"; see `executors.started`.
        quality_check: let the quality verifier look before solvers are paid.
        without: parts of the program to leave out; see `ablations`.
        acceptance, roles, limits: see their classes.
    """

    domain: str = "math_objects"
    task: dict[str, Any] | None = None
    paper_form: bool = False
    program: str = "agentic_self_instruct"
    documents: str = "builtin"
    seeds: str | None = None
    n: int = Field(10, ge=1)
    passes: int | None = Field(None, ge=1, le=MAX_PASSES)
    per_document: int | None = Field(None, ge=1)
    max_rounds: int | None = Field(None, ge=1)
    seed: int = Field(0, ge=0)
    concurrency: int = Field(2, ge=1, le=256)
    executor: str = "threads"
    quality_check: bool = True
    without: tuple[str, ...] = ()
    acceptance: AcceptanceConfig = AcceptanceConfig()
    roles: dict[str, dict[str, Any]] = {}
    limits: LimitsConfig = LimitsConfig()

    @property
    def n_passes(self) -> int:
        """How often the documents, or the slots that stand for them, are gone through at most."""
        if self.passes is not None or self.documents != "none":
            return self.passes or 1
        return min(MAX_PASSES, math.ceil(self.n * SLOTS_PER_EXAMPLE / N_SLOTS))

    @field_validator("roles", mode="before")
    @classmethod
    def _read_roles(cls, value: Any) -> Any:
        return roles_table(value)

    @field_validator("task", mode="before")
    @classmethod
    def _read_task(cls, value: Any) -> Any:
        return task_table(value)

    @classmethod
    def read(cls, path: Path | None = None, **overrides: Any) -> RunConfig:
        """From a TOML file, with `overrides` (None ones ignored) on top; tables are merged key by key.

        A role's parameters join the file's; a role's model replaces all the file says of the role, because
        parameters made for another model or server may not fit.

        Raises:
            ConfigError: unreadable file, unknown key (with the nearest right name) or a bad value.
        """
        data = {} if path is None else read_toml(path, "configuration file")
        for key, value in overrides.items():
            if isinstance(value, dict) and isinstance(data.get(key, {}), dict):
                given = {k: v for k, v in value.items() if v is not None}
                data[key] = (_merge_roles if key == "roles" else dict.__or__)(data.get(key, {}), given)
            elif value is not None and not isinstance(value, dict):
                data[key] = value
        return cls.of(data)

    @classmethod
    def of(cls, data: dict[str, Any]) -> RunConfig:
        """From plain data. Raises ConfigError with one line for the first problem."""
        try:
            return cls(**data)
        except ValidationError as error:
            raise ConfigError(first_problem(cls, error)) from None
        except TypeError as error:
            raise ConfigError(f"configuration: {error}") from None


def roles_table(value: Any) -> dict[str, dict[str, Any]]:
    """role → {model, parameters} of what a file gives for `roles`.

    Raises:
        ValueError, ConfigError: no table, an unknown role, a value that names no model, or a key in clear.
    """
    if not isinstance(value, dict):
        raise ValueError("expected a table of roles")
    for role, spec in value.items():
        if isinstance(spec, dict) and "api_key" in spec:
            raise ConfigError(
                f"roles.{role}.api_key: keys are not kept in configurations; name an environment variable with "
                "api_key_env instead"
            )
    return {check_role(role): RoleSpec.read(role, spec).to_dict() for role, spec in value.items()}


def task_table(value: Any) -> Any:
    """A classification task as a table, of the name of its file or of a table. Raises ConfigError."""
    if isinstance(value, str):
        return read_task(value).to_table()
    return LabelledTask.of(value).to_table() if isinstance(value, dict) else value


def _merge_roles(earlier: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    merged = dict(earlier)
    for role, spec in given.items():
        if isinstance(spec, dict) and "model" not in spec:
            known = earlier.get(role, {})
            spec = {**(known if isinstance(known, dict) else {"model": known}), **spec}
        merged[role] = spec
    return merged


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """The tables of a file. Raises ConfigError: one line that says `what` it should be."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{what} not found: {path}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{what} {path}: {error}") from None


def first_problem(model: type[BaseModel], error: ValidationError) -> str:
    """One line for the first thing that is wrong; of an unknown setting, with the nearest right name."""
    first = error.errors()[0]
    where = [str(part) for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        table = model
        for part in where[:-1]:  # a place in a list and a name in a table of tables are no settings
            field = table.model_fields.get(part)
            table = (_model_in(field.annotation) if field else None) or table
        prefix = ".".join(where[:-1])
        return did_you_mean("setting", where[-1], table.model_fields) + (f" (in [{prefix}])" if prefix else "")
    message = first["msg"].removeprefix("Value error, ")
    return f"setting {'.'.join(where)!r}: {message}, not {first.get('input')!r}"


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that a field holds, alone or several of them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in typing.get_args(annotation) if (found := _model_in(arg))), None)


def parse_lm_flags(flags: list[str]) -> dict[str, Any]:
    """`["strong_solver=openai/gpt-4o-mini", "weak_solver.temperature=1.0"]` → roles table; `all` is for the others.

    Raises:
        ConfigError: no `=`, or an unknown role.
    """
    roles: dict[str, Any] = {}
    for flag in sorted(flags, key=lambda flag: not flag.startswith(("all=", "all."))):
        name, sign, value = flag.partition("=")
        role, dot, parameter = name.partition(".")
        if not sign or not value or (dot and not parameter):
            raise ConfigError(f"--lm {flag!r}: expected ROLE=MODEL, with ROLE one of {', '.join(ROLES)}, or all=MODEL")
        for each in list(ROLES) if role == "all" else [check_role(role)]:
            roles.setdefault(each, {})[parameter or "model"] = _number(value) if parameter else value
    return roles


def _number(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
