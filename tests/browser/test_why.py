"""The tab Why? as a person meets it: one press, a stop, masks, hostile text, a dark page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from trainer.publish.visit import Visit, open_view, settle

Open = Callable[..., Visit]
PATIENT = 240_000  # milliseconds: a busy machine is slow, not wrong
HOSTILE = '<b id="injected">bold</b> woman is good <img src=x onerror="alert(3)">'
A = "The young woman is wonderful."
WORDS = ["the", "young", "woman", "is", "wonderful", "."]
PARTS = ("words", "fewest", "swaps", "nearest", "people")
METHODS = ["integrated gradients", "gradient × input", "leaving it out", "attention rollout"]


def open_why(seen: Visit, text: str = A) -> Page:
    page = seen.page
    page.locator("#first textarea").fill(text)
    page.locator("#second textarea").fill("")
    open_view(page, "why")
    expect(page.locator("#why-exact .mb-word").first).to_be_visible(timeout=PATIENT)
    return page


def show(page: Page, part: str) -> Locator:
    """Open the view of a part; return what it tells."""
    open_view(page, "why-people" if part == "templates" else f"why-{part}")
    return page.locator(f"#why-{part}-told")


def explain(page: Page) -> None:
    """Press the button and wait until the last part is there."""
    page.locator("#why-explain").click()
    expect(show(page, "people").locator("h3")).to_be_visible(timeout=PATIENT)
    expect(page.locator("#why-stop")).to_be_hidden(timeout=PATIENT)


def lines(page: Page, place: str) -> list[list[str]]:
    """Return the words of each coloured line."""
    found = page.locator(f"#{place} .mb-sentence").all()
    return [line.locator(".mb-word").all_inner_texts() for line in found]


def test_one_press_fills_every_part_and_goes_with_the_question(visit: Open) -> None:
    seen = visit()
    page = open_why(seen)
    assert page.locator(".tabitem:visible button:is(.lg, .md, .sm):visible").count() == 1
    expect(page.locator("#why-exact .mb-sentence")).to_have_count(1)
    assert lines(page, "why-exact") == [WORDS], "before any press"
    expect(page.locator("#why-opening")).to_contain_text("none tells what the model")
    for part in PARTS:
        expect(show(page, part)).to_contain_text("“Explain this answer”")
    explain(page)
    expect(page.locator("#why-people-told .mb-table")).to_have_count(2)
    expect(show(page, "fewest")).to_contain_text("wonderful")
    expect(show(page, "swaps").locator("tbody th").first).to_have_text("is → isn't")
    expect(show(page, "nearest")).to_contain_text("python -m trainer index")
    show(page, "words")
    assert lines(page, "why-words-told") == [WORDS] * 4
    assert page.locator("#why-words-told .mb-line").all_inner_texts() == METHODS
    page.locator("#why-words-told .mb-word", has_text="woman").first.hover()
    told = page.locator("#why-words-told .mb-readout").inner_text()
    assert [name for name in METHODS if name in told] == METHODS
    assert page.locator("#why-words-told .mb-here").all_inner_texts() == ["woman"] * 4
    page.locator("#first textarea").fill("The soup is bad.")
    expect(page.locator("#why-exact .mb-word").first).to_have_text("the", timeout=PATIENT)
    expect(page.locator("#why-exact .mb-sentence")).to_contain_text("soup", timeout=PATIENT)
    for part in PARTS:
        expect(show(page, part)).to_contain_text("“Explain this answer”", timeout=PATIENT)
    page.get_by_label("Paraphrase", exact=True).check()
    expect(page.locator("#why-exact")).to_contain_text("no exact split", use_inner_text=False)
    page.locator("#why-explain").click()
    expect(page.locator(".toast-body")).to_contain_text("Sentence B is empty", timeout=PATIENT)
    assert seen.errors == []


@pytest.mark.whole
def test_masking_is_another_question_about_people(visit: Open) -> None:
    page = open_why(visit())
    explain(page)
    page.get_by_label("Mask words for people").check()
    told = page.locator("#why-people-told")
    expect(told).to_contain_text("“Explain this answer”", timeout=PATIENT)
    expect(show(page, "fewest").locator("h3")).to_be_visible()
    page.locator("#why-explain").click()
    expect(show(page, "people")).to_contain_text("[MASK]", timeout=PATIENT)


@pytest.mark.whole
def test_a_press_can_be_stopped_and_keeps_what_has_come(visit: Open) -> None:
    page = open_why(visit(), "the film was long and the waiter was wonderful " * 10)
    page.locator("#why-explain").click()
    progress = page.locator("#why-progress")
    expect(page.locator("#why-words-told .mb-sentence").first).to_be_visible(timeout=PATIENT)
    expect(progress).to_contain_text(" of 7", timeout=PATIENT)
    page.locator("#why-stop").click()
    expect(page.locator("#why-stop")).to_be_hidden(timeout=PATIENT)
    page.wait_for_timeout(4000)
    expect(progress).to_have_text("")
    expect(page.locator("#why-words-told .mb-sentence").first).to_be_visible()
    expect(show(page, "people")).to_contain_text("“Explain this answer”")


@pytest.mark.whole
def test_the_templates_can_be_stopped(visit: Open) -> None:
    page = open_why(visit())
    told = show(page, "templates")
    page.locator("#why-templates").click()
    expect(told).to_contain_text("texts answered: ", timeout=PATIENT)
    page.locator("#why-templates-stop").click()
    expect(told).to_contain_text("sentences of ours", timeout=PATIENT)
    settle(page)  # nothing is asked any more
    expect(told).to_contain_text("sentences of ours")
    expect(page.locator("#why-templates-stop")).to_be_hidden()


@pytest.mark.whole
def test_hostile_text_stays_text(visit: Open) -> None:
    seen = visit()
    page = open_why(seen, HOSTILE)
    explain(page)
    for part in PARTS:
        show(page, part)
        assert page.locator("#injected, .tabitem img").count() == 0
    show(page, "words")
    assert "<" in lines(page, "why-words-told")[0]
    assert seen.dialogs == []
    assert seen.errors == []


@pytest.mark.whole
def test_its_figure_can_be_read_on_a_dark_page(visit: Open) -> None:
    seen = visit(theme="dark")
    page = open_why(seen)
    show(page, "templates")
    page.locator("#why-templates").click()
    page.wait_for_selector("#why-templates-plot svg.main-svg", timeout=PATIENT)
    colours = page.evaluate(
        "[...document.querySelectorAll('#why-templates-plot svg text')]"
        ".filter(t => t.textContent.trim()).map(t => getComputedStyle(t).fill)"
    )
    assert len(colours) > 8
    for colour in colours:
        total = sum(int(channel) for channel in colour[4:-1].split(",")[:3])
        assert total > 450, f"{colour} can't be read on a dark page"
    assert seen.errors == []
