"""The domain of code: what becomes an exercise, what does not and why, and the loop with solvers whose code runs."""

import ast
import sys
from difflib import SequenceMatcher

import dspy
import pytest

from autodata_dspy.code_exercises import _inexact, builder
from autodata_dspy.docstrings import examples
from autodata_dspy.domains.base import Malformed
from autodata_dspy.domains.code import DEMOS, PLUGIN, REVIEW_DEMOS, SOLVER_DEMOS, recheck
from autodata_dspy.errors import ConfigError, VerifierError
from autodata_dspy.generators import AgenticSelfInstruct
from autodata_dspy.sandbox import monty
from autodata_dspy.sandbox.bubblewrap import Box, find_box
from autodata_dspy.types import Challenge
from autodata_dspy.verifiers.test_adequacy import TestAdequacy
from autodata_dspy.verifiers.unit_tests import UnitTests

needs_sandbox = pytest.mark.skipif(
    not isinstance(find_box(), Box) and bool(monty.missing()), reason="no sandbox on this machine"
)
pytestmark = needs_sandbox

HEAD = (
    'def coins(minutes: int) -> int:\n    """Coins for a locker: none up to 20 minutes, then 2 for each hour begun.\n\n'
)
SHOWN = "    >>> coins(20)\n    0\n    >>> coins(61)\n    4\n    >>> coins(21)\n    2\n"
BODY = "    if minutes <= 20:\n        return 0\n    return 2 * ((minutes + 59) // 60)"
GOOD = f'{HEAD}    """\n{BODY}'
CALLS = ("coins(20)", "coins(61)", "coins(120)")


def built(function: str = GOOD, *calls: str) -> Challenge:
    return PLUGIN.build(dspy.Prediction(function=function, calls=list(calls or CALLS)), "an angle")


def why_not(function: str = GOOD, *calls: str) -> str:
    with pytest.raises(Malformed) as malformed:
        built(function, *calls)
    return str(malformed.value)


# -- what becomes an exercise ---------------------------------------------------------------------------------


def test_a_function_becomes_a_stub_a_solution_and_tests():
    challenge = built()
    assert challenge.question == f'{HEAD}{SHOWN}    """'
    assert challenge.answer == f"def coins(minutes: int) -> int:\n{BODY}"
    assert challenge.program.splitlines() == [
        *("assert coins(20) == 0", "assert coins(61) == 4", "assert coins(120) == 4"),
        # and next to them
        *("assert coins(21) == 2", "assert coins(62) == 4", "assert coins(121) == 6"),
        *("assert coins(19) == 0", "assert coins(60) == 2", "assert coins(119) == 4"),
        *("assert coins(40) == 2", "assert coins(122) == 6", "assert coins(240) == 8"),
    ]
    assert challenge.angle == "an angle"


def test_solvers_are_shown_no_line_of_the_body():
    challenge = built()
    lines = [line.strip() for line in BODY.splitlines()]
    assert not any(line in challenge.question for line in lines)


@pytest.mark.parametrize("demo", DEMOS, ids=lambda d: d["angle"])
def test_every_demo_is_a_good_exercise(demo):
    challenge = builder(())(dspy.Prediction(**demo), demo["angle"])
    assert all(f">>> {call}" in challenge.question for call in demo["calls"])
    verdict = TestAdequacy().verify(challenge)
    assert verdict.passed, verdict.feedback


@pytest.mark.parametrize(
    "words",
    [
        "Longest run of items that keep a rule. The items should satisfy a given condition.",
        "Counts the pairs that keep some particular rule; returns how many pairs are under a certain condition.",
    ],
)
def test_a_rule_that_is_named_and_not_stated_is_no_exercise(words):
    said = HEAD.replace("Coins for a locker: none up to 20 minutes, then 2 for each hour begun.", words)
    assert "does not state it" in why_not(f'{said}    """\n{BODY}')


@pytest.mark.parametrize(
    "words",
    [
        "Longest run of items that keep a rule: every item but the first is greater than the one before.",
        "A running total under a condition. It falls back to zero whenever an item is negative.",
    ],
)
def test_a_rule_that_is_named_and_then_stated_is_one(words):
    said = HEAD.replace("Coins for a locker: none up to 20 minutes, then 2 for each hour begun.", words)
    assert words in built(f'{said}    """\n{BODY}').question


@pytest.mark.parametrize("demo", DEMOS, ids=lambda d: d["angle"])
def test_a_demonstration_under_other_names_is_no_exercise(demo):
    changed = demo["function"].replace("minutes", "m").replace("throws", "rows").replace("flags", "text")
    with pytest.raises(Malformed, match="an example above"):
        built(changed)


def test_no_direction_asks_for_a_demonstration():
    likeness = {(a, d["angle"]): SequenceMatcher(None, a, d["angle"]).ratio() for a in PLUGIN.angles for d in DEMOS}
    assert max(likeness.values()) < 0.6, max(likeness, key=likeness.get)


def test_items_that_should_come_once_do():
    told = (
        'def kept(xs: list[int], ys: list[int]) -> list[int]:\n    """Items of xs that are not in ys, each once."""\n'
    )
    calls = ("kept([4, 1, 2], [1])", "kept([3, 5], [])")
    assert "comes once, but kept([4, 1, 2, 4], [1]) gives [4, 2, 4]" in why_not(
        f"{told}    return [x for x in xs if x not in ys]", *calls
    )
    assert built(f"{told}    return list(dict.fromkeys(x for x in xs if x not in ys))", *calls)


def test_a_result_of_another_kind_than_the_hint_says_is_a_rule_that_was_not_stated():
    assert "the hint says str, but coins(20) gives 0" in why_not(GOOD.replace("-> int", "-> str"))
    some = GOOD.replace("        return 0", "        return 0 if minutes >= 0 else None")
    assert "coins(-1) gives None; say what" in why_not(some, "coins(-1)", *CALLS)
    assert "None" not in built(some, "coins(0)", *CALLS).program


def test_examples_in_the_docstring_are_calls_whose_values_are_found_anew():
    told = GOOD.replace(
        '    """\n', '    >>> coins(20)\n    7\n    Or coins(61) == 5.\n    >>> coins(61)\n    \'x\'\n    """\n'
    )
    assert built(told, "coins(120)").question == built(GOOD, "coins(120)", "coins(20)", "coins(61)").question


def test_each_value_is_shown_once_those_of_written_calls_first():
    assert [line.strip() for line in built().question.splitlines()[3:9]] == [
        *(">>> coins(20)", "0", ">>> coins(61)", "4", ">>> coins(21)", "2")
    ]


def test_a_library_that_was_forgotten_is_imported_for_the_solution():
    challenge = built(GOOD.replace("2 * ((minutes + 59) // 60)", "2 * ceil(minutes / 60)"))
    assert challenge.answer.startswith("from math import ceil\n") and "import" not in challenge.question


@pytest.mark.parametrize("demo", SOLVER_DEMOS, ids=lambda d: d["code"].split("(")[0])
def test_the_solvers_demos_do_what_their_stubs_say(demo):
    name = demo["code"].split("(")[0].removeprefix("def ")
    said = examples(ast.get_docstring(ast.parse(demo["question"]).body[0]), name)
    tests = "\n".join(f"assert {call} == {value}" for call, value in said)
    assert len(said) == 2 and UnitTests().verify(demo["code"], tests, demo["question"]).passed


def test_the_reviews_demos_show_every_verdict():
    assert {demo["verdict"] for demo in REVIEW_DEMOS} == {
        *("clear", "rule missing", "example contradicts", "asks nothing")
    }
    assert all(len(ast.parse(demo["question"]).body) == 1 for demo in REVIEW_DEMOS)


def test_fences_trials_below_the_function_and_missing_imports_of_hints_do_no_harm():
    typed = GOOD.replace("minutes: int) -> int", "minutes: int, more: Optional[int] = None) -> int")
    challenge = built(f"```python\n{typed}\n\nprint(coins(3))\nassert coins(20) == 1\n```")
    assert challenge.question.startswith("from typing import Optional\n\n\ndef coins(")
    assert challenge.answer.startswith("from typing import Optional\n\n\ndef coins(")
    assert "print" not in challenge.answer and "coins(3)" not in challenge.program


def test_decimals_are_compared_with_a_tolerance():
    half = 'def half(n: int) -> float:\n    """Half of a number, as a decimal, whatever its sign may be."""\n'
    challenge = built(f"{half}    return n / 2", "half(1)", "half(4)")
    assert "assert abs(half(3) - 1.5) < 1e-06" in challenge.program
    assert UnitTests().verify("def half(n):\n    return n * 0.5000000001", challenge.program).passed
    assert not UnitTests().verify("def half(n):\n    return n * 0.501", challenge.program).passed


def test_a_call_that_raises_is_left_out():
    challenge = built(GOOD.replace(BODY, f"    minutes[0] if minutes == 60 else 0\n{BODY}"))
    assert "coins(60)" not in challenge.program and "coins(61)" in challenge.program


# -- what does not, and what the challenger is told -----------------------------------------------------------

OTHER = 'def coins(minutes: int) -> int:\n    """{}"""\n    return minutes + 1'


@pytest.mark.parametrize(
    ("function", "told"),
    [
        ("", "there are 0 functions"),
        ("def coins(minutes", "the function is not Python"),
        ("(" * 5000, "the function is not Python"),
        (f"```\n{GOOD}\n```\nor\n```\n{GOOD}\n```", "several blocks of code"),
        (f"class A:\n    pass\n\n{GOOD}", "no class and no coroutine"),
        (GOOD.replace("def coins", "async def coins"), "no class and no coroutine"),
        (f"{GOOD}\n\ndef more(n: int) -> int:\n    return n", "there are 2 functions"),
        (f"import numpy as np\n{GOOD}", "numpy is not in the standard library"),
        (GOOD.replace('    """\n', '    """\n    from pandas.core import x\n', 1), "pandas is not in the standard"),
        (f"from . import sibling\n{GOOD}", "is not in the standard library"),
        (GOOD.replace("coins", "sum"), "sum is no good name"),
        (GOOD.replace("coins", "json"), "json is no good name"),
        (GOOD.replace("coins", "_coins"), "_coins is no good name"),
        (GOOD.replace("minutes: int)", ")"), "at least one argument"),
        (GOOD.replace("minutes: int)", "*minutes: int)"), "at least one argument, and no *"),
        (GOOD.replace("minutes: int)", "minutes)"), "a type hint"),
        (GOOD.replace(" -> int", ""), "a type hint"),
        (f"def coins(minutes: int) -> int:\n{BODY}", "no docstring"),
        (GOOD.replace(BODY, "    pass"), "no code below its docstring"),
        (GOOD.replace(BODY, "    raise NotImplementedError"), "no code below its docstring"),
        (GOOD.replace(HEAD, 'def coins(minutes: int) -> int:\n    """Coins.\n\n'), "the docstring says too little"),
        (GOOD.replace("Coins for", "Coins for " + "very " * 300), "the docstring is too long"),
        (GOOD.replace("Coins for", "Uses 2 * ((minutes+59) // 60). Coins for"), "the docstring shows the code `2 * "),
        (GOOD.replace(BODY, "    return lambda: 0"), "its value is no plain data"),
        (GOOD.replace(BODY, "    while True:\n        pass"), "used more than 2 s of CPU time"),
        (GOOD.replace(BODY, "    return undefined + 1"), "NameError"),
        (GOOD.replace(BODY, "    import time\n    return time.time_ns()"), "not give the same result"),
    ],
)
def test_what_is_no_exercise(function, told):
    assert told in why_not(function)


@pytest.mark.parametrize(
    "call", ["coins(x)", "coins('20')", "coins(20, 30)", "coins(hours=2)", "other(20)", "coins(", "coins([1, 2", ""]
)
def test_a_call_that_is_none_is_no_call(call):
    assert why_not(GOOD, call) == "there is no call coins(…) with plain values of the hinted types; write three"
    assert built(GOOD, call, *CALLS).program == built().program


def test_a_list_with_decimals_cannot_be_tested_exactly():
    halves = 'def halves(n: int) -> list[float]:\n    """A list that holds the half of the given number alone."""\n'
    assert "a list with decimals" in why_not(f"{halves}    return [n / 2]", "halves(1)", "halves(2)")


def test_too_few_calls_and_why_others_do_not_count():
    narrow = GOOD.replace(
        BODY, f"    if minutes not in (20, 61, 120):\n        raise ValueError('no such time')\n{BODY}"
    )
    told = why_not(narrow)
    assert told.startswith("only 3 calls like the written") and "coins(21): ValueError" in told


def test_calls_that_all_give_the_same():
    assert why_not(GOOD.replace("2 * ((", "0 * ((")) == "every call gives 0; write calls that give different values"


def test_a_function_that_answers_differently_each_time():
    moody = GOOD.replace(
        BODY, f"    import os\n    if minutes == 21:\n        return int.from_bytes(os.urandom(8))\n{BODY}"
    )
    assert "does not give the same result each time" in why_not(moody)


def test_without_any_sandbox_the_user_is_told_what_to_install(monkeypatch, tmp_path):
    find_box.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(monty, "_pool", None)
    monkeypatch.setitem(sys.modules, "pydantic_monty", None)
    try:
        with pytest.raises(ConfigError, match=r"runs in a sandbox only: bubblewrap is not there.*pydantic-monty"):
            built()
    finally:
        find_box.cache_clear()


def test_decimals_are_found_inside_containers_alone():
    assert not _inexact(0.5) and not _inexact([1, "a", (2,)]) and not _inexact({"a": 1})
    assert _inexact([0.5]) and _inexact((1, [0.5])) and _inexact({"a": 0.5}) and _inexact({"a": {0.5}})


# -- solving --------------------------------------------------------------------------------------------------


def test_the_answer_of_both_modes_is_code():
    for mode in PLUGIN.solving.values():
        said = dspy.Prediction(reasoning="Just do it.", code="```python\ndef f(n):\n    return n\n```")
        assert mode.answer(said) == "def f(n):\n    return n"
        for empty in ("", None, "\n \n", "```python\n```"):
            with pytest.raises(Malformed, match="there is no code"):
                mode.answer(dspy.Prediction(code=empty))
        with pytest.raises(VerifierError, match="which one is meant"):
            mode.answer(dspy.Prediction(code="```\ndef f(n):\n    1\n```\n```\ndef f(n):\n    2\n```"))


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        (f"def coins(minutes: int) -> int:\n{BODY}", 1.0),
        (GOOD, 1.0),
        (BODY, 1.0),  # the body alone completes the stub
        (f"def coins(minutes: int) -> int:\n{BODY}".replace("<=", "<"), 0.0),
        ("def other(minutes):\n    return 0", 0.0),
        ("I cannot do that.", 0.0),
    ],
)
def test_answers_are_run_against_the_tests_behind_the_stub(answer, score):
    challenge = built()
    verdict = PLUGIN.answer_verifier(None).verify(answer, PLUGIN.reference(challenge), challenge.question)
    assert verdict.score == score


def test_recheck_runs_the_tests_again():
    challenge = built()
    broken = Challenge(challenge.question, challenge.answer.replace("59", "58"), challenge.program)
    assert [v.score for v in recheck([challenge, broken])] == [1.0, 0.0]


def test_the_template_writes_code_blocks():
    row = {"question": "def f(d: dict) -> set:", "answer": "    return {*d}"}
    assert (
        PLUGIN.template.prompt.format(**row)
        == "Complete this Python function.\n\n```python\ndef f(d: dict) -> set:\n```"
    )
    assert PLUGIN.template.response.format(**row) == "```python\n    return {*d}\n```"


# -- the whole loop -------------------------------------------------------------------------------------------

RIGHT = f"def coins(minutes: int) -> int:\n{BODY}"
FREE_LIMIT_MISSED = RIGHT.replace("<= 20", "< 20")


def loop(scripted, weak, strong, challenger=None, verdict="clear", **options):
    roles = scripted.roles(
        challenger=challenger or {"function": GOOD, "calls": CALLS},
        quality_verifier={"returns": "a number of coins", "verdict": verdict},
        weak_solver=weak,
        strong_solver=strong,
        schema=True,
    )
    maker = AgenticSelfInstruct(PLUGIN, roles, **{"max_rounds": 1, "per_document": 1} | options)
    return maker(document=PLUGIN.documents()[1], seed=0).trajectory, roles


def test_an_exercise_that_only_the_strong_solver_masters_is_accepted(scripted):
    strong = {"reasoning": "Free up to 20, else hours rounded up.", "code": RIGHT}
    trajectory, roles = loop(scripted, {"code": FREE_LIMIT_MISSED}, strong)
    (round_,) = trajectory.accepted
    assert round_.challenge.program == built().program and round_.challenge.angle
    assert round_.scores("weak_solver") == [0.0, 0.0] and round_.scores("strong_solver") == [1.0, 1.0]
    assert "coins(20)" in round_.rollouts[0].verdict.feedback
    assert round_.rollouts[-1].reasoning == "Free up to 20, else hours rounded up."
    assert [v.verifier for v in round_.verdicts] == ["test_adequacy", "quality_verifier"]
    words = f'{HEAD.strip()}\n    """'
    for role, seen in (("weak_solver", round_.challenge.question), ("strong_solver", words)):
        (first, *_) = scripted.calls(roles, role)
        assert first.inputs == {"context": "none", "question": seen}
        assert "(minutes + 59)" not in first.prompt and "car park by the harbour" not in first.prompt


def test_an_exercise_that_the_weak_solver_masters_is_too_easy(scripted):
    trajectory, _ = loop(scripted, {"code": RIGHT}, {"reasoning": "", "code": RIGHT})
    assert [r.decision.reason for r in trajectory.rounds] == ["too_easy"]


def test_an_exercise_that_nobody_masters_failed_on_strong(scripted):
    trajectory, _ = loop(scripted, {"code": ""}, {"reasoning": "Hm.", "code": FREE_LIMIT_MISSED})
    (round_,) = trajectory.rounds
    assert round_.decision.reason == "failed_on_strong"
    assert round_.rollouts[0].verdict.feedback == "there is no code"


def test_tests_that_notice_little_are_sent_back_before_any_solver_is_asked(scripted):
    late = "    if minutes > 5000:\n        return 700 + minutes // 90 - 3 * (minutes % 7)\n    return 2"
    blunt = {"function": GOOD.replace("    return 2", late), "calls": CALLS}
    trajectory, roles = loop(scripted, {"code": RIGHT}, {"code": RIGHT}, blunt)
    (round_,) = trajectory.rounds
    assert round_.decision.reason == "failed_check"
    assert "small errors; not noticed: line" in round_.decision.feedback
    assert not scripted.calls(roles, "weak_solver") and not scripted.calls(roles, "quality_verifier")


def test_the_reviews_objection_is_the_feedback(scripted):
    trajectory, _ = loop(scripted, {"code": RIGHT}, {"code": RIGHT}, verdict="rule missing")
    assert trajectory.rounds[0].decision.feedback == "rule missing"


def test_what_is_malformed_is_told_to_the_challenger_in_the_next_round(scripted):
    wrong = {"function": GOOD.replace("-> int", "-> str"), "calls": CALLS}
    strong = {"reasoning": "As before.", "code": RIGHT}
    right = {"function": GOOD, "calls": CALLS}
    trajectory, roles = loop(scripted, {"code": "pass"}, strong, [wrong, right], max_rounds=2)
    assert [r.decision.reason for r in trajectory.rounds] == ["malformed", "accepted"]
    assert "but coins(20) gives 0" in scripted.calls(roles, "challenger")[1].inputs["feedback"]
