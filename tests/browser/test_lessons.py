"""Lessons: chosen by keyboard, the next one, as a link; what is no lesson; light, dark, a phone."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, Request, expect

from minbert.lessons import FILE, Lesson, read_lessons
from minbert.lessons.lesson import TABS
from minbert.ui.parts.views import tab_of
from tests.browser.test_accessibility import CUT, audit
from tests.browser.test_keyboard import reach
from tests.browser.test_page import ask
from tests.browser.walk import shot
from tests.served import ROOT
from trainer.publish.visit import Visit, settle

Open = Callable[..., Visit]
LESSONS = read_lessons(ROOT / "assets" / FILE)
BY_ID = {lesson.id: lesson for lesson in LESSONS}
TAB_NAMES = {"try": "Try it", "pooling": "Pooling lab", "attention": "Attention", "why": "Why?"}
ROWS = "[...document.querySelectorAll('#lessons li')].map(one => Math.round(one.offsetTop))"


def expect_lesson(page: Page, lesson: Lesson) -> None:
    """Expect a lesson's sentences, its mark, its line and its link, all answered."""
    expect(page.locator("#first textarea")).to_have_value(lesson.first)
    expect(page.locator("#second textarea")).to_have_value(lesson.second)
    expect(page.locator("#lessons [aria-current]")).to_have_text([lesson.title])
    expect(page.get_by_role("status").filter(has_text=lesson.see)).to_have_count(1)
    expect(page.locator("#lesson-link")).to_have_attribute("href", f"#lesson={lesson.id}")


def expect_tab(page: Page, lesson: Lesson) -> None:
    for name in (tab_of(lesson.view), lesson.view):
        view = page.locator(f'button[data-tab-id="{name}"]')
        expect(view).to_have_attribute("aria-selected", "true")


def answers_asked(page: Page, app_url: str) -> list[int]:
    """Return a list that gets the number of each answer that the page asks for from now on."""
    events = httpx.get(f"{app_url}/config").json()["dependencies"]
    answering = [each["id"] for each in events if str(each["api_name"]).startswith("answer")]
    asked: list[int] = []

    def note(request: Request) -> None:
        if "queue/join" in request.url:
            asked.extend({json.loads(request.post_data or "")["fn_index"]} & set(answering))

    page.on("request", note)
    return asked


@pytest.mark.whole
def test_the_page_opens_with_the_first_and_keys_choose_others(visit: Open, app_url: str) -> None:
    seen = visit()
    page = seen.page
    expect_lesson(page, LESSONS[0])
    asked = answers_asked(page, app_url)
    chosen = BY_ID["who-did-what"]
    reach(page, chosen.title)
    page.keyboard.press("Enter")
    expect_lesson(page, chosen)
    expect_tab(page, chosen)
    page.wait_for_selector("#split-plot .heatmaplayer image")
    reach(page, "Next lesson")
    for key, lesson in (("Enter", BY_ID["asked-twice"]), ("Space", BY_ID["end-mark"])):
        page.keyboard.press(key)
        expect_lesson(page, lesson)
        expect_tab(page, lesson)
    expect(page.locator("#counts")).to_contain_text("A: 5 tokens · B: 5 tokens")
    reach(page, "Previous lesson", key="Shift+Tab")
    page.keyboard.press("Enter")
    expect_lesson(page, BY_ID["asked-twice"])
    expect(page.locator("#counts")).to_contain_text("A: 9 tokens · B: 10 tokens")
    assert len(asked) == 4, "one for each lesson that was chosen"
    assert seen.errors == []


@pytest.mark.whole
def test_the_mark_follows_the_sentences(visit: Open) -> None:
    page = visit().page
    first = LESSONS[0]
    expect_lesson(page, first)
    ask(page, "Another sentence.", first.second)
    expect(page.locator("#lessons [aria-current]")).to_have_count(0)
    expect(page.locator("#lesson-see")).to_have_text("")
    expect(page.locator("#lesson-link")).to_be_hidden()
    ask(page, first.first, first.second)
    expect_lesson(page, first)
    page.get_by_role("button", name="Previous lesson").click()
    expect_lesson(page, LESSONS[-1])
    page.get_by_role("button", name="Next lesson").click()
    expect_lesson(page, first)


def test_a_link_opens_its_lesson(visit: Open) -> None:
    lesson = BY_ID["irony"]
    page = visit(link=f"lesson={lesson.id}").page
    expect_lesson(page, lesson)
    expect_tab(page, lesson)
    other = BY_ID["negation"]
    page.evaluate(f"location.hash = 'lesson={other.id}'")  # as one types it there
    expect_lesson(page, other)
    expect_tab(page, other)
    page = visit(link=f"lesson={lesson.id}&a=Fine.&b=Good.&tab=Try it").page
    expect(page.locator("#first textarea")).to_have_value("Fine.")
    expect(page.locator("#lessons [aria-current]")).to_have_count(0)
    opened = page.locator('button[data-tab-id="try"]')
    expect(opened).to_have_attribute("aria-selected", "true")


@pytest.mark.parametrize(
    "wanted", [pytest.param("nothing", marks=pytest.mark.whole), '<img src=x onerror="alert(1)">']
)
def test_what_is_no_lesson_is_told(visit: Open, wanted: str) -> None:
    page = visit(link=f"lesson={wanted}").page
    told = page.get_by_role("status").filter(has_text=f"There is no lesson “{wanted}”")
    expect(told).to_have_count(1)
    expect(page.locator("#first textarea")).to_have_value(LESSONS[0].first)
    assert page.locator("#lessons img").count() == 0
    page.get_by_role("button", name=LESSONS[1].title, exact=True).click()
    expect_lesson(page, LESSONS[1])


@pytest.mark.whole
@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_the_row_keeps_the_rules_and_takes_little_room(visit: Open, theme: str, width: int) -> None:
    seen = visit(width=width, theme=theme)
    page = seen.page
    page.evaluate(AXE_SCRIPT)
    lesson = BY_ID["end-mark"]  # on a phone its tab and its button are out of sight
    page.locator(f"[data-lesson={lesson.id}]").click()
    expect_lesson(page, lesson)
    expect(page.locator("#attention-words")).to_be_visible()
    assert len(set(page.evaluate(ROWS))) <= 2
    settle(page)
    assert [*audit(page), *page.evaluate(CUT)] == []
    shot(seen.page, f"lessons-{theme}-{width}")
    assert seen.errors == []


def test_the_file_names_the_page_s_tabs_and_adds_little_to_it(app_url: str) -> None:
    components = httpx.get(f"{app_url}/config").json()["components"]
    tabs = [each["props"]["id"] for each in components if each["type"] == "tabitem"]
    assert set(TABS) <= set(tabs)
    assert {lesson.view for lesson in BY_ID.values()} <= set(tabs)
    row = [each for each in components if each["props"].get("elem_id") == "lessons"]
    assert len(json.dumps(row)) < 8_000
