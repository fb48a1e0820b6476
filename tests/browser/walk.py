"""Ways through a page that ask it what there is: its tabs, its folds, its text fields."""

from __future__ import annotations

import contextlib

from playwright.sync_api import Locator, Page, TimeoutError, expect

# Gradio keeps a hidden list of all tabs, those in the menu of a narrow page included.
LISTED = ".tab-wrapper .tab-container.visually-hidden button"
FILLED = "![...document.querySelectorAll('.mb-plot .empty')].some(plot => plot.checkVisibility())"
DRAWN = """[...document.querySelectorAll('.mb-plot')].filter(plot => plot.checkVisibility())
    .every(plot => plot.querySelector('svg.main-svg, .empty'))"""
# Gradio makes pale what waits for an answer, and fades it in.
SETTLED = """![...document.querySelectorAll('.pending')].some(one => one.checkVisibility())
    && document.getAnimations().every(one => one.playState !== 'running'
        || one.effect.getComputedTiming().endTime === Infinity)"""
UNFOLD = """() => {
    document.querySelectorAll('details').forEach(fold => { fold.open = true; });
    [...document.querySelectorAll('button.label-wrap:not(.open)')]
        .filter(fold => fold.checkVisibility()).forEach(fold => fold.click());
}"""
FIELDS = (
    "textarea:visible:not([readonly]):not([disabled]), "
    "input:is([type=text], [type=search], [type=url], :not([type]))"
    ":visible:not([readonly]):not([disabled])"
)


def tab_names(page: Page) -> list[str]:
    """Return the names of all tabs."""
    return [name.strip() for name in page.locator(LISTED).all_text_contents()]


def open_tab(page: Page, name: str) -> None:
    """Open a tab, from the menu where a narrow page has no room for it; wait for all of it."""
    tab = page.get_by_role("tab", name=name, exact=True)
    if tab.count() == 0:
        page.get_by_role("button", name="More tabs").click()
        page.locator(".overflow-dropdown").get_by_text(name, exact=True).click()
    else:
        tab.click()
    expect(tab).to_have_attribute("aria-selected", "true")
    page.wait_for_timeout(300)  # the tab's resize
    with contextlib.suppress(TimeoutError):  # a figure that nobody has asked for stays empty
        page.wait_for_function(FILLED, timeout=4_000)
    page.wait_for_function(f"{DRAWN} && {SETTLED}", timeout=60_000)


def unfold(page: Page) -> None:
    """Open every fold that can be seen."""
    page.evaluate(UNFOLD)
    page.wait_for_timeout(300)


def fields(page: Page) -> Locator:
    """Return the text fields that can be typed into now."""
    return page.locator(FIELDS)
