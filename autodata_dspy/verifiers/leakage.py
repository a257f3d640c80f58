"""Do the context and the question give the answer away?"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from autodata_dspy.errors import ConfigError, ProviderError, VerifierError
from autodata_dspy.subjects import as_challenge, not_text
from autodata_dspy.text import STOPWORDS, fold, sentences, words
from autodata_dspy.types import Verdict
from autodata_dspy.verifiers.base import Checks, Cost, VerifierExample

_GIVEAWAY = re.compile(
    r"(?:\b(?:the\s+)?(?:final\s+|correct\s+|right\s+|expected\s+|reference\s+)?(?:answer|solution|result|outcome)\s+"
    r"(?:is|are|equals|will be|turns out to be|must be)\b|\b(?:answer|solution|result|hint|spoiler)\s*:|"
    r"\b(?:namely|which (?:is|equals|gives))\b)[\s:]*"
)
_OUTCOME = re.compile(
    r"\b(?:roots|solutions|zeros|zeroes|answers|values|intersections|eigenvalues)\s+(?:of\s[^.;?]{1,80}?\s)?(?:are|were)\s+"
    r"([^;?\n]{1,200}?)(?=\.(?:\s|$)|[;?\n]|$)"
)
_SET = re.compile(r"\$?\s*(?:\\left)?\s*\\?\{.*\}\s*\$?$")
_LEAD = frozenset("a an the that by in of to with".split())  # may stand before the answer, here or there
_CHOICE = re.compile(
    r"\b(?:or|versus|vs\.?|either|whether|which of|options?|choices?|among|between)\b|\([a-e1-5]\)|\b[a-e]\)"
)
_IMPERATIVE = re.compile(
    r"(?i)^(?:\W*|.*[,:]\s)(?:find|determine|compute|calculate|evaluate|prove|show|derive|explain|describe|discuss|give|"
    r"list|state|identify|compare|solve|simplify|factor|express|estimate|write|name|justify|define|decide|what|which|why|"
    r"how|who|whose|when|where)\b"
)
_FORMULA_NOISE = re.compile(r"\\left|\\right|\\[,;:! ]|\\boxed|\\d?frac(?=\d)|\\text|\$|\\\(|\\\)|\\\[|\\\]")
_COMMAND = re.compile(r"\\(?:begin|end|operatorname|mathbf|mathrm)\*?\{\w*\*?\}(?:\{[lcr|]*\})?|\\[A-Za-z]+")
_FORMULA = re.compile(r"[\\^_=<>+*/{}()\[\]|√∫∑π]")
_LONG_FORMULA = 5  # characters; shorter ones are often givens
_POLAR = frozenset(("yes", "no", "true", "false"))  # stand in many a question
_N = 5  # words of an n-gram
_MIN_NEW = 6  # content words from which the share of covered ones means something
_COVERED = 0.85


class Leakage:
    """Compares the reference answer with what a solver is shown, without a model.

    Four routes, each ignoring what the answer merely repeats from the asking sentence:
    *stated*: "the answer is …" or "hint: …" followed by the answer; *object*: a formula, or a short
    answer of two content words and more, stands in the text as it is; *n-grams*: the share of the
    answer's word 5-grams that stand there is above `max_overlap`; *words*: nearly all (85 %) of
    at least six content words that only the answer should have are there, in any order. An answer
    that says nothing beyond the asking sentence leaks too.

    Undecided: no reference; an answer of one word or number that stands in the text, or one that is
    offered there as one of several choices (a solver may have to choose it, or the number may be a given).

    With `probe`, a model tries as well. The hook gets the shown text and returns its answer, or "" if
    it finds none; it should be told to look the answer up there, not to work it out. The same answer as
    the reference fails; a probe that cannot run leaves a text without other signs undecided. Nothing
    here calls a model by itself, and the hook is not called for a text that leaks anyway.

    Audited on 53 hard cases (benchmarks/README.md):
    precision 1.000, recall 1.000, undecided 0.226.

    Args:
        max_overlap: share of 5-grams in [0, 1) that is still allowed.
        probe: shown text → a model's answer, or "".
    """

    name: ClassVar[str] = "leakage"
    checks: ClassVar[Checks] = "challenge"
    cost: ClassVar[Cost] = "free"
    EXAMPLES: ClassVar[tuple[VerifierExample, ...]] = (
        VerifierExample(
            "A cache is flushed on every write. Why does throughput fall as more readers join?",
            "Each flush evicts lines that other cores still read, so they fetch them again from memory.",
            why="the explanation has to be found",
        ),
        VerifierExample(
            "Each flush evicts lines that other cores still read, so they fetch them again. Why does throughput fall?",
            "Each flush evicts lines that other cores still read, so they fetch them again from memory.",
            expected=False,
            why="the first sentence is the answer",
        ),
        VerifierExample(
            "Factor the polynomial. Hint: (x-1)(x+4).", "(x - 1)(x + 4)", expected=False, why="the hint is the answer"
        ),
        VerifierExample("Is 7 or 8 a prime?", "7", expected=None, why="the answer is one of the choices"),
    )

    def __init__(self, max_overlap: float = 0.25, probe: Callable[[str], str] | None = None):
        if not 0.0 <= max_overlap < 1.0:
            raise ConfigError(f"max_overlap is a share in [0, 1), not {max_overlap!r}")
        self.max_overlap, self.probe = max_overlap, probe

    def verify(self, subject: Any, reference: str = "", context: str = "") -> Verdict:
        """Score 1 if nothing leaks; else 1 - the leaked share (0 for a stated answer or an object).

        Args:
            subject: a challenge, of which context and question are shown to solvers, or the shown text.
            reference: the answer; the challenge's own unless given.
            context: for a text, what is shown besides; for a challenge it is not used (there it is the
                document, which solvers do not see).
        """
        challenge = as_challenge(subject)
        reference, context = reference or "", context or ""
        if why := not_text(reference=reference, context=context):
            return Verdict.undecidable(why, self.name)
        if challenge is not None:
            reference = reference.strip() or challenge.answer
            shown = f"{challenge.context}\n\n{challenge.question}".strip()
        elif isinstance(subject, str):
            shown = f"{context}\n\n{subject}".strip()
        else:
            return Verdict.undecidable(f"{type(subject).__name__} is neither a challenge nor a text", self.name)
        if not words(reference) and not _FORMULA.search(reference):
            return Verdict.undecidable("there is no reference answer that could be given away", self.name)
        verdict = self._routes(shown, reference.strip())
        return self._probed(verdict, shown, reference) if verdict.passed and self.probe else verdict

    def _routes(self, shown: str, reference: str) -> Verdict:
        setup, ask = (_words(part) for part in _split(shown))
        wanted, formula = _words(reference), _is_formula(reference)
        if _stated(shown, wanted, reference, formula) or _listed(shown, reference):
            return self._leak(0.0, "the text says what the answer is", "stated")
        telling = [w for w in wanted if w not in STOPWORDS]
        new = [w for w in dict.fromkeys(telling) if w not in set(ask)]
        place = "" if wanted and _POLAR.issuperset(wanted) else _place(shown, reference, wanted, formula)
        if place:
            short = len(_squeezed(reference)) < _LONG_FORMULA if formula else len(telling) < 2
            if short or _CHOICE.search(" ".join(ask) if _contains(ask, wanted) else place):
                why = "the answer stands in the text, but it may be a given or one of the choices"
                return Verdict.undecidable(why, self.name, place=place)
            if formula or _contains(setup, wanted):
                return self._leak(0.0, f"the answer stands in the text: “{place}”", "object", place=place)
        if formula:
            return Verdict(1.0, "", {"overlap": 0.0}, self.name)
        if not new and len(telling) >= 3:
            return self._leak(0.0, "the answer only repeats the question", "question")
        return self._overlap(setup, wanted, new)

    def _overlap(self, setup: list[str], wanted: list[str], new: list[str]) -> Verdict:
        fresh = set(new)
        grams = [g for g in _grams(wanted) if fresh.intersection(g)]
        there = set(_grams(setup))
        shared = [g for g in grams if g in there]
        overlap = len(shared) / len(grams) if grams else 0.0
        covered = len(fresh.intersection(setup)) / len(fresh) if fresh else 0.0
        evidence = {"overlap": round(overlap, 3), "covered": round(covered, 3), "n_new_words": len(fresh)}
        if overlap > self.max_overlap:
            passage = " ".join(shared[0])
            why = f"{overlap:.0%} of the answer's phrases stand in the text, such as “{passage}”"
            return self._leak(1.0 - overlap, why, "n-grams", **evidence)
        if len(fresh) >= _MIN_NEW and covered >= _COVERED:
            why = f"{covered:.0%} of the answer's own words are already in the text"
            return self._leak(1.0 - covered, why, "words", **evidence)
        return Verdict(1.0, "", evidence, self.name)

    def _leak(self, score: float, why: str, route: str, **evidence: Any) -> Verdict:
        feedback = f"{why}; keep only what is needed to pose the question"
        return Verdict(score, feedback, {"route": route, **evidence}, self.name)

    def _probed(self, verdict: Verdict, shown: str, reference: str) -> Verdict:
        if self.probe is None:
            return verdict
        try:
            answer = self.probe(shown)
        except (ProviderError, VerifierError) as error:
            return Verdict.undecidable(f"no sign of a leak, but the probe could not run: {error}", self.name)
        evidence = {**verdict.evidence, "probe": answer[:200]}
        same = _squeezed(answer) == _squeezed(reference) or _contains(_words(answer), _words(reference))
        if answer.strip() and same:
            return self._leak(0.0, "a model finds the answer in the text alone", "probe", **evidence)
        return Verdict(1.0, "", evidence, self.name)


def _split(shown: str) -> tuple[str, str]:
    """The set-up and the asking sentence: the last question, or the last instruction, or the last sentence."""
    parts = sentences(shown)
    asking = [i for i, p in enumerate(parts) if p.rstrip("\"')]*_ ").endswith(("?", "？"))]
    asking = asking or [i for i, p in enumerate(parts) if _IMPERATIVE.search(p)] or [len(parts) - 1]
    return " \n".join(p for i, p in enumerate(parts) if i != asking[-1]), parts[asking[-1]] if parts else ""


def _words(text: str) -> list[str]:
    """Words without the commands of LaTeX, which any two formulas share."""
    return words(_COMMAND.sub(" ", text))


def _stated(shown: str, wanted: Sequence[str], reference: str, formula: bool) -> bool:
    folded = fold(shown)
    core = _without_lead(wanted)
    for match in _GIVEAWAY.finditer(folded):
        rest = folded[match.end() : match.end() + 40 + 2 * len(reference)]
        if formula and _squeezed(rest).startswith(_squeezed(reference)):
            return True
        follows = core and _without_lead(_words(rest))[: len(core)] == core
        if not formula and follows and not _is_operator_next(rest, core):
            return True
    return False


def _listed(shown: str, reference: str) -> bool:
    """Whether the text names the members of a set as what comes out: `the roots are 2 and 3`."""
    members = [m.strip() for m in re.sub(r"\\left|\\right|[\\{}$]", "", fold(reference)).split(",")]
    if (
        len(members) < 2
        or not _SET.match(reference.strip())
        or not all(re.fullmatch(r"-?[\w./^]+", m) for m in members)
    ):
        return False
    for match in _OUTCOME.finditer(fold(shown)):
        told = re.split(r"\s*(?:,|\band\b|\bor\b)\s*", re.sub(r"[\\{}$]|\b[a-z]\s*=\s*", "", match[1]).strip(" ."))
        if sorted(filter(None, told)) == sorted(members):
            return True
    return False


def _without_lead(found: Sequence[str]) -> list[str]:
    start = next((i for i, word in enumerate(found) if word not in _LEAD), 0)
    return list(found[start:])


def _is_operator_next(rest: str, wanted: Sequence[str]) -> bool:
    """Whether the text goes on as another formula: `the result is 5 + x` does not state 5."""
    last = re.search(r"\W+".join(map(re.escape, wanted)), rest)
    return bool(last and re.match(r"\s*(?:[+*/^=<>-]|%|\.\d|,\d)", rest[last.end() :]))


def _place(shown: str, reference: str, wanted: Sequence[str], formula: bool) -> str:
    """The words round the answer where it stands in the text as it is; empty if it does not."""
    if formula:
        squeezed, answer = _squeezed(shown), _squeezed(reference)
        at = squeezed.find(answer)
        while at >= 0:
            before, after = squeezed[at - 1 : at] if at else "", squeezed[at + len(answer) : at + len(answer) + 1]
            if not _goes_on(before, answer[0]) and not _goes_on(after, answer[-1]):
                return squeezed[max(0, at - 20) : at + len(answer) + 20]
            at = squeezed.find(answer, at + 1)
        return ""
    there = _words(shown)
    at = _find(there, wanted)
    return " ".join(there[max(0, at - 6) : at + len(wanted) + 6]) if at >= 0 else ""


def _squeezed(text: str) -> str:
    """A text with formulas as they compare: no commands of mere layout, spaces between words only."""
    plain = _FORMULA_NOISE.sub(" ", fold(text)).replace("**", "^").replace("\\cdot", "*")
    return re.sub(r"\s*([^\w\s])\s*", r"\1", plain).strip(" .")


def _goes_on(beside: str, edge: str) -> bool:
    """Whether the character beside a formula makes it a part of a longer one."""
    return bool(beside) and (beside in "+-*/^_\\" or (beside.isalnum() and edge.isalnum()))


def _is_formula(reference: str) -> bool:
    """Whether a reference is mathematics, with hardly a word."""
    return bool(_FORMULA.search(reference)) and len(re.findall(r"[^\W\d_]{3,}", _COMMAND.sub(" ", reference))) < 2


def _find(there: Sequence[str], wanted: Sequence[str]) -> int:
    n = len(wanted)
    spots = (i for i in range(len(there) - n + 1) if there[i] == wanted[0] and list(there[i : i + n]) == list(wanted))
    return next(spots, -1) if n else -1


def _contains(there: Sequence[str], wanted: Sequence[str]) -> bool:
    return _find(there, wanted) >= 0


def _grams(found: Sequence[str]) -> list[tuple[str, ...]]:
    """Word 5-grams; of a shorter text, the text itself unless it is function words."""
    if len(found) < _N:
        return [tuple(found)] if len(found) > 2 and not set(found) <= STOPWORDS else []
    return [tuple(found[i : i + _N]) for i in range(len(found) - _N + 1)]


PLUGIN = Leakage
