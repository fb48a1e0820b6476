"""The tab "Experiments" with made-up results and with none: figures drawn, controls at work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlparse

import pytest
from playwright.sync_api import Page, expect

from tests.browser import walk
from tests.browser.walk import shot
from tests.served import free_ports, serving
from trainer.publish.visit import Visit

Open = Callable[..., Visit]
VIEWS = {"shares": "sampling"}  # where its name isn't the figure's
FIGURES = ("scores", "curves", "shares", "conflicts")


@pytest.fixture(scope="module")
def addresses() -> Iterator[tuple[str, str]]:
    """Give the addresses of a page with results and of one without."""
    ports = free_ports(2)
    arguments = ["-m", "tests.browser.two_pages", *map(str, ports)]
    with serving(arguments, ready="both pages are there"):
        yield f"http://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}"


def open_tab(seen: Visit, figures: tuple[str, ...] = FIGURES) -> Page:
    for key in figures:
        show(seen.page, key)
    return seen.page


def show(page: Page, key: str) -> None:
    """Open the view of a figure."""
    walk.open_view(page, f"experiments-{VIEWS.get(key, key)}")
    page.wait_for_selector(f"#{key}-plot svg.main-svg", timeout=30_000)


@pytest.mark.whole
def test_every_part_is_drawn(visit_at: Open, addresses: tuple[str, str]) -> None:
    width = 390  # test_views.py looks at the light page, wide too
    seen = visit_at(addresses[0], width, 900, "dark")
    page, colours = seen.page, []
    for key in FIGURES:
        show(page, key)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        frame = page.locator(f"#{key}-plot .js-plotly-plot").bounding_box()
        drawn = page.locator(f"#{key}-plot svg.main-svg").first.bounding_box()
        assert frame is not None
        assert drawn is not None
        assert drawn["width"] == pytest.approx(frame["width"], abs=2)
        assert drawn["height"] > 300
        assert page.locator(f"#{key}-words h3").inner_text() != ""
        colours += page.evaluate(
            "key => [...document.querySelectorAll(`#${key}-plot svg text`)]"
            ".filter(t => t.textContent.trim()).map(t => getComputedStyle(t).fill)",
            key,
        )
        if key == "scores":
            assert page.locator("#scores-plot .barlayer .point path").count() == 12
    walk.open_view(page, "experiments-claims")
    assert page.locator("#claims .mb-verdict").all_inner_texts() == [
        "held",
        "did not hold",
        "undecided",
        "undecided",
    ]
    for choice, left in (("held (1)", 1), ("undecided (2)", 2), ("all (4)", 4)):
        page.get_by_label(choice).check()
        expect(page.locator("#claims tbody tr:visible")).to_have_count(left)
    assert len(colours) > 60
    for colour in colours:
        total = sum(int(part) for part in colour[4:-1].split(",")[:3])
        assert total > 450, f"{colour} can't be read on a dark page"
    assert seen.errors == []
    hosts = {urlparse(url).hostname for url in seen.requests if urlparse(url).scheme != "data"}
    assert hosts <= {"127.0.0.1", None}
    shot(seen.page, "experiments-dark-390")


@pytest.mark.whole
def test_the_controls_redraw(visit_at: Open, addresses: tuple[str, str]) -> None:
    page = open_tab(visit_at(addresses[0]), ("scores",))
    page.get_by_label("Report's test table").click()
    expect(page.locator("#scores-words caption")).to_contain_text("report: test, ours: dev")
    page.get_by_role("combobox", name="Metric").click()
    page.get_by_role("option", name="Paraphrase F1").click()
    expect(page.locator("#scores-words h3")).to_contain_text("Highest Paraphrase F1")
    expect(page.locator("#scores-plot .barlayer .point path")).to_have_count(2)
    page.get_by_label("Part 1", exact=True).click()
    expect(page.locator("#scores-words caption")).to_contain_text("Part 1")
    show(page, "curves")
    page.locator("#curves-rows .token-remove").first.click()
    expect(page.locator("#curves-words h3")).to_contain_text("Annealed ends:")
    show(page, "conflicts")
    page.get_by_label("cosine", exact=True).click()
    expect(page.locator("#conflicts-plot .y2title")).to_have_text("cosine")


@pytest.mark.whole
def test_the_formula_is_live_and_by_keyboard(visit_at: Open, addresses: tuple[str, str]) -> None:
    page = open_tab(visit_at(addresses[1]), ("shares",))
    problem = page.locator("#results-problems")
    expect(problem).to_contain_text("No results yet: run python -m trainer reproduce")
    expect(problem).to_contain_text("results/reproduction.json is not there")
    assert page.locator("#scores-plot, #curves-plot, #conflicts-plot, #claims").count() == 0
    title = page.locator("#shares-words h3")
    expect(title).to_have_text("Paraphrase's share falls from 95 % to 51 % over 10 epochs")
    line = page.locator("#shares-plot .scatterlayer .js-line").nth(1)
    before = line.get_attribute("d")
    page.locator("#alpha input[type=range]").focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    expect(title).to_have_text("Paraphrase's share falls from 95 % to 33 % over 10 epochs")
    expect(line).not_to_have_attribute("d", before or "")
    page.get_by_label("ours", exact=True).click()
    expect(title).to_contain_text("falls from 73 %")
    page.get_by_label("Sentiment examples").fill("0")
    expect(title).to_have_text("Can't draw this")
    page.get_by_label("Sentiment examples").fill("8000")
    expect(title).to_contain_text("falls from 74 %")
