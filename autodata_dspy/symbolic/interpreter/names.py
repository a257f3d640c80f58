"""Every name a symbolic program may use: an explicit table, nothing is looked up in sympy at run time.

sympy turns strings into objects by evaluating them (`solve("...")`, `Integer("...")`), so a text
never reaches it: `Text` wraps string literals, and only the operations below that say `takes_text`
may receive one, after their own check.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy.functions.combinatorial import numbers

from autodata_dspy.symbolic.interpreter import limits
from autodata_dspy.symbolic.interpreter.constructors import (
    directed,
    make_dummy,
    make_function,
    make_integer,
    make_number,
    make_rational,
    make_symbol,
    make_symbols,
    numeral,
)
from autodata_dspy.symbolic.interpreter.limits import ProgramError
from autodata_dspy.symbolic.interpreter.values import Operation

# Called as they are. Grouped as a reader would look for them.
_PLAIN = """
sqrt cbrt root real_root exp log ln sin cos tan cot sec csc asin acos atan acot asec acsc atan2
sinh cosh tanh coth sech csch asinh acosh atanh acoth sinc
Abs sign floor ceiling frac Max Min re im conjugate arg gamma loggamma beta zeta erf erfc LambertW Heaviside
DiracDelta polylog dirichlet_eta Ei Si Ci li digamma polygamma uppergamma lowergamma besselj bessely
Add Mul Eq Ne Lt Le Gt Ge And Or Not Xor Implies Equivalent Piecewise Lambda Tuple
gcd lcm gcd_list lcm_list igcd ilcm gcdex Mod mod_inverse integer_nthroot perfect_power is_primitive_root primitive_root
legendre_symbol jacobi_symbol n_order sqrt_mod discrete_log diophantine continued_fraction egyptian_fraction
solve solveset linsolve nonlinsolve solve_univariate_inequality reduce_inequalities solve_linear_system roots real_roots
dsolve rsolve checkodesol checksol
diff integrate summation product Sum Product Integral Derivative Subs laplace_transform inverse_laplace_transform
fourier_transform residue fourier_series
simplify expand factor together apart cancel collect trigsimp radsimp ratsimp powsimp powdenest logcombine nsimplify
combsimp gammasimp expand_trig expand_log expand_power_base expand_power_exp expand_func expand_complex factor_terms
numer denom fraction sqrtdenest hyperexpand nroots
Poly degree LC LT resultant discriminant quo rem div invert groebner factor_list sqf_list minimal_polynomial
interpolate symmetrize legendre chebyshevt chebyshevu hermite laguerre content primitive monic
Matrix diag det trace hessian wronskian GramSchmidt
Interval Union Intersection FiniteSet Complement SymmetricDifference ImageSet ConditionSet ProductSet Range Contains
stationary_points maximum minimum singularities periodicity is_increasing is_decreasing
Point Line Segment Circle Triangle Polygon
"""


_CONSTANTS = {
    "pi": sympy.pi, "E": sympy.E, "I": sympy.I, "oo": sympy.oo, "zoo": sympy.zoo, "nan": sympy.nan, "inf": sympy.oo,
    "GoldenRatio": sympy.GoldenRatio, "EulerGamma": sympy.EulerGamma, "Catalan": sympy.Catalan,
    "true": sympy.true, "false": sympy.false, "EmptySet": sympy.S.EmptySet, "UniversalSet": sympy.S.UniversalSet,
    "Reals": sympy.S.Reals, "Integers": sympy.S.Integers, "Naturals": sympy.S.Naturals,
    "Naturals0": sympy.S.Naturals0, "Rationals": sympy.S.Rationals, "Complexes": sympy.S.Complexes,
}  # fmt: skip


_SINGLETONS = (
    "Reals Integers Naturals Naturals0 Rationals Complexes EmptySet Half One Zero NegativeOne Infinity "
    "NegativeInfinity Pi Exp1 ImaginaryUnit GoldenRatio EulerGamma true false NaN ComplexInfinity"
).split()


# Functions whose time or output grows with an integer argument, with the largest one they get.
_SMALL_ARGUMENTS = {
    "factorial": 2000, "factorial2": 2000, "subfactorial": 2000, "binomial": 5000, "fibonacci": 20_000,
    "lucas": 20_000, "catalan": 2000, "bell": 300, "bernoulli": 300, "euler": 300, "harmonic": 3000,
    "rf": 2000, "ff": 2000, "prime": 100_000, "primepi": 10**7, "partition": 3000, "tribonacci": 5000,
    "primorial": 1000, "genocchi": 300,
}  # fmt: skip


_SMALL_NUMBERS = {
    "factorint": 160, "primefactors": 160, "divisors": 120, "divisor_count": 160, "divisor_sigma": 160, "totient": 160,
    "reduced_totient": 160, "mobius": 160, "isprime": 4000, "nextprime": 1000, "prevprime": 1000,
    "multiplicity": 4000, "primeomega": 160, "primenu": 160,
}  # fmt: skip


_ALIASES = {
    "Sqrt": "sqrt", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "conj": "conjugate", "Determinant": "det",
    "Rel": "Eq", "ceil": "ceiling", "comb": "binomial", "ImmutableMatrix": "Matrix", "euler_phi": "totient",
}  # fmt: skip


def _nt(name: str) -> Callable[..., Any]:
    return getattr(sympy, name, None) or getattr(numbers, name)


def _primerange(a: Any, b: Any = None) -> list[Any]:
    low, high = (2, a) if b is None else (a, b)
    high = limits.whole(high, "primerange's limit")
    if high > 10**6:
        raise ProgramError("primerange goes up to 1000000")
    return [sympy.Integer(p) for p in sympy.primerange(limits.whole(low, "primerange's start"), high)]


def _n_choose(n: Any, k: Any = None) -> Any:
    return sympy.ff(n, k) if k is not None else sympy.factorial(n)


def _crt(moduli: Any, residues: Any, **_: Any) -> tuple[Any, ...] | None:
    from sympy.ntheory.modular import crt

    found = crt([int(m) for m in moduli], [int(r) for r in residues])
    return None if found is None else tuple(sympy.Integer(int(v)) for v in found)


def _column(*entries: Any) -> Any:
    return sympy.Matrix(entries)


def _table() -> dict[str, Any]:
    table: dict[str, Any] = dict(_CONSTANTS)
    for name in _PLAIN.split():
        table[name] = Operation(name, getattr(sympy, name))
    for name, limit in _SMALL_ARGUMENTS.items():
        table[name] = Operation(name, _nt(name), limits.at_most(limit, name))
    for name, bits in _SMALL_NUMBERS.items():
        table[name] = Operation(name, _nt(name), limits.bits_at_most(bits, name))
    for name in ("eye", "zeros", "ones"):
        table[name] = Operation(name, getattr(sympy, name), limits.matrix_size)
    table["Matrix"] = Operation(
        "Matrix", sympy.Matrix, limits.matrix_size, takes_functions=True,
        members=tuple(
            (n, Operation(n, getattr(sympy, n), limits.matrix_size)) for n in ("eye", "zeros", "ones", "diag")
        ),
    )  # fmt: skip
    table["Interval"] = Operation(
        "Interval", sympy.Interval,
        members=tuple((n, Operation(f"Interval.{n}", getattr(sympy.Interval, n))) for n in ("open", "Lopen", "Ropen")),
    )  # fmt: skip
    for name in ("function_range", "continuous_domain"):
        table[name] = Operation(name, getattr(sympy.calculus.util, name))
    table["Pow"] = Operation("Pow", limits.power)
    table["primerange"] = Operation("primerange", _primerange)
    table["perm"] = Operation("perm", _n_choose, limits.at_most(2000, "perm"))
    table["crt"] = Operation("crt", _crt)
    table["Vector"] = Operation("Vector", _column)
    for name in ("limit", "Limit", "series"):
        positions = frozenset({3, 4, "dir"})
        table[name] = Operation(name, directed(getattr(sympy, name)), takes_text=positions)
    first = frozenset({0})
    table["Symbol"] = Operation("Symbol", make_symbol, takes_text=first)
    table["Dummy"] = Operation("Dummy", make_dummy, takes_text=first)
    table["Function"] = Operation("Function", make_function, takes_text=first)
    table["symbols"] = Operation("symbols", make_symbols, takes_text=frozenset(range(50)))
    table["Rational"] = Operation("Rational", make_rational, takes_text=frozenset({0, 1}))
    table["Integer"] = Operation("Integer", make_integer, takes_text=first)
    table["Fraction"] = table["Rational"]
    members = tuple((name, getattr(sympy.S, name)) for name in _SINGLETONS)
    table["S"] = Operation("S", make_number, takes_text=first, members=members)
    table["sympify"] = Operation("sympify", make_number, takes_text=first)
    table["Float"] = Operation(
        "Float", lambda v, *_: sympy.Float(sympy.sympify(numeral(v), strict=True)), takes_text=first
    )
    table["N"] = Operation("N", lambda v, n=15: sympy.sympify(v, strict=True).evalf(min(int(n), 50)))
    table.update({alias: table[name] for alias, name in _ALIASES.items()})
    return table


NAMES: dict[str, Any] = _table()
