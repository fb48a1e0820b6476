"""A real Chromium on the real page: its requests, console errors and dialogs are recorded."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from trainer.publish.visit import Visit, chromium, open_visit

expect.set_options(timeout=15_000)  # a busy machine answers late


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
