"""The wheel holds what the package reads at run time: documents, seed tasks, the skeleton and the programs."""

import json
import re
import shutil
import subprocess
import sys
import sysconfig
import textwrap
import venv
import zipfile
from pathlib import Path

import pytest
import setuptools

from autodata_dspy.artifact import save_program
from autodata_dspy.generators import AgenticSelfInstruct
from autodata_dspy.program_sources import shipped

ROOT = Path(__file__).parents[2]
SAMPLE = "legal_labels/sample"  # put into the wheel by the fixture, because a wheel may have no program of its own
DOCUMENTED = "legal_labels/terms_of_service"  # the name in programs/README.md
BEFORE = """
import json
from autodata_dspy.budget import Meter, metered
from autodata_dspy.roles import ROLES
from autodata_dspy.types import Document

class Mine(dspy.Module):
    def __init__(self, maker):
        super().__init__()
        self.maker = maker
        maker.max_rounds = maker.per_document = 1

    def forward(self, document):
        return self.maker(document=document)

def metric(example, made, trace=None):
    return made.trajectory.status == "done"

document = Document("d", "The hall opens at eight. Skates are hired out at the counter and brought back dry.")
examples = [dspy.Example(document=document).with_inputs("document")]
roles = ad.Roles(**dict.fromkeys(ROLES, {"model": "embedded/smollm2-135m", "max_tokens": 24}))
with metered(Meter()) as meter:
"""
AFTER = """
ad.save_program(mine.maker, "again.json")
again, before = ad.load_program("again.json", roles), ad.load_program(NAME, roles)
told = [[[{k: v for k, v in demo.items() if k != "augmented"} for demo in predictor.demos]
         for _, predictor in each.named_predictors()] for each in (before, further, mine, again)]
print(json.dumps({"from": [ad.__file__, dspy.__file__], "names": [name for name, _ in mine.named_predictors()],
                  "status": made.trajectory.status, "calls": meter.total().calls, "demos": told,
                  "per_document": [before.per_document, again.per_document]}))
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
    (tree / "programs" / SAMPLE).parent.mkdir(exist_ok=True)
    save_program(AgenticSelfInstruct("legal_labels", per_document=7), tree / "programs" / f"{SAMPLE}.json")
    code = f"import setuptools.build_meta as b; b.build_wheel({str(out)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=tree, check=True, capture_output=True)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def content(wheel):
    return zipfile.ZipFile(wheel)


@pytest.fixture(scope="module")
def fresh(wheel, tmp_path_factory):
    """The folder of an environment that has the wheel, and all else from the one that runs the tests."""
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    venv.create(folder, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", wheel], check=True)
    (own,) = folder.glob("lib/python*/site-packages")
    # .pth files beside those packages, such as that of an editable install, are not read from here.
    (own / "shared.pth").write_text(sysconfig.get_path("purelib"))
    return folder


def test_the_wheel_holds_the_programs_with_their_cards_as_files(content):
    names = set(content.namelist())
    here = {f"autodata_dspy/{p.relative_to(ROOT)}" for p in (ROOT / "programs").rglob("*") if p.is_file()}
    assert here | {f"autodata_dspy/programs/{SAMPLE}.{e}" for e in ("json", "md")} <= names
    assert content.read("autodata_dspy/programs/README.md") == (ROOT / "programs" / "README.md").read_bytes()


def test_the_wheel_holds_the_sources_and_the_data_and_nothing_else(content):
    package = ROOT / "autodata_dspy"
    expected = [*package.rglob("*.py"), *(found for pattern in DATA for found in package.glob(pattern))]
    expected = {str(p.relative_to(ROOT)) for p in expected if p.is_file()}
    ours = {name for name in content.namelist() if "dist-info/" not in name and "/programs/" not in name}
    assert ours == expected
    assert any(name.startswith("autodata_dspy/domains/seeds/") for name in ours)


@pytest.mark.live
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", [*shipped(), SAMPLE])
def test_six_lines_use_a_program_of_the_wheel_in_a_fresh_environment(fresh, name, tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "programs" / "README.md").read_text("utf-8"), flags=re.DOTALL)
    imports, lines = blocks[0].split("\n\n")
    assert len(lines.splitlines()) == 6 and DOCUMENTED in lines
    six = textwrap.indent(lines.replace(DOCUMENTED, name), "    ")
    code = f"{imports}\nNAME = {name!r}\n{BEFORE}{six}{AFTER}"
    in_it, quiet = [fresh / "bin" / "python", "-I"], {"cwd": tmp_path, "capture_output": True, "text": True}
    ran = subprocess.run([*in_it, "-c", code], **quiet)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout.splitlines()[-1])
    ours, dspys = (Path(place).is_relative_to(fresh) for place in told["from"])
    assert ours and not dspys
    assert told["status"] == "done" and 1 <= told["calls"] <= 12
    before, further, mine, again = told["demos"]
    assert further == mine == again
    if name == SAMPLE:
        assert told["names"] == ["maker.challenger.write"] and told["per_document"] == [7, 1]
        assert len(further[0]) == 1 and further != before
    listed = subprocess.run([*in_it, fresh / "bin" / "autodata", "list", "programs"], **quiet)
    assert f"  {name}\n" in listed.stdout
