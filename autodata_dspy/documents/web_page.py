"""HTML pages: what a reader sees of the page's own text, as Markdown. Nothing that a page links to is fetched."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from autodata_dspy.documents.checks import check_size, n_bytes
from autodata_dspy.documents.encoding import decode, read_bytes
from autodata_dspy.documents.libraries import library
from autodata_dspy.errors import ConfigError
from autodata_dspy.types import Document

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

MAX_PAGE_BYTES = 20_000_000  # the tree of a page takes twenty times its size in memory
_FURNITURE = frozenset(
    "script style noscript template nav footer aside title iframe object svg canvas audio video "
    "button select textarea dialog".split()
)
_CONTENT = ("article", "main", "section")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_DECLARED = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.I)
_FORMULA_PICTURE = re.compile(r"(?<![a-z])(?:math|tex|latex)(?![a-z])", re.I)
_DISPLAY = re.compile(r"^\{\\(?:display|text)style\s(.*)\}$", re.S)


def read(path: Path, name: str, domain: str) -> list[Document]:
    """One document; its title and licence are the page's own where it tells them.

    Raises:
        ConfigError: too large, binary, beyond parsing, in an encoding that cannot be told, or Beautiful Soup is not
            installed.
    """
    library("bs4", path)
    from autodata_dspy.documents.web_text import text_of

    data = read_bytes(path, MAX_PAGE_BYTES, "one page")
    declared = _DECLARED.search(data[:4096])
    page = decode(data, str(path), declared[1].decode("ascii") if declared else "")
    soup = _parsed(page, path)
    title, licence = _title(soup) or path.stem, _licence(soup)
    for tag in list(_striking(soup)):  # a list first: the tree must not change under the walk
        latex = _latex(tag)
        tag.replace_with(f"${latex}$") if latex else tag.decompose()
    text = text_of(soup)
    check_size(n_bytes(text), str(path))
    return [Document(name, text, title, domain, path.name, licence)]


def _parsed(page: str, path: Path) -> BeautifulSoup:
    from bs4 import BeautifulSoup
    from bs4.exceptions import ParserRejectedMarkup

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a page that looks like XML or like a file name is still read as a page
            return BeautifulSoup(page, "html.parser")
    except (ParserRejectedMarkup, ValueError) as error:
        reason = " ".join(str(error).split())[-100:]
        raise ConfigError(f"{path}: cannot be read as HTML (…{reason}); mend it, or save its text as .txt") from None


def _title(soup: BeautifulSoup) -> str:
    found = soup.find("title") or soup.find("h1")
    return " ".join(found.get_text().split())[:200] if found else ""


def _licence(soup: BeautifulSoup) -> str:
    """Where a page says `rel="license"`, the address of its licence."""
    link = soup.find(["a", "link"], rel="license", href=True)
    return str(link["href"]) if link else ""


def _striking(soup: BeautifulSoup) -> Iterator[Tag]:
    """Formulas and pictures, and what is around a page's text or not to be seen.

    One walk without recursion: a page may be nested as deep as it likes.
    """
    from bs4 import Tag

    waiting: list[tuple[Tag, bool]] = [(soup, False)]
    while waiting:
        parent, in_content = waiting.pop()
        for tag in parent.children:
            if not isinstance(tag, Tag):
                continue
            if _latex(tag) or _is_furniture(tag, in_content):
                yield tag
            elif tag.name != "math":  # searched already; a search at every level of a deep one would take hours
                waiting.append((tag, in_content or tag.name in _CONTENT))


def _latex(tag: Tag) -> str:
    """A formula's source where the page holds it; what browsers draw instead reads as a jumble of letters."""
    latex = ""
    if tag.name == "math":
        source = tag.find("annotation", encoding="application/x-tex")
        latex = source.get_text() if source else str(tag.get("alttext") or "")
    elif tag.name == "img" and _FORMULA_PICTURE.search(str(tag.get("class") or "")):
        latex = str(tag.get("alt") or "")
    return _DISPLAY.sub(r"\1", latex.strip()).strip()


def _is_furniture(tag: Tag, in_content: bool) -> bool:
    if tag.name in _FURNITURE:
        return True
    if tag.name == "header":  # the page's own goes; that of an article or a section holds its heading
        return not in_content
    hidden = tag.has_attr("hidden") or tag.get("aria-hidden") == "true"
    return hidden or bool(_HIDDEN.search(str(tag.get("style") or "")))
