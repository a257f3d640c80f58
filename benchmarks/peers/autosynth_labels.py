"""A domain for autosynth: texts that carry one label of a task. Loaded by autosynth, in its own environment.

Its own domains know no labels. Comparing labels tells whether an attempt is right, so its "verifiable" rule decides.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from autosynth.domain import DomainAdapter, GroundingItem, bullet_list
from pydantic import BaseModel

_SAID = re.compile(r"LABEL:\s*(.+)", re.IGNORECASE)


class Labelled(BaseModel):
    text: str
    label: str


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


class Labels(DomainAdapter):
    """`items`: a JSON file of {id, text, label}; `labels`: label → definition; `kind`: what a text is."""

    name = "labels"
    description = "Texts with one label each."
    default_acceptance_mode = "verifiable"

    def __init__(self, items: str, labels: dict[str, str], kind: str, **params: Any):
        super().__init__(items=items, labels=labels, kind=kind, **params)
        self.items, self.labels, self.kind = items, labels, kind

    def load_grounding(self) -> Iterable[GroundingItem]:
        for item in json.loads(Path(self.items).read_text("utf-8")):
            yield GroundingItem(f"{item['id']}|{item['label']}", item["text"], {"label": item["label"]})

    def _task(self) -> str:
        listed = bullet_list([f"{label}: {meaning}" for label, meaning in self.labels.items()])
        return f"Each text is {self.kind}. Its labels:\n{listed}"

    def generation_prompt(self, item, feedback, round_n, prior_payloads):
        label = item.metadata["label"]
        system = (
            f"ROLE:CHALLENGER. You write texts for a classifier. {self._task()}\n"
            "Write one to three sentences that a careful reader sorts under the label you are given, and a hasty one "
            "may not. Do not name the label. Return JSON: payload {text, label}, reference_output (the label), rubric "
            "(one criterion: {id, description, weight})."
        )
        user = (
            f"LABEL: {label}\nPASSAGE, for its subject and style:\n---\n{item.body}\n---\n"
            f"What was wrong before:\n{bullet_list(feedback)}\n"
            f"Texts that were tried, not to be repeated:\n{bullet_list(prior_payloads, key='text')}"
        )
        return [{"role": "system", "content": system}, {"role": "user", "content": user}]

    def payload_model(self) -> type[BaseModel]:
        return Labelled

    def validate_candidate(self, candidate) -> list[str]:
        payload = candidate.payload
        known = {_plain(label): label for label in self.labels}
        wrong = []
        if len(str(payload.get("text") or "").split()) < 5:
            wrong.append("payload.text has fewer than five words")
        if known.get(_plain(str(payload.get("label") or ""))) != candidate.metadata.get("source", {}).get("label"):
            wrong.append("payload.label is not the label that was asked for")
        return wrong

    def solver_prompt(self, candidate):
        system = f"ROLE:SOLVER. {self._task()}\nSay which label fits the text, on a line that begins with LABEL:"
        return [{"role": "system", "content": system}, {"role": "user", "content": candidate.payload["text"]}]

    def verify(self, candidate, solver_response: str) -> bool | None:
        said = _SAID.findall(solver_response)
        return _plain(said[-1]) == _plain(candidate.payload["label"]) if said else None

    def quality_prompt(self, candidate):
        system = (
            f"ROLE:QUALITY. {self._task()}\nIs the text whole, such a text, and does it not name its label? "
            "Return JSON: {passed: bool, failures: [strings], notes: string}."
        )
        return [{"role": "system", "content": system}, {"role": "user", "content": json.dumps(candidate.payload)}]

    def judge_prompt(self, candidate, solver_response: str):
        system = (
            "ROLE:JUDGE. Is the label that the answer names the one that is expected? Return JSON: "
            "{per_criterion: {id: number from 0 to 1}, total: number from 0 to 1, failure_modes: [strings]}."
        )
        user = f"EXPECTED: {candidate.payload['label']}\nANSWER: {solver_response}"
        return [{"role": "system", "content": system}, {"role": "user", "content": user}]
