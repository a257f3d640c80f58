"""The run folder: what it holds, what it refuses, what it recovers from."""

import json
import logging
import os
import subprocess
import sys

import pytest

from autodata_dspy.errors import StoreError
from autodata_dspy.store import SCHEMA, RunFolder, job_key
from autodata_dspy.types import Challenge, Decision, Document, Rollout, Round, Trajectory, Verdict

DOCUMENTS = [Document("a", "Text of a.\nWith a line break."), Document("b", "Text of b, ä \ud800 \u2028.")]


def trajectory(document_id="a", seed=0, note="", status="done"):
    round_ = Round(0, Decision(True, "accepted"), Challenge("q \ud800 ∀", "a"))
    return Trajectory(document_id, seed, (round_,), status, note, 1.5)


@pytest.fixture
def folder(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.create({"n": 3}, "mark", DOCUMENTS)
    return folder


def keep(folder, *trajectories):
    with folder.owned():
        for each in trajectories:
            folder.append(each)


def refusal(action, *args):
    with pytest.raises(StoreError) as refused:
        result = action(*args)
        list(result) if hasattr(result, "__next__") else None
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_config_and_documents_are_read_back(folder):
    assert folder.exists() and folder.read_config() == ({"n": 3}, "mark")
    assert folder.read_documents() == DOCUMENTS
    assert not RunFolder(folder.path.parent).exists()


def test_a_person_can_read_it(folder):
    keep(folder, trajectory())
    folder.write_usage({"judge": {"calls": 1}}, 2.0)
    assert {p.name for p in folder.path.iterdir()} == {
        "config.json",
        "documents.jsonl",
        "lock",
        "trajectories.jsonl",
        "usage.json",
    }
    assert "∀" in (folder.path / "trajectories.jsonl").read_text("utf-8")
    assert json.loads((folder.path / "config.json").read_text())["schema"] == SCHEMA


def test_trajectories_are_read_back_and_a_later_record_replaces_an_earlier_one(folder):
    assert folder.latest() == {}
    keep(folder, trajectory(status="stopped"), trajectory("b"))
    keep(folder, trajectory(note="second"), trajectory("a", seed=1))
    assert [t.note for t in folder.trajectories()] == ["", "", "second", ""]
    assert folder.latest() == {
        job_key("a", 0): trajectory(note="second"),
        job_key("b", 0): trajectory("b"),
        job_key("a", 1): trajectory("a", seed=1),
    }


def test_rejected_rounds_can_be_read_without_their_challenges_and_rollouts(folder):
    said, verdicts = (Rollout("weak_solver", 0, "a"),), (Verdict(0.0, "no", {"a": 1}, "v"),)
    good = Round(1, Decision(True, "accepted"), Challenge("q", "a"), verdicts, said)
    bad = Round(0, Decision(False, "too_easy", "easy"), Challenge("q", "a"), verdicts, said)
    keep(folder, Trajectory("a", 0, (bad, good)), Trajectory("b"))
    assert list(folder.trajectories(rejected=False)) == [
        Trajectory("a", 0, (Round(0, bad.decision, verdicts=verdicts), good)),
        Trajectory("b"),
    ]
    with (folder.path / "trajectories.jsonl").open("a") as stream:
        stream.write('{"document_id": "c"}\n{"document_id": "d", "rounds": [{"index": 0}]}\n')
    assert "line 4: not a trajectory ('decision')" in refusal(folder.trajectories, False)


def test_keys_of_jobs_do_not_collide():
    assert len({job_key("a", 1), job_key("a", 11), job_key("1|a", 1), job_key("a|1", 1)}) == 4


@pytest.mark.parametrize("length", [10, 3_000_000])
@pytest.mark.parametrize("n_whole", [0, 1, 3])
def test_a_torn_last_line_is_cut_off_and_the_record_goes_on(folder, length, n_whole):
    keep(folder, *[trajectory(str(i), note="x" * length) for i in range(n_whole + 1)])
    path = folder.path / "trajectories.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    assert len(list(folder.trajectories())) == n_whole  # a reader of a running run does not mind either
    keep(folder, trajectory("next"))
    assert [t.document_id for t in folder.trajectories()] == [*(str(i) for i in range(n_whole)), "next"]


def test_a_last_line_that_lacks_only_its_end_counts_as_torn_for_reader_and_writer_alike(folder):
    keep(folder, trajectory("a"), trajectory("b"))
    path = folder.path / "trajectories.jsonl"
    path.write_bytes(path.read_bytes()[:-1])
    assert list(folder.latest()) == [job_key("a", 0)]
    keep(folder)
    assert list(folder.latest()) == [job_key("a", 0)]


def test_zeros_that_a_power_cut_left_at_the_end_are_cut_off(folder):
    keep(folder, trajectory("a"))
    with (folder.path / "trajectories.jsonl").open("ab") as stream:
        stream.write(b"\0" * 5000)
    keep(folder, trajectory("b"))
    assert [t.document_id for t in folder.trajectories()] == ["a", "b"]


@pytest.mark.parametrize("garbage", [b"\x00\xff garbage", b"{}", b"3", b"null", b"[1]", b'{"document_id": '])
def test_garbage_in_the_middle_is_refused_with_its_line(folder, garbage):
    keep(folder, trajectory("a"))
    path = folder.path / "trajectories.jsonl"
    path.write_bytes(path.read_bytes() + garbage + b"\n" + path.read_bytes())
    message = refusal(folder.latest)
    assert message.startswith(f"{path}, line 2: not a trajectory (") and message.endswith("; remove the line to go on")


@pytest.mark.parametrize("garbage", ["{", '{"id": "x"}', "7"])
def test_damaged_documents_are_refused(folder, garbage):
    (folder.path / "documents.jsonl").write_text(garbage + "\n")
    assert "documents.jsonl, line 1: not a document" in refusal(folder.read_documents)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"schema": "x", "config": {}}', "\ud800"])
def test_a_damaged_config_is_refused(folder, content):
    (folder.path / "config.json").write_bytes(content.encode("utf-8", "surrogatepass"))
    assert "config.json cannot be read" in refusal(folder.read_config)


def test_a_folder_of_a_newer_version_is_refused(folder):
    (folder.path / "config.json").write_text(json.dumps({"schema": SCHEMA + 1, "config": {}, "fingerprint": ""}))
    assert refusal(folder.read_config).endswith(f"was written by a newer version of autodata (schema {SCHEMA + 1})")


def test_a_folder_without_a_run_is_refused_for_reading(tmp_path):
    assert refusal(RunFolder(tmp_path).read_config) == f"{tmp_path} is not a run folder (no config.json)"
    assert RunFolder(tmp_path).read_documents() == [] and RunFolder(tmp_path).latest() == {}


def enter(path):
    with RunFolder(path).owned():
        pass


def create(path):
    RunFolder(path).create({}, "mark", DOCUMENTS)


@pytest.mark.parametrize("action", [enter, create])
def test_a_foreign_folder_is_refused_and_left_as_it_was(tmp_path, action):
    (tmp_path / "thesis.tex").write_text("precious")
    assert (
        refusal(action, tmp_path) == f"{tmp_path} is not a run folder and not empty (thesis.tex, …); name another one"
    )
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("action", [enter, create])
def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path, action):
    (tmp_path / "file").write_text("x")
    assert refusal(action, tmp_path / "file").startswith(
        f"cannot write the run folder {tmp_path}/file: Not a directory"
    )
    assert refusal(action, tmp_path / "file" / "run").startswith("cannot write the run folder")


@pytest.mark.parametrize("left", ["documents.jsonl.part", "documents.jsonl", "config.json.part", "lock", "run.log"])
def test_a_start_that_was_killed_can_be_made_again(tmp_path, left):
    (tmp_path / left).write_text("half")
    with RunFolder(tmp_path).owned() as folder:
        folder.create({}, "mark", DOCUMENTS)
    assert folder.read_documents() == DOCUMENTS


AS_NOBODY = """
import os, sys
from autodata_dspy.store import RunFolder
from autodata_dspy.errors import StoreError
if os.geteuid() == 0:
    os.seteuid(65534)  # root may write anywhere
for action in (lambda f: f.create({}, "m", []), lambda f: f.owned().__enter__()):
    try:
        action(RunFolder(sys.argv[1]))
    except StoreError as error:
        print(error)
"""


@pytest.mark.parametrize("name", ["", "new/run"])
def test_a_folder_that_cannot_be_written_is_refused(tmp_path, name):
    tmp_path.chmod(0o555)
    for parent in list(tmp_path.parents)[:-2]:
        if parent.stat().st_uid == os.getuid():
            parent.chmod(parent.stat().st_mode | 0o055)
    command = [sys.executable, "-c", AS_NOBODY, str(tmp_path / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"cannot write the run folder {tmp_path / name}: Permission denied"] * 2


FULL_DISK = """
import resource, signal, sys
from autodata_dspy.store import RunFolder
from autodata_dspy.errors import StoreError
from autodata_dspy.types import Trajectory
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder = RunFolder(sys.argv[1])
folder.create({}, "m", [])
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))  # as if the disk had this much left
try:
    with folder.owned():
        for i in range(100):
            folder.append(Trajectory(str(i), note="x" * 1000))
except StoreError as error:
    print(error)
try:
    folder.write_usage({"a": "x" * 6000}, 1.0)
except StoreError as error:
    print(error)
"""


def test_a_full_disk_is_one_clear_line_and_everything_written_before_is_kept(tmp_path):
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"cannot write the run folder {tmp_path}: File too large"] * 2
    assert [t.document_id for t in RunFolder(tmp_path).trajectories()] == ["0", "1", "2", "3"]


def test_a_second_owner_is_refused_and_told_who_holds_it(folder):
    with folder.owned():
        message = refusal(enter, folder.path)
    assert message.startswith(f"the run folder {folder.path} is in use by process {os.getpid()};")
    enter(folder.path)


def test_usage_is_read_back_and_absent_usage_is_nothing(folder):
    assert folder.read_usage() == {"by_role": {}, "seconds": 0.0}
    folder.write_usage({"judge": {"calls": 2}}, 3.5)
    assert folder.read_usage() == {"by_role": {"judge": {"calls": 2}}, "seconds": 3.5}
    (folder.path / "usage.json").write_text("{")
    assert "usage.json cannot be read" in refusal(folder.read_usage) and "delete it" in refusal(folder.read_usage)


def test_the_calls_so_far_are_summed_by_role_while_one_is_being_written(folder):
    assert folder.read_calls_usage() == {}
    calls = folder.path / "calls.jsonl"
    rows = [("judge", {"calls": 1, "usd": 0.5}), ("student", {"calls": 1, "usd": 0}), ("judge", {"calls": 1, "usd": 1})]
    rows.append(("", {"calls": 0, "usd": 0}))  # a note
    calls.write_text(
        "".join(json.dumps({"role": role, "usage": usage}) + "\n" for role, usage in rows) + '{"role": "ju'
    )
    assert folder.read_calls_usage() == {"judge": {"calls": 2, "usd": 1.5}, "student": {"calls": 1, "usd": 0}}
    calls.write_text('{"role": "judge"}\n' * 2)
    assert "calls.jsonl, line 1: not a call ('usage')" in refusal(folder.read_calls_usage)


def test_the_librarys_words_go_to_the_log_and_levels_are_put_back(folder):
    library, before = logging.getLogger("autodata_dspy"), logging.getLogger("autodata_dspy").level
    with folder.logging_to():
        logging.getLogger("autodata_dspy.calls").info("hello ∀")
    logging.getLogger("autodata_dspy.calls").warning("too late")
    text = (folder.path / "run.log").read_text("utf-8")
    assert "INFO autodata_dspy.calls: hello ∀" in text and "too late" not in text
    assert library.level == before
