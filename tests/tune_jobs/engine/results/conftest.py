"""A row, and a real browser, steered as its own developer tools do (https://chromedevtools.github.io)."""

import asyncio
import base64
import io
import itertools
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image

from tune_jobs.engine.results.row import Row

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--remote-debugging-port=0", "--remote-allow-origins=*", "--window-size=1400,900"),
)
PATIENCE_SECONDS = 60

TEXT = """(function walk(node) {
  let text = "";
  for (const child of node.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) text += child.textContent + " ";
    if (child.nodeType !== Node.ELEMENT_NODE) continue;
    if (["STYLE", "SCRIPT"].includes(child.tagName)) continue;
    if (getComputedStyle(child).display === "none") continue;
    if (child.contentDocument) text += walk(child.contentDocument.body);
    if (child.shadowRoot) text += walk(child.shadowRoot);
    text += walk(child);
  }
  return text;
})(document.body)"""

FIND = """(function find(root, selector) {
  let found = [...root.querySelectorAll(selector)];
  for (const node of root.querySelectorAll("*")) {
    for (const inner of [node.shadowRoot, node.contentDocument]) {
      if (inner) found = found.concat(find(inner, selector));
    }
  }
  return found;
})(document, "%s")"""


@pytest.fixture
def make_row() -> Callable[..., Row]:
    """A row of that test accuracy; other columns by name."""
    return _make_row


def _make_row(accuracy: float | None = 0.9, **changes: Any) -> Row:
    values: dict[str, Any] = {
        "run_id": "first",
        "job": "digits_cnn",
        "dataset": "digits",
        "dataset_fingerprint": "a",
        "split_fingerprint": "b",
        "architecture": "cnn",
        "origin": "search",
        "trial_number": 1,
        **dict.fromkeys(("lr", "l2", "batch_size", "dropout", "optimizer", "schedule")),
        "epochs": 1,
        "config": "{}",
        "num_parameters": None,
        "search_val_accuracy": None,
        "val_accuracy": None,
        "seeds": (1, 2),
        "val_accuracy_per_seed": (),
        "winner": False,
        "test_accuracy": accuracy,
        "test_accuracy_std": None,
        "test_accuracy_per_seed": (),
        "test_macro_f1": None,
        "test_loss": None,
        "num_seeds": 2,
        "num_trials": 3,
        "train_seconds": 1.0,
        "search_seconds": 1.0,
        "device": "cpu",
        "precision": "fp32",
        "git_commit": None,
        "versions": "{}",
        "command": "",
        "finished_at": datetime(2026, 1, 2, tzinfo=UTC),
    }
    return Row(**(values | changes))


class Browser:
    """A tab: what it shows can be read and photographed."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._loop = asyncio.get_event_loop_policy().get_event_loop()
        self._numbers = itertools.count(1)

    def send(self, method: str, **parameters: Any) -> Any:
        return self._loop.run_until_complete(self._send(method, parameters))

    async def _send(self, method: str, parameters: dict[str, Any]) -> Any:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            answer = await self._socket.receive_json(timeout=60)
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]

    def open(self, url: str, *, dark: bool = False) -> None:
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])
        self.send("Page.navigate", url="about:blank")
        self.send("Page.navigate", url=url)

    def evaluate(self, expression: str) -> Any:
        """`None` where it fails: a page that loads has no body at first."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    def wait_for(self, *texts: str) -> str:
        """What the page shows, shadow trees and frames too, once all `texts` are in it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            shown = " ".join(str(self.evaluate(TEXT)).split())
            missing = [text for text in texts if text not in shown]
            if not missing:
                return shown
            assert time.monotonic() < deadline, f"{missing} not in: {shown[:2000]}"
            time.sleep(0.5)

    def click(self, text: str) -> None:
        """The innermost element that says just this."""
        chosen = f'e => e.childElementCount === 0 && e.textContent.trim() === "{text}"'
        assert self.evaluate(f"({FIND % '*'}).filter({chosen}).map(e => e.click()).length")

    def wait_for_drawn(self, selector: str, at_least: int = 1) -> int:
        """How many elements of that CSS selector there are, in shadow trees and frames too."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            count: int = self.evaluate(f"({FIND % selector}).length") or 0
            if count >= at_least:
                return count
            assert time.monotonic() < deadline, f"{count} of {selector}"
            time.sleep(0.5)

    def screenshot(self, path: Path | None = None) -> Image.Image:
        time.sleep(1)  # what is drawn comes after what is written
        data = base64.b64decode(self.send("Page.captureScreenshot")["data"])
        if path:
            path.write_bytes(data)
        return Image.open(io.BytesIO(data)).convert("RGB")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        message = "no Chromium (Debian: apt-get install chromium): no page was looked at"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    profile = tmp_path_factory.mktemp("profile")
    process = subprocess.Popen(
        [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        session, socket = loop.run_until_complete(_connect(profile / "DevToolsActivePort"))
        yield Browser(socket)
        loop.run_until_complete(session.close())
    finally:
        process.terminate()
        process.wait(timeout=20)
        asyncio.set_event_loop(None)
        loop.close()


async def _connect(
    port_file: Path,
) -> tuple[aiohttp.ClientSession, aiohttp.ClientWebSocketResponse]:
    deadline = time.monotonic() + 60
    while not (port_file.exists() and len(port_file.read_text().split()) == 2):
        assert time.monotonic() < deadline, "the browser did not start"
        await asyncio.sleep(0.2)
    port = port_file.read_text().split()[0]
    session = aiohttp.ClientSession()
    async with session.get(f"http://127.0.0.1:{port}/json/list") as response:
        [tab, *_] = [t for t in await response.json() if t["type"] == "page"]
    return session, await session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0)
