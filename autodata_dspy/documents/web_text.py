"""The tree of an HTML page → Markdown: headings, paragraphs, lists, tables, code.

Without recursion: a page may be nested as deep as it likes.
"""

from __future__ import annotations

import re

from bs4.element import NavigableString, Tag

_HEADINGS = {f"h{n}": "#" * n + " " for n in range(1, 7)}
_PARAGRAPHS = frozenset(
    "address article blockquote body details div dl fieldset figcaption figure form header html main p section "
    "summary table caption".split()
)
_LINES = frozenset("dd dt hr td th tr".split())
_POWER = re.compile(r"[-+−]?\d+|[^\W\d_]")


class _Mark(str):
    """Text that is written as it stands; the words of the page have their white space made one."""


class _Break(_Mark):
    """The end of a line or a paragraph; of several in a row the largest counts."""


class _Lead(_Mark):
    """A mark at the beginning of a line; breaks between it and the words are left out."""


class _End(_Break):
    """The end of what a lead began; where no words came, the lead goes."""


_LINE, _PARAGRAPH = _Break("\n"), _Break("\n\n")


def text_of(root: Tag) -> str:
    """What stands below `root`, with one blank line between paragraphs."""
    layout = _layout_rows(root)
    written: list[str] = []
    waiting: list[object] = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Tag):
            waiting.extend(reversed(_parts(node, layout)))
        elif isinstance(node, _Mark):
            _write_mark(node, written)
        elif type(node) is NavigableString:  # not a comment, a script, …: those are of other types
            words = " ".join(f"x{node}x".split())[1:-1]
            if not written or written[-1][-1:].isspace():
                words = words.lstrip()
            written += [words] if words else []
    lines = "\n".join(line.rstrip() for line in "".join(written).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip()


def _write_mark(mark: _Mark, written: list[str]) -> None:
    last = written[-1] if written else ""
    if isinstance(last, _Lead) and isinstance(mark, _Break):
        if isinstance(mark, _End):
            written.pop()
    elif isinstance(last, _Break) and isinstance(mark, _Break):
        written[-1] = max(last, mark, key=len)
    else:
        written.append(mark)


def _layout_rows(root: Tag) -> set[int]:
    """Table rows (their `id()`) that hold other rows or headings: they lay out a page, and are no rows of data."""
    found: set[int] = set()
    waiting: list[tuple[Tag, Tag | None]] = [(root, None)]
    while waiting:
        tag, row = waiting.pop()
        if row is not None and (tag.name == "tr" or tag.name in _HEADINGS):
            found.add(id(row))
        inner = tag if tag.name == "tr" else row
        waiting.extend((child, inner) for child in tag.children if isinstance(child, Tag))
    return found


def _parts(tag: Tag, layout: set[int]) -> list[object]:
    """What to write for a tag, in order: marks, and the children that are still to be looked at."""
    name, children = tag.name, list[object](tag.children)
    if name in _HEADINGS:
        return [_PARAGRAPH, _Lead(_HEADINGS[name]), *children, _End("\n\n")]
    if name in ("ul", "ol"):
        return _list(tag)
    if name == "li":  # one that its list did not write: the end of the item before it is missing
        return [_LINE, _Lead("- "), *children, _End("\n")]
    if name == "pre":
        return [_PARAGRAPH, _Mark(f"```\n{tag.get_text().strip(chr(10))}\n```"), _PARAGRAPH]
    if name == "sup" and (power := _power(tag)):
        return [_Mark(power)]
    if name == "tr" and id(tag) not in layout:
        return _row(tag)
    if name == "br":
        return [_Mark("\n")]
    if name in _PARAGRAPHS:
        return [_PARAGRAPH, *children, _PARAGRAPH]
    return [_LINE, *children, _LINE] if name in _LINES else children


def _power(tag: Tag) -> str:
    """`^2` of 10², which must not become 102; empty for a footnote's sign or an ordinal."""
    only = tag.contents[0] if len(tag.contents) == 1 else ""
    if isinstance(only, Tag):  # one level down, as in <sup><i>n</i></sup>
        only = only.contents[0] if len(only.contents) == 1 else ""
    return f"^{only.strip()}" if isinstance(only, str) and _POWER.fullmatch(only.strip()) else ""


def _list(tag: Tag) -> list[object]:
    gap = _LINE if tag.parent is not None and tag.parent.name == "li" else _PARAGRAPH
    parts: list[object] = [gap]
    n_items = 0
    for child in tag.children:
        if isinstance(child, Tag) and child.name == "li":
            n_items += 1
            lead = f"{n_items}. " if tag.name == "ol" else "- "
            parts += [_LINE, _Lead(lead), *child.children, _End("\n")]
        else:
            parts.append(child)
    return [*parts, gap]


def _row(tag: Tag) -> list[object]:
    """A row of data; a row of headers gets the rule below it that Markdown wants."""
    cells = [child for child in tag.children if isinstance(child, Tag) and child.name in ("td", "th")]
    texts = [" ".join(text_of(cell).split()).replace("|", "\\|") for cell in cells]
    if not any(texts):
        return []
    rule = f"\n|{' --- |' * len(cells)}" if all(cell.name == "th" for cell in cells) else ""
    return [_LINE, _Mark(f"| {' | '.join(texts)} |{rule}"), _LINE]
