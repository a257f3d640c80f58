"""The built-in seed tasks: enough of them, unlike each other, usable by their domain, and right where that can be told."""

import doctest

import pytest
from rapidfuzz import fuzz

from autodata_dspy import registry
from autodata_dspy.domains.legal_labels import DEFAULT
from autodata_dspy.types import Challenge
from autodata_dspy.verifiers.atomicity import Atomicity
from autodata_dspy.verifiers.leakage import Leakage
from autodata_dspy.verifiers.length import Length
from autodata_dspy.verifiers.math_objects import MathObjects
from autodata_dspy.verifiers.program_answer import ProgramAnswer
from autodata_dspy.verifiers.unit_tests import UnitTests

DOMAINS = registry.names("domains")


def seeds(name):
    return {task.id.removeprefix(f"{name}-"): task for task in registry.load("domains", name).seed_tasks()}


@pytest.mark.parametrize("name", DOMAINS)
def test_a_domain_has_seed_tasks_that_it_can_use_itself(name):
    domain, tasks = registry.load("domains", name), list(seeds(name).values())
    assert len(tasks) >= (24 if name == "instructions" else 12)
    assert all(task.id.startswith(f"{name}-") and 1 <= len(task.instances) <= 2 for task in tasks)
    made = [domain.from_instance(task.instruction, instance) for task in tasks for instance in task.instances]
    assert all(isinstance(m, Challenge) and Length(max_words=200).verify(m).passed for m in made if name != "code")
    assert len({m.question for m in made}) == len(made)


@pytest.mark.parametrize("name", DOMAINS)
def test_seed_tasks_are_unlike_each_other(name):
    told = [task.instruction for task in seeds(name).values()]
    assert max(fuzz.ratio(a, b) for i, a in enumerate(told) for b in told[:i]) < 75


def test_about_a_third_of_the_open_instructions_are_classification_and_these_have_short_outputs():
    tasks = seeds("instructions").values()
    sorting = [task for task in tasks if task.is_classification]
    assert 0.25 <= len(sorting) / len(tasks) <= 0.45
    assert all(len(instance.output.split()) <= 2 for task in sorting for instance in task.instances)
    assert sum(not instance.input for task in tasks for instance in task.instances) >= 5


def test_the_labelled_texts_cover_every_label_of_the_default_task():
    tasks = seeds("legal_labels").values()
    found = [instance.output for task in tasks for instance in task.instances]
    assert all(task.is_classification for task in tasks)
    assert set(found) == set(DEFAULT.labels)
    for task in tasks:  # the instruction names the label that is right
        assert all(instance.output in task.instruction for instance in task.instances)


# Each answer once more, computed by a program.
PROGRAMS = {
    "inequality": "x = symbols('x', real=True)\n"
    "answer = solve_univariate_inequality(x**2 - 2*x - 15 > 0, x, relational=False)",
    "inverse": "answer = Matrix([[2, 1], [7, 4]]).inv()",
    "line": "x, y = symbols('x y')\nm = Rational(4 + 2, 3 - 1)\nanswer = Eq(y, expand(m*(x - 1) - 2))",
    "derivative": "x = symbols('x')\nanswer = factor(diff(x**2*exp(3*x), x))",
    "integral": "x = symbols('x')\nanswer = integrate(x*cos(x), (x, 0, pi/2))",
    "sum": "k, n = symbols('k n', integer=True, positive=True)\nanswer = factor(summation(4*k - 1, (k, 1, n)))",
    "sine": "x = symbols('x', real=True)\nanswer = solveset(2*sin(x) - 1, x, Interval(0, 2*pi))",
    "surd": "answer = radsimp(3/(2 - sqrt(5)))",
    "circle": "x, y = symbols('x y')\nanswer = Eq((x - 2)**2 + (y + 1)**2, (5 - 2)**2 + (3 + 1)**2)",
    "system": "x, y = symbols('x y')\nfound = solve([3*x - y - 7, x + 2*y - 7], [x, y])\nanswer = (found[x], found[y])",
    "coin": "p = symbols('p')\nanswer = binomial(5, 2)*p**2*(1 - p)**3",
    "square-root": "z = symbols('z')\nanswer = solveset(z**2 + 8 - 6*I, z)",
}


def test_every_mathematics_seed_has_its_program():
    assert PROGRAMS.keys() == seeds("math_objects").keys()


@pytest.mark.parametrize("short", PROGRAMS)
def test_the_answer_of_a_mathematics_seed_is_what_a_program_computes(short):
    (instance,) = seeds("math_objects")[short].instances
    computed = ProgramAnswer().run(PROGRAMS[short])
    assert computed.ok and not computed.trivial, computed
    verdict = MathObjects().verify(instance.output, computed.text)
    assert verdict.passed, (computed.text, verdict)
    assert not MathObjects().verify(instance.output, "7*x^9 + sqrt(11)").passed  # the verifier can say no
    made = Challenge(seeds("math_objects")[short].instruction, instance.output)
    assert all(not v.verify(made).feedback or v.verify(made).undecided for v in (Atomicity(), Leakage()))


# Calls at limits, beside the examples of the docstrings.
CALLS = {
    "parking": "parking_fee(0) == 0, parking_fee(16) == 80, parking_fee(30) == 80, parking_fee(400) == 900",
    "vowels": "count_vowels('') == {}, count_vowels('AaE') == {'a': 2, 'e': 1}",
    "longest-rise": "longest_rise([]) == 0, longest_rise([4]) == 1, longest_rise([9, 1, 2, 3, 4]) == 4",
    "shelves": "shelves([8, 8], 8) == 2, shelves([1, 7, 1], 8) == 2, shelves([5, 5, 3, 5], 8) == 3",
    "clock": "add_minutes('00:00', -1) == '23:59', add_minutes('09:05', 1440) == '09:05'",
    "initials": "initials(' -li ') == 'L.', initials('Ada Lovelace') == 'A.L.'",
    "second": "second_largest([]) is None, second_largest([-1, -5]) == -5",
    "merge": "merge_spans([(1, 9), (2, 3)]) == [(1, 9)], merge_spans([(1, 2), (3, 4)]) == [(1, 2), (3, 4)]",
    "digits": "digit_root(9) == 9, digit_root(10) == 1, digit_root(99999) == 9",
    "brackets": "balanced('') is True, balanced('([)]') is False, balanced('(') is False, balanced(')') is False",
    "rota": "rota([], 4) == {}, rota(['Al'], 0) == {'Al': 0}, rota(['Al', 'Bo', 'Cy'], 5) == {'Al': 2, 'Bo': 2, 'Cy': 1}",
    "pairs": "pairs_with_gap([], 1) == 0, pairs_with_gap([2, 2, 2], 0) == 3, pairs_with_gap([5, 1], 4) == 1",
}


@pytest.mark.parametrize("short", CALLS)
def test_the_solution_of_a_code_seed_does_what_its_stub_says(short):
    assert CALLS.keys() == seeds("code").keys()
    task = seeds("code")[short]
    shown = doctest.DocTestParser().get_examples(task.instruction)
    assert len(shown) == 2
    tests = "\n".join(
        f"assert ({example.source.strip()}) == {example.want.splitlines()[0].strip()}" for example in shown
    )
    tests += f"\nassert all([{CALLS[short]}])"
    (instance,) = task.instances
    verdict = UnitTests().verify(instance.output, tests, task.instruction)
    assert verdict.passed, verdict
    stub = task.instruction + "\n    return 'nothing'"
    assert UnitTests().verify(stub, tests).score == 0.0  # the tests can fail
