"""Every tab and sub-view, filled, wide and on a phone, in one walk.

The marks: a view is at most two screens high, its first figure is in sight without scrolling, and
what is to be read before a fold is opened is a few lines. Then, with all folds open, nothing is
cut off and axe-core finds nothing.
"""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlparse

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from tests.browser.test_accessibility import at_rest
from tests.browser.test_view_sizes import MOST_BYTES, Received
from tests.browser.walk import fold, unfold
from trainer.publish.visit import TABS, Visit, open_view, settle, view_names

Open = Callable[..., Visit]
PATIENT = 120_000  # milliseconds: a busy machine is slow, not wrong
WHOLE = bool(os.environ.get("MINBERT_HEAVY"))


@dataclasses.dataclass(frozen=True)
class Marks:
    """What a view may have at most, at one width of the window."""

    width: int
    height: int  # pixels of the whole page
    first: int  # pixels above the first figure
    words: int


MARKS = (Marks(1440, 1_800, 900, 60), Marks(390, 3_600, 1_800, 80))
WORDS_OF_ABOUT = 150
# What a view needs before it is full: what to press, and what is there then.
FILL = {
    "pooling-left_out": (["#leave-out"], "#left-out-joint-plot svg.main-svg"),
    "pooling-labels": (
        # the rows are there once the box is no longer empty
        ["#labels-example", "#labels-text textarea:not(:placeholder-shown)", "#labels-start"],
        "#labels-curve-plot svg.main-svg",
    ),
    "attention-without": (["#attention-mask label:nth-of-type(4)"], "#masked-plot svg.main-svg"),
    "attention-lines": (["#bertviz-head"], "#attention-bertviz iframe[style*=height]"),
    "attention-files": (["#attention-make"], "#attention-files a[download]"),
    "pooling-moods": (["#moods-gradients"], "#contributions-words .mb-said:nth-of-type(4)"),
    "why-words": (["#why-explain"], "#why-words-told .mb-said:nth-of-type(4)"),
    "why-fewest": ([], "#why-fewest-told h3"),
    "why-swaps": ([], "#why-swaps-told h3"),
    "why-nearest": ([], "#why-nearest-told h3"),
    "why-people": (["#why-templates"], "#why-templates-plot svg.main-svg"),
    "batch-rows": (["text=Try 8 sentences with labels", "#batch-run"], "#batch-rows table"),
}
# Counted is all that can be read at once, but tables, labels, controls and the typed sentences; of
# a figure's own text its annotations.
MEASURE = """() => {
    const seen = one => one.checkVisibility({visibilityProperty: true, opacityProperty: true})
        && !one.closest('.mb-unseen, .sr-only');
    const panel = [...document.querySelectorAll('.tabitem')].find(seen);
    const figures = [...panel.querySelectorAll(
        `.js-plotly-plot, [role="img"], table, iframe, .mb-cards, .mb-sentence,
        .mb-pyramid, [role="grid"]`)].filter(seen);
    const tops = figures.map(one => one.getBoundingClientRect().top + scrollY);
    const typed = [...document.querySelectorAll('#first textarea, #second textarea')]
        .map(box => box.value).filter(Boolean);
    const words = [], walker = document.createTreeWalker(panel, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const text = walker.currentNode, one = text.parentElement;
        if (!text.data.trim() || !seen(one) || typed.some(told => told.includes(text.data.trim()))
            || one.closest(`table, label, legend, button, input, textarea, select, summary, a, pre,
                .mb-phrase-words, .mb-name, [role="tab"], [role="listbox"], [role="grid"],
                [data-testid="block-info"], style, script`)
            || (one.closest('svg') && !one.closest('.annotation, .gtitle'))) continue;
        const left = typed.reduce((rest, told) => rest.replaceAll(told, ' '), text.data);
        words.push(...left.split(/\\s+/).filter(word => /\\p{L}/u.test(word)));
    }
    return {height: document.scrollingElement.scrollHeight, words,
        first: tops.length ? Math.round(Math.min(...tops)) : null,
        wide: document.scrollingElement.scrollWidth};
}"""


def fill(page: Page, name: str) -> None:
    """Open a view and press what fills it."""
    open_view(page, name)
    buttons, there = FILL.get(name, ((), ""))
    for button in buttons:
        page.locator(button).click()
    if there:
        expect(page.locator(there).first).to_be_visible(timeout=PATIENT)
        settle(page)


def missed(name: str, marks: Marks, found: dict[str, Any]) -> list[str]:
    """Tell which marks a view misses, each with its number."""
    most = WORDS_OF_ABOUT if name.startswith("about") else marks.words
    told, count = [], len(found["words"])
    if found["height"] > marks.height:
        told.append(f"{found['height']} px high, more than {marks.height}")
    if (found["first"] or 0) > marks.first:
        told.append(f"its first figure begins at {found['first']} px, below {marks.first}")
    if count > most:
        told.append(f"{count} words, more than {most}: {' '.join(found['words'])}")
    if found["wide"] > marks.width:
        told.append(f"{found['wide']} px wide")
    return told


def tab_views(page: Page) -> Iterator[str]:
    """Yield the names of all views, each once its tab is open; the first of a tab unless whole."""
    tops = page.locator(f'{TABS}:not([data-tab-id*="-"])')
    for tab in tops.evaluate_all("tabs => tabs.map(tab => tab.dataset.tabId)"):
        open_view(page, tab)
        names = view_names(page, tab)
        yield from names if WHOLE else names[:1]


def measured(page: Page, name: str, marks: Marks) -> list[str]:
    """Measure the open view at this width, its folds closed; tell which marks it misses."""
    found = page.evaluate(MEASURE)
    print(name, marks.width, found["height"], found["first"], len(found["words"]))  # noqa: T201 - the figures the check is for
    return missed(name, marks, found)


def test_every_view_keeps_the_marks_and_the_rules_and_nothing_is_cut(visit: Open) -> None:
    """Each is filled once; the window changes its width in each, so every other one begins narrow.

    Axe-core is asked at the width that comes first, of all that stands around the views once at
    each; all looks of all views are the heavy set's.
    """
    here, there = MARKS
    seen = visit(width=here.width)
    page, told = seen.page, dict[tuple[str, int], list[str]]()
    received = Received(page)
    page.evaluate(AXE_SCRIPT)
    for number, name in enumerate(tab_views(page)):
        size = received.of(functools.partial(fill, page, name))
        told[name, here.width] = measured(page, name, here)
        told[name, here.width] += [f"{size:,} bytes came"] if size > MOST_BYTES else []
        pinned = name == "try-answers"  # looked at with a pinned answer below, measured without
        if pinned:
            page.locator("#pin").click()
            expect(page.locator("#change")).to_contain_text("Pinned")
        unfold(page)
        assert page.locator(".tabitem:visible :is(h3, .mb-note)").count() > 0, "something to see"
        told[name, here.width] += at_rest(page, whole=number < len(MARKS))
        page.set_viewport_size({"width": there.width, "height": 900})
        settle(page)
        cut = at_rest(page, ruled=False)
        if pinned:
            page.locator("#unpin").click()
            expect(page.locator("#change")).to_have_text("")
        fold(page)
        settle(page)
        told[name, there.width] = [*measured(page, name, there), *cut]
        here, there = there, here
    names = {name for name, _ in told}
    assert len(told) == 2 * len(names) >= (60 if WHOLE else 14)
    assert not WHOLE or names >= FILL.keys(), "each view that is to be filled is there"
    assert {view: marks for view, marks in told.items() if marks} == {}
    assert seen.errors == []
    hosts = {urlparse(url).hostname for url in seen.requests if urlparse(url).scheme != "data"}
    assert hosts <= {"127.0.0.1", None}, "no request leaves the machine"
