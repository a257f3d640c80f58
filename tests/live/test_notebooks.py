"""The notebooks, run from their first cell to their last on the embedded models."""

import os
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]
ROOT = Path(__file__).parents[2]
PICTURES = {"image/png", "image/svg+xml"}


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_runs_whatever_the_models_say_and_shows_a_picture(path, tmp_path):
    (tmp_path / "benchmarks").symlink_to(ROOT / "benchmarks")
    here = tmp_path / "notebooks"
    here.mkdir()
    # `!autodata` finds the command of this environment, and nobody's own settings of IPython are read.
    paths = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    env = {**os.environ, "PATH": paths, "IPYTHONDIR": str(tmp_path / "ipython")}
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=None, kernel_name="python3", resources={"metadata": {"path": str(here)}})
    client.execute(env=env)  # raises at the first cell that does
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any(PICTURES & output.get("data", {}).keys() for output in outputs)
    said = "\n".join(output.text for output in outputs if output.output_type == "stream")
    assert not [line for line in said.splitlines() if line.startswith("error:")]  # a command that failed raises nothing
