"""Save and load a program (a generator with its prompts) as JSON. Nothing is pickled, nothing of a file is run."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from autodata_dspy.errors import ArtifactError

SCHEMA = 1
MAX_BYTES = 5_000_000


def save_program(maker: Any, path: str | Path) -> None:
    """Write the instructions and demonstrations of a generator's predictors; no model, key or endpoint.

    Of a demonstration the signature's fields are kept, not what optimizers note beside them (`augmented`, or the
    other columns of a training example). A file that was there is replaced in one step, or not at all.

    Raises:
        ArtifactError: the generator has a part that JSON cannot hold, or the file cannot be written.
    """
    predictors = {name: _state(predictor) for name, predictor in maker.named_predictors()}
    body = {"schema": SCHEMA, "generator": type(maker).__name__, "predictors": predictors}
    path = Path(path)
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes((json.dumps(body, indent=1, ensure_ascii=False) + "\n").encode())
        part.replace(path)
    except (TypeError, ValueError) as error:
        raise ArtifactError(f"the program cannot be saved: {error}") from error
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise ArtifactError(f"{path}: cannot be written: {error.strerror}") from error


def _state(predictor: Any) -> dict[str, Any]:
    fields = list(predictor.signature.fields)
    demos = [{field: demo[field] for field in fields if field in demo} for demo in predictor.demos]
    return {"fields": fields, "instructions": predictor.signature.instructions, "demos": demos}


def load_program(maker: Any, path: str | Path) -> Any:
    """Put the prompts of a program file into a generator of the same kind, and return the generator.

    Raises:
        ArtifactError: unreadable, too large, of a newer schema, or not fitting (names the part that differs).
    """
    body = _read(Path(path))
    expected = dict(maker.named_predictors())
    given = body["predictors"]
    if set(given) != set(expected):
        raise ArtifactError(f"{path}: has the predictors {sorted(given)}, the generator has {sorted(expected)}")
    for name, predictor in expected.items():
        fields, saved = list(predictor.signature.fields), given[name]
        if saved["fields"] != fields:
            raise ArtifactError(f"{path}: {name} has the fields {saved['fields']}, the generator has {fields}")
        if any(set(demo) - set(fields) for demo in saved["demos"]):
            raise ArtifactError(f"{path}: a demo of {name} has a field other than {fields}")
    for name, predictor in expected.items():  # only now, so that a refused file has changed nothing
        saved = given[name]
        predictor.signature = predictor.signature.with_instructions(saved["instructions"])
        predictor.demos = [dict(demo) for demo in saved["demos"]]
    return maker


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ArtifactError(f"{path}: too large for a program file (limit {MAX_BYTES // 1_000_000} MB)")
        body = json.loads(path.read_text("utf-8"))
        if not isinstance(body, dict) or set(body) != {"schema", "generator", "predictors"}:
            raise ArtifactError(f"{path}: not a program file (expected schema, generator, predictors)")
        if body["schema"] != SCHEMA:
            raise ArtifactError(f"{path}: schema {body['schema']!r}, this version reads {SCHEMA}")
        for name, part in body["predictors"].items():
            if not _well_formed(part):
                raise ArtifactError(f"{path}: predictor {name!r} is not of the form fields, instructions, demos")
        return body
    except OSError as error:
        raise ArtifactError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, AttributeError, RecursionError) as error:
        raise ArtifactError(f"{path}: not a program file ({error})") from error


def _well_formed(part: Any) -> bool:
    return (
        isinstance(part, dict)
        and set(part) == {"fields", "instructions", "demos"}
        and isinstance(part["fields"], list)
        and isinstance(part["instructions"], str)
        and isinstance(part["demos"], list)
        and all(isinstance(demo, dict) for demo in part["demos"])
    )
