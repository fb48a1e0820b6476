"""The page as a person meets it: types, clicks each tab, and every figure is really drawn."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from minbert.lessons import FILE, read_lessons
from tests.browser import walk
from tests.browser.walk import shot
from tests.served import ROOT
from trainer.publish.visit import Visit

Open = Callable[..., Visit]
LESSON = read_lessons(ROOT / "assets" / FILE)[0]  # that the page opens with
PAIR = "The film is a quiet triumph.", "I found the movie quietly triumphant."
HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)"><b id="injected">x</b>'
# What is answered now; gradio's own progress marks, which come and go, are no part of it.
SHOWN = """[...document.querySelectorAll('#counts .mb-notice, #predictions .mb-cards')]
    .map(part => part.outerHTML).join()"""
TABS = {"Attention": "#attention-plot", "Pooling lab": "#pooling-plot"}


def ask(page: Page, first: str, second: str = "") -> None:
    """Type both sentences, press Enter, wait for the answer to this very input."""
    page.locator("#first textarea").fill(first)
    page.locator("#second textarea").fill(second)
    before = page.evaluate(SHOWN)
    page.locator("#second textarea").press("Enter")
    page.wait_for_function(f"before => {SHOWN} !== before", arg=before)


def open_tab(page: Page, name: str) -> None:
    walk.open_tab(page, name)
    page.wait_for_selector(f"{TABS[name]} svg.main-svg", timeout=30_000)


def findings(page: Page) -> list[str]:
    return page.locator("#predictions .mb-finding").all_inner_texts()


def test_it_opens_with_an_answered_lesson(visit: Open) -> None:
    seen = visit()
    assert seen.page.locator("#first textarea").input_value() == LESSON.first
    assert len(findings(seen.page)) == 4
    assert seen.page.locator("#counts").inner_text().startswith("A: ")
    shot(seen.page, "try-light")


@pytest.mark.whole
def test_it_tells_praise_from_scorn(kept: Visit) -> None:
    page = kept.page
    ask(page, "A moving, funny and gorgeous film; I loved every minute.", "A dull, ugly mess.")
    praise, scorn, duplicate, _ = findings(page)
    assert "positive" in praise
    assert "negative" in scorn
    assert duplicate == "no"


def test_a_single_sentence_gets_sentiment_alone(kept: Visit) -> None:
    page = kept.page
    ask(page, "The train leaves at nine.")
    assert page.locator("#predictions .mb-meter").count() == 5
    assert "Add a sentence B" in findings(page)


def test_the_button_answers_too(kept: Visit) -> None:
    page = kept.page
    page.locator("#first textarea").fill("The kettle is on the stove now.")
    page.locator("#answer").click()
    page.wait_for_function("document.querySelector('#counts').innerText.includes('A: 10 ')")


@pytest.mark.whole
def test_each_figure_is_drawn(kept: Visit) -> None:
    page = kept.page
    ask(page, *PAIR)
    open_tab(page, "Attention")
    image = page.locator("#attention-plot .heatmaplayer image")
    box = image.bounding_box()
    assert box is not None
    assert box["width"] > 300
    assert box["height"] > 100
    assert page.locator("#attention-plot .ytick").count() == 17  # [CLS], A's words, [SEP], B's
    page.get_by_label("A alone").click()
    expect(page.locator("#attention-plot .ytick")).to_have_count(9)  # [CLS], seven words, [SEP]
    expect(page.locator("#attention-plot .heatmap-label")).to_have_count(81)
    open_tab(page, "Pooling lab")
    bars = page.locator("#pooling-plot .barlayer .point path")
    assert bars.count() == 24  # two models: five classes twice, paraphrase, similarity
    widths = [box["width"] for bar in bars.all() if (box := bar.bounding_box())]
    assert len(widths) == 24
    assert max(widths) > 50
    fills = {bar.evaluate("bar => getComputedStyle(bar).fill") for bar in bars.all()}
    assert fills == {"rgb(230, 159, 0)", "rgb(0, 114, 178)"}
    for view, figure, images in (("split", "split", 1), ("moods", "contributions", 2)):
        walk.open_view(page, f"pooling-{view}")
        cells = page.locator(f"#{figure}-plot .heatmaplayer image")
        expect(cells).to_have_count(images)
        box = cells.first.bounding_box()
        assert box is not None
        assert box["width"] > 300
        if figure == "split":
            assert page.locator("#split-plot .barlayer .point").count() == 18  # 9 rows, 9 columns
    walk.open_view(page, "pooling-layers")
    assert page.locator("#layers-plot .scatterlayer .js-line").count() == 2
    assert kept.errors == []


@pytest.mark.whole
def test_each_tab_is_listed_once_however_often_it_is_opened(kept: Visit) -> None:
    page = kept.page
    tabs = page.locator(f'{walk.TABS}:not([data-tab-id*="-"])')
    names = ["Try it", "Pooling lab", "Attention", "Why?", "Batch", "Experiments", "About"]
    for name in (*names, *names[:2]):
        page.get_by_role("tab", name=name, exact=True).click()
        expect(tabs).to_have_text(names)
    for tab in ("experiments", "about"):
        walk.open_view(page, tab)
        views = walk.view_names(page, tab)
        assert len(views) == len(set(views)) >= 5
        for name in (*views, views[0]):
            walk.press(page.locator(f'{walk.TABS}[data-tab-id="{name}"]'))
            assert walk.view_names(page, tab) == views


def test_the_about_tab_tells_what_the_files_say(visit: Open) -> None:
    seen = visit(width=390)
    page = seen.page
    walk.open_tab(page, "About")
    assert page.locator("#about-problems").count() == 0
    walk.open_view(page, "about-numbers")
    expect(page.locator("#about-numbers")).to_contain_text("Quora")
    expect(page.locator("#about-numbers")).to_contain_text("0.883")
    walk.open_view(page, "about-privacy")
    expect(page.locator("#about-privacy")).to_contain_text("answered and forgotten")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    shot(seen.page, "about-phone")
    assert seen.errors == []


@pytest.mark.whole
def test_text_of_figures_follows_the_theme(visit: Open) -> None:
    page = visit(theme="dark").page
    open_tab(page, "Pooling lab")
    colours = page.evaluate(
        "() => [...document.querySelectorAll('#pooling-plot svg text')]"
        ".filter(t => t.textContent).map(t => getComputedStyle(t).fill)"
    )
    assert len(colours) > 20
    for colour in colours:
        red, green, blue = (int(part) for part in colour[4:-1].split(",")[:3])
        assert red + green + blue > 3 * 150, f"{colour} is too dark on a dark page"


AS_WIDE_AS_ITS_FRAME = """place => {
    const frame = document.querySelector(`${place} .js-plotly-plot`);
    const drawn = frame && frame.querySelector('svg.main-svg');
    if (!drawn) return false;
    const [wide, wanted] = [drawn, frame].map(one => one.getBoundingClientRect().width);
    return wanted > 800 && Math.abs(wide - wanted) <= 2;
}"""


@pytest.mark.whole
def test_a_figure_updated_while_hidden_has_the_right_width(kept: Visit) -> None:
    page = kept.page
    walk.open_view(page, "pooling-both")
    page.get_by_role("tab", name="Try it").click()
    ask(page, "Rain fell on the roof all night.", "It rained the whole night.")
    walk.open_view(page, "pooling-both")
    figures = {"both": "pooling", "split": "split", "moods": "contributions", "layers": "layers"}
    for view, figure in figures.items():
        page.locator(f'{walk.TABS}[data-tab-id="pooling-{view}"]').click()
        page.wait_for_function(AS_WIDE_AS_ITS_FRAME, arg=f"#{figure}-plot")


def test_layer_and_head_change_the_map(kept: Visit) -> None:
    page = kept.page
    ask(page, *PAIR)
    open_tab(page, "Attention")
    page.get_by_label("A and B together", exact=True).check()
    title = page.locator("#attention-words h3")
    assert title.inner_text().startswith("Layer 1: head 1")
    page.get_by_label("number input for Layer (1: lowest)").fill("4")
    page.get_by_label("number input for Layer (1: lowest)").press("Enter")
    expect(title).to_contain_text("Layer 4: head 1", timeout=15_000)
    page.wait_for_function("document.querySelectorAll('#attention-plot .ytick').length === 17")
    page.get_by_label("A alone").click()
    page.wait_for_function("document.querySelectorAll('#attention-plot .ytick').length === 9")


def test_nothing_typed_gets_a_clear_message_and_keeps_the_rest(kept: Visit) -> None:
    page = kept.page
    for text in ("", "   \n ", "\u200b\u200e"):
        page.locator("#first textarea").fill(text)
        page.locator("#second textarea").fill("This stays where it is.")
        page.locator("#answer").click()
        toast = page.locator(".toast-body")
        expect(toast).to_contain_text("Sentence A")
        expect(page.locator("#second textarea")).to_have_value("This stays where it is.")
        toast.locator(".toast-close").click()
        expect(toast).to_have_count(0)


def test_very_long_emoji_and_right_to_left_texts_are_answered(kept: Visit) -> None:
    seen = kept
    ask(seen.page, "word " * 10_000, "שלום עולם, זה סרט נהדר")
    counts = seen.page.locator("#counts").inner_text()
    assert "A: 10,002 tokens, cut to the 128" in counts
    ask(seen.page, "🎬🎉 😀", "A fine film 🎉")
    assert "[UNK]" in seen.page.locator("#counts").inner_text()
    assert len(findings(seen.page)) == 4
    assert seen.errors == []
