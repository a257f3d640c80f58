"""A solver: attempts a challenge, knowing nothing but its context and question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import dspy
from dspy.utils.exceptions import AdapterParseError

from autodata_dspy.calls import last_call
from autodata_dspy.domains.base import Malformed
from autodata_dspy.errors import ConfigError, ProviderError, VerifierError, did_you_mean
from autodata_dspy.modules.base import RoleModule, seed_for
from autodata_dspy.roles import Roles
from autodata_dspy.types import Challenge, Decision, Rollout, Verdict
from autodata_dspy.verifiers.base import Verifier

if TYPE_CHECKING:
    from autodata_dspy.domains.base import Domain

Strength = Literal["weak", "strong"]


class Solver(RoleModule):
    """challenge → `rollout`: one attempt with its verdict.

    Weak and strong have a role each, and may differ in the model, in the mode (direct, step by step, with a
    program), or both. Solvers belong to the examiner: their prompts are frozen, invisible to
    `named_predictors()`, and see neither the document nor the rubric nor the reference answer.

    Args:
        strength: "weak" or "strong".
        mode: one of the domain's solving modes; by default the one it has for this strength.
        verifier: by default the domain's.

    Raises:
        ConfigError: the domain has no such mode.
    """

    def __init__(
        self,
        domain: str | Domain,
        strength: Strength,
        roles: Roles | None = None,
        *,
        mode: str | None = None,
        verifier: Verifier | None = None,
    ):
        super().__init__(domain, roles)
        mode = mode or (self.domain.weak_mode if strength == "weak" else self.domain.strong_mode)
        if mode not in self.domain.solving:
            raise ConfigError(did_you_mean("solving mode", mode, self.domain.solving))
        self.strength, self.mode, self.role = strength, mode, f"{strength}_solver"
        self.verifier = verifier or self.domain.answer_verifier(self.roles)
        self.form = self.domain.solving[mode]
        self.solve = dspy.Predict(self.form.signature)
        self.solve.demos = [dict(demo) for demo in self.form.demos]
        self._compiled = True  # DSPy's word for frozen: optimizers and parents do not look inside

    def forward(self, challenge: Challenge, attempt: int = 0, seed: int = 0) -> dspy.Prediction:
        """Make attempt number `attempt`. Never raises for a failed call: the rollout then has an `error`.

        An attempt that cannot be read, or whose program fails twice, has spent its chance and is wrong. One that was
        cut off where it could be read is scored as it stands; its `finish_reason` is "length".
        """
        answer, work, error, said, verdict = "", "", "", dspy.Prediction(), None
        try:
            said = self._say(challenge, seed, attempt)
            try:
                answer = self.form.answer(said)
            except Malformed as problem:
                if "remark" not in self.form.signature.input_fields:
                    raise
                said = self._say(challenge, seed, attempt, remark=str(problem))
                answer = self.form.answer(said)
            work = str(said.get("reasoning") or said.get("program") or "")
        except ProviderError as failure:
            error, verdict = str(failure), Verdict.undecidable("no answer came back")
        except AdapterParseError as failure:
            work = (failure.lm_response or "")[-500:]
            verdict = Verdict.of(False, "no answer could be read from the output")
        except Malformed as failure:
            work = str(said.get("reasoning") or said.get("program") or "")
            verdict = Verdict.of(False, str(failure))
        except VerifierError as failure:
            verdict = Verdict.undecidable(str(failure))
        call = last_call()  # before the answer is judged: afterwards a judge's call may be the last
        finish = call.finish_reason if call and not error else ""
        if verdict is None:
            verdict = self._judged(answer, challenge)
        rollout = Rollout(self.role, attempt, answer, work, verdict, finish, error)
        return dspy.Prediction(rollout=rollout)

    def _judged(self, answer: str, challenge: Challenge) -> Verdict:
        if not answer.strip():  # the model spoke, and left the answer empty: unlike a call that failed, that is wrong
            return Verdict.of(False, "the answer is empty")
        try:
            return self.verifier.verify(answer, self.domain.reference(challenge), challenge.question)
        except ProviderError as failure:
            return Verdict.undecidable(str(failure), outage=True)
        except (AdapterParseError, VerifierError) as failure:
            return Verdict.undecidable(str(failure))

    def _say(self, challenge: Challenge, seed: int, attempt: int, remark: str = "none") -> dspy.Prediction:
        """One call. A mode whose signature takes a `remark` is told what was wrong with its first program."""
        extra = {"remark": remark} if "remark" in self.form.signature.input_fields else {}
        return self.ask(
            self.solve,
            self.role,
            seed_for(self.role, challenge.question, seed, attempt, remark),
            {**self.form.defaults, **(self.form.first if attempt == 0 else {})},
            context=challenge.context or "none",
            question=self.form.shown(challenge.question),
            **extra,
        )


def no_outcome(rollouts: Sequence[Rollout]) -> Decision:
    """What attempts lead to of which too many have no score: which kind of silence was it?"""
    if outages := [outage for r in rollouts if (outage := r.outage)]:
        return Decision(False, "infrastructure", outages[-1])
    why = next((f": {r.verdict.feedback}" for r in reversed(rollouts) if r.verdict and r.verdict.undecided), "")
    return Decision(False, "undecided", f"too many answers could not be decided{why}")
