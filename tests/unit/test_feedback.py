from autodata_dspy.feedback import grouped_feedback
from autodata_dspy.types import Challenge, Decision, Round


def lost(reason, feedback=""):
    return Round(0, Decision(False, reason, feedback))


def kept(question):
    return Round(0, Decision(True, "accepted"), Challenge(question, "a"))


def test_nothing_earlier_says_none():
    assert grouped_feedback([]) == "none"


def test_failures_are_grouped_by_reason_with_their_number():
    rounds = [lost("too_easy", "A"), lost("malformed", "B"), lost("too_easy", "C")]
    assert grouped_feedback(rounds) == "- too easy (2): A | C\n- not usable (1): B"


def test_every_quality_reason_has_its_heading():
    reasons = ["failed_on_strong", "failed_check", "malformed", "no_agreement", "duplicate", "too_easy"]
    lines = grouped_feedback([lost(reason, "x") for reason in reasons]).splitlines()
    assert [line.split(" (1)")[0] for line in lines] == [
        "- too easy",
        "- failed on strong",
        "- failed the check",
        "- not usable",
        "- no agreement on the answer",
        "- repeated",
    ]


def test_only_the_latest_details_are_told_and_equal_ones_once():
    assert grouped_feedback([lost("too_easy", t) for t in "ABC"]) == "- too easy (3): B | C"
    assert grouped_feedback([lost("too_easy", "A")] * 3) == "- too easy (3): A"


def test_rounds_that_say_nothing_about_quality_are_left_out():
    assert grouped_feedback([lost("infrastructure", "down"), lost("undecided", "who knows")]) == "none"


def test_earlier_questions_are_never_quoted_because_small_models_copy_them():
    rounds = [kept("a kept question"), Round(1, Decision(False, "too_easy", "A"), Challenge("a lost question", "a"))]
    assert grouped_feedback(rounds) == "- too easy (1): A"
