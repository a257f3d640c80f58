"""Where in a text mathematics can be computed, and what a passage can be turned into."""

from __future__ import annotations

import re

# Directions that fit any passage: those that named a kind of answer ("a matrix", "a set") made the 1.5B write about
# something the passage does not hold. The numbers are drawn anew for each round; without them it repeats itself.
ANGLES = (
    "the example of the passage with the numbers {numbers} in it",
    "a formula as in the passage with the numbers {numbers}, and a fraction or a root in the answer",
    "a letter as a parameter beside the numbers {numbers}",
    "a slightly longer formula of the same kind with the numbers {numbers} in it",
    "one more step after the method of the passage, with the numbers {numbers}",
    "another statement of the passage, applied to a formula with the numbers {numbers}",
)

# What passages of some subjects can be turned into, and the words of sympy that compute it. A small model that is only
# told to use "an idea of the passage" asks textbooks of discrete mathematics for bare counts and for proofs, which have
# no symbolic object as an answer; told the kind of object alone, it invents functions that do not exist.
_SUBJECTS = (
    (
        r"\bsubsets?\b|\b(?<!solution )sets?\b|\\cup|\\cap|power set",
        "two set operations on three sets of five whole numbers each, with {numbers} in more than one of them; the "
        "answer is the listed set (program: sets as {2, 5, 9}, joined by | for union, & for intersection, - for "
        "difference)",
        "all whole numbers from 1 to 40 that keep two conditions with the numbers {numbers}; the answer is the listed "
        "set (program: FiniteSet(*[i for i in range(1, 41) if ...]))",
    ),
    (
        r"sequence|series|\bsum|summation|\\sum|induction",
        "a closed formula in n for the sum, over k from 1 to n, of a formula in k with the numbers {numbers} (program: "
        "factor(summation(..., (k, 1, n))))",
        "the n-th term, as a formula in n, of a sequence that is given by its first term and by how a term follows "
        "from the one before it, with the numbers {numbers} (program: a = Function('a'), "
        "rsolve(a(n) - ..., a(n), {a(0): ...}))",
    ),
    (
        r"recurrence|recursive|recursion",
        "a closed formula in n for a sequence that is given by its first term and by how a term follows from the one "
        "before it, with the numbers {numbers} (program: a = Function('a'), rsolve(a(n) - ..., a(n), {a(0): ...}))",
    ),
    (
        r"binomial|Pascal|\\binom",
        "a product of powers of two binomials in x with the numbers {numbers}, multiplied out (program: expand(...))",
    ),
    (
        r"generating (function|series)",
        "the generating function, as one fraction in x, of a sum of two sequences with the numbers {numbers} (program: "
        "together(...))",
        "the terms up to x^4 of a generating function with the numbers {numbers} (program: "
        "series(..., x, 0, 5).removeO())",
    ),
    (
        r"\bcount|\bways\b|combination|permutation|factorial|pigeonhole|bit strings?",
        "how many ways there are to choose from n things in two separate cases, with the numbers {numbers}; the answer "
        "is a polynomial in n (program: expand(expand_func(binomial(n, 2) + ...)))",
        "how many codes there are of n signs from one alphabet and then some more from another one, with the numbers "
        "{numbers} as sizes of alphabets; a formula in n (program: powers such as 5**n*7**3)",
    ),
    (
        r"probab|expected|random",
        "the probability that two things drawn at once are both of one kind, when n of them are of that kind and there "
        "are some others, with the numbers {numbers}; a fraction in n (program: "
        "simplify(expand_func(binomial(n, 2)/binomial(n + ..., 2))))",
    ),
    (
        r"congruen|\bmod\b|modul|divis|\bgcd\b|remainder|prime",
        # With two remainders to choose, the 1.5B took numbers that no division leaves: a third of its sets were empty.
        "all whole numbers from 0 to 60 that leave the remainder 1 on division by {one} and are no multiples of "
        "{other}; the answer is the listed set (program: "
        "FiniteSet(*[i for i in range(61) if i % {one} == 1 and i % {other} != 0]))",
    ),
    (
        r"graphs?\b|vertices|edges|\btrees?\b",
        # No listed edges: program and solver make the same matrix of them, with the same edge left out.
        "the number of edges of a complete graph whose number of vertices is a formula in n with the numbers "
        "{numbers}; the answer is a polynomial in n (program: m = ..., expand(m*(m - 1)/2))",
        "the square of the adjacency matrix of a graph with three vertices; the problem states the matrix row by row "
        "(program: Matrix([[0, 1, ...], ...])**2)",
    ),
    (
        r"relations?\b|ordered pairs?|equivalence|transitive",
        "a relation on the whole numbers from 1 to 6 with the numbers {numbers} in its rule; the answer is the listed "
        "set of its pairs (program: FiniteSet(*[(a, b) for a in range(1, 7) for b in range(1, 7) if ...]))",
    ),
    (
        r"\\(lif|land|lor|lnot|lforall|lexists|Entails|Sat)\b|truth|propositional|connective|tautolog|\bsentences?\b|"
        r"quantifier|derivation",
        "three statements p, q, r joined by not, and, or; the answer is the listed set of all triples (p, q, r) of 0 "
        "and 1 that make the whole true (program: FiniteSet(*[(p, q, r) for p in range(2) for q in range(2) for r in "
        "range(2) if ...]))",
        "all whole numbers x from 1 to 12 for which some y (or every y) from 1 to 12 keeps a condition with the "
        "numbers {numbers}; the answer is the listed set (program: "
        "FiniteSet(*[x for x in range(1, 13) if any(... for y in range(1, 13))]))",
    ),
    (
        r"\bfunctions?\b",
        "two functions of x with the numbers {numbers}: a formula in x for one applied after the other (program: "
        "expand(f.subs(x, g)))",
        "the inverse, as a formula in y, of a function of x with the numbers {numbers} (program: solve(f - y, x)[0])",
    ),
    # Calculus and algebra. A letter beside the numbers keeps the answer from being a bare number.
    (
        r"\blimits?\b|tends to",
        "the limit, as x goes to infinity, of a fraction of two formulas in x of the same degree, with the letter a "
        "and the numbers {numbers} as coefficients; the answer is a formula in a (program: limit((...)/(...), x, oo))",
        "the limit, as x goes to 0, of sin(a*x) or exp(a*x) - 1 divided by a formula in x that is 0 there, with the "
        "numbers {numbers}; the answer is a formula in a (program: limit(.../(...), x, 0))",
    ),
    (
        r"determinant",
        "the determinant of a 3x3 matrix that holds the letter a twice and the numbers {numbers}; the answer is a "
        "polynomial in a (program: expand(Matrix([[...], [...], [...]]).det()))",
    ),
    (
        r"eigenv|characteristic",
        "the eigenvalues of a 2x2 matrix that holds the letter a and the numbers {numbers}; the answer is the listed "
        "set (program: FiniteSet(*Matrix([[...], [...]]).eigenvals()))",
        "the characteristic polynomial, as a formula in t, of a 2x2 matrix with the numbers {numbers} (program: "
        "expand((t*eye(2) - Matrix([[...], [...]])).det()))",
    ),
    (
        r"\bmatri(?:x|ces)\b",
        "the inverse of a 2x2 matrix with the numbers {numbers} in it (program: Matrix([[...], [...]]).inv())",
        "the product of two 2x2 matrices that hold the letter a and the numbers {numbers} (program: "
        "Matrix([[...], [...]])*Matrix([[...], [...]]))",
    ),
    (
        r"inequalit|\bintervals?\b",
        "the solution set, as intervals, of an inequality in x between a fraction of two linear formulas and a number, "
        "with the numbers {numbers} (program: solve_univariate_inequality(.../(...) > ..., x, relational=False))",
        "the solution set, as intervals, of an inequality in x between a quadratic formula and a linear one, with the "
        "numbers {numbers} (program: solve_univariate_inequality(... <= ..., x, relational=False))",
    ),
    (
        r"absolute value",
        "the solution set, as intervals, of an inequality in x that says the distance of a linear formula from 0 is at "
        "most a number, with the numbers {numbers} (program: solve_univariate_inequality(Abs(...) <= ..., x, "
        "relational=False))",
    ),
    (
        r"derivative|tangent (?:line|is)|\bslopes?\b|differentiat",
        "the tangent line, as a formula in x, of a curve y = f(x) at x = 1, with the numbers {numbers} in f (program: "
        "f = ..., expand(f.subs(x, 1) + diff(f, x).subs(x, 1)*(x - 1)))",
        "the derivative, as a formula in x, of a product with the numbers {numbers} (program: simplify(diff(..., x)))",
    ),
    (
        r"parametric|parameter t",
        "the slope dy/dx, as a formula in t, of a curve with x and y given as formulas in t with the numbers {numbers} "
        "(program: simplify(diff(..., t)/diff(..., t)))",
    ),
    (
        r"critical|maxim|minim|extrem",
        "the critical points, as a listed set, of a polynomial of degree three in x with the letter a and the numbers "
        "{numbers} (program: FiniteSet(*solve(diff(..., x), x)))",
    ),
    (
        r"integra|antiderivative|area\b",
        "the integral from 0 to a of a formula in x with the numbers {numbers}; the answer is a formula in a (program: "
        "integrate(..., (x, 0, a)))",
        "the integral from 0 to 1 of x times an exponential or of a fraction with the numbers {numbers} (program: "
        "simplify(integrate(..., (x, 0, 1))))",
    ),
    (
        r"taylor|maclaurin",
        "the terms up to x^4 at 0 of exp, sin or log(1 + ...) of a formula in x with the numbers {numbers} (program: "
        "series(..., x, 0, 5).removeO())",
    ),
    (
        r"partial fraction",
        "the coefficient of 1/(x + {one}), as a formula in a, in the partial fractions of a fraction with the "
        "denominator (x + {one})*(x - {other}) and the letter a in its numerator (program: "
        "(.../(x - {other})).subs(x, -{one}))",
    ),
    (
        r"logarithm|exponential",
        "the solution x, as a formula with a logarithm, of an equation of an exponential in x with the numbers "
        "{numbers} (program: solve(Eq(..., ...), x)[0])",
    ),
    (
        r"complex|imaginary|conjugate",
        "the two complex roots, as a listed set, of a quadratic equation in x with the numbers {numbers} that has no "
        "real root (program: FiniteSet(*solve(..., x)))",
        "a quotient of two complex numbers with the numbers {numbers}, as a sum of a real and an imaginary part "
        "(program: expand(simplify((... + ...*I)/(... + ...*I))))",
    ),
    (
        r"quadratic|completing the square|parabola|vertex|discriminant",
        "the least value, as a formula in a, of a quadratic formula in x with the letter a and the numbers {numbers} "
        "(program: f = ..., expand(f.subs(x, solve(diff(f, x), x)[0])))",
        "the two roots, as a listed set of expressions with a square root, of a quadratic equation in x with the "
        "numbers {numbers} (program: FiniteSet(*solve(..., x)))",
    ),
    (
        r"polynomial",
        "the remainder, as a formula in x, of a polynomial of degree four with the numbers {numbers} on division by a "
        "quadratic one (program: rem(..., ..., x))",
    ),
    (
        r"coefficient|expansion",
        "the coefficient of x^3, as a formula in a, in a power of a sum of a*x and a number, with the numbers "
        "{numbers} (program: expand(...).coeff(x, 3))",
    ),
    (
        r"vectors?\b|dot product|cross product",
        "the cross product of two vectors with three entries, one of which is the letter a, with the numbers {numbers} "
        "(program: Matrix([..., ..., ...]).cross(Matrix([..., ..., ...])))",
        "the cosine of the angle between two vectors with the numbers {numbers}, as an expression with a square root "
        "(program: u = Matrix([...]), v = Matrix([...]), u.dot(v)/sqrt(u.dot(u)*v.dot(v)))",
    ),
    (
        r"circle|radius",
        "the two points, as a listed set of pairs, where a line meets a circle, with the numbers {numbers} (program: "
        "FiniteSet(*solve([..., ...], [x, y])))",
    ),
    (
        r"linear system|unknowns|simultaneous",
        "the value of x, as a formula in a, for which two linear equations in x and y with the letter a and the "
        "numbers {numbers} are both true (program: solve([..., ...], [x, y])[x])",
    ),
    (
        r"trigonometric|\bsin\b|\bcos\b|\bsine\b|\bcosine\b",
        "all x from 0 to 2*pi, as a listed set of multiples of pi, for which the square of a sine or of a cosine is a "
        "given fraction (program: solveset(Eq(..., ...), x, Interval(0, 2*pi)))",
    ),
)
MIN_MENTIONS = 3  # of a subject in a passage, to count as what it is about

_FORMULA = re.compile(r"[=^_+*/<>≤≥√∑∫]|\\[a-z]+|\d|\b[a-z]\b")


def directions(passage: str) -> tuple[str, ...]:
    """Angles for the two subjects that a passage speaks of most; none where it speaks of none of those we know."""
    counts = [len(re.findall(pattern, passage, re.IGNORECASE)) for pattern, *_ in _SUBJECTS]
    known = sorted((i for i, n in enumerate(counts) if n >= MIN_MENTIONS), key=lambda i: -counts[i])
    return tuple(angle for i in known[:2] for angle in _SUBJECTS[i][1:])


def density_of_formulas(paragraph: str) -> float:
    """Share of the characters that belong to formulas: prose about proofs or history holds nothing to compute."""
    if not paragraph:
        return 0.0
    return (len(_FORMULA.findall(paragraph)) / len(paragraph)) ** 2
