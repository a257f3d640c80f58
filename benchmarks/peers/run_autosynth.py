"""autosynth as an arm of a suite: `python benchmarks/peers/run_autosynth.py benchmarks/suites/peers.toml`.

For each domain and seed of the suite's arms called "autosynth…", whose examples are a file, it runs autosynth 0.4.0
on the suite's documents (the passages that our own programs see) and embedded models until the suite's budget is used,
and writes that file; `autodata bench` on the same suite then examines it as any other arm. autosynth is installed into
an environment of its own, and reaches the models through `autodata serve-embedded`; its settings are its own, but for
what is said in `settings`. Everything is kept under --work, and a second call goes on where the first was stopped.
autosynth sends no seeds: a run made anew gives other examples.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from autodata_dspy.benchmarking.grounds import Ground, read_ground
from autodata_dspy.benchmarking.suite import Arm, Suite, file_name, read_suite
from autodata_dspy.domains.base import passage_of
from autodata_dspy.embedded.engine import DEFAULT_MAX_TOKENS
from autodata_dspy.errors import AutodataError, ConfigError
from autodata_dspy.roles import EMBEDDED

VERSION = "0.4.0"
ROLES = ("challenger", "weak_solver", "strong_solver", "judge")
LABELS = Path(__file__).with_name("autosynth_labels.py")
# Domains that it has nothing for; their files stay empty, and the tables show an arm without examples.
CANNOT = {"code": "it has nothing to run tests in", "support_tone": "it writes no pairs of replies"}
POLL_S = 1.0


@dataclass(frozen=True)
class Job:
    """One domain and seed: what to run on, what to write, and the amounts at which it is enough."""

    suite: Suite
    ground: Ground
    seed: int
    out: Path
    folder: Path
    url: str

    def enough(self, rows: list[dict[str, Any]]) -> bool:
        used = {
            "calls": sum(row["calls"] for row in rows),
            "tokens": sum(row["tokens"] for row in rows),
            "examples": sum("rejected" not in row for row in rows),
        }
        return all(used[name] >= amount for name, amount in self.suite.budget.given().items())

    def rows(self) -> list[dict[str, Any]]:
        return [row for path in sorted(self.folder.glob("*/run/run.db")) for row in read_rows(path)]

    def batches(self) -> Iterator[tuple[Path, list[dict[str, str]]]]:
        """Folder and items of one run of autosynth after the other: as many documents as our programs work on at a
        time, each with the passage of the pass and, where there are labels, one of them."""
        documents, labels, size = self.ground.documents, list(self.ground.domain.labels), self.suite.concurrency
        for number in range(self.suite.passes):
            for start in range(0, len(documents), size):
                items = []
                for place, document in enumerate(documents[start : start + size], start):
                    text = passage_of(document, self.seed * 1000 + number, self.ground.domain)
                    label = labels[(place + number + self.seed) % len(labels)] if labels else ""
                    items.append({"id": document.id, "text": text, "label": label})
                yield self.folder / f"{number:03d}-{start:05d}", items


def settings(job: Job, folder: Path) -> dict[str, Any]:
    """autosynth's configuration. Said besides its own defaults: models, bounds that local models need (an answer of a
    small model may run to its bound, and a call may take minutes), one worker for each document."""
    specs = {role: job.suite.roles.get(role, {"model": EMBEDDED[role]})["model"] for role in ROLES}
    models = {
        # litellm's word for an endpoint that decodes by a schema; under "openai/" it would not send one.
        role: {
            "provider_model": f"lm_studio/{model.removeprefix('embedded/')}",
            "max_tokens": DEFAULT_MAX_TOKENS,
            "extra": {"api_base": job.url, "api_key": "none"},
        }
        for role, model in specs.items()
    }
    domain = job.ground.domain
    if domain.labels:
        kind = domain.task.kind if domain.task else "text"
        params = {"items": str(folder / "items.json"), "labels": dict(domain.labels), "kind": kind}
        plugin: dict[str, Any] = {"path": f"{LABELS}:Labels", "params": params}
    else:
        plugin = {"name": "qa_from_documents", "params": {"source_dir": str(folder / "documents")}}
    return {
        "run_id": "run",
        "output_dir": str(folder),
        "domain": plugin,
        **models,
        "orchestrator": models["challenger"],
        "max_examples": job.suite.concurrency,
        "request_timeout_s": 900,
        "dispatcher": {"concurrency": job.suite.concurrency, "poll_interval_s": 0.5},
    }


def perform(job: Job, program: Path) -> None:
    """Run what is missing of a job, and write its file."""
    rows = job.rows()
    for folder, items in job.batches():
        if job.enough(rows):
            break
        if _status(folder / "run" / "run.db") != "completed":
            _run(job, program, folder, items)
        rows = job.rows()
        used = {name: sum(row[name] for row in rows) for name in ("calls", "tokens")}
        accepted = sum("rejected" not in row for row in rows)
        print(
            f"{job.out}: {used['calls']} calls, {used['tokens']} tokens, {accepted} of {len(rows)} accepted", flush=True
        )
    job.out.parent.mkdir(parents=True, exist_ok=True)
    job.out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


def _run(job: Job, program: Path, folder: Path, items: list[dict[str, str]]) -> None:
    """One run of autosynth; Ctrl-C is how it is told that the budget is used: it ends what is in flight."""
    (folder / "documents").mkdir(parents=True, exist_ok=True)
    for number, item in enumerate(items):
        (folder / "documents" / f"{number:03d}.txt").write_text(item["text"], "utf-8")
    (folder / "items.json").write_text(json.dumps(items, ensure_ascii=False), "utf-8")
    (folder / "settings.yaml").write_text(json.dumps(settings(job, folder), indent=1), "utf-8")  # JSON is YAML
    command = ["resume", str(folder / "run")]
    if not _status(folder / "run" / "run.db"):  # it would not resume a run that was stopped before it had begun
        shutil.rmtree(folder / "run", ignore_errors=True)
        command = ["run", "--config", str(folder / "settings.yaml")]
    quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "NO_PROXY": "127.0.0.1", "PYTHONPATH": ""}
    with (folder / "autosynth.log").open("a") as log:
        process = subprocess.Popen(
            [program, *command], stdout=log, stderr=log, env=os.environ | quiet, start_new_session=True
        )
        told = False
        try:
            while process.poll() is None:
                time.sleep(POLL_S)
                if not told and job.enough(job.rows()):
                    process.send_signal(signal.SIGINT)
                    told = True
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait()
    if process.returncode not in (0, -signal.SIGINT if told else 0):
        raise ConfigError(f"autosynth ended with {process.returncode}; see {folder / 'autosynth.log'}")
    if not told and all(row["tokens"] == 0 for row in read_rows(folder / "run" / "run.db")):
        raise ConfigError(f"autosynth got no answer from the models; see {folder / 'autosynth.log'}")


def _status(database: Path) -> str:
    """What autosynth says of a run; "" where it has not begun."""
    found = _select(database, "SELECT status FROM runs") if database.exists() else []
    return found[0]["status"] if found else ""


def _select(database: Path, query: str) -> list[sqlite3.Row]:
    """Rows of a run's database; none while autosynth is still making its tables."""
    with contextlib.closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True, timeout=30)) as opened:
        opened.row_factory = sqlite3.Row
        made = opened.execute("SELECT count(*) FROM sqlite_master WHERE name = 'accepted'").fetchone()[0]
        return opened.execute(query).fetchall() if made else []


_ROUNDS = """
SELECT q.item_id, q.round_n, count(p.response_id) + total(q.failure_count) AS calls,
    total(p.prompt_tokens) + total(p.completion_tokens) AS tokens,
    min(q.submitted_at) AS begun, max(p.received_at) AS ended
FROM requests q LEFT JOIN responses p ON p.request_id = q.request_id
GROUP BY q.item_id, q.round_n HAVING calls > 0 ORDER BY ended IS NULL, ended
"""
_OUTCOMES = """
SELECT r.item_id, r.round_n, r.quality_blob, r.eval_blob, a.payload_blob
FROM rounds r LEFT JOIN accepted a ON a.round_id = r.round_id
"""


def read_rows(database: Path) -> list[dict[str, Any]]:
    """The rounds of a run in the order in which they ended, as `autodata bench` reads them: an example or why there is
    none, calls (failed ones too), tokens, and seconds since the round before ended."""
    rounds = _select(database, _ROUNDS)
    outcomes = {(o["item_id"], o["round_n"]): o for o in _select(database, _OUTCOMES)}
    rows, clock = [], min((_seconds(r["begun"]) for r in rounds if r["begun"]), default=0.0)
    for each in rounds:
        outcome = outcomes.get((each["item_id"], each["round_n"]))
        ended = _seconds(each["ended"]) if each["ended"] else clock
        took = {
            "calls": int(each["calls"]),
            "tokens": int(each["tokens"]),
            "seconds": round(max(0.0, ended - clock), 3),
        }
        rows.append({**_came_of(outcome), **took})
        clock = max(clock, ended)
    return rows


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()


def _came_of(outcome: sqlite3.Row | None) -> dict[str, Any]:
    if outcome is None:
        return {"rejected": "not finished, or nothing that could be read"}
    if outcome["payload_blob"]:
        accepted = json.loads(outcome["payload_blob"])
        said, answer = accepted["input"], str(accepted["reference_output"])
        if "label" in said:
            return {"text": said["text"], "label": said["label"]}
        rubric = [{"text": c["description"], "weight": c["weight"]} for c in accepted["rubric"]]
        return {"question": said["question"], "context": said.get("context", ""), "answer": answer, "rubric": rubric}
    quality, report = (json.loads(outcome[name]) if outcome[name] else {} for name in ("quality_blob", "eval_blob"))
    why = report.get("rejection_reasons") or quality.get("failures") or ["not finished"]
    return {"rejected": str(why[0])[:200]}


def installed(folder: Path) -> Path:
    """autosynth's command, in an environment of its own."""
    program = folder / "bin" / "autosynth"
    if not program.exists():
        print(f"installing autosynth {VERSION} into {folder}", flush=True)
        venv.create(folder, with_pip=True)
        pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", f"autosynth=={VERSION}"]
        subprocess.run(pip, check=True)
    return program


@contextlib.contextmanager
def served(suite: Suite) -> Iterator[str]:
    """The suite's embedded models behind an address. Raises ConfigError: a role is no embedded model."""
    models = {role: suite.roles.get(role, {"model": EMBEDDED[role]})["model"] for role in ROLES}
    for role, model in models.items():
        if not model.startswith("embedded/"):
            raise ConfigError(f"role {role!r} is {model!r}; give embedded models, which is what is compared here")
    names = sorted({model.removeprefix("embedded/") for model in models.values()})
    command = [sys.executable, "-c", "from autodata_dspy.cli import main; main()", "serve-embedded", *names]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        try:
            if (found := re.search(r"http://\S+/v1", process.stdout.readline())) is None:
                raise ConfigError("the models could not be served; the reason stands above")
            yield found[0]
        finally:
            process.send_signal(signal.SIGINT)


def arms_of(suite: Suite) -> list[Arm]:
    """The arms that are to be made. Raises ConfigError: there is none."""
    found = [arm for arm in suite.arms if arm.examples and arm.title.startswith("autosynth")]
    if not found:
        raise ConfigError(
            'no arm of the suite is to be made: { examples = "FILE-{domain}-{seed}.jsonl", name = "autosynth" }'
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("suite", type=Path)
    parser.add_argument("--work", type=Path, default=Path("runs/peers"))
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that what it started ends too
    try:
        suite = read_suite(given.suite)
        arms = arms_of(suite)
        program = installed(given.work.absolute() / f"autosynth-{VERSION}")
        with served(suite) as url:
            for name, subject in suite.subjects.items():
                for arm in (arm for arm in arms if not arm.domains or name in arm.domains):
                    ground = read_ground(name, subject)
                    for seed in suite.seeds:
                        out = Path(arm.examples.replace("{seed}", str(seed)).replace("{domain}", name))
                        place = given.work.absolute() / file_name(suite.name) / file_name(name) / f"seed-{seed}"
                        if (why := CANNOT.get(ground.domain.name)) is not None:
                            print(f"{out}: empty, since autosynth cannot do {ground.domain.name!r}: {why}")
                            out.parent.mkdir(parents=True, exist_ok=True)
                            out.write_text("")
                            continue
                        perform(Job(suite, ground, seed, out, place, url), program)
    except AutodataError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
