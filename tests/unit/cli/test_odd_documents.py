"""Documents of odd kinds: each ends in accepted examples or in one clear line, never in a traceback."""

import itertools
import json
import re
import threading
import time

import domain_scripts
import model_server
import pytest
import scripted
from command_line import refused, run_here
from domain_scripts import LINES

from autodata_dspy import generate, load_documents, registry
from autodata_dspy.documents.checks import says_something
from autodata_dspy.domains.base import PASSAGE_CHARS
from autodata_dspy.embedded import engine
from autodata_dspy.generators import AgenticSelfInstruct
from autodata_dspy.report.narrative import MEANING
from autodata_dspy.sandbox import monty
from autodata_dspy.sandbox.bubblewrap import Box, find_box


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
def tried(reader, tmp_path):
    """→ tried(name, content) → what `autodata generate` said; the file may be text or bytes."""

    def tried(name, content, *more):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        options = ["--documents", path, "--n", "1", "--per-document", "1", "--concurrency", "1", *more]
        return run_here("generate", *reader.flags, *options, "--run-dir", tmp_path / "r")

    return tried


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


def test_a_document_of_200_pages_is_shown_a_passage_at_a_time(tried, reader):
    book = "\n\n".join("\n\n".join(PAGE.format(n=n)[at : at + 700] for at in range(0, 3000, 700)) for n in range(200))
    assert len(book) > 550_000
    started = time.process_time()
    accepted(tried("book.txt", book))
    assert time.process_time() - started < 10
    (passage,) = shown(reader)
    assert 300 < len(passage) <= PASSAGE_CHARS
    assert all(paragraph.strip() in book for paragraph in passage.split("\n\n"))


def test_a_book_is_shown_elsewhere_in_another_pass(tried, reader):
    book = "\n\n".join(f"Page {n}. " + "The line y = 2*x + 1 rises. " * 40 for n in range(200))
    ran = tried("book.txt", book, "--max-rounds", "1", "--passes", "3", "--n", "3")
    assert (ran.code, ran.errors) == (0, [])
    assert len(set(shown(reader))) == 3


def test_a_document_of_20_words_is_shown_whole(tried, reader):
    text = "A chord of y = x^2 from a to b has slope a + b, and half of that is where it touches."
    assert len(text.split()) in range(18, 25)
    accepted(tried("short.txt", text))
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
def test_a_document_in_another_language_is_shown_as_it_is(tried, reader, text):
    accepted(tried("other.txt", text))
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
def test_a_document_of_tables_alone_is_shown_with_its_rows(tried, reader, name, content):
    accepted(tried(name, content))
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


# -- the same in every other domain, where a draft comes to nothing before one is accepted ---------------------


@pytest.mark.parametrize("name", [name for name in LINES if name != "math_objects"])
def test_odd_documents_come_to_an_end_in_every_domain(name, tmp_path):
    if name == "code" and not isinstance(find_box(), Box) and monty.missing():
        pytest.skip("no sandbox on this machine")
    book = "\n\n".join(PAGE.format(n=n)[at : at + 700] for n in range(200) for at in range(0, 3000, 700))
    german = "Wer den Stand nach neun Uhr stehen lässt, zahlt zwanzig Kronen für jede Nacht, es sei denn, es stürmt."
    short = (
        "Whoever leaves a stall standing after nine pays twenty crowns a night, unless there was a warning of a storm."
    )
    for file, text in (("book.txt", book), ("german.txt", german), ("short.txt", short), ("tables.md", TABLE)):
        (tmp_path / file).write_text(text, "utf-8")
    domain, drafts = registry.load("domains", name), itertools.count()

    def write(call):
        good = (n := next(drafts)) % 2
        return LINES[name].draft(n, call.inputs) if good else domain_scripts.poor(domain)

    roles = domain_scripts.roles(domain, write, schema=True)
    rule = domain_scripts.one_attempt(domain.acceptance)
    maker = AgenticSelfInstruct(domain, roles, acceptance=rule, max_rounds=2, per_document=1)
    result = generate(maker, load_documents(tmp_path), concurrency=1)
    assert [t.status for t in result.trajectories] == ["done"] * 4
    for trajectory in result.trajectories:
        first, last = (round_.decision for round_ in trajectory.rounds)
        assert not first.accepted and first.reason in MEANING and first.feedback
        assert last.accepted or trajectory.document_id == "tables.md", last
    calls = [call for role in roles._given for call in scripted.calls_of(roles, role)]
    # Two calls at a time share the context of an embedded model; a token is about four bytes.
    assert all(len(c.prompt) / 4 + c.request.config.max_tokens < engine.CONTEXT_TOKENS / 2 for c in calls)
