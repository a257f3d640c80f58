"""A page in a real browser: Chromium without a window, driven through its debugging pipe, and without a network."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
SWITCHES = (
    "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --disable-extensions "
    "--disable-background-networking --disable-component-update --disable-sync --remote-debugging-pipe"
).split()
PATIENCE_S = 60.0
# Sizes of all plots; texts of a plot that leave it or cover each other; the width that the page wants and has.
MEASURE = """new Promise(done => setTimeout(() => {
  const beside = (a, b) => a.right <= b.left + 1 || b.right <= a.left + 1
  const above = (a, b) => a.bottom <= b.top + 2 || b.bottom <= a.top + 2
  const crowded = [], svgs = [...document.querySelectorAll("svg")]
  for (const svg of svgs) {
    const room = svg.getBoundingClientRect()
    const texts = [...svg.querySelectorAll("text")].map(t => [t.textContent, t.getBoundingClientRect()])
    texts.forEach(([said, its], n) => {
      const across = its.left < room.left - 1 || its.right > room.right + 1
      if (across || its.top < room.top - 1 || its.bottom > room.bottom + 1) crowded.push(said)
      for (const [other, box] of texts.slice(n + 1))
        if (!beside(its, box) && !above(its, box)) crowded.push(`${said} | ${other}`)
    })
  }
  const sizes = svgs.map(svg => svg.getBoundingClientRect()).map(box => [box.width, box.height])
  done({sizes, crowded, wants: document.documentElement.scrollWidth, has: innerWidth})
}, 100))"""


class Browser:
    """A running Chromium; see `browsing`."""

    def __init__(self, to: int, come: int):
        self._to, self._come, self._rest, self._last = to, come, b"", 0
        self._events: list[dict[str, Any]] = []

    def faults(self, page: Path, width: int = 1400) -> list[str]:
        """What is wrong with a page in a window of that width: anything on the console (errors of scripts and of its
        policy are there too), anything it asks for, plots that are flat, missing or crowded, scrolling sideways."""
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for room in ("Page", "Runtime", "Log", "Network"):
            self._ask(f"{room}.enable", session)
        window = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self._ask("Emulation.setDeviceMetricsOverride", session, **window)
        self._events.clear()
        self._ask("Page.navigate", session, url=page.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._events.append(self._heard())
        asked = {"expression": MEASURE, "awaitPromise": True, "returnByValue": True}
        found = self._ask("Runtime.evaluate", session, **asked)["result"]["value"]
        self._ask("Target.closeTarget", targetId=target)
        return [
            *(f"console: {said}" for event in self._events if (said := _complaint(event))),
            *(f"asks for {url}" for event in self._events if (url := _request(event)) and url != page.as_uri()),
            *(f"a plot of {w:.0f} by {h:.0f}" for w, h in found["sizes"] or [(0, 0)] if min(w, h) < 50),
            *(f"crowded: {said}" for said in found["crowded"]),
            *([f"{found['wants']} wide in {found['has']}"] if found["wants"] > found["has"] else []),
        ]

    def _ask(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        self._last += 1
        sent = {"id": self._last, "method": method, "params": params} | ({"sessionId": session} if session else {})
        os.write(self._to, json.dumps(sent).encode() + b"\0")
        while (answer := self._heard()).get("id") != self._last:
            self._events.append(answer)
        assert "result" in answer, answer
        return answer["result"]

    def _heard(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._come], [], [], PATIENCE_S)
            more = os.read(self._come, 1 << 16) if ready else b""
            assert more, "Chromium does not answer"
            self._rest += more
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)


@contextlib.contextmanager
def browsing() -> Iterator[Browser]:
    """A Chromium for as long as the context lasts. Raises AssertionError: none is installed."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    assert program, "the tests of pages need Chromium: apt-get install chromium"
    theirs, to = os.pipe()
    come, from_them = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        switches = [*SWITCHES, "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={profile}"]
        wired = f'exec "$0" "$@" 3<&{theirs} 4>&{from_them}'
        command = ["bash", "-c", wired, program, *switches]
        process = subprocess.Popen(command, pass_fds=(theirs, from_them), stderr=subprocess.DEVNULL)
        for end in (theirs, from_them):
            os.close(end)
        browser = Browser(to, come)
        try:
            yield browser
            browser._ask("Browser.close")
        finally:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
            for end in (to, come):
                os.close(end)


def _complaint(event: dict[str, Any]) -> str:
    told = event["params"]
    match event["method"]:
        case "Runtime.consoleAPICalled":
            return " ".join(str(part.get("value", part.get("description"))) for part in told["args"])
        case "Runtime.exceptionThrown":
            details = told["exceptionDetails"]
            return details.get("exception", {}).get("description") or details["text"]
        case "Log.entryAdded":
            return told["entry"]["text"]
    return ""


def _request(event: dict[str, Any]) -> str:
    url = event["params"]["request"]["url"] if event["method"] == "Network.requestWillBeSent" else ""
    return "" if url.startswith("data:") else url
