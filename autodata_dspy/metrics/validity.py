"""How many accepted examples stand up to a check that had no part in accepting them?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from autodata_dspy.asking import seed_for
from autodata_dspy.errors import ConfigError
from autodata_dspy.metrics._made import Made, failures
from autodata_dspy.metrics.base import DataMetric, Measured
from autodata_dspy.modules.solver import Solver
from autodata_dspy.roles import Roles
from autodata_dspy.types import Challenge, Verdict

if TYPE_CHECKING:
    from autodata_dspy.domains.base import Domain

Route = Callable[[Sequence[Challenge]], list[Verdict]]
_SEED = 7919  # not the seed of any run, so that the solver's attempts are others than those that accepted


class Validity(DataMetric):
    """Share of the decided re-verifications that pass. Undecided where less than half could be decided.

    The route is `domain.recheck`; in a domain without one, fresh attempts of the strong solver, of which more than
    half have to reach the reference answer. Without an accepted example the score is 0.

    Args:
        domain: of the examples.
        roles: who plays the strong solver, where it is asked.
        route: another check: challenges → a verdict each.
        n_attempts: of the strong solver for each example.

    Raises:
        ConfigError: the domain has no recheck, and neither roles nor a route are given.
    """

    name: ClassVar[str] = "validity"
    summary: ClassVar[str] = "share of examples that an independent check confirms"

    def __init__(self, domain: Domain, roles: Roles | None = None, route: Route | None = None, n_attempts: int = 3):
        self.seed = _SEED
        self.domain, self.n_attempts = domain, n_attempts
        found = route or domain.recheck or (self._solved if roles is not None else None)
        if found is None:
            raise ConfigError(f"the domain {domain.name!r} has no machine check; give roles, or another route")
        self.route: Route = found
        self.solver = Solver(domain, "strong", roles) if found == self._solved else None

    def about(self) -> dict[str, Any]:
        how = f"{self.n_attempts} attempts" if self.solver else getattr(self.route, "__qualname__", repr(self.route))
        return {**super().about(), "domain": self.domain.name, "route": how}

    def reseed(self, seed: int) -> None:
        if self.solver is not None:
            self.seed, self.route = seed_for(self.seed, seed), self._solved

    def measure(self, made: Made) -> Measured:
        if not made.examples:
            return Measured(0.0, f"Nothing was accepted.\n{failures(made.trajectories)}".strip(), {self.name: 0.0})
        verdicts = self.route(made.challenges)
        items = tuple(None if v.score is None else float(v.passed) for v in verdicts)
        decided = [i for i in items if i is not None]
        if 2 * len(decided) < len(items):
            return Measured(None, f"only {len(decided)} of {len(items)} examples could be checked", {}, items)
        score = sum(decided) / len(decided)
        lines = [f"{int(sum(decided))} of {len(decided)} accepted examples were confirmed independently."]
        wrong = Counter(v.feedback[:200] for v in verdicts if v.score is not None and not v.passed and v.feedback)
        lines += [f"- not confirmed ({n}): {why}" for why, n in wrong.most_common(3)]
        return Measured(score, "\n".join(lines), {self.name: score}, items)

    def _solved(self, challenges: Sequence[Challenge]) -> list[Verdict]:
        """Whether the strong solver reaches the answer in more than half of its decided attempts."""
        assert self.solver is not None
        found = []
        for challenge in challenges:
            attempts = [
                self.solver(challenge=challenge, attempt=a, seed=self.seed).rollout for a in range(self.n_attempts)
            ]
            scores = [r.verdict.score for r in attempts if r.verdict.score is not None]
            if 2 * len(scores) <= self.n_attempts:
                found.append(Verdict.undecidable("too few attempts could be decided"))
                continue
            passed = 2 * sum(s == 1.0 for s in scores) > len(scores)
            found.append(Verdict.of(passed, "" if passed else "the strong solver does not reach the answer again"))
        return found


PLUGIN = Validity
