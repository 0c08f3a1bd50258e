"""A page in a real Chromium, as a person sees it: its height, what is clipped, pictures."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

QUIET = (
    *("--headless", "--no-sandbox", "--no-first-run", "--hide-scrollbars", "--remote-debugging-pipe"),
    *(f"--disable-{part}" for part in ("gpu", "quic", "background-networking", "component-update", "sync")),
)
# What is wider than its place, text that the window cuts off, and lines that a box leaves out. A box that scrolls by
# itself shows all it has.
CLIPPED = """[...document.querySelectorAll('main *, header *, footer *')].filter(e => {
  const style = getComputedStyle(e), box = e.getBoundingClientRect();
  if (!box.width || style.position === 'absolute' || e.closest('thead, caption, .skip, pre')) return false;
  return box.right > innerWidth + 1 || box.left < 0
    || (style.display !== 'inline' && e.scrollWidth > e.clientWidth + 1)
    || (style.overflowY === 'hidden' && e.scrollHeight > e.clientHeight + 1);
}).map(e => e.tagName + '.' + e.className + ': ' + e.textContent.trim().slice(0, 60))"""

# Each element of a selector: its text, and the number of lines that a person sees of it; 0: it is out of sight.
LINES = """(selector => [...document.querySelectorAll(selector)].map(e => {
  const range = document.createRange();
  range.selectNodeContents(e);
  const seen = [...range.getClientRects()].filter(box => box.width > 1 && box.height > 1);
  return [e.textContent.trim().replace(/\\s+/g, ' '), new Set(seen.map(box => Math.round(box.top))).size];
}))"""


@dataclass
class Browser:
    """One tab. width and height: of the window that `show` sets, in CSS pixels."""

    to: IO[bytes]
    back: IO[bytes]
    session: str = ""
    sent: int = 0

    def show(self, url: str, width: int, height: int, *, dark: bool = False) -> None:
        """Open a page in a window of this size."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.ask("Page.navigate", url=url)
        self._until("Page.loadEventFired")

    def value(self, script: str) -> Any:
        """The value of a JavaScript expression; the page's own policy does not hold it back."""
        return self.ask("Runtime.evaluate", expression=script, returnByValue=True)["result"]["value"]

    @property
    def page_height(self) -> float:
        """Height of the whole page."""
        return float(self.ask("Page.getLayoutMetrics")["cssContentSize"]["height"])

    @property
    def clipped(self) -> list[str]:
        """Elements that are wider than the window or their own place, with the begin of their text."""
        return list(self.value(CLIPPED))

    def lines(self, selector: str) -> list[tuple[str, int]]:
        """Text of each element, and the number of lines that are seen of it; 0: it is out of sight."""
        return [(text, count) for text, count in self.value(f"{LINES}({json.dumps(selector)})")]

    def picture(self, path: Path) -> None:
        """Write the whole page as a PNG."""
        taken = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(taken["data"]))

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command of the DevTools protocol and wait for its result."""
        self.sent += 1
        message = {"id": self.sent, "method": method, "params": parameters}
        self.to.write(json.dumps(message | ({"sessionId": self.session} if self.session else {})).encode() + b"\0")
        self.to.flush()
        found = self._until(self.sent)
        assert "error" not in found, found["error"]
        return dict(found["result"])

    def _until(self, wanted: int | str) -> dict[str, Any]:
        while True:
            message: dict[str, Any] = json.loads(self._message())
            if wanted in (message.get("id"), message.get("method")):
                return message

    def _message(self) -> bytes:
        read = bytearray()
        while (byte := self.back.read(1)) != b"\0":
            assert byte, "the browser has ended"
            read += byte
        return bytes(read)


@contextmanager
def browser(program: Path) -> Iterator[Browser]:
    """Run Chromium with one empty tab; it reads commands from its descriptor 3 and answers on 4."""
    (read_3, to), (back, write_4) = os.pipe(), os.pipe()
    # The browser's own processes outlive it by a moment, and write to the profile.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        arguments = [str(program), *QUIET, f"--user-data-dir={profile}", "about:blank"]
        script = 'exec 3<&"$1" 4>&"$2"; shift 2; exec "$@"'
        process = subprocess.Popen(
            ["bash", "-c", script, "bash", str(read_3), str(write_4), *arguments],
            pass_fds=(read_3, write_4),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(read_3)
        os.close(write_4)
        try:
            with os.fdopen(to, "wb") as sending, os.fdopen(back, "rb") as receiving:
                tab = Browser(sending, receiving)
                targets = tab.ask("Target.getTargets")["targetInfos"]
                page = next(one["targetId"] for one in targets if one["type"] == "page")
                tab.session = tab.ask("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
                tab.ask("Page.enable")
                yield tab
        finally:
            process.terminate()
            process.wait(20)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
