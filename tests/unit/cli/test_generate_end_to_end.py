"""`autodata generate` from its options to its last line, on a model server that follows each document's plan."""

import json
import re

import dspy
import model_server
from command_line import refused_run, run, run_here

from autodata_dspy import generate, runs
from autodata_dspy.artifact import save_program
from autodata_dspy.config import RunConfig
from autodata_dspy.generators import AgenticSelfInstruct

PRICED = ["--lm", "all.usd_per_million_input=1000", "--lm", "all.usd_per_million_output=2000"]


def usage(run_dir):
    return json.loads((run_dir / "usage.json").read_text())["by_role"]


def test_documents_become_verified_examples_and_every_call_is_counted(server, planned, tmp_path):
    path = planned(alpha="accept", beta="easy accept")
    options = [
        "--documents",
        path,
        "--n",
        "2",
        "--per-document",
        "1",
        "--concurrency",
        "1",
        "--run-dir",
        tmp_path / "r",
    ]
    ran = run("generate", "--domain", "math_objects", *server.flags, *PRICED, *options)
    assert ran.code == 0

    # what was accepted, with the answer that the program gave and how both solvers fared
    assert "\n1. Expand (x + 4)^2 as a polynomial in x. This is accept. In " in ran.out
    assert ".\n   answer: x**2 + 8*x + 16\n   verified: checked\n" in ran.out
    assert "\n2. Expand (x + 16)^2 as a polynomial in x. This is accept. In " in ran.out
    assert ".\n   answer: x**2 + 32*x + 256\n" in ran.out
    assert "   weak 0/3, strong 3/3, from alpha\n   checked again by a fresh worker: right\n" in ran.out
    assert "   weak 0/3, strong 3/3, from beta\n" in ran.out
    assert (
        "\n2 of 2 examples accepted; documents tried: 2\nrounds: 3\n     2 accepted\n     1 too easy: the weak"
        in ran.out
    )
    assert f"next: autodata show {tmp_path}/r " in ran.out

    # one problem costs a challenge, a review, three weak and three strong attempts; the easy one two weak attempts
    assert server.by_role() == {"challenger": 3, "quality_verifier": 3, "weak_solver": 8, "strong_solver": 6}
    assert {role: u["calls"] for role, u in usage(tmp_path / "r").items()} == server.by_role()
    for role, n_calls in server.by_role().items():
        n_in, n_out = 100 * n_calls, 20 * n_calls
        price = f"{(n_in * 1000 + n_out * 2000) / 1e6:.4f} USD"
        tokens = f"{n_in} tokens in, 60% of the input from cache, {n_out} out"
        assert f"  {role}: {n_calls} calls (0 replayed, 0 failed, 0 cut off), {tokens}, {price}\n" in ran.out
    assert "  in all: 20 calls, 400 tokens out (" in ran.out

    # progress goes to standard error: the rounds, and after the first of two documents the cost of both
    assert f"math_objects: 2 examples → {tmp_path}/r (2 documents, 0 already done)\n" in ran.err
    assert "] alpha, round 1: accepted\n" in ran.err
    assert "] beta, round 1: too easy\n" in ran.err
    assert "alpha: 1 accepted in 1 round, " in ran.err
    assert (
        "  documents: 1 of 2; accepted: 1 of 2; calls: 8 (0 replayed, 0 failed); tokens: 800 in, 60% cached, 160 out"
        in ran.err
    )
    assert re.search(r"; cost: 1\.1200 USD, 2\.2400 projected; time: \d\.\d min, left: \d min\n", ran.err)


def test_status_and_show_explain_every_rejection_in_words(server, planned, tmp_path):
    path = planned(alpha="easy hard broken garbled doubtful accept", beta="easy twin unclear outage accept")
    options = ["--documents", path, "--n", "9", "--concurrency", "1", "--run-dir", tmp_path / "r"]
    assert run_here("generate", *server.flags, *options).code == 0
    assert {role: u["calls"] for role, u in usage(tmp_path / "r").items()} == server.by_role()
    assert usage(tmp_path / "r")["challenger"]["failed"] == 3

    status = run_here("status", tmp_path / "r")
    assert (status.code, status.err) == (0, "")
    assert status.out.startswith(
        f"{tmp_path}/r: agentic_self_instruct on math_objects, seed 0\n"
        "3 of 9 examples accepted\n2 of 2 documents finished\n12 rounds\n"
    )
    for line in (
        "     3 accepted\n",
        "     2 too easy: the weak solver succeeds too often\n",
        "     2 unusable output: nothing that is a challenge came back\n",
        "     1 failed on strong: the strong solver does not reach the reference answer often enough\n",
        "     1 failed a check before any solver was asked\n",
        "     1 undecided: too many answers could not be compared\n",
        "     1 repeats an earlier problem or a demonstration\n",
        "     1 model calls failed (says nothing about the problem)\n",
        "challenger: 16 calls (0 replayed, 3 failed, 0 cut off), 1300 tokens in, ",
        "260 out, 0.0000 USD (without 13 calls of unknown price)\n",
    ):
        assert line in status.out
    assert f"per accepted example: {sum(server.by_role().values()) / 3:.1f} calls, 0." in status.out

    overview = run_here("show", tmp_path / "r").out.splitlines()
    assert overview[0].startswith("alpha (seed 0): 1 accepted in 6 rounds, ")
    assert overview[0].endswith("; rejected: malformed 2, too easy 1, failed on strong 1, failed check 1")
    assert overview[1].endswith("; rejected: too easy 1, duplicate 1, undecided 1, infrastructure 1")
    assert overview[2:] == [f"one of them in full: autodata show {tmp_path}/r ID"]

    alpha = run_here("show", tmp_path / "r", "alpha").out
    for part in (
        "Round 1: rejected: too easy: the weak solver succeeds too often\n"
        "  question: Expand (x + 4)^2 as a polynomial in x. This is easy. In ",
        ".\n  answer: x**2 + 8*x + 16\n"
        "  program: x = symbols('x')\n    answer = expand((x + 4)**2)\n"
        "  atomicity: passed\n  leakage: passed\n"
        "  quality_verifier: passed\n"
        "  Weak solver: right 2 of 2\n    right: x^2 + 8*x + 16\n    right: x^2 + 8*x + 16\n"
        "  told to the challenger: the weak solver answered it 2 of 2 times; make it harder\n",
        "Round 2: rejected: failed on strong: the strong solver does not reach the reference answer often enough\n",
        "  Strong solver: right 0 of 2\n    wrong: x**2 - 10*x + 25  [the answer x**2 - 10*x + 25 is not the reference",
        "  told to the challenger: the strong solver got it right only 0 of 2 times; make it clearer",
        "Round 3: rejected: unusable output: nothing that is a challenge came back\n"
        "  told to the challenger: the program does not run: ",
        "Round 4: rejected: unusable output: nothing that is a challenge came back\n"
        "  told to the challenger: the output did not have the demanded fields, or was cut off; write less\n",
        "Round 5: rejected: failed a check before any solver was asked\n",
        "  quality_verifier: failed: data missing\n  told to the challenger: data missing\n",
        "Round 6: ACCEPTED\n",
    ):
        assert part in alpha

    beta = run_here("show", tmp_path / "r", "bet").out  # the beginning of an id is enough
    for part in (
        "Round 2: rejected: repeats an earlier problem or a demonstration\n",
        "  told to the challenger: it repeats an earlier one; take something else of the passage\n",
        "Round 3: rejected: undecided: too many answers could not be compared\n",
        "    ?: x or maybe 5  [undecided: ",
        "  why: too many answers could not be decided: ",  # says nothing about the problem, so nobody is told
        "Round 4: rejected: model calls failed (says nothing about the problem)\n"
        "  why: role 'challenger': vllm:scripted: [vllm:scripted] no power\n",
    ):
        assert part in beta


def test_a_limit_stops_the_run_cleanly_and_resume_finishes_it_without_repeating_a_call(server, planned, tmp_path):
    path = planned(alpha="accept", beta="hard accept")
    options = [
        "--documents",
        path,
        "--n",
        "2",
        "--per-document",
        "1",
        "--concurrency",
        "1",
        "--run-dir",
        tmp_path / "r",
    ]
    ran = run_here("generate", *server.flags, *options, "--max-calls", "5")
    assert (ran.code, ran.errors, len(server.requests)) == (3, [], 5)
    assert f"everything so far is kept; to go on: autodata resume {tmp_path}/r\n  (with a higher limit" in ran.out
    assert ran.out.endswith("stopped: the limit of 5 model calls is reached\n")
    assert "0 of 2 documents finished\n  stopped: 1\n" in run_here("status", tmp_path / "r").out
    shown = run_here("show", tmp_path / "r").out  # how long it took depends on the machine
    assert re.search(r"alpha \(seed 0\): 0 accepted in 0 rounds, \d+ s \[stopped: the limit of 5 model calls", shown)
    story = run_here("show", tmp_path / "r", "alpha").out
    assert (
        "\nStopped here: the limit of 5 model calls is reached. Resuming the run takes this document up again." in story
    )

    same_limit = run_here("resume", tmp_path / "r")
    assert (same_limit.code, len(server.requests)) == (3, 5)

    ran = run_here("resume", tmp_path / "r", "--max-calls", "500")
    assert ran.code == 0
    assert "\n2 of 2 examples accepted; documents tried: 2\n" in ran.out
    assert len(server.requests) == len(set(server.requests)) == 8 + 7 + 8  # accept, hard, accept
    assert {role: u["calls"] for role, u in usage(tmp_path / "r").items()} == server.by_role()
    assert sum(u["replayed"] for u in usage(tmp_path / "r").values()) == 5  # the same-limit session's are not on record


def test_a_finished_run_can_be_asked_for_more_and_generate_continues_a_folder_too(server, planned, tmp_path):
    path = planned(alpha="accept", beta="accept", gamma="accept")
    options = ["--documents", path, "--per-document", "1", "--concurrency", "1", "--run-dir", tmp_path / "r"]
    assert run_here("generate", *server.flags, *options, "--n", "1").code == 0
    n_requests = len(server.requests)
    again = run_here("generate", *server.flags, *options, "--n", "1")
    assert (again.code, len(server.requests)) == (0, n_requests)
    assert "\n1 of 1 examples accepted" in again.out
    more = run_here("resume", tmp_path / "r", "--n", "3")
    assert (more.code, len(server.requests)) == (0, 24)
    assert len(set(server.requests)) == 24
    assert "\n3 of 3 examples accepted" in more.out
    assert "; accepted: 3 of 3; calls: 24 (0 replayed, 0 failed);" in more.err  # earlier sessions' are counted in

    assert "\n3 of 3 examples accepted" in run_here("resume", tmp_path / "r").out  # what it was told holds from now on
    assert "\n3 of 3 examples accepted" in run_here("status", tmp_path / "r").out
    more = run_here("resume", tmp_path / "r", "--n", "9", "--passes", "2", "--max-calls", "25")
    assert more.code == 3 and "the limit of 25 model calls is reached" in run_here("resume", tmp_path / "r").out
    assert "\n3 of 9 examples accepted\n3 of 6 documents finished\n" in run_here("status", tmp_path / "r").out
    fewer = run_here("resume", tmp_path / "r", "--n", "2")
    assert "\n2 of 2 examples accepted" in fewer.out
    assert "\n2 of 2 examples accepted\n" in run_here("status", tmp_path / "r").out  # and not "3 of 2"


def test_a_configuration_file_and_options_are_merged(server, planned, tmp_path):
    (tmp_path / "run.toml").write_text(
        f'documents = "{planned(alpha="accept")}"\nn = 5\nper_document = 1\nquality_check = false\n'
        "[acceptance]\nn_weak = 2\nmax_weak = 1\nn_strong = 1\nmin_strong = 1\n"
        f'[roles.challenger]\nmodel = "vllm:other"\napi_base = "{server.url}"\n'
    )
    others = [flag.replace("all", role) for role in ("weak_solver", "strong_solver") for flag in server.flags]
    ran = run_here("generate", "--config", tmp_path / "run.toml", *others, "--n", "1", "--run-dir", tmp_path / "r")
    assert ran.code == 0
    assert "\n1 of 1 examples accepted" in ran.out
    assert server.by_role() == {"challenger": 1, "weak_solver": 1, "strong_solver": 1}
    assert json.loads(server.requests[0][1])["model"] == "other"


def test_without_a_run_dir_a_new_folder_is_made_in_runs(server, planned, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ["--documents", planned(alpha="accept"), "--n", "1"]
    for n_runs in (1, 2):
        assert run_here("generate", *server.flags, *options).code == 0
        folders = [p.name for p in (tmp_path / "runs").iterdir()]
        assert len(folders) == n_runs
        assert all(name.startswith("math_objects-") for name in folders)


def test_what_a_model_wrote_cannot_steer_the_terminal(server, planned, tmp_path):
    path = planned(**{"\x1b[2Jalpha": "broken"})
    options = ["--documents", path, "--max-rounds", "1", "--run-dir", tmp_path / "r"]
    ran = run_here("generate", *server.flags, *options)
    shown = [ran.out, ran.err, run_here("show", tmp_path / "r").out, run_here("show", tmp_path / "r", "\x1b[2Ja").out]
    assert "\x1b" not in "".join(shown)
    assert "\\x1b[2Jalpha" in shown[2]


def test_an_id_of_a_document_may_hold_any_character(server, tmp_path):
    path = tmp_path / "documents.jsonl"
    path.write_text(model_server.lines(model_server.document("ä/β", "accept")), encoding="utf-8")
    ran = run_here("generate", *server.flags, "--documents", path, "--n", "1", "--run-dir", tmp_path / "r")
    assert "from ä/β\n" in ran.out
    assert run_here("show", tmp_path / "r", "ä/β").code == 0


def test_a_program_file_changes_what_the_challenger_is_told(server, planned, tmp_path):
    maker = runs.build_maker(RunConfig())
    maker.challenger.write.signature = maker.challenger.write.signature.with_instructions("Write SQUARES only.")
    save_program(maker, tmp_path / "squares.json")
    options = ["--documents", planned(alpha="accept"), "--n", "1", "--per-document", "1", "--run-dir", tmp_path / "r"]
    assert run_here("generate", *server.flags, "--program", tmp_path / "squares.json", *options).code == 0
    told = {role: "Write SQUARES only." in body for role, body in server.requests}
    assert told == {"challenger": True, "quality_verifier": False, "weak_solver": False, "strong_solver": False}
    assert run_here("status", tmp_path / "r").out.startswith(f"{tmp_path}/r: {tmp_path}/squares.json on math_objects")


def test_accepted_answers_are_checked_again_by_whoever_reads_the_folder(server, planned, tmp_path):
    options = ["--documents", planned(alpha="accept"), "--n", "1", "--per-document", "1", "--run-dir", tmp_path / "r"]
    assert run_here("generate", *server.flags, *options).code == 0
    path = tmp_path / "r" / "trajectories.jsonl"
    record = json.loads(path.read_text())
    for program, said in (
        (
            "x = symbols('x')\nanswer = expand((x + 5)**2)",
            "WRONG (the program gives x**2 + 10*x + 25, but the reference",
        ),
        ("answer = 9**9**9**9", "WRONG (the program fails: "),
    ):
        record["rounds"][0]["challenge"]["program"] = program
        path.write_text(json.dumps(record) + "\n")
        assert f"   checked again by a fresh worker: {said}" in run_here("resume", tmp_path / "r").out


def test_a_run_made_in_python_has_its_status_told_without_a_goal(scripted, tmp_path):
    roles = scripted.fated_roles(lambda call: scripted.fated("how?"))
    maker = AgenticSelfInstruct(scripted.domain(), roles, per_document=1)
    generate(maker, scripted.documents(2), run_dir=tmp_path / "r")
    out = run_here("status", tmp_path / "r").out
    assert out.startswith(f"{tmp_path}/r: made in Python\n2 examples accepted\n2 documents finished\n2 rounds\n")
    ran = run_here("resume", tmp_path / "r")
    assert (ran.code, ran.out) == (2, "")
    assert "was made in Python by `generate(…)` without a configuration" in ran.err


def test_a_document_that_breaks_its_generator_is_told_with_the_reason(tmp_path, scripted):
    class Fragile(dspy.Module):
        def forward(self, document, seed):
            raise ValueError(f"cannot read {document.id}")

    generate(Fragile(), scripted.documents(1), run_dir=tmp_path / "r")
    assert "\n1 documents finished\n  failed: 1\n0 rounds\n" in run_here("status", tmp_path / "r").out
    said = "doc-0 (seed 0): 0 accepted in 0 rounds, 0 s [failed: ValueError: cannot read doc-0]\n"
    assert run_here("show", tmp_path / "r").out.startswith(said)


def test_near_duplicates_are_removed_at_the_end_and_told_everywhere(server, planned, tmp_path):
    path = planned(alpha="copy", beta="copy", gamma="accept")
    options = [
        "--documents",
        path,
        "--n",
        "3",
        "--per-document",
        "1",
        "--concurrency",
        "1",
        "--run-dir",
        tmp_path / "r",
    ]
    ran = run_here("generate", *server.flags, *options)
    assert ran.code == 0
    told = (
        "removed at the end: 1 (near_duplicates: 1)\n"
        "  beta (seed 0), round 1: near_duplicates: like round 1 of alpha\n"
        "3 accepted, 1 removed by the final audit: 2 examples\n"
    )
    assert f"\n3 of 3 examples accepted; documents tried: 3\n{told}rounds: 3\n" in ran.out
    assert f"to make up for what was removed: autodata resume {tmp_path / 'r'} --n 4\n" in ran.out
    assert "from alpha\n" in ran.out and "from gamma\n" in ran.out and "from beta\n" not in ran.out
    assert ran.out.count("checked again by a fresh worker: right\n") == 2

    assert (
        f"3 of 3 examples accepted\n3 of 3 documents finished\n{told}3 rounds\n"
        in run_here("status", tmp_path / "r").out
    )
    beta = run_here("show", tmp_path / "r", "beta").out
    assert "Round 1: ACCEPTED\n" in beta  # what happened stays told as it happened
    assert beta.endswith("Round 1 was removed at the end: near_duplicates: like round 1 of alpha\n\n")
    assert "removed" not in run_here("show", tmp_path / "r", "alpha").out

    n_requests = len(server.requests)
    again = run_here("resume", tmp_path / "r")
    assert told in again.out and len(server.requests) == n_requests


def test_a_run_that_loses_nothing_says_nothing_of_an_audit(server, planned, tmp_path):
    options = ["--documents", planned(alpha="accept"), "--n", "1", "--per-document", "1", "--run-dir", tmp_path / "r"]
    assert "removed" not in run_here("generate", *server.flags, *options).out
    assert "removed" not in run_here("status", tmp_path / "r").out


def test_an_acceptance_rule_is_chosen_by_name_and_the_files_numbers_go_on_top(server, planned, tmp_path):
    (tmp_path / "run.toml").write_text('[acceptance]\npreset = "paper-math"\nn_weak = 2\nn_strong = 2\ngap = 0.5\n')
    options = ["--documents", planned(alpha="accept"), "--n", "1", "--per-document", "1", "--run-dir", tmp_path / "r"]
    options += ["--config", tmp_path / "run.toml", "--acceptance", "paper-prose"]
    assert run_here("generate", *server.flags, *options).code == 0
    assert server.by_role() == {"challenger": 1, "quality_verifier": 1, "weak_solver": 2, "strong_solver": 2}
    stored = json.loads((tmp_path / "r" / "config.json").read_text())["config"]["acceptance"]
    assert {name: value for name, value in stored.items() if value is not None} == {
        "preset": "paper-prose",
        "n_weak": 2,
        "n_strong": 2,
        "gap": 0.5,
    }


def test_an_unknown_acceptance_rule_is_refused_with_the_nearest_name(server, planned, tmp_path):
    options = ["--documents", planned(alpha="accept"), "--run-dir", tmp_path / "r", *server.flags]
    says = "unknown acceptance preset 'paper-deploid'; did you mean 'paper-deployed'? available: "
    refused_run("generate", *options, "--acceptance", "paper-deploid", says=says)
    assert server.requests == [] and not (tmp_path / "r").exists()
