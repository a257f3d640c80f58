"""Suites as files: what they mean, and what is refused before anything is paid."""

import json
from pathlib import Path

import benching
import pytest

from autodata_dspy.benchmarking.cells import cells_of
from autodata_dspy.benchmarking.grounds import Ground, read_ground
from autodata_dspy.benchmarking.running import run_suite
from autodata_dspy.benchmarking.suite import ARMS, Subject, Suite, read_suite
from autodata_dspy.errors import ConfigError
from autodata_dspy.types import Challenge

SUITES = sorted((Path(__file__).parents[3] / "benchmarks" / "suites").glob("*.toml"))


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    benching.files(tmp_path)
    return tmp_path


def test_three_lines_are_a_suite_and_its_test_file_says_what_the_labels_are(here):
    suite = read_suite("mine.toml")
    assert (suite.name, suite.seeds, suite.budget.given()) == ("mine", (0, 1, 2), {"calls": 200})
    assert [arm.title for arm in suite.arms] == list(ARMS)
    assert suite.compared("clauses") == [(ARMS[1], ARMS[0]), (ARMS[2], ARMS[0])]
    [(name, subject)] = suite.subjects.items()
    ground = read_ground(name, subject)
    assert (
        name == "clauses" and ground.domain.name == "legal_labels" and set(ground.domain.labels) == set(benching.SAID)
    )
    assert (len(ground.human), len(ground.test)) == (4, 20)  # two texts of each label are set aside for the task
    examples = {text for texts in ground.domain.task.examples.values() for text in texts}
    assert examples == {item.text for item in ground.human} and not examples & {item.text for item in ground.test.items}
    lines = Path("clauses.test.jsonl").read_text().splitlines()
    Path("clauses.test.jsonl").write_text("\n".join(lines[::-1]))
    assert {i.text for i in read_ground(name, subject).human} == examples  # whatever the order of the file


def test_human_items_that_are_in_the_test_are_left_out(here):
    lines = Path("clauses.test.jsonl").read_text().splitlines()
    own = [json.dumps({"text": benching.text(label, 50 + n), "label": label}) for n, label in enumerate(benching.SAID)]
    Path("human.jsonl").write_text("\n".join([lines[0].replace("Hand", "hand"), lines[1], *own]))
    ground = read_ground("a", Subject(test="clauses.test.jsonl", human="human.jsonl"))
    assert [i.text for i in ground.human] == [json.loads(line)["text"] for line in own] and len(ground.test) == 24


def test_an_example_of_the_task_that_is_an_item_of_the_test_is_refused(here):
    tested = json.loads(Path("clauses.test.jsonl").read_text().splitlines()[0])
    labels = {label: f"About {label}." for label in benching.SAID}
    examples = {tested["label"]: ["Something of my own.", tested["text"].upper()]}
    task = {"name": "t", "labels": labels, "examples": examples}
    with pytest.raises(ConfigError, match=rf"1 of 2, such as one for '{tested['label']}', are items of the test"):
        read_ground("a", Subject(task=task, test="clauses.test.jsonl"))


def test_real_texts_come_before_a_tasks_own_examples_and_a_task_without_either_has_none(here):
    own, labels = {label: [benching.text(label, 70)] for label in benching.SAID}, sorted(benching.SAID)
    real = [{"text": benching.text(labels[0], 50 + n), "label": labels[0]} for n in range(3)]
    Path("human.jsonl").write_text("\n".join(json.dumps(row) for row in real))
    task = {"name": "t", "labels": {label: f"About {label}." for label in labels}}
    ground = read_ground("a", Subject(task={**task, "examples": own}, human="human.jsonl"))
    first, second = (row["text"] for row in real[:2])  # two of each label, as where they are set aside
    assert ground.domain.task.examples == {
        labels[0]: (first, second, *own[labels[0]]),
        labels[1]: tuple(own[labels[1]]),
    }
    assert read_ground("a", Subject(task=task)).domain.task.examples == {}


def test_settings_at_the_top_hold_for_every_domain_and_roles_for_all_roles():
    suite = Suite.of(
        {
            "documents": "top.txt",
            "human": "h.jsonl",
            "domains": {"a": {"domain": "code"}, "b": {"documents": "own.txt"}},
            "roles": {"all": "x/y", "judge": "x/z"},
            "seeds": 2,
        }
    )
    assert suite.subjects["a"] == Subject(domain="code", documents="top.txt", human="h.jsonl")
    assert suite.subjects["b"].documents == "own.txt" and suite.seeds == (0, 1)
    assert suite.roles["student"] == {"model": "x/y"} and suite.roles["judge"] == {"model": "x/z"}


def test_cells_are_arms_by_domains_by_seeds_by_comparisons_and_equal_runs_are_one(tmp_path):
    arms = ["self_instruct", {"program": "self_instruct", "grounded": False}]
    arms.append({"program": "agentic_self_instruct", "without": ["gap"], "max_rounds": 2})
    suite = Suite.of({"arms": arms, "budget": {"calls": 9, "examples": 3}, "limits": {"max_usd": 2.0}, "seeds": [4]})
    same = [Ground(n, Subject(), {"domain": "math_objects", "documents": "builtin"}) for n in ("one", "two")]
    cells = cells_of(suite, same, tmp_path)
    assert [c.arm.title for c in cells[:3]] == [
        "self_instruct",
        "self_instruct, no documents",
        "agentic_self_instruct without gap",
    ]
    assert len(cells) == 12 and len({c.folder for c in cells}) == 6
    calls, examples = cells[2].config(), cells[8].config()
    assert (calls.limits.max_calls, calls.limits.max_usd, calls.n > 1000, calls.seed) == (9, 2.0, True, 4)
    assert (examples.limits.max_calls, examples.n, examples.without, examples.max_rounds) == (None, 3, ("gap",), 2)
    assert cells[1].config().documents == "none"


def test_an_arm_may_be_for_some_domains_only(tmp_path):
    arms = ["agentic_self_instruct", {"program": "agentic_self_instruct", "without": ["learner"], "domains": ["terms"]}]
    domains = {"terms": {"domain": "legal_labels"}, "mathematics": {"domain": "math_objects"}}
    suite = Suite.of({"arms": arms, "domains": domains, "seeds": 1})
    grounds = [Ground(name, Subject(), {**domains[name], "documents": "builtin"}) for name in domains]
    assert [(c.ground.name, c.arm.without) for c in cells_of(suite, grounds, tmp_path)] == [
        *(("terms", ()), ("terms", ("learner",))),
        ("mathematics", ()),
    ]
    assert [len(suite.compared(name)) for name in domains] == [1, 0]


def test_a_later_generation_starts_from_what_the_one_before_accepted(tmp_path):
    arms = [{"program": "self_instruct", "grounded": False}, "agentic_self_instruct"]
    suite = Suite.of({"arms": arms, "generations": 2, "seeds": 1, "domain": "math_objects"})
    ground = Ground("m", Subject(), {"domain": "math_objects", "documents": "builtin"})
    first, second, _, grounded = cells_of(suite, [ground], tmp_path)
    assert second.previous is first and first.folder != second.folder
    for cell in (second, grounded):
        assert cell.grow([Challenge(f"How many ways lead to house {i}?", str(i)) for i in range(3)]) == 3
    assert second.config().documents == "none" and grounded.config().seeds is None
    told = json.loads(Path(second.config().seeds).read_text().splitlines()[1])
    assert told == {"instruction": "How many ways lead to house 1?", "output": "1"}
    assert "house 2?\\n\\n2" in Path(grounded.config().documents).read_text()


REFUSED = {
    "an unknown setting": ('documnets = "x"', "unknown setting 'documnets'; did you mean 'documents'?"),
    "one of an arm": ('arms = [{ program = "x", whithout = ["gap"] }]', "'whithout'; did you mean 'without'?"),
    "one of a domain": ("[domains.a]\ntset = 3", "unknown setting 'tset'; did you mean 'test'?"),
    "no arm": ("arms = []", "setting 'arms': the suite has none"),
    "no budget": ("budget = {}", "setting 'budget': the suite has none"),
    "a budget of another kind": ("budget = { cals = 3 }", "unknown setting 'cals'; did you mean 'calls'?"),
    "an arm twice": ('arms = ["self_instruct", "self_instruct"]', "two are called 'self_instruct'; give one of them"),
    "a pair of others": ('pairs = [["agentic", "self_instruct"]]', "unknown arm 'agentic'; did you mean 'agentic_self"),
    "an arm for another domain": (
        'arms = [{ program = "self_instruct", domains = ["term"] }]\n[domains.terms]\ndomain = "legal"',
        "setting 'arms': unknown domain 'term'; did you mean 'terms'?",
    ),
    "no learner to leave out": (
        'arms = [{ program = "agentic_self_instruct", without = ["learner"] }]\ndomain = "math_objects"',
        "without 'learner': the weak solver of the domain 'math_objects' is a model in any case",
    ),
    "a size of none": ("sizes = [0, 9]", "setting 'sizes': none below 1"),
    "a seed twice": ("seeds = [1, 1]", "setting 'seeds': each number once, none below 0"),
    "an unknown program": ('arms = ["self_instrukt"]', "unknown generator 'self_instrukt'; did you mean 'self_"),
    "an unknown part": (
        'arms = [{ program = "agentic_self_instruct", without = ["gaps"] }]',
        "unknown part to leave out 'gaps'; did you mean 'gap'?",
    ),
    "neither program nor examples": ('arms = [{ name = "x" }]', "an arm has either a program or a file of examples"),
    "an option of a program": (
        'arms = [{ examples = "x.jsonl", max_rounds = 3 }]',
        "examples made elsewhere take no 'max_rounds'",
    ),
    "examples that are to grow": (
        'arms = [{ examples = "x-{seed}.jsonl" }]\ngenerations = 2',
        "the examples of 'x' were made elsewhere",
    ),
    "examples that are not there": (
        'arms = [{ examples = "x-{seed}.jsonl" }]\ndomain = "math_objects"',
        "examples not found: x-0.jsonl",
    ),
    "a role": ('roles = { jugde = "x/y" }', "unknown role 'jugde'; did you mean 'judge'?"),
    "no test file": ('test = "nowhere.jsonl"', "probe file not found: nowhere.jsonl"),
    "questions without a domain": ('test = "questions.jsonl"', "say which domain its questions belong to: domain ="),
    "a test that a model scores": (
        'domain = "cs_research"\ntest = "questions.jsonl"',
        "are scored by a model, which would read the probe",
    ),
    "human items of the test": (
        'test = "clauses.test.jsonl"\nhuman = "seen.jsonl"',
        "all human items are items of the test clauses.test.jsonl too",
    ),
    "no documents": ('documents = "nowhere/"', "nowhere"),
    "no TOML": ("arms = [", "suite s.toml: "),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_suite_that_cannot_work_is_refused_in_one_line_and_costs_nothing(here, kind):
    content, says = REFUSED[kind]
    Path("s.toml").write_text(content)
    Path("questions.jsonl").write_text("".join(f'{{"question": "q{i}", "answer": "{i}"}}\n' for i in range(9)))
    Path("seen.jsonl").write_text(Path("clauses.test.jsonl").read_text())
    with pytest.raises(ConfigError) as refused:
        run_suite(read_suite("s.toml"), here / "r")
    assert says in str(refused.value) and "\n" not in str(refused.value)
    assert not list(here.glob("r/**/calls.jsonl"))


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.stem)
def test_the_suites_of_this_repository_can_be_built(path, monkeypatch, tmp_path):
    monkeypatch.chdir(path.parents[2])
    suite = read_suite(path)
    suite = suite.model_copy(update={"arms": tuple(arm for arm in suite.arms if not arm.examples)})  # not made yet
    named = {"domain": "math_objects", "documents": "builtin"}
    for name, subject in suite.subjects.items():
        task = {"domain": "legal_labels", "task": subject.task} if subject.task else named
        if subject.task:  # its examples come from items that are not part of the repository
            task["task"] = {**subject.task, "examples": {label: ["A text of it."] for label in subject.task["labels"]}}
        assert cells_of(suite, [Ground(name, subject, {**named, **task})], tmp_path)
