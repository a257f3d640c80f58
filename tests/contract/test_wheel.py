"""The wheel holds what the package reads at run time: documents, seed tasks, the skeleton and the programs."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import setuptools

from autodata_dspy.artifact import save_program
from autodata_dspy.generators import AgenticSelfInstruct

ROOT = Path(__file__).parents[2]
ELSEWHERE = """
import autodata_dspy as ad, dspy
class Mine(dspy.Module):
    def __init__(self):
        super().__init__()
        self.maker = ad.load_program("math_objects/sample")
mine = Mine()
ad.save_program(mine.maker, "again.json")
print(ad.__file__, [name for name, _ in mine.named_predictors()], ad.load_program("again.json").per_document)
"""
DATA = ("domains/documents/*.jsonl", "domains/seeds/*.jsonl", "cli/skeleton/*", "py.typed")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel of a copy of this tree (building leaves files beside the sources), with one program put into it."""
    if int(setuptools.__version__.partition(".")[0]) < 77:
        pytest.skip(f"building needs setuptools 77 or newer, this is {setuptools.__version__}; see [dev]")
    tree, out = tmp_path_factory.mktemp("tree") / "tree", tmp_path_factory.mktemp("wheel")
    tree.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    for name in ("autodata_dspy", "programs"):
        shutil.copytree(ROOT / name, tree / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    (tree / "programs" / "math_objects").mkdir(exist_ok=True)
    save_program(
        AgenticSelfInstruct("math_objects", per_document=7), tree / "programs" / "math_objects" / "sample.json"
    )
    code = f"import setuptools.build_meta as b; b.build_wheel({str(out)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=tree, check=True, capture_output=True)
    (built,) = out.glob("*.whl")
    return zipfile.ZipFile(built)


def test_the_wheel_holds_the_programs_with_their_cards_as_files(wheel):
    names = set(wheel.namelist())
    shipped = {f"autodata_dspy/{p.relative_to(ROOT)}" for p in (ROOT / "programs").rglob("*") if p.is_file()}
    assert shipped | {f"autodata_dspy/programs/math_objects/sample.{e}" for e in ("json", "md")} <= names
    assert wheel.read("autodata_dspy/programs/README.md") == (ROOT / "programs" / "README.md").read_bytes()


def test_the_wheel_holds_the_sources_and_the_data_and_nothing_else(wheel):
    package = ROOT / "autodata_dspy"
    expected = [*package.rglob("*.py"), *(found for pattern in DATA for found in package.glob(pattern))]
    expected = {str(p.relative_to(ROOT)) for p in expected if p.is_file()}
    ours = {name for name in wheel.namelist() if "dist-info/" not in name and "/programs/" not in name}
    assert ours == expected
    assert any(name.startswith("autodata_dspy/domains/seeds/") for name in ours)


def test_a_program_of_the_wheel_is_loaded_by_name_put_into_a_module_saved_and_reloaded(wheel, tmp_path):
    wheel.extractall(tmp_path / "site")
    (tmp_path / "elsewhere").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE],
        cwd=tmp_path / "elsewhere",
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == [
        str(tmp_path / "site" / "autodata_dspy" / "__init__.py"),
        "['maker.challenger.write']",
        "7",
    ]
