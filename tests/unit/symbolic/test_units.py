"""Names of units, their dimensions and exact factors."""

from __future__ import annotations

import pytest
import sympy

from autodata_dspy.symbolic.notation.units import is_money, unit

R = sympy.Rational


@pytest.mark.parametrize(
    ("text", "factor", "dimension"),
    [
        ("cm", R(1, 100), {"m": 1}),
        ("km/h", R(5, 18), {"m": 1, "s": -1}),
        ("m^2", 1, {"m": 2}),
        ("m²", 1, {"m": 2}),
        ("kg m/s^2", 1, {"kg": 1, "m": 1, "s": -2}),
        ("square meters", 1, {"m": 2}),
        ("cubic centimeters", R(1, 10**6), {"m": 3}),
        ("miles per hour", R("0.44704"), {"m": 1, "s": -1}),
        ("mW", R(1, 1000), {"kg": 1, "m": 2, "s": -3}),
        ("MW", 10**6, {"kg": 1, "m": 2, "s": -3}),
        ("kWh", 3_600_000, {"kg": 1, "m": 2, "s": -2}),
        ("feet", R("0.3048"), {"m": 1}),
        ("kilograms", 1, {"kg": 1}),
        ("cents", R(1, 100), {"USD": 1}),
        ("m/m", 1, {}),
    ],
)
def test_unit(text, factor, dimension):
    assert unit(text) == (factor, tuple(sorted(dimension.items())))


@pytest.mark.parametrize("text", ["", "apples", "m^", "x", "12"])
def test_no_unit(text):
    assert unit(text) is None


def test_money():
    assert is_money((("USD", 1),))
    assert not is_money((("m", 1),))
