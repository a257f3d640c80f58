"""Which attributes a program may read and which methods it may call, by the type of the value.

`member` is the only place where an attribute of a value is looked up, and only after its name was
found in these lists.
"""

from __future__ import annotations

import difflib
from typing import Any

import sympy
from sympy.geometry.entity import GeometryEntity

from autodata_dspy.symbolic.interpreter import limits
from autodata_dspy.symbolic.interpreter.constructors import directed
from autodata_dspy.symbolic.interpreter.limits import ProgramError
from autodata_dspy.symbolic.interpreter.values import Operation

# (types, attributes read without a call, methods)
_MEMBERS: tuple[tuple[tuple[type, ...], str, str], ...] = (
    (
        (sympy.Poly,),
        "gens",
        "all_coeffs coeffs degree as_expr LC LT TC eval nroots real_roots all_roots discriminant monic diff integrate "
        "factor_list is_irreducible quo rem div gcd resultant compose coeff_monomial terms monoms total_degree",
    ),
    (
        (sympy.MatrixBase,),
        "T H shape rows cols",
        "det inv eigenvals eigenvects rank transpose trace nullspace charpoly rref columnspace rowspace adjugate "
        "diagonalize jordan_form norm dot cross row col tolist applyfunc subs simplify LUsolve solve "
        "cofactor minor exp singular_values jacobian is_diagonalizable is_symmetric is_positive_definite "
        "QRdecomposition LUdecomposition row_join col_join evalf n doit expand pinv flat "
        "copy conjugate adjoint diff integrate multiply_elementwise normalized project cholesky "
        "gauss_jordan_solve reshape",
    ),
    (
        (sympy.Set,),
        "start end left right left_open right_open inf sup measure boundary interior closure is_empty args "
        "is_FiniteSet is_finite_set is_open is_closed lamda base_set",
        "intersect intersection union complement contains is_subset is_superset is_disjoint symmetric_difference "
        "subs simplify doit as_relational is_proper_subset",
    ),
    (
        (sympy.core.relational.Relational,),
        "lhs rhs gts lts reversed args free_symbols rel_op",
        "subs simplify as_set doit expand factor",
    ),
    ((sympy.logic.boolalg.Boolean,), "args free_symbols", "subs simplify as_set doit"),
    (
        (sympy.Expr,),
        "args free_symbols p q numerator denominator base exp is_integer is_real is_positive is_negative is_prime "
        "is_rational is_zero is_number is_even is_odd is_nonnegative is_finite is_algebraic "
        "is_Integer is_Rational is_complex is_composite lhs rhs",
        "subs diff integrate simplify expand factor coeff doit rewrite evalf n as_poly degree collect together apart "
        "cancel trigsimp radsimp limit series removeO nsimplify as_numer_denom as_real_imag conjugate has xreplace "
        "as_coefficients_dict as_ordered_terms as_coeff_mul as_coeff_Mul equals is_polynomial all_coeffs as_base_exp "
        "is_constant round leadterm ratsimp powsimp logcombine getn",
    ),
    ((sympy.Tuple,), "args", "subs index count"),
    (
        (GeometryEntity,),
        "x y center radius area perimeter circumference slope length midpoint centroid incenter circumcenter "
        "orthocenter vertices sides angles coordinates",
        "distance intersection equation midpoint perpendicular_line parallel_line reflect rotate contains",
    ),
    ((sympy.Lambda,), "expr variables", "subs"),
    ((dict,), "", "items keys values get pop update copy"),
    ((list,), "", "append extend pop insert remove index count sort reverse copy"),
    (
        (set, frozenset),
        "",
        "add union intersection difference issubset issuperset symmetric_difference discard remove",
    ),
    ((tuple,), "", "index count"),
)


_TABLE = tuple(
    (types, frozenset(attributes.split()), frozenset(methods.split())) for types, attributes, methods in _MEMBERS
)

# What sympy's sets call one thing and Python's another; models mix them up.
_OTHER_NAMES: tuple[tuple[tuple[type, ...], dict[str, str]], ...] = (
    ((sympy.Set,), {"difference": "__sub__", "issubset": "is_subset", "issuperset": "is_superset"}),
    ((set, frozenset), {"intersect": "intersection", "is_subset": "issubset", "is_superset": "issuperset"}),
)


def _unknown(value: Any, name: str, available: set[str]) -> ProgramError:
    near = difflib.get_close_matches(name, sorted(available), n=1)
    hint = f"; did you mean .{near[0]}?" if near else ""
    return ProgramError(f"{type(value).__name__} has no .{name[:40]} here{hint}")


def member(value: Any, name: str) -> Any:
    """The attribute `name` of `value` if a program may use it; a method comes back as an Operation.

    Raises:
        ProgramError: the name is not in the lists above, or this value lacks it.
    """
    if isinstance(value, Operation):
        members = dict(value.members)
        if name in members:
            return members[name]
        raise _unknown(value, f"{value.name}.{name}", {f"{value.name}.{m}" for m in members})
    available: set[str] = set()
    for types, attributes, methods in _TABLE:
        if not isinstance(value, types):
            continue
        available |= attributes | methods
        if name in methods and callable(found := getattr(value, name, None)):
            return _method(value, name, found)
        if name in attributes and hasattr(value, name):
            return getattr(value, name)
    for types, names in _OTHER_NAMES:
        if isinstance(value, types) and name in names:
            return _method(value, name, getattr(value, names[name]))
    raise _unknown(value, name, available)


def _method(value: Any, name: str, bound: Any) -> Operation:
    """The bound method, with the guards its function form has."""
    if name in ("evalf", "n"):
        # More digits than this take time and prove nothing; `subs` and the rest stay at their defaults.
        return Operation(name, lambda n=15, **kw: bound(min(limits.whole(n, "a number of digits"), 50), **kw))
    takes_functions = name in ("applyfunc", "sort")
    takes_text = frozenset({2, "dir"}) if name == "limit" else frozenset()
    return Operation(name, directed(bound) if takes_text else bound, None, takes_text, takes_functions)
