"""docs/tour.md: what each person presses there, step by step, and every view's name.

A way has at most twelve actions (opening, pressing, typing) and two screens of scrolling, and each
number that is read on the screen on the way is the one that the HTTP API answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from minbert.lessons import FILE, read_lessons
from minbert.tasks import SENTIMENT
from minbert.ui.parts.numbers import percent, shown
from minbert.ui.parts.views import SEPARATOR, tab_of
from tests.served import ROOT

TOUR = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
LESSONS = {lesson.id: lesson for lesson in read_lessons(ROOT / "assets" / FILE)}
MOST_ACTIONS, MOST_SCREENS = 12, 2
WIDTH, HEIGHT = 1280, 900


class Way:
    """One person's way: what was pressed or typed into, how far was scrolled."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        """Begin with no page."""
        self._context, self._url = context, url
        self._pages: list[Page] = []
        self.names: list[str] = []
        self.opened = 0
        self.scrolled = 0.0

    @property
    def page(self) -> Page:
        return self._pages[-1]

    def open(self, fragment: str = "") -> None:
        """Open the page, or the page of a link, in a window of its own."""
        self.opened += 1
        self._pages.append(self._context.new_page())
        self.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
        self.page.goto(f"{self._url}/{fragment}")

    def press(self, name: str, kind: str = "button") -> None:
        """Press what has this name."""
        if kind == "fold":
            found = self.page.locator("summary:visible", has_text=name).first
        else:
            found = self.page.get_by_role(kind, name=name, exact=True)  # type: ignore[arg-type]
        self._reach(found)
        found.click()
        self.names.append(name)

    def type(self, name: str, text: str) -> None:
        """Type into a box, over what stands there."""
        box = self.page.get_by_label(name, exact=True)
        self._reach(box)
        box.fill(text)
        self.names.append(name)

    def read(self, place: str | Locator, *told: str) -> None:
        """Read a place; it has to say this, the numbers of the API among it."""
        found = self.page.locator(place) if isinstance(place, str) else place
        for text in told:
            expect(found).to_contain_text(text)
        self._reach(found)

    def _reach(self, found: Locator) -> None:
        found.wait_for()
        before = self.page.evaluate("scrollY")
        found.scroll_into_view_if_needed()
        self.scrolled += abs(self.page.evaluate("scrollY") - before)

    def end(self, title: str) -> None:
        """See that the way is short, and that the tour tells it so; close its windows."""
        (told,) = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## )", TOUR, re.S | re.M)
        assert self.names == re.findall(r"\*\*(.+?)\*\*", told)
        assert self.opened + len(self.names) <= MOST_ACTIONS
        assert self.scrolled <= MOST_SCREENS * HEIGHT
        for page in self._pages:
            page.close()


@pytest.fixture
def way(context: BrowserContext, app_url: str) -> Way:
    return Way(context, app_url)


@pytest.fixture
def api(app_url: str) -> Callable[..., Any]:
    """Ask the page's HTTP API."""

    def ask(endpoint: str, first: str, second: str) -> Any:  # noqa: ANN401 - JSON
        answered = httpx.post(
            f"{app_url}/v1/{endpoint}", json={"first": first, "second": second}, timeout=60
        )
        assert answered.status_code == 200, answered.text
        return answered.json()

    return ask


def similarities(both: Any) -> list[str]:  # noqa: ANN401 - JSON
    """Return what the page writes of both models' similarities, the larger one first."""
    return [
        shown(score) for score in sorted((one["similarity"]["score"] for one in both), reverse=True)
    ]


@pytest.mark.whole
def test_a_student_wonders_what_cls_pooling_is(way: Way, api: Callable[..., Any]) -> None:
    lesson = LESSONS["cls-or-mean"]
    both = api("compare_pooling", lesson.first, lesson.second)
    mean, cls = (both[name]["sentiment"][0]["probabilities"] for name in ("mean", "cls"))
    way.open()
    card = way.page.locator("#predictions .mb-card").first
    for label in SENTIMENT.labels:
        told = f"{label}: mean {percent(mean[label])}, CLS {percent(cls[label])}"
        expect(card.get_by_role("img", name=told, exact=True)).to_be_visible()
        way.read(card, percent(mean[label]))
    way.press("Pooling lab", "tab")
    way.press("What is pooling?", "tab")
    way.read("#lab-opening", "A mark in front, [CLS], has to gather what the answer needs.")
    way.press("Both answers", "tab")
    title = "#pooling-words h3"
    way.read(title, "{} against {} of 5".format(*similarities((both["mean"], both["cls"]))))
    own = "Not one minute of it is dull."
    way.type("Sentence A", own)
    both = api("compare_pooling", own, lesson.second)
    way.read(title, "{} against {} of 5".format(*similarities((both["mean"], both["cls"]))))
    way.press("Try it", "tab")
    way.press("As you read", "tab")
    way.press("How to read this", "fold")
    last = way.page.locator("#reading-words tbody tr").last
    ratings = [both[name]["sentiment"][0]["expected"] for name in ("cls", "mean")]
    way.read(last, "dull.", *(f"{rating:.2f}" for rating in ratings))
    way.end("A student wonders what CLS pooling is")


@pytest.mark.whole
def test_a_teacher_prepares_a_lesson(way: Way, api: Callable[..., Any]) -> None:
    lesson, following = LESSONS["who-did-what"], LESSONS["asked-twice"]
    split = api("similarity_split", lesson.first, lesson.second)
    largest = max(share for row in split["matrix"] for share in row)
    told = f"{largest:.3f} of a cosine of {split['cosine']:.3f}"
    way.open()
    way.press(lesson.title)
    way.read("#lesson-see", lesson.see)
    way.read("#split-words h3", told)
    way.press("Link to this lesson", "link")
    fragment = way.page.evaluate("location.hash")
    assert fragment == "#lesson=who-did-what"
    way.open(fragment)
    way.read("#lesson-see", lesson.see)
    way.read("#split-words h3", told)
    way.press("Try it", "tab")
    pair = api("predict", lesson.first, lesson.second)["paraphrase"]
    card = way.page.locator("#predictions .mb-card", has_text="(paraphrase)")
    way.read(card, pair["label"], percent(pair["probability"]))
    way.press("Next lesson")
    pair = api("predict", following.first, following.second)["paraphrase"]
    way.read(card, percent(pair["probability"]))
    way.end("A teacher prepares a lesson")


def test_the_engineer_s_way_names_what_is_there(app_url: str) -> None:
    """`test_labels.py` walks it; here its names are held to the page's."""
    components = httpx.get(f"{app_url}/config").json()["components"]
    there = {
        each["props"].get(key)
        for each in components
        for key in ("label", "value")
        if isinstance(each["props"].get(key), str)
    }
    (told,) = re.findall(r"^## An engineer has .*?\n(.*?)(?=^## )", TOUR, re.S | re.M)
    names = re.findall(r"\*\*(.+?)\*\*", told)
    assert 6 <= len(names) <= MOST_ACTIONS
    assert set(names) <= there


def test_the_tour_names_every_view(app_url: str) -> None:
    components = httpx.get(f"{app_url}/config").json()["components"]
    views = {
        each["props"]["id"]: each["props"]["label"]
        for each in components
        if each["type"] == "tabitem"
    }
    titles = {name: label for name, label in views.items() if SEPARATOR not in name}
    for name, title in titles.items():
        (told,) = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## )", TOUR, re.S | re.M)
        rows = [row for row in re.findall(r"^\| ([^|]+?) \|", told, re.M) if row != "view"]
        inside = [label for view, label in views.items() if view != name and tab_of(view) == name]
        assert rows == inside, title
