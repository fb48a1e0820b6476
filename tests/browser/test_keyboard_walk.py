"""Every view by keyboard alone, 320 pixels wide: all is reached, nothing traps, the focus is seen.

One visit goes through all views: arrows open each, Tab goes through what is in it. The same visit
sees that nothing scrolls sideways, that nothing moves where somebody wants no motion, and that with
forced colours bars, marks and words keep something to be seen by.
"""

from __future__ import annotations

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import open_visit
from tests.browser.walk import TABS, settle, unfold

WIDTH = 320
MOST_STOPS = 400  # of one view; a trap is seen before that
# What a person has to reach in the open view. One of a group of radios and one word of a sentence
# stand for all, as arrows go on from there; in Plotly's own bar the pointer alone works.
CONTROLS = """:is(a[href], button, input, select, textarea, summary, [tabindex]):not([tabindex="-1"], :disabled, [type="hidden"], [aria-hidden="true"] *, iframe *)"""
MARK = """selector => {
    const seen = one => one.checkVisibility({visibilityProperty: true})
        && one.getBoundingClientRect().width > 0;
    const panel = [...document.querySelectorAll('.tabitem')].filter(seen).at(-1);
    const all = [...panel.querySelectorAll(selector)].filter(seen)
        .filter(one => !one.closest('.modebar'))
        .filter(one => one.type !== 'radio' || one.checked
            || ![...panel.querySelectorAll(`[name="${one.name}"]`)].some(other => other.checked));
    window.unreached = new Set(all);
    return all.length;
}"""
STEP = """() => {
    const one = document.activeElement, look = getComputedStyle(one);
    window.unreached.delete(one);
    if (one.type === 'radio') window.unreached.forEach(other => {
        if (other.name === one.name) window.unreached.delete(other);
    });
    const parts = [one, one.closest('label')].filter(Boolean).map(part => getComputedStyle(part));
    const seen = parts.some(part => part.outlineStyle !== 'none'
        && parseFloat(part.outlineWidth) >= 2);
    const name = one.getAttribute('aria-label') || one.textContent.trim().slice(0, 40)
        || one.outerHTML.slice(0, 80);
    return {name, seen: seen || one === document.body || one.tagName === 'IFRAME',
        body: one === document.body, again: one === window.before,
        left: [...window.unreached].map(left => left.outerHTML.slice(0, 120)),
        before: (window.before = one) && null};
}"""
SIDEWAYS = "document.scrollingElement.scrollWidth"
MOVING = """[...document.querySelectorAll('.gradio-container *')].filter(one => {
    const look = getComputedStyle(one);
    const most = times => Math.max(...times.split(',').map(parseFloat));
    return most(look.transitionDuration) > .01 || (look.animationName !== 'none'
        && most(look.animationDuration) > .01);
}).map(one => one.className).slice(0, 5)"""
# With forced colours backgrounds go; a bar, a mark, a tinted word and a cell need a line or a text,
# or to keep their own colours.
PALE = """[...document.querySelectorAll(`.mb-fill, .mb-tick, .mb-marker, .mb-gauge, .mb-phrase,
    .mb-dot, .mb-whisker, .mb-key`)].filter(one => one.checkVisibility()).filter(one => {
    const look = getComputedStyle(one);
    return look.forcedColorAdjust !== 'none' && parseFloat(look.borderTopWidth) === 0
        && look.outlineStyle === 'none' && !one.textContent.trim();
}).map(one => one.className)"""


def open_by_arrows(page: Page, name: str) -> None:
    """Open a tab or a sub-view by the arrow keys, from the open one of its row."""
    wanted = page.locator(f'{TABS}[data-tab-id="{name}"]')
    wanted.evaluate(
        "tab => tab.closest('[role=tablist]').querySelector('[aria-selected=true]').focus()"
    )
    for _ in range(12):
        if wanted.evaluate("tab => tab === document.activeElement"):
            break
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(wanted).to_have_attribute("aria-selected", "true")
    settle(page)


def walk_through(page: Page) -> list[str]:
    """Press Tab until all of the open view was reached; tell what wasn't, and what isn't seen."""
    page.evaluate(MARK, CONTROLS)
    wrong = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        here = page.evaluate(STEP)
        if not here["seen"]:
            wrong.append(f"“{here['name']}” doesn't show that it has the focus")
        if here["again"] and not here["body"]:
            wrong.append(f"“{here['name']}” keeps the focus")
        if here["body"] or not here["left"]:
            break
    return wrong + [f"not reached: {one}" for one in here["left"]]


def names_in(page: Page, selector: str) -> list[str]:
    found: list[str] = page.locator(f"{TABS}{selector}").evaluate_all(
        "tabs => tabs.map(tab => tab.dataset.tabId)"
    )
    return found


def test_every_view_by_keyboard_alone(context: BrowserContext, app_url: str) -> None:
    seen = open_visit(context, app_url, WIDTH, 900, "light")
    page = seen.page
    page.emulate_media(reduced_motion="reduce", forced_colors="active")
    found: dict[str, list[str]] = {}
    for tab in names_in(page, ':not([data-tab-id*="-"])'):
        open_by_arrows(page, tab)
        for name in names_in(page, f'[data-tab-id^="{tab}-"]') or [tab]:
            if name != tab:
                open_by_arrows(page, name)
            unfold(page)
            told = walk_through(page)
            wide = page.evaluate(SIDEWAYS)
            if wide > WIDTH:
                told.append(f"the page is {wide} px wide")
            told += [f"moves: {one}" for one in page.evaluate(MOVING)]
            told += [f"nothing to be seen by: {one}" for one in page.evaluate(PALE)]
            found[name] = told
    assert len(found) >= 30
    assert {name: told for name, told in found.items() if told} == {}
    assert seen.errors == []
    page.close()
