"""Views by keyboard alone, 320 pixels wide: all is reached, nothing traps, the focus is seen.

One visit goes through a view of most tabs, and through all views in the heavy set: arrows open
each, Tab goes through what is in it. The same visit sees that nothing scrolls sideways, that
nothing moves where somebody wants no motion, and that with forced colours bars, marks and cells
keep something to be seen by.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.walk import unfold
from trainer.publish.visit import TABS, open_visit, settle

WIDTH = 320
TURNS, AT_ONCE = 20, 20  # Tab is pressed so often at once, and so many times over at most
# What a person has to reach in the open view. One of a group of radios and one word of a sentence
# stand for all, as arrows go on from there; in Plotly's own bar the pointer alone works. What is
# filled anew on the way keeps its place among those of its kind and name.
WATCH = """() => {
    const seen = one => one.checkVisibility({visibilityProperty: true})
        && one.getBoundingClientRect().width > 0;
    const panel = [...document.querySelectorAll('.tabitem')].filter(seen).at(-1);
    const found = () => [...panel.querySelectorAll(`:is(a[href], button, input, select, textarea,
        summary, [tabindex]):not([tabindex="-1"], :disabled, [type="hidden"], iframe *)`)]
        .filter(one => seen(one) && !one.closest('.modebar, [aria-hidden="true"]'));
    const kind = one => one.type === 'radio' ? `radio ${one.name}`
        : `${one.tagName} ${one.getAttribute('aria-label') || one.textContent.trim().slice(0, 60)}`;
    const place = one => one.type === 'radio' ? kind(one)
        : `${kind(one)} ${found().filter(other => kind(other) === kind(one)).indexOf(one)}`;
    window.stopWatching?.();
    window.unreached = new Set(found().map(place));
    window.unseen = [];
    const note = ({target}) => {
        if (panel.contains(target)) window.unreached.delete(place(target));
        const lined = [target, target.closest('label')].filter(Boolean)
            .map(one => getComputedStyle(one))
            .some(look => look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) >= 2);
        if (!lined && target.tagName !== 'IFRAME') window.unseen.push(place(target));
    };
    document.addEventListener('focusin', note);
    window.stopWatching = () => document.removeEventListener('focusin', note);
    return window.unreached.size;
}"""
MOVING = """[...document.querySelectorAll('.gradio-container .contain *')].filter(one => {
    const look = getComputedStyle(one);
    const most = times => Math.max(...times.split(',').map(parseFloat));
    return most(look.transitionDuration) > .01 || (look.animationName !== 'none'
        && most(look.animationDuration) > .01);
}).map(one => one.className).slice(0, 5)"""
# With forced colours backgrounds go; a bar, a mark and a cell need a line or a text, or to keep
# their own colours.
PALE = """[...document.querySelectorAll(`.mb-fill, .mb-tick, .mb-marker, .mb-gauge, .mb-phrase,
    .mb-dot, .mb-whisker, .mb-word`)].filter(one => one.checkVisibility()).filter(one => {
    const look = getComputedStyle(one);
    return look.forcedColorAdjust !== 'none' && parseFloat(look.borderTopWidth) === 0
        && (!one.textContent.trim() || look.fontSize === '0px');
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
    page.evaluate(WATCH)
    for _ in range(TURNS):
        for _ in range(AT_ONCE):
            page.keyboard.press("Tab")
        if not page.evaluate("window.unreached.size"):
            break
    wrong, pale = page.evaluate("[[...window.unreached], window.unseen]")
    return [f"not reached: {one}" for one in wrong] + [f"focus isn't seen: {one}" for one in pale]


def names_in(page: Page, selector: str) -> list[str]:
    """Return the names of the tabs, or the sub-views of the open one."""
    found: list[str] = page.locator(f"{TABS}{selector}").evaluate_all(
        "tabs => tabs.map(tab => tab.dataset.tabId)"
    )
    return found


@pytest.mark.whole
def test_views_by_keyboard_alone(context: BrowserContext, app_url: str) -> None:
    seen = open_visit(context, app_url, WIDTH, 900, "light")
    page = seen.page
    page.emulate_media(reduced_motion="reduce", forced_colors="active")
    found: dict[str, list[str]] = {}
    for tab in names_in(page, ':not([data-tab-id*="-"])'):
        open_by_arrows(page, tab)
        for name in names_in(page, f'[data-tab-id^="{tab}-"]') or [tab]:
            open_by_arrows(page, name)
            unfold(page)
            told = walk_through(page)
            wide = page.evaluate("document.scrollingElement.scrollWidth")
            told += [f"the page is {wide} px wide"] if wide > WIDTH else []
            told += [f"moves: {one}" for one in page.evaluate(MOVING)]
            told += [f"nothing to be seen by: {one}" for one in page.evaluate(PALE)]
            found[name] = told
    assert len(found) >= 30
    assert {name: told for name, told in found.items() if told} == {}
    assert seen.errors == []
    page.close()


@pytest.mark.whole
def test_what_is_wrong_is_found(context: BrowserContext, app_url: str) -> None:
    page = open_visit(context, app_url, WIDTH, 900, "light").page
    page.emulate_media(reduced_motion="reduce", forced_colors="active")
    page.evaluate(
        """() => document.querySelector('#predictions').insertAdjacentHTML('beforeend',
            `<button style="outline: none !important">unlined</button>
            <input aria-label="trap" onkeydown="event.key === 'Tab' && event.preventDefault()">
            <i class="mb-fill" style="forced-color-adjust: auto; display: block; border: 0"></i>
            <b style="transition: left 1s !important">moves</b>`)"""
    )
    told = walk_through(page)
    assert "focus isn't seen: BUTTON unlined 0" in told
    assert "not reached: BUTTON Swap A and B 0" in told, "nothing behind a trap is"
    assert not any("trap" in one for one in told)
    assert page.evaluate(PALE) == ["mb-fill"]
    assert len(page.evaluate(MOVING)) == 1
    page.close()
