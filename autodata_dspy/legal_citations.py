"""Finds legal citations in a text and writes each in one canonical form.

Case reporters, state codes and journals are recognised by eyecite (the extra `law`); statutes and
regulations of the United States, its Constitution, sections and articles without a code, EU law, UK
statutes and neutral citations, and German codes by patterns of our own.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from autodata_dspy.errors import ConfigError

# A number is no section where it opens the next citation: "§ 107, 17 U.S.C. § 106", "§ 2, 410 U.S. 113".
_SECTION = r"(?<!\d)\d{1,6}[A-Za-z]{0,3}(?:[-–.]\d{1,6}[A-Za-z]{0,3}){0,4}(?![\w%])(?!\s?(?:U\.?\s?S\.?|C\.?\s?F\.?\s?R|F\.|S\.\s?Ct))"
_PATH = r"(?:\((?:[A-Za-z]{1,5}|\d{1,3}[A-Za-z]?)\)){0,8}"
_MORE = r"\s?(?:,\s?and|,\s?or|,|;|and|or|&|to|through|–|-)\s?"
_PLURAL = rf"(?:§§|[Ss]ections|[Ss]ecs\.?|SECTIONS)\s?{_SECTION}{_PATH}(?:{_MORE}(?:§+\s?)?{_SECTION}{_PATH}){{0,30}}"
_ONE_SIGN = r"(?:§|[Ss]ection|[Ss]ec\.?|SECTION)"
_SINGLE = (
    rf"{_ONE_SIGN}\s?{_SECTION}{_PATH}(?:{_MORE}§\s?{_SECTION}{_PATH}){{0,30}}"  # "§ 107, 3 factors" is one section
)
_SECTIONS = rf"(?P<list>{_PLURAL}|{_SINGLE})"
_BARE = rf"(?P<bare>{_SECTION}{_PATH})"
_ONE = re.compile(rf"({_SECTION})({_PATH})")
_LABEL = re.compile(r"\(([^()]+)\)")
_MAX_CHARS = 400_000


@dataclass(frozen=True, slots=True)
class Citation:
    """One citation.

    Attributes:
        form: canonical form with `{}` where subdivisions stand: `17 U.S.C. § 107{}`, `Art. 6{} GDPR`.
        path: subdivisions, outermost first: ("1", "f").
        kind: "usc", "cfr", "section", "article", "recital", "eu", "neutral", "constitution", "act", "code",
            or "reporter".
        text: as it stands in the text.
        start: where.
        year: of a decision, where it is given with the citation; else 0.
    """

    form: str
    path: tuple[str, ...]
    kind: str
    text: str
    start: int
    year: int = 0

    @property
    def base(self) -> str:
        """Without subdivisions: `17 U.S.C. § 107`, `Art. 6 GDPR`, `§ 12`, `[2015] UKSC 11`."""
        return self.form.replace("{}", "")

    @property
    def canonical(self) -> str:
        """With its subdivisions: `17 U.S.C. § 107(1)`, `Art. 6(1)(f) GDPR`."""
        clause = ", cl. {}" if self.kind == "constitution" else "({})"
        return self.form.replace("{}", "".join(clause.replace("{}", label) for label in self.path))


_INSTRUMENTS = {
    "GDPR": r"GDPR|DSGVO|DS-GVO|RGPD|General Data Protection Regulation|Regulation \(EU\) (?:No\.? )?2016/679",
    "TFEU": r"TFEU|AEUV|Treaty on the Functioning of the European Union",
    "TEU": r"TEU|EUV|Treaty on European Union",
    "ECHR": r"ECHR|EMRK|European Convention on Human Rights",
    "CFR (EU)": r"CFREU|EU Charter|Charter of Fundamental Rights(?: of the European Union)?",
    "DSA": r"DSA|Digital Services Act|Regulation \(EU\) 2022/2065",
    "DMA": r"DMA|Digital Markets Act|Regulation \(EU\) 2022/1925",
    "AI Act": r"(?:EU )?AI Act|Artificial Intelligence Act|Regulation \(EU\) 2024/1689",
}
_INSTRUMENT = "|".join(_INSTRUMENTS.values())
_ACT_AFTER = (
    rf",?\s(?:of\s)?(?:the\s)?(?P<act>{_INSTRUMENT}|(?:Regulation \((?:EU|EC)\)(?: No\.?)? \d+/\d+|"
    r"Directive (?:\(EU\) )?\d+/\d+(?:/E[CU])?))"
)
_ARTICLE = (
    rf"\b(?:[Aa]rt(?:icle)?s?\.?|[Aa]rtikel)\s?(?P<number>\d+[a-z]?)(?P<path>{_PATH})"
    r"(?:\s(?:para(?:graph)?\.?|Abs\.)\s?(?P<para>\d+))?"
)
_GERMAN = r"BGB|StGB|GG|ZPO|StPO|HGB|UrhG|UWG|GmbHG|AktG|InsO|BDSG|VwGO|VwVfG|SGB [IVX]+|TMG|MarkenG|PatG|AGG|KSchG|ABGB|OR|ZGB"
_UK_COURT = r"UKSC|UKHL|UKPC|EWCA (?:Civ|Crim)|EWHC|UKUT|UKFTT|EWFC|EWCOP|CSIH|CSOH|NICA|NIQB|UKEAT|EAT"
_ACT = (
    r"\b(?P<act>(?!(?:The|Under|In|See|Of|By|And|That|This|For|Section)\b)(?:[A-Z][\w'’]+\s(?:(?:of|and|the|for|etc\.?)\s|"
    r"\([\w' ]+\)\s)*){1,7}Act(?:\s(?:of\s)?\d{4})?)\b"
)
_ROMAN = r"[IVXLC]+"
_US_CONST = r"(?:U\.?\s?S\.?\s+Const(?:itution|\.)?,?)"

_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("uslm", r"/us/usc/t(?P<title>\d+)/s(?P<number>[\w-]+)(?P<path>(?:/\w+)*)"),
        ("usc", rf"\b(?P<title>\d{{1,4}})\s?U\.?\s?S\.?\s?C\.?(?:\s?A\.)?\s?(?:{_SECTIONS}|{_BARE})"),
        ("usc", r"\b[Tt]itle\s(?P<title>\d{1,2})(?:,?\s(?:of the )?(?:U\.S\. Code|United States Code|U\.S\.C\.))?,?\s"
         + _SECTIONS),
        ("usc", rf"{_SECTIONS}\s(?:of|in)\s[Tt]itle\s(?P<title>\d{{1,2}})\b"),
        ("cfr", rf"\b(?P<title>\d{{1,4}})\s?C\.?\s?F\.?\s?R\.?\s?(?:{_SECTIONS}|(?:[Pp]art\s)?{_BARE})"),
        ("constitution", rf"\b{_US_CONST}\s?(?P<part>[Aa]rt(?:icle|\.)?|[Aa]m(?:end(?:ment|\.)?|dt\.?))\s(?P<number>{_ROMAN}|\d+)"
                         rf"(?:,?\s(?:§|[Ss]ec(?:tion|\.)?)\s?(?P<section>\d+))?(?:,?\s(?:cl\.?|[Cc]lause)\s?(?P<clause>\d+))?"),
        ("constitution", rf"\b(?P<part>Article|Amendment)\s(?P<number>{_ROMAN})\b(?:,?\s(?:§|[Ss]ection)\s?(?P<section>\d+))?"
                         rf"(?:,?\s(?:cl\.|[Cc]lause)\s?(?P<clause>\d+))?(?=[^.;]{{0,40}}\bConstitution)"),
        ("code", rf"§+\s?(?P<number>\d+[a-z]?)(?:\s(?:Abs\.|Absatz)\s?(?P<path>\d+))?(?:\s(?:S\.|Satz)\s?\d+)?(?:\s(?:Nr\.|Nummer)"
                 rf"\s?\d+)?\s(?P<act>{_GERMAN})\b"),
        ("article", rf"{_ARTICLE}{_ACT_AFTER}"),
        ("recital", rf"\b[Rr]ecital\s(?:\()?(?P<number>\d+)\)?(?:{_ACT_AFTER})?"),
        ("article", rf"\b(?P<act>{_INSTRUMENT}),?\s{_ARTICLE}"),
        ("article", _ARTICLE),
        ("eu", r"\b(?P<base>(?:Regulation|Directive) (?:\((?:EU|EC|EEC)\) )?(?:No\.? )?\d+/\d+(?:/(?:EC|EU|EEC))?)"),
        ("eu", r"\b(?P<base>[CTF][-‑–]\d{1,3}/\d\d(?: P)?)\b"),
        ("eu", r"\b(?P<base>ECLI:[A-Z]{2}:[A-Z]+:\d{4}:[A-Z\d.]+\d)"),
        ("neutral", rf"[\[(](?P<year>\d{{4}})[\])]\s(?P<court>{_UK_COURT})\s(?P<number>\d+)(?:\s\((?P<division>[A-Za-z]+)\))?"),
        ("act", rf"(?:{_SECTIONS}|\b[Ss]s?\.?\s?{_BARE})\s(?:of\s)?(?:the\s)?{_ACT}"),
        ("act", rf"{_ACT},?\s(?:{_SECTIONS}|[Ss]s?\.?\s?{_BARE})"),
        ("section", rf"(?<![\w.])(?:{_SECTIONS}|[Ss]s?\.?\s(?=\d+[A-Z]?\(){_BARE})(?!\s?(?:%|percent|hours|days|minutes))"),
    )
)  # fmt: skip

# Forms that name a law or a case and that no list here can be compared with.
_UNRECOGNISED = re.compile(
    r"\b(?:Pub(?:lic|\.)\s?L(?:aw|\.)\s?(?:No\.\s?)?\d{1,4}[-–]\d{1,6}|"
    r"Fed\.\s?R\.\s?(?:Civ|Crim|App|Bankr|Evid)\.\s?(?:P\.\s?)?\d{1,5}|F\.?R\.?(?:C\.?P|E)\.?\s\d{1,5}|"
    r"(?:Federal|Fed\.)\sRules?\sof\s(?:Civil|Criminal|Appellate|Bankruptcy)\sProcedure\s\d{1,5}|"
    r"(?:Federal|Fed\.)\sRules?\sof\sEvidence\s\d{1,5}|"
    r"[A-Z][\w.'’&-]{0,40}(?:\s[\w.'’&-]{1,40}){0,6}?\sv\.\s[A-Z][\w.'’&-]{0,40}(?:,?\s[\w.'’&-]{1,40}){0,8}?,?\s"
    r"\((?:[^()]{0,40}\s)?(?:1[789]|20)\d\d\))"
)
_RUN = re.compile(r"[^\s§()]{200,}")  # no citation holds so long a word; patterns and eyecite would search it for ever
# Begun, but without the number that would make it a citation.
_INCOMPLETE = re.compile(
    r"\b\d{1,2}\sU\.\s?S\.\s?C\.(?!\s?(?:A\.)?\s?(?:§|[Ss]ec|\d))|(?<!§)§+(?!\s?§|\s?\d|\s?[IVX]+\b)|"
    rf"\[\d{{4}}\]\s(?:{_UK_COURT})(?!\s?\d|\s(?:Civ|Crim)\b)|\b[Aa]rt(?:icle|\.)\s(?:GDPR|TFEU|TEU|ECHR)\b|"
    r"\b\d{1,3}\s(?:U\.\s?S\.|F\.(?:2d|3d|4th)|S\.\s?Ct\.)\s(?:_{2,}|\?+|XX+)"
)
_CASE_LIKE = re.compile(r"\d+\s+[A-Z][\w.' ]{0,30}?\s*(?:\d|_{2,})|[A-Z][\w.]*\s+(?:Code|Stat|Laws|Gen)\b|§")
_WINDOW = 300
_YEAR = re.compile(
    r"(?:,\s?\d{1,5}(?:[-–]\d{1,5})?){0,4}\s?\((?:[^()\d]{0,30}(?:\d\w\w\s)?[^()\d]{0,30})?((?:1[789]|20)\d\d)\)"
)


def check_eyecite() -> None:
    """Raises ConfigError when eyecite is not installed."""
    if importlib.util.find_spec("eyecite") is None:
        raise ConfigError("legal citations need eyecite; install it with: pip install 'autodata-dspy[law]'")


def find_citations(text: str) -> list[Citation]:
    """Every citation of a text (its first 400 000 characters), in order; overlapping ones once, the most telling kept.

    Raises:
        ConfigError: eyecite is not installed.
    """
    text = _readable(text)
    taken = bytearray(len(text))
    found: list[Citation] = []

    def add(citations: Iterator[Citation], start: int, end: int) -> None:
        if not any(taken[start:end]):
            taken[start:end] = b"\1" * (end - start)
            found.extend(citations)

    for kind, pattern in _PATTERNS[:-1]:
        for match in pattern.finditer(text):
            add(_READERS[kind](match), *match.span())
    rest = "".join(" " if hidden else character for character, hidden in zip(text, taken, strict=True))
    for citation, end in _by_eyecite(rest):
        add(iter([citation]), citation.start, end)
    for match in _PATTERNS[-1][1].finditer(text):  # bare sections last: most other forms hold one
        add(_sections(match), *match.span())
    return sorted(found, key=lambda c: (c.start, c.canonical))


def incomplete_citations(text: str) -> list[str]:
    """Stretches that begin a citation and lack its number."""
    return [m[0].strip() for m in _INCOMPLETE.finditer(_readable(text))]


def unrecognised_citations(text: str, found: Sequence[Citation]) -> list[str]:
    """Public laws, federal rules and cases with a year in parentheses that are none of the citations `found`."""
    spans = [(c.start, c.start + len(c.text)) for c in found]
    forms = _UNRECOGNISED.finditer(_readable(text))
    return [m[0] for m in forms if not any(m.start() < end and start < m.end() for start, end in spans)]


def beyond(text: str) -> int:
    """Characters of a text that are not read."""
    return max(0, len(text) - _MAX_CHARS)


def _readable(text: str) -> str:
    return _RUN.sub("…", re.sub(r"\s+", " ", text[:_MAX_CHARS]))


def _each(match: re.Match[str], head: str, kind: str) -> Iterator[Citation]:
    """One citation for each section of a list (`§§ 106, 106A and 107(1)`); of a range, its ends."""
    listed = match["list"] or match["bare"]
    if re.match(r"(?i)§§|sections|secs", listed):  # `§§ 101-103` is a range, `§ 300aa-1` a section
        listed = re.sub(r"(?<=\d)[-–](?=\d)", " to ", listed)
    for number, path in _ONE.findall(listed):
        form = f"{head} § {number.replace('–', '-')}{{}}".strip()
        yield Citation(form, tuple(_LABEL.findall(path)), kind, match[0].strip(), match.start())


def _usc(match: re.Match[str]) -> Iterator[Citation]:
    return _each(match, f"{match['title']} U.S.C.", "usc")


def _uslm(match: re.Match[str]) -> Iterator[Citation]:
    path = tuple(p for p in match["path"].split("/") if p)
    yield Citation(f"{match['title']} U.S.C. § {match['number']}{{}}", path, "usc", match[0], match.start())


def _cfr(match: re.Match[str]) -> Iterator[Citation]:
    return _each(match, f"{match['title']} C.F.R.", "cfr")


def _sections(match: re.Match[str]) -> Iterator[Citation]:
    return _each(match, "", "section")


def _act(match: re.Match[str]) -> Iterator[Citation]:
    return _each(match, re.sub(r" of (?=\d{4}$)", " ", match["act"]), "act")


def _german(match: re.Match[str]) -> Iterator[Citation]:
    path = (match["path"],) if match["path"] else ()
    yield Citation(f"§ {match['number']}{{}} {match['act']}", path, "code", match[0], match.start())


def _article(match: re.Match[str]) -> Iterator[Citation]:
    groups = match.groupdict()
    path = tuple(_LABEL.findall(match["path"])) or tuple(filter(None, [groups.get("para")]))
    form = f"Art. {match['number']}{{}} {_instrument(groups.get('act'))}".strip()
    yield Citation(form, path, "article", match[0].strip(), match.start())


def _recital(match: re.Match[str]) -> Iterator[Citation]:
    base = f"Recital {match['number']} {_instrument(match['act'])}".strip()
    yield Citation(base, (), "recital", match[0].strip(), match.start())


def _instrument(name: str | None) -> str:
    if not name:
        return ""
    return next((short for short, pattern in _INSTRUMENTS.items() if re.fullmatch(pattern, name)), name)


def _eu(match: re.Match[str]) -> Iterator[Citation]:
    base = re.sub(r"[‑–]", "-", match["base"]).replace("No. ", "").replace("No ", "")
    yield Citation(_instrument(base), (), "eu", match[0], match.start())


def _constitution(match: re.Match[str]) -> Iterator[Citation]:
    part = "art." if match["part"].lower().startswith("art") else "amend."
    number = match["number"] if not match["number"].isdigit() else _roman(int(match["number"]))
    base = f"U.S. Const. {part} {number}" + (f", § {match['section']}" if match["section"] else "")
    path = (match["clause"],) if match["clause"] else ()
    yield Citation(base + "{}", path, "constitution", match[0].strip(), match.start())


def _neutral(match: re.Match[str]) -> Iterator[Citation]:
    division = f" ({match['division']})" if match["division"] and match["court"] in ("EWHC", "UKUT", "UKFTT") else ""
    base = f"[{match['year']}] {match['court']} {match['number']}{division}"
    yield Citation(base, (), "neutral", match[0], match.start())


def _roman(number: int) -> str:
    signs = ((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))
    text = ""
    for value, sign in signs:
        text += sign * (number // value)
        number %= value
    return text


_READERS: dict[str, Callable[[re.Match[str]], Iterator[Citation]]] = {
    "uslm": _uslm,
    "usc": _usc,
    "cfr": _cfr,
    "constitution": _constitution,
    "code": _german,
    "article": _article,
    "recital": _recital,
    "eu": _eu,
    "neutral": _neutral,
    "act": _act,
}


def _by_eyecite(text: str) -> Iterator[tuple[Citation, int]]:
    """Full citations of cases, other laws and journals; with where each ends."""
    check_eyecite()
    eyecite, models = importlib.import_module("eyecite"), importlib.import_module("eyecite.models")
    full = (models.FullCaseCitation, models.FullLawCitation, models.FullJournalCitation)
    for start, end in _windows(text):  # eyecite takes 12 s for a megabyte; most of a text holds no citation
        for citation in eyecite.get_citations(text[start:end]):
            if isinstance(citation, full) and "___" not in citation.matched_text():
                first, last = citation.span()
                # Its corrected form of a law loses words: "Cal. Civ. Code" and "Cal. Penal Code" become one.
                is_law = isinstance(citation, models.FullLawCitation)
                base = " ".join(citation.matched_text().split()) if is_law else citation.corrected_citation()
                yield (
                    Citation(base, (), "reporter", citation.matched_text(), start + first, _year(text, start + last)),
                    start + last,
                )


def _year(text: str, end: int) -> int:
    """The year in the parenthesis that follows a citation: `410 U.S. 113, 115 (1974)`, `(2d Cir. 1999)`."""
    found = _YEAR.match(text, end)
    return int(found[1]) if found else 0


def _windows(text: str) -> Iterator[tuple[int, int]]:
    """Stretches round everything that looks like a volume and a page or like a code."""
    start = end = -1
    for match in _CASE_LIKE.finditer(text):
        if match.start() - _WINDOW > end:
            if end > 0:
                yield max(0, start), end
            start = match.start() - _WINDOW
        end = match.end() + _WINDOW
    if end > 0:
        yield max(0, start), end
