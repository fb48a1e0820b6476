"""A real Chromium on the real page: its requests, console errors and dialogs are recorded."""

from __future__ import annotations

import dataclasses
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "test-output"


@dataclasses.dataclass
class Visit:
    """One open page and what happened on it."""

    page: Page
    requests: list[str] = dataclasses.field(default_factory=list)
    errors: list[str] = dataclasses.field(default_factory=list)
    dialogs: list[str] = dataclasses.field(default_factory=list)

    def shot(self, name: str) -> None:
        """Keep a screenshot of the whole page as test output."""
        OUTPUT.mkdir(exist_ok=True)
        self.page.screenshot(path=OUTPUT / f"{name}.png", full_page=True)


@pytest.fixture(scope="session")
def app_url() -> Iterator[str]:
    """Start the real app as a person would, on a free port, and stop it at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "GRADIO_SERVER_PORT": str(port), "HF_HUB_OFFLINE": "1"}
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if url in line:
                break
        else:
            pytest.fail("the app stopped before it told its address:\n" + "".join(lines))
        yield url
        process.terminate()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the Chromium of this machine; without one the tests fail, they are never skipped."""
    named = os.environ.get("MINBERT_CHROMIUM")
    path = named or next((found for name in BROWSERS if (found := shutil.which(name))), None)
    assert path, "no Chromium found: apt-get install chromium, or name one in MINBERT_CHROMIUM"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser, app_url: str) -> Iterator[Callable[..., Visit]]:
    """Open the page in a size and theme; wait until its first answer is there."""
    opened: list[Page] = []

    def open_page(width: int = 1280, height: int = 900, theme: str = "light") -> Visit:
        page = browser.new_page(viewport={"width": width, "height": height})
        opened.append(page)
        seen = Visit(page)
        page.on("request", lambda request: seen.requests.append(request.url))
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.on(
            "console",
            lambda message: seen.errors.append(message.text) if message.type == "error" else None,
        )

        def dismiss(dialog: object) -> None:
            seen.dialogs.append(dialog.message)  # type: ignore[attr-defined]
            dialog.dismiss()  # type: ignore[attr-defined]

        page.on("dialog", dismiss)
        page.goto(f"{app_url}/?__theme={theme}")
        page.wait_for_selector("#predictions .mb-card", timeout=60_000)
        return seen

    yield open_page
    for page in opened:
        page.close()
