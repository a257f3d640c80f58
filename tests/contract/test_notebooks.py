"""The notebooks as they are committed, and every `autodata …` command that they or the documentation name."""

import re
from pathlib import Path

import nbformat
import pytest
import typer

from autodata_dspy.cli import app

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "programs/README.md")]
PAGES += [ROOT / "benchmarks" / name for name in ("README.md", "MEASURED.md")]
MACHINE = re.compile(r"/(?:work|tmp|root|home|Users|mnt|private)\b")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def sources(path, kind=None):
    """What is written in a page, or in the cells of a notebook (of one kind)."""
    if path.suffix == ".md":
        return path.read_text("utf-8")
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if kind in (None, cell.cell_type))


def commands(text):
    """The words after `autodata` of each command: on a line of its own (in a cell after `!`), or between backticks."""
    text = text.replace("\\\n", " ")
    lines = re.findall(r"^(?:\w+ = )?!?autodata (.*)", text, re.MULTILINE)
    spans = re.findall(r"`autodata ([^`]*)`", FENCE.sub("", text))
    return [found.split(" #")[0].split() for found in (*lines, *spans)]


def unknown(text):
    """Commands and options in a text that `autodata` does not have."""
    found = []
    for words in commands(text):
        command = typer.main.get_command(app)
        while words and (known := getattr(command, "commands", None)):
            if (name := words.pop(0)) not in known:
                found.append(name)
                break
            command = known[name]
        else:
            options = {option for parameter in command.params for option in parameter.opts}
            found += [word for word in words if word.startswith("--") and word.split("=")[0] not in options]
    return found


def test_there_are_four_and_the_readme_links_to_each():
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [path.name[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04"]
    assert all(f"](notebooks/{path.name})" in readme for path in NOTEBOOKS)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_as_it_ran_and_tells_nothing_of_the_machine(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert all(output.output_type != "error" for output in outputs)
    assert any("image/png" in output.get("data", {}) for output in outputs)
    for cell in code:  # what is base64 may hold anything
        cell.outputs = [o for o in cell.outputs if "image/png" not in o.get("data", {})]
    assert MACHINE.findall(nbformat.writes(notebook)) == []
    links = re.findall(r"\]\((?!https?:)([^)#]+)", sources(path, "markdown"))
    assert links and all((path.parent / link).exists() for link in links)


@pytest.mark.parametrize("path", [*PAGES, *NOTEBOOKS], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_command_that_is_named_exists(path):
    assert unknown(sources(path)) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_of_a_page_leads_to_a_file_and_heading(path):
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", FENCE.sub("", path.read_text("utf-8"))):
        name, _, heading = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        assert not heading or heading in headings(target), link


def headings(path):
    """The names by which a page's headings can be linked to."""
    titles = re.findall(r"^#+ (.*)", FENCE.sub("", path.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_commands_that_do_not_exist_are_found_wherever_they_are_written():
    fenced = "```\nautodata lst verifiers\nautodata generate --domains x \\\n    --n 3 --N  # --not\n```"
    assert unknown(fenced) == ["lst", "--domains", "--N"]
    assert unknown("told = !autodata bench a.toml --out x --yess 2> log") == ["--yess"]
    assert unknown("Say `autodata models pul NAME`, or `autodata list\nmodels --al`.") == ["pul", "--al"]
