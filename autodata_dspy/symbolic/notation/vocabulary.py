"""The words and commands of mathematical notation, and how a run of letters is cut into names."""

from __future__ import annotations

from autodata_dspy.symbolic.notation.tokens import Token

OR_WORDS = frozenset({"or", "∨"})


AND_WORDS = frozenset({"and", "&"})


FILLERS = frozenset({"if", "for", "when", "where", "with", "while", "then", "thus", "so", "hence", "let", "a", "the"})


OTHERWISE = frozenset({"otherwise", "else", "elsewhere", "other", "if otherwise"})


CONNECTIVES = OR_WORDS | AND_WORDS | FILLERS | OTHERWISE | {"is", "equals", "in", "are", "such", "that", "mod"}


RELATIONS = {
    "=": "=", "<": "<", ">": ">", "<=": "<=", ">=": ">=", "!=": "!=", "->": "maps", "in": "in", "lt": "<", "gt": ">",
    "le": "<=", "leq": "<=", "leqslant": "<=", "leqq": "<=", "ge": ">=", "geq": ">=", "geqslant": ">=", "geqq": ">=",
    "ne": "!=", "neq": "!=", "mapsto": "maps", "to": "maps", "rightarrow": "maps", "longmapsto": "maps",
    "approx": "=", "coloneqq": "=", "isin": "in",
}  # fmt: skip


SET_OPERATORS = {
    "cup": "union", "bigcup": "union", "cap": "intersection", "bigcap": "intersection", "setminus": "difference",
    "backslash": "difference", "smallsetminus": "difference",
}  # fmt: skip


COMMAND_SIGNS = {
    "cdot": "*", "times": "*", "ast": "*", "bullet": "*", "div": "/", "pm": "pm", "mp": "mp", "wedge": "and",
    "land": "and", "vee": "or", "lor": "or", "{": "\\{", "}": "\\}", "langle": "⟨", "rangle": "⟩", "colon": ":",
    "vert": "|", "row": "row", "mid": "mid", "prime": "'", "lparen": "(", "rparen": ")", "comma": ",",
}  # fmt: skip


GREEK = frozenset(
    """alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda lamda mu nu xi rho varrho
    sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell hbar
    """.split()
)


# Command or plain name → name in sympy. Each takes one argument, with or without brackets.
FUNCTIONS = {
    "sin": "sin", "cos": "cos", "tan": "tan", "cot": "cot", "sec": "sec", "csc": "csc", "cosec": "csc",
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arccot": "acot", "arcsec": "asec", "arccsc": "acsc",
    "asin": "asin", "acos": "acos", "atan": "atan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "coth": "coth",
    "sech": "sech", "csch": "csch", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "arsinh": "asinh",
    "arcosh": "acosh", "artanh": "atanh", "asinh": "asinh", "acosh": "acosh", "atanh": "atanh",
    "ln": "log", "log": "log", "lg": "lg", "exp": "exp", "sgn": "sign", "sign": "sign", "Re": "re", "Im": "im",
    "arg": "arg", "Arg": "arg", "abs": "Abs", "Abs": "Abs", "erf": "erf", "floor": "floor", "ceil": "ceiling",
    "sqrt": "sqrt", "cbrt": "cbrt", "det": "det", "tr": "trace", "conj": "conjugate", "factorial": "factorial",
}  # fmt: skip


# Functions of several arguments, always with brackets.
MANY = {"max": "Max", "min": "Min", "gcd": "gcd", "lcm": "lcm"}


_PLAIN_COMMANDS = frozenset(FUNCTIONS) | GREEK | {"pi", "infty", "infinity", "inf", "oo", "max", "min", "gcd", "lcm"}


_WORDS = CONNECTIVES | frozenset(
    """no yes all none DNE dne any rad only both true false odd not one two six ten red day may jan feb mar apr jun
    jul aug sep oct nov dec mon tue wed thu fri sat sun am pm km cm mm kg mg ml kHz MHz kPa kJ kW kN lb ft yd oz hr
    min mph sec cup box cat dog pen man men boy""".split()
)


_SPELLING = {"infinity": "infty", "inf": "infty", "oo": "infty"}


def split_letters(tokens: list[Token]) -> list[Token]:
    """Cut runs of letters into names (xy is x times y), functions (sinx), words (or, apples)."""
    found: list[Token] = []
    for index, token in enumerate(tokens):
        if token.kind != "letters":
            found.append(token)
            continue
        following = tokens[index + 1].text if index + 1 < len(tokens) else ""
        found += _split(token, following, isolated=token.spaced or index == 0)
    return found


def _split(token: Token, following: str, isolated: bool) -> list[Token]:
    run = token.text
    if run in ("min", "max", "gcd", "lcm") and following not in ("(", "{"):
        return [Token("words", run, token.spaced)]
    if run in _PLAIN_COMMANDS:
        return [Token("command", _SPELLING.get(run, run), token.spaced)]
    if len(run) == 1:
        # A lone "a" before a word is an article only in prose, which is read as words elsewhere.
        return [Token("name", run, token.spaced)]
    if run in _WORDS or run.lower() in CONNECTIVES - {"a", "the"}:
        return [Token("words", run, token.spaced)]
    if len(run) == 2 and run[0] == "d" and run[1].islower():
        return [Token("name", "d", token.spaced), Token("name", run[1])]
    for name in sorted(FUNCTIONS, key=len, reverse=True):
        rest = run[len(name) :]
        if run.startswith(name) and len(rest) == 1 and following != "(" and name not in ("tr", "lg", "Re", "Im"):
            return [Token("command", name, token.spaced), Token("name", rest)]
    if run.endswith("pi") and len(run) == 3:
        return [Token("name", run[0], token.spaced), Token("command", "pi")]
    if (len(run) <= 3 and (run.islower() or run.isupper() or len(run) == 2)) or run in ("xyzw", "wxyz", "abcd", "ABCD"):
        return [Token("name", c, token.spaced and k == 0) for k, c in enumerate(run)]
    return [Token("words", run, token.spaced)]
