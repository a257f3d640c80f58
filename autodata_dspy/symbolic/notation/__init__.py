"""Mathematical notation: LaTeX, plain text and sympy syntax to objects."""
