"""Scripted models for every domain of the package: a challenger that can be improved, and those who judge it.

A good draft holds the word TAUGHT somewhere, passes all checks of its domain on any document, and is accepted. A poor one
is of the demanded form and rejected. Every answer depends on its request alone, so that threads and replays agree.
"""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import scripted
from judge_scripts import gullible

from autodata_dspy import registry
from autodata_dspy.acceptance import AcceptanceRule, ExactCounts
from autodata_dspy.domains.base import Domain

TAUGHT = "kingfisher"  # stands in no document and no prompt
POOR = "weary words"
Fields = dict[str, Any]


@dataclass(frozen=True)
class Lines:
    """What is said in one domain.

    Attributes:
        draft: (a number, inputs of the challenger) → its fields of a good example; numbers give different ones.
        strong: question → the strong solver's fields, right ones.
        weak: the weak solver's fields, as its domain wants them.
    """

    draft: Callable[[int, dict[str, str]], Fields]
    strong: Callable[[str], Fields]
    weak: Fields


def _matrix(n: int) -> str:
    return f"[[2, {5 + n % 89}], [1, {97 + n // 89 % 89}]]"  # determinant above 100


def _problem(n: int, given: dict[str, str]) -> Fields:
    call = "inverse" if n % 2 else "Matrix"  # the first does not exist, and the program is written anew
    return {
        "idea": f"{TAUGHT}: the inverse of {_matrix(n)}",
        "program": f"answer = {call}({_matrix(n)}).inv()",
        "question": f"Find the inverse of the matrix {_matrix(n)}.",
    }


def _program(question: str) -> Fields:
    found = re.search(r"\[\[.*\]\]", question)
    return {"plan": "invert it", "program": f"answer = Matrix({found[0]}).inv()" if found else POOR}


def _body(free: int) -> str:
    return f"    if minutes <= {free}:\n        return 0\n    return 2 * ((minutes + 59) // 60)"


def _function(n: int, given: dict[str, str]) -> Fields:
    free = 20 + n % 40
    words = (
        f"Fish that {TAUGHT} number {n} catches: none up to {free} minutes, then {n} counts as 2 for each hour begun."
    )
    calls = [f"caught({minutes})" for minutes in (free, 61, 120 + n)]
    return {"function": f'def caught(minutes: int) -> int:\n    """{words}"""\n{_body(free)}', "calls": calls}


def _coded(question: str) -> Fields:
    found = re.search(r"up to (\d+) minutes", question)
    return {"reasoning": "round up", "code": f"def caught(minutes):\n{_body(int(found[1]) if found else 0)}"}


def _research(n: int, given: dict[str, str]) -> Fields:
    told = " ".join(line[2:] for line in given["passage"].splitlines() if line.startswith("| "))
    return {
        "quote": next((s for s in re.split(r"(?<=\.) ", told) if len(s.split()) >= 8), told),
        "kind": "what if",
        "skills": "causal reasoning, counterfactual reasoning",
        "context": f"The service {TAUGHT} guards {n} counters with a spinlock for 0.2 microseconds each. It moves from "
        "16 cores to a single core, and its requests begin to stall.",
        "question": "Why does the short holding time no longer make spinning the better choice?",
        "answer": "The waiter occupies the only core, so that the thread which owns the lock makes no progress until "
        f"the operating system takes the core away after a whole time slice (case {n}).",
        "rubric": "[+9] says that the «holder» makes no progress\n[+7] says that the wait ends when the «scheduler» "
        "acts\n[+4] compares the wait with the cost of a «switch»\n[-9] claims that the critical section takes «longer»",
    }


def _case(n: int, given: dict[str, str]) -> Fields:
    return {
        "question": f"I paid the {TAUGHT} yard {n} crowns twelve days ago. They say my boat stays because of another "
        "client's bill. I was told a yard has nine days and then pays five crowns a day. What can I ask for?",
        "answer": f"The return is due now, and you have fifteen crowns to claim. Write to them with receipt {n}.",
        "rubric": "[+10] States that «return» is due now\n[+6] Computes «fifteen» crowns for the delay\n[+4] Advises a "
        "«letter» first\n[+2] Mentions the receipt as «proof»\n[-5] Claims that the yard may «keep» the boat",
    }


READING = {
    "suitable": "yes",
    "why": "rules with a charge",
    "doc_type": "statute",
    "topics": "boats",
    "issues": "when a yard may keep a boat",
    "facts": "yards and owners",
    "holdings": "boat back within nine days",
}


def _label(n: int, given: dict[str, str]) -> Fields:
    label = given["angle"].partition(": ")[0]
    place, title = list(_domain("legal_labels").labels).index(label), f"{label}: " * (n % 2)  # which is taken off
    return {
        "text": f"{title}Line {place} of sheet {n} on the board at the {TAUGHT} pond binds whoever rents a boat there, and a "
        "copy of it hangs in the hut."
    }


def _sorted(question: str) -> Fields:
    place = re.search(r"Line (\d)", question)
    return {"label": list(_domain("legal_labels").labels)[int(place[1]) if place else 0]}


def _task(n: int, given: dict[str, str]) -> Fields:
    return {
        "instruction": f"Work out how many fish the {TAUGHT} catches on that day. Answer with a number alone.",
        "input": f"It catches {n % 97} of them in the morning and {n // 97 % 97} of them in the evening.",
        "answer": str(n % 97 + n // 97 % 97),
    }


def _sum(question: str) -> Fields:
    numbers = re.findall(r"(\d+) of them", question)
    return {"reasoning": "add", "answer": str(sum(map(int, numbers)))}


def _message(n: int, given: dict[str, str]) -> Fields:
    return {
        "facts": "A lost locker key costs 12 euros. The fee is paid back if the key is found within 30 days.",
        "message": f"This is silly, but I think that key {n} fell into the {TAUGHT} pond on Sunday. I was in the tram "
        "already when I noticed. What do I do now?",
        "standard": "[+2] says «sorry» about the Sunday\n[+2] names the «twelve» that are charged\n[+2] tells when the "
        "money comes «home»\n[-3] scolds for «carelessness»",
        "reply": f"Thank you for telling us about number {n}. Small things vanish near water every week, so please do "
        "not worry. We have to charge you for a new one, and you have your money again should it turn up in time.",
    }


LINES = {
    "math_objects": Lines(_problem, _program, {"answer": "y + 17"}),
    "code": Lines(
        _function,
        _coded,
        {"code": "def caught(minutes) return 1"},  # no Python, so that no sandbox has to start
    ),
    "cs_research": Lines(_research, lambda q: _said("holder scheduler switch"), {"answer": "rain"}),
    "legal": Lines(_case, lambda q: _said("return fifteen letter proof"), {"answer": "a letter"}),
    "legal_labels": Lines(_label, _sorted, {}),
    "instructions": Lines(_task, _sum, {"answer": "many"}),
    "support_tone": Lines(
        _message, lambda q: {"reasoning": "sad", "reply": "sorry, twelve, home"}, {"reply": "Pay the fee."}
    ),
}


def _said(text: str) -> Fields:
    return {"reasoning": "so", "answer": text}


def _domain(name: str) -> Domain:
    return registry.load("domains", name)


def poor(domain: Domain) -> Fields:
    """A draft of the demanded form that no domain accepts, nor learns anything from."""
    fields = {name: field.annotation for name, field in domain.write.output_fields.items()}
    lists = {name for name, kind in fields.items() if typing.get_origin(kind) is list}
    return {name: [POOR] if name in lists else (typing.get_args(kind) or (POOR,))[0] for name, kind in fields.items()}


def judge(call: scripted.Call) -> scripted.Answer:
    """By the key words of criteria and references; the last word is a yes."""
    if "packet" in call.inputs:
        told = dict.fromkeys(("weak_pattern", "strong_pattern", "gap", "rubric_concerns", "suggestion"), "none")
        return told | {"suitability": "high", "verdict": "accept"}
    if "reply_a" in call.inputs:
        return {"reason": "r", "better": "A" if "sorry" in call.inputs["reply_a"] else "B"}
    return gullible(call)


def roles(domain: Domain, write: Callable[[scripted.Call], scripted.Answer], **options: Any) -> Any:
    """Roles of a domain. `write` answers for the challenger; readings and repairs are answered here."""
    lines = LINES[domain.name]

    def review(call: scripted.Call) -> scripted.Answer:
        verdicts = typing.get_args(domain.review.output_fields["verdict"].annotation)
        unsound = next(v for v in verdicts if v != domain.sound)
        said = dict.fromkeys(domain.review.output_fields, "this")
        return said | {"verdict": unsound if POOR in call.inputs["question"] else domain.sound}

    def challenger(call: scripted.Call) -> scripted.Answer:
        if "remark" in call.inputs:
            return lines.strong(call.inputs["question"])
        return write(call) if "angle" in call.inputs else READING

    return scripted.scripted_roles(
        challenger=challenger,
        quality_verifier=review,
        weak_solver=lines.weak,
        strong_solver=lambda call: lines.strong(call.inputs["question"]),
        judge=judge,
        **options,
    )


def one_attempt(rule: AcceptanceRule) -> AcceptanceRule:
    """The rule with one attempt of each solver, which saves most of the calls of an accepted example."""
    counts = {"max_weak": 0, "min_strong": 1} if isinstance(rule, ExactCounts) else {}
    return dataclasses.replace(rule, n_weak=1, n_strong=1, **counts)  # type: ignore[type-var]
