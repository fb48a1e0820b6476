"""As you read, and Every phrase: the curves are drawn, and a phrase that is chosen becomes A."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect

from tests.browser.test_accessibility import CUT, audit
from tests.browser.test_page import ask
from trainer.publish.visit import SETTLED, Visit

Open = Callable[..., Visit]
A, B = "The food was wonderful, but the waiter was rude.", "Great dishes, terrible service."


@pytest.mark.whole
def test_the_curves_and_the_pyramid_are_seen_and_used(visit: Open) -> None:
    seen = visit(width=390, theme="dark")  # test_views.py looks at the light, wide page
    page, box = seen.page, seen.page.locator("#first textarea")
    ask(page, A, B)
    page.get_by_role("tab", name="As you read").click()
    for name in ("reading", "reading-pair"):
        expect(page.locator(f"#{name}-plot .scatterlayer .js-line")).to_have_count(2)
    page.wait_for_function(SETTLED)
    page.evaluate(AXE_SCRIPT)
    assert [*audit(page), *page.evaluate(CUT)] == []
    page.get_by_role("tab", name="Every phrase").click()
    expect(page.locator(".mb-phrase")).to_have_count(45)
    page.wait_for_function(SETTLED)
    assert [*audit(page), *page.evaluate(CUT)] == []
    assert page.locator(".mb-phrase[tabindex='0']").count() == 1
    page.locator(".mb-phrase").first.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowDown", "Home"):
        page.keyboard.press(key)
    readout = page.locator(".mb-phrases .mb-readout")
    expect(readout).to_contain_text("“The food was wonderful, but the waiter”: ")
    page.keyboard.press("Enter")
    expect(box).to_have_value("The food was wonderful, but the waiter")
    expect(page.locator(".mb-phrase")).to_have_count(28)
    assert page.evaluate("document.activeElement.tagName") == "TEXTAREA"
    page.locator(".mb-phrase[data-text='wonderful,']").click()
    expect(box).to_have_value("wonderful,")
    expect(page.locator(".mb-phrase")).to_have_count(1)
    assert seen.errors == []
