"""Coloured words on the page: pointing, tapping and the arrow keys tell numbers, asking nobody."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_accessibility import CUT, audit
from tests.browser.test_page import HOSTILE, ask
from trainer.publish.visit import SETTLED, Visit, open_view, open_visit

Open = Callable[..., Visit]
A, B = "The food was wonderful, but the waiter was rude.", "Great dishes, terrible service."
MOODS, PAIR = "#coloured-words .mb-colour:not(.mb-alike)", "#coloured-words .mb-alike"
TINTS = """place => [...document.querySelectorAll(`${place} .mb-word`)]
    .map(word => Number(word.style.getPropertyValue('--s')))"""
HERE = "document.activeElement.textContent"


def asked(page: Page) -> None:
    ask(page, A, B)
    open_view(page, "try-words")
    expect(page.locator(f"{PAIR} .mb-word").first).to_be_visible()
    page.wait_for_function(SETTLED)


@pytest.mark.whole
def test_pointing_tints_the_partners_and_asks_nobody(visit: Open) -> None:
    seen = visit()
    page = seen.page
    asked(page)
    rest, hint = page.evaluate(TINTS, PAIR), page.locator(f"{PAIR} .mb-readout").inner_text()
    count = len(seen.requests)
    first, second = (page.locator(f"{PAIR} .mb-sentence").nth(k) for k in (0, 1))
    first.get_by_role("option", name="wonderful").hover()
    expect(page.locator(f"{PAIR} .mb-readout")).to_contain_text("wonderful: +")
    of_first = page.evaluate(TINTS, PAIR)
    assert of_first != rest
    second.get_by_role("option", name="great").hover()
    expect(page.locator(f"{PAIR} .mb-readout")).to_contain_text("great: +")
    assert page.evaluate(TINTS, PAIR) not in (rest, of_first)
    page.locator("#first textarea").hover()
    expect(page.locator(f"{PAIR} .mb-readout")).to_have_text(hint)
    assert page.evaluate(TINTS, PAIR) == rest
    assert len(seen.requests) == count
    page.get_by_role("button", name="Colour them under CLS pooling").click()
    expect(page.locator(f"{MOODS} .mb-line")).to_have_text(
        ["mean pooling, exact split", "CLS pooling, integrated gradients"] * 2
    )
    page.locator(f"{MOODS} .mb-word", has_text="wonderful").first.hover()
    expect(page.locator(f"{MOODS} .mb-readout")).to_contain_text("CLS pooling")
    ask(page, "The tea was cold.")
    expect(page.locator(f"{MOODS} .mb-line")).to_have_text(["mean pooling, exact split"])
    assert page.locator(PAIR).count() == 0
    ask(page, HOSTILE)
    expect(page.locator(f"{MOODS} .mb-word").first).to_be_visible()
    assert page.locator("#injected").count() == 0
    assert (seen.dialogs, seen.errors) == ([], [])


@pytest.mark.whole
def test_the_keyboard_reaches_each_word_and_the_rules_hold(visit: Open) -> None:
    page = visit(width=320, theme="dark").page  # test_views.py looks at the light, wide page
    asked(page)
    lists = page.locator("#coloured-words .mb-sentence")
    assert lists.count() == 4
    for place in range(4):
        assert lists.nth(place).locator("[tabindex='0']").count() == 1
    lists.first.locator(".mb-word").first.focus()
    for key, word in (
        ("ArrowRight", "food"),
        ("End", "."),
        ("ArrowRight", "."),
        ("ArrowLeft", "rude"),
        ("Home", "the"),
    ):
        page.keyboard.press(key)
        assert page.evaluate(HERE) == word
    page.keyboard.press("ArrowRight")
    readout = page.locator(f"{MOODS} .mb-readout").inner_text()
    assert readout == page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.keyboard.press("Tab")
    assert page.evaluate(HERE) == "great", "one stop a sentence"
    page.evaluate(AXE_SCRIPT)
    assert [*audit(page), *page.evaluate(CUT)] == []


@pytest.mark.whole
def test_a_tap_tells_the_number(browser: Browser, app_url: str) -> None:
    context = browser.new_context(has_touch=True, is_mobile=True)
    try:
        page = open_visit(context, app_url, 390, 800, "light").page
        open_view(page, "try-words")
        word = page.locator(f"{MOODS} .mb-word").nth(2)
        word.tap()
        expect(page.locator(f"{MOODS} .mb-readout")).to_have_text(
            word.get_attribute("aria-label") or "none"
        )
    finally:
        context.close()
