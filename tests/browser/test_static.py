"""The page of findings in a real Chromium, opened from its file as by a double click."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from minbert.ui.static.__main__ import main
from tests.browser.walk import shot
from trainer.publish.visit import Visit

WHOLE = os.environ.get("MINBERT_HEAVY") == "1"
DRAWN = "place => place.querySelectorAll('.main-svg').length > 0"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page by its command, which test_live.py runs as a person would."""
    folder = tmp_path_factory.mktemp("static")
    assert main(["--out", str(folder), "--space"]) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "index.html"]
    return folder / "index.html"


@pytest.fixture
def opened(browser: Browser, file: Path) -> Iterator[Callable[..., Visit]]:
    """Open the file in a size and a colour scheme; it may ask for nothing and tell no error."""
    visits: list[Visit] = []

    def open_file(width: int = 1280, scheme: str = "light") -> Visit:
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        seen = Visit(page)
        visits.append(seen)
        page.on("request", lambda request: seen.requests.append(request.url))
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.on(
            "console",
            lambda told: seen.errors.append(told.text) if told.type == "error" else None,
        )
        page.goto(file.as_uri())
        return seen

    yield open_file
    for seen in visits:
        seen.page.close()
        assert seen.requests == [file.as_uri()]
        assert seen.errors == []


def show(page: Page, selector: str) -> None:
    """Scroll to a figure and wait until it is drawn."""
    page.locator(selector).scroll_into_view_if_needed()
    page.wait_for_function(f"selector => ({DRAWN})(document.querySelector(selector))", arg=selector)


def shown_map(page: Page) -> list[list[float]]:
    """Return the numbers of the map that is drawn."""
    found: list[list[float]] = page.evaluate(
        "[...document.getElementById('attention-map').data[0].z].map(row => [...row])"
    )
    return found


@pytest.mark.whole
def test_the_lists_change_the_map_its_words_and_its_table(opened: Callable[..., Visit]) -> None:
    page = opened().page
    show(page, "#attention-map")
    stored = page.evaluate("JSON.parse(document.getElementById('data-attention').textContent)")
    seen = []
    for text, layer, head in ((0, 0, 0), (0, 3, 5), (2, 5, 12)):
        page.select_option("#attention-text", index=text)
        page.select_option("#attention-layer", index=layer)
        page.select_option("#attention-head", index=head)
        wanted = [[v / 10_000 for v in row] for row in stored[text]["maps"][layer][head]]
        assert shown_map(page) == wanted
        finding = stored[text]["findings"][layer][head]
        assert page.locator("#attention-words h3").inner_text() == finding
        table = page.locator("#attention-numbers table")
        assert table.locator("tbody tr").count() == len(wanted)
        row = table.locator("tbody tr").nth(1).locator("th, td").all_text_contents()
        assert row[0] == stored[text]["tokens"][1]
        assert [float(cell.rstrip("%")) for cell in row[1:]] == pytest.approx(
            [100 * share for share in wanted[1]], abs=0.051
        )
        assert f"layer {layer + 1}" in (table.locator("caption").text_content() or "")
        seen.append((finding, wanted))
    assert len({finding for finding, _ in seen}) == 3


def test_a_link_opens_its_lesson_and_words_can_be_pointed_at(opened: Callable[..., Visit]) -> None:
    page = opened().page
    page.evaluate("location.hash = 'lesson=who-did-what'")
    words = page.locator("#lesson-who-did-what .mb-alike .mb-word")
    words.first.wait_for()
    assert page.locator("#lesson option:checked").inner_text() == "Who did what?"
    words.nth(1).hover()
    readout = page.locator("#lesson-who-did-what .mb-alike .mb-readout").inner_text()
    assert readout.startswith("dog: +")
    assert readout == words.nth(1).get_attribute("aria-label")
    page.evaluate("location.hash = 'lesson=nothing'")
    assert words.first.is_visible(), "what is no lesson changes nothing"


@pytest.mark.whole
def test_another_lesson_is_drawn_as_wide_as_its_place(opened: Callable[..., Visit]) -> None:
    page = opened().page
    show(page, "#lesson-cls-or-mean-split")
    page.select_option("#lesson", label="Who did what?")
    assert page.locator("#lesson-cls-or-mean-split").is_hidden()
    show(page, "#lesson-who-did-what-split")
    page.set_viewport_size({"width": 800, "height": 900})
    page.select_option("#lesson", index=0)
    page.wait_for_function(
        "() => { const place = document.getElementById('lesson-cls-or-mean-split');"
        "return Math.abs(place.clientWidth - place.querySelector('.main-svg').clientWidth) < 2; }"
    )
    assert page.locator("#lesson-cls-or-mean-split").evaluate("place => place.clientWidth") < 800


@pytest.mark.whole
def test_dark_and_light_follow_the_system(opened: Callable[..., Visit]) -> None:
    light_of = (
        "colour => { const [r, g, b] = colour.match(/\\d+/g).map(Number);"
        "return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255; }"
    )
    for scheme, paper, ink in (("light", (0.9, 1.0), (0.0, 0.3)), ("dark", (0.0, 0.2), (0.8, 1.0))):
        seen = opened(scheme=scheme)
        page = seen.page
        for key, text in (
            ("#lesson-cls-or-mean-layers", ".xtick text"),
            ("#lesson-cls-or-mean-reading", ".ytick text"),
            ("#lesson-cls-or-mean-reading", ".legendtext"),
            ("#lesson-cls-or-mean-split", ".heatmap-label text"),
            ("#attention-map", ".cbaxis text"),
            ("#table-1", ".xtitle"),
        ):
            show(page, key)
            fill = page.locator(f"{key} {text}").first.evaluate("one => getComputedStyle(one).fill")
            assert ink[0] <= page.evaluate(f"({light_of})({fill!r})") <= ink[1], (scheme, key, text)
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper[0] <= page.evaluate(f"({light_of})({ground!r})") <= paper[1]
        shot(seen.page, f"static-{scheme}")


def places(page: Page, key: str) -> list[int]:
    """Return the places of a list's entries: of all in the heavy set, else of the two ends."""
    count = page.locator(f"#{key} option").count()
    return list(range(count)) if WHOLE else sorted({0, count - 1})


@pytest.mark.whole
def test_a_phone_never_scrolls_sideways(opened: Callable[..., Visit]) -> None:
    seen = opened(width=390)
    page = seen.page
    width = "document.documentElement.scrollWidth"
    for key in ("lesson", "set", "table"):
        for place in places(page, key):
            page.select_option(f"#{key}", index=place)
            panel = page.locator(f'[data-panel="{key}"]').nth(place)
            figures = panel.locator("[data-figure]")
            for figure in range(figures.count()):
                show(page, f"#{figures.nth(figure).get_attribute('id')}")
            assert page.evaluate(width) <= 390, (key, place)
    for place in places(page, "attention-text"):
        page.select_option("#attention-text", index=place)
        show(page, "#attention-map")
        assert page.evaluate(width) <= 390
    for fold in page.locator("summary:visible").all():
        fold.click()
    assert page.evaluate(width) <= 390
    shot(seen.page, "static-phone")
