"""The Attention studio in a real browser: controls, clicks, bertviz's frame, files, a phone."""

from __future__ import annotations

import csv
import functools
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlparse

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.test_page import HOSTILE, PAIR, ask
from tests.browser.walk import open_view

Open = Callable[..., Visit]
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


def test_each_control_changes_the_figure(visit: Open) -> None:
    seen = visit()
    page = seen.page
    open_studio(page)
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
    changes_the_figure(page, lambda: page.get_by_label("All heads").click())
    assert seen.errors == []


def test_a_small_map_and_a_row_of_the_table_show_their_head(visit: Open) -> None:
    seen = visit()
    page = seen.page
    title = open_studio(page)
    page.get_by_label("All heads").click()
    expect(title).to_contain_text("of 72 heads", timeout=PATIENCE)
    page.wait_for_function("document.querySelectorAll('#attention-plot .xtick').length === 12")
    seen.shot("studio-all-heads")
    area = page.locator("#attention-plot .nsewdrag").first
    box = area.bounding_box()
    assert box is not None
    place = {"x": box["width"] * 4.5 / 12, "y": box["height"] * 2.5 / 6}
    area.click(position=place)  # type: ignore[arg-type]
    expect(title).to_contain_text("Layer 3: head 5", timeout=PATIENCE)
    open_view(page, "attention-heads")
    table = page.locator("#attention-heads")
    cell = functools.partial("[data-row='{}'][data-col='{}']".format)
    distances = [table.locator(cell(row, 4)) for row in range(4)]
    before = [one.inner_text() for one in distances]
    page.get_by_label("farthest").click()
    expect(distances[0]).not_to_have_text(before[0], timeout=PATIENCE)
    now = [float(one.inner_text()) for one in distances]
    assert now == sorted(now, reverse=True)
    assert [str(number) for number in now] != before
    layer, head = (table.locator(cell(2, column)).inner_text().strip() for column in (0, 1))
    table.locator(cell(2, 3)).click()
    expect(page.locator("#view-attention-maps")).to_be_visible()
    expect(title).to_contain_text(f"Layer {layer}: head {head} ", timeout=PATIENCE)
    assert seen.errors == []


def test_a_masked_word_is_compared(visit: Open) -> None:
    seen = visit()
    page = seen.page
    ask(page, *PAIR)
    open_studio(page)
    open_view(page, "attention-without")
    page.locator("#attention-mask").get_by_text("quiet", exact=True).click()
    words = page.locator("#masked-words")
    expect(words.locator("h3")).to_contain_text("With “quiet” masked", timeout=PATIENCE)
    expect(words.locator("h3")).to_contain_text("layer 1, head 1")
    expect(words.locator("li").first).to_contain_text("Sentiment of A")
    ticks = page.locator("#masked-plot .ytick")
    expect(ticks.filter(has_text="[MASK]")).to_have_count(1, timeout=PATIENCE)
    assert page.locator("#unmasked-plot .ytick").filter(has_text="quiet").count() == 1
    set_number(page, "Layer (1: lowest)", "4")
    expect(words.locator("h3")).to_contain_text("layer 4, head 1", timeout=PATIENCE)
    page.locator("#attention-mask").get_by_text("(none)").click()
    expect(words.locator("h3")).to_have_count(0, timeout=PATIENCE)
    page.locator("#attention-mask").get_by_text("triumph", exact=True).click()
    expect(words.locator("h3")).to_contain_text("With “triumph” masked", timeout=PATIENCE)
    ask(page, "Another sentence altogether.")
    expect(words.locator("h3")).to_have_count(0, timeout=PATIENCE)


@pytest.mark.parametrize(("kind", "theme"), [("head", "light"), ("model", "dark")])
def test_bertviz_is_drawn_with_no_request_and_text_stays_text(
    visit: Open, kind: str, theme: str
) -> None:
    seen = visit(theme=theme)
    page = seen.page
    ask(page, HOSTILE, "A harmless second sentence.")
    open_studio(page)
    open_view(page, "attention-lines")
    assert page.locator("#attention-bertviz iframe").count() == 0
    asked = len(seen.requests)
    page.locator(f"#bertviz-{kind}").click()
    frame = page.locator("#attention-bertviz iframe")
    expect(frame).to_have_count(1, timeout=PATIENCE)
    assert (frame.get_attribute("title") or "").startswith(f"bertviz {kind} view: mean pooling")
    inside = page.frame_locator("#attention-bertviz iframe")
    expect(inside.locator("svg line").nth(200)).to_be_attached(timeout=PATIENCE)
    if kind == "head":
        expect(inside.locator("svg text").filter(has_text="script").first).to_be_visible()
    else:
        heads = inside.locator("svg text")
        expect(heads.filter(has_text="Heads")).to_have_count(1)
        assert inside.locator("html.dark").count() == 1
    page.wait_for_function(
        "document.querySelector('#attention-bertviz iframe').style.height !== ''"
    )
    box = frame.bounding_box()
    drawn = inside.locator("svg").first.bounding_box()
    assert box is not None
    assert drawn is not None
    assert box["height"] > drawn["height"]
    seen.shot(f"studio-bertviz-{kind}-{theme}")
    hosts = {urlparse(url).hostname for url in seen.requests[asked:]}
    assert hosts <= {"127.0.0.1", None}
    assert seen.dialogs == []
    assert seen.errors == []


def test_the_files_open_without_a_network(visit: Open, tmp_path: Path) -> None:
    seen = visit()
    page = seen.page
    ask(page, *PAIR)
    open_studio(page)
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
    assert len(rows) == len(told["rows"]) + 1 == 10
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


def test_what_fine_tuning_changed_is_drawn_from_the_record(visit: Open) -> None:
    seen = visit()
    page = seen.page
    open_studio(page)
    open_view(page, "attention-tuning")
    words = page.locator("#tuning-words")
    expect(words).to_contain_text("sentence-transformers/all-MiniLM-L6-v2", timeout=PATIENCE)
    expect(page.locator("#tuning-plot .heatmaplayer image")).to_have_count(3, timeout=PATIENCE)
    page.get_by_label("Share on [SEP]").click()
    expect(words.locator("h3")).to_contain_text("Share on [SEP]", timeout=PATIENCE)
    assert seen.errors == []
