"""Quote grounding on real statutes: 500 true quotes with noise, 500 altered ones."""

import random
import re

import pytest
import real_data

from autodata_dspy.verifiers.quote_grounding import QuoteGrounding

N = 500


@pytest.fixture(scope="module")
def statutes():
    return [row["text"] for row in real_data.rows("corpora/law_us_code.jsonl")]


def span(rng, statutes):
    """A stretch of 8 to 40 words of one statute, as it stands there."""
    text = rng.choice(statutes)
    gaps = [m.start() for m in re.finditer(r"\s+", text)]
    n_words = rng.randint(8, 40)
    first = rng.randrange(len(gaps) - n_words)
    return text, text[gaps[first] : gaps[first + n_words]].strip()


def flat(text):
    return re.sub(r"\W+", " ", text).lower()


def break_a_word(rng, text):
    spots = [m.start() for m in re.finditer(r"(?<=[a-z]{3})(?=[a-z]{3})", text)]
    at = rng.choice(spots) if spots else 0
    return f"{text[:at]}-\n   {text[at:]}" if at else text


NOISE = [
    lambda rng, t: t.upper(),
    lambda rng, t: t.lower(),
    lambda rng, t: re.sub(r"\s+", " ", t),
    lambda rng, t: re.sub(r" ", lambda _: rng.choice([" ", "\n", "  ", "\t", "\u00a0", "\u2009"]), t),
    lambda rng, t: t.replace("“", '"').replace("”", '"').replace("’", "'").replace("‘", "'"),
    lambda rng, t: t.replace("“", "‘").replace("”", "’"),
    lambda rng, t: t.replace("—", "-").replace("–", "-"),
    lambda rng, t: t.replace("—", " — ").replace("–", "–"),
    lambda rng, t: t.replace("-", "\u2011"),
    lambda rng, t: t.replace("fi", "ﬁ").replace("fl", "ﬂ"),
    lambda rng, t: re.sub(r"(?<=[a-z]{4})(?=[a-z]{4})", "\u00ad", t),
    lambda rng, t: t.replace(" of ", " of\u200b ").replace(" the ", " \ufeffthe "),
    lambda rng, t: t + rng.choice([".", ",", ";", " …", "..."]),
    break_a_word,
]


def negate(rng, text):
    if re.search(r"\bnot\b", text):
        return re.sub(r"\bnot\s+", "", text, count=1)
    return re.sub(r"\b(shall|may|is|are|was|be|have|has)\b(?=\s+\w)", r"\1 not", text, count=1)


def renumber(rng, text):
    def other(match):
        return str(int(match[0]) + rng.choice([1, 2, 10]))

    return re.sub(r"(?<![\d.,])\d{1,4}(?![\d.,])", other, text, count=1)


PARTIES = [
    ("plaintiff", "defendant"), ("owner", "user"), ("author", "publisher"), ("debtor", "creditor"),
    ("court", "agency"), ("secretary", "president"), ("person", "corporation"), ("employer", "employee"),
    ("state", "tribe"), ("congress", "commission"), ("copyright", "patent"),
]  # fmt: skip


def swap_parties(rng, text):
    for one, other in rng.sample(PARTIES, len(PARTIES)):
        changed = re.sub(
            rf"\b(?:{one}|{other})\b", lambda m, a=one, b=other: b if m[0].lower() == a else a, text, flags=re.I
        )
        if changed != text:
            return changed
    return text


def test_500_true_quotes_with_noise_are_all_found(statutes):
    rng, verifier, lost = random.Random(1), QuoteGrounding(), []
    for _ in range(N):
        text, quote = span(rng, statutes)
        for change in rng.sample(NOISE, rng.randint(1, 4)):
            quote = change(rng, quote)
        verdict = verifier.verify([quote], context=text)
        if not verdict.passed:
            lost.append((quote, verdict.feedback))
    assert lost == []


def test_500_altered_quotes_are_all_refused(statutes):
    rng, verifier, passed = random.Random(2), QuoteGrounding(), []
    kinds = dict.fromkeys((negate, renumber, swap_parties), 0)
    while sum(kinds.values()) < N:
        text, quote = span(rng, statutes)
        alter = min(kinds, key=lambda kind: kinds[kind])
        altered = alter(rng, quote)
        if flat(altered) in flat(text):  # nothing changed, or the change is in the document too
            continue
        kinds[alter] += 1
        if rng.random() < 0.5:
            altered = rng.choice(NOISE)(rng, altered)
        verdict = verifier.verify([altered], context=text)
        if verdict.score != 0.0:
            passed.append((altered, verdict))
    assert passed == []
    assert min(kinds.values()) >= N // 3
