"""Agentic Self-Instruct (arXiv 2606.25996): write, check, attempt weakly, attempt strongly, decide, feed back."""

from __future__ import annotations

import difflib
import time
from typing import TYPE_CHECKING

import dspy

from autodata_dspy.acceptance import AcceptanceRule, agreement, majority
from autodata_dspy.errors import ConfigError, ProviderError, StopRun
from autodata_dspy.events import round_finished
from autodata_dspy.feedback import grouped_feedback
from autodata_dspy.modules import Challenger, QualityVerifier, Solver
from autodata_dspy.modules.base import RoleModule
from autodata_dspy.roles import Roles
from autodata_dspy.types import Challenge, Decision, Document, Reason, Rollout, Round, Trajectory, Verdict

if TYPE_CHECKING:
    from autodata_dspy.domains.base import Domain

MAX_OUTAGES = 3  # rounds in a row without an answer from a model, then the document is given up
SAME_QUESTION = 0.6  # similarity from which two questions with one answer are the same problem


class AgenticSelfInstruct(RoleModule):
    """document → `trajectory` and `accepted` (its accepted rounds).

    Each round: the challenger writes; free and cheap checks, then the quality verifier, screen; the weak
    solver attempts until its outcome is certain; only if it struggles, the strong one does; the acceptance rule
    decides; what failed, and why, goes into the next round, which starts from another angle.

    Args:
        domain: a domain's name or a Domain.
        roles: who plays which role; by default `dspy.configure(lm=…)`, then the embedded models.
        acceptance: decision rule; by default the domain's.
        per_document: stop a document after this many accepted examples.
        max_rounds: stop a document after this many rounds; rounds lost to infrastructure do not count.
        curtail: stop sampling as soon as the outcome is certain; False always samples fully. The
            decisions are the same.
        quality_check: let the quality verifier look before solvers are paid.

    Raises:
        ConfigError: unknown domain, or a limit below 1.
    """

    def __init__(
        self,
        domain: str | Domain,
        roles: Roles | None = None,
        *,
        acceptance: AcceptanceRule | None = None,
        per_document: int = 2,
        max_rounds: int = 6,
        curtail: bool = True,
        quality_check: bool = True,
    ):
        super().__init__(domain, roles)
        if per_document < 1 or max_rounds < 1:
            raise ConfigError(f"per_document={per_document} and max_rounds={max_rounds} must be at least 1")
        self.acceptance = acceptance or self.domain.acceptance
        self.per_document, self.max_rounds, self.curtail = per_document, max_rounds, curtail
        self.checks = self.domain.challenge_verifiers()
        self.challenger = Challenger(self.domain, self.roles)
        self.quality_verifier = QualityVerifier(self.domain, self.roles) if quality_check else None
        if self.quality_verifier is not None:
            self.quality_verifier._compiled = True  # part of the examiner unless it is asked for
        self.weak = Solver(self.domain, "weak", self.roles)
        self.strong = Solver(self.domain, "strong", self.roles)

    def forward(self, document: Document, seed: int = 0) -> dspy.Prediction:
        """Run the loop on one document.

        Raises:
            StopRun: a budget is used up, a model is out, or the run was interrupted; `.partial` holds the
                trajectory so far.
        """
        started, rounds, status, note = time.monotonic(), [], "done", ""
        try:
            outages = 0
            while self._wants_more(rounds):
                rounds.append(self._round(document, rounds, seed))
                round_finished(document.id, rounds[-1])
                outages = outages + 1 if rounds[-1].decision.reason == "infrastructure" else 0
                if outages == MAX_OUTAGES:
                    status, note = "failed", rounds[-1].decision.feedback
                    break
        except StopRun as stop:
            stop.partial = Trajectory(
                document.id, seed, tuple(rounds), "stopped", str(stop), time.monotonic() - started
            )
            raise
        trajectory = Trajectory(document.id, seed, tuple(rounds), status, note, time.monotonic() - started)
        return dspy.Prediction(trajectory=trajectory, accepted=trajectory.accepted)

    def _wants_more(self, rounds: list[Round]) -> bool:
        n_tried = sum(r.decision.reason != "infrastructure" for r in rounds)
        return n_tried < self.max_rounds and sum(r.decision.accepted for r in rounds) < self.per_document

    def _round(self, document: Document, earlier: list[Round], seed: int) -> Round:
        index = len(earlier)
        try:
            written = self.challenger(
                document=document, feedback=grouped_feedback(earlier), round_index=index, seed=seed
            )
            challenge = written.challenge
            if challenge is None:
                return Round(index, Decision(False, "malformed", written.problem))
            verdicts, decision = self._screen(challenge, earlier)
        except ProviderError as error:
            return Round(index, Decision(False, "infrastructure", str(error)))
        if decision is not None:
            return Round(index, decision, challenge, verdicts)
        weak, decision = self._attempt(self.weak, challenge, seed)
        strong: list[Rollout] = []
        if decision is None:
            strong, decision = self._attempt(self.strong, challenge, seed, _scores(weak))
        if decision is None:
            decision = self._accept(strong)
        return Round(index, decision, challenge, verdicts, (*weak, *strong))

    def _screen(self, challenge: Challenge, earlier: list[Round]) -> tuple[tuple[Verdict, ...], Decision | None]:
        """Cheapest checks first; stops at the first that fails. Undecided checks do not reject."""
        if _repeats(challenge, earlier):
            return (), Decision(False, "duplicate", "it repeats an earlier problem; take another formula")
        verdicts: list[Verdict] = []
        for check in self.checks:
            verdicts.append(check.verify(challenge))
            if not (verdicts[-1].undecided or verdicts[-1].passed):
                return tuple(verdicts), Decision(False, "failed_check", verdicts[-1].feedback)
        if self.quality_verifier is not None:
            verdicts.append(self.quality_verifier(challenge=challenge).verdict)
            if verdicts[-1].score == 0.0:
                return tuple(verdicts), Decision(False, "failed_check", verdicts[-1].feedback)
        return tuple(verdicts), None

    def _attempt(
        self, solver: Solver, challenge: Challenge, seed: int, weak: list[float | None] | None = None
    ) -> tuple[list[Rollout], Decision | None]:
        """Sample a solver until the rule is certain (or fully); None means that the rule is satisfied."""
        rule, rollouts, settled = self.acceptance, [], None
        n = rule.n_weak if weak is None else rule.n_strong
        for attempt in range(n + 1):
            scores = _scores(rollouts)
            settled = rule.weak(scores) if weak is None else rule.strong(weak, scores)
            # A strong solver that succeeds often enough must also be known to agree for the most part.
            open_ = settled is None or (settled and weak is not None and agreement(scores, n) is None)
            if attempt == n or (self.curtail and not open_):
                break
            rollouts.append(solver(challenge=challenge, attempt=attempt, seed=seed).rollout)
        if settled is None:
            return rollouts, _unknown(rollouts)
        if settled:
            return rollouts, None
        right, made = sum(s == 1.0 for s in _scores(rollouts)), len(rollouts)
        if weak is None:
            text = f"the weak solver answered it {right} of {made} times; make it harder"
            return rollouts, Decision(False, "too_easy", text)
        text = f"the strong solver got it right only {right} of {made} times; make it clearer or ask for fewer steps"
        return rollouts, Decision(False, "failed_on_strong", text)

    def _accept(self, strong: list[Rollout]) -> Decision:
        """The last condition: an independent route, the strong solver's majority, has the reference answer."""
        if strong and not majority(_scores(strong)):
            return Decision(
                False,
                "no_agreement",
                "most independent solutions differ from the reference answer; state all data",
            )
        return Decision(True, "accepted")


def _scores(rollouts: list[Rollout]) -> list[float | None]:
    return [r.verdict.score if r.verdict else None for r in rollouts]


def _unknown(rollouts: list[Rollout]) -> Decision:
    """Too many attempts without a score: which kind of silence was it?"""
    errors = [r.error for r in rollouts if r.error]
    reason: Reason = "infrastructure" if errors else "undecided"
    feedback = errors[-1] if errors else "too many answers could not be decided"
    return Decision(False, reason, feedback)


def _repeats(challenge: Challenge, earlier: list[Round]) -> bool:
    """Whether an earlier challenge has the same answer and nearly the same question."""
    for known in (r.challenge for r in earlier if r.challenge is not None):
        if known.answer == challenge.answer:
            matcher = difflib.SequenceMatcher(None, known.question, challenge.question, autojunk=False)
            if matcher.quick_ratio() > SAME_QUESTION and matcher.ratio() > SAME_QUESTION:
                return True
    return False


PLUGIN = AgenticSelfInstruct
