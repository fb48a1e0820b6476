"""Without a mouse: Tab, Enter, Space and the arrow keys reach the whole first tab."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from trainer.publish.visit import Visit

Open = Callable[..., Visit]
HERE = """() => {
    const one = document.activeElement, look = getComputedStyle(one);
    const named = one.getAttribute('aria-label') || one.closest('label')?.textContent
        || one.textContent;
    return [named.replace(/[▼◀]/g, '').trim(), one === document.body
        || (look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) >= 2), one.type];
}"""


def reach(page: Page, name: str, kind: str | None = None, key: str = "Tab") -> None:
    """Press a key until what is so named has the focus; every stop on the way has to be seen."""
    passed = []
    for _ in range(60):
        page.keyboard.press(key)
        here, seen, found = page.evaluate(HERE)
        assert seen, f"“{here}” doesn't show that it has the focus"
        if here == name and kind in (None, found):
            return
        passed.append(here)
    pytest.fail(f"“{name}” is never reached, only {passed}")


@pytest.mark.whole
def test_arrows_go_along_the_tabs_and_their_sub_views(visit: Open) -> None:
    page = visit().page
    here = "document.activeElement.dataset.tabId"
    reach(page, "Try it")
    for key, name in (
        *(("ArrowRight", "pooling"), ("ArrowRight", "attention"), ("ArrowLeft", "pooling")),
        *(("Home", "try"), ("ArrowLeft", "about"), ("End", "about")),
    ):
        page.keyboard.press(key)
        assert page.evaluate(here) == name
    assert page.locator("#view-try").is_visible(), "arrows open nothing"
    page.keyboard.press("Enter")
    expect(page.locator("#view-about")).to_be_visible()
    reach(page, "What this is")
    page.keyboard.press("End")
    assert page.evaluate(here) == "about-privacy"
    page.keyboard.press("Space")
    expect(page.locator("#about-privacy")).to_be_visible()


WATCH_STATUS = """() => {
    window.told = [];
    const note = () => document.querySelectorAll('.sr-only[role="status"]')
        .forEach(one => window.told.push(one.textContent.trim()));
    new MutationObserver(note).observe(
        document.body, {childList: true, subtree: true, characterData: true});
}"""


def test_a_screen_reader_hears_words(visit: Open) -> None:
    page = visit().page
    page.evaluate(WATCH_STATUS)
    page.locator("#answer").click()
    page.wait_for_function("window.told.includes('Done')")
    told = page.evaluate("window.told.filter(told => told)")
    assert set(told) <= {"Loading", "Done"}, "words, not gradio's keys such as common.complete"


@pytest.mark.whole
def test_all_of_try_it_by_keyboard(visit: Open) -> None:
    page = visit(width=1440).page
    reach(page, "Sentence A")
    page.keyboard.press("Control+a")
    page.keyboard.type("The soup was good.")
    reach(page, "Sentence B (optional)")
    page.keyboard.press("Control+a")
    page.keyboard.type("I loved it.")
    reach(page, "Answer")
    page.keyboard.press("Enter")
    expect(page.locator("#counts")).to_contain_text("A: 7 tokens · B: 6 tokens")
    reach(page, "Asked twice")
    page.keyboard.press("Enter")
    expect(page.locator("#counts")).to_contain_text("A: 9 tokens")
    reach(page, "Attention")
    page.keyboard.press("Enter")
    expect(page.locator("#attention-words")).to_be_visible()
    reach(page, "Try it", key="Shift+Tab")
    page.keyboard.press("Space")
    expect(page.locator("#predictions")).to_be_visible()
    reach(page, "range slider for Paraphrase: say yes above")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#predictions")).to_contain_text("yes above 55 %")
    reach(page, "Change one word")
    page.keyboard.press("Enter")
    expect(page.locator("#edit-first label").first).to_be_visible()
    reach(page, "fall", "radio")
    page.keyboard.press("Space")
    reach(page, "Put in its place")
    page.keyboard.type("stay")
    reach(page, "Replace")
    page.keyboard.press("Enter")
    expect(page.locator("#change")).to_contain_text("Sentiment of A")
    expect(page.locator("#first textarea")).to_have_value("How can I stay asleep faster?")
    reach(page, "Undo")
    page.keyboard.press("Space")
    expect(page.locator("#first textarea")).to_have_value("How can I fall asleep faster?")
