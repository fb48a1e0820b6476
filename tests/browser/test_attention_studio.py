"""The Attention studio in a real browser: controls, clicks, bertviz's frame, files, a phone."""

from __future__ import annotations

import csv
import functools
import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlparse

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_page import HOSTILE, PAIR, ask
from tests.browser.walk import shot
from trainer.publish.visit import Visit, open_view, settle

Open = Callable[..., Visit]
SIDES = ("looks", "looked")
PATIENCE = 20_000  # milliseconds, on a busy machine


def open_studio(page: Page) -> Locator:
    """Open the tab; return the finding above its figure."""
    page.get_by_role("tab", name="Attention", exact=True).click()
    page.wait_for_selector("#attention-plot svg.main-svg", timeout=PATIENCE)
    return page.locator("#attention-words h3")


def pixels(page: Page) -> str:
    """Return the heat map as it is drawn."""
    image = page.locator("#attention-plot .heatmaplayer image").first
    return image.get_attribute("xlink:href", timeout=PATIENCE) or ""


def changes_the_figure(page: Page, act: Callable[[], object]) -> None:
    before = pixels(page)
    act()
    page.wait_for_function(
        """before => { const image = document.querySelector(
            '#attention-plot .heatmaplayer image');
            return image && image.getAttribute('xlink:href') !== before; }""",
        arg=before,
        timeout=PATIENCE,
    )


def set_number(page: Page, label: str, value: str) -> None:
    box = page.get_by_label(f"number input for {label}")
    box.fill(value)
    box.press("Enter")


@pytest.fixture
def studio(kept: Visit) -> Visit:
    """Give the file's page with the first head of a pair, whatever was chosen before."""
    page = kept.page
    if page.locator("#first textarea").input_value() != PAIR[0]:
        ask(page, *PAIR)
    open_view(page, "attention-maps")
    for chosen in ("A and B together", "mean pooling", "One head"):
        page.get_by_label(chosen, exact=True).check()
    for number in ("Layer (1: lowest)", "Head (0: mean of all)"):
        if page.get_by_label(f"number input for {number}").input_value() != "1":
            set_number(page, number, "1")
    expect(page.locator("#attention-words h3")).to_contain_text("Layer 1: head 1 ")
    settle(page)
    return kept


def test_each_control_changes_the_figure(visit: Open) -> None:
    seen = visit()
    page = seen.page
    open_studio(page)
    expect(page.get_by_label("A and B together")).to_be_checked()
    changes_the_figure(page, lambda: page.get_by_label("A alone").click())
    changes_the_figure(page, lambda: page.get_by_label("A and B together").click())
    changes_the_figure(page, lambda: set_number(page, "Layer (1: lowest)", "4"))
    changes_the_figure(page, lambda: set_number(page, "Head (0: mean of all)", "7"))
    changes_the_figure(page, lambda: page.get_by_label("CLS pooling").click())
    page.locator("#attention-more").get_by_text("More").click()
    changes_the_figure(page, lambda: page.get_by_label("A → B").click())
    changes_the_figure(page, lambda: page.get_by_label("Hide [CLS] and [SEP]").click())
    strongest = "Keep the strongest, % of the attention"
    changes_the_figure(page, lambda: set_number(page, strongest, "50"))
    changes_the_figure(page, lambda: page.get_by_label("Rollout").click())
    assert seen.errors == []


def cell(page: Page, layer: int, head: int) -> Locator:
    return page.locator(f"#attention-all [data-layer='{layer}'][data-head='{head}']")


def expect_chosen(page: Page, layer: int, head: int) -> None:
    title = page.locator("#attention-words h3")
    expect(title).to_contain_text(f"Layer {layer}: head {head} ", timeout=PATIENCE)
    chosen = page.locator("#attention-all [aria-selected='true']")
    expect(chosen).to_have_count(1)
    expect(chosen).to_have_attribute("aria-label", re.compile(f"^Layer {layer}, head {head}:"))


@pytest.mark.whole
def test_a_small_map_and_a_row_of_the_table_show_their_head(studio: Visit) -> None:
    seen = studio
    page = seen.page
    expect(page.locator("#attention-all h3")).to_contain_text("of 72 heads")
    expect(page.locator("#attention-all [role='gridcell']")).to_have_count(72)
    expect_chosen(page, 1, 1)
    readout = page.locator("#attention-all .mb-readout")
    cell(page, 2, 9).hover()
    expect(readout).to_contain_text("Layer 2, head 9: looks most at")
    shot(seen.page, "studio-all-heads")
    cell(page, 3, 5).click()
    expect_chosen(page, 3, 5)
    page.get_by_label("Rollout").click()
    expect(page.locator("#attention-words h3")).to_contain_text("Through layers 1 to 6")
    expect(page.locator("#attention-all [aria-selected='true']")).to_have_count(0)
    cell(page, 2, 9).click()
    expect_chosen(page, 2, 9)
    expect(page.get_by_label("One head")).to_be_checked()
    table = page.locator("#attention-heads")
    place = functools.partial("[data-row='{}'][data-col='{}']".format)
    distances = [table.locator(place(row, 4)) for row in range(4)]
    before = [one.inner_text() for one in distances]
    page.get_by_label("First", exact=True).click()
    page.get_by_role("option", name="farthest").click()
    expect(distances[0]).not_to_have_text(before[0], timeout=PATIENCE)
    now = [float(one.inner_text()) for one in distances]
    assert now == sorted(now, reverse=True)
    layer, head = (table.locator(place(2, column)).inner_text().strip() for column in (0, 1))
    table.locator(place(2, 3)).click()
    expect_chosen(page, int(layer), int(head))
    assert seen.errors == []


@pytest.mark.whole
def test_the_picture_of_all_heads_is_one_stop_of_the_keyboard(studio: Visit) -> None:
    seen = studio
    page = seen.page
    expect(page.locator("#attention-all [tabindex='0'].mb-head-cell")).to_have_count(1)
    cell(page, 1, 1).focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
    expect(cell(page, 2, 2)).to_be_focused()
    expect(page.locator("#attention-all .mb-readout")).to_contain_text("Layer 2, head 2:")
    page.keyboard.press("Enter")
    expect_chosen(page, 2, 2)
    expect(cell(page, 2, 2)).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    expect(cell(page, 2, 12)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#attention-all .mb-head-cell:focus")).to_have_count(0)
    expect(page.locator("#attention-all [tabindex='0'].mb-head-cell")).to_have_count(1)
    assert seen.errors == []


def lines_seen(page: Page) -> int:
    """Count the lines that are drawn; a level one has no height, so it isn't "visible"."""
    count: int = page.locator("#attention-between line").evaluate_all(
        "lines => lines.filter(one => getComputedStyle(one).visibility === 'visible').length"
    )
    return count


def test_pointing_at_a_word_leaves_its_lines_and_tells_their_numbers(studio: Visit) -> None:
    seen = studio
    page = seen.page
    open_view(page, "attention-lines")
    looks, looked = (page.locator(f"#attention-between .mb-line-{side}") for side in SIDES)
    every = page.locator("#attention-between line").count()
    assert lines_seen(page) == every > 20
    words = looks.get_by_role("option")
    here = words.filter(has_text=re.compile("^quiet$"))
    here.hover()
    shares = [int(share) for share in (here.get_attribute("data-shares") or "").split(",")]
    told = looked.locator(".mb-line-share")
    for place, share in enumerate(shares):
        wanted = "< 1 %" if 0 < share < 5 else f"{(share + 5) // 10} %"
        expect(told.nth(place)).to_have_text(wanted)
    assert lines_seen(page) == sum(share >= 20 for share in shares)
    page.mouse.move(0, 0)
    expect(told.filter(has_text="%")).to_have_count(0)
    assert lines_seen(page) == every
    words.first.focus()
    page.keyboard.press("ArrowDown")
    expect(words.nth(1)).to_be_focused()
    expect(words.nth(1)).to_have_attribute("aria-label", re.compile("looks most at “"))
    assert lines_seen(page) < every
    page.keyboard.press("Tab")
    expect(looked.get_by_role("option").first).to_be_focused()
    expect(looks.locator(".mb-line-share").filter(has_text="%")).to_have_count(len(shares))
    shot(seen.page, "studio-lines")
    before = page.locator("#attention-between svg").inner_html()
    set_number(page, "Layer (1: lowest)", "4")
    expect(page.locator("#attention-between h3")).to_contain_text("Layer 4: head 1")
    assert page.locator("#attention-between svg").inner_html() != before
    assert seen.errors == []


@pytest.mark.whole
@pytest.mark.parametrize("kind", ["head", "model"])
def test_a_frame_stays_that_was_asked_for_right_after_a_change(studio: Visit, kind: str) -> None:
    seen = studio
    page = seen.page
    open_view(page, "attention-lines")
    frame = page.locator("#attention-bertviz iframe")
    for layer in (4, 2):
        set_number(page, "Layer (1: lowest)", str(layer))
        page.get_by_label("CLS pooling" if layer == 4 else "mean pooling", exact=True).click()
        page.locator(f"#bertviz-{kind}").click()
        wanted = "CLS" if layer == 4 else "mean"
        told = re.compile(f"bertviz {kind} view: {wanted} pooling")
        expect(frame).to_have_attribute("title", told, timeout=PATIENCE)
        title = page.locator("#attention-between h3")
        expect(title).to_contain_text(f"Layer {layer}:", timeout=PATIENCE)
        page.wait_for_timeout(1_000)  # what is late comes now
        expect(frame).to_have_attribute("title", told)
    open_view(page, "attention-maps")
    ask(page, "Another sentence altogether.")
    expect(frame).to_have_count(0, timeout=PATIENCE)
    assert seen.errors == []


@pytest.mark.whole
def test_a_masked_word_is_compared(studio: Visit) -> None:
    seen = studio
    page = seen.page
    open_view(page, "attention-without")
    page.locator("#attention-mask").get_by_text("quiet", exact=True).click()
    words = page.locator("#masked-words")
    expect(words.locator("h3")).to_contain_text("With “quiet” masked", timeout=PATIENCE)
    expect(words.locator("h3")).to_contain_text("layer 1, head 1")
    expect(words.locator("li").first).to_contain_text("Sentiment of A")
    ticks = page.locator("#masked-plot .ytick")
    expect(ticks.filter(has_text="[MASK]")).to_have_count(1, timeout=PATIENCE)
    assert page.locator("#unmasked-plot .ytick").filter(has_text=re.compile("^quiet$")).count() == 1
    set_number(page, "Layer (1: lowest)", "4")
    expect(words.locator("h3")).to_contain_text("layer 4, head 1", timeout=PATIENCE)
    page.locator("#attention-mask").get_by_text("(none)").click()
    expect(words.locator("h3")).to_have_count(0, timeout=PATIENCE)
    page.locator("#attention-mask").get_by_text("triumph", exact=True).click()
    expect(words.locator("h3")).to_contain_text("With “triumph” masked", timeout=PATIENCE)
    ask(page, "Another sentence altogether.")
    expect(words.locator("h3")).to_have_count(0, timeout=PATIENCE)


@pytest.mark.whole
def test_bertviz_is_drawn_with_no_request_and_text_stays_text(visit: Open) -> None:
    seen = visit(theme="dark")
    page = seen.page
    ask(page, HOSTILE, "A harmless second sentence.")
    open_studio(page)
    open_view(page, "attention-lines")
    frame = page.locator("#attention-bertviz iframe")
    expect(frame).to_have_count(0)
    asked = len(seen.requests)
    for kind in ("head", "model"):
        page.locator(f"#bertviz-{kind}").click()
        told = re.compile(f"^bertviz {kind} view: mean pooling")
        expect(frame).to_have_attribute("title", told, timeout=PATIENCE)
        inside = page.frame_locator("#attention-bertviz iframe")
        expect(inside.locator("svg line").nth(200)).to_be_attached(timeout=PATIENCE)
        if kind == "head":
            expect(inside.locator("svg text").filter(has_text="script").first).to_be_visible()
        else:
            expect(inside.locator("svg text").filter(has_text="Heads")).to_have_count(1)
        expect(inside.locator("html.dark")).to_have_count(1)
        page.wait_for_function(
            "document.querySelector('#attention-bertviz iframe').style.height !== ''"
        )
        box = frame.bounding_box()
        drawn = inside.locator("svg").first.bounding_box()
        assert box is not None
        assert drawn is not None
        assert box["height"] > drawn["height"]
        shot(seen.page, f"studio-bertviz-{kind}")
    hosts = {urlparse(url).hostname for url in seen.requests[asked:]}
    assert hosts <= {"127.0.0.1", None}
    assert seen.dialogs == []
    assert seen.errors == []


@pytest.mark.whole
def test_the_files_open_without_a_network(studio: Visit, tmp_path: Path) -> None:
    seen = studio
    page = seen.page
    open_view(page, "attention-files")
    page.locator("#attention-make").click()
    links = page.locator("#attention-files a[download]")
    expect(links).to_have_count(3, timeout=PATIENCE)
    saved = {}
    for link in links.all():
        with page.expect_download(timeout=PATIENCE) as started:
            link.click()
        name = started.value.suggested_filename
        started.value.save_as(tmp_path / name)
        saved[name] = tmp_path / name
    told = json.loads(saved["attention.json"].read_text(encoding="utf-8"))
    rows = list(csv.reader(saved["attention.csv"].read_text(encoding="utf-8-sig").splitlines()))
    assert len(rows) == len(told["rows"]) + 1 == 18
    other = page.context.browser.new_page()  # type: ignore[union-attr]
    asked: list[str] = []
    other.on("request", lambda request: asked.append(request.url))
    other.goto(saved["attention.html"].as_uri())
    other.wait_for_selector(".heatmaplayer image", timeout=PATIENCE)
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    other.close()
    open_view(page, "attention-maps")
    with page.expect_download(timeout=PATIENCE) as camera:
        page.locator("#attention-plot .modebar-btn").first.click()
    assert camera.value.suggested_filename.endswith(".png")


def test_what_fine_tuning_changed_is_drawn_from_the_record(studio: Visit) -> None:
    seen = studio
    page = seen.page
    open_view(page, "attention-tuning")
    words = page.locator("#tuning-words")
    expect(words).to_contain_text("sentence-transformers/all-MiniLM-L6-v2", timeout=PATIENCE)
    expect(page.locator("#tuning-plot .heatmaplayer image")).to_have_count(3, timeout=PATIENCE)
    page.get_by_label("Share on [SEP]").click()
    expect(words.locator("h3")).to_contain_text("Share on [SEP]", timeout=PATIENCE)
    assert seen.errors == []


@pytest.mark.whole
def test_no_event_of_a_component_has_two_that_keep_each_other_running(studio: Visit) -> None:
    seen = studio
    page = seen.page
    config = page.evaluate("fetch('config').then(answer => answer.json())")
    waiting = [
        tuple(target)
        for event in config["dependencies"]
        for target in event["targets"]
        if event["trigger_mode"] == "always_last" and event["backend_fn"] and target[0] is not None
    ]  # a script alone waits for nothing, and what follows an event is begun by it alone
    assert len(waiting) > 5
    assert len(waiting) == len(set(waiting))
    page.get_by_label("Rollout").click()
    cell(page, 3, 5).click()
    expect_chosen(page, 3, 5)
    settle(page)
    page.wait_for_timeout(1_000)
    asked = len(seen.requests)
    page.wait_for_timeout(1_500)
    assert len(seen.requests) == asked, "the page is still"
