"""Labels of one's own as an engineer with 300 tickets meets them, a stop, and what is refused."""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from playwright.sync_api import Locator, Page, expect

from minbert import LabelModel
from tests.served import ROOT
from trainer.publish.visit import Visit, open_view

Open = Callable[..., Visit]
PATIENT = 120_000  # milliseconds: a busy machine is slow, not wrong
ASKED = "I was charged twice for the parcel."
MOST_ACTIONS = 12
HOSTILE = "<img src=x onerror=alert(1)>"


def tickets() -> tuple[list[str], list[str]]:
    """Return the example's texts and labels."""
    path = ROOT / "assets" / "examples" / "tickets.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["text"] for row in rows], [row["label"] for row in rows]


def told(score: dict[str, Any]) -> str:
    """Write a score of the API as the page does."""
    value, low, high = (100 * score[name] for name in ("value", "low", "high"))
    return f"{value:.1f} % ({low:.1f} to {high:.1f})"


class Hand:
    """Somebody at the page: counts what they do, and the screens that they scroll."""

    def __init__(self, page: Page) -> None:
        self.page, self.actions, self.scrolled = page, 0, 0.0

    def press(self, place: Locator) -> None:
        self._reach(place)
        place.click()

    def write(self, place: Locator, text: str) -> None:
        self._reach(place)
        place.fill(text)

    def _reach(self, place: Locator) -> None:
        before = self.page.evaluate("scrollY")
        place.scroll_into_view_if_needed()
        self.scrolled += abs(self.page.evaluate("scrollY") - before) / 900
        self.actions += 1


def bring(page: Page, folder: Path, content: bytes) -> None:
    """Upload a file, and wait until it is there."""
    path = folder / "rows.tsv"
    path.write_bytes(content)
    page.locator("#labels-file input[type=file]").set_input_files(path)
    expect(page.locator("#labels-file")).to_contain_text("rows.tsv")


@pytest.mark.whole
def test_an_engineer_s_path_with_300_tickets(visit: Open, app_url: str, tmp_path: Path) -> None:
    seen = visit(1440)
    page, hand = seen.page, Hand(seen.page)
    hand.press(page.get_by_role("tab", name="Pooling lab", exact=True))
    hand.press(page.get_by_role("tab", name="Your labels", exact=True))
    expect(page.locator("#labels-about")).to_contain_text("The report’s 4.3")
    hand.press(page.get_by_role("button", name="Try 300 example tickets"))
    expect(page.locator("#labels-text textarea")).not_to_have_value("")
    hand.press(page.get_by_role("button", name="Compare both poolings"))
    expect(page.locator("#labels-notice [role=status]")).to_contain_text(
        re.compile(r": \d+ of \d+"), timeout=PATIENT
    )
    scores = page.locator("#labels-scores tbody tr")
    expect(scores).to_have_count(3, timeout=PATIENT)
    texts, labels = tickets()
    found = Client(app_url, verbose=False).predict(texts, labels, api_name="/your_labels")
    expect(page.locator("#labels-scores h3")).to_have_text(found["verdict"])
    cells = [row.locator("td").all_text_contents() for row in scores.all()]
    for row, side in zip(cells, ("cls", "mean"), strict=False):
        assert row == [told(found[side]["accuracy"]), told(found[side]["macro_f1"])]
    expect(page.locator("#labels-curve-words h3")).to_have_text(found["mean"]["curve_told"])
    wrong = page.locator("#labels-mistakes tbody tr")
    expect(wrong).to_have_count(len(found["mean"]["mistakes"]))
    assert wrong.first.locator("th").inner_text() == texts[found["mean"]["mistakes"][0]["row"] - 1]

    hand.write(page.get_by_label("Any sentence"), ASKED)
    hand.press(page.get_by_role("button", name="Label it"))
    answer = page.locator("#labels-answer")
    expect(answer.locator("[role=option]")).to_have_count(8, timeout=PATIENT)
    title = answer.locator("h3").inner_text()
    hand.page.locator("#labels-download").scroll_into_view_if_needed()
    with page.expect_download() as fetched:
        hand.press(page.locator("#labels-download"))
    with zipfile.ZipFile(fetched.value.path()) as archive:
        archive.extractall(tmp_path)
    model = LabelModel.load(tmp_path / "my-labels", ROOT / "assets" / "models" / "mean", "cpu")
    (said,) = model.predict([ASKED])
    assert title == f"{said.label}: {100 * said.probability:.0f} %"
    assert "LabelModel.load" in page.locator("#labels-lines pre").inner_text()

    hand.press(page.locator("#labels-pooling").get_by_text("CLS pooling"))
    expect(answer.locator(".mb-slot-cls")).to_be_visible(timeout=PATIENT)
    expect(wrong).to_have_count(len(found["cls"]["mistakes"]))
    expect(page.locator("#labels-lines pre")).to_contain_text("assets/models/cls")
    assert hand.actions <= MOST_ACTIONS
    assert hand.scrolled <= 2
    assert seen.errors == []


@pytest.mark.whole
def test_a_comparison_is_stopped_in_its_midst(visit: Open, app_url: str, tmp_path: Path) -> None:
    page = visit().page
    open_view(page, "pooling-labels")
    rows = (f"Ticket {row} of a long file\t{'even' if row % 2 else 'odd'}" for row in range(3000))
    bring(page, tmp_path, "\n".join(rows).encode())
    page.locator("#labels-start").click()
    notice = page.locator("#labels-notice")
    expect(notice).to_contain_text(re.compile(r"[1-9][\d,]* of 3,000"), timeout=PATIENT)
    page.locator("#labels-stop").click()
    expect(notice).to_contain_text("Stopped", timeout=PATIENT)
    expect(page.locator("#labels-start")).to_be_visible()
    quick = Client(app_url, verbose=False).predict("Fine.", "", api_name="/predict")
    assert quick, "the model is free"
    page.wait_for_timeout(3000)
    expect(notice).to_contain_text("Stopped")
    expect(page.locator("#labels-found")).to_be_hidden()


@pytest.mark.whole
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"text,label\n\xff\xfe,a\n", "the file should be text in UTF-8"),
        ("".join(f"{HOSTILE} {row}\tsame\n" for row in range(9)).encode(), "2 to 20 classes"),
    ],
)
def test_a_bad_file_is_refused_in_words(
    visit: Open, tmp_path: Path, content: bytes, said: str
) -> None:
    seen = visit()
    page = seen.page
    open_view(page, "pooling-labels")
    page.locator("#labels-start").click()
    problem = page.locator("#labels-notice .mb-problem")
    expect(problem).to_contain_text("nothing to learn from yet")
    bring(page, tmp_path, content)
    page.locator("#labels-start").click()
    expect(problem).to_contain_text(said, timeout=PATIENT)
    expect(page.locator("#labels-found")).to_be_hidden()
    expect(page.locator("#labels-start")).to_be_visible()
    assert (seen.dialogs, seen.errors) == ([], [])
