"""Markup typed into every text field of the page, looked at in every tab, stays text."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_page import HOSTILE
from tests.browser.walk import all_views, fields, unfold
from trainer.publish.visit import Visit, open_view

Open = Callable[..., Visit]
INJECTED = """() => [...document.querySelectorAll('#injected, img[src="x"], script')]
    .filter(one => one.tagName !== 'SCRIPT' || one.textContent.trim() === 'alert(1)')
    .map(one => one.outerHTML)"""


def type_everywhere(page: Page) -> list[str]:
    """Type into each field that can be seen, press Enter, then each main button of its tab."""
    filled = []
    for field in fields(page).all():
        field.fill(HOSTILE)
        field.press("Enter")
        expect(field).not_to_have_value("")
        filled.append(field.evaluate("one => one.closest('[id]').id"))
    for button in page.locator(".tabitem button.primary:visible:enabled").all():
        button.click()
    return filled


@pytest.mark.whole
def test_markup_stays_text_in_every_field_and_tab(visit: Open) -> None:
    seen = visit()
    page = seen.page
    filled = []
    views = all_views(page)
    for name in views:
        open_view(page, name)
        unfold(page)
        filled += type_everywhere(page)
    assert {"first", "second", "edit-word"} <= set(filled)
    expect(page.locator("#predictions .mb-cards")).to_be_attached()
    for name in views:
        open_view(page, name)
        unfold(page)
        if name == "try":
            page.locator("#pin").click()
            page.locator("#share").click()
            expect(page.locator("#change")).to_contain_text("onerror=")
            expect(page.locator("#json")).to_contain_text("onerror=")
            expect(page.locator("#edit-second")).to_contain_text("onerror=")
        if name == "attention-maps":
            assert page.locator("#attention-plot .ytick").filter(has_text="script").count() >= 2
        assert page.evaluate(INJECTED) == [], f"in the view {name}"
    page.wait_for_timeout(300)
    assert seen.dialogs == []
    assert seen.errors == []


@pytest.mark.whole
def test_what_is_injected_would_be_found(visit: Open) -> None:
    seen = visit()
    seen.page.evaluate("html => document.querySelector('#change').innerHTML = html", HOSTILE)
    seen.page.wait_for_timeout(500)
    assert seen.dialogs == ["2"]
    assert len(seen.page.evaluate(INJECTED)) == 3
