"""Quick edits on the page: replace a word, mask a word, undo; the change stands below at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_page import HOSTILE, ask, findings
from tests.browser.walk import shot
from trainer.publish.visit import Visit

Open = Callable[..., Visit]
A, B = "The soup was good.", "I loved the soup."


def open_row(page: Page) -> None:
    page.get_by_role("button", name="Change one word").click()
    expect(page.locator("#edit-first label").first).to_be_visible()


def choose(page: Page, sentence: str, word: str) -> None:
    page.locator(f"#edit-{sentence}").get_by_label(word, exact=True).click()


def expect_chosen(page: Page, word: str) -> None:
    """Wait until this is the one word chosen in both sentences."""
    expect(page.locator("#edits label:has(input[type=radio]:checked)")).to_have_text([word])


@pytest.mark.whole
def test_replace_mask_and_undo_show_the_change_on_all_tasks(visit: Open) -> None:
    seen = visit()
    page = seen.page
    ask(page, A, B)
    moods = findings(page)
    open_row(page)
    first, change = page.locator("#first textarea"), page.locator("#change")
    expect(page.locator("#edit-first label")).to_have_text(["The", "soup", "was", "good"])
    expect(page.locator("#edit-undo")).to_be_disabled()
    choose(page, "second", "loved")
    choose(page, "first", "good")
    expect_chosen(page, "good")
    page.get_by_label("Put in its place").fill("awful")
    page.locator("#edit-replace").click()
    expect(change).to_contain_text(f"Pinned: “{A}” and “{B}”")
    expect(change.locator("li")).to_have_count(4)
    expect(first).to_have_value("The soup was awful.")
    expect(page.locator("#edit-first label")).to_have_text(["The", "soup", "was", "awful"])
    expect_chosen(page, "awful")
    assert findings(page)[0] != moods[0]
    expect(change.locator("li").first).to_contain_text("→")
    shot(seen.page, "edit-light")
    page.locator("#edit-mask").click()
    expect(first).to_have_value("The soup was [MASK].")
    expect(page.locator("#counts")).to_contain_text("A: 7 tokens; 1 hidden from it by [MASK]")
    expect(change).to_contain_text(f"Pinned: “{A}”")
    page.locator("#edit-undo").click()
    expect(page.locator("#counts")).not_to_contain_text("hidden")
    expect(first).to_have_value("The soup was awful.")
    page.locator("#edit-undo").click()
    expect(change).to_have_text("")
    expect(first).to_have_value(A)
    expect(page.locator("#edit-undo")).to_be_disabled()
    assert findings(page) == moods
    expect_chosen(page, "good")
    page.locator("#edit-word textarea, #edit-word input").fill(HOSTILE)
    page.locator("#edit-word textarea, #edit-word input").press("Enter")
    shown = page.locator("#edit-first label").filter(has_text="onerror=")
    expect(shown).to_have_count(1)
    assert page.locator("#injected").count() == 0
    assert seen.dialogs == []
    assert seen.errors == []


@pytest.mark.whole
def test_an_edit_that_cannot_be_says_why_and_keeps_what_was_typed(visit: Open) -> None:
    page = visit().page
    ask(page, A)
    open_row(page)
    expect(page.locator("#edit-second")).to_be_hidden()
    page.locator("#edit-mask").click()
    expect(page.locator(".toast-body")).to_contain_text("No word is chosen")
    expect(page.locator("#first textarea")).to_have_value(A)
    expect(page.locator("#change")).to_have_text("")
    page.locator(".toast-close").click()
    page.get_by_label("Answer while I type").uncheck()  # an answer takes the choice back
    choose(page, "first", "soup")
    page.locator("#first textarea").fill("A cold soup.")
    page.locator("#edit-mask").click()
    expect(page.locator(".toast-body")).to_contain_text("Sentence A has changed since")
    expect(page.locator("#first textarea")).to_have_value("A cold soup.")
