"""HTML: the page's own text as Markdown, nothing of what is around it, whatever shape the page is in."""

import time

import pytest

from autodata_dspy.documents import load_documents
from autodata_dspy.types import Document

WORDS = "The keeper climbs the stairs"


@pytest.fixture
def text_of(tmp_path):
    def read(body, name="page.html"):
        (tmp_path / name).write_text(f"{body}", "utf-8")
        return load_documents(tmp_path / name)[0].text

    return read


def test_a_page_is_one_document_with_its_own_title_and_licence(tmp_path):
    page = f"""<!DOCTYPE html><html><head><title>Sea
        lights</title><link rel="license" href="https://example.org/by"></head><body><p>{WORDS}.</p></body></html>"""
    (tmp_path / "p.htm").write_text(page)
    assert load_documents(tmp_path / "p.htm", "m") == [
        Document("p.htm", f"{WORDS}.", "Sea lights", "m", "p.htm", "https://example.org/by")
    ]


@pytest.mark.parametrize(
    ("page", "title"), [("<h1>On <i>oil</i></h1>", "On oil"), ("", "page"), ("<title> </title>", "page")]
)
def test_without_a_title_the_first_heading_or_the_file_names_the_page(tmp_path, page, title):
    (tmp_path / "page.html").write_text(f"{page}<p>{WORDS}</p>")
    assert load_documents(tmp_path / "page.html")[0].title == title


@pytest.mark.parametrize(
    "around",
    [
        "<script>var lamp = 1</script>",
        "<style>p {color: red}</style>",
        "<nav><a href='/'>Home</a></nav>",
        "<header><h1>Our site</h1></header>",
        "<footer>All rights</footer>",
        "<article><footer>Posted by</footer></article>",
        "<aside>Read on</aside>",
        "<noscript>Switch it on</noscript>",
        "<template><p>later</p></template>",
        "<p hidden>secret</p>",
        "<div aria-hidden='true'>icon</div>",
        "<div style='color: red; DISPLAY : none'>gone</div>",
        "<span style='visibility:hidden'>gone</span>",
        "<!-- a comment -->",
        "<button>Buy</button><select><option>One</option></select>",
    ],
)
def test_what_is_around_the_text_or_hidden_is_left_out(text_of, around):
    assert text_of(f"{around}<p>{WORDS}</p>{around}") == WORDS


@pytest.mark.parametrize("room", ["article", "main", "section"])
def test_the_header_of_an_article_holds_its_heading_and_stays(text_of, room):
    assert text_of(f"<{room}><header><h2>Oil</h2></header><p>{WORDS}</p></{room}>") == f"## Oil\n\n{WORDS}"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<h1>A <b>lamp</b></h1>\n<h3>Of\n oil</h3>", "# A lamp\n\n### Of oil"),
        ("<h2></h2><p>No heading</p>", "No heading"),
        ("<p>one\n  two<b> three</b> <i>four</i>&nbsp;five</p>", "one two three four five"),
        ("<p>un<b>broken</b> word</p>", "unbroken word"),
        ("<p>one</p><div><div>two</div></div>three", "one\n\ntwo\n\nthree"),
        ("one<br>two<br><br>three", "one\ntwo\n\nthree"),
        ("<ul><li>oil</li> <li><b>gas</b></li><li></li></ul>", "- oil\n- gas"),
        ("<ol><li>oil</li><li>gas</li></ol>", "1. oil\n2. gas"),
        ("<ul><li>oil<ul><li>whale</li></ul></li></ul>", "- oil\n- whale"),
        ("<ul><li><p>oil</p></li></ul>", "- oil"),
        ("<ul><li>oil<li>gas</ul>", "- oil\n- gas"),
        ("<dl><dt>Lens</dt><dd>glass</dd></dl>", "Lens\nglass"),
        (
            "<table><tr><th>Year</th><th>Lamp</th></tr><tr><td>1800</td><td>oil |\n<p>wick</p></td></tr></table>",
            "| Year | Lamp |\n| --- | --- |\n| 1800 | oil \\| wick |",
        ),
        ("<table><tr><td></td></tr><tr><td>oil</td></tr></table>", "| oil |"),
        ("<table><tr><td><h2>Oil</h2><p>One</p></td><td>Two</td></tr></table>", "## Oil\n\nOne\n\nTwo"),
        ("<table><tr><td><table><tr><td>a</td></tr></table></td></tr></table>", "| a |"),
        ("<pre>if x:\n    # note\n    y</pre>", "```\nif x:\n    # note\n    y\n```"),
        ("<p>10<sup>2</sup>, x<sup><i>n</i></sup>, 1<sup>st</sup>, said<sup>[3]</sup></p>", "10^2, x^n, 1st, said[3]"),
        ("<p>&lt;p&gt; &amp; &auml;</p>", "<p> & ä"),
    ],
)
def test_the_text_reads_as_markdown(text_of, html, text):
    assert text_of(f"{html}<p>{WORDS}</p>") == f"{text}\n\n{WORDS}"


@pytest.mark.parametrize(
    "formula",
    [
        r'<math alttext="{\displaystyle x^2}"><mi>x</mi><mn>2</mn></math>',
        '<span><math><semantics><mi>x</mi><annotation encoding="application/x-tex">x^2</annotation></semantics></math></span>'
        '<span aria-hidden="true">x2</span>',
        r'<img class="mwe-math-fallback-image-inline" aria-hidden="true" alt="{\displaystyle x^2}">',
        r'<span style="display: none"><math alttext="x^2"></math></span><img class="tex" alt="x^2">',
    ],
)
def test_formulas_are_their_source(text_of, formula):
    assert text_of(f"<p>{WORDS} of {formula} steps</p>") == f"{WORDS} of $x^2$ steps"


def test_pictures_and_formulas_without_a_source_keep_their_words_only(text_of):
    picture = '<img class="text-context" alt="A lamp">'
    assert text_of(f"<p>{picture}{WORDS} <math><mi>x</mi></math></p>") == f"{WORDS} x"


def test_a_page_in_another_encoding_is_read_as_it_declares(tmp_path, caplog):
    page = f'<html><head><meta http-equiv="Content-Type" content="text/html; charset=koi8-r"></head><p>{WORDS} к маяку'
    (tmp_path / "p.html").write_bytes(page.encode("koi8-r"))
    assert load_documents(tmp_path / "p.html")[0].text == f"{WORDS} к маяку" and caplog.messages == []


@pytest.mark.parametrize(
    "unit",
    [
        "<div>",
        "<p>",
        "<table><tr><td>",
        "<tr><td>",
        "<ul><li>",
        "<ol><li>",
        "<sup>",
        "<math>",
        "<article><header>",
        "<h2>",
    ],
)
def test_a_page_nested_without_end_is_read(text_of, unit):
    start = time.monotonic()
    assert WORDS in text_of(unit * 10_000 + WORDS)
    assert time.monotonic() - start < 30  # what grew with the square of the depth took minutes


def test_broken_pages_are_read_as_far_as_they_go(text_of):
    assert text_of(f"<p>{WORDS}</b></div></p <i>up</i").startswith(WORDS)


@pytest.mark.parametrize(
    "unit", ["<![if !IE]>", "<![endif]>", "<![CDATA[ x ]]>", "<!--[if IE]>x<![endif]-->", "<?php x ?>"]
)
def test_declarations_of_old_pages_are_passed_over(text_of, unit):
    assert text_of(f"<p>{unit}{WORDS}</p>") == WORDS


@pytest.mark.parametrize("wrong", ["<![abc", "<![<p>", "&#" + "9" * 5_000 + ";"])
def test_a_page_beyond_parsing_is_refused(tmp_path, refusal, wrong):
    (tmp_path / "w.html").write_text(f"<p>{WORDS}{wrong}</p>")
    assert refusal(tmp_path / "w.html").startswith(f"{tmp_path}/w.html: cannot be read as HTML (…")


def test_nothing_a_page_links_to_is_fetched(text_of):  # the suite blocks sockets, and fails on them
    links = '<link rel="stylesheet" href="http://192.0.2.1/a.css"><img src="http://192.0.2.1/a.png">'
    links += '<iframe src="http://192.0.2.1/"></iframe><!DOCTYPE x [<!ENTITY e SYSTEM "http://192.0.2.1/e">]>'
    assert WORDS in text_of(f"{links}<p>{WORDS}</p>")


@pytest.mark.parametrize("page", ["", "<html><body></body></html>", "<script>one two three four five six</script>"])
def test_a_page_without_text_is_refused(tmp_path, refusal, page):
    (tmp_path / "e.html").write_text(page)
    assert refusal(tmp_path / "e.html").startswith("document 'e.html' is empty or has fewer than 5 words")


def test_a_binary_file_that_calls_itself_a_page_is_refused(tmp_path, refusal):
    (tmp_path / "b.html").write_bytes(b"\x7fELF\x00\x00")
    assert refusal(tmp_path / "b.html").endswith("b.html: is a binary file, not text")


def test_a_page_too_large_is_refused_without_being_read(tmp_path, refusal):
    with (tmp_path / "l.html").open("wb") as sparse:
        sparse.truncate(30_000_000)
    assert refusal(tmp_path / "l.html").endswith("l.html: 30 MB is too large for one page (limit 20 MB); split it")


def test_a_page_with_too_much_text_is_refused(tmp_path, refusal):
    (tmp_path / "l.html").write_text("<p>" + "lamp " * 1_200_000)
    assert refusal(tmp_path / "l.html").endswith("l.html: 6 MB is too large for one document (limit 5 MB); split it")


def test_without_the_library_the_remedy_is_named(tmp_path, refusal, without):
    (tmp_path / "p.html").write_text(f"<p>{WORDS}</p>")
    without("bs4")
    assert refusal(tmp_path / "p.html") == (
        f"{tmp_path}/p.html: reading .html needs bs4; install it with: pip install 'autodata-dspy[documents]'"
    )
