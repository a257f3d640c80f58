"""Bytes become text: UTF-8 first, then what the bytes tell; a guess is logged, and no guess is one clear line."""

import json
import random

import pytest

from autodata_dspy.documents import load_documents
from autodata_dspy.documents.encoding import decode
from autodata_dspy.errors import ConfigError

GERMAN = "Der Leuchtturm weist den Schiffen seit über hundert Jahren den Weg; größere grüßen noch heute. "
FRENCH = "Le phare éclaire la côte depuis plus d'un siècle, et les pêcheurs l'aperçoivent de très loin. "
SWEDISH = "Fyren visar fartygen vägen in i hamnen. Förr brann där uppe en oljelampa, på senare år en elektrisk. "
POLISH = "Latarnia morska wskazuje statkom drogę do portu. Kiedyś płonął tam olej, później żarówka. "
RUSSIAN = "Маяк указывает кораблям путь в гавань. Раньше наверху горела масляная лампа, потом электрическая. "
GREEK = "Ο φάρος δείχνει στα πλοία τον δρόμο για το λιμάνι. Παλιά έκαιγε λάδι, αργότερα έγινε ηλεκτρικός. "
JAPANESE = "灯台は船に港への道を示します。昔は油の灯りでしたが、今は電気です。"
CHINESE = "灯塔为船只指明进港的道路。从前上面点着油灯，后来换成了电灯。"
KOREAN = "등대는 배들에게 항구로 가는 길을 알려 준다. 옛날에는 기름등을 켰다. "


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GERMAN, "latin-1"),
        (FRENCH, "cp1252"),
        (SWEDISH, "cp1252"),
        ("He said “the light — it’s on” and left the café. ", "cp1252"),
        (POLISH, "cp1250"),
        (POLISH, "iso8859-2"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        (GREEK, "cp1253"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc_jp"),
        (CHINESE, "gb18030"),
        (KOREAN, "euc_kr"),
    ],
)
def test_another_encoding_is_guessed_and_logged(tmp_path, caplog, text, encoding):
    (tmp_path / "l.txt").write_bytes((text * 4).encode(encoding))
    assert load_documents(tmp_path / "l.txt")[0].text == text * 4
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith(f"{tmp_path}/l.txt: not UTF-8; read as ") and "a guess" in caplog.messages[0]


def test_one_short_line_is_enough_for_the_commonest_encoding(tmp_path, caplog):
    line = {"text": "Der Leuchtturm weist den Schiffen den Weg für immer"}
    (tmp_path / "l.jsonl").write_bytes(json.dumps(line, ensure_ascii=False).encode("latin1"))
    assert load_documents(tmp_path / "l.jsonl")[0].text == line["text"]
    assert "read as cp1252, a guess" in caplog.messages[0]


@pytest.mark.parametrize("text", [GERMAN, JAPANESE, "plain words of English, nothing else"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_is_no_guess(caplog, text, encoding):
    assert decode(text.encode(encoding), "x") == text and caplog.messages == []


def test_utf16_of_the_other_byte_order_is_read():
    assert decode(b"\xfe\xff" + GERMAN.encode("utf-16-be"), "x") == GERMAN


@pytest.mark.parametrize("n_bytes", [50, 300, 5_000])
@pytest.mark.parametrize("name", ["r.txt", "r.csv", "r.jsonl", "r.html"])
def test_bytes_of_no_encoding_are_refused_with_the_place_and_the_remedy(tmp_path, refusal, name, n_bytes):
    noise = random.Random(n_bytes)
    (tmp_path / name).write_bytes(b"text\n" + bytes(noise.randrange(128, 256) for _ in range(n_bytes)))
    assert refusal(tmp_path / name) == (
        f"{tmp_path / name}: is not UTF-8 (byte 5), and no other encoding can be told from its bytes; "
        "convert it, for example with: iconv -f latin1 -t utf-8"
    )


def test_what_the_content_declares_comes_before_a_guess(caplog):
    data = RUSSIAN.encode("cp866")
    assert decode(data, "x", declared="cp866") == RUSSIAN and caplog.messages == []


@pytest.mark.parametrize("declared", ["no-such-encoding", "ascii", "hex"])
def test_a_declaration_that_does_not_hold_is_passed_over(declared, caplog):
    assert decode((GERMAN * 4).encode("latin-1"), "x", declared) == GERMAN * 4
    assert "a guess" in caplog.messages[0]


def test_a_truncated_utf16_file_is_no_text():
    with pytest.raises(ConfigError, match="x: is a binary file, not text"):
        decode(b"\xff\xfe" + "a lamp".encode("utf-16-le")[:-1], "x")
