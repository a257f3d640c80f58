"""autodata audit and autodata verify: exit codes, what is printed, what a wrong call gets."""

import json
import subprocess
import sys

import pytest

from autodata_dspy.cli import main


@pytest.fixture
def autodata(capsys, monkeypatch):
    """→ autodata(*arguments) → (exit code, stdout, stderr), through the real entry point."""

    def autodata(*arguments):
        monkeypatch.setattr(sys, "argv", ["autodata", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as left:
            code = left.code or 0
        said = capsys.readouterr()
        return code, said.out, said.err

    return autodata


@pytest.fixture
def cases(tmp_path):
    path = tmp_path / "cases.jsonl"
    rows = [
        {"a": r"\frac{1}{2}", "b": "0.5", "expected": True, "note": "the same"},
        {"a": "1/3", "b": "0.3333", "expected": True, "note": "wrongly believed to be the same"},
        {"a": "5 or maybe 6", "b": "6", "expected": None, "note": "two answers"},
        {"a": "2", "b": "3", "expected": False, "note": "different"},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    "answer, gold, code, said",
    [
        (r"\frac{1}{2}", "0.5", 0, "equal"),
        ("-1", "-1", 0, "equal"),
        ("1/3", "0.3333", 1, "different: the answer "),
        ("5 or maybe 6", "6", 3, "undecided: "),
        ("5", "", 3, "undecided: there is no reference answer"),
    ],
)
def test_verify_says_its_outcome_in_words_and_by_its_exit_code(autodata, answer, gold, code, said):
    got, out, err = autodata("verify", "math_objects", "--gold", gold, "--answer", answer)
    assert (got, err) == (code, "") and out.startswith(said) and out.count("\n") == 1
    assert "undecided: undecided" not in out


def test_verify_as_json(autodata):
    code, out, _ = autodata("verify", "math_objects", "--gold", "3", "--answer", "2", "--json")
    data = json.loads(out)
    assert (code, data["outcome"], data["score"], data["verifier"]) == (1, "different", 0.0, "math_objects")


def test_verify_takes_a_context(autodata):
    tests = "def check(f):\n    assert f(2) == 4"
    code, out, _ = autodata(
        *("verify", "unit_tests", "--gold", tests, "--answer", "    return n * 2", "--context", "def twice(n):\n")
    )
    assert (code, out) == (0, "equal\n")


def test_verify_reads_challenges_as_json(autodata):
    challenge = {"question": "Solve x = 2.", "answer": "3", "program": "answer = Integer(2)"}
    code, out, _ = autodata("verify", "program_answer", "--answer", json.dumps(challenge))
    assert (code, out) == (1, "fails: the program gives 2, but the reference is 3\n")


def test_verify_shows_a_partial_score(autodata, scripted):
    import dspy

    def judged(call):
        return {"reason": "so", "verdict": "met" if "names Paris" in call.prompt else "not met"}

    dspy.configure(lm=scripted.lm(judged, schema=True))
    code, out, _ = autodata("verify", "rubric_judge", "--gold", "names Paris\nnames Rome", "--answer", "Paris")
    assert (code, out) == (1, "different (score 0.50): not met [+1]: names Rome (so)\n")


def test_a_judge_that_does_not_answer_leaves_it_undecided(autodata, scripted):
    import dspy
    from dspy import lm15

    dspy.configure(lm=scripted.lm(lm15.ServerError("down"), schema=True))
    code, out, _ = autodata("verify", "answer_judge", "--gold", "Paris", "--answer", "Rome")
    assert code == 3 and out.startswith("undecided: the judge did not answer: ")


def test_audit_prints_figures_and_the_confusion_list(autodata, cases):
    code, out, err = autodata("audit", "math_objects", "--cases", cases)
    lines = out.splitlines()
    assert (code, err, lines[0]) == (0, "", "math_objects: 4 cases")
    assert lines[1].split() == "precision 100.00% 95 % interval 20.65% to 100.00%".split()
    assert lines[2].split() == "recall 50.00% 95 % interval 9.45% to 90.55%".split()
    assert "  false positives: 0, false negatives: 1, missed: 0, overconfident: 0" in lines
    shown = "  line 2: expected pass, said fail: 1/3 against 0.3333 (wrongly believed to be the same)"
    assert shown in lines and "is not the reference" in lines[lines.index(shown) + 1]


def test_audit_as_json(autodata, cases):
    code, out, _ = autodata("audit", "math_objects", "--cases", cases, "--json")
    data = json.loads(out)
    assert (code, data["n"], data["precision"], data["recall"], data["undecided_rate"]) == (0, 4, 1.0, 0.5, 0.25)
    assert (data["false_positives"], data["false_negatives"]) == (0, 1) and data["ms_median"] > 0


def test_audit_without_any_pass_shows_no_precision(autodata, tmp_path):
    path = tmp_path / "cases.jsonl"
    path.write_text('{"a": "1", "b": "2", "expected": false}\n')
    _, out, _ = autodata("audit", "math_objects", "--cases", path)
    assert out.splitlines()[1].split()[:2] == ["precision", "–"]


@pytest.mark.parametrize(
    "arguments, why",
    [
        (["audit", "math_object", "--cases", "none"], "unknown verifier 'math_object'; did you mean 'math_objects'?"),
        (["audit", "math_objects", "--cases", "/nonexistent"], "file of cases not found: /nonexistent"),
        (["audit", "math_objects", "--cases", "{cases}", "--lm", "judge=openai/x"], "asks no model; leave out --lm"),
        (["audit", "answer_judge", "--cases", "{cases}", "--lm", "jugde=openai/x"], "did you mean 'judge'"),
        (["verify", "nothing", "--answer", "1"], "unknown verifier 'nothing'"),
        (["verify", "near_duplicates", "--answer", "1 2"], "checks a dataset: give --answer as JSON, such as [row, …]"),
        (
            ["verify", "near_duplicates", "--answer", '"12"'],
            "checks a dataset: give --answer as JSON, such as [row, …]",
        ),
        (["verify", "program_answer", "--answer", "3"], 'give --answer as JSON, such as {"question": …, "answer": …}'),
        (["verify", "answer_judge", "--answer", "1", "--gold", "2", "--lm", "judge=embedded/none"], "unknown"),
    ],
)
def test_a_wrong_call_gets_one_line_and_exit_code_2(autodata, cases, arguments, why):
    code, out, err = autodata(*(argument.replace("{cases}", str(cases)) for argument in arguments))
    assert (code, out) == (2, "") and why in err and err.count("\n") == 1


def test_lm_flags_reach_the_judge(autodata, cases):
    """A model nobody serves: the judge asks it, and says so."""
    code, out, _ = autodata(
        *("verify", "answer_judge", "--gold", "Paris", "--answer", "Rome"),
        *("--lm", "judge=vllm:tiny", "--lm", "judge.api_base=http://127.0.0.1:9/v1", "--lm", "judge.num_retries=0"),
    )
    assert code == 3 and "role 'judge': vllm:tiny" in out


def test_both_commands_are_listed_and_help_loads_no_dspy():
    code = "import sys; from autodata_dspy.cli import main; sys.argv = ['autodata', 'audit', '--help']\ntry:\n    main()\nfinally:\n    print('dspy' in sys.modules)"  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "--cases" in done.stdout and done.stdout.rstrip().endswith("False")
