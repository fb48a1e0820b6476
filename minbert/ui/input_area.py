"""Where things stand on the page: the input area that every tab shares, and the tabs below it.

Each part is built inside the page and returned as its components; `page.py` says what happens.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import gradio as gr

from minbert.lessons import Lesson
from minbert.ui.lessons.row import LessonRow, build_lessons

Figure = tuple[gr.HTML, gr.Plot]  # its words, and the figure below them


@dataclasses.dataclass(frozen=True)
class InputArea:
    """Both sentences, the button, what is told of their length, and the lessons."""

    first: gr.Textbox
    second: gr.Textbox
    answer: gr.Button
    live: gr.Button  # pressed by a script while somebody types
    counts: gr.HTML
    lessons: LessonRow


def build_input(lessons: Sequence[Lesson], note: str = "") -> InputArea:
    """Build the input area, the first lesson's sentences typed; `note` as in `build_lessons`."""
    with gr.Row():
        first, second = (
            gr.Textbox(
                typed,
                label=label,
                lines=1,
                max_lines=4,
                elem_id=name,
                min_width=260,
            )
            for name, label, typed in (
                ("first", "Sentence A", lessons[0].first),
                ("second", "Sentence B (optional)", lessons[0].second),
            )
        )
        answer = gr.Button("Answer", variant="primary", elem_id="answer", scale=0)
    live = gr.Button("Answer while typing", visible="hidden", elem_id="live-answer")
    with gr.Row(elem_id="below"):
        counts = gr.HTML(elem_id="counts")
        gr.Checkbox(
            True, label="Answer while I type", elem_id="live", container=False, interactive=True
        )
    return InputArea(first, second, answer, live, counts, build_lessons(lessons, note))
