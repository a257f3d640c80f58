"""Prompts with all that a reward function needs, for TRL's GRPOTrainer, and that function."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from autodata_dspy.exporters._writing import write_by_ending
from autodata_dspy.exporters.base import MESSAGES, Example, Exporter, Row
from autodata_dspy.types import Challenge

REWARD = "autodata_dspy.exporters.grpo:reward"


def row(example: Example) -> Row | None:
    """`prompt`, and what `reward` reads; None without anything that an answer could be compared with."""
    challenge, domain = example.round.challenge or Challenge("", ""), example.domain
    found: Any = domain.reference(challenge) if domain else challenge.answer
    # A judge takes its rubric from the challenge; as text it is read back from the column.
    reference = found if isinstance(found, str) else example.row["rubric"]
    if not reference.strip():
        return None
    tests = reference if reference == challenge.program else ""
    verifier = _verifier_name(domain.name) if domain else ""
    return {
        "prompt": example.asked(),
        "reference": reference,
        "tests": tests,
        "verifier": verifier,
        "reward": REWARD if verifier else "",
    }


def reward(
    completions: Sequence[Any], domain: Sequence[str], reference: Sequence[str], question: Sequence[str], **_: Any
) -> list[float | None]:
    """Score completions with the verifier of the domain, as runs score their solvers.

    >>> GRPOTrainer(reward_funcs=reward, train_dataset=rows, …)

    Args:
        completions: texts, or conversations (their last message counts).
        domain, reference, question: columns of the data set, an entry for each completion.

    Returns:
        Scores in [0, 1]; None where nothing could be decided, which TRL leaves out. An empty completion scores 0.

    Raises:
        ConfigError: a domain that is not installed.
        StopRun: the domain's verifier needs a judge and there is no model to ask; it uses `dspy.configure(lm=…)`, then
            the embedded model.
    """
    rows = zip(completions, domain, reference, question, strict=True)
    return [_score(_text(completion), *rest) for completion, *rest in rows]


def _text(completion: Any) -> str:
    return completion if isinstance(completion, str) else str(completion[-1]["content"]) if completion else ""


def _score(text: str, domain: str, reference: str, question: str) -> float | None:
    if not text.strip():
        return 0.0
    score = _metric(domain)({"answer": reference, "question": question}, {"answer": text})
    return None if score.undecided else score.score


@functools.cache
def _metric(domain: str) -> Any:
    """One for each domain: a verifier may hold worker processes, and what it decided is remembered."""
    from autodata_dspy import registry
    from autodata_dspy.metrics.verified import as_metric
    from autodata_dspy.roles import Roles

    return as_metric(registry.load("domains", domain).answer_verifier(Roles()))


@functools.cache
def _verifier_name(domain: str) -> str:
    from autodata_dspy import registry
    from autodata_dspy.errors import ConfigError
    from autodata_dspy.roles import Roles

    try:
        return registry.load("domains", domain).answer_verifier(Roles()).name
    except ConfigError:
        return ""


PLUGIN = Exporter(
    name="grpo",
    summary="prompts for TRL's GRPOTrainer, with reference, tests, rubric and a reward function",
    write=write_by_ending,
    extra={"prompt": MESSAGES, "reference": "string", "tests": "string", "verifier": "string", "reward": "string"},
    row=row,
    about="One prompt for each example. `reference` is what the verifier named in `verifier` compares an answer with "
    "(the answer, the tests, or the rubric), `tests` are the tests of a function that is to be written. `reward` names "
    "the function that scores completions with the verifier of the domain, as solvers of a run are scored: give "
    "`from autodata_dspy.exporters.grpo import reward` to the trainer's `reward_funcs`. It needs the columns `domain`, "
    "`reference` and `question`; what cannot be decided has no reward.",
    skipped="have nothing that an answer could be compared with",
    load="import datasets, autodata_dspy.exporters as ex\n"
    'rows = datasets.load_dataset("{kind}", data_files={pattern}, {split}, features=ex.features("grpo"))',
    needs_domain=True,
)
