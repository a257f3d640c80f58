"""Calls: the one path from a program into sympy. No text passes it, and only known keywords do."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import sympy
from sympy.core.function import UndefinedFunction

from autodata_dspy.symbolic.interpreter import limits
from autodata_dspy.symbolic.interpreter.limits import ProgramError
from autodata_dspy.symbolic.interpreter.values import Builtin, Module, Operation, Return, Routine, Scope, Text

_KEYWORDS = frozenset(
    "dict domain relational rational force dir x0 n evaluate deep full check simplify positive order set minimal "
    "noconds func x y ics generator multiple extension modulus key reverse start default repeat strict subs maxn "
    "cls wrt symmetric polys real complex integer rational natural negative nonnegative nonpositive nonzero zero "
    "irrational imaginary even odd prime composite finite infinite commutative extended_real noninteger "
    "left_open right_open trig exact quintics cubics quartics gens particular quick visual limit ratio inverse "
    "log basic mul multinomial power_base power_exp power trig numer denom frac modulus".split()
)


class Caller:
    """Applies functions of the tables and of the program."""

    def __init__(self) -> None:
        self.depth = 0
        self.run_body: Callable[[list[ast.stmt], Scope], None] | None = None  # set by statements.py

    def evaluate(self, node: ast.AST, scope: Scope) -> Any:
        """The value of an expression node (see evaluator.py)."""
        raise NotImplementedError

    def call(self, function: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        """Apply a value of the program; every path into sympy goes through here."""
        kwargs = kwargs or {}
        if isinstance(function, Routine):
            return self._call_routine(function, args, kwargs)
        for key in kwargs:
            if key not in _KEYWORDS:
                raise ProgramError(f"the keyword {key[:30]!r} is not available here; leave it out")
        if isinstance(function, Builtin):
            refuse_text(function.name, args, kwargs, frozenset())
            return limits.check_size(function.run(self.call, *args, **kwargs))
        if isinstance(function, Operation):
            refuse_text(function.name, args, kwargs, function.takes_text)
            positional, named = self._functions(function, args, kwargs)
            if function.guard:
                function.guard(*positional, **named)
            return limits.check_size(function.target(*positional, **named))
        if isinstance(function, (UndefinedFunction, sympy.Lambda, sympy.Poly)):
            refuse_text(str(function)[:30], args, kwargs, frozenset())
            return function(*args)
        raise ProgramError(f"{str(function)[:40]} is not a function; write * to multiply")

    def _functions(
        self, operation: Operation, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Arguments with the program's functions made callable where the operation takes them, else refused."""

        def convert(value: Any) -> Any:
            if isinstance(value, Operation) and operation.name in ("rewrite", "has"):
                return value.target
            if isinstance(value, Operation) and operation.name == "symbols":
                return value
            if isinstance(value, (Routine, Builtin, Operation)):
                if operation.takes_functions:
                    return lambda *inner: self.call(value, inner)
                raise ProgramError(f"{value.name} is a function; pass {value.name}(x), not {value.name}")
            if isinstance(value, Module):
                raise ProgramError(f"the module {value.name} is not a value")
            if isinstance(value, range):
                return list(value)
            return value

        return tuple(map(convert, args)), {k: convert(v) for k, v in kwargs.items()}

    def _call_routine(self, routine: Routine, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        given = dict(zip(routine.parameters, args, strict=False))
        missing = routine.parameters[len(args) :]
        for name, value in zip(routine.parameters[::-1], routine.defaults[::-1], strict=False):
            given.setdefault(name, value)
        for key, value in kwargs.items():
            if key not in missing:
                raise ProgramError(f"{routine.name}() has no free parameter {key[:30]!r}")
            given[key] = value
        if len(args) > len(routine.parameters) or len(given) < len(routine.parameters):
            raise ProgramError(f"{routine.name}() takes {len(routine.parameters)} arguments, not {len(args)}")
        if self.depth >= limits.MAX_DEPTH:
            raise ProgramError(f"functions call each other more than {limits.MAX_DEPTH} deep; use a loop")
        self.depth += 1
        try:
            scope = Scope(given, routine.scope)
            if not isinstance(routine.body, list):
                return self.evaluate(routine.body, scope)
            if self.run_body is not None:
                self.run_body(routine.body, scope)
            return None
        except Return as signal:
            return signal.value
        finally:
            self.depth -= 1


def refuse_text(name: str, args: tuple[Any, ...], kwargs: dict[str, Any], allowed: frozenset[int | str]) -> None:
    """Keep every text away from sympy, however deep it sits in the arguments."""

    def walk(value: Any, depth: int = 0) -> None:
        if isinstance(value, (Text, str)):
            text = value.value if isinstance(value, Text) else value
            raise ProgramError(f"{name}() does not take the text {text[:30]!r}; write it without quotes")
        if depth > 20:
            raise ProgramError(f"an argument of {name}() is nested too deeply")
        if isinstance(value, (list, tuple, set, frozenset)):
            for part in value:
                walk(part, depth + 1)
        elif isinstance(value, dict):
            for key, part in value.items():
                walk(key, depth + 1)
                walk(part, depth + 1)

    for position, value in [*enumerate(args), *kwargs.items()]:
        if position not in allowed:
            walk(value)
