"""Documents in: files and folders → Document, with one clear line for whatever cannot be one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from autodata_dspy.errors import ConfigError
from autodata_dspy.types import Document

TEXT_SUFFIXES = (".txt", ".md")
MAX_BYTES = 5_000_000
MIN_WORDS = 5


def load_documents(source: str | Path, domain: str = "") -> list[Document]:
    """Read `.txt`, `.md` (one document each), `.jsonl` (one a line) or a folder of these.

    A JSON line is an object with `text` and, if it likes, `id`, `title`, `source`, `licence`.

    Raises:
        ConfigError: a missing, empty, binary, wrongly encoded or too large file, a line without text, or
            two documents of one id. Names the file, the line and the remedy.
    """
    path = Path(source)
    if not path.exists():
        raise ConfigError(f"documents not found: {path}; give a file ({_kinds()}), a folder, or 'builtin'")
    if path.is_dir():
        readable = (*TEXT_SUFFIXES, ".jsonl")
        files = sorted(p for p in path.rglob("*") if p.suffix.lower() in readable and not p.is_dir())
        if not files:
            raise ConfigError(f"no documents in {path}: nothing there ends in {_kinds()}")
        documents = [d for file in files for d in _load_file(file, str(file.relative_to(path)), domain)]
    else:
        documents = _load_file(path, path.name, domain)
    if not documents:
        raise ConfigError(f"no documents in {path}: every line is blank")
    check_documents(documents)
    return documents


def check_documents(documents: Iterable[Document]) -> None:
    """Raises ConfigError when there are none, one is empty, or two share an id."""
    seen: set[str] = set()
    for document in documents:
        if len(document.text.split()) < MIN_WORDS:
            raise ConfigError(
                f"document {document.id!r} is empty or has fewer than {MIN_WORDS} words; remove it or give it text"
            )
        if document.id in seen:
            raise ConfigError(f"two documents have the id {document.id!r}; ids must be unique")
        seen.add(document.id)
    if not seen:
        raise ConfigError("no documents given")


def digest(documents: Iterable[Document]) -> str:
    """Hash of ids and texts, in order."""
    total = hashlib.blake2b(digest_size=16)
    for document in documents:
        total.update(f"{document.id}\0{document.text}\0".encode("utf-8", "surrogatepass"))
    return total.hexdigest()


def _kinds() -> str:
    return ", ".join((*TEXT_SUFFIXES, ".jsonl"))


def _load_file(path: Path, name: str, domain: str) -> list[Document]:
    suffix = path.suffix.lower()
    if suffix not in (*TEXT_SUFFIXES, ".jsonl"):
        raise ConfigError(f"{path}: cannot read documents from {suffix or 'a file without suffix'}; use {_kinds()}")
    if suffix != ".jsonl":
        text = _read_text(path)
        return [Document(id=name, text=text, title=path.stem, domain=domain, source=str(path.name))]
    return [
        _from_line(line, f"{path}, line {number}", f"{name}:{number}", domain)
        for number, line in enumerate(_read_text(path, whole=False).split("\n"), 1)
        if line.strip()
    ]


def _from_line(line: str, where: str, default_id: str, domain: str) -> Document:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise ConfigError(f"{where}: not a JSON object ({error})") from None
    except RecursionError:
        raise ConfigError(f"{where}: not a JSON object (nested too deeply)") from None
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        raise ConfigError(f'{where}: needs an object with a string "text"')
    _check_size(len(row["text"].encode("utf-8", "surrogatepass")), where)
    known = {key: str(row[key]) for key in ("title", "source", "licence") if row.get(key)}
    given_id = row.get("id")  # 0 is an id
    return Document(default_id if given_id in (None, "") else str(given_id), row["text"], domain=domain, **known)


def _read_text(path: Path, whole: bool = True) -> str:
    try:
        if whole:
            _check_size(path.stat().st_size, str(path))
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from None
    if b"\0" in data[:65536]:
        raise ConfigError(f"{path}: is a binary file, not text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path}: is not UTF-8 (byte {error.start}); convert it, for example with: iconv -f latin1 -t utf-8"
        ) from None


def _check_size(n_bytes: int, where: str) -> None:
    if n_bytes > MAX_BYTES:
        raise ConfigError(
            f"{where}: {n_bytes / 1e6:.0f} MB is too large for one document (limit {MAX_BYTES / 1e6:.0f} MB); split it"
        )
