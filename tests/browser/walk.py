"""Ways through a page that ask it what there is: its tabs, its folds, its text fields."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

TABS = 'button[role="tab"][data-tab-id]'
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


def view_names(page: Page, tab: str) -> list[str]:
    """Return the names of an open tab's sub-views; its own where it has none."""
    shown = page.locator(f'{TABS}[data-tab-id^="{tab}-"]')
    names = shown.evaluate_all("tabs => tabs.map(tab => tab.dataset.tabId)")
    return names or [tab]


def all_views(page: Page) -> list[str]:
    """Return the names of all views, each tab having been opened."""
    tops = page.locator(f'{TABS}:not([data-tab-id*="-"])')
    views = []
    for tab in tops.evaluate_all("tabs => tabs.map(tab => tab.dataset.tabId)"):
        open_view(page, tab)
        views += view_names(page, tab)
    return views


def open_tab(page: Page, name: str) -> None:
    """Open a tab by its title; wait for all of it."""
    press(page.get_by_role("tab", name=name, exact=True))
    settle(page)


def open_view(page: Page, name: str) -> None:
    """Open a view by its name, "tab" or "tab-something"; wait for all of it."""
    for one in dict.fromkeys((name.partition("-")[0], name)):
        press(page.locator(f'{TABS}[data-tab-id="{one}"]'))
    settle(page)


def press(tab: Locator) -> None:
    """Open a tab, or a sub-view of the open one."""
    tab.click()
    expect(tab).to_have_attribute("aria-selected", "true")


def settle(page: Page) -> None:
    """Wait until what is open is answered, drawn and still."""
    page.wait_for_function(f"window.quiet() && {DRAWN} && {SETTLED}", timeout=60_000)


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
