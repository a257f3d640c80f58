"""What a person sees while a run goes on: a live panel on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autodata_dspy.budget import Meter
from autodata_dspy.events import Watch
from autodata_dspy.report.narrative import money, outcome, printable
from autodata_dspy.types import Round, Trajectory


def new_run_dir(domain: str) -> Path:
    """`runs/<domain>-<date>-<time>`, not there yet."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    path, again = Path("runs") / f"{domain}-{stamp}", 1
    while path.exists():
        path, again = Path("runs") / f"{domain}-{stamp}-{again}", again + 1
    return path


@contextlib.contextmanager
def display(title: str, n_accepted: int = 0) -> Iterator[Watch]:
    """A Watch for the terminal at hand. `n_accepted`: examples that earlier sessions of the run accepted."""
    if not sys.stderr.isatty():
        yield Lines(title, n_accepted)
        return
    from rich.console import Console
    from rich.live import Live

    panel = Panel(title, n_accepted)
    with Live(get_renderable=panel.render, console=Console(stderr=True), refresh_per_second=2):
        yield panel


SAID = ("documents", "accepted", "calls", "tokens", "cost", "time")


class Counts(Watch):
    """Keeps the figures; the subclasses show them."""

    def __init__(self, title: str, n_accepted: int = 0):
        self.title, self.lock, self.begun = title, threading.Lock(), time.monotonic()
        self.n_jobs = self.n_done = 0
        self.n_accepted = n_accepted
        self.n_wanted: int | None = None
        self.meter = Meter()
        self.tokens_before, self.share_before = 0, 0.0
        self.rejected: Counter[str] = Counter()
        self.note = ""

    def started(self, n_jobs: int, n_done: int, n_wanted: int | None, meter: Meter) -> None:
        self.n_jobs, self.n_done, self.n_wanted, self.meter = n_jobs, n_done, n_wanted, meter
        self.tokens_before, self.share_before = meter.total().output_tokens, self._share()

    def _share(self) -> float:
        """How much of the run is done, in [0, 1]: of the examples or of the documents, whichever is further."""
        by_accepted = self.n_accepted / self.n_wanted if self.n_wanted else 0.0
        return min(1.0, max(by_accepted, self.n_done / self.n_jobs if self.n_jobs else 0.0))

    def round_finished(self, document_id: str, round_: Round) -> None:
        with self.lock:
            self.n_accepted += round_.decision.accepted
            if not round_.decision.accepted:
                self.rejected[round_.decision.reason.replace("_", " ")] += 1

    def document_finished(self, trajectory: Trajectory) -> None:
        with self.lock:
            self.n_done += trajectory.status != "stopped"

    def interrupted(self, times: int) -> None:
        self.note = (
            "interrupted: finishing the documents in flight; Ctrl-C again stops at the next model call"
            if times == 1
            else "interrupted: stopping at the next model call"
        )

    def figures(self) -> dict[str, str]:
        """What to show, as label → text. Projections assume that things go on as so far."""
        used, elapsed = self.meter.total(), time.monotonic() - self.begun
        with self.lock:
            share = self._share()
            wanted = f" of {self.n_wanted}" if self.n_wanted else ""
            rejected = ", ".join(f"{k} {v}" for k, v in self.rejected.most_common()) or "none"
            done, accepted = f"{self.n_done} of {self.n_jobs}", f"{self.n_accepted}{wanted}"
        gained = share - self.share_before
        left = f"{elapsed * (1 - share) / gained / 60:.0f} min" if gained > 0 else "unknown yet"
        cost = money(used.usd, used.unpriced) + (f", {used.usd / share:.4f} projected" if share and used.usd else "")
        speed = (used.output_tokens - self.tokens_before) / max(elapsed, 1e-9)
        cached = f", {used.cached_tokens / used.input_tokens:.0%} cached" if used.input_tokens else ""
        return {
            "documents": done,
            "accepted": accepted,
            "rejected": rejected,
            "calls": f"{used.calls} ({used.replayed} replayed, {used.failed} failed)",
            "tokens": f"{used.input_tokens} in{cached}, {used.output_tokens} out, {speed:.0f} out/s",
            "cost": cost,
            "time": f"{elapsed / 60:.1f} min, left: {left}",
        }


class Panel(Counts):
    """A live panel."""

    def render(self) -> Any:
        from rich.panel import Panel as Frame
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        for label, text in self.figures().items():
            table.add_row(Text(label, style="dim"), Text(text))
        if self.note:
            table.add_row(Text("note", style="bold"), Text(self.note, style="bold"))
        return Frame(table, title=Text(self.title), expand=False)


class Lines(Counts):
    """A line per event, for logs and pipes."""

    def started(self, n_jobs: int, n_done: int, n_wanted: int | None, meter: Meter) -> None:
        super().started(n_jobs, n_done, n_wanted, meter)
        say(f"{self.title} ({n_jobs} documents, {n_done} already done)")

    def round_finished(self, document_id: str, round_: Round) -> None:
        super().round_finished(document_id, round_)
        said = "accepted" if round_.decision.accepted else round_.decision.reason.replace("_", " ")
        say(f"[{time.monotonic() - self.begun:5.0f} s] {document_id}, round {round_.index + 1}: {said}")

    def document_finished(self, trajectory: Trajectory) -> None:
        super().document_finished(trajectory)
        figures = self.figures()
        say(f"{trajectory.document_id}: {outcome(trajectory)}")
        say(f"  {'; '.join(f'{label}: {figures[label]}' for label in SAID)}")

    def interrupted(self, times: int) -> None:
        super().interrupted(times)
        with contextlib.suppress(RuntimeError):  # a signal that came amid another line; that one must not be lost
            say(self.note)


def say(line: str) -> None:
    print(printable(line), file=sys.stderr, flush=True)


class DownloadBar:
    """Progress of a download or a check: a bar on a terminal, one line per tenth elsewhere."""

    def __init__(self, name: str):
        self.name, self.tenth, self.what = name, -1, ""
        self.bar: Any = None

    def __enter__(self) -> DownloadBar:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                DownloadColumn,
                Progress,
                TimeRemainingColumn,
                TransferSpeedColumn,
            )

            columns = (
                "{task.description}",
                BarColumn(),
                DownloadColumn(),
                TransferSpeedColumn(),
                TimeRemainingColumn(),
            )
            self.bar = Progress(*columns, console=Console(stderr=True))
            self.bar.start()
            self.task = self.bar.add_task(self.name, total=None)
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def __call__(self, what: str, done: int, total: int) -> None:
        if self.bar is not None:
            self.bar.update(self.task, description=f"{what} {self.name}", completed=done, total=total)
        elif (what, 10 * done // total) != (self.what, self.tenth):
            self.what, self.tenth = what, 10 * done // total
            say(f"{what} {self.name}: {done / 1e6:.0f} of {total / 1e6:.0f} MB")
