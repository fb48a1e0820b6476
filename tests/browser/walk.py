"""Ways through a page that ask it what there is: its tabs, its folds, its text fields."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

from tests.served import ROOT
from trainer.publish.visit import TABS, open_view, press, settle, tab_ids, view_names

OUTPUT = ROOT / "test-output"
UNFOLD = """() => {
    const hidden = [...document.querySelectorAll('.tabitem')].filter(tab => !tab.checkVisibility());
    const folds = [...document.querySelectorAll('details:not([open])')]
        .filter(fold => !hidden.some(tab => tab.contains(fold)));
    const buttons = [...document.querySelectorAll('button.label-wrap:not(.open)')]
        .filter(button => button.checkVisibility());
    folds.forEach(fold => { fold.open = true; });
    buttons.forEach(button => button.click());
    window.fold = () => {
        folds.forEach(fold => { fold.open = false; });
        buttons.filter(button => button.matches('.open')).forEach(button => button.click());
    };
}"""
FIELDS = (
    "textarea:visible:not([readonly]):not([disabled]), "
    "input:is([type=text], [type=search], [type=url], :not([type]))"
    ":visible:not([readonly]):not([disabled])"
)


def tab_names(page: Page) -> list[str]:
    """Return the names of all tabs."""
    tabs = page.locator(f'{TABS}:not([data-tab-id*="-"])')
    return [name.strip() for name in tabs.all_text_contents()]


def all_views(page: Page) -> list[str]:
    """Return the names of all views, each tab having been opened."""
    views = []
    for tab in tab_ids(page):
        open_view(page, tab)
        views += view_names(page, tab)
    return views


def open_tab(page: Page, name: str) -> None:
    """Open a tab by its title; wait for all of it."""
    press(page.get_by_role("tab", name=name, exact=True))
    settle(page)


def unfold(page: Page) -> None:
    """Open every fold of the open view, and those around it."""
    page.evaluate(UNFOLD)
    settle(page)


def fold(page: Page) -> None:
    """Close again what `unfold` opened."""
    page.evaluate("window.fold()")


def fields(page: Page) -> Locator:
    """Return the text fields that can be typed into now."""
    return page.locator(FIELDS)


def shot(page: Page, name: str) -> None:
    """Keep a screenshot of the whole page as test output."""
    OUTPUT.mkdir(exist_ok=True)
    page.screenshot(path=OUTPUT / f"{name}.png", full_page=True)
