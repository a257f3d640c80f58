"""Three ways to make data, on the same documents with the same budget of model calls, seen by the same examiner.

`python benchmarks/generators.py --domain math_objects --documents FILE --max-calls 150 --run-dir runs/compared --out
benchmarks/results/generators_math.json`

Each generator runs until its calls are used up. Then every example it kept is attempted anew, four times by the weak
and four times by the strong solver with seeds that no generator used: the examiner, which is the same for all. An
example counts as valid when more strong attempts reach the stated answer than do not; where a domain has a machine
check of its own, that verdict stands beside it. A run that is killed goes on where it was.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dspy
from summary import wilson

from autodata_dspy import registry, runs
from autodata_dspy.config import RunConfig, parse_lm_flags
from autodata_dspy.generation import generate
from autodata_dspy.modules import Solver
from autodata_dspy.roles import Roles
from autodata_dspy.types import Challenge, Decision, Document, Rollout, Round, Trajectory

ARMS = ("self_instruct", "cot_self_instruct", "agentic_self_instruct")
ATTEMPTS, SEED = 4, 90_001  # of each solver at each example; a seed that no run uses
ENOUGH = 100_000  # examples wanted: the budget ends a run, not their number


class Examiner(dspy.Module):
    """An example under the id of a document → a trajectory with its attempts."""

    def __init__(self, domain: Any, roles: Roles, examples: dict[str, Challenge]):
        super().__init__()
        self.domain, self.roles, self.examples = domain, roles, examples
        self.solvers = (Solver(domain, "weak", roles), Solver(domain, "strong", roles))

    def forward(self, document: Document, seed: int = 0) -> dspy.Prediction:
        challenge = self.examples[document.id]
        rollouts: list[Rollout] = [
            solver(challenge=challenge, attempt=attempt, seed=SEED).rollout
            for solver in self.solvers
            for attempt in range(ATTEMPTS)
        ]
        examined = Round(0, Decision(True, "accepted"), challenge, (), tuple(rollouts))
        return dspy.Prediction(trajectory=Trajectory(document.id, seed, (examined,)))


def made(arm: str, given: argparse.Namespace) -> tuple[list[Challenge], dict[str, Any]]:
    """What one generator kept, and what that took."""
    config = RunConfig.read(
        domain=given.domain,
        program=arm,
        documents=given.documents,
        n=ENOUGH,
        passes=given.passes,
        seed=given.seed,
        limits={"max_calls": given.max_calls},
        roles=parse_lm_flags(given.lm),
    )
    result = runs.start(config, given.run_dir / arm)
    rounds = [r for t in result.trajectories for r in t.rounds]
    usage = result.usage.values()
    return [r.challenge for _, r in result.kept if r.challenge], {
        "rounds": len(rounds),
        "kept": len(result.kept),
        "kept_share": wilson(len(result.kept), len(rounds)),
        "removed_at_the_end": len(result.removed),
        "calls": sum(u["calls"] for u in usage),
        "tokens": sum(u["input_tokens"] + u["output_tokens"] for u in usage),
    }


def examined(arm: str, kept: Sequence[Challenge], given: argparse.Namespace) -> dict[str, Any]:
    """Validity and gap of one generator's examples, by the examiner."""
    domain, roles = registry.load("domains", given.domain), Roles(**parse_lm_flags(given.lm))
    examples = {f"example-{number:04d}": challenge for number, challenge in enumerate(kept)}
    if not examples:
        return {"valid": 0, "valid_share": None, "weak_mean": None, "strong_mean": None, "gap": None}
    documents = [Document(id=name, text=c.question) for name, c in examples.items()]
    result = generate(Examiner(domain, roles, examples), documents, run_dir=given.run_dir / f"{arm}-examined")
    rounds = [r for t in result.trajectories for r in t.rounds]
    weak, strong = ([r.scores(f"{who}_solver") for r in rounds] for who in ("weak", "strong"))
    n_valid = sum(sum(s == 1.0 for s in scores) * 2 > len(scores) > 0 for scores in strong)
    weak_mean, strong_mean = (_mean([sum(s) / len(s) for s in solver if s]) for solver in (weak, strong))
    checks = domain.recheck(kept) if domain.recheck else []
    return {
        "valid": n_valid,
        "valid_share": wilson(n_valid, len(rounds)),
        "valid_by_machine": sum(v.passed for v in checks) if any(not v.undecided for v in checks) else None,
        "weak_mean": weak_mean,
        "strong_mean": strong_mean,
        "gap": None if weak_mean is None or strong_mean is None else round(strong_mean - weak_mean, 3),
    }


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 3) if values else None


def table(arms: dict[str, dict[str, Any]]) -> str:
    """The comparison on one screen."""
    lines = [
        "| generator | calls | tried | kept | valid, by the strong solver | weak | strong | gap | calls per valid |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, a in arms.items():
        share = a["valid_share"]
        valid = f"{a['valid']}" + (f" [{share[0]:.0%}, {share[1]:.0%}]" if share else "")
        cost = f"{a['calls'] / a['valid']:.0f}" if a["valid"] else "–"
        cells = [name, *(a[k] for k in ("calls", "rounds", "kept")), valid]
        cells += [*(a[k] for k in ("weak_mean", "strong_mean", "gap")), cost]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--domain", default="math_objects")
    parser.add_argument("--documents", default="builtin")
    parser.add_argument("--max-calls", type=int, required=True)
    parser.add_argument("--passes", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lm", action="append", default=[])
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    found: dict[str, dict[str, Any]] = {}
    for name in ARMS:
        challenges, body = made(name, args)
        found[name] = body | examined(name, challenges, args)
        words = [{"question": c.question, "answer": c.answer} for c in challenges]
        (args.run_dir / f"{name}.examples.json").write_text(json.dumps(words, indent=1, ensure_ascii=False))
    settings = {"domain": args.domain, "documents": Path(args.documents).name, "seed": args.seed}
    body = {**settings, "max_calls": args.max_calls, "attempts": ATTEMPTS, "generators": found}
    args.out.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    print(table(found))
