"""How well does a classifier sort real texts after it has learned from the accepted ones?"""

# pyright: reportArgumentType=false
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from autodata_dspy.asking import seed_for
from autodata_dspy.errors import ConfigError
from autodata_dspy.metrics._made import Example, Made
from autodata_dspy.metrics._terms import terms
from autodata_dspy.metrics.base import DataMetric, Measured
from autodata_dspy.probes import Probe

if TYPE_CHECKING:
    from autodata_dspy.domains.base import Domain

OTHER = ""  # a class of the probe that the data has no label for


class ClassifierStudent(DataMetric):
    """Macro-F1 on the probe of a classifier that was fitted on the accepted labelled examples. No model is called.

    Every class of the probe counts the same. What the data has no label for counts as one class, which scores 0.
    Of one program run it is mostly 0 (a few texts of few labels); it is made for whole data sets. For single runs
    there is `data_value`.

    Args:
        probe: with labels; see `Probe.labelled`.
        domain: its labels are those that the data may have; without one, the labels of the data.
        pipeline: seed → an unfitted scikit-learn classifier of texts. By default word and character TF-IDF with
            logistic regression, which no seed changes.
        seeds: one fit each; F1 is averaged.

    Raises:
        ConfigError: no label of the probe is one of the domain's.
    """

    name: ClassVar[str] = "classifier_student"
    summary: ClassVar[str] = "macro-F1 on a probe of a text classifier fitted on the examples"

    def __init__(
        self,
        probe: Probe,
        domain: Domain | None = None,
        pipeline: Callable[[int], Any] | None = None,
        seeds: Iterable[int] = (0,),
    ):
        self.probe, self.pipeline, self.seeds = probe, pipeline or default_pipeline, tuple(seeds)
        if not self.seeds:
            raise ConfigError("classifier_student needs at least one seed")
        self.labels = tuple(domain.labels) if domain is not None else ()
        if self.labels:
            probe.labelled(self.labels)  # says at once that they do not fit

    def about(self) -> dict[str, Any]:
        own = (
            f"{getattr(self.pipeline, '__module__', '')}.{getattr(self.pipeline, '__qualname__', repr(self.pipeline))}"
        )
        return {**super().about(), "labels": list(self.labels), "pipeline": own, "seeds": list(self.seeds)}

    def reseed(self, seed: int) -> None:
        self.seeds = tuple(seed_for(s, seed) for s in self.seeds)

    def measure(self, made: Made) -> Measured:
        examples = [e for e in made.examples if e.label and e.challenge.question.strip()]
        if not examples:
            return Measured(0.0, "Nothing was accepted, so the classifier learned nothing.", {self.name: 0.0})
        known = list(self.labels) or sorted({e.label for e in examples})
        pairs = self.probe.labelled(known)
        guesses = self._guesses(examples, [text for text, _ in pairs])
        items = tuple(
            (label or OTHER, *said) for (_, label), said in zip(pairs, zip(*guesses, strict=True), strict=True)
        )
        score = self.total(items)
        return Measured(score, self._told(items, examples, score), {self.name: score}, items)

    def _guesses(self, examples: Sequence[Example], texts: Sequence[str]) -> list[list[str]]:
        """One list for each seed. The order of the examples does not matter."""
        from threadpoolctl import threadpool_limits

        rows = sorted((e.challenge.question, e.label) for e in examples)
        questions, labels = zip(*rows, strict=True)
        if len(set(labels)) == 1:  # nothing to tell apart
            return [[labels[0]] * len(texts) for _ in self.seeds]
        with threadpool_limits(1):  # threads of algebra on top of those of an optimizer slow both down
            return [[str(g) for g in self.pipeline(seed).fit(questions, labels).predict(texts)] for seed in self.seeds]

    def total(self, items: Sequence[Any]) -> float:
        """Macro-F1 over the classes that occur among the truths, averaged over the seeds."""
        if not items:
            return 0.0
        by_seed = [_f1([(item[0], item[k]) for item in items]) for k in range(1, len(items[0]))]
        return sum(sum(f.values()) / len(f) for f in by_seed) / len(by_seed)

    def _told(self, items: Sequence[Any], examples: Sequence[Example], score: float) -> str:
        """Classes that still fail, and what they are taken for."""
        pairs = [(item[0], item[1]) for item in items]
        found = _f1(pairs)
        lines = [f"A classifier that learned from {len(examples)} examples reaches a macro-F1 of {score:.2f}."]
        n_of = {label: sum(e.label == label for e in examples) for label in found}
        for label in sorted((c for c in found if c != OTHER and found[c] < 0.7), key=lambda c: found[c])[:5]:
            wrong = [guess for truth, guess in pairs if truth == label and guess != label]
            usual = max(sorted(set(wrong)), key=wrong.count) if wrong else ""
            taken = f", mostly taken for {usual!r}" if usual else ", others are taken for it"
            lines.append(f"- {label!r}: F1 {found[label]:.2f} with {n_of[label]} examples{taken}")
        if OTHER in found:
            lines.append("- the probe has classes for which the data has no label")
        return "\n".join(lines)


def _f1(pairs: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Class → F1, of the classes among the truths."""
    found = {}
    for label in sorted({truth for truth, _ in pairs}):
        hits = sum(truth == guess == label for truth, guess in pairs)
        n = sum(truth == label for truth, _ in pairs) + sum(guess == label for _, guess in pairs)
        found[label] = 2 * hits / n
    return found


def default_pipeline(seed: int = 0) -> Any:
    """Word and character TF-IDF, then logistic regression with balanced classes."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    # C = 1, 10 and 100 give a macro-F1 of 0.704, 0.690 and 0.687 on the probe of law_lb_unfair_tos (halves, six draws).
    return make_pipeline(terms(), LogisticRegression(C=1.0, class_weight="balanced", max_iter=300, random_state=seed))


PLUGIN = ClassifierStudent
