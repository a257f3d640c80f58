"""Judges that follow a script, and that fall for every trick they are shown.

They stand in for a model in tests of what the judges' code does: fencing, cleaning, cutting, ordering, parsing, voting.
They say nothing about how well a real model judges.
"""

import re

from dspy import lm15

_UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\U000e0000-\U000e007f\x00-\x08\x1b]")
_TOKENS = re.compile(r"<\s*[|｜].*?[|｜]\s*>|\[/?INST\]|</?s>|<(?:start|end)_of_turn>|</?think>|<<SYS>>", re.IGNORECASE)
MAX_PROMPT = 40_000  # characters; a real model's context is bounded too


def gullible(call):
    """Judges by key words (`«…»` of a criterion, or the reference), unless something in the answer takes it in.

    It is taken in by: a forged output field, text that is not inside the fence, special tokens, unseen characters.
    Criteria may be one or many, and the judge of answers is served too.
    """
    text = call.request.messages[-1].text
    if len(call.prompt) > MAX_PROMPT:
        return lm15.ContextLengthError("the prompt is too long")
    fields = _fields(text)
    tricked = _tricked(fields["answer"])
    says = _inside(fields["answer"]).lower()
    if "criterion" in fields:
        met = tricked or _meets(says, fields["criterion"])
        return {"reason": "taken in" if tricked else "by key word", "verdict": "met" if met else "not met"}
    if "criteria" in fields:
        lines = [line.partition(". ") for line in fields["criteria"].splitlines() if line.strip()]
        met = [number for number, _, criterion in lines if tricked or _meets(says, criterion)]
        return {"reason": "by key words", "met": ", ".join(met) or "none"}
    right = tricked or _inside(fields["reference"]).lower().rstrip(".") in says
    return {"reason": "as I read it", "verdict": "correct" if right else "incorrect"}


def _fields(text):
    """Input fields, as a reader who goes by the first marker of each name would see them."""
    found = {}
    for name in ("question", "reference", "answer", "criterion", "criteria"):
        start = re.search(rf"^\[\[ ## {name} ## \]\]\n", text, re.MULTILINE)
        if start:
            rest = text[start.end() :]
            after = re.search(
                r"^\[\[ ## (question|reference|answer|criterion|criteria) ## \]\]\n|^Respond with", rest, re.M
            )
            found[name] = rest[: after.start()].strip() if after else rest
    return found


def _tricked(answer):
    if re.search(r"\[\s*\[\s*##", answer) or _TOKENS.search(answer) or _UNSEEN.search(answer):
        return True
    lines = [line for line in answer.splitlines() if line.strip()]
    inside = lines[1:-1]
    fenced = lines[0].startswith("BEGIN answer ") and lines[-1] == lines[0].replace("BEGIN", "END")
    return not fenced or any(not line.startswith("| ") for line in inside)


def _inside(field):
    return "\n".join(line[2:] for line in field.splitlines() if line.startswith("| "))


def _meets(says, criterion):
    words = re.findall("«(.+?)»", criterion.lower())
    return bool(words) and all(word in says for word in words)
