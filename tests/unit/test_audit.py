"""Auditing verifiers: counts, intervals, and reading cases."""

import json
import statistics

import pytest

from autodata_dspy.audit import Case, Rate, audit, bootstrap, p99, read_cases, wilson
from autodata_dspy.errors import ConfigError, ProviderError, VerifierError
from autodata_dspy.types import Challenge, Verdict
from autodata_dspy.verifiers.program_answer import ProgramAnswer


class Told:
    """Says of a subject what the subject says of itself."""

    name, checks, cost = "told", "answer", "free"
    EXAMPLES = ()

    def __init__(self):
        self.asked = []

    def verify(self, subject, reference="", context=""):
        self.asked.append((subject, reference, context))
        if subject == "broken":
            raise VerifierError("no worker")
        if subject == "unset":
            raise ConfigError("no model")
        if subject == "down":
            raise ProviderError("no answer")
        score = {"yes": 1.0, "no": 0.0, "partly": 0.5}.get(subject)
        return Verdict(score, f"said {subject}", {}, self.name)


def cases(*pairs):
    return [Case(subject, expected=expected) for subject, expected in pairs]


def test_the_counts_of_an_audit():
    found = audit(
        Told(),
        cases(
            *[("yes", True)] * 6,
            ("no", True),
            ("partly", True),
            ("?", True),
            *[("no", False)] * 4,
            ("yes", False),
            ("broken", False),
            ("down", None),
            ("yes", None),
            ("no", None),
        ),
    )
    assert (found.precision, found.recall, found.undecided) == (Rate(6, 8), Rate(6, 9), Rate(3, 18))
    assert found.accuracy == Rate(11, 18)
    assert (found.false_positives, found.false_negatives, found.missed, found.overconfident) == (2, 2, 2, 1)
    assert len(found.ms) == 18
    assert [(c.case.subject, c.case.expected, c.said) for c in found.confusions] == [
        ("no", True, False),
        ("partly", True, False),
        ("?", True, None),
        ("yes", False, True),
        ("broken", False, None),
        ("yes", None, True),
        ("no", None, False),
    ]
    assert found.confusions[4].feedback == "no worker"


def test_the_plain_data_of_an_audit_has_the_promised_keys():
    data = audit(Told(), cases(("yes", True), ("no", True), ("?", None))).to_dict()
    promised = {"n", "precision", "recall", "undecided_rate", "false_positives", "false_negatives", "ms_median"}
    assert promised <= set(data)
    assert (data["n"], data["precision"], data["recall"], data["undecided_rate"]) == (3, 1.0, 0.5, 1 / 3)
    assert (data["false_positives"], data["false_negatives"]) == (0, 1)
    low, high = data["ms_median_interval"]
    assert 0 <= low <= data["ms_median"] <= high and data["ms_p99"] >= data["ms_median"]
    assert data["confusions"] == [
        {"subject": "no", "reference": "", "context": "", "expected": True, "why": "", "line": 0, "said": False}
        | {"feedback": "said no"}
    ]
    json.dumps(data, allow_nan=False)


def test_rates_of_nothing_are_absent_and_not_a_number_made_up():
    data = audit(Told(), cases(("?", None))).to_dict()
    assert (data["precision"], data["recall"], data["precision_interval"]) == (None, None, [0.0, 1.0])


def test_a_missing_model_is_for_the_user_and_not_an_undecided_case():
    with pytest.raises(ConfigError, match="no model"):
        audit(Told(), cases(("yes", True), ("unset", True)))


def test_workers_start_before_the_clock_and_models_are_not_asked_twice():
    free, paid = Told(), Told()
    paid.cost = "lm"
    seen = []
    audit(free, cases(("yes", True), ("no", True)), watch=lambda done, n: seen.append((done, n)))
    audit(paid, cases(("yes", True), ("no", True)))
    assert ([s for s, _, _ in free.asked], [s for s, _, _ in paid.asked]) == (["yes", "yes", "no"], ["yes", "no"])
    assert seen == [(1, 2), (2, 2)]


def test_numbers_in_cases_are_read_as_their_text(file):
    path = file(
        {"a": 1, "b": "1", "expected": True},
        {"a": 0.5, "b": 3, "expected": True},
        {"subject": 7, "reference": 1e-9, "expected": True},
    )
    verifier = Told()
    audit(verifier, read_cases(path))
    assert [asked[:2] for asked in verifier.asked[1:]] == [("1", "1"), ("0.5", "3"), ("7", "0.000000001")]


def test_a_list_of_references_is_for_checks_of_data_sets(file):
    cases = read_cases(
        file({"subject": "yes", "expected": True}, {"subject": "x", "reference": ["1"], "expected": True})
    )
    with pytest.raises(ConfigError, match="line 2: `reference` of 'told' is a text"):
        audit(Told(), cases)
    rows = Told()
    rows.checks = "dataset"
    assert audit(rows, cases).undecided == Rate(1, 2)


def test_texts_for_a_check_of_programs_are_undecided_and_not_an_error(file):
    found = audit(ProgramAnswer(), read_cases(file({"a": "1", "b": "1", "expected": True})))
    assert (found.undecided, found.missed) == (Rate(1, 1), 1)
    assert "no challenge" in found.confusions[0].feedback


def test_a_case_that_breaks_the_verifier_is_undecided_and_the_others_go_on():
    class Fragile(Told):
        def verify(self, subject, reference="", context=""):
            return super().verify(subject.lower(), reference, context)

    found = audit(Fragile(), [Case("yes"), Case(["yes"]), Case("YES")])
    assert (found.recall, found.undecided) == (Rate(2, 3), Rate(1, 3))
    assert found.confusions[0].feedback.startswith("the verifier is broken: AttributeError")


def test_an_audit_of_nothing_is_refused():
    with pytest.raises(ConfigError, match="at least one case"):
        audit(Told(), [])


def test_challenges_in_cases_become_challenges():
    good = {"question": "Solve x^2 = 4.", "answer": "{-2, 2}", "program": "answer = solveset(x**2 - 4, x, S.Reals)"}
    bad = {**good, "answer": "2"}
    found = audit(ProgramAnswer(), [Case(good), Case(bad, expected=False), Case(Challenge(**good))])
    assert found.accuracy == Rate(3, 3)


def test_challenges_among_the_confusions_are_shown_as_data():
    found = audit(Told(), [Case(Challenge("q", "a"), expected=True)])
    data = json.loads(json.dumps(found.to_dict()))
    assert "question='q'" in data["confusions"][0]["subject"]


@pytest.mark.parametrize(
    "k, n, low, high",
    # Checked with scipy.stats.binomtest(k, n).proportion_ci(method="wilson")
    [(0, 10, 0.0, 0.277533), (10, 10, 0.722467, 1.0), (5, 10, 0.236593, 0.763407), (97, 100, 0.915480, 0.989746)],
)
def test_wilson_intervals(k, n, low, high):
    assert wilson(k, n) == pytest.approx((low, high), abs=1e-5)


def test_a_rate_of_nothing_can_be_anything():
    assert (Rate(0, 0).value, Rate(0, 0).interval) == (None, (0.0, 1.0))


def test_p99_is_the_value_that_99_percent_do_not_exceed():
    assert p99(range(1, 101)) == 99
    assert p99(range(1, 201)) == 198
    assert p99([7.0]) == 7.0


def test_bootstrap_intervals_are_reproducible_and_narrow_with_more_data():
    few, many = [float(i % 10) for i in range(10)], [float(i % 10) for i in range(1000)]
    assert bootstrap(few, statistics.median) == bootstrap(few, statistics.median)
    (a, b), (c, d) = bootstrap(few, statistics.mean), bootstrap(many, statistics.mean)
    assert a < c < 4.5 < d < b
    assert bootstrap([2.0], statistics.median) == (2.0, 2.0)


@pytest.fixture
def file(tmp_path):
    def file(*lines):
        path = tmp_path / "cases.jsonl"
        path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), "utf-8")
        return path

    return file


def test_both_forms_of_cases_are_read_and_blank_lines_are_not(file):
    path = file(
        {"a": "x", "b": "y", "expected": True, "note": "n"},
        "",
        {"subject": ["s"], "reference": "r", "context": "c", "expected": None, "why": "w", "more": 1},
        {"subject": "s", "expected": False},
    )
    assert read_cases(path) == [
        Case("x", "y", "", True, "n", 1),
        Case(["s"], "r", "c", None, "w", 3),
        Case("s", "", "", False, "", 4),
    ]


def test_line_separators_inside_a_text_do_not_end_a_line(file):
    line = json.dumps({"a": "x\u2028y\x85", "b": "y", "expected": True}, ensure_ascii=False)
    assert read_cases(file(line))[0].subject == "x\u2028y\x85"


def test_a_byte_order_mark_is_no_part_of_the_first_line(file):
    path = file({"a": "x", "b": "y", "expected": True})
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(read_cases(path)) == 1


@pytest.mark.parametrize(
    "line, why",
    [
        ("{", "line 1: not JSON"),
        ("[" * 100_000, "line 1: not JSON"),
        ("3", "line 1: expected an object, not '3'"),
        ({"b": "y", "expected": True}, "line 1: a case has `a` and `b`, or `subject`"),
        ({"a": "x", "b": "y"}, "`expected` is true, false or null, not 'absent'"),
        ({"a": "x", "b": "y", "expected": 1}, "`expected` is true, false or null, not 1"),
        ({"a": "x", "b": "y", "expected": "true"}, "not 'true'"),
        ({"a": "x", "b": ["3"], "expected": True}, 'line 1: `b` is a text or a number, not ."3".'),
        ({"a": None, "b": "3", "expected": True}, "line 1: `a` is a text or a number, not null"),
        ({"a": {"x": 1}, "b": "3", "expected": True}, "`a` is a text or a number"),
        ({"a": True, "b": "3", "expected": True}, "`a` is a text or a number, not true"),
        ({"subject": "x", "context": 3, "expected": True}, "`context` is a text, not 3"),
        ({"subject": None, "expected": True}, "`subject` is a text, a challenge or a list, not null"),
        ({"subject": "x", "reference": {"a": 1}, "expected": True}, "`reference` is a text, or a list of rows"),
        ("", "holds no cases"),
    ],
)
def test_what_is_no_case_is_refused_with_its_line(file, line, why):
    with pytest.raises(ConfigError, match=why):
        read_cases(file(line))


def test_files_that_cannot_be_read_are_refused_in_one_line(tmp_path):
    with pytest.raises(ConfigError, match="file of cases not found"):
        read_cases(tmp_path / "none.jsonl")
    with pytest.raises(ConfigError, match="Is a directory"):
        read_cases(tmp_path)
    latin = tmp_path / "latin.jsonl"
    latin.write_bytes(b'{"a": "\xe9"}')
    with pytest.raises(ConfigError, match="utf-8"):
        read_cases(latin)
    huge = tmp_path / "huge.jsonl"
    with huge.open("wb") as sparse:
        sparse.truncate(300 * 2**20)
    with pytest.raises(ConfigError, match="larger than 256 MB"):
        read_cases(huge)
