"""A real Chromium on the real page: its requests, console errors and dialogs are recorded."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.served import ROOT

# The headless shell first: without a window's own pages it takes a third less work.
BROWSERS = (
    *("chromium-headless-shell", "chromium", "chromium-browser"),
    *("google-chrome", "google-chrome-stable"),
)
OUTPUT = ROOT / "test-output"

# A page is quiet when all that it asked the server is answered, and nothing was clicked or put on
# it for a moment: a tab asks a little after its click, and a figure is drawn in parts.
QUIET = """(() => {
    const fetched = window.fetch;
    let open = 0, last = 0;
    const change = by => { open += by; last = performance.now(); };
    const closed = how => new Promise(done => how.signal.addEventListener('abort', done));
    window.fetch = (what, how) => {
        const [, kind] = String(what.url || what).match(/queue\\/(join|data)/) || [];
        const asked = fetched(what, how);
        if (kind) {
            change(1);
            const done = () => change(-1);
            asked.then(() => kind === 'data' && closed(how)).then(done, done);
        }
        return asked;
    };
    addEventListener('click', () => change(0), true);
    new MutationObserver(() => change(0)).observe(document, {childList: true, subtree: true});
    window.quiet = () => open === 0 && performance.now() - last > 200;
})()"""

expect.set_options(timeout=15_000)  # a busy machine answers late


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


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Start the Chromium of this machine until the block ends; without one it fails."""
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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start one Chromium for all tests; without one they fail, they are never skipped."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Give the one visitor of most tests, whose pages read the page's scripts once."""
    made = browser.new_context()
    yield made
    made.close()


def open_visit(
    context: BrowserContext, url: str, width: int, height: int, theme: str, link: str = ""
) -> Visit:
    """Open a page whose doings are recorded; wait until its first answer is there.

    `link` is what stands behind the # of a link, which may open another view.
    """
    page = context.new_page()
    page.add_init_script(QUIET)
    page.set_viewport_size({"width": width, "height": height})
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
    page.goto(f"{url}/?__theme={theme}{link and '#'}{link}")
    state = "attached" if link else "visible"
    page.wait_for_selector("#predictions .mb-card", state=state, timeout=60_000)
    return seen


@pytest.fixture
def visit_at(context: BrowserContext) -> Iterator[Callable[..., Visit]]:
    """Open the page of an address in a size and theme; wait until its first answer is there."""
    opened: list[Page] = []

    def open_page(
        url: str, width: int = 1280, height: int = 900, theme: str = "light", link: str = ""
    ) -> Visit:
        seen = open_visit(context, url, width, height, theme, link)
        opened.append(seen.page)
        return seen

    yield open_page
    for page in opened:
        page.close()


@pytest.fixture(scope="module")
def kept_page(context: BrowserContext, app_url: str) -> Iterator[Visit]:
    """Give a file's tests one page of the real app, for those that don't mind what was asked."""
    seen = open_visit(context, app_url, 1280, 900, "light")
    yield seen
    seen.page.close()


@pytest.fixture
def kept(kept_page: Visit) -> Visit:
    """Give that page in its first tab, nothing having gone wrong on it."""
    page = kept_page.page
    page.get_by_role("tab", name="Try it", exact=True).click()
    page.wait_for_function("window.quiet()")
    kept_page.errors.clear()
    kept_page.dialogs.clear()
    return kept_page


@pytest.fixture
def visit(visit_at: Callable[..., Visit], app_url: str) -> Callable[..., Visit]:
    """Open the real app's page."""
    return functools.partial(visit_at, app_url)
