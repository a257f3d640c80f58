"""Reading functions: stubs, bodies, examples, calls; nothing is run."""

import ast

import pytest

from autodata_dspy.docstrings import code_in, examples, without_examples
from autodata_dspy.functions import arguments_fit, calls, fits, literal, neighbours, parse, same_work, split

SOURCE = '''
import math
from collections import Counter as C
BASE = 3

@decorated
def f(xs: List[int], k: "int" = 2, *, most: Dict[str, int] = {}) -> C:
    """Sum of xs, a \\\\ and "quotes".

      indented
    >>> f([1, 2])
    3
    """
    # a remark
    total: Tuple[int] = (0,)
    return {"a": f"{k}x\\n"}

print(f([1]))
assert f([]) == 0
'''


def read(source):
    tree = parse(source)
    return split(tree, next(n for n in tree.body if isinstance(n, ast.FunctionDef)))


def test_stub_and_solution_share_imports_and_signature_and_nothing_else():
    function = read(SOURCE)
    written = function.stub(function.docstring)
    stub, solution = ast.parse(written), ast.parse(function.solution)
    head = ["import math", "from collections import Counter as C", "from typing import Dict, List, Tuple"]
    assert [ast.unparse(n) for n in stub.body[:3]] == head
    assert [ast.unparse(n) for n in solution.body[:4]] == [*head, "BASE = 3"]
    assert len(stub.body) == 4 and len(solution.body) == 5  # neither the trials nor the decorator
    assert ast.get_docstring(stub.body[-1]) == ast.get_docstring(ast.parse(SOURCE).body[-3]) == function.docstring
    assert len(stub.body[-1].body) == 1
    assert "decorated" not in written + function.solution
    assert ast.get_docstring(solution.body[-1]) is None and len(solution.body[-1].body) == 2
    assert ast.dump(stub.body[-1].args) == ast.dump(solution.body[-1].args)


def test_a_hint_that_is_imported_already_is_not_imported_again():
    function = read("from typing import List\ndef f(n: List[int]) -> int:\n    'Words.'\n    return 1")
    assert function.stub("Words.").count("import") == 1


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ("return max(combinations(xs, 2))", ["from itertools import combinations"]),
        ("return math.ceil(Counter(xs)[1])", ["import math", "from collections import Counter"]),
        ("return re.sub('a', digits, match)", ["import re"]),  # what is an everyday word stays a fault
        ("import math\n    return math.ceil(2)", []),
        ("from math import *\n    ceil = 3\n    return ceil", []),
        ("return [gcd for gcd in xs if unheard(gcd)]", []),
        ("return e + pi", []),  # constants: more likely a variable that was never given a value
        ("def prod(x): return x\n    return prod(sum(xs))", []),
    ],
)
def test_imports_that_were_forgotten(body, lines):
    function = read(f'def f(xs: list) -> int:\n    """Words."""\n    {body}\n')
    above = function.solution.split("def f")[0].split("\n")
    assert [line for line in above if line] == lines
    assert "import" not in function.stub("Words.")


def test_a_function_of_nothing_but_words_has_a_body_all_the_same():
    assert ast.unparse(ast.parse(read('def f(n: int) -> int:\n    """Words."""').solution)).endswith("pass")


@pytest.mark.parametrize(
    ("docstring", "found"),
    [
        (">>> f(1)\n2\n>>> f(2)\n'a'", [("f(1)", "2"), ("f(2)", "'a'")]),
        ("Examples:\n    >>> f([1, 2], k=3)\n    [3]\n", [("f([1, 2], k=3)", "[3]")]),
        (
            "f(1) == 2\nf(-1) -> 3\n- f(4) => 5\n1. f(6) → 7",
            [("f(1)", "2"), ("f(-1)", "3"), ("f(4)", "5"), ("f(6)", "7")],
        ),
        (">>> assert f(1) == 2", [("f(1)", "2")]),
        (">>> print(f(1))\n2", [("f(1)", "2")]),
        (">>> f(1)", []),
        (">>> f(x)\n2\n>>> g(1)\n2", []),
        ("f(1) is what we want.\n2", []),
        ("f(1)\n2", []),
        ("", []),
    ],
)
def test_examples_of_a_docstring(docstring, found):
    assert examples(docstring, "f") == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("f(1)\nf(2)\nf(1)", ["f(1)", "f(2)"]),
        ("f( [ 1,2 ] , k = 'a' )", ["f([1, 2], k='a')"]),
        ("f(-1), f({1: (2,)}),\nf({3}); f(None)", ["f(-1)", "f({1: (2,)})", "f({3})", "f(None)"]),
        ("f(f(1))", ["f(1)"]),
        ("f(x)\nf(1 + x)\nf(*[1])\nf(**{'a': 1})\ng(1)\na.f(1)\nf(open('x'))", []),
        ("assert f(1) == 2  # two", ["f(1)"]),
        ("f(1\nf(2)", ["f(2)"]),
    ],
)
def test_calls_in_a_text(text, found):
    assert calls(text, "f") == found


@pytest.mark.parametrize(
    ("text", "body", "found"),
    [
        ("It is n * 2 + total // 3 of it.", "return n * 2 + total // 3", "n * 2 + total // 3"),
        ("It is n*2+total//3.", "if n:\n    x = n * 2 + total // 3", "n * 2 + total // 3"),
        ("It is n + 1.", "return n + 1", ""),
        ("the longest_name_of_all", "return longest_name_of_all", ""),
        ("a constant text", "return 'a constant text'", ""),
        ("nothing of it", "return sorted(names, key=len)", ""),
    ],
)
def test_code_that_a_docstring_gives_away(text, body, found):
    assert code_in(text, ast.parse(body).body) == found


@pytest.mark.parametrize("text", ["(" * 5000, "-" * 50_000 + "1", "a\0b", "def f(", "1 +"])
def test_what_cannot_be_read_is_one_kind_of_error(text):
    with pytest.raises(SyntaxError):
        parse(text)
    with pytest.raises(ValueError):
        literal(text)


def test_literals_are_read_and_nothing_else():
    assert literal("[1, 'a', {2: (None, True)}]") == [1, "a", {2: (None, True)}]
    for text in ("f(1)", "__import__('os')", "x", "1 + x", "{**x}", "{[]: 1}"):
        with pytest.raises(ValueError):
            literal(text)


@pytest.mark.parametrize(
    ("call", "near"),
    [
        ("f(3)", ["f(4)", "f(2)", "f(6)"]),
        ("f(0)", ["f(1)"]),
        ("f(-2, x=True)", ["f(-1, x=True)", "f(-3, x=True)", "f(-4, x=True)", "f(-2, x=False)"]),
        ("f('ab')", ["f('aba')", "f('ab 7')", "f('a')", "f('AB')", "f('')", "f('b')", "f('ba')"]),
        ("f('7')", ["f('77')", "f('7 7')", "f('')"]),
        ("f([5, 5])", ["f([5, 5, 5])", "f([6, 5])", "f([5, 5, 0])", "f([5])", "f([])"]),
        ("f(['a', 'b'])", ["f(['a', 'b', 'a'])", "f(['a'])", "f([])", "f(['b'])", "f(['b', 'a'])"]),
        ("f({'a': 1, 'b': 2})", ["f({'a': 1})"]),
        ("f([], '', {}, 2.5, None)", []),
    ],
)
def test_calls_next_to_one(call, near):
    assert neighbours(call) == near


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("Adds one.\n\n    >>> f(1)\n    2\n    >>> f(\n    ...  2)\n    3\n    ", "Adds one.\n    "),
        ("Adds one.\n    f(1) == 2\n    f(2) -> 3\n    Never 0.\n    ", "Adds one.\n    Never 0.\n    "),
        ("Adds\n\n    one.\n    >>> f('a')\n    'b'\n    c\n\n    Ends.\n    ", "Adds\n\n    one.\n\n    Ends.\n    "),
        ("Adds one to x == 2.\n    ", "Adds one to x == 2.\n    "),
    ],
)
def test_a_stub_without_its_examples(written, left):
    stub = without_examples(f'import math\n\n\ndef f(x: int) -> int:\n    """{written}"""')
    assert stub == f'import math\n\n\ndef f(x: int) -> int:\n    """{left}"""'


LONGEST = """def longest(names: list[str]) -> str:
    best = ''
    for name in names:
        if len(name) > len(best):
            best = name
    return best"""


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (LONGEST.replace("best", "top").replace("names", "words"), True),
        (LONGEST.replace("    best = ''", '    """Other words."""\n    best = str()').replace("str()", "''"), True),
        (LONGEST.replace("longest", "find"), True),
        (LONGEST.replace(" > ", " >= "), False),
        (LONGEST.replace("len(name)", "max(name)"), False),
        (LONGEST.replace("return best", "return name"), False),
    ],
)
def test_the_same_work_under_other_names(other, same):
    one, two = (next(n for n in parse(source).body if isinstance(n, ast.FunctionDef)) for source in (LONGEST, other))
    assert same_work(one, two) is same


@pytest.mark.parametrize(
    ("hint", "value", "fit"),
    [
        *(("int", 3, True), ("int", True, False), ("int", None, False), ("int", [3], False), ("float", 3, True)),
        *(("bool", True, True), ("bool", 1, False), ("list[int]", 14, False), ("List[int]", [1], True)),
        *(("Optional[int]", None, True), ("int | None", None, True), ("int | None", "a", False), ("None", None, True)),
        *(("tuple[int, int]", (1, 2), True), ("tuple[int, int]", [1, 2], False), ("typing.List[str]", [], True)),
        *(("Any", 3, True), ("'Row'", 3, True), ("dict", {}, True), ("str", "", True)),
    ],
)
def test_values_fit_a_hint(hint, value, fit):
    assert fits(ast.parse(hint, mode="eval").body, value) is fit


@pytest.mark.parametrize(
    ("call", "fit"),
    [
        *(("f(1, ['a'])", True), ("f(1, xs=[], k='x')", True), ("f(n=1, xs=[])", True), ("f(1)", True)),
        *(("f('1', [])", False), ("f(True, [])", False), ("f(1, 'ab')", False), ("f(1, [], 3)", False)),
        *(("f(1, [], k=3)", False), ("f(1, m=2)", False)),
    ],
)
def test_arguments_are_of_the_kinds_that_the_hints_name(call, fit):
    node = read("def f(n: int, xs: list[str] = (), *, k: str = ''):\n    'Words.'\n    return 1").node
    assert arguments_fit(node, call) is fit
