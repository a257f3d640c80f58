"""How legal citations are written, and the one canonical form of each: all that eyecite does not know.

Statutes and regulations of the United States, its Constitution, sections and articles without a code,
EU law, UK statutes and neutral citations, and German codes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

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
UK_COURT = r"UKSC|UKHL|UKPC|EWCA (?:Civ|Crim)|EWHC|UKUT|UKFTT|EWFC|EWCOP|CSIH|CSOH|NICA|NIQB|UKEAT|EAT"
_ACT = (
    r"\b(?P<act>(?!(?:The|Under|In|See|Of|By|And|That|This|For|Section)\b)(?:[A-Z][\w'’]+\s(?:(?:of|and|the|for|etc\.?)\s|"
    r"\([\w' ]+\)\s)*){1,7}Act(?:\s(?:of\s)?\d{4})?)\b"
)
_ROMAN = r"[IVXLC]+"
_US_CONST = r"(?:U\.?\s?S\.?\s+Const(?:itution|\.)?,?)"

PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
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
        ("neutral", rf"[\[(](?P<year>\d{{4}})[\])]\s(?P<court>{UK_COURT})\s(?P<number>\d+)(?:\s\((?P<division>[A-Za-z]+)\))?"),
        ("act", rf"(?:{_SECTIONS}|\b[Ss]s?\.?\s?{_BARE})\s(?:of\s)?(?:the\s)?{_ACT}"),
        ("act", rf"{_ACT},?\s(?:{_SECTIONS}|[Ss]s?\.?\s?{_BARE})"),
        ("section", rf"(?<![\w.])(?:{_SECTIONS}|[Ss]s?\.?\s(?=\d+[A-Z]?\(){_BARE})(?!\s?(?:%|percent|hours|days|minutes))"),
    )
)  # fmt: skip


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


READERS: dict[str, Callable[[re.Match[str]], Iterator[Citation]]] = {
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
    "section": _sections,
}
