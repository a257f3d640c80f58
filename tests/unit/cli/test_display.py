"""What a person sees while a run goes on."""

import contextlib
import io
import os
import pty
import re
import struct
import termios
import threading
from fcntl import ioctl

import command_line
from rich.console import Console

from autodata_dspy.budget import Meter, RoleUsage
from autodata_dspy.cli.display import Counts, DownloadBar, Lines, Panel, display, say
from autodata_dspy.types import Decision, Round, Trajectory

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def round_(index, reason):
    return Round(index, Decision(reason == "accepted", reason))


def meter(**usage):
    return Meter(earlier={"challenger": RoleUsage(**usage)})


class Terminal:
    """A pseudo-terminal of 120 × 40 in place of a process's standard error, and what was shown on it."""

    def __init__(self):
        self.leader, self.follower = pty.openpty()
        ioctl(self.follower, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self._shown = b""
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def _listen(self):
        try:
            while True:
                self._shown += os.read(self.leader, 65536)
        except OSError:  # nobody holds the other end any more
            os.close(self.leader)

    def shown(self):
        """Everything up to the end, without escapes."""
        self._listener.join(60)
        return ESCAPES.sub("", self._shown.decode()).replace("\r", "")


@contextlib.contextmanager
def on_a_terminal():
    """This process's standard error is a terminal."""
    terminal = Terminal()
    with open(terminal.follower, "w", encoding="utf-8") as stream, contextlib.redirect_stderr(stream):
        yield terminal


def test_without_a_terminal_every_event_is_one_plain_line(capsys):
    with display("math: 2 examples") as watch:
        assert type(watch) is Lines
        watch.started(3, 1, 2, meter(calls=4, failed=1, input_tokens=400, cached_tokens=100, output_tokens=50, usd=0.5))
        watch.round_finished("a", round_(0, "failed_on_strong"))
        watch.round_finished("a", round_(1, "accepted"))
        watch.document_finished(Trajectory("a", 0, (round_(0, "failed_on_strong"), round_(1, "accepted")), seconds=7.4))
        watch.interrupted(1)
        watch.interrupted(2)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "math: 2 examples (3 documents, 1 already done)",
        "[    0 s] a, round 1: failed on strong",
        "[    0 s] a, round 2: accepted",
        "a: 1 accepted in 2 rounds, 7 s; rejected: failed on strong 1",
        "  documents: 2 of 3; accepted: 1 of 2; calls: 4 (0 replayed, 1 failed); tokens: 400 in, 25% cached, 50 out, "
        "0 out/s; cost: 0.5000 USD, 0.7500 projected; time: 0.0 min, left: 0 min",
        "interrupted: finishing the documents in flight; Ctrl-C again stops at the next model call",
        "interrupted: stopping at the next model call",
    ]


def test_ctrl_c_amid_a_line_does_not_break_the_run():
    """Python refuses to write to a stream from a signal that came while it was writing to that stream."""
    lines = Lines("math")

    class InterruptedStream(io.RawIOBase):
        written = b""

        def writable(self):
            return True

        def write(self, data):
            if not self.written:
                self.written += bytes(data)
                lines.interrupted(1)  # as a signal's handler would, amid the first line
            return len(data)

    stream = io.TextIOWrapper(io.BufferedWriter(InterruptedStream()))
    with contextlib.redirect_stderr(stream):
        say("a line")
    assert lines.note.startswith("interrupted: finishing")


def test_the_panel_shows_the_figures():
    panel = Panel("math: 4 examples", n_accepted=1)
    panel.started(10, 2, 4, meter(calls=30, replayed=3, failed=2, input_tokens=900, output_tokens=90, usd=0.25))
    panel.round_finished("a", round_(0, "too_easy"))
    panel.round_finished("a", round_(1, "failed_check"))
    panel.round_finished("b", round_(0, "too_easy"))
    panel.round_finished("b", round_(1, "accepted"))
    panel.interrupted(1)
    console = Console(record=True, width=110, file=io.StringIO())
    console.print(panel.render())
    lines = [line.strip("│ ") for line in console.export_text().splitlines()]
    assert "math: 4 examples" in lines[0]
    rows = {line.split("  ")[0]: " ".join(line.split()[1:]) for line in lines[1:-1]}
    assert rows == {
        "documents": "2 of 10",
        "accepted": "2 of 4",
        "rejected": "too easy 2, failed check 1",
        "calls": "30 (3 replayed, 2 failed)",
        "tokens": "900 in, 0% cached, 90 out, 0 out/s",
        "cost": "0.2500 USD, 0.5000 projected",
        "time": "0.0 min, left: 0 min",
        "note": "interrupted: finishing the documents in flight; Ctrl-C again stops at the next model call",
    }


def test_the_figures_of_a_run_without_a_wanted_number_or_a_call_make_no_guesses():
    counts = Counts("all documents")
    counts.started(8, 0, None, Meter())
    figures = counts.figures()
    assert figures["accepted"] == "0"
    assert figures["rejected"] == "none"
    assert figures["tokens"] == "0 in, 0 out, 0 out/s"
    assert figures["cost"] == "0.0000 USD"
    assert figures["time"].endswith("left: unknown yet")


def test_before_the_run_has_begun_there_are_figures_too():
    assert Counts("soon").figures()["documents"] == "0 of 0"


def test_speed_and_time_left_of_a_resumed_run_leave_the_earlier_sessions_out():
    counts, used = Counts("resumed", n_accepted=6), meter(calls=100, output_tokens=5000, usd=6.0)
    counts.started(100, 6, 10, used)
    assert counts.figures()["time"].endswith("left: unknown yet")
    counts.begun -= 120  # two minutes later one more example is there, and 240 tokens more were written
    used.record("challenger", RoleUsage(calls=10, output_tokens=240, usd=1.0), admitted=False)
    counts.round_finished("a", round_(0, "accepted"))
    figures = counts.figures()
    assert figures["accepted"] == "7 of 10"
    assert figures["tokens"].endswith("5240 out, 2 out/s")
    assert figures["cost"] == "7.0000 USD, 10.0000 projected"
    assert figures["time"] == "2.0 min, left: 6 min"


def test_calls_that_nobody_has_priced_are_not_shown_as_free():
    counts = Counts("an unknown model")
    counts.started(2, 0, 2, meter(calls=3, unpriced=3))
    assert counts.figures()["cost"] == "0.0000 USD (without 3 calls of unknown price)"


def test_a_stopped_document_is_not_counted_as_done():
    counts = Counts("stopped")
    counts.started(2, 0, 2, Meter())
    counts.document_finished(Trajectory("a", 0, (), "stopped", "the limit is reached"))
    assert counts.figures()["documents"] == "0 of 2"


def test_on_a_terminal_the_panel_is_live(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    with on_a_terminal() as terminal, display("math: 2 examples", 1) as watch:
        assert type(watch) is Panel
        watch.started(5, 1, 2, Meter())
        watch.round_finished("a", round_(0, "too_easy"))
    shown = terminal.shown()
    assert "math: 2 examples" in shown
    assert re.search(r"accepted +1 of 2", shown)
    assert re.search(r"rejected +too easy 1", shown)


def test_a_whole_run_shows_its_panel_on_a_terminal(server, planned, tmp_path):
    arguments = ["--documents", planned(alpha="easy accept"), "--n", "1", "--per-document", "1"]
    terminal = Terminal()
    process = command_line.start(
        *("generate", *server.flags, *arguments, "--run-dir", tmp_path / "r"),
        stderr=terminal.follower,
        env={"TERM": "xterm"},
    )
    os.close(terminal.follower)
    ran = command_line.finish(process)
    assert ran.code == 0
    assert "1 of 1 examples accepted" in ran.out  # the result is for a pipe, the panel for the person
    panel = terminal.shown()
    assert f"math_objects: 1 examples → {tmp_path}"[:60] in panel
    last = panel[panel.rindex("documents ") :]
    for row in (
        r"documents +1 of 1 ",
        r"accepted +1 of 1 ",
        r"rejected +too easy 1 ",
        r"calls +12 \(0 replayed, 0 failed\)",
        r"tokens +1200 in, 60% cached, 240 out, \d+ out/s",
        r"time +\d\.\d min, left: 0 min",
    ):
        assert re.search(row, last)
    assert "Traceback" not in panel


def test_a_download_says_a_line_for_every_tenth(capsys):
    with DownloadBar("tiny") as bar:
        for done in range(0, 10_000_001, 250_000):
            bar("downloading", done, 10_000_000)
        bar("checking", 10_000_000, 10_000_000)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "downloading tiny: 0 of 10 MB"
    assert lines[5] == "downloading tiny: 5 of 10 MB"
    assert lines[10:] == ["downloading tiny: 10 of 10 MB", "checking tiny: 10 of 10 MB"]


def test_a_download_is_a_bar_on_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    with on_a_terminal() as terminal, DownloadBar("tiny") as bar:
        bar("downloading", 5_000_000, 10_000_000)
        bar("checking", 10_000_000, 10_000_000)
    shown = terminal.shown()
    assert "checking tiny" in shown
    assert "10.0/10.0 MB" in shown
