"""What scores is frozen; its hash says whether it still is."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

import dspy

from autodata_dspy.types import to_dict


def examiner_digest(maker: Any, metric: Any) -> str:
    """Hash of all that scores: solvers, judges, checks, acceptance rule, their models, the metric."""
    own = {id(predictor) for _, predictor in maker.named_predictors()}
    frozen = {
        name: [list(p.signature.fields), p.signature.instructions, to_dict([dict(d) for d in p.demos])]
        for name, p in maker.named_sub_modules(dspy.Predict)
        if id(p) not in own
    }
    domain, roles = getattr(maker, "domain", None), getattr(maker, "roles", None)
    models = roles.to_dict() if roles is not None else {}
    models.pop("reflection", None)
    checks = [(type(c).__qualname__, _simple(c)) for c in getattr(maker, "checks", ())]
    kind = f"{getattr(metric, '__module__', '')}.{getattr(metric, '__qualname__', type(metric).__qualname__)}"
    about = metric.about() if hasattr(metric, "about") else {}
    facts = [frozen, getattr(domain, "name", ""), repr(getattr(maker, "acceptance", None)), models, checks]
    text = json.dumps([*facts, kind, about or _simple(metric)], sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _simple(thing: Any) -> dict[str, str]:
    if dataclasses.is_dataclass(thing) or hasattr(thing, "__dict__"):
        kinds = (bool, int, float, str, type(None), tuple)
        return {
            k: repr(v) for k, v in sorted(vars(thing).items()) if isinstance(v, kinds) and not k.startswith(("_", "n_"))
        }
    return {}
