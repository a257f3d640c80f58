"""PDF: the text of the pages without what repeats on them; what has no text or is damaged is one clear line."""

import io
import time
import zlib

import pytest

from autodata_dspy.documents import load_documents, pdf
from autodata_dspy.documents.pdf_text import joined
from autodata_dspy.types import Document

LINES = ["The keeper climbs the stairs", "with a can of oil."]
BODY = "The keeper climbs the stairs\nwith a can of oil."


def drawing(lines):
    """A page's drawing steps for lines of text."""
    shown = "\n".join(f"({line}) Tj T*" for line in lines)
    return f"BT /F1 12 Tf 72 720 Td 14 TL\n{shown}\nET".encode("latin-1")


def stream(content, extra=b""):
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), extra, content)


def pdf_file(*drawings, title="", forms=()):
    """A whole file, object by object: catalog, page tree, font, information, forms, then two objects for each page."""
    first = 5 + len(forms)
    kids = " ".join(f"{first + 2 * i} 0 R" for i in range(len(drawings)))
    names = " ".join(f"/X{i} {5 + i} 0 R" for i in range(len(forms)))
    resources = f"/Resources << /Font << /F1 3 0 R >> /XObject << {names} >> >>".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(drawings)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        f"<< /Title ({title}) >>".encode(),
        *(stream(form, b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] " + resources) for form in forms),
    ]
    for index, drawn in enumerate(drawings):
        box = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] "
        objects += [box + resources + b" /Contents %d 0 R >>" % (first + 2 * index + 1), drawn]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer\n<< /Size %d /Root 1 0 R /Info 4 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(out))
    return out + b"xref\n0 %d\n" % (len(objects) + 1) + table + end


def pages(*texts, **options):
    return pdf_file(*(stream(drawing(lines)) for lines in texts), **options)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "p.pdf"


def test_a_file_is_one_document_with_its_own_title(path):
    path.write_bytes(pages(LINES, title="Sea lights"))
    assert load_documents(path, "m") == [Document("p.pdf", BODY, "Sea lights", "m", "p.pdf")]


def test_a_file_without_a_title_has_its_name(path):
    path.write_bytes(pages(LINES, title=" "))
    assert load_documents(path)[0].title == "p"


def test_compressed_pages_are_read(path):
    path.write_bytes(pdf_file(stream(zlib.compress(drawing(LINES)), b"/Filter /FlateDecode")))
    assert load_documents(path)[0].text == BODY


def test_running_heads_page_numbers_and_broken_words_are_mended(path):
    texts = [
        ["Lights of the coast", "The keeper lights the lan-", "tern every evening.", "1"],
        ["2 Lights of the coast", "He goes on to the", "Page 2 of 3"],
        ["Lights of the coast", "next tower.", "- 3 -"],
    ]
    path.write_bytes(pages(*texts))
    assert (
        load_documents(path)[0].text == "The keeper lights the lantern every evening.\n\nHe goes on to the\nnext tower."
    )


def test_a_file_of_two_hundred_pages_is_read(path):
    path.write_bytes(
        pages(*([f"Night {n}", f"On night {n} the lamp burnt {n * 2} cans of oil.", str(n)] for n in range(200)))
    )
    text = load_documents(path)[0].text
    assert text.count("cans of oil") == 200 and "Night 7" not in text


@pytest.mark.parametrize(
    ("texts", "text"),
    [
        ([], ""),
        (["", "\n \n"], ""),
        (["one\n42\ntwo"], "one\n42\ntwo"),  # a number inside a page is text
        (["iv\none two", "v\nthree."], "one two\nthree."),
        (["Same head\na", "Same head\nb"], "Same head\na\nSame head\nb"),  # twice may be chance
        (["all alike"] * 4, "all alike\nall alike\nall alike\nall alike"),
        (
            ["Head\na", "Head\nb", "Head\nc", *(f"page {n}x" for n in range(40))],
            "Head\na\nHead\nb\nHead\nc\n" + "\n".join(f"page {n}x" for n in range(40)),
        ),
        (["The well-\nknown lamp of Rhine-\nMain"], "The wellknown lamp of Rhine-\nMain"),
        (["soft\u00ad\nly by lamp\u00adlight"], "softly by lamplight"),
        (["a lan-", "tern"], "a lantern"),
        (["the ﬁrst ﬂame"], "the first flame"),
        (["one\ncivil", "two\nmix", "three\nxiv"], "one\ncivil\ntwo\nmix\nthree"),
        (["It ends.", "It begins"], "It ends.\n\nIt begins"),
        (["x" * 300 + "\na", "x" * 300 + "\nb", "x" * 300 + "\nc"], "\n".join("x" * 300 + f"\n{c}" for c in "abc")),
    ],
)
def test_pages_become_one_text(texts, text):
    assert joined(texts) == text


@pytest.mark.parametrize("line", ["1" * 1_000_000, " ." * 500_000 + "x", "ivx" * 300_000, "1 " * 500_000 + "x"])
def test_a_line_without_end_costs_no_time(line):
    start = time.monotonic()
    assert joined([line + "\nword"] * 3).startswith(line.strip()[:9])
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("drawn", [b"", b"0 0 100 100 re f", drawing(["Scan 12"])])
def test_a_scanned_file_is_refused_with_the_remedy(path, refusal, drawn):
    path.write_bytes(pdf_file(stream(drawn), stream(drawn)))
    assert refusal(path) == (
        f"{path}: has fewer than 5 words on its pages (2); if they are scanned, recognise the text first, "
        "for example with: ocrmypdf IN.pdf OUT.pdf"
    )


def encrypted(password):
    import pypdf

    writer, out = pypdf.PdfWriter(clone_from=io.BytesIO(pages(LINES))), io.BytesIO()
    writer.encrypt(user_password=password, owner_password="owner", algorithm="RC4-128")
    writer.write(out)
    return out.getvalue()


def test_an_encrypted_file_is_refused(path, refusal):
    path.write_bytes(encrypted("secret"))
    assert refusal(path) == f"{path}: is encrypted; save it without a password"


def test_a_cipher_that_is_not_at_hand_reads_as_encrypted(path, refusal):
    key = b"/V 9 /R 9 /Filter /Standard /Length 256 /O (%s) /U (%s) /P -4" % (b"o" * 48, b"u" * 48)
    whole = pages(LINES).replace(b"/Info 4 0 R", b"/ID [(a) (a)] /Encrypt << %s >>" % key)
    path.write_bytes(whole)
    assert refusal(path) == f"{path}: is encrypted; save it without a password"


def test_a_file_that_only_forbids_printing_is_read(path):
    path.write_bytes(encrypted(""))
    assert load_documents(path)[0].text == BODY


GOOD = pages(LINES)
DAMAGED = {
    "empty": b"",
    "no PDF": b"hello, this is only a text",
    "only the first line": b"%PDF-1.4",
    "cut in half": GOOD[: len(GOOD) // 2],
    "without its pages": GOOD.replace(b"/Pages 2 0 R", b"/Pages 9 0 R"),
    "pages that hold themselves": GOOD.replace(b"/Kids [5 0 R]", b"/Kids [2 0 R]"),
    "binary": bytes(range(256)) * 20,
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_file_is_refused(path, refusal, kind):
    path.write_bytes(DAMAGED[kind])
    assert refusal(path).startswith(f"{path}: is a damaged PDF (") and refusal(path).endswith("save it anew")


@pytest.mark.parametrize("place", range(0, len(GOOD), 37))
def test_a_changed_byte_is_read_or_refused_but_never_a_crash(path, place):
    from autodata_dspy.errors import ConfigError

    path.write_bytes(GOOD[:place] + b"\xff" + GOOD[place + 1 :])
    try:
        assert load_documents(path)[0].text
    except ConfigError as error:
        assert str(path) in str(error)


def test_more_pages_than_a_book_has_are_refused(path, refusal, monkeypatch):
    monkeypatch.setattr(pdf, "MAX_PAGES", 3)
    path.write_bytes(pages(*[LINES] * 4))
    assert refusal(path) == f"{path}: has 4 pages (limit 3); split it"


def test_a_small_file_that_unfolds_without_end_is_refused(path, refusal, monkeypatch):
    monkeypatch.setattr(pdf, "MAX_OPERATIONS", 1_000)
    forms = [b" ".join([b"/X%d Do" % (n + 1)] * 10) for n in range(4)]  # each draws the next ten times
    path.write_bytes(pdf_file(stream(b"/X0 Do"), forms=[*forms, drawing(LINES)]))
    assert refusal(path) == f"{path}: takes more than 1,000 drawing steps to read; split it"


def test_a_stream_that_unpacks_without_end_is_refused(path, refusal):
    bomb = zlib.compress(b" " * 100_000_000, 9)
    path.write_bytes(pdf_file(stream(bomb, b"/Filter /FlateDecode")))
    assert len(bomb) < 100_000 and refusal(path).startswith(f"{path}: is a damaged PDF (Limit reached")


def test_more_text_than_one_document_holds_is_refused(path, refusal):
    path.write_bytes(pdf_file(*[stream(drawing(["lamp " * 200_000]))] * 6))
    assert refusal(path) == f"{path}: 5 MB is too large for one document (limit 5 MB); split it"


def test_a_file_too_large_is_refused_without_being_read(path, refusal):
    with path.open("wb") as sparse:
        sparse.truncate(60_000_000)
    assert refusal(path) == f"{path}: 60 MB is too large for one file (limit 50 MB); split it"


def test_without_the_library_the_remedy_is_named(path, refusal, without):
    path.write_bytes(GOOD)
    without("pypdf")
    assert refusal(path).endswith("reading .pdf needs pypdf; install it with: pip install 'autodata-dspy[documents]'")
