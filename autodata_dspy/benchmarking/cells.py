"""The cells of a suite: each an arm on a domain with a seed in one comparison, and a normal run folder."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autodata_dspy import runs
from autodata_dspy.benchmarking.given import Given, read_given
from autodata_dspy.benchmarking.grounds import Ground
from autodata_dspy.benchmarking.suite import Arm, Suite, file_name
from autodata_dspy.budget import Limits
from autodata_dspy.config import RunConfig
from autodata_dspy.documents.checks import says_something
from autodata_dspy.errors import StoreError
from autodata_dspy.generation import fingerprint, generate
from autodata_dspy.store import RunFolder
from autodata_dspy.types import Challenge

if TYPE_CHECKING:
    from autodata_dspy.events import Watch
    from autodata_dspy.executors import Elsewhere
    from autodata_dspy.results import Result

ENOUGH = 100_000  # examples wanted where the budget ends a run, not their number


@dataclass(frozen=True)
class Cell:
    """One run of a suite.

    Attributes:
        comparison: what arms have in common: "calls", "tokens" or "examples".
        amount: how many of them.
        generation: from 0; a later one starts from what `previous` accepted.
        folder: of the run.
        settings: of its configuration; of examples made elsewhere, their file, how many, and limits.
    """

    comparison: str
    amount: int
    ground: Ground
    arm: Arm
    seed: int
    folder: Path
    generation: int = 0
    previous: Cell | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        later = f", generation {self.generation}" if self.generation else ""
        return f"{self.arm.title} on {self.ground.name}, seed {self.seed}{later}, {self.amount} {self.comparison}"

    @property
    def key(self) -> str:
        return "/".join(
            (self.comparison, self.ground.name, self.arm.title, f"seed {self.seed}", f"generation {self.generation}")
        )

    @property
    def first(self) -> Cell:
        """The first generation of its line."""
        return self if self.previous is None else self.previous.first

    @cached_property
    def given(self) -> Given | None:
        """What was made elsewhere; None where a program makes it. Raises ConfigError."""
        if not self.arm.examples:
            return None
        return read_given(Path(self.settings["examples"]), list(self.ground.domain.labels))

    def check(self) -> None:
        """Raises ConfigError, ArtifactError: its run cannot work."""
        if self.given is None:
            runs.build_maker(self.config())

    def check_folder(self) -> None:
        """Raises StoreError: its folder holds another run, from before its arm or domain was changed."""
        folder = RunFolder(self.folder)
        if folder.exists() and folder.read_config()[1] != self.facts()[0]:
            raise StoreError(
                f"{self.folder} holds another run, from before the arm {self.arm.title!r} or its domain was changed; "
                "give the arm another name, or remove that folder"
            )

    @property
    def ran(self) -> str:
        """Under which name it is kept that its run has come to its end; with which `facts`."""
        return "run: " + "/".join(self.folder.parts[-4:])

    def asks_less_than(self, facts: Sequence[Any]) -> bool:
        """Whether a run with such facts may have made more than this one is allowed to."""
        (_, then, *counts), (_, now, *wanted) = facts, self.facts()
        bounds = [(then[name], now[name]) for name in now]
        bounds += zip(counts, wanted, strict=True)
        return any(after is not None and (before is None or after < before) for before, after in bounds)

    def run(self, watch: Watch | None = None, executor: str | Elsewhere | None = None) -> Result:
        """Its run, as far as missing; see `runs.start`. Files of examples are read here, whatever the executor."""
        if self.given is None:
            return runs.start(self.config(), self.folder, watch, executor=executor)
        n, limits = self.settings["n"], Limits(**self.settings["limits"])
        there = {"run_dir": self.folder, "concurrency": 1, "watch": watch}
        return generate(self.given, self.given.slots, n, limits=limits, **there)

    def facts(self) -> list[Any]:
        """What its run depends on, as plain data; of a first generation."""
        if self.given is not None:
            return [fingerprint(self.given, self.given.slots, 0), self.settings["limits"], self.settings["n"], 1]
        config = self.config()
        documents = runs.slots() if config.documents == "none" else self.ground.documents
        own = fingerprint(runs.build_maker(config), documents, self.seed)
        return [own, config.limits.model_dump(), config.n, config.n_passes]

    def config(self) -> RunConfig:
        """The configuration of its run; that of a later generation names files that `grow` has written.

        Raises:
            ConfigError, ArtifactError: settings that do not go together, no such program.
        """
        given = dict(self.settings)
        if self.previous is not None:
            files = {"documents": self._grown("documents"), "seeds": self._grown("seeds")}
            given |= {name: str(files[name]) for name in files if given.get(name, "none") != "none"}
            if "seeds" not in given and _takes_seeds(RunConfig.of(given)):
                given["seeds"] = str(files["seeds"])
        return runs.completed(RunConfig.of(given))

    def _grown(self, what: str) -> Path:
        return self.folder.with_name(f"{self.folder.name}.{what}.jsonl")

    def grow(self, accepted: Sequence[Challenge]) -> int:
        """Write what the generation before accepted as documents and seed tasks; returns how many there are."""
        able = [c for c in accepted if says_something(_text(c))]
        documents = [{"id": f"example-{n:04d}", "text": _text(c)} for n, c in enumerate(able)]
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        for what, rows in (("documents", documents), ("seeds", [_seed_task(c) for c in able])):
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            self._grown(what).write_text(lines, "utf-8")
        return len({row["text"] for row in documents})


def _text(challenge: Challenge) -> str:
    return challenge.question if challenge.label else f"{challenge.question}\n\n{challenge.answer}"


def _seed_task(challenge: Challenge) -> dict[str, Any]:
    if challenge.label:
        given = {"instruction": "Which label fits the text?", "input": challenge.question, "output": challenge.label}
        return {**given, "is_classification": True}
    return {"instruction": challenge.question, "output": challenge.answer}


def cells_of(suite: Suite, grounds: Iterable[Ground], folder: Path) -> list[Cell]:
    """All cells, in the order they are run in. Cells whose runs are the same share a folder, and are paid once.

    Raises:
        ConfigError, ArtifactError: an arm that cannot be built for a domain; before anything is paid.
    """
    found: list[Cell] = []
    known: dict[str, Path] = {}
    for comparison, amount in suite.budget.given().items():
        for ground in grounds:
            for seed in suite.seeds:
                for arm in suite.arms_in(ground.name):
                    own = folder.joinpath(*map(file_name, (comparison, ground.name, arm.title, f"seed-{seed}")))
                    settings = _settings(suite, ground, arm, seed, comparison, amount)
                    place = known.setdefault(json.dumps(settings, sort_keys=True), own)
                    cell = None
                    for generation in range(suite.generations):
                        path = place.with_name(f"{place.name}-{generation}") if suite.generations > 1 else place
                        cell = Cell(comparison, amount, ground, arm, seed, path, generation, cell, settings)
                        found.append(cell)
    for cell in {(c.arm.title, c.ground.name, c.settings.get("examples")): c.first for c in found}.values():
        cell.check()
    return found


def _settings(suite: Suite, ground: Ground, arm: Arm, seed: int, comparison: str, amount: int) -> dict[str, Any]:
    """What is said of a cell's run; the rest is the program's own."""
    limits: Mapping[str, Any] = suite.limits.model_dump()
    if comparison != "examples":
        name = f"max_{comparison}"
        limits = {**limits, name: min(amount, limits[name] or amount)}
    n = amount if comparison == "examples" else ENOUGH
    if arm.examples:
        path = arm.examples.replace("{seed}", str(seed)).replace("{domain}", ground.name)
        return {"examples": path, "n": n, "limits": limits}
    given = {
        **ground.settings,
        "program": arm.program,
        "n": n,
        "passes": suite.passes,
        "seed": seed,
        "concurrency": suite.concurrency,
        "limits": limits,
        "roles": suite.roles | arm.roles,
        **arm.model_dump(include={"without", "max_rounds", "per_document", "acceptance"}, exclude_unset=True),
        **({} if arm.grounded else {"documents": "none"}),
    }
    if ground.subject.seed_tasks and _takes_seeds(RunConfig.of(given)):
        given["seeds"] = ground.subject.seed_tasks
    return given


def _takes_seeds(config: RunConfig) -> bool:
    return "seeds" in inspect.signature(runs.generator_of(config).__init__).parameters
