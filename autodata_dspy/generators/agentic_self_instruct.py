"""Agentic Self-Instruct (arXiv 2606.25996): write, check, attempt weakly, attempt strongly, decide, feed back."""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import dspy

from autodata_dspy.ablations import Parts, ablations, leave_out
from autodata_dspy.acceptance import AcceptanceRule, FullSample
from autodata_dspy.call_log import noted
from autodata_dspy.errors import ConfigError, ProviderError, StopRun
from autodata_dspy.events import round_finished
from autodata_dspy.modules import Challenger, Extractor, QualityVerifier, Solver
from autodata_dspy.modules.base import RoleModule
from autodata_dspy.modules.solver import no_outcome
from autodata_dspy.roles import Roles
from autodata_dspy.types import Challenge, Decision, Document, Rollout, Round, Status, Trajectory, Verdict

if TYPE_CHECKING:
    from autodata_dspy.domains.base import Domain

MAX_OUTAGES = 3  # rounds in a row without an answer from a model, then the document is given up


class AgenticSelfInstruct(RoleModule):
    """document → `trajectory` and `accepted` (its accepted rounds).

    Where the domain has an extractor, it reads the document first and may find it unsuitable. Each round: the
    challenger writes; free and cheap checks, then the quality verifier, screen; the weak solver attempts until its
    outcome is certain; only if it struggles, the strong one does; the acceptance rule decides, and the domain's
    module with the last word where there is one; what failed, and why, goes into the next round, which starts from
    another angle. Where examples have labels, a document begins with those of which the run has the fewest.

    Args:
        domain: a domain's name or a Domain.
        roles: who plays which role; by default `dspy.configure(lm=…)`, then the embedded models.
        acceptance: decision rule; by default the domain's.
        per_document: stop a document after this many accepted examples; by default the domain's number.
        max_rounds: stop a document after this many rounds, by default the domain's number; rounds lost to
            infrastructure do not count.
        curtail: stop sampling as soon as the outcome is certain; False always samples fully. The
            decisions are the same.
        quality_check: let the quality verifier look before solvers are paid, where the domain has one.
        without: parts to leave out, to see what each is worth: "answer_verifier", "feedback", "gap",
            "learner", "loop", "verifiers". What takes their place is told in `ablations`; trajectories say what was
            left out.

    Raises:
        ConfigError: unknown domain or part, or a limit below 1.
    """

    def __init__(
        self,
        domain: str | Domain,
        roles: Roles | None = None,
        *,
        acceptance: AcceptanceRule | None = None,
        per_document: int | None = None,
        max_rounds: int | None = None,
        curtail: bool = True,
        quality_check: bool = True,
        without: str | Iterable[str] = (),
    ):
        super().__init__(domain, roles)
        self.per_document = self.domain.per_document if per_document is None else per_document
        self.max_rounds = self.domain.max_rounds if max_rounds is None else max_rounds
        if self.per_document < 1 or self.max_rounds < 1:
            raise ConfigError(f"per_document={per_document} and max_rounds={max_rounds} must be at least 1")
        self.without, self.curtail, self.quality_check = ablations(without), curtail, quality_check
        full = Parts(
            self.domain, acceptance or self.domain.acceptance, quality_check and self.domain.review is not None
        )
        if isinstance(full.acceptance, FullSample) and self.domain.last_word is None:
            raise ConfigError(
                f"the acceptance rule {full.acceptance} (paper-legal) leaves the decision to a last word, which the "
                f"domain {self.domain.name!r} does not have, so that it would accept everything; use another rule"
            )
        self.parts = leave_out(full, self.without)
        self.domain, self.acceptance = self.parts.domain, self.parts.acceptance
        self.checks = self.domain.challenge_verifiers()
        self.extractor = Extractor(self.domain, self.roles) if self.domain.extract else None
        self.challenger = Challenger(self.domain, self.roles)
        self.quality_verifier = QualityVerifier(self.domain, self.roles) if self.parts.quality_check else None
        if self.quality_verifier is not None:
            self.quality_verifier._compiled = True  # part of the examiner unless it is asked for
        self.weak = self.domain.learner() if self.domain.learner else Solver(self.domain, "weak", self.roles)
        self.strong = Solver(self.domain, "strong", self.roles)
        self._n_of: Counter[str] = Counter()  # label's angle → examples of it that the run has accepted so far
        self.last_word = self.domain.last_word(self.domain, self.roles) if self.domain.last_word else None

    def learn(self, accepted: Sequence[Challenge]) -> None:
        """A run calls this with what each document gave. It teaches the weak solver, where that is a learner; and
        where there are labels, the next documents write for those that are rare so far."""
        if self.domain.labels:  # another object each time, because documents read it meanwhile
            self._n_of = self._n_of + Counter(c.angle for c in accepted)
        if self.domain.learner is not None:
            self.weak.learn(accepted)

    def forward(self, document: Document, seed: int = 0) -> dspy.Prediction:
        """Run the loop on one document.

        Raises:
            StopRun: a budget is used up, a model is out, or the run was interrupted; `.partial` holds the
                trajectory so far.
        """
        started, rounds, extraction = time.monotonic(), [], {}

        def told(status: Status, note: str = "") -> Trajectory:
            seconds = time.monotonic() - started
            return self._marked(Trajectory(document.id, seed, tuple(rounds), status, note, seconds, extraction))

        try:
            known = noted("accepted", dict(self._n_of)) if self.domain.labels and self.parts.aims else {}
            extraction, status, note = self._extract(document, seed)
            outages = 0
            while status == "done" and self._wants_more(rounds):
                rounds.append(self._round(document, extraction, rounds, seed, known))
                round_finished(document.id, rounds[-1])
                outages = outages + 1 if rounds[-1].decision.reason == "infrastructure" else 0
                if outages == MAX_OUTAGES:
                    status, note = "failed", rounds[-1].decision.feedback
        except StopRun as stop:
            stop.partial = told("stopped", str(stop))
            raise
        trajectory = told(status, note)
        return dspy.Prediction(trajectory=trajectory, accepted=trajectory.accepted)

    def _marked(self, trajectory: Trajectory) -> Trajectory:
        return dataclasses.replace(trajectory, without=self.without)

    def _extract(self, document: Document, seed: int) -> tuple[dict[str, str], Status, str]:
        """What the extractor found, and whether the document goes on ("done" so far), with why not."""
        if self.extractor is None:
            return {}, "done", ""
        try:
            found = self.extractor(document=document, seed=seed)
        except ProviderError as error:
            return {}, "failed", str(error)
        return found.extraction, "skipped" if found.unsuitable else "done", found.unsuitable

    def _wants_more(self, rounds: list[Round]) -> bool:
        n_tried = sum(r.decision.reason != "infrastructure" for r in rounds)
        return n_tried < self.max_rounds and sum(r.decision.accepted for r in rounds) < self.per_document

    def _round(
        self,
        document: Document,
        extraction: dict[str, str],
        rounds: list[Round],
        seed: int,
        known: dict[str, int],
    ) -> Round:
        index, earlier = len(rounds), self.parts.recall(rounds)
        try:
            written = self.challenger(
                document=document,
                feedback=self.domain.feedback(earlier),
                round_index=index,
                seed=seed,
                extraction=extraction,
                known=known,
            )
            challenge = written.challenge
            if challenge is None:
                return Round(index, Decision(False, "malformed", written.problem))
            verdicts, decision = self._screen(challenge, document, earlier)
        except ProviderError as error:
            return Round(index, Decision(False, "infrastructure", str(error)))
        if decision is not None:
            return Round(index, decision, challenge, verdicts)
        weak, decision = self._attempt(self.weak, challenge, seed)
        strong: list[Rollout] = []
        if decision is None and not self._weak_decide(weak):
            strong, decision = self._attempt(self.strong, challenge, seed, _scores(weak))
        if decision is None and self.last_word is not None:
            said = self.last_word(challenge=challenge, weak=weak, strong=strong, earlier=earlier, seed=seed)
            verdicts, decision = (*verdicts, *said.verdicts), said.decision
        return Round(index, decision or Decision(True, "accepted"), challenge, verdicts, (*weak, *strong))

    def _screen(
        self, challenge: Challenge, document: Document, earlier: Sequence[Round]
    ) -> tuple[tuple[Verdict, ...], Decision | None]:
        """Cheapest checks first; stops at the first that fails. Undecided checks do not reject."""
        if self.parts.repeats(challenge, earlier, self.challenger.learned_demos):
            return (), Decision(False, "duplicate", "it repeats an earlier one; take something else of the passage")
        verdicts: list[Verdict] = []
        for check in self.checks:
            verdicts.append(check.verify(challenge, context=document.text))
            if not (verdicts[-1].undecided or verdicts[-1].passed):
                return tuple(verdicts), Decision(False, "failed_check", verdicts[-1].feedback)
        if self.quality_verifier is not None:
            verdicts.append(self.quality_verifier(challenge=challenge).verdict)
            if verdicts[-1].score == 0.0:
                return tuple(verdicts), Decision(False, "failed_check", verdicts[-1].feedback)
        return tuple(verdicts), None

    def _weak_decide(self, weak: list[Rollout]) -> bool:
        """Whether the module with the last word needs no attempt of the strong solver to decide."""
        settled = getattr(self.last_word, "settled", None)
        return self.curtail and settled is not None and settled(weak)

    def _attempt(
        self, solver: Any, challenge: Challenge, seed: int, weak: list[float | None] | None = None
    ) -> tuple[list[Rollout], Decision | None]:
        """Sample a solver until the rule is certain (or fully); None means that the rule is satisfied."""
        rule, rollouts, settled = self.acceptance, [], None
        n = rule.n_weak if weak is None else rule.n_strong
        for attempt in range(n + 1):
            scores = _scores(rollouts)
            settled = rule.weak(scores) if weak is None else rule.strong(weak, scores)
            # A strong solver that succeeds often enough must also be known to agree for the most part, and a module
            # with the last word hears every attempt.
            unsure = self.last_word is not None or (weak is not None and rule.agreed(scores) is None)
            open_ = settled is None or (settled and unsure)
            if attempt == n or (self.curtail and not open_):
                break
            rollouts.append(solver(challenge=challenge, attempt=attempt, seed=seed).rollout)
        scores = _scores(rollouts)
        agreed = True if weak is None else rule.agreed(scores)
        if settled is None or (settled and agreed is None):
            return rollouts, no_outcome(rollouts)
        if settled and agreed:
            return rollouts, None
        return rollouts, Decision(False, *(rule.why(scores, []) if weak is None else rule.why(weak, scores)))


def _scores(rollouts: list[Rollout]) -> list[float | None]:
    return [r.verdict.score if r.verdict else None for r in rollouts]


PLUGIN = AgenticSelfInstruct
