"""The whole loop on what the real models said once. A prompt that was not recorded fails the test."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

from autodata_dspy.budget import Limits, Meter, metered
from autodata_dspy.call_log import CallLog, logged
from autodata_dspy.types import to_dict

HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("record_replay", HERE / "record.py")
assert _spec and _spec.loader
record = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(record)
RERECORD = "a prompt or the order of calls changed; if that was meant: python tests/replay/record.py"


def replayed(tmp_path: Path, calls: list[str]):
    """The trajectories made from recorded calls alone: one call more than recorded would exceed the limit."""
    path = tmp_path / "calls.jsonl"
    path.write_text("".join(calls), encoding="utf-8")
    log = CallLog(path)
    meter = Meter(Limits(max_calls=len(calls)), log.earlier)
    maker, documents = record.maker_and_documents()
    try:
        with metered(meter), logged(log):
            return [maker(document=d, seed=0).trajectory for d in documents], meter
    finally:
        log.close()


def plain(trajectory) -> dict:
    """Without the times, which differ."""
    return {**to_dict(trajectory), "seconds": 0}


def test_replaying_recorded_calls_gives_the_recorded_trajectories(tmp_path):
    calls = record.CALLS.read_text("utf-8").splitlines(keepends=True)
    trajectories, meter = replayed(tmp_path, calls)
    expected = [json.loads(line) for line in (HERE / "trajectories.jsonl").read_text("utf-8").splitlines()]
    assert [plain(t) for t in trajectories] == [{**t, "seconds": 0} for t in expected], RERECORD
    assert meter.total().replayed == len(calls)


def test_the_recording_shows_acceptance_and_rejection():
    rounds = [r for line in (HERE / "trajectories.jsonl").open() for r in json.loads(line)["rounds"]]
    reasons = {r["decision"]["reason"] for r in rounds}
    assert "accepted" in reasons
    assert reasons - {"accepted"}
