"""Imports go one way: a module imports what stands earlier, and a plugin never its sibling.

Imports inside functions and under TYPE_CHECKING do not count: they are how a cycle is avoided on purpose.
"""

import ast
import functools
from pathlib import Path

import pytest

import autodata_dspy

PACKAGE = Path(autodata_dspy.__file__).parent
# Rooms (folders), single modules and, with a dot, single modules of rooms; each group may import the ones above it.
GROUPS = (
    ("types", "errors"),
    (
        *("registry", "config", "budget", "call_log", "calls", "events", "documents", "roles"),
        *("embedded", "symbolic", "sandbox", "asking", "subjects", "similarity", "text", "judging", "rubrics"),
        *("labelled_task", "seed_tasks", "instruction_filters", "task_pool"),
        "legal_forms",
        "legal_citations",
        "legal_authorities",
        *("functions", "docstrings", "mutation", "equivalence"),
    ),
    ("verifiers.base", "verifiers.worker"),
    ("verifiers",),
    (
        *("acceptance", "filters"),
        "domains.base",
        "domains._cs_research",
        "domains._math_passages",
        *("feedback", "repetition", "ablations"),
        "labelled_checks",
        "diagnosis",
        "legal_grounding",
        "probes",
        "resampling",
    ),
    ("modules", "code_exercises"),
    ("generators",),
    ("metrics._made", "metrics._terms", "examiner"),
    ("metrics.base",),
    ("domains", "metrics", "audit", "curation"),
    ("program_file", "program_sources"),
    ("program_text",),
    ("program_card",),
    ("damage",),
    ("metric_audit",),
    ("artifact", "store", "executors", "results", "proposals", "forecasts", "pilot_notes", "config_file"),
    ("evaluation_log",),
    ("jobs",),
    ("errands",),
    ("generation",),
    ("runs", "calibration"),
    ("splitting", "candidates"),
    ("compilable",),
    ("evaluations",),
    ("optimizers.base",),
    ("optimizers",),  # they run programs, which generation knows how to
    ("held_out",),
    ("report",),
    ("exporters.base",),
    ("exporters._source", "exporters._writing"),
    ("exporters._card",),
    ("example_files",),
    ("preflight",),
    ("compiled",),
    ("compilation",),
    ("exporters",),  # the card tells of a run in the words of the report
    ("benchmarking",),  # it reads runs back as exporters do
    ("cli",),
)
PLUGIN_ROOMS = ("verifiers", "domains", "generators", "exporters", "metrics", "optimizers")
SIBLINGS_MEANT = {
    ("verifiers.program_answer", "verifiers.math_objects"),  # one answer compared as the other does
    ("verifiers.test_adequacy", "verifiers.unit_tests"),  # a reference passes its tests as an answer does
}
FREE_OF_DSPY = (
    "types",
    "errors",
    "registry",
    "budget",
    "documents",
    "events",
    "config",
    "store",
    "acceptance",
    "filters",
    "text",
    "labelled_task",
    "proposals",
    "forecasts",
    "config_file",
    "seed_tasks",
    "program_file",
    "program_sources",
    "program_text",
    "program_card",
)


@functools.cache
def imported(source: str) -> frozenset[str]:
    """Dotted names of what a module imports when it is imported."""
    found: set[str] = set()
    waiting = list(ast.iter_child_nodes(ast.parse(source)))
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            found |= {f"{base}.{alias.name}" for alias in node.names}
        waiting += ast.iter_child_nodes(node)
    return frozenset(found)


@functools.cache
def sources(folder: Path) -> dict[str, str]:
    """Module name below the package (`verifiers.base`; a room's `__init__` is the room) → its source."""
    found = {}
    for path in folder.rglob("*.py"):
        parts = path.relative_to(folder).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if name:
            found[name] = path.read_text("utf-8")
    return found


def group_of(module: str) -> int | None:
    """Index of the group; the most specific name decides."""
    while module:
        for index, names in enumerate(GROUPS):
            if module in names:
                return index
        module = module.rpartition(".")[0]
    return None


def violations(modules: dict[str, str]) -> list[str]:
    """One line for each import that goes the wrong way."""
    wrong = []
    for module, source in sorted(modules.items()):
        own = group_of(module)
        if own is None:
            wrong.append(f"{module} has no place in the order; give it one in tests/contract/test_layers.py")
            continue
        for target in sorted(_ours(source, modules)):
            if target == module or (module, target) in SIBLINGS_MEANT:
                continue
            theirs, room = group_of(target), module.partition(".")[0]
            sibling = theirs == own and room in PLUGIN_ROOMS and target.partition(".")[0] == room and "." in module
            if theirs is not None and (theirs > own or sibling):
                wrong.append(f"{module} imports {target}" + (", its sibling" if sibling else ", which stands later"))
    return wrong


def _ours(source: str, modules: dict[str, str]) -> set[str]:
    """The package's modules among the imports; `from a.b import name` counts as a.b unless a.b.name is a module."""
    targets = set()
    for name in imported(source):
        if name.startswith("."):
            raise AssertionError(f"relative import {name}; write it out, so that a reader can find it")
        if name == "autodata_dspy" or not name.startswith("autodata_dspy."):
            continue
        parts = name.split(".")[1:]
        while parts and ".".join(parts) not in modules:
            parts.pop()
        targets |= {".".join(parts)} if parts else set()
    return targets


def test_every_import_goes_to_an_earlier_group():
    assert violations(sources(PACKAGE)) == []


def test_every_name_of_the_order_exists():
    modules = sources(PACKAGE)
    assert [name for names in GROUPS for name in names if name not in modules] == []


@pytest.mark.parametrize(
    ("module", "source", "wrong"),
    [
        ("budget", "from autodata_dspy.errors import StopRun", False),
        ("budget", "from autodata_dspy.generation import generate", True),
        ("budget", "import autodata_dspy.cli", True),
        ("budget", "from autodata_dspy import cli", True),
        ("budget", "from autodata_dspy.documents import digest", False),
        ("types", "from autodata_dspy.errors import AutodataError", False),
        ("types", "from autodata_dspy.registry import load", True),
        ("budget", "def later():\n    from autodata_dspy.cli import main", False),
        ("budget", "if TYPE_CHECKING:\n    from autodata_dspy.cli import main", False),
        ("budget", "if TYPE_CHECKING:\n    pass\nelse:\n    from autodata_dspy.cli import main", True),
        ("budget", "class A:\n    from autodata_dspy.cli import main", True),
        ("budget", "try:\n    import autodata_dspy.cli as c\nexcept ImportError:\n    pass", True),
        ("verifiers.math_objects", "from autodata_dspy.verifiers.base import Verifier", False),
        ("verifiers.math_objects", "from autodata_dspy.verifiers.worker import WorkerPool", False),
        ("verifiers.math_objects", "from autodata_dspy.verifiers.program_answer import run", True),
        ("verifiers.program_answer", "from autodata_dspy.verifiers.math_objects import MathObjects", False),
        ("domains.math_objects", "from autodata_dspy.domains.base import Domain", False),
        ("domains.base", "from autodata_dspy.domains.math_objects import PLUGIN", True),
        ("generators.agentic_self_instruct", "from autodata_dspy.modules import Solver", False),
        ("modules.solver", "from autodata_dspy.generators import AgenticSelfInstruct", True),
        ("modules.solver", "from autodata_dspy.modules.base import RoleModule", False),
        ("surprise", "import os", True),
    ],
)
def test_this_test_can_fail(module, source, wrong):
    found = violations({**sources(PACKAGE), module: source})
    assert any(line.startswith(f"{module} ") for line in found) is wrong


@pytest.mark.parametrize("room", FREE_OF_DSPY)
def test_the_ground_floor_does_not_import_dspy(room):
    modules = {name: source for name, source in sources(PACKAGE).items() if name.partition(".")[0] == room}
    names = frozenset().union(*(imported(source) for source in modules.values()))
    assert modules
    assert not {name for name in names if name.partition(".")[0] in ("dspy", "litellm", "gepa")}
