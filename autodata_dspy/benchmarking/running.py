"""A suite from its cells to its results: resumable, forecast first, each arm tested once."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from autodata_dspy import runs
from autodata_dspy.benchmarking.cells import Cell, cells_of
from autodata_dspy.benchmarking.examination import Examiner, examined, looked_at
from autodata_dspy.benchmarking.forecast import Progress, SuiteForecast, forecast, pilot
from autodata_dspy.benchmarking.grounds import Ground, read_ground
from autodata_dspy.benchmarking.measures import kept_of, nothing, record, with_rounds
from autodata_dspy.benchmarking.results import GIVEN, results
from autodata_dspy.benchmarking.students import Exam, Touches, data_digest
from autodata_dspy.benchmarking.suite import Arm, Suite
from autodata_dspy.errors import BudgetExceeded, ConfigError, Interrupted
from autodata_dspy.evaluation_log import EvaluationLog
from autodata_dspy.events import Shielded, Watch
from autodata_dspy.executors import Elsewhere, started
from autodata_dspy.generation import open_folder
from autodata_dspy.metrics._made import Example
from autodata_dspy.program_file import write_whole
from autodata_dspy.roles import Roles
from autodata_dspy.store import RunFolder
from autodata_dspy.types import Challenge

REFERENCES = ("zero-shot", GIVEN, "human data")
FEWEST = 2  # documents or seed tasks that a generation starts from


def run_suite(
    suite: Suite,
    folder: Path,
    *,
    confirm: Callable[[SuiteForecast], bool] | None = None,
    progress: Progress = lambda title, n_accepted: contextlib.nullcontext(Watch()),
    tell: Callable[[str], None] = lambda line: None,
    command: str = "",
) -> dict[str, Any]:
    """Run what is missing of a suite, and say what came of all of it.

    Args:
        folder: of the suite; what is finished there costs nothing again.
        confirm: asked with the forecast, after each arm's first calls; False stops.
        progress: (title, examples there are already) → context with a Watch, for each run.
        tell: hears what goes on between the runs.
        command: what the results say that they were made with.

    Returns:
        The results (see `results.results`), which are in `results.json` of the folder too.

    Raises:
        ConfigError, ArtifactError: a suite that cannot work, not confirmed, or a second look at test items.
        StoreError: the folder is in use, damaged, or belongs to something else.
        ProviderError, Interrupted: everything so far is kept.
    """
    grounds = [read_ground(name, subject) for name, subject in suite.subjects.items()]
    cells = cells_of(suite, grounds, folder)
    roles = Roles(**suite.roles)
    exams = {g.name: Exam(g, roles, suite.concurrency) for g in grounds if g.test is not None}
    with contextlib.ExitStack() as stack:
        mark = hashlib.sha256(f"bench {suite.name}".encode()).hexdigest()[:16]
        open_folder(RunFolder(folder), stack, mark, {}, [])
        log = EvaluationLog(folder / "cells.jsonl")
        stack.callback(log.close)
        touches = Touches(folder)
        stack.callback(touches.close)
        try:
            elsewhere = stack.enter_context(started(suite.executor, suite.concurrency))
            bench = _Bench(suite, grounds, cells, exams, log, touches, progress, tell, elsewhere or "threads")
            found = bench.run(confirm)
            found["command"] = command
        except KeyboardInterrupt:
            raise Interrupted("interrupted") from None
    write_whole(folder / "results.json", (json.dumps(found, indent=1, ensure_ascii=False) + "\n").encode())
    return found


class _Heard(Shielded):
    """Hands a run's events on, and remembers a Ctrl-C."""

    times = 0

    def interrupted(self, times: int) -> None:
        super().interrupted(times)
        self.times = times


def _heeding(progress: Progress) -> Progress:
    """Progress that ends the suite with a run in which somebody pressed Ctrl-C: a run that was in its last documents
    comes to its end, and does not say so."""

    @contextlib.contextmanager
    def heeding(title: str, n_accepted: int) -> Iterator[Watch]:
        with progress(title, n_accepted) as watch:
            heard = _Heard(watch)
            yield heard
        if heard.times:
            raise Interrupted("interrupted")

    return heeding


class _Bench:
    """One call of `run_suite`."""

    def __init__(
        self,
        suite: Suite,
        grounds: Sequence[Ground],
        cells: Sequence[Cell],
        exams: dict[str, Exam],
        log: EvaluationLog,
        touches: Touches,
        progress: Progress,
        tell: Callable[[str], None],
        executor: str | Elsewhere = "threads",
    ):
        self.executor = executor
        self.suite, self.grounds, self.cells, self.exams = suite, grounds, cells, exams
        self.log, self.touches, self.progress, self.tell = log, touches, _heeding(progress), tell
        self.marks: dict[str, str] = {}
        self.roles = Roles(**(suite.roles | suite.examiner.roles))
        how = suite.examiner
        self.examiners = {g.name: Examiner(g.domain, self.roles, how.attempts).digest for g in grounds}

    def run(self, confirm: Callable[[SuiteForecast], bool] | None) -> dict[str, Any]:
        firsts = [cell for cell in self.cells if cell.generation == 0]
        self._refuse_changes(firsts)
        rates = pilot(firsts, self.progress, self.executor)
        done = {c.key for c in self.cells if self._known(c) is not None}
        expected = forecast(self.suite, self.cells, done, rates, self.exams)
        self.tell(expected.line())
        if len(done) < len(self.cells) and confirm is not None and not confirm(expected):
            raise ConfigError("not confirmed; nothing but each arm's first calls was spent, and a rerun uses them")
        records = []
        for number, cell in enumerate(self.cells, 1):
            told = self._measured(cell, f"{number} of {len(self.cells)}: {cell.title}")
            records.append(with_rounds(told, cell, self.suite.examiner))
        tested = [self._tested(ground, comparison) for ground in self.grounds for comparison in self._comparisons()]
        references = [self._references(ground) for ground in self.grounds if ground.name in self.exams]
        hashes = {g.name: {**g.hashes(), "examiner": self.examiners[g.name]} for g in self.grounds}
        looks = [row for rows in tested for row in rows]
        lines = [row for rows in references for row in rows]
        return results(self.suite, records, looks, lines, hashes, self.touches.told())

    def _refuse_changes(self, firsts: Sequence[Cell]) -> None:
        """Raises ConfigError, StoreError: what is there already belongs to another suite; before anything is paid."""
        for cell in firsts:
            cell.check_folder()
            ran = self.log.get(cell.ran)
            if ran is not None and cell.asks_less_than(ran["facts"]):
                raise ConfigError(
                    f"{cell.title}: its run was made with a larger budget, and would be taken whole; go back to that "
                    "budget, or take another --run-dir"
                )
        for comparison in self._comparisons():
            for ground in self.grounds:
                for arm in self.suite.arms_in(ground.name) if ground.name in self.exams else ():
                    who, made = _who(arm, ground, comparison), self._made(arm, ground, comparison)
                    self.touches.refuse_other(self.exams[ground.name], who, made)

    def _made(self, arm: Arm, ground: Ground, comparison: str) -> str:
        """Hash of what an arm's students, and what they learn from, are made with."""
        suite, exam = self.suite, self.exams[ground.name]
        asked = (arm, ground.name, comparison, 0)
        own = [c.facts() for c in self.cells if (c.arm, c.ground.name, c.comparison, c.generation) == asked]
        facts = [own, suite.sizes, suite.generations, exam.student.about()]
        return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:16]

    def _comparisons(self) -> list[str]:
        return list(self.suite.budget.given())

    # -- cells --------------------------------------------------------------------------------------------------

    def _mark(self, cell: Cell) -> str:
        """What a cell's measures depend on. A later generation's documents are those that the one before gave."""
        if cell.first.key in self.marks:
            return self.marks[cell.first.key]
        how = self.suite.examiner.model_dump(exclude={"roles"})
        facts = [*cell.first.facts(), how, self.examiners[cell.ground.name]]
        self.marks[cell.first.key] = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
        return self.marks[cell.first.key]

    def _known(self, cell: Cell) -> dict[str, Any] | None:
        kept = self.log.get(cell.key)
        return kept if kept is not None and kept["mark"] == self._mark(cell) else None

    def _measured(self, cell: Cell, title: str) -> dict[str, Any]:
        """The record of a cell; its run and its examination are made where they are missing."""
        if (known := self._known(cell)) is not None:
            return known
        mark = self._mark(cell)
        if cell.previous is not None and cell.grow(self._examples(cell.previous)) < FEWEST:
            self.log.put(nothing(cell, mark))
            return self.log.get(cell.key) or {}
        ran = self.log.get(cell.ran)
        if ran is None or ran["facts"] != cell.first.facts() or not RunFolder(cell.folder).exists():
            # Once only: a document that its budget ended would be made anew, from what the run knows by now.
            with self.progress(title, runs.n_accepted(cell.folder)) as watch:
                stopped = cell.run(watch, self.executor).stopped
            if stopped is not None and not isinstance(stopped, BudgetExceeded):
                raise stopped
            self.log.put({"key": cell.ran, "facts": cell.first.facts()})
        result, kept = kept_of(cell)
        how, domain = self.suite.examiner, cell.ground.domain
        examples = looked_at(kept, how, cell.seed)
        by = hashlib.sha256(repr([list(examples), how.attempts, self.examiners[cell.ground.name]]).encode()).hexdigest()
        place = cell.folder.with_name(f"{cell.folder.name}-examined-{by[:6]}")
        with self.progress(f"{title}: {len(examples)} examples examined", 0) as watch:
            found = examined(
                domain,
                self.roles,
                examples,
                how.attempts,
                run_dir=place,
                concurrency=self.suite.concurrency,
                executor=self.executor,
                watch=watch,
            )
        self.log.put(record(cell, mark, result, kept, found))
        return self.log.get(cell.key) or {}

    def _examples(self, cell: Cell) -> list[Challenge]:
        """What a cell accepted; nothing where its line had ended before it."""
        return kept_of(cell)[1] if RunFolder(cell.folder).exists() else []

    # -- students -----------------------------------------------------------------------------------------------

    def _tested(self, ground: Ground, comparison: str) -> list[dict[str, Any]]:
        """What the students of each arm reach, by generation and by how many examples they learn from (0: all)."""
        exam = self.exams.get(ground.name)
        if exam is None:
            return []
        rows = []
        given = exam.clean(ground.given)
        for arm in self.suite.arms_in(ground.name):
            by_point: dict[tuple[int, int], list[list[Example]]] = {}
            dropped: dict[int, int] = {}
            for cell in self.cells:
                if (cell.ground.name, cell.comparison, cell.arm) == (ground.name, comparison, arm):
                    made = [Example(c) for c in self._examples(cell)]
                    examples = exam.clean(made)
                    dropped[cell.generation] = dropped.get(cell.generation, 0) + len(made) - len(examples)
                    for size in (*(s for s in self.suite.sizes if s <= len(examples)), 0):
                        by_point.setdefault((cell.generation, size), []).append(examples[: size or None])
            who = _who(arm, ground, comparison)
            data = data_digest([seed for point in by_point.values() for seed in point])
            made_with = self._made(arm, ground, comparison)
            found = self.touches.once(exam, who, data, self._look(exam, who, by_point, given), made_with)
            told = {"comparison": comparison, "domain": ground.name, "arm": arm.title, "measure": exam.measure}
            rows.append({**told, "contaminated": sorted(dropped.items()), **found})
        return rows

    def _references(self, ground: Ground) -> list[dict[str, Any]]:
        """The student without data, with the examples that all arms are given, and with data that people made."""
        exam = self.exams[ground.name]
        rows = []
        for line in REFERENCES:
            examples = exam.clean({GIVEN: ground.given, "human data": ground.examples}.get(line, ()))
            if line != "zero-shot" and not examples:
                continue
            who = f"{line} on {ground.name}"
            found = self.touches.once(exam, who, data_digest([examples]), self._reference(exam, who, examples))
            told = {"domain": ground.name, "line": line, "measure": exam.measure, "n": len(examples)}
            rows.append(told | found)
        return rows

    def _look(
        self, exam: Exam, who: str, by_point: dict[tuple[int, int], list[list[Example]]], given: list[Example]
    ) -> Callable[[], dict[str, Any]]:
        def look() -> dict[str, Any]:
            self.tell(f"testing the students of {who}")
            found: dict[str, Any] = {
                "points": [[*point, [exam.taught(e) for e in seeds]] for point, seeds in by_point.items()]
            }
            if given:
                whole = [(number, seeds) for (number, size), seeds in by_point.items() if not size]
                found["added"] = [[number, [exam.taught([*given, *e]) for e in seeds]] for number, seeds in whole]
            return found

        return look

    def _reference(self, exam: Exam, who: str, examples: list[Example]) -> Callable[[], dict[str, Any]]:
        def look() -> dict[str, Any]:
            self.tell(f"testing the students of {who}")
            return {"items": exam.taught(examples) if examples else exam.untaught()}

        return look


def _who(arm: Arm, ground: Ground, comparison: str) -> str:
    return f"{arm.title} on {ground.name}, equal {comparison}"
