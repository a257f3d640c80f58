"""What a name of a program can stand for, besides sympy objects and plain containers."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Text:
    """A string literal of a program. Deliberately not a `str`: sympy would evaluate one."""

    value: str


@dataclass(frozen=True, slots=True)
class Operation:
    """A callable name.

    Attributes:
        name: as the program writes it.
        target: what is called.
        guard: raises ProgramError for arguments that would explode; called before `target`.
        takes_text: positions (or keyword names) at which a Text is passed on to `target`.
        takes_functions: the program's own functions may be arguments (Matrix(2, 2, f), map, sorted).
        members: attributes of the name itself, e.g. Interval.open.
    """

    name: str
    target: Callable[..., Any]
    guard: Callable[..., None] | None = None
    takes_text: frozenset[int | str] = frozenset()
    takes_functions: bool = False
    members: tuple[tuple[str, Any], ...] = ()


Call = Callable[[Any, tuple[Any, ...]], Any]


@dataclass(frozen=True, slots=True)
class Builtin:
    """A built-in by name; `run` takes the interpreter's `call` before the program's arguments."""

    name: str
    run: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Module:
    """An imported module's name: its members are those of our table, whatever the real one offers."""

    name: str


@dataclass(slots=True)
class Scope:
    """Names bound by the program; a function body sees its definition's scope behind its own."""

    names: dict[str, Any] = field(default_factory=dict)
    outer: Scope | None = None

    def find(self, name: str) -> Scope | None:
        scope: Scope | None = self
        while scope is not None and name not in scope.names:
            scope = scope.outer
        return scope


@dataclass(frozen=True, slots=True)
class Routine:
    """A function the program defined; `body` is an expression (lambda) or a list of statements (def)."""

    name: str
    parameters: tuple[str, ...]
    defaults: tuple[Any, ...]
    body: ast.expr | list[ast.stmt]
    scope: Scope


class Return(Exception):
    """Carries a function's result out of its nested statements."""

    def __init__(self, value: Any):
        super().__init__()
        self.value = value
