"""The row of lessons: its HTML, and what happens when one is chosen.

All of a lesson stands in the page: `lessons.js` puts its sentences into the boxes, opens its
view and shows its line, and the server is asked for the answer alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import gradio as gr

from minbert.lessons import Lesson
from minbert.ui.parts.templates import render

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
    return render("lessons/row.html", lessons=lessons, note=note)
