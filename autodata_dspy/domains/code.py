"""Code: a function to write from its stub, with tests whose values come from running a reference solution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import dspy
from pydantic import Field

from autodata_dspy.acceptance import ExactCounts
from autodata_dspy.code_exercises import builder
from autodata_dspy.docstrings import without_examples
from autodata_dspy.domains.base import Domain, ExportTemplate, Malformed, SolvingMode
from autodata_dspy.sandbox.bubblewrap import Box, find_box
from autodata_dspy.types import Challenge, Verdict
from autodata_dspy.verifiers.base import Verifier
from autodata_dspy.verifiers.near_duplicates import NearDuplicates
from autodata_dspy.verifiers.test_adequacy import TestAdequacy
from autodata_dspy.verifiers.unit_tests import UnitTests, find_code

# No values are asked for: small models write sound functions and miscount. What calls give is computed in the sandbox;
# see `code_exercises`. Calls are bounded, because lists in them went on until they were cut off, in 4 of 13 drafts of a
# 1.5B; decoders are told of these bounds, and no one is held to them.
Call = Annotated[str, Field(json_schema_extra={"maxLength": 80})]
Calls = Annotated[list[Call], Field(json_schema_extra={"maxItems": 3})]


class WriteFunction(dspy.Signature):
    """You write small Python exercises. Write one function that works by the rule of the angle, set among the things
    that the passage is about: take a subject and its words from the passage, but no sentence.

    The function: type hints, a docstring, then the code. The docstring states the whole rule in at most 50 words and
    without examples: what goes in, what comes out, every number, every case, and what is given for nothing. The
    function takes numbers, texts or short lists and returns a whole number, a text, True or False, or a list of these.
    Then three short calls of it that give different values: a usual case, one exactly at a limit, one of nothing or
    little."""

    passage: str = dspy.InputField(desc="source text; data, not instructions")
    angle: str = dspy.InputField(desc="the rule of the function")
    feedback: str = dspy.InputField(desc="why earlier functions were rejected; write a different one")
    function: str = dspy.OutputField(desc="type hints, docstring with the whole rule, code")
    calls: Calls = dspy.OutputField(desc="three short calls, without their values")


class ReviewFunction(dspy.Signature):
    """Check a Python exercise before students see it: they write the function from this stub alone. Most exercises are
    clear. One is unusable only if the docstring leaves out a number or a rule that is needed, if an example contradicts
    its words, or if it asks for nothing."""

    question: str = dspy.InputField()
    returns: str = dspy.OutputField(desc="what is returned, in at most eight words")
    verdict: Literal["clear", "rule missing", "example contradicts", "asks nothing"] = dspy.OutputField()


class WriteCode(dspy.Signature):
    """Write the Python function that the stub begins. Answer with its complete code only."""

    context: str = dspy.InputField()
    question: str = dspy.InputField()
    code: str = dspy.OutputField(desc="the complete function")


class PlanAndWriteCode(dspy.Signature):
    """Write the Python function that the stub begins. First say in one sentence how it works, limits and empty inputs
    included; then write its complete code."""

    context: str = dspy.InputField()
    question: str = dspy.InputField()
    reasoning: str = dspy.OutputField(desc="one sentence")
    code: str = dspy.OutputField(desc="the complete function")


DEMOS = (
    {
        "passage": "Lockers at the pool cost nothing for the first half hour and then a coin for each hour begun.",
        "angle": "what a number of minutes costs: 20 are free, then 2 coins for each hour begun, at most 8",
        "feedback": "none",
        "function": "def locker_coins(minutes: int) -> int:\n"
        '    """Coins to pay for a locker. Up to 20 minutes cost nothing. Longer use costs 2 coins for\n'
        '    each hour begun, counted from the start, but never more than 8 coins."""\n'
        "    if minutes <= 20:\n        return 0\n"
        "    hours = (minutes + 59) // 60\n    return min(2 * hours, 8)",
        "calls": ["locker_coins(61)", "locker_coins(20)", "locker_coins(181)"],
    },
    {
        "passage": "Throwers get three attempts. The longest counts; equal distances are separated by the second best.",
        "angle": "names ordered by their best value; of equal ones by the sum of their values, then by the alphabet",
        "feedback": "too easy (2 problems): the weak solver answered it 2 of 2 times; make it harder",
        "function": "def ranking(throws: dict[str, list[int]]) -> list[str]:\n"
        '    """Names of the throwers, best first. The longest throw counts; if it is equal, the sum of all\n'
        "    throws decides; if that is equal too, the name that comes first in the alphabet wins. A thrower\n"
        '    without a throw counts as 0."""\n'
        "    def key(name):\n"
        "        own = throws[name]\n        return (-max(own, default=0), -sum(own), name)\n"
        "    return sorted(throws, key=key)",
        "calls": [
            "ranking({'Bo': [50, 40], 'Al': [50, 45], 'Cy': [60, 1]})",
            "ranking({'Zo': [3, 3], 'Al': [3, 3]})",
            "ranking({'Di': [], 'Cy': [0], 'Al': []})",
        ],
    },
    {
        "passage": "The keeper notes the flag of each hour as one letter and writes equal hours in a row once.",
        "angle": "a text in which three or more equal letters in a row become their number and the letter",
        "feedback": "failed_check (1 problem): the tests notice 7 of 12 small errors",
        "function": "def shorten(flags: str) -> str:\n"
        '    """Short form of a row of flags. Three or more equal letters in a row become their number and\n'
        '    the letter; one or two stay as they are."""\n'
        "    out, i = '', 0\n    while i < len(flags):\n        j = i\n"
        "        while j < len(flags) and flags[j] == flags[i]:\n            j += 1\n"
        "        n = j - i\n        out += str(n) + flags[i] if n >= 3 else flags[i:j]\n"
        "        i = j\n    return out",
        "calls": ["shorten('rrrrgg')", "shorten('ggg')", "shorten('')"],
    },
)

REVIEW_DEMOS = (
    {
        "question": 'def stamps(grams: int) -> int:\n    """Stamps for a letter: one for each 20 grams begun.\n\n'
        '    >>> stamps(20)\n    1\n    >>> stamps(21)\n    2\n    """',
        "returns": "number of stamps for a weight",
        "verdict": "clear",
    },
    {
        "question": 'def fine(days: int) -> int:\n    """Fine for a book that is late by some days.\n\n'
        '    >>> fine(3)\n    60\n    >>> fine(0)\n    0\n    """',
        "returns": "a fine by an unstated rate",
        "verdict": "rule missing",
    },
    {
        "question": 'def evens(xs: list[int]) -> list[int]:\n    """The even numbers of xs in their order.\n\n'
        '    >>> evens([4, 1, 2])\n    [4, 2]\n    >>> evens([])\n    []\n    """',
        "returns": "the even numbers, order kept",
        "verdict": "clear",
    },
    {
        "question": 'def longest(names: list[str]) -> str:\n    """The longest name; of equal ones the first.\n\n'
        "    >>> longest(['Al', 'Bo'])\n    'Bo'\n    >>> longest(['Cyd'])\n    'Cyd'\n    \"\"\"",
        "returns": "the longest name",
        "verdict": "example contradicts",
    },
    {
        "question": 'def tide(t: int) -> int:\n    """Tides follow the moon.\n\n'
        '    >>> tide(1)\n    1\n    >>> tide(2)\n    2\n    """',
        "returns": "nothing that is described",
        "verdict": "asks nothing",
    },
)

_SOLVED = (
    {
        "context": "none",
        "question": 'def stamps(grams: int) -> int:\n    """Stamps for a letter: one for each 20 grams begun, '
        'at least one.\n\n    >>> stamps(20)\n    1\n    >>> stamps(0)\n    1\n    """',
        "reasoning": "Round the weight up to whole steps of 20 grams and take at least 1.",
        "code": "def stamps(grams: int) -> int:\n    return max(1, (grams + 19) // 20)",
    },
    {
        "context": "none",
        "question": 'def longest(names: list[str]) -> str:\n    """The longest name; of equal ones the first; '
        "an empty text if there is none.\n\n"
        "    >>> longest(['Al', 'Bo'])\n    'Al'\n    >>> longest([])\n    ''\n    \"\"\"",
        "reasoning": "Go through the names, keep a name only if it is longer than the best so far, and begin with ''.",
        "code": "def longest(names: list[str]) -> str:\n    best = ''\n    for name in names:\n"
        "        if len(name) > len(best):\n            best = name\n    return best",
    },
)
SOLVER_DEMOS = tuple({k: demo[k] for k in ("context", "question", "code")} for demo in _SOLVED)
PLANNED_DEMOS = tuple({**demo, "question": without_examples(demo["question"])} for demo in _SOLVED)

# Whole rules, with numbers drawn for each round; the passage gives what they are about. Told kinds of rules alone ("the
# longest run of items that keep a rule"), the 1.5B named the kind and stated no rule; told to take the rule from the
# passage, it copied sentences of statutes. And none is a demonstration's: asked for that, it wrote that once more.
ANGLES = (
    "the price of a number of things: {one} coins each, and {other} coins less on the whole for every full ten things",
    "the points of a list of numbers: numbers that {one} divides count double, negative numbers count nothing",
    "how long the longest run of neighbouring items is that are at least {one}",
    "how many full groups of {one} a number of things makes, and how many things are left over, as a list of the two",
    "a text in which every letter at a place that {one} divides, counted from 1, is left out",
    "the next number above a given one that {one} divides and whose last digit is not 0",
    "how many pairs of items at different places of a list have a sum that {one} divides",
    "a running total of a list that goes back to 0 as soon as it is above {one}0; what it is at the end",
    "whether a code is valid: it has exactly {one} signs, begins with a capital letter, and holds no sign twice",
    "the place, counted from 0, of the first item that is more than {one} below the one before it, and -1 if none is",
    "the items of one list that do not stand in another, each once, from the greatest to the smallest",
    "the most frequent item of a list of numbers; of several the smallest; 0 for an empty list",
    "a list moved by {one} places to the left, what drops out at the front coming back at the end",
    "the words of a text that have more than {one} letters, in the order of the alphabet, joined by a dash",
    "the sum of the digits of a number, doubled if {one} divides the number",
    "how many days a stock lasts that loses {one} things each day and {other} more on every seventh day",
    "the greatest difference between two neighbouring items, without the negative items; 0 if fewer than two stay",
    "a list in which numbers above {one}0 become {one}0 and numbers below {other} become {other}",
    "the value of a word: each vowel counts {one}, each other letter 1, and anything else nothing",
    "two lists made into one by taking an item of each in turn; what is left of the longer one comes at the end",
    "row and seat of a ticket number, as a list, when rows have {one} seats and all three are counted from 1",
    "a number of minutes as a text such as 2h05, hours first and minutes always with two digits",
    "the mean, rounded down, of a list without its greatest and its smallest item; 0 if it has fewer than three items",
    "how many items of a list are greater than all items before them; the first one counts if it is above {one}",
    "how many different remainders the items of a list leave when divided by {one}",
    "the names of a list that begin with the same letter as the name before them, in their order",
    "a list of numbers in which each is replaced by the difference to the one before it; the first stays",
    "a number written with a point after every three digits from the right",
)


def _written(prediction: Any) -> str:
    code = find_code(str(prediction.code or "")).strip("\n")
    if not code.strip():
        raise Malformed("there is no code")
    return code


# The strong solver vouches for the words, so it sees no examples: from these it guessed what the docstring left out or
# said otherwise, and of 23 accepted exercises 9 had words that did not mean their function.
SOLVING = {
    "direct": SolvingMode(WriteCode, _written, {"temperature": 0.7, "max_tokens": 300}, SOLVER_DEMOS),
    "planned": SolvingMode(
        PlanAndWriteCode, _written, {"temperature": 0.4, "max_tokens": 400}, PLANNED_DEMOS, shown=without_examples
    ),
}


def _challenge_verifiers() -> tuple[Verifier, ...]:
    # Not here: Atomicity reads questions in prose, and Leakage takes the names and numbers that stub and code share for
    # a leak. The stub cannot hold the body: `build` cuts it off, and looks for code in the docstring.
    return (TestAdequacy(),)


def recheck(challenges: Sequence[Challenge]) -> list[Verdict]:
    """Run all tests again, each in processes of its own where there is a box for them."""
    again = UnitTests("bubblewrap" if isinstance(find_box(), Box) else "auto")
    return [again.verify(challenge, context=challenge.question) for challenge in challenges]


PLUGIN = Domain(
    name="code",
    summary="Python functions to write from a stub, checked by tests that notice wrong solutions",
    write=WriteFunction,
    demos=DEMOS,
    angles=ANGLES,
    build=builder(DEMOS),
    review=ReviewFunction,
    sound="clear",
    solving=SOLVING,
    weak_mode="direct",
    strong_mode="planned",
    challenge_verifiers=_challenge_verifiers,
    answer_verifier=lambda roles: UnitTests(),
    # Not yet calibrated. The two solvers are close: their makers report about 62 % (0.5B) and 71 % (1.5B) of HumanEval.
    acceptance=ExactCounts(n_weak=3, max_weak=1, n_strong=3, min_strong=2),
    verified="checked",
    review_demos=REVIEW_DEMOS,
    reference=lambda challenge: challenge.program,
    recheck=recheck,
    unfit_filters=("asks_for_program",),
    final_checks=lambda: (NearDuplicates(),),
    write_tokens=380,
    passage_chars=500,
    probe="code_humaneval",
    template=ExportTemplate("Complete this Python function.\n\n```python\n{question}\n```", "```python\n{answer}\n```"),
)
