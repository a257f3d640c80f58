"""A benchmark as a TOML file: which arms, on what, with which seeds, at equal what.

documents = "contracts/"                       # these three lines are a whole suite
test = "clauses.test.jsonl"
roles = { all = "openai/gpt-4o-mini", weak_solver = "openai/gpt-4.1-nano", student = "openai/gpt-4.1-nano" }
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator, model_validator

from autodata_dspy.config import (
    AcceptanceConfig,
    LimitsConfig,
    Strict,
    first_problem,
    read_toml,
    roles_table,
    task_table,
)
from autodata_dspy.errors import ConfigError, did_you_mean
from autodata_dspy.roles import ROLES

ARMS = ("self_instruct", "cot_self_instruct", "agentic_self_instruct")


def _roles(value: Any) -> Any:
    """`all` plays every role that is not named."""
    if isinstance(value, dict) and "all" in value:
        value = {**dict.fromkeys(ROLES, value["all"]), **{k: v for k, v in value.items() if k != "all"}}
    return roles_table(value)


class Arm(Strict):
    """One way to make data.

    Attributes:
        program: a generator's name, or a compiled program (its name, a .json file, "hf:…").
        examples: instead of a program, a JSON-lines file of examples made elsewhere; see `given`. `{seed}` and
            `{domain}` in its name stand for those of a run.
        name: by default the program's, with what is left out, or the file's.
        note: stands below the tables.
        without: parts to leave out; see `ablations`.
        grounded: write from the documents; False: from seed tasks alone, for programs that can.
        max_rounds, per_document, acceptance: as in a run's configuration.
        roles: other models than the suite's, in this arm alone; never those of the examiner.
        domains: names of those it works in; by default all.
    """

    program: str = ""
    examples: str = ""
    name: str = ""
    note: str = ""
    without: tuple[str, ...] = ()
    grounded: bool = True
    max_rounds: int | None = Field(default=None, ge=1)
    per_document: int | None = Field(default=None, ge=1)
    acceptance: AcceptanceConfig = AcceptanceConfig()
    roles: dict[str, dict[str, Any]] = Field(default_factory=dict)
    domains: tuple[str, ...] = ()

    read_roles = field_validator("roles", mode="before")(_roles)

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, given: Any) -> Any:
        return {"program": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _of_one_kind(self) -> Arm:
        if bool(self.program) == bool(self.examples):
            raise ValueError("an arm has either a program or a file of examples")
        others = sorted(self.model_fields_set - {"examples", "name", "note", "domains"}) if self.examples else []
        if others:
            raise ValueError(f"examples made elsewhere take no {others[0]!r}")
        return self

    @property
    def title(self) -> str:
        """Its name in tables and folders."""
        if self.examples:
            return self.name or re.sub(r"[-_.]*\{\w+\}", "", Path(self.examples).stem) or "examples"
        without = f" without {', '.join(self.without)}" if self.without else ""
        stem = self.program.removesuffix(".json").rpartition("/")[2] if self.program.endswith(".json") else self.program
        return self.name or stem + without + ("" if self.grounded else ", no documents")


class Subject(Strict):
    """What the arms work on, and what their students are tested on.

    Attributes:
        domain: by default "legal_labels" where there is a task or a labelled test file, else "math_objects".
        task: a classification task, a TOML file or a table; by default the labels of the test file.
        documents: as for `autodata generate`.
        seed_tasks: a file, for programs that start from seed tasks.
        test: JSON lines of real items that nothing but the final number may see; see `probes`.
        human: real items of the same kind that may be looked at: the human-data line's, and a task's first examples,
            before its own. By default a few items of each label of a labelled test file are set aside.
        labels: the test file's label → the task's.
        verifier: scores students' answers in domains whose own verifier asks a model.
    """

    domain: str | None = None
    task: dict[str, Any] | None = None
    documents: str = "builtin"
    seed_tasks: str | None = None
    test: str | None = None
    human: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    verifier: str | None = None

    @field_validator("task", mode="before")
    @classmethod
    def _read_task(cls, value: Any) -> Any:
        return task_table(value)


class Budget(Strict):
    """What arms have in common in a comparison, each seed for itself; every one that is given is a comparison.

    Attributes:
        calls: model calls that an arm may make.
        tokens: that it may use (in + out).
        examples: accepted examples at which it ends.
    """

    calls: int | None = Field(default=None, ge=2)
    tokens: int | None = Field(default=None, ge=100)
    examples: int | None = Field(default=None, ge=1)

    def given(self) -> dict[str, int]:
        return {name: value for name, value in self.model_dump().items() if value is not None}


class Examination(Strict):
    """How examples are examined anew, all arms' alike.

    Attributes:
        attempts: of each solver at an example.
        examples: looked at of one arm and seed, drawn by the seed where there are more.
        roles: other solvers than those that the arms work with.
    """

    attempts: int = Field(default=4, ge=1, le=64)
    examples: int = Field(default=40, ge=1)
    roles: dict[str, dict[str, Any]] = Field(default_factory=dict)

    read_roles = field_validator("roles", mode="before")(_roles)


class Suite(Subject):
    """A benchmark. Of `Subject`, what stands at the top holds for every domain that does not say otherwise.

    Attributes:
        arms: names of programs, or tables (see `Arm`); the first is what the others are compared with.
        pairs: which arms to compare, [better?, than]; by default each with the first.
        domains: name → what to work on; by default one, of what stands at the top.
        seeds: seeds, or how many (0, 1, …).
        budget: by default 200 calls.
        sizes: students learn also from the first so many examples.
        generations: from the second on, the accepted examples of the one before are the documents and seed tasks.
        roles: role → model, `all` for those not named.
        limits: of each run, on top of the budget.
        passes: over the documents, at most.
        concurrency: documents at a time.
        executor: where they are worked on, as for `autodata generate`.
        examiner: see `Examination`.
    """

    name: str = "bench"
    arms: tuple[Arm, ...] = tuple(Arm(program=name) for name in ARMS)
    pairs: tuple[tuple[str, str], ...] = ()
    domains: dict[str, Subject] = Field(default_factory=dict)
    seeds: tuple[int, ...] = (0, 1, 2)
    budget: Budget = Budget(calls=200)
    sizes: tuple[int, ...] = ()
    generations: int = Field(default=1, ge=1, le=100)
    roles: dict[str, dict[str, Any]] = Field(default_factory=dict)
    limits: LimitsConfig = LimitsConfig()
    passes: int = Field(default=100, ge=1, le=1000)
    concurrency: int = Field(default=2, ge=1, le=256)
    executor: str = "threads"
    examiner: Examination = Examination()

    read_roles = field_validator("roles", mode="before")(_roles)

    @field_validator("seeds", mode="before")
    @classmethod
    def _count(cls, value: Any) -> Any:
        return tuple(range(value)) if isinstance(value, int) and not isinstance(value, bool) else value

    @field_validator("seeds", "sizes")
    @classmethod
    def _once(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(value)) < len(value) or any(number < 0 for number in value):
            raise ValueError("each number once, none below 0")
        return value

    @field_validator("sizes")
    @classmethod
    def _some(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if 0 in value:
            raise ValueError("none below 1")
        return value

    @model_validator(mode="after")
    def _fits(self) -> Suite:
        titles = [arm.title for arm in self.arms]
        for what, given in (("arms", titles), ("seeds", self.seeds), ("budget", self.budget.given())):
            if not given:
                raise ConfigError(f"setting {what!r}: the suite has none; name at least one, or leave the setting out")
        if again := next((t for t in titles if titles.count(t) > 1), None):
            raise ConfigError(f"setting 'arms': two are called {again!r}; give one of them a name of its own")
        if self.generations > 1 and (fixed := next((arm for arm in self.arms if arm.examples), None)):
            raise ConfigError(
                f"setting 'generations': the examples of {fixed.title!r} were made elsewhere, and no others"
            )
        for arm in (arm for pair in self.pairs for arm in pair):
            if arm not in titles:
                raise ConfigError(f"setting 'pairs': {did_you_mean('arm', arm, titles)}")
        for name in (name for arm in self.arms for name in arm.domains):
            if name not in self.subjects:
                raise ConfigError(f"setting 'arms': {did_you_mean('domain', name, self.subjects)}")
        return self

    @property
    def subjects(self) -> dict[str, Subject]:
        """Name → what to work on, complete."""
        own = self.model_dump(include=set(Subject.model_fields), exclude_unset=True)
        if not self.domains:
            return {self.domain or Path(self.test or self.documents).name.partition(".")[0] or "domain": Subject(**own)}
        return {name: Subject(**{**own, **each.model_dump(exclude_unset=True)}) for name, each in self.domains.items()}

    def arms_in(self, domain: str) -> list[Arm]:
        """The arms that work in a domain."""
        return [arm for arm in self.arms if not arm.domains or domain in arm.domains]

    def compared(self, domain: str) -> list[tuple[str, str]]:
        """Pairs of arms in a domain, [better?, than]."""
        first, *others = (arm.title for arm in self.arms)
        here = {arm.title for arm in self.arms_in(domain)}
        return [pair for pair in self.pairs or [(arm, first) for arm in others] if here.issuperset(pair)]

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Suite:
        """From plain data. Raises ConfigError with one line for the first problem."""
        try:
            return cls(**data)
        except ValidationError as error:
            raise ConfigError(first_problem(cls, error)) from None


def read_suite(path: str | Path) -> Suite:
    """Read a TOML file; its name is the suite's unless it says another. Paths in it are those of the working folder.

    Raises:
        ConfigError: unreadable, an unknown setting (with the nearest right name), or a bad value.
    """
    path = Path(path)
    try:
        return Suite.of({"name": path.stem, **read_toml(path, "suite")})
    except ConfigError as error:
        raise error if str(path) in str(error) else ConfigError(f"{path}: {error}") from None


def file_name(title: str) -> str:
    """A title as the name of a folder."""
    return re.sub(r"[^\w.+-]+", "-", title).strip("-.") or "x"
