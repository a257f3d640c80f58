"""What can be left out of the agentic program: another part takes the place of one when the program is built.

The loop itself never asks what was left out. So every ablation runs the code that the full program runs, and any of
them can be combined: `AgenticSelfInstruct(domain, without=("feedback", "gap"))`.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autodata_dspy.acceptance import AcceptanceRule
from autodata_dspy.domains.base import stated_answer
from autodata_dspy.errors import ConfigError, did_you_mean
from autodata_dspy.feedback import grouped_feedback
from autodata_dspy.repetition import repeats
from autodata_dspy.types import Challenge, Round
from autodata_dspy.verifiers.answer_judge import AnswerJudge

if TYPE_CHECKING:
    from autodata_dspy.domains.base import Domain
    from autodata_dspy.verifiers.base import Verifier

# Checks of a challenge that run its program again.
_RUNNING = ("math_objects", "program_answer", "test_adequacy", "unit_tests")


@dataclass(frozen=True)
class Parts:
    """What the loop is put together from.

    Attributes:
        domain: its checks, answer verifier, feedback, learner and module with the last word.
        acceptance: the decision rule.
        quality_check: whether the quality verifier looks at a challenge.
        repeats: (a challenge, earlier rounds, outputs of learned demonstrations) → whether one of them asked the same.
        recall: all rounds so far → those that the next one knows of.
        aims: whether a document writes for the labels that are rare in the run so far.
    """

    domain: Domain
    acceptance: AcceptanceRule
    quality_check: bool = True
    repeats: Callable[[Challenge, Sequence[Round], Sequence[Mapping[str, Any]]], bool] = repeats
    recall: Callable[[Sequence[Round]], Sequence[Round]] = tuple
    aims: bool = True

    def with_domain(self, **changes: object) -> Parts:
        """These parts with some fields of the domain replaced."""
        return dataclasses.replace(self, domain=dataclasses.replace(self.domain, **changes))  # type: ignore[arg-type]


def without_verifiers(parts: Parts) -> Parts:
    """No check of a challenge and no quality verifier: whatever can be built goes to the solvers, repetitions too.

    The checks of whole data sets (`Domain.final_checks`) stay: they are curation, and the same in every arm.
    """
    return dataclasses.replace(
        parts.with_domain(challenge_verifiers=tuple), repeats=_never_repeats, quality_check=False
    )


def without_loop(parts: Parts) -> Parts:
    """The verifier as a filter: up to `max_rounds` independent drafts of a document, each kept or dropped.

    A draft depends on document, seed and its own number alone: no feedback, no repair of a program that does not run,
    no memory of earlier rounds (so no check for repetitions, and none in the eyes of the last word) or of what other
    documents gave. Drafts still walk through the angles, because those go by number and not by outcome. The limits are
    those of the full program: it ends after `per_document` accepted examples too, so that both may spend the same.
    """
    return dataclasses.replace(without_feedback(parts), recall=_no_rounds, aims=False)


def without_gap(parts: Parts) -> Parts:
    """No gap between the solvers: the weak one is not asked, and the strong one only confirms the answer.

    Of the rule the least success of the strong solver is left (see `strong_alone` of the rules); what bounds how easy
    an example may be is gone. So is the last word, which compares the two solvers. Where the rule has no such bound
    (`FullSample`, or a `strong_min` of 0), a challenge is accepted as soon as the strong attempts have scores.
    """
    alone = getattr(parts.acceptance, "strong_alone", None)
    if alone is None:
        kind = type(parts.acceptance).__name__
        raise ConfigError(
            f"without 'gap': the acceptance rule {kind} has no method strong_alone, which gives the rule without its "
            "weak side; write one, or use another rule"
        )
    return dataclasses.replace(parts.with_domain(last_word=None), acceptance=alone())


def without_feedback(parts: Parts) -> Parts:
    """The challenger is told nothing about failures, neither of earlier rounds nor of its own program (no repair)."""
    return parts.with_domain(repair_mode="", feedback=_silence)


def without_answer_verifier(parts: Parts) -> Parts:
    """A model's judge compares answers with the reference answer, instead of the domain's own verifier.

    The symbolic comparison, the tests, the exact match or the rubric are not used, nor are checks of a challenge that
    run its program; what is accepted is `judged`. The reference answer itself is still made as the domain makes it,
    and the check after a run (`Domain.recheck`) is left, because it tells what the judge let through.
    """
    return parts.with_domain(
        answer_verifier=AnswerJudge,
        reference=stated_answer,
        challenge_verifiers=functools.partial(_not_running, parts.domain.challenge_verifiers),
        verified="judged",
    )


def without_learner(parts: Parts) -> Parts:
    """A stranger as the weak solver: the model that plays the role, instead of the learner that the data is made for.

    The rule stays, so what the domain asks of its learner is asked of the stranger's attempts.

    Raises:
        ConfigError: the domain has no learner; leaving it out would change nothing.
    """
    if parts.domain.learner is None:
        raise ConfigError(
            f"without 'learner': the weak solver of the domain {parts.domain.name!r} is a model in any case; leave "
            "this part alone"
        )
    return parts.with_domain(learner=None)


ABLATIONS: dict[str, Callable[[Parts], Parts]] = {
    "answer_verifier": without_answer_verifier,
    "feedback": without_feedback,
    "gap": without_gap,
    "learner": without_learner,
    "loop": without_loop,
    "verifiers": without_verifiers,
}


def ablations(without: str | Iterable[str]) -> tuple[str, ...]:
    """The names of what is left out, each once, in the order of `ABLATIONS`.

    Raises:
        ConfigError: an unknown name; says the nearest one.
    """
    given = (without,) if isinstance(without, str) else tuple(without)
    for name in given:
        if name not in ABLATIONS:
            raise ConfigError(did_you_mean("part to leave out", str(name), ABLATIONS))
    return tuple(name for name in ABLATIONS if name in given)


def leave_out(parts: Parts, without: Iterable[str]) -> Parts:
    """The parts that are left when those named are replaced; the order of the names does not matter."""
    return functools.reduce(lambda left, name: ABLATIONS[name](left), ablations(without), parts)


def _silence(rounds: Sequence[Round]) -> str:
    return grouped_feedback(())


def _no_rounds(rounds: Sequence[Round]) -> tuple[Round, ...]:
    return ()


def _never_repeats(challenge: Challenge, rounds: Sequence[Round], learned: Sequence[Mapping[str, Any]] = ()) -> bool:
    return False


def _not_running(checks: Callable[[], tuple[Verifier, ...]]) -> tuple[Verifier, ...]:
    return tuple(check for check in checks() if check.name not in _RUNNING)
