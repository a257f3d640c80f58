"""Bytes → text: UTF-8, else what the bytes or the page say of themselves, else a guess that is logged."""

from __future__ import annotations

import codecs
import logging
from pathlib import Path

from autodata_dspy.documents.checks import MAX_BYTES, MAX_FILE_BYTES, check_size
from autodata_dspy.errors import ConfigError

logger = logging.getLogger(__name__)

# Tried first, the most widespread first: of encodings that fit equally well, the earlier one is taken. Among all that
# exist, exotic ones (DOS, EBCDIC, old Macintosh) too often win on a short text.
_WIDESPREAD = (
    *("cp1252", "cp1250", "cp1251", "cp932", "gb18030", "cp949", "big5", "euc_jp", "koi8_r", "iso8859_2", "iso8859_5"),
    *("cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp874", "iso2022_jp"),
)
_WIDE_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_bytes(path: Path, limit: int | None = MAX_FILE_BYTES, what: str = "one file") -> bytes:
    """A file's content; its size is looked at before it is read.

    Raises:
        ConfigError: it cannot be read or is larger than `limit` bytes.
    """
    try:
        if limit is not None:
            check_size(path.stat().st_size, str(path), limit, what)
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from None


def read_text(path: Path, limit: int | None = MAX_BYTES, what: str = "one document") -> str:
    """A text file's content.

    Raises:
        ConfigError: as `read_bytes` and `decode`.
    """
    return decode(read_bytes(path, limit, what), str(path))


def decode(data: bytes, where: str, declared: str = "") -> str:
    """Text of bytes. A guessed encoding is logged, because a wrong guess shows in the letters only.

    Args:
        declared: the encoding that the content names itself; used where UTF-8 does not fit.

    Raises:
        ConfigError: binary, or no encoding fits.
    """
    wide = _decoded_wide(data)
    if wide is not None:
        return wide
    if b"\0" in data[:65536]:
        raise ConfigError(f"{where}: is a binary file, not text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        wrong_at = error.start
    for encoding in filter(None, (declared, _guess(data))):
        try:
            text = data.decode(encoding)
        except (UnicodeError, LookupError):
            continue
        if encoding != declared:
            logger.warning("%s: not UTF-8; read as %s, a guess: convert it if letters look wrong", where, encoding)
        return text
    raise ConfigError(
        f"{where}: is not UTF-8 (byte {wrong_at}), and no other encoding can be told from its bytes; "
        "convert it, for example with: iconv -f latin1 -t utf-8"
    )


def _decoded_wide(data: bytes) -> str | None:
    """UTF-16 or UTF-32 that says so; it is full of NUL bytes, but not binary."""
    if not data.startswith(_WIDE_MARKS):
        return None
    for encoding in ("utf-32", "utf-16"):  # this order: the mark of UTF-16 LE begins that of UTF-32 LE
        try:
            return data.decode(encoding)
        except UnicodeError:
            continue
    return None


def _guess(data: bytes) -> str:
    import charset_normalizer

    found = list(charset_normalizer.from_bytes(data, cp_isolation=list(_WIDESPREAD)))
    if not found:
        best = charset_normalizer.from_bytes(data).best()
        return best.encoding if best else ""
    calmest = min(match.chaos for match in found)
    calm = [match for match in found if match.chaos <= calmest + 0.01]
    most = max(match.coherence for match in calm)
    fitting = {name for m in calm if m.coherence >= most - 0.05 for name in (m.encoding, *m.could_be_from_charset)}
    return next((name for name in _WIDESPREAD if name in fitting), found[0].encoding)
