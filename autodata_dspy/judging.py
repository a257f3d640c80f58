"""What the judges share: text that is judged is data, and a judge that fails has not judged.

Whoever wrote the text may want to be judged well. So it is cleaned of everything that could be taken for the prompt's
own structure, cut to a fixed length, and fenced: every line of it begins with `| `, between two lines with a tag that
is a hash of the text itself.
"""

from __future__ import annotations

import hashlib
from typing import Any

import dspy
from dspy.utils.exceptions import AdapterParseError

from autodata_dspy.asking import ask, seed_for
from autodata_dspy.errors import ProviderError, VerifierError
from autodata_dspy.roles import Roles
from autodata_dspy.text import clean
from autodata_dspy.types import Verdict

ROLE = "judge"
MAX_CHARS = 6000  # of a judged text; a 1.5B model on 2 cores reads this in 20 s
READINGS = 2  # an output that cannot be read is asked for once more


def shortened(text: str, limit: int) -> str:
    """The head and the tail of a text that is longer than `limit` characters, with a note of what is left out."""
    if len(text) <= limit:
        return text
    head, tail = text[: limit * 3 // 4], text[-(limit // 4) :]
    return f"{head}\n[{len(text) - len(head) - len(tail)} characters left out]\n{tail}"


def fenced(text: str, what: str, limit: int = MAX_CHARS) -> str:
    """A judged text as it stands in a prompt; `what` is a word such as "answer"."""
    inside = shortened(clean(text), limit)
    tag = _tag(inside)
    while tag in inside:  # a writer who computed hashes until one fitted
        tag = _tag(f"{tag}{inside}")
    lines = "\n".join(f"| {line}" for line in inside.splitlines()) or "| (empty)"
    return f"BEGIN {what} {tag}\n{lines}\nEND {what} {tag}"


def _tag(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=4).hexdigest()


def one_line(text: str, limit: int = 1000) -> str:
    """A short text (a criterion) as one clean line."""
    return shortened(" ".join(clean(text).split()), limit).replace("\n", " ")


def ask_judge(
    roles: Roles, predict: dspy.Predict, seed: int, votes: int, max_tokens: int, **inputs: Any
) -> dspy.Prediction:
    """One vote of the judge. Deterministic decoding for a single vote, else a temperature that lets votes differ.

    Raises:
        VerifierError: no answer came (its cause is a ProviderError then), or none that could be read.
    """
    unreadable = ""
    for reading in range(READINGS):
        # Decoded greedily, what could not be read would come back word for word, whatever the seed.
        defaults = {"temperature": 0.0 if votes == 1 and reading == 0 else 0.7, "max_tokens": max_tokens}
        try:
            return ask(roles, predict, ROLE, seed_for(seed, reading) if reading else seed, defaults, **inputs)
        except ProviderError as error:
            raise VerifierError(f"the judge did not answer: {error}") from error
        except AdapterParseError as error:
            unreadable = " ".join((error.lm_response or "").split())[:200]
    raise VerifierError(f"the judge's output could not be read: {unreadable!r}")


def unjudged(error: VerifierError, verifier: str) -> Verdict:
    """What a judge that has not judged leaves: undecided, and marked as an `outage` where no answer came."""
    outage = {"outage": True} if isinstance(error.__cause__, ProviderError) else {}
    return Verdict.undecidable(str(error), verifier, **outage)


def vote_counts(said: list[bool | None]) -> tuple[int, int]:
    """(yes, cast) of votes of which some were lost.

    Raises:
        VerifierError: half of them or more were lost.
    """
    cast = [vote for vote in said if vote is not None]
    if 2 * len(cast) <= len(said):
        raise VerifierError(f"only {len(cast)} of {len(said)} votes of the judge could be read")
    return sum(cast), len(cast)
