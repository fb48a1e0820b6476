"""Where things stand on the page: the input area that every tab shares, and the tabs below it.

Each part is built inside the page and returned as its components; `page.py` says what happens.
"""

from __future__ import annotations

import dataclasses

import gradio as gr

Figure = tuple[gr.HTML, gr.Plot]  # its words, and the figure below them


@dataclasses.dataclass(frozen=True)
class InputArea:
    """Both sentences, the button, what is told of their length, and the examples."""

    first: gr.Textbox
    second: gr.Textbox
    answer: gr.Button
    live: gr.Button  # pressed by a script while somebody types
    counts: gr.HTML
    examples: gr.Dataset


def build_input(examples: list[dict[str, str]]) -> InputArea:
    """Build the input area, the first example typed."""
    with gr.Row():
        first, second = (
            gr.Textbox(
                examples[0][name],
                label=label,
                lines=1,
                max_lines=4,
                elem_id=name,
                min_width=260,
            )
            for name, label in (("first", "Sentence A"), ("second", "Sentence B (optional)"))
        )
        answer = gr.Button("Answer", variant="primary", elem_id="answer", scale=0)
    live = gr.Button("Answer while typing", visible="hidden", elem_id="live-answer")
    with gr.Row(elem_id="below"):
        counts = gr.HTML(elem_id="counts")
        gr.Checkbox(
            True, label="Answer while I type", elem_id="live", container=False, interactive=True
        )
    chooser = gr.Dataset(
        components=[first, second],
        samples=[[example["first"], example["second"]] for example in examples],
        sample_labels=[example["name"] for example in examples],
        type="index",
        label="Examples",
        elem_id="examples",
    )
    return InputArea(first, second, answer, live, counts, chooser)
