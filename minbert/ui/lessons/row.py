"""The row of lessons: its HTML, and what happens when one is chosen.

All of a lesson stands in the page: `lessons.js` puts its sentences into the boxes, opens its
view and shows its line, and the server is asked for the answer alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from html import escape

import gradio as gr

from minbert.lessons import Lesson

NOT_YOURS = "With the shipped models: "  # before a line, where others answer
CHOSEN = "() => window.minbertLessons.texts()"
MARK = "(first, second) => { window.minbertLessons?.mark(first, second); }"


@dataclasses.dataclass(frozen=True)
class LessonRow:
    """The buttons, and the hidden one that a chosen lesson presses."""

    row: gr.HTML
    chosen: gr.Button


def build_lessons(lessons: Sequence[Lesson], note: str = "") -> LessonRow:
    """Build the row, the first lesson chosen; `note` stands before each line."""
    row = gr.HTML(row_block(lessons, note), elem_id="lessons")
    chosen = gr.Button("Show the lesson", visible="hidden", elem_id="lesson-chosen")
    return LessonRow(row, chosen)


def row_block(lessons: Sequence[Lesson], note: str = "") -> str:
    """Return a button for each lesson, and the line of the first with the ways on from it."""
    chips = "".join(
        f"<li>{chip(lesson, note, current=place == 0)}</li>" for place, lesson in enumerate(lessons)
    )
    first = lessons[0]
    return (
        f'<nav class="mb-lessons" aria-label="Lessons"><ul>{chips}</ul><div class="mb-see">'
        f'<p id="lesson-see" role="status">{escape(note + first.see)}</p>'
        '<button type="button" data-step="-1" aria-label="Previous lesson">Previous</button>'
        '<button type="button" data-step="1" aria-label="Next lesson">Next</button>'
        f'<a id="lesson-link" href="#lesson={first.id}" aria-label="Link to this lesson">Link</a>'
        "</div></nav>"
    )


def chip(lesson: Lesson, note: str, *, current: bool) -> str:
    """Return a lesson's button, which holds all that choosing it needs."""
    kept = {
        **{"lesson": lesson.id, "first": lesson.first, "second": lesson.second},
        **{"view": lesson.view, "see": note + lesson.see},
    }
    attributes = "".join(f' data-{name}="{escape(value)}"' for name, value in kept.items())
    marked = ' aria-current="true"' if current else ""
    return f'<button type="button"{attributes}{marked}>{escape(lesson.title)}</button>'
