"""The pooling lab as a person meets it: words left out, sets, marks, hostile text, a phone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_page import PAIR, ask
from trainer.publish.visit import Visit, open_view, settle

Open = Callable[..., Visit]
PATIENT = 60_000  # milliseconds: a busy machine is slow, not wrong
HOSTILE = '<b id="injected">bold</b><img src=x onerror="alert(3)">'
SIDES = ("left", "right")


def open_words_left_out(seen: Visit) -> Page:
    open_view(seen.page, "pooling-left_out")
    return seen.page


def open_sets(seen: Visit) -> Page:
    page = seen.page
    open_view(page, "pooling-sets")
    page.wait_for_selector("#set-right-points-plot svg.main-svg", timeout=PATIENT)
    lines = page.locator("#set-lines textarea")
    if not lines.is_visible():
        page.locator("#set-own .label-wrap").click()
    expect(lines).to_be_visible()
    return page


def lines_of(page: Page, side: str) -> list[str]:
    """Return the sentences' numbers along a matrix, from left to right."""
    return page.locator(f"#set-{side}-matrix-plot .xtick text").all_text_contents()


def compare(page: Page, text: str) -> None:
    page.locator("#set-lines textarea").fill(text)
    page.locator("#set-compare").click()


def fills(marks: Locator) -> list[str]:
    return marks.evaluate_all("marks => marks.map(mark => getComputedStyle(mark).fill)")


WATCH = """place => {  // what is shown in passing may be gone before anybody looks
    const watched = document.querySelector(place);
    window.told = [];
    new MutationObserver(() => window.told.push(watched.textContent))
        .observe(watched, {childList: true, subtree: true, characterData: true});
}"""


PRESS_STOP = """() => new MutationObserver((_, watcher) => {  // before the work is done
    const stop = document.querySelector('#leave-out-stop');
    if (!stop?.checkVisibility()) return;
    watcher.disconnect();
    stop.click();
    window.stopped = true;
}).observe(document.body, {attributes: true, childList: true, subtree: true})"""


@pytest.mark.whole
def test_each_word_is_left_out_on_demand(kept: Visit) -> None:
    seen = kept
    ask(seen.page, *PAIR)
    page = open_words_left_out(seen)
    expect(page.locator("#left-out-siamese-words")).to_contain_text("Press the button")
    for kind in ("siamese", "joint"):
        expect(page.locator(f"#left-out-{kind}-plot")).to_be_hidden()
    page.evaluate(WATCH, "#left-out-siamese-words")
    page.locator("#leave-out").click()
    page.wait_for_selector("#left-out-joint-plot svg.main-svg", timeout=PATIENT)
    assert any("of 4 done" in told for told in page.evaluate("window.told"))
    for kind, name in (("siamese", "Siamese"), ("joint", "Joint")):
        expect(page.locator(f"#left-out-{kind}-words h3")).to_contain_text(f"{name} score")
        bars = page.locator(f"#left-out-{kind}-plot .barlayer .point path")
        expect(bars).to_have_count(28)  # 7 words each, two models
        assert set(fills(bars)) == {"rgb(230, 159, 0)", "rgb(0, 114, 178)"}
    expect(page.locator("#leave-out-stop")).to_be_hidden()
    ticks = [
        page.locator(f"#left-out-{kind}-plot .x2tick text").all_text_contents()
        for kind in ("siamese", "joint")
    ]
    assert ticks[0] == ticks[1]
    assert len(ticks[0]) >= 3
    page.locator("#first textarea").fill("The kettle is on the stove.")
    page.locator("#answer").click()
    expect(page.locator("#left-out-siamese-words")).to_contain_text(
        "Press the button", timeout=PATIENT
    )
    expect(page.locator("#left-out-joint-plot svg.main-svg")).to_have_count(0)
    assert seen.errors == []


def test_leaving_out_words_can_be_stopped(kept: Visit) -> None:
    page = open_words_left_out(kept)
    page.locator("#first textarea").fill("the old red train leaves again " * 12)
    page.locator("#second textarea").fill("a slow bus comes back at night " * 12)
    settle(page)  # a change of text ends what is under way
    page.evaluate(PRESS_STOP)
    page.locator("#leave-out").click()
    words = page.locator("#left-out-siamese-words")
    page.wait_for_function("window.stopped", timeout=PATIENT)
    expect(words).to_contain_text("Press the button", timeout=PATIENT)
    settle(page)  # nothing is asked any more
    expect(words).to_contain_text("Press the button")
    expect(page.locator("#left-out-joint-plot svg.main-svg")).to_have_count(0)


def test_sets_are_compared_ordered_and_marked(kept: Visit) -> None:
    seen = kept
    page = open_sets(seen)
    title = page.locator("#set-words h3")
    expect(title).to_contain_text("separates the groups better")
    assert lines_of(page, "left") == lines_of(page, "right")
    assert sorted(lines_of(page, "left"), key=int) == [str(number) for number in range(1, 17)]
    page.get_by_label("Each in its own order").click()
    page.wait_for_function(
        """() => { const [a, b] = ['left', 'right'].map(side => [...document.querySelectorAll(
            `#set-${side}-matrix-plot .xtick text`)].map(t => t.textContent).join());
            return a && b && a !== b; }""",
        timeout=PATIENT,
    )
    page.locator("#set-chosen input").click()
    page.get_by_role("option", name="3 The fog lifted shortly before noon.").click()
    expect(page.locator("#set-points-words h3")).to_contain_text("sentence 3", timeout=PATIENT)
    for side in SIDES:
        expect(page.locator(f"#set-{side}-matrix-plot .shapelayer path")).to_have_count(2)
        expect(page.locator(f"#set-{side}-points-plot .scatterlayer .js-line")).to_have_count(3)
    page.get_by_label("By mood").click()
    expect(page.locator("#set-lines textarea")).to_have_value(
        re.compile(r"^praise \| The hotel was lovely")
    )
    expect(page.locator("#set-left-matrix-plot .xtick")).to_have_count(18, timeout=PATIENT)
    expect(page.locator("#set-left-matrix-plot .shapelayer path")).to_have_count(0)
    before = title.inner_text()
    page.locator("#set-right input").click()
    page.get_by_role("option", name="max (encoder of the mean model)").click()
    expect(page.locator("#set-words")).to_contain_text(
        "no head was trained for it", timeout=PATIENT
    )
    expect(page.locator("#set-right-matrix-words h4")).to_have_text(
        "max (encoder of the mean model)"
    )
    assert title.inner_text() != before
    assert seen.errors == []


def test_hostile_lines_show_as_text(kept: Visit) -> None:
    seen = kept
    page = open_sets(seen)
    compare(page, f"{HOSTILE} | {HOSTILE}\n{HOSTILE} again\nA plain third line.")
    expect(page.locator("#set-left-matrix-plot .xtick")).to_have_count(3, timeout=PATIENT)
    page.locator("#set-chosen input").click()
    second = page.get_by_role("option").nth(2)  # after “none” and the first
    expect(second).to_contain_text('2 <b id="injected">bold</b>')
    second.click()
    expect(page.locator("#set-points-words h3")).to_contain_text("sentence 2", timeout=PATIENT)
    labels = page.locator("#set-left-matrix-plot .ytick text").all_text_contents()
    assert sum(label.startswith('<b id="injected">') for label in labels) == 2
    legend = page.locator("#set-left-points-plot .legendtext").all_text_contents()
    assert any(name.startswith('<b id="injected">') for name in legend)
    assert page.locator("#injected, #set-words img, #set-points-words img").count() == 0
    assert seen.dialogs == []
    assert seen.errors == []


@pytest.mark.whole
def test_what_is_wrong_with_a_set_is_told_and_nothing_is_lost(kept: Visit) -> None:
    page = open_sets(kept)
    shown = page.locator("#set-left-matrix-plot .xtick")
    before = shown.count()
    assert before >= 2
    compare(page, "Only one line.")
    words = page.locator("#set-words")
    expect(words).to_contain_text("2 to 50 sentences, one a line. Found 1", timeout=PATIENT)
    expect(page.locator("#set-lines textarea")).to_have_value("Only one line.")
    expect(shown).to_have_count(before)
    compare(page, "\n".join(f"This is line {number} of many." for number in range(1, 41)))
    expect(page.locator("#set-left-matrix-plot .xtick")).to_have_count(40, timeout=PATIENT)
    expect(words.locator("h3")).to_contain_text("most alike are")


def top_of(page: Page, figure: str) -> float:
    """Return where a figure begins, in pixels, once it is drawn."""
    page.wait_for_selector(f"#{figure}-plot svg.main-svg", timeout=PATIENT)
    settle(page)
    frame = page.locator(f"#{figure}-plot .js-plotly-plot").bounding_box()
    assert frame is not None
    assert frame["width"] > 250
    return frame["y"]


def light_of(page: Page, figures: str) -> list[int]:
    """Return how light each text of some figures is, from 0 to 765."""
    colours = page.evaluate(
        "figures => [...document.querySelectorAll(figures)]"
        ".filter(t => t.textContent.trim()).map(t => getComputedStyle(t).fill)",
        figures,
    )
    return [sum(int(part) for part in colour[4:-1].split(",")[:3]) for colour in colours]


@pytest.mark.whole
@pytest.mark.parametrize(("theme", "width"), [("light", 390), ("dark", 1280)])
def test_two_figures_stand_side_by_side_or_on_a_phone_below_each_other(
    visit: Open, theme: str, width: int
) -> None:
    seen = visit(width, 900, theme)
    page = seen.page
    open_view(page, "pooling-what")
    expect(page.locator("#lab-opening svg[role=img]")).to_have_count(2)
    expect(page.locator("#lab-scores tbody tr")).to_have_count(3)
    light = light_of(page, "#lab-opening svg text")
    open_sets(seen)
    below = top_of(page, "set-right-matrix") - top_of(page, "set-left-matrix")
    assert (below > 300) if width == 390 else (abs(below) < 3)
    light += light_of(page, "[id^=set-] svg text")
    assert len(light) > 90
    for total in light:
        assert (total > 450) == (theme == "dark"), f"{total} can't be read on a {theme} page"
    open_words_left_out(seen)
    page.locator("#leave-out").click()
    beside = top_of(page, "left-out-joint") - top_of(page, "left-out-siamese")
    assert (beside > 300) if width == 390 else (abs(beside) < 3)
    assert seen.errors == []
