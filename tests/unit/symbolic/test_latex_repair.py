"""Lost backslashes come back; genuine line feeds and tabs stay."""

from __future__ import annotations

import json

import pytest

from autodata_dspy.symbolic.latex_repair import COMMANDS, repair_latex

ALL = sorted({command for commands in COMMANDS.values() for command in commands})


@pytest.mark.parametrize("command", ALL)
@pytest.mark.parametrize(
    "template", [r"$x \{} y$", r"$\{}{{2}}$", r"\\(a + \{}_1\\)", r"\\[\{} b\\]", r"$$a = \{}(b)$$"]
)
def test_every_command_survives_a_json_string(command, template):
    text = template.replace("{}", command).replace("{{", "{").replace("}}", "}")
    assert repair_latex(json.loads(f'"{text}"')) == text.replace("\\\\", "\\")


@pytest.mark.parametrize(
    "text",
    [
        "x = 2\ne = 3",
        "a\nb",
        "first\nnothing\nu = 5",
        "- x\n\n- y",
        "1.\tone\n2.\ttwo",
        "\tan apple",
        "line\nnot here but\nnever",
        "Let \\frac{1}{2} be given.\nu = 3",
        "\\theta is fixed\n\te = 1",
        "no control characters at all",
        "x\r\ny",
        "tab\tfor you",
    ],
)
def test_genuine_white_space_stays(text):
    assert repair_latex(text) == text


@pytest.mark.parametrize(
    ("damaged", "repaired"),
    [
        ("\frac{1}{2}", r"\frac{1}{2}"),
        ("\boxed{5}", r"\boxed{5}"),
        ("\begin{pmatrix}1\\\\2\\end{pmatrix}", r"\begin{pmatrix}1\\2\end{pmatrix}"),
        ("x \ne 3", r"x \ne 3"),
        ("x \to 0", r"x \to 0"),
        ("2 \times 3", r"2 \times 3"),
        ("\tan x", r"\tan x"),
        ("\rho = 1", r"\rho = 1"),
        ("5\text{ cm}", r"5\text{ cm}"),
        ("\\sin \theta", r"\sin \theta"),
    ],
)
def test_damage_outside_delimiters(damaged, repaired):
    assert repair_latex(damaged) == repaired


def test_other_escapes_never_arrive():
    for text in (r'"\upsilon"', r'"\alpha"', r'"\sqrt{2}"'):
        with pytest.raises(json.JSONDecodeError):
            json.loads(text)
