"""What scores is frozen; its hash says whether it still is."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from types import CodeType, FunctionType
from typing import Any

import dspy

from autodata_dspy.types import to_dict


def examiner_digest(maker: Any, metric: Any, gold: Mapping[str, Any] | None = None) -> str:
    """Hash of all that scores: solvers, judges, checks, acceptance rule, their models, the metric, its gold."""
    own = {id(predictor) for _, predictor in maker.named_predictors()}
    frozen = {
        name: [list(p.signature.fields), p.signature.instructions, to_dict([dict(d) for d in p.demos])]
        for name, p in maker.named_sub_modules(dspy.Predict)
        if id(p) not in own
    }
    domain, roles = getattr(maker, "domain", None), getattr(maker, "roles", None)
    models = roles.to_dict() if roles is not None else {}
    models.pop("reflection", None)
    checks = [(type(c).__qualname__, plain_facts(c)) for c in getattr(maker, "checks", ())]
    kind = f"{getattr(metric, '__module__', '')}.{getattr(metric, '__qualname__', type(metric).__qualname__)}"
    about = metric.about() if hasattr(metric, "about") else {}
    facts = [frozen, getattr(domain, "name", ""), repr(getattr(maker, "acceptance", None)), models, checks]
    facts += [kind, about or plain_facts(metric), *([dict(gold)] if gold else [])]
    text = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def plain_facts(thing: Any) -> Any:
    """What plain data says of a thing: of an object its public settings, of a function its code and what it closes
    over. The same in every process; what is neither plain nor a function is left out."""
    if isinstance(thing, functools.partial):
        return [plain_facts(thing.func), _fact(thing.args), _fact(tuple(sorted(thing.keywords.items())))]
    if isinstance(thing, FunctionType):
        return [_code(thing.__code__), _fact(thing.__defaults__), *map(_content, thing.__closure__ or ())]
    own = {k: _fact(v) for k, v in sorted(getattr(thing, "__dict__", {}).items()) if not k.startswith(("_", "n_"))}
    return {name: fact for name, fact in own.items() if fact}


def _fact(value: Any) -> Any:
    """Plain data as text, a function as its code; "" for anything else."""
    if isinstance(value, (bool, int, float, complex, str, bytes, type(None))):
        return repr(value)
    if isinstance(value, tuple):
        return [_fact(v) for v in value] or "()"
    if isinstance(value, frozenset):  # in an order that the process does not choose
        return sorted(repr(_fact(v)) for v in value) or "{}"
    return _code(value.__code__) if isinstance(value, FunctionType) else ""


def _content(cell: Any) -> Any:
    try:
        return _fact(cell.cell_contents)
    except ValueError:  # nothing is in it yet
        return ""


def _code(code: CodeType) -> list[Any]:
    constants = [_code(c) if isinstance(c, CodeType) else _fact(c) for c in code.co_consts]
    return [code.co_code.hex(), code.co_names, constants]
