"""The row of lessons: buttons with all that choosing one needs, and the first one's line."""

from __future__ import annotations

import dataclasses

from minbert.ui.lessons.row import NOT_YOURS, row_block
from tests.read_html import read
from tests.support import tiny_lesson

ODD = '"><b id="x">&'
LESSONS = [
    tiny_lesson("the cat sleeps", "a dog runs", "One", "one"),
    dataclasses.replace(tiny_lesson(ODD, title=ODD, slug="two"), view="pooling-words"),
]


def test_a_button_holds_its_lesson() -> None:
    row = read(row_block(LESSONS)).one("nav")
    buttons = [one for one in row.find("button") if "data-lesson" in one.attributes]
    assert row.attributes["aria-label"] == "Lessons"
    for lesson, button in zip(LESSONS, buttons, strict=True):
        wanted = {
            **{"data-lesson": lesson.id, "data-first": lesson.first, "data-second": lesson.second},
            **{"data-view": lesson.view, "data-see": lesson.see},
        }
        assert {name: button.attributes[name] for name in wanted} == wanted
        assert button.text == lesson.title
        assert button.attributes["type"] == "button"
    assert [one.attributes.get("aria-current") for one in buttons] == ["true", None]


def test_the_first_lesson_s_line_link_and_steps() -> None:
    row = read(row_block(LESSONS))
    assert row.one(role="status").text == LESSONS[0].see
    assert row.one("a").attributes["href"] == "#lesson=one"
    steps = [one for one in row.find("button") if "data-step" in one.attributes]
    assert [one.attributes["data-step"] for one in steps] == ["-1", "1"]
    assert [one.attributes["aria-label"] for one in steps] == ["Previous lesson", "Next lesson"]


def test_a_line_says_whose_models_it_was_written_for() -> None:
    row = read(row_block(LESSONS, NOT_YOURS))
    assert row.one(role="status").text == NOT_YOURS + LESSONS[0].see
    assert all(
        one.attributes["data-see"].startswith(NOT_YOURS)
        for one in row.find("button")
        if "data-lesson" in one.attributes
    )
