"""Where things stand on the page: the input area that every tab shares, and the tabs below it.

Each part is built inside the page and returned as its components; `page.py` says what happens.
"""

from __future__ import annotations

import dataclasses

import gradio as gr

from minbert.ui.try_it.edits import EditRow, build_edits

Figure = tuple[gr.HTML, gr.Plot]  # its words, and the figure below them


@dataclasses.dataclass(frozen=True)
class InputArea:
    """Both sentences, the button, what is told of their length, and the examples."""

    first: gr.Textbox
    second: gr.Textbox
    answer: gr.Button
    counts: gr.HTML
    examples: gr.Dataset


@dataclasses.dataclass(frozen=True)
class TryTab:
    """The answers, what can be done with them, and what one visit keeps."""

    tab: gr.Tab
    predictions: gr.HTML
    threshold: gr.Slider
    swap: gr.Button
    pin: gr.Button
    unpin: gr.Button
    edits: EditRow
    change: gr.HTML
    share: gr.Button
    link: gr.Textbox
    python: gr.Code
    as_json: gr.Code
    current: gr.State
    pinned: gr.State


def figure_place(name: str) -> Figure:
    """Make the place of a figure."""
    words = gr.HTML(elem_id=f"{name}-words")
    plot = gr.Plot(show_label=False, elem_id=f"{name}-plot", elem_classes="mb-plot")
    return words, plot


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
    counts = gr.HTML(elem_id="counts")
    chooser = gr.Dataset(
        components=[first, second],
        samples=[[example["first"], example["second"]] for example in examples],
        sample_labels=[example["name"] for example in examples],
        type="index",
        label="Examples",
        elem_id="examples",
    )
    return InputArea(first, second, answer, counts, chooser)


def build_try() -> TryTab:
    """Build the tab of the answers."""
    with gr.Tab("Try it", id="try") as tab:
        predictions = gr.HTML(elem_id="predictions")
        with gr.Row():
            threshold = gr.Slider(
                0.05,
                0.95,
                value=0.5,
                step=0.05,
                label="Paraphrase: say yes above",
                elem_id="threshold",
                min_width=260,
                scale=3,
            )
            swap = gr.Button("Swap A and B", elem_id="swap", min_width=130)
            pin = gr.Button("Pin and compare", elem_id="pin", min_width=130)
            unpin = gr.Button("Unpin", elem_id="unpin", min_width=90, visible=False)
        edits = build_edits()
        change = gr.HTML(elem_id="change")
        with gr.Accordion("Share it, or get it elsewhere", open=False, elem_id="elsewhere"):
            share = gr.Button("Make a link to this", elem_id="share")
            link = gr.Textbox(
                label="Link that opens this page with both sentences (they stand in it)",
                buttons=["copy"],
                interactive=False,
                elem_id="link",
            )
            python = gr.Code(
                label="The same from Python",
                language="python",
                interactive=False,
                elem_id="python",
                wrap_lines=True,
            )
            as_json = gr.Code(
                label="As JSON", language="json", interactive=False, elem_id="json", wrap_lines=True
            )
        # Of one visit: the present answer, the pinned one. Inside the tab, since a child of gr.Tabs
        # that is no tab makes gradio list tabs twice.
        kept = gr.State(None), gr.State(None)
    buttons = swap, pin, unpin, edits
    return TryTab(
        tab, predictions, threshold, *buttons, change, share, link, python, as_json, *kept
    )
