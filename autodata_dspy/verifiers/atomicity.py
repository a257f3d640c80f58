"""Does a task ask one thing?"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from autodata_dspy.subjects import text_of
from autodata_dspy.text import STOPWORDS, sentences, words
from autodata_dspy.types import Verdict
from autodata_dspy.verifiers.base import Checks, Cost, VerifierExample

_VERBS = (
    "find|determine|compute|calculate|evaluate|prove|disprove|show|derive|explain|describe|discuss|give|list|state|"
    "identify|compare|contrast|sketch|draw|plot|solve|simplify|factor(?:i[sz]e)?|expand|estimate|write|name|"
    "analy[sz]e|justify|define|construct|decide|summari[sz]e|outline|propose|design|implement|interpret|classify|translate|advise|specify|"
    "differentiate|integrate|verify|argue|predict|recommend|suggest"
)
_WH = "what|which|why|how|who|whom|whose|when|where"
_NO_PROSE = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]*\$(?!\d)|\[asy\].*?(?:\[/asy\]|\Z)|\\\[.*?\\\]|\\\(.*?\\\)|“[^“”]*”|(?<!\w)\"[^\"\n]*\"(?!\w)",
    re.DOTALL,
)
# How to answer is no second task: "round your answer", "justify your reasoning", "show all work".
_DIRECTIVE = re.compile(
    r"(?i)^\W*(?:please\s+)?(?:(?:express|give|write|state|round|report|simplify|leave|enter|put|present|provide|box|"
    r"justify|explain|show|support|format|answer|use|assume|suppose|let|consider|recall|note|hint|remember|do not|don't)"
    r"\b(?:(?!\b(?:find|determine|compute|calculate)\b).)*\b(?:answers?|results?|solutions?|reasoning|work|working|steps|"
    r"form|notation|decimals?|digits?|units|sentences?|words)\b|simplify|(?:assume|suppose|let|consider|recall|note|hint|remember|define|"
    r"use|treat|ignore|do not|don't|denote|write\s+\S+\s+for)\b)"
    # "Write the formula in terms of y.", "List them in a set.": the form of what was asked before, and nothing else
    r"|^\W*(?:write|express|give|state|list|present)\s+(?:it|them|(?:its|their|the)\s+(?:inverse\s+)?(?:formula|equation|"
    r"function|expression|elements|set|roots|members)(?:\s+(?:function|set))?)\s+(?:(?:in|as)\s+(?:terms\s+of\s+|an?\s+)?[\w^*()]+"
    r"(?:\s+(?:and|of)\s+[\w^*()]{1,8})?)\W*$"
    # "Find the points …. Give the coordinates of the points."
    r"|^\W*(?:write|express|give|state|list|present)\s+(?:their\s+coordinates|(?:the\s+)?coordinates\s+of\s+"
    r"(?:the|these|those|all|each|both)\s+(?:such\s+)?points?)\W*$"
)
_MORE_VERBS = (
    "express|give|write|state|answer|divide|multiply|add|subtract|combine|convert|reduce|distribute|build|round|decrypt|"
    "encrypt|diagonalize|enter|invert|rewrite|rank|sort|order|extend"
)
_COMPARISON = re.compile(r"(?i)\bcompare\s+and\s+contrast$")  # one task in two words
_TAG = re.compile(r"(?i)^\W*(?:right|correct|ok(?:ay)?|no|yes|is that so|isn't it|agreed)\W*$")
_ASKS = re.compile(
    rf"(?i)^\W*(?:(?:please|now|then|next|also|finally|first|second|hence|thus|and|(?:step|part|question)\s+\w+[:.)]|"
    rf"(?:for each|if|given|using|under|in)\b[^,]{{0,300}},)\W+)*(?:{_VERBS})\b(?!\()"
)
_SECOND = re.compile(
    rf"(?i)(?:,\s*|;\s*|\.\s+|\band\s+|\bor\s+|\bthen\s+)(?:(?:and|then|also|finally|hence|thus|next|further|so)\s+)*"
    rf"(?P<ask>{_VERBS}|(?:(?:in|on|at|by|to|for|under|of|with)\s+)?(?:{_WH})\b(?!\s+(?:is\s+)?(?:given|shown|defined|"
    rf"called|denoted|known)))\b"
)
_QUANTITIES = (
    "maximum|minimum|mean|median|mode|variance|average|sum|difference|product|quotient|area|perimeter|volume|domain|range|"
    "eigenvalues?|eigenvectors?|length|width|height|radius|cent(?:er|re)|slope|intercepts?|numerator|denominator|advantages?|"
    "disadvantages?|pros|cons|strengths?|weakness(?:es)?|causes?|effects?|time|space|speed|cost|benefits?|risks?|kernel|"
    "image|rank|nullity|trace|determinant|amplitude|period|phase|derivative|integral|largest|smallest|first|last|highest|"
    "lowest|greatest|least|number|probability|expected value|standard deviation|value"
)
_PAIR = re.compile(
    rf"(?i)\b(?:{_VERBS}|what\s+(?:is|are|was|were))\s+(?:both\s+)?(?:the\s+|its\s+|their\s+)?(?:[\w-]+\s+){{0,2}}?"
    rf"(?P<one>{_QUANTITIES})\b(?:\s+of\s+[\w\s']{{1,30}}?)?,?\s+(?:and|as well as|along with|together with)\s+(?:also\s+)?"
    rf"(?:the\s+|its\s+|their\s+)?(?:[\w-]+\s+)?(?P<two>{_QUANTITIES})\b"
)
# One quantity made of two: the ratio of length and width, the sum of the largest and the smallest, time and space.
_ONE_OF_TWO = re.compile(
    r"(?i)\b(?:ratio|sum|difference|product|quotient|relation(?:ship)?|trade-?off|distance|correlation|covariance|angle|"
    r"intersection|union|average|mean|gap|link|connection|balance|common)\s+(?:of|between|to)\b"
)
# `Solve x^2 = 4 and y^2 = 9`: two unknowns, no system ("the system", "simultaneously").
_SECOND_EQUATION = re.compile(
    r"(?i)^(?!.*\b(?:system|simultaneous\w*|both|together)\b)\W*(?:please\s+)?solve\s+(?:the\s+equations?\s+)?"
    r"(?P<first>[^=;?]{0,60}?(?<![a-z])(?P<unknown>[a-z])(?![a-z])[^=;?]{0,60})=[^=;?]{1,60}?\band\s+"
    r"(?:(?!(?<![a-z])(?P=unknown)(?![a-z]))[^=;?]){0,60}(?<![a-z])(?!(?P=unknown))[a-z](?![a-z])"
    r"(?:(?!(?<![a-z])(?P=unknown)(?![a-z]))[^=;?]){0,60}=(?:(?!(?<![a-z])(?P=unknown)(?![a-z]))[^=;?]){1,60}$"
)
_FACTS = "name|date|author|place|year|title|location|age|address|capital|population|colou?r|size|price|founder|owner"
_TWO_FACTS = re.compile(
    rf"(?i)\bwhat\s+(?:is|are|was|were)\s+(?:both\s+)?the\s+(?P<one>{_FACTS})s?\s+and\s+(?:the\s+)?(?!(?P=one))(?:{_FACTS})s?\b"
)
_LABEL = r"(?:[a-h]|[ivx]{1,4}|\d{1,2})"
_PART = re.compile(rf"(?:(?:^|\s)\(?(?P<label>{_LABEL})\)|^(?P<item>{_LABEL})\.)\s+(?=\S)", re.MULTILINE)
_OPTIONS = re.compile(r"(?i)\b(?:which (?:one )?of|following|options?|choices?|choose|select|pick|true or false)\b")
_RESPECTIVELY = re.compile(r"(?i)\b(?:find|determine|compute|calculate|give|state|what\s+are)\b[^.?]*\brespectively\b")
_OPENS = re.compile(
    rf"(?i)^\W*(?:(?:please|now|then|next|also|finally|so|and|but)\W+)*(?:{_VERBS}|(?:(?:in|on|at|by|to|for|under|of|with|"
    rf"from|about)\s+)?(?:{_WH})|is|are|was|were|does|do|did|can|could|should|would|will|must|may|has|have|had|am|shall)\b"
)


class Atomicity:
    """Looks for a second demand in a question; English, by its grammar's surface.

    Fails on more than one question mark or asking sentence, a second verb or question word that asks
    within one (`find x and explain why`), two asked quantities (`the maximum and minimum of`), labelled
    parts. Directives on the form of the answer (`round to two digits`, `justify your answer`), set-ups
    (`let`, `suppose`), options of one choice, and quoted or displayed material do not count.

    Undecided: no text, or one of at least eight words without an English function word.

    Limits: a single noun phrase that holds two things the list of quantities lacks passes.

    Audited on 73 hard cases (benchmarks/README.md):
    precision 1.000, recall 1.000, undecided 0.041.

    Args:
        max_asks: demands that are allowed.
    """

    name: ClassVar[str] = "atomicity"
    checks: ClassVar[Checks] = "challenge"
    cost: ClassVar[Cost] = "free"
    EXAMPLES: ClassVar[tuple[VerifierExample, ...]] = (
        VerifierExample("Let f be even. Determine all x with f(x) = f(2). Justify your answer.", why="one demand"),
        VerifierExample("Find the roots of p and explain why they are real.", expected=False, why="find and explain"),
        VerifierExample("What is the maximum and the minimum of f on [0, 2]?", expected=False, why="two quantities"),
        VerifierExample("", expected=None, why="there is no question"),
    )

    def __init__(self, max_asks: int = 1):
        self.max_asks = max_asks

    def verify(self, subject: Any, reference: str = "", context: str = "") -> Verdict:
        """Score 1 for at most `max_asks` demands, else max_asks / demands.

        Args:
            subject: a challenge (its question counts, not its context) or the question.
            reference: not used.
            context: not used.
        """
        text = text_of(subject, "question")
        if text is None or not text.strip():
            return Verdict.undecidable(f"there is no question in {type(subject).__name__}", self.name)
        prose = _NO_PROSE.sub(" X ", text[:20_000])
        found = words(prose)
        asks = demands(prose)
        if len(asks) <= self.max_asks and len(found) >= 8 and not STOPWORDS.intersection(found):
            return Verdict.undecidable("the question is not in English; its demands cannot be counted", self.name)
        evidence = {"n_asks": len(asks), "asks": [a[:120] for a in asks]}
        if len(asks) <= self.max_asks:
            return Verdict(1.0, "", evidence, self.name)
        shown = "; ".join(f"({i}) {a[:80]}" for i, a in enumerate(asks[:4], 1))
        feedback = f"asks {len(asks)} things: {shown}. Keep one and drop the others"
        return Verdict(self.max_asks / len(asks), feedback, evidence, self.name)


def asks_nothing(question: str) -> bool:
    """Whether nothing in an English text asks or orders: `The solution set of x < 1 is (1, 2).`"""
    return not re.search(rf"(?i)[?？]|\b(?:{_VERBS}|{_WH}|{_MORE_VERBS})\b", question[:20_000])


def demands(prose: str) -> list[str]:
    """Every demand of a question, in order; a question without any recognised demand is one itself."""
    parts = _labelled(prose)
    if parts:
        return parts
    asks: list[str] = []
    for sentence in sentences(prose):
        if _TAG.match(sentence) or _DIRECTIVE.match(sentence):
            continue
        pieces = re.split(r"(?<=[?？])", sentence)
        questions = [q for q in pieces if q.endswith(("?", "？")) and len(q) > 1 and not _TAG.match(q)]
        if not questions and not _ASKS.match(sentence):
            continue
        for one in questions or [sentence]:
            asks += [one.strip(), *_further(one.strip())]
    return asks or [prose.strip()]


def _labelled(prose: str) -> list[str]:
    """Labelled parts that ask, or that follow a stem without a demand of its own; options of a choice are none."""
    labels = list(_PART.finditer(prose))
    if len(labels) < 2 or [m["label"] or m["item"] for m in labels[:2]] not in (["a", "b"], ["i", "ii"], ["1", "2"]):
        return []
    stem = prose[: labels[0].start()]
    if _OPTIONS.search(stem):
        return []
    ends = [m.start() for m in labels[1:]] + [len(prose)]
    parts = [prose[m.end() : end].strip() for m, end in zip(labels, ends, strict=True)]
    asking = [p for p in parts if "?" in p or _ASKS.match(p) or re.match(rf"(?i)(?:{_WH})\b", p)]
    stem_asks = "?" in stem or any(_ASKS.match(s) and not _DIRECTIVE.match(s) for s in sentences(stem))
    return asking if len(asking) > 1 else ([] if stem_asks or asking else parts)


def _further(sentence: str) -> list[str]:
    """Second demands within a sentence that asks."""
    found = []
    asked = bool(_OPENS.match(sentence))
    for match in _SECOND.finditer(sentence):
        rest = sentence[match.start("ask") :]
        if _is_clause(match, sentence[: match.start()]) or _DIRECTIVE.match(rest):
            continue
        if asked and not _COMPARISON.search(sentence[: match.end()]):
            found.append(rest)
        asked = True  # "If n is even, what …": the first demand comes after the set-up
    pair = _PAIR.search(sentence)
    if pair and not found and pair["one"].lower() != pair["two"].lower() and not _ONE_OF_TWO.search(pair[0]):
        found.append(f"the {pair['two']}")
    if not found and _SECOND_EQUATION.search(sentence):
        found.append("a second equation to solve")
    if not found and _TWO_FACTS.search(sentence):
        found.append("a second fact")
    if _RESPECTIVELY.search(sentence) and not found:
        found.append("respectively: several values")
    return found


def _is_clause(match: re.Match[str], before: str) -> bool:
    """Whether `which`, `where`, `who` … opens a relative clause, or `when` a condition, and does not ask.

    After a comma they do (`a set S, which is open`); after `and` they ask (`and why`), unless they go on
    with a clause before it (`a set which is open and which …`).
    """
    word = match["ask"].split()[-1].lower()
    if word not in ("which", "where", "who", "whom", "whose", "when", "what", "how", "why"):
        return False
    joined = re.search(r"(?i)\b(?:and|then|or|also)\b", match[0])
    if not joined:
        return word in ("which", "where", "who", "whom", "whose", "when")
    return word in ("which", "where", "who", "whom", "whose", "when") and bool(
        re.search(rf"(?i)\w\s*,?\s+{word}\b", re.sub(rf"(?i)^\W*{word}\b", "", before))
    )


PLUGIN = Atomicity
