"""A program as a file: one JSON object of plain data. What it may hold is all here, and nothing of it is ever run."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from autodata_dspy.errors import ArtifactError, did_you_mean

SCHEMA = 2
MAX_BYTES = 5_000_000
MAX_DEPTH = 16  # of lists and tables in each other; a program of ours needs 7

Finite = Annotated[float, Field(allow_inf_nan=False)]
Table = dict[str, JsonValue]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Prompt(_Strict):
    """What one predictor tells its model.

    Attributes:
        inputs, outputs: field → its description, in the signature's order. Names and order must fit the code;
            descriptions are the code's, and stand here for readers without it. Files of schema 1 do not tell outputs
            from inputs: there all fields are `inputs`.
        instructions: the instruction.
        demos: demonstrations, field → value; a demonstration may lack fields.
    """

    inputs: dict[str, str]
    outputs: dict[str, str]
    instructions: str
    demos: list[Table]

    @property
    def fields(self) -> list[str]:
        return [*self.inputs, *self.outputs]


class Options(_Strict):
    """Constructor options of the generator; None is the generator's own."""

    per_document: int | None = Field(default=None, ge=1)
    max_rounds: int | None = Field(default=None, ge=1)
    quality_check: bool = True
    without: list[str] = []

    def given(self) -> dict[str, Any]:
        """Those that are not the generator's own."""
        return {name: v for name, v in self.model_dump(exclude_defaults=True).items() if v is not None and v != []}


class RoleUsed(_Strict):
    """The model that played a role, and its sampling parameters; no keys, no endpoints."""

    model: str
    parameters: Table = {}


class Measured(_Strict):
    """A score with its interval, and on how many documents or items it was measured."""

    value: Finite
    low: Finite | None = None
    high: Finite | None = None
    n: int | None = Field(default=None, ge=0)


class Candidate(_Strict):
    """One candidate of a compilation: where it came from, its score, and its instruction by predictor."""

    parents: list[int] = []
    score: Finite | None = None
    instructions: dict[str, str] = {}
    note: str = ""


class Card(_Strict):
    """How a program was made; all of it is optional.

    Attributes:
        optimizer, arguments, seed, metric: what it was compiled with.
        hashes: of what must not change for the scores to mean something: "verifiers", "metric", "documents", "probe".
        scores: what was measured → the score, such as "test acceptance, compiled".
        verdict: one sentence.
        spend: calls, tokens, seconds, money.
        lineage: every candidate, in the order of their making; `parents` are positions in this list.
        versions: package → version.
    """

    optimizer: str = ""
    arguments: Table = {}
    seed: int | None = None
    metric: str = ""
    hashes: dict[str, str] = {}
    scores: dict[str, Measured] = {}
    verdict: str = ""
    spend: dict[str, Finite | int] = {}
    lineage: list[Candidate] = []
    versions: dict[str, str] = {}


class Program(_Strict):
    """The content of a program file.

    Attributes:
        generator: its plugin's name, or the name of the class of a module that is no plugin.
        domain: the domain's name; "" where the module has none.
        task: the classification task of the domain, where it is not the domain's own.
        paper_form: the domain is in the form of its paper.
        predictors: name of a predictor that can change → its prompt.
        adapter: DSPy adapter that was configured; "" is the choice of the code.
        roles: role → model.
        card: how it was made.
    """

    generator: str
    domain: str = ""
    task: Table | None = None
    paper_form: bool = False
    options: Options = Options()
    predictors: dict[str, Prompt]
    adapter: str = ""
    roles: dict[str, RoleUsed] = {}
    card: Card = Card()


def read_program(path: str | Path) -> Program:
    """The program of a file.

    Raises:
        ArtifactError: unreadable, too large, too deep, no JSON, of a newer schema, or not of the form; one line.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ArtifactError(f"{path}: too large for a program file (limit {MAX_BYTES // 1_000_000} MB)")
        body = json.loads(content.decode("utf-8"), object_pairs_hook=_table, parse_constant=_no_number)
        _check_plain(body)
    except OSError as error:
        raise ArtifactError(f"{path}: cannot be read: {error.strerror}") from error
    except RecursionError:
        raise ArtifactError(f"{path}: not a program file (nested too deeply)") from None
    except ValueError as error:
        raise ArtifactError(f"{path}: not a program file ({error})") from None
    try:
        return _program(body)
    except ArtifactError as error:
        raise ArtifactError(f"{path}: {error}") from None


def write_program(program: Program, path: str | Path) -> None:
    """Replace the file in one step, or leave what was there.

    Raises:
        ArtifactError: it holds what JSON cannot (half a letter), is too large, or the file cannot be written.
    """
    body = {"schema": SCHEMA, **program.model_dump(exclude_defaults=True)}
    try:
        content = (json.dumps(body, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
        _check_plain(body)
    except (TypeError, ValueError) as error:
        raise ArtifactError(f"the program cannot be saved: {error}") from error
    if len(content) > MAX_BYTES:
        raise ArtifactError(f"the program cannot be saved: it is larger than {MAX_BYTES // 1_000_000} MB")
    write_whole(Path(path), content)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all, and the folders above it. Raises ArtifactError."""
    part = path.with_name(path.name + ".part")
    try:
        with contextlib.suppress(FileExistsError):  # a file where a folder should be is told of when it is written to
            path.parent.mkdir(parents=True)
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise ArtifactError(f"{path}: cannot be written: {error.strerror}") from error


def checked(model: type[BaseModel], data: Any) -> Any:
    """`data` as a part of a program.

    Raises:
        ArtifactError: one line for the first thing that does not fit; names where it is.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = repr(".".join(str(part) for part in first["loc"]))[1:-1][:100]
        if first["type"] == "extra_forbidden":
            raise ArtifactError(f"unknown key '{where}'; a newer version may know it") from None
        if first["type"] == "missing":
            raise ArtifactError(f"not a program file (the key '{where}' is missing)") from None
        raise ArtifactError(f"{where}: {first['msg']}, not {repr(first['input'])[:60]}") from None


def _program(body: Any) -> Program:
    if not isinstance(body, dict):
        raise ArtifactError("not a program file (expected a table)")
    schema = body.pop("schema", None)
    if type(schema) is not int or schema < 1:
        raise ArtifactError("not a program file (the key 'schema' is missing or no number)")
    if schema > SCHEMA:
        raise ArtifactError(f"schema {schema}, this version reads up to {SCHEMA}; install a newer autodata-dspy")
    return checked(Program, _from_first(body) if schema == 1 else body)


def _from_first(body: dict[str, Any]) -> dict[str, Any]:
    """What schema 1 had, in the words of schema 2."""
    if unknown := body.keys() - {"generator", "predictors"}:
        raise ArtifactError(did_you_mean("key", min(unknown), ["schema", "generator", "predictors"]))
    predictors = body.get("predictors")
    for name, part in predictors.items() if isinstance(predictors, dict) else ():
        fields = part.pop("fields", None) if isinstance(part, dict) else None
        if not isinstance(fields, list) or not all(isinstance(field, str) for field in fields):
            raise ArtifactError(f"predictors.{name!r}: not of the form fields, instructions, demos")
        part |= {"inputs": dict.fromkeys(fields, ""), "outputs": {}}
    return body


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):  # readers would not agree which of them counts
        raise ValueError("a key stands twice in one table")
    return table


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _check_plain(body: Any) -> None:
    """Raises ValueError for what is nested too deeply, or no text or number that every reader understands."""
    for depth, value in _values(body):
        if depth > MAX_DEPTH:
            raise ValueError("nested too deeply")
        if isinstance(value, str):
            value.encode()
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError("a number is too large")


def _values(body: Any) -> Iterator[tuple[int, Any]]:
    """Every value and key, with how deep it lies."""
    waiting = [(0, body)]
    while waiting:
        depth, value = waiting.pop()
        yield depth, value
        if isinstance(value, dict):
            waiting += [(depth + 1, part) for pair in value.items() for part in pair]
        elif isinstance(value, (list, tuple)):
            waiting += [(depth + 1, part) for part in value]
