"""The conversation between solution and tests, both sides in this process (in reality they are in two sandboxes)."""

import io
import os
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from autodata_dspy.sandbox import wire
from autodata_dspy.sandbox.solution_side import SolutionSide
from autodata_dspy.sandbox.tests_side import TestsSide
from autodata_dspy.sandbox.wire import Foreign, Gone, decode, encode

TestsSide.__test__ = False


@pytest.fixture
def converse(monkeypatch):
    """→ converse(solution, tests, entry="", expected=()) → the tests' report."""
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    modules = {name: sys.modules.get(name) for name in ("solution",)}

    def converse(solution, tests, entry="", expected=()):
        (questions, asks), (answers, replies) = os.pipe(), os.pipe()
        side = SolutionSide(os.fdopen(questions, "rb"), os.fdopen(replies, "wb"))

        def serve():
            try:
                while True:
                    side.answer(side.receive())
            except Gone:
                side.writer.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        examiner = TestsSide(os.fdopen(answers, "rb"), os.fdopen(asks, "wb"))
        try:
            return examiner.run({"solution": solution, "tests": tests, "entry": entry, "expected": list(expected)})
        finally:
            examiner.writer.close()
            thread.join(5)
            side.reader.close()
            examiner.reader.close()

    yield converse
    for name, module in modules.items():
        sys.modules.pop(name, None)
        if module is not None:
            sys.modules[name] = module


def passes(report):
    return (report["n_failed"], report["failed"], report["touched"]) == (0, [], True)


VALUES = [
    None,
    True,
    3,
    -(10**30),
    1.5,
    float("inf"),
    "tëxt\ud800",
    [1, [2]],
    (1, (2,)),
    {1, 2},
    frozenset({3}),
    {"a": {1: (2,)}},
    b"\x00\xff",
    bytearray(b"ab"),
    1 + 2j,
    range(1, 9, 2),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_plain_data_crosses_unchanged_and_keeps_its_type(value):
    there = decode(encode(value, None), None)
    assert there == value and type(there) is type(value)


def test_data_types_of_the_standard_library_cross():
    import collections
    import datetime
    import decimal
    import fractions

    values = [
        fractions.Fraction(1, 3),
        decimal.Decimal("1.10"),
        collections.deque([1, 2], 5),
        collections.Counter("aab"),
        collections.OrderedDict([("b", 1), ("a", 2)]),
        datetime.date(2026, 1, 2),
        datetime.timedelta(1, 2, 3),
    ]
    for value in values:
        there = decode(encode(value, None), None)
        assert there == value and type(there) is type(value)
        assert repr(there) == repr(value)


def test_a_type_that_is_no_data_is_never_built_from_a_message():
    with pytest.raises(ValueError, match="not a data type: system"):
        decode({"new": ["os", "system", {"list": ["id"]}]}, None)


def test_a_subclass_is_not_taken_for_its_base():
    class Sly(int):
        def __eq__(self, other):
            return True

        __hash__ = None

    kept = []
    encode(Sly(3), kept.append)
    assert len(kept) == 1


def test_values_too_large_for_a_message_are_an_error_of_the_call(converse, monkeypatch):
    monkeypatch.setattr(wire, "MAX_LINE", 1000)
    report = converse("def f(n):\n    return 'x' * n", "assert f(2) == 'xx'\nassert f(5000) == ''")
    assert report["failed"] == [["line 2: assert f(5000) == ''", "ValueError: the value is too large"]]


@pytest.mark.parametrize(
    "solution, tests",
    [
        ("def f(a, *, b=2): return a + b", "assert f(1) == 3\nassert f(1, b=5) == 6"),
        ("LIMIT = 7\nNAMES = ['a']", "assert LIMIT == 7\nassert NAMES == ['a']"),
        ("def f(x): return x", "from solution import f as g\nimport solution\nassert g(1) == solution.f(1) == 1"),
        ("import math\ndef f(x): return x", "assert math.floor(f(1.5)) == 1"),
        ("def f(xs):\n    xs.append(1)\n    return xs", "a = []\nassert f(a) is a\nassert a == [1]"),
        ("def f(d, s):\n    d['k'] = 1\n    s.add(2)", "d, s = {}, set()\nf(d, s)\nassert d == {'k': 1}\nassert s == {2}"),
        (
            "def f(q): q.appendleft(0)",
            "from collections import deque\nq = deque([1])\nf(q)\nassert q == deque([0, 1])",
        ),
        ("def f(n):\n    for i in range(n): yield i", "g = f(2)\nassert next(g) == 0\nassert list(g) == [1]\nassert 1 in f(3)"),
        ("def f(it): return next(it)", "assert f(iter([5, 6])) == 5"),
        ("def twice(g, x): return g(g(x))\ndef inc(x): return x + 1", "assert twice(inc, 1) == 3\nassert twice(lambda x: inc(x) * 2, 1) == 10"),
        ("def f(): return {}.keys(), lambda: 4", "keys, g = f()\nassert list(keys) == []\nassert len(keys) == 0\nassert g() == 4"),
        ("from enum import Enum, IntEnum\nclass C(Enum):\n    A = 1\nclass N(IntEnum):\n    B = 2", "assert C.A == C.A\nassert C.A != C['A'].value\nassert N.B == 2\nassert N.B + 1 == 3\nassert {N.B: 'x'}[2] == 'x'"),
        ("async def f(x): return x", "async def test_it():\n    assert await f(2) == 2"),
        ("def f(x): return x", "for i in range(3):\n    assert f(i) == i"),
        ("def f(x): return x", "def check(g):\n    assert g(1) == 1\ncheck(f)"),
        ("def f(x): return type(x) is int", "assert type(f(1)) is bool\nassert f(1) is True\nassert f('') is not None"),
    ],
)  # fmt: skip
def test_what_a_right_solution_may_do(converse, solution, tests):
    assert passes(converse(solution, tests))


VECTOR = """
class Vector:
    def __init__(self, x, y):
        self.x, self.y = x, y
    def __eq__(self, other):
        return isinstance(other, Vector) and (self.x, self.y) == (other.x, other.y)
    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y) if isinstance(other, Vector) else NotImplemented
    def __lt__(self, other):
        return self.x < other.x
    def __mul__(self, k):
        return Vector(self.x * k, self.y * k)
    def __abs__(self):
        return (self.x ** 2 + self.y ** 2) ** 0.5
    def __contains__(self, n):
        return n in (self.x, self.y)
    def __repr__(self):
        return f"Vector({self.x}, {self.y})"
    def __enter__(self):
        return self
    def __exit__(self, *error):
        self.x = 0
class Strange(Vector):
    __hash__ = None
def make():
    return Strange(1, 2)
"""


def test_operators_of_a_class_that_the_tests_name_are_its_own(converse):
    tests = """
v = Vector(1, 2)
assert v + v == Vector(2, 4)
assert v != Vector(2, 4)
assert v < Vector(3, 0)
assert v * 3 == Vector(3, 6)
assert abs(Vector(3, 4)) == 5
assert 2 in v and 7 not in v
assert isinstance(v, Vector) and not isinstance(3, Vector)
assert repr(v) == "Vector(1, 2)"
assert len({v, v}) == 1
v.x = 9
assert v.x == 9
with v as w:
    assert w.y == 2
assert v.x == 0
assert v != 3 and not v == (9, 2)
"""
    assert passes(converse(VECTOR, tests))


def test_operators_that_the_class_lacks_are_type_errors_as_ever(converse):
    report = converse(VECTOR, "v = Vector(1, 2)\nassert v + 3 == 4\nassert v - v == 0\nassert len(v) == 2")
    assert [message.split(":")[0] for _, message in report["failed"]] == ["TypeError"] * 3


@pytest.mark.parametrize("expression", ["make() == Vector(1, 2)", "make() < 5", "make() * 2 == make()", "7 in make()"])
def test_operators_of_a_class_that_the_tests_do_not_name_are_not_asked(converse, expression):
    report = converse(VECTOR.replace("return isinstance(other, Vector) and", "return True or"), f"assert {expression}")
    assert report["n_failed"] == 1


def test_a_class_in_lower_case_is_never_trusted_with_what_is_expected(converse):
    report = converse("class f:\n    def __eq__(self, other): return True\n    def __lt__(self, o): return True", "assert f() == 3\nassert f() == f()\nassert f() < 1")  # fmt: skip
    assert report["n_failed"] == 3


def test_a_subclass_of_plain_data_is_compared_by_its_data(converse):
    sly = "class Sly(int):\n    def __eq__(self, other): return True\n    def __sub__(self, o): return 0\n    __hash__ = int.__hash__\ndef f(): return Sly(3)"
    report = converse(sly, "assert f() == 3\nassert f() - 1 == 2\nassert f() == 4\nassert f() in [5]")
    assert [place for place, _ in report["failed"]] == ["line 3: assert f() == 4", "line 4: assert f() in [5]"]


@pytest.mark.parametrize("base", ["str", "float", "list", "tuple", "dict", "set", "frozenset"])
def test_every_base_of_plain_data_is_read_behind_its_subclass(converse, base):
    value = {"str": "'ab'", "float": "1.5", "dict": "{1: 2}"}.get(base, f"{base}([1, 2])")
    sly = f"class Sly({base}):\n    __iter__ = __len__ = __str__ = __repr__ = None\ndef f(): return Sly({value})"
    report = converse(sly, f"assert f() == {value}\nassert f() == {base}()")
    assert [place for place, _ in report["failed"]] == [f"line 2: assert f() == {base}()"]


def test_an_exception_of_the_solution_arrives_with_class_message_and_ancestors(converse):
    solution = "class Low(ValueError): pass\nclass Lower(Low): pass\ndef f(): raise Lower('deep', 3)\ndef g(): raise KeyError('k')"
    tests = """
caught = []
for function, kind in ((f, Low), (f, ValueError), (g, KeyError)):
    try:
        function()
    except kind as error:
        caught.append(error.args)
assert caught == [("deep", 3), ("deep", 3), ("k",)]
"""
    assert passes(converse(solution, tests))


def test_an_exception_with_strange_arguments_still_arrives(converse):
    solution = "class Odd(Exception):\n    def __init__(self, a, b): self.a = a\n    def __str__(self): return 'odd'\ndef f(): raise Odd(object(), 2)"
    report = converse(solution, "assert f() == 1")
    assert report["failed"] == [["line 1: assert f() == 1", "Odd: odd"]]


def test_an_error_in_a_function_of_the_tests_goes_through_the_solution(converse):
    solution = "def f(g):\n    try:\n        return g()\n    except ZeroDivisionError as error:\n        return 'caught ' + str(error)"
    assert passes(converse(solution, "def g():\n    raise ZeroDivisionError('zero')\nassert f(g) == 'caught zero'"))


def test_failures_tell_what_came_and_what_was_expected(converse):
    report = converse(
        "def f(x): return x + 1", "def test_it():\n    assert f(1) == 2\n    assert f(2) == 4\nassert f(0) == 5, 'zero'"
    )
    assert report["failed"] == [
        ["line 4: assert f(0) == 5, 'zero'", "got 1, expected 5; AssertionError: zero"],
        ["test_it, line 3: assert f(2) == 4", "got 3, expected 4; AssertionError"],
    ]
    assert report["n_tests"] == 2


def test_a_value_that_cannot_be_shown_does_not_hide_the_failure(converse):
    solution = "class Shy:\n    def __repr__(self): raise RuntimeError\ndef f(): return Shy()"
    report = converse(solution, "assert f() == 1\nassert 'x' * 500 == f()")
    assert report["failed"][0][1].startswith("got <RuntimeError>, expected 1")
    assert "..." in report["failed"][1][1]


def test_a_solution_that_does_not_load_fails(converse):
    report = converse("raise SystemExit(0)", "assert f() == 1")
    assert (report["n_tests"], report["failed"]) == (1, [["loading the solution", "SystemExit: 0"]])


def test_a_setup_that_fails_ends_the_tests(converse):
    report = converse("def f(): return None", "data = f()['key']\nassert f() is None")
    assert (report["n_tests"], report["n_failed"]) == (1, 1)
    assert "TypeError" in report["failed"][0][1]


def test_builtins_and_modules_that_the_solution_brings_stay_with_it(converse):
    solution = "def abs(x): return 0\nclass math:\n    pi = 3\nimport os as json\ndef f(): return 7"
    report = converse(
        solution, "import math\nassert abs(f()) == 7\nassert math.pi > 3.1\nimport json\nassert json.loads('1') == 1"
    )
    assert passes(report)


@pytest.mark.parametrize(
    ("trick", "tests"),
    [
        ("def _autodata_same(a, b): return True", "assert f(3) == 9"),
        ("class all(Exception): pass", "assert all(f(n) == n for n in range(5))"),
        ("class isinstance(Exception): pass", "assert isinstance(f(3), int)"),
        ("class math(Exception): pass", "import math\nassert math.floor(3.5) == f(3)"),
    ],
)
def test_what_a_solution_calls_its_own_takes_no_place_in_the_tests(converse, trick, tests):
    report = converse(f"{trick}\ndef f(n): return 'no'", tests)
    assert report["failed"] and not report.get("error")


def test_an_exception_that_replaces_a_builtin_one_is_the_builtin_one(converse):
    solution = "class ValueError(Exception): pass\ndef f(n): raise ValueError('no')"
    assert not converse(
        solution, "try:\n    f(1)\n    assert False\nexcept Exception as error:\n    assert str(error) == 'no'"
    )["failed"]


def test_a_builtin_that_the_solution_was_asked_to_write_is_tested(converse):
    assert passes(converse("def abs(x): return 'mine'", "assert abs(-1) == 'mine'", expected=("abs",)))


def test_check_is_given_the_entry(converse):
    report = converse(
        "def helper(x): return 0\ndef f(x): return x", "def check(candidate):\n    assert candidate(2) == 2", entry="f"
    )
    assert passes(report) and report["n_tests"] == 1


def test_unittest_classes_are_run_and_skipped_tests_do_not_count(converse):
    tests = """
import unittest
class TestF(unittest.TestCase):
    def setUp(self):
        self.x = 1
    def test_right(self):
        self.assertEqual(f(self.x), 2)
    def test_wrong(self):
        self.assertEqual(f(2), 4)
    @unittest.skip("later")
    def test_later(self):
        pass
"""
    report = converse("def f(x): return x + 1", tests)
    assert (report["n_tests"], report["failed"]) == (2, [["TestF.test_wrong", "AssertionError: 3 != 4"]])


@pytest.mark.parametrize(
    "tests, why",
    [
        ("import nonexistent_package\nassert f(1) == 1", "need a module that is not there: nonexistent_package"),
        ("def test_it(client):\n    assert f(client)", "test_it needs fixtures: client"),
        ("class Mine: pass\nassert f(Mine())", "hand over a Mine, which is not plain data"),
        ("class Sub(Base): pass\nassert Sub()", "derive a class from one of the solution's"),
        ("a = [[1]]\nassert f(a)[0] is not a[0]", "compare the identity of objects"),
        ("assert id(f(1)) == 1", "compare the identity of objects"),
        ("assert f(open('/dev/null').read()) == 1", "fail, but use what only works in one process"),
        ("a, b = [1], [1]\nassert f(a) is b", "fail, but use what only works in one process"),
        (
            "import unittest\nclass T(unittest.TestCase):\n    def test_it(self):\n        f(object())",
            "hand over a object",
        ),
        ("try:\n    f(object())\nexcept BaseException:\n    pass\nassert f(1) == 1", "hand over a object"),
    ],
)
def test_tests_that_need_one_process_decide_nothing(converse, tests, why):
    with pytest.raises(Foreign, match=why):
        converse("class Base: pass\ndef f(x): return x", tests)


def test_tests_that_never_touch_the_solution_are_told_apart(converse):
    assert converse("def f(): return 1", "assert 1 == 1")["touched"] is False


@pytest.mark.parametrize(
    "tests",
    ["assert f() == 1", "try:\n    f()\nexcept Exception:\n    pass\nassert True", "import unittest\nclass T(unittest.TestCase):\n    def test_it(self):\n        with self.assertRaises(Exception):\n            f()"],
)  # fmt: skip
def test_a_solution_whose_process_ends_is_gone_whatever_the_tests_catch(tests):
    (questions, asks), (answers, replies) = os.pipe(), os.pipe()
    theirs = SimpleNamespace(reader=os.fdopen(questions, "rb"), writer=os.fdopen(replies, "wb"))

    def load_and_die():
        theirs.reader.readline()
        theirs.writer.write(b'{"reply": {"names": {"f": {"value": {"object": {"number": 0}}}}}}\n')
        theirs.writer.flush()
        theirs.reader.readline()
        theirs.writer.close()
        theirs.reader.close()

    thread = threading.Thread(target=load_and_die)
    thread.start()
    side = TestsSide(os.fdopen(answers, "rb"), os.fdopen(asks, "wb"))
    with pytest.raises(Gone):
        side.run({"solution": "", "tests": tests, "entry": "", "expected": []})
    thread.join()
    with pytest.raises(Gone):
        for _ in range(10):
            side.send({"do": "nothing"})
            time.sleep(0.01)
    sys.modules.pop("solution", None)
