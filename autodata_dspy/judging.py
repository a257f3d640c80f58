"""What the judges share: text that is judged is data, and a judge that fails has not judged.

Whoever wrote the text may want to be judged well. So it is cleaned of everything that could be taken for the prompt's
own structure, cut to a fixed length, and fenced: every line of it begins with `| `, between two lines with a tag that
is a hash of the text itself.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

import dspy
from dspy.utils.exceptions import AdapterParseError

from autodata_dspy.asking import ask, seed_for
from autodata_dspy.errors import ProviderError, VerifierError
from autodata_dspy.roles import Roles

ROLE = "judge"
MAX_CHARS = 6000  # of a judged text; a 1.5B model on 2 cores reads this in 20 s
READINGS = 2  # an output that cannot be read is asked for once more

_BREAKS = re.compile("\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
# Controls, formats (zero width, direction, tags), surrogates, private use, variation selectors: nothing a reader sees.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb\ud800-\udfff\ue000-\uf8ff\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)
_FIELD = re.compile(r"[\[［]\s*[\[［](\s*[#＃])|([#＃]\s*)[\]］]\s*[\]］]")  # DSPy's [[ ## name ## ]]
_SPECIAL = re.compile(r"<\s*[|｜]([^<>\n]{0,60}?)[|｜]\s*>")  # <|im_end|> and its like
_TURN = re.compile(
    r"<(/?\s*(?:s|bos|eos|think|start_of_turn|end_of_turn|system|user|assistant))>|\[(/?INST)\]|<<(/?SYS)>>",
    re.IGNORECASE,
)


def clean(text: str) -> str:
    """`text` without unseen characters, field markers and the special tokens of chat templates; words stay."""
    text = _UNSEEN.sub("", _BREAKS.sub("\n", text))
    text = _FIELD.sub(lambda found: f"(( {found[1].strip()}" if found[1] else f"{found[2].strip()} ))", text)
    text = _SPECIAL.sub(r"(\1)", text).replace("<|", "(").replace("|>", ")")
    text = _TURN.sub(lambda found: f"({found[1] or found[2] or found[3]})", text)
    return re.sub(r"\n\s*\n\s*\n+", "\n\n", text).strip()


def shortened(text: str, limit: int) -> str:
    """The head and the tail of a text that is longer than `limit` characters, with a note of what is left out."""
    if len(text) <= limit:
        return text
    head, tail = text[: limit * 3 // 4], text[-(limit // 4) :]
    return f"{head}\n[{len(text) - len(head) - len(tail)} characters left out]\n{tail}"


def fenced(text: str, what: str, limit: int = MAX_CHARS) -> str:
    """A judged text as it stands in a prompt; `what` is a word such as "answer"."""
    inside = shortened(clean(text), limit)
    tag = hashlib.blake2b(inside.encode("utf-8", "replace"), digest_size=4).hexdigest()
    lines = "\n".join(f"| {line}" for line in inside.splitlines()) or "| (empty)"
    return f"BEGIN {what} {tag}\n{lines}\nEND {what} {tag}"


def one_line(text: str, limit: int = 1000) -> str:
    """A short text (a criterion) as one clean line."""
    return shortened(" ".join(clean(text).split()), limit).replace("\n", " ")


def ask_judge(
    roles: Roles, predict: dspy.Predict, seed: int, votes: int, max_tokens: int, **inputs: Any
) -> dspy.Prediction:
    """One vote of the judge. Deterministic decoding for a single vote, else a temperature that lets votes differ.

    Raises:
        VerifierError: no answer came, or none that could be read.
    """
    defaults = {"temperature": 0.0 if votes == 1 else 0.7, "max_tokens": max_tokens}
    unreadable = ""
    for reading in range(READINGS):
        try:
            return ask(roles, predict, ROLE, seed_for(seed, reading) if reading else seed, defaults, **inputs)
        except ProviderError as error:
            raise VerifierError(f"the judge did not answer: {error}") from error
        except AdapterParseError as error:
            unreadable = " ".join((error.lm_response or "").split())[:200]
    raise VerifierError(f"the judge's output could not be read: {unreadable!r}")


def vote_counts(said: list[bool | None]) -> tuple[int, int]:
    """(yes, cast) of votes of which some were lost.

    Raises:
        VerifierError: half of them or more were lost.
    """
    cast = [vote for vote in said if vote is not None]
    if 2 * len(cast) <= len(said):
        raise VerifierError(f"only {len(cast)} of {len(said)} votes of the judge could be read")
    return sum(cast), len(cast)
