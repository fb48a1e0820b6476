"""The page in a real Chromium: its views opened one by one, its requests and errors recorded.

`publish --verify` and the tests of tests/browser/ use it. It needs the extra `verify`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Error,
    Locator,
    Page,
    Route,
    expect,
    sync_playwright,
)

from trainer.publish.errors import PublishError

# The headless shell first: without a window's own pages it takes a third less work.
BROWSERS = (
    *("chromium-headless-shell", "chromium", "chromium-browser"),
    *("google-chrome", "google-chrome-stable"),
)
ANSWERED = 60_000  # milliseconds until a page or a view has its answers
OPENED = 30_000  # milliseconds until a tab is open; a busy machine answers late
TABS = 'button[role="tab"][data-tab-id]'

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
# A window or a tab tells its figures of their width a little later.
DRAWN = """[...document.querySelectorAll('.mb-plot')].filter(plot => plot.checkVisibility())
    .every(plot => plot.querySelector('svg.main-svg'))
    && [...document.querySelectorAll('.js-plotly-plot svg.main-svg')]
    .filter(svg => svg.checkVisibility()).every(svg => Math.abs(svg.getBoundingClientRect().width
        - svg.closest('.js-plotly-plot').getBoundingClientRect().width) <= 2)"""
# Gradio makes pale what waits for an answer, and fades it in.
SETTLED = """![...document.querySelectorAll('.pending')].some(one => one.checkVisibility())
    && document.getAnimations().every(one => one.playState !== 'running'
        || one.effect.getComputedTiming().endTime === Infinity)"""


@dataclasses.dataclass
class Visit:
    """One open page and what happened on it."""

    page: Page
    requests: list[str] = dataclasses.field(default_factory=list)
    errors: list[str] = dataclasses.field(default_factory=list)
    dialogs: list[str] = dataclasses.field(default_factory=list)

    def record(self) -> None:
        """Record from now on: requests, errors of scripts and of the console, dialogs."""
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("websocket", lambda socket: self.requests.append(socket.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._console)
        self.page.on("dialog", self._dialog)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _dialog(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()


def chromium_path() -> str:
    """Return where the Chromium of this machine is.

    Raises:
        PublishError: there is none.
    """
    named = os.environ.get("MINBERT_CHROMIUM")
    path = named or next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        raise PublishError(
            "A Chromium should be installed. Found none; `apt-get install chromium`, or name one "
            "in MINBERT_CHROMIUM."
        )
    return path


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Start the Chromium of this machine until the block ends.

    Raises:
        PublishError: there is none.
    """
    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        try:
            yield browser
        finally:
            browser.close()


def open_visit(
    context: BrowserContext,
    url: str,
    width: int = 1280,
    height: int = 900,
    theme: str = "light",
    link: str = "",
) -> Visit:
    """Open a page whose doings are recorded; wait until its first answer is there.

    `link` is what stands behind the # of a link, which may open another view.
    """
    seen = new_visit(context, width, height)
    load(seen.page, f"{url}/?__theme={theme}{link and '#'}{link}", hidden=bool(link))
    return seen


def new_visit(context: BrowserContext, width: int = 1280, height: int = 900) -> Visit:
    """Return an empty page whose doings are recorded."""
    page = context.new_page()
    page.add_init_script(QUIET)
    page.set_viewport_size({"width": width, "height": height})
    seen = Visit(page)
    seen.record()
    return seen


def load(page: Page, url: str, *, hidden: bool = False) -> None:
    """Load the app's page; wait until its first answer is there, on a view that may be hidden."""
    page.goto(url)
    state: Literal["attached", "visible"] = "attached" if hidden else "visible"
    page.wait_for_selector("#predictions .mb-card", state=state, timeout=ANSWERED)


def walk(page: Page, url: str) -> Iterator[tuple[str, str]]:
    """Load the app's page and open all its views; yield each with what is wrong with it, or ""."""
    if fault := fault_of(load, page, url):
        yield "the page", fault
        return
    tabs = tab_ids(page)
    if not tabs:
        yield "the page", "it has no tabs"
    for tab in tabs:
        if fault := fault_of(open_view, page, tab):
            yield tab, fault
            continue
        for name in view_names(page, tab):
            yield name, fault_of(open_view, page, name) or emptiness(page, name)


def fault_of(action: Callable[..., None], *arguments: object) -> str:
    """Do something on a page; return why it can't be done, "" where it can."""
    try:
        action(*arguments)
    except (Error, AssertionError) as error:
        why = " ".join(str(error).partition("Call log:")[0].split())  # its tries follow
        return f"it doesn't open: {why[:200]}"
    return ""


def emptiness(page: Page, name: str) -> str:
    """Return what is wrong with an open view: nothing on it, or a message that something failed."""
    failures = page.locator(".toast-body.error")
    if told := failures.all_inner_texts():
        for close in page.locator(".toast-close").all():
            close.click()
        return " ".join(" ".join(told).split())
    view = page.locator(f"#view-{name}")
    return "" if view.is_visible() and view.inner_text().strip() else "there is nothing on it"


def send_headers(context: BrowserContext, url: str, headers: Mapping[str, str]) -> None:
    """Send headers to one address alone: a token is for no other host."""

    def send(route: Route) -> None:
        route.continue_(headers={**route.request.headers, **headers})

    if headers:
        context.route(f"{url}/**", send)


def tab_ids(page: Page) -> list[str]:
    """Return the names of all tabs, by which views are opened."""
    tops = page.locator(f'{TABS}:not([data-tab-id*="-"])')
    names: list[str] = tops.evaluate_all("tabs => tabs.map(tab => tab.dataset.tabId)")
    return names


def view_names(page: Page, tab: str) -> list[str]:
    """Return the names of an open tab's sub-views; its own where it has none."""
    shown = page.locator(f'{TABS}[data-tab-id^="{tab}-"]')
    names: list[str] = shown.evaluate_all("tabs => tabs.map(tab => tab.dataset.tabId)")
    return names or [tab]


def open_view(page: Page, name: str) -> None:
    """Open a view by its name, "tab" or "tab-something"; wait for all of it."""
    for one in dict.fromkeys((name.partition("-")[0], name)):
        press(page.locator(f'{TABS}[data-tab-id="{one}"]'))
    settle(page)


def press(tab: Locator) -> None:
    """Open a tab, or a sub-view of the open one."""
    tab.click(timeout=OPENED)
    expect(tab).to_have_attribute("aria-selected", "true", timeout=OPENED)


def settle(page: Page) -> None:
    """Wait until what is open is answered, drawn and still."""
    page.wait_for_function(f"window.quiet() && {DRAWN} && {SETTLED}", timeout=ANSWERED)
