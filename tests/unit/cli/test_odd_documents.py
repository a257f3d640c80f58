"""Documents of odd kinds: each ends in accepted examples or in one clear line, never in a traceback."""

import json
import re
import threading
import time

import model_server
import pytest
from command_line import refused, run_here

from autodata_dspy.documents.checks import says_something
from autodata_dspy.domains.base import PASSAGE_CHARS


class Reader(model_server.ModelServer):
    """The models of mathematics, for documents without a plan: all do their work, the weak solver excepted.

    `passages` are what the challenger was shown.
    """

    def __init__(self):
        super().__init__()
        self.passages = []

    def _challenger(self, inputs):
        self.passages.append(inputs["passage"])
        return {
            "question": "Expand (x + 4)^2 as a polynomial in x.",
            "program": "x = symbols('x')\nanswer = expand((x + 4)**2)",
        }


@pytest.fixture
def reader():
    server = Reader()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def generate(reader, tmp_path):
    """→ generate(name, content) → what `autodata generate` said; the file may be text or bytes."""

    def generate(name, content, *more):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        options = ["--documents", path, "--n", "1", "--per-document", "1", "--concurrency", "1", *more]
        return run_here("generate", *reader.flags, *options, "--run-dir", tmp_path / "r")

    return generate


def shown(reader):
    """The text inside the fence of every passage."""
    blocks = [re.fullmatch(r"BEGIN passage (\w{8})\n(.*)\nEND passage \1", p, re.DOTALL) for p in reader.passages]
    return ["\n".join(line.removeprefix("| ") for line in block[2].split("\n")) for block in blocks]


def accepted(ran):
    assert (ran.code, ran.errors) == (0, []), ran.err
    assert "\n1 of 1 examples accepted; documents tried: 1\n" in ran.out
    assert "Traceback" not in ran.err


PAGE = "Page {n}. The parabola y = x^2 + {n} meets the line y = {n}*x where x^2 - {n}*x + {n} = 0. " + 28 * (
    "Its chord between a and b has slope a + b, so the tangent that is parallel to it touches halfway. "
)


def test_a_document_of_200_pages_is_shown_a_passage_at_a_time(generate, reader):
    book = "\n\n".join("\n\n".join(PAGE.format(n=n)[at : at + 700] for at in range(0, 3000, 700)) for n in range(200))
    assert len(book) > 550_000
    started = time.process_time()
    accepted(generate("book.txt", book))
    assert time.process_time() - started < 10
    (passage,) = shown(reader)
    assert 300 < len(passage) <= PASSAGE_CHARS
    assert all(paragraph.strip() in book for paragraph in passage.split("\n\n"))


def test_a_book_is_shown_elsewhere_in_another_pass(generate, reader):
    book = "\n\n".join(f"Page {n}. " + "The line y = 2*x + 1 rises. " * 40 for n in range(200))
    ran = generate("book.txt", book, "--max-rounds", "1", "--passes", "3", "--n", "3")
    assert (ran.code, ran.errors) == (0, [])
    assert len(set(shown(reader))) == 3


def test_a_document_of_20_words_is_shown_whole(generate, reader):
    text = "A chord of y = x^2 from a to b has slope a + b, and half of that is where it touches."
    assert len(text.split()) in range(18, 25)
    accepted(generate("short.txt", text))
    assert shown(reader) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "Eine Sehne der Parabel y = x^2 zwischen a und b hat die Steigung a + b. Für größere Werte wächst sie.",
        "Хорда параболы y = x^2 между точками a и b имеет угловой коэффициент a + b.",
        "抛物线y=x^2在a与b之间的弦的斜率等于a+b。与它平行的切线恰好在中点处与抛物线相切。",
        "ميل الوتر بين النقطتين a و b على القطع المكافئ y = x^2 يساوي a + b دائما.",
    ],
    ids=["German", "Russian", "Chinese", "Arabic"],
)
def test_a_document_in_another_language_is_shown_as_it_is(generate, reader, text):
    accepted(generate("other.txt", text))
    assert shown(reader) == [text]


TABLE = "| n | n^2 | n^3 |\n|---|---|---|\n" + "\n".join(f"| {n} | {n**2} | {n**3} |" for n in range(1, 15))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tables.md", f"{TABLE}\n\n{TABLE.replace('n', 'm')}"),
        (
            "tables.html",
            "<html><body><table>"
            + "".join(f"<tr><td>{n}</td><td>{n**2}</td><td>{n**3}</td></tr>" for n in range(1, 15))
            + "</table></body></html>",
        ),
    ],
)
def test_a_document_of_tables_alone_is_shown_with_its_rows(generate, reader, name, content):
    accepted(generate(name, content))
    (passage,) = shown(reader)
    assert re.search(r"14\W+196\W+2744", passage)
    assert all(line.startswith("| ") for line in reader.passages[0].splitlines()[1:-1])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("markup.html", "<html><body><div><br/></div><script>var a, b, c, d, e, f;</script></body></html>"),
        ("markup.md", '<div class="a b c"> </div> <br/> <p> </p> <hr/> <b> </b> <!-- one two three four five -->'),
        ("unseen.txt", "\u200b \u200b\u2060 \ufeff \u200d \u200b \u200b \u200b"),
        ("signs.txt", "--- *** === ### ||| --- *** ==="),
        ("row.jsonl", json.dumps({"id": "a", "text": "<p> <p> <p> <p> <p> <p>"})),
    ],
)
def test_a_document_that_is_empty_once_it_is_cleaned_is_refused_before_any_call(reader, tmp_path, name, content):
    (tmp_path / name).write_text(content)
    arguments = ["--documents", tmp_path / name, *reader.flags, "--run-dir", tmp_path / "r"]
    refused("generate", *arguments, says="is empty or has fewer than 5 words; remove it or give it text")
    assert reader.requests == [] and not (tmp_path / "r").exists()


@pytest.mark.parametrize("text", ["<" * 1_000_000, "<a" * 500_000, "<!--" * 250_000, "\u200b " * 500_000, "<a b" * 9])
def test_looking_for_words_takes_no_more_than_a_moment(text):
    started = time.process_time()
    says_something(text)
    assert time.process_time() - started < 5
