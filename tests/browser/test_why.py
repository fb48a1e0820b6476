"""The tab Why? as a person meets it: each part by a click, a stop, masks, hostile text, a phone."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.walk import open_view, settle

Open = Callable[..., Visit]
PATIENT = 240_000  # milliseconds: a busy machine is slow, not wrong
HOSTILE = '<b id="injected">bold</b> woman is good <img src=x onerror="alert(3)">'
A = "The young woman is wonderful."
PARTS = ("words", "fewest", "swaps", "nearest", "people", "templates")


def open_why(seen: Visit, text: str = A) -> Page:
    page = seen.page
    page.locator("#first textarea").fill(text)
    page.locator("#second textarea").fill("")
    open_view(page, "why")
    return page


def show(page: Page, part: str) -> Locator:
    """Open the view of a part; return what it tells."""
    open_view(page, "why-people" if part == "templates" else f"why-{part}")
    return page.locator(f"#why-{part}-told")


def press(page: Page, part: str) -> None:
    """Press a part's button and wait until its finding is there."""
    show(page, part)
    page.locator(f"#why-{part}").click()
    expect(page.locator(f"#why-{part}-told h3")).to_be_visible(timeout=PATIENT)


def test_each_part_comes_by_its_button_and_goes_with_the_question(visit: Open) -> None:
    seen = visit()
    page = open_why(seen)
    for part in PARTS:
        expect(show(page, part)).to_contain_text("Press the button")
    open_view(page, "why-words")
    expect(page.locator("#why-opening")).to_contain_text("Attention shows where information flows")
    press(page, "words")
    expect(page.locator("#why-words-told")).to_contain_text("Integrated gradients add up to")
    bars = page.locator("#why-words-plot .barlayer .point path")
    expect(bars).to_have_count(24, timeout=PATIENT)  # six words, four methods
    press(page, "fewest")
    expect(page.locator("#why-fewest-told")).to_contain_text("wonderful")
    press(page, "swaps")
    expect(page.locator("#why-swaps-told tbody th").first).to_have_text("is → isn't")
    press(page, "nearest")
    expect(page.locator("#why-nearest-told")).to_contain_text("python -m trainer index")
    press(page, "people")
    expect(page.locator("#why-people-told .mb-table")).to_have_count(2)
    page.get_by_label("Mask words for people").check()
    expect(page.locator("#why-people-told")).to_contain_text("Press the button", timeout=PATIENT)
    press(page, "people")
    expect(page.locator("#why-people-told")).to_contain_text("[MASK]")
    press(page, "templates")
    expect(page.locator("#why-templates-told h3")).to_be_visible(timeout=PATIENT)
    page.locator("#first textarea").fill("The soup is bad.")
    for part in PARTS[:-1]:
        expect(show(page, part)).to_contain_text("Press the button", timeout=PATIENT)
    expect(show(page, "templates").locator("h3")).to_be_visible()
    expect(bars).to_have_count(0)
    page.get_by_label("Paraphrase", exact=True).check()
    show(page, "fewest")
    page.locator("#why-fewest").click()
    expect(page.locator(".toast-body")).to_contain_text("Sentence B is empty", timeout=PATIENT)
    assert seen.errors == []


def test_the_templates_can_be_stopped(visit: Open) -> None:
    page = open_why(visit())
    told = show(page, "templates")
    page.locator("#why-templates").click()
    expect(told).to_contain_text("texts answered: ", timeout=PATIENT)
    page.locator("#why-templates-stop").click()
    expect(told).to_contain_text("Press the button", timeout=PATIENT)
    settle(page)  # nothing is asked any more
    expect(told).to_contain_text("Press the button")
    expect(page.locator("#why-templates-stop")).to_be_hidden()


def test_hostile_text_stays_text(visit: Open) -> None:
    seen = visit()
    page = open_why(seen, HOSTILE)
    for part in ("fewest", "swaps", "people", "words"):
        press(page, part)
        assert page.locator("#injected, .tabitem img").count() == 0
    page.wait_for_selector("#why-words-plot svg.main-svg", timeout=PATIENT)
    labels = page.locator("#why-words-plot .ytick text").all_text_contents()
    assert "<" in labels
    assert seen.dialogs == []
    assert seen.errors == []


def test_its_figures_can_be_read_on_a_dark_page(visit: Open) -> None:
    seen = visit(theme="dark")
    page = open_why(seen)
    for part in ("words", "templates"):
        press(page, part)
        page.wait_for_selector(f"#why-{part}-plot svg.main-svg", timeout=PATIENT)
        colours = page.evaluate(
            "part => [...document.querySelectorAll(`#why-${part}-plot svg text`)]"
            ".filter(t => t.textContent.trim()).map(t => getComputedStyle(t).fill)",
            part,
        )
        assert len(colours) > 8
        for colour in colours:
            total = sum(int(channel) for channel in colour[4:-1].split(",")[:3])
            assert total > 450, f"{colour} can't be read on a dark page"
    assert seen.errors == []
