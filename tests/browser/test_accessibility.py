"""Every view, light and dark, wide and narrow: axe-core finds nothing, nothing is cut off.

axe-core looks at WCAG 2.0 and 2.1, levels A and AA, and at its own best practices (the order of
headings, say). All folds are open, a pinned answer is shown. The four looks are the heavy set's;
otherwise test_views.py asks for each view in the light one, every other view on a phone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from urllib.parse import urlparse

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.test_page import ask
from tests.browser.walk import all_views, open_tab, shot, unfold
from trainer.publish.visit import Visit, open_view, open_visit

LOOKS = [(theme, width) for theme in ("light", "dark") for width in (1440, 390)]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
# (rule, selector of gradio's own widget, why it is left). What can be mended with a line of
# style.css or another argument of the component is mended, not listed.
GRADIOS = (
    ("aria-prohibited-attr", "#attention-files .empty", "it names the place of files not yet made"),
)
# Hidden tabs are looked at when they are open; of a table the first rows stand for all.
LEFT_OUT = """[...document.querySelectorAll('.tabitem')].filter(tab => !tab.checkVisibility())
    .concat([...document.querySelectorAll(
        '.mb-table tr:nth-child(n+5), .mb-claims tr:nth-child(n+9)')])"""
# Of the open tab alone also what Plotly draws is left out, whose text has no colour for axe-core.
OPEN = "[...document.querySelectorAll('.tabitem')].filter(tab => tab.checkVisibility()).slice(0, 1)"
DRAWN = "[...document.querySelectorAll('.js-plotly-plot svg')]"
AUDIT = (
    """([tags, known, whole]) => axe.run(whole ? {exclude: LEFT}
    : {include: OPEN, exclude: LEFT.concat(DRAWN)}, {runOnly: tags, elementRef: true,
    resultTypes: ['violations']}).then(found => found.violations.flatMap(broken => broken.nodes
        .filter(node => !known.some(([rule, selector]) => rule === broken.id
            && node.element.closest(selector)))
        .map(node => `${broken.id}: ${node.target.join(' ')} ${node.html.slice(0, 200)}`)))
""".replace("LEFT", LEFT_OUT)
    .replace("OPEN", OPEN)
    .replace("DRAWN", DRAWN)
)
CUT = """() => {
    const found = [], parents = one => one.parentElement ? [one.parentElement,
        ...parents(one.parentElement)] : [];
    const style = one => getComputedStyle(one).overflowX;
    const roots = [document.body, document.documentElement];
    const scrolled = one => parents(one).some(up => !roots.includes(up)
        && ['auto', 'scroll'].includes(style(up)) && up.scrollWidth > up.clientWidth);
    const page = [...document.querySelectorAll('.gradio-container *')]
        .filter(one => one.checkVisibility({visibilityProperty: true})
            && !one.closest('.mb-unseen, .sr-only, [aria-hidden="true"]'));
    const told = (how, one) => found.push(
        `${how}: ${one.tagName} ${one.getAttribute('class')} ${one.textContent.slice(0, 60)}`);
    for (const one of page) {
        const box = one.getBoundingClientRect();
        if (!box.width || scrolled(one)) continue;
        const framed = one.matches('.mb-card, .mb-plot, .mb-table, .mb-findings, .block, button');
        if (framed && (box.left < -1 || box.right > innerWidth + 1)) told('outside', one);
        if (![...one.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
        const frame = [one, ...parents(one)].find(up => ['hidden', 'clip'].includes(style(up)));
        const edges = frame && frame.getBoundingClientRect();
        const over = frame === one ? one.scrollWidth > one.clientWidth + 1
            : frame && (box.left < edges.left - 1 || box.right > edges.right + 1);
        if (over || box.left < -1 || box.right > innerWidth + 1) told('cut', one);
    }
    const root = document.scrollingElement;
    if (root.scrollWidth > innerWidth) found.push(`the page is ${root.scrollWidth} px wide`);
    return found;
}"""
PLANTED = """() => document.querySelector('#predictions').insertAdjacentHTML('beforeend',
    `<div id="planted" class="mb-card" style="width:2000px"><img src="data:,"><button></button>
    <p style="color:#aaa;background:#999">pale</p><h6>skipped</h6>
    <div style="width:40px;overflow:hidden;white-space:nowrap">a long line of text</div></div>`)"""
Opened = Callable[[str, int], Visit]


@pytest.fixture(scope="module")
def opened(context: BrowserContext, app_url: str) -> Iterator[Opened]:
    """Open one page for each look, with a pinned answer, and keep it for all tests here."""
    pages: dict[tuple[str, int], Visit] = {}

    def visit(theme: str, width: int) -> Visit:
        if (theme, width) not in pages:
            seen = pages[theme, width] = open_visit(context, app_url, width, 900, theme)
            seen.page.evaluate(AXE_SCRIPT)
            ask(seen.page, "The lake froze early.", "Ice covered the lake sooner than usual.")
            seen.page.locator("#pin").click()
            expect(seen.page.locator("#change")).to_contain_text("Pinned")
        return pages[theme, width]

    yield visit
    for seen in pages.values():
        seen.page.close()


def audit(
    page: Page, known: Sequence[tuple[str, str, str]] = GRADIOS, *, whole: bool = True
) -> list[str]:
    """Return the rules that are broken on the whole page, or in its open tab alone."""
    places = [[rule, where] for rule, where, _ in known]
    told: list[str] = page.evaluate(AUDIT, [RULES, places, whole])
    return told


def at_rest(page: Page, *, ruled: bool = True, whole: bool = True) -> list[str]:
    """Return what is broken or cut; looked at twice, since a page that still fills is half pale."""
    for wait in (0, 5_000):
        page.wait_for_timeout(wait)
        told = [*(audit(page, whole=whole) if ruled else ()), *page.evaluate(CUT)]
        if not told:
            break
    return told


@pytest.mark.whole
@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_every_tab_keeps_the_rules_and_nothing_is_cut(
    opened: Opened, theme: str, width: int
) -> None:
    seen = opened(theme, width)
    page = seen.page
    names = all_views(page)
    assert len(names) == len(set(names)) >= 20
    found = []
    for name in names:
        open_view(page, name)
        unfold(page)
        assert page.locator(".tabitem:visible :is(h3, .mb-note)").count() > 0, "something to see"
        found += [f"{name}: {told}" for told in at_rest(page)]
        shot(seen.page, f"all-{name}-{theme}-{width}")
    assert found == []
    assert seen.errors == []
    hosts = {urlparse(url).hostname for url in seen.requests if urlparse(url).scheme != "data"}
    assert hosts <= {"127.0.0.1", None}, "no request leaves the machine"


@pytest.mark.whole
def test_a_planted_fault_is_found_and_a_known_one_alone_is_left(opened: Opened) -> None:
    page = opened("light", 390).page
    open_tab(page, "Try it")
    page.evaluate(PLANTED)
    told = audit(page)
    rules = {line.split(":")[0] for line in told}
    assert {"image-alt", "button-name", "color-contrast", "heading-order"} <= rules
    left = audit(page, [("button-name", "#planted button", "planted"), ("image-alt", "#first", "")])
    assert len(left) == len(told) - 1
    assert {line.split(":")[0] for line in left} == rules - {"button-name"}
    part = audit(page, whole=False)
    assert {line.split(":")[0] for line in part} >= {"image-alt", "button-name", "color-contrast"}
    cut = page.evaluate(CUT)
    assert any(line.startswith("outside: DIV mb-card") for line in cut)
    assert any(line.startswith("cut: DIV") and "a long line" in line for line in cut)
    page.evaluate("document.querySelector('#planted').remove()")
    assert [*audit(page), *audit(page, whole=False), *page.evaluate(CUT)] == []
