"""Where things stand in "Your labels", and which event each begins."""

from __future__ import annotations

import dataclasses
from typing import Any

import gradio as gr

from minbert.ui.engine import Engine
from minbert.ui.input_area import Figure
from minbert.ui.parts.answer_words import capital
from minbert.ui.parts.blocks import note_block
from minbert.ui.parts.events import (
    KEPT_SECONDS,
    LABEL_EVENTS,
    MODEL_EVENTS,
    PRIVATE,
    QUIET,
    VISIBLE,
)
from minbert.ui.parts.figures import SIDE, two_sides
from minbert.ui.parts.texts import texts_of
from minbert.ui.pooling.labels_events import YourLabels

TEXTS = texts_of(__package__)
AT_ONCE: dict[str, Any] = {"queue": False, **QUIET}
Brought = tuple[gr.File, gr.Textbox, gr.Textbox]  # file, pasted rows, columns


@dataclasses.dataclass(frozen=True)
class LabelsPart:
    """What is brought, what begins and stops, and what is found."""

    fold: gr.Accordion  # of what is brought; closed once there is something found
    brought: Brought
    example: gr.Button
    start: gr.Button
    stop: gr.Button
    notice: gr.HTML
    found: gr.Column
    held: gr.State
    chosen: gr.Radio
    scores: gr.HTML
    curve: Figure
    confusion: Figure
    mistakes: gr.HTML
    answer: gr.HTML
    folder: tuple[gr.DownloadButton, gr.HTML]
    sentence: gr.Textbox
    ask: gr.Button

    @property
    def run(self) -> list[gr.blocks.Block]:
        """List what a stop changes."""
        return [self.notice, self.fold, self.start, self.stop, self.found]

    @property
    def switched(self) -> list[gr.components.Component]:
        """List what is one pooling's own."""
        return [*self.confusion, self.mistakes, self.answer, *self.folder]


def build_labels(engine: Engine) -> LabelsPart:
    """Build the view: what is brought, both buttons, and the place of what is found."""
    gr.HTML(note_block(TEXTS["labels.about"]), elem_id="labels-about")
    with gr.Accordion("Sentences with labels of yours", elem_id="labels-brought") as fold:
        brought, example, start = build_brought(len(engine.names))
    stop = gr.Button("Stop", variant="stop", visible=False, elem_id="labels-stop")
    notice = gr.HTML(elem_id="labels-notice")
    held = gr.State(None, time_to_live=KEPT_SECONDS)
    with gr.Column(visible=False, elem_id="labels-found") as found:
        with gr.Column(elem_classes="mb-figure"):
            scores = gr.HTML(elem_id="labels-scores")
        names = engine.names
        chosen = gr.Radio(
            [(f"{capital(name)} pooling", model) for model, name in names.items()],
            value="mean",
            label="Shown below",
            show_label=False,
            container=False,
            visible=len(names) > 1,
            elem_id="labels-pooling",
        )
        confusion, curve = two_sides("labels-confusion", "labels-curve")
        with gr.Row():
            with gr.Column(min_width=SIDE):
                mistakes = gr.HTML(elem_id="labels-mistakes")
                download = gr.DownloadButton(
                    "Take these labels along (zip)", elem_id="labels-download", visible=False
                )
                lines = gr.HTML(elem_id="labels-lines")
            with gr.Column(min_width=SIDE):
                sentence, ask, answer = build_asked()
    return LabelsPart(
        fold,
        brought,
        example,
        start,
        stop,
        notice,
        found,
        held,
        chosen,
        scores,
        curve,
        confusion,
        mistakes,
        answer,
        (download, lines),
        sentence,
        ask,
    )


def build_brought(poolings: int) -> tuple[Brought, gr.Button, gr.Button]:
    """Build the places of a file, of pasted rows and of columns, and both buttons below them."""
    begin = "Compare both poolings" if poolings > 1 else "Learn these labels"
    with gr.Row():
        file = gr.File(
            label="A file (.csv, .tsv)",
            type="binary",
            file_types=[".csv", ".tsv", ".txt"],
            height=150,
            elem_id="labels-file",
            min_width=280,
        )
        text = gr.Textbox(
            label="Or paste rows here",
            placeholder=TEXTS["labels.placeholder"],
            lines=4,
            max_lines=4,
            elem_id="labels-text",
            min_width=280,
            scale=2,
        )
    with gr.Row():
        example = gr.Button("Try 300 example tickets", elem_id="labels-example", min_width=180)
        start = gr.Button(begin, variant="primary", elem_id="labels-start", min_width=180)
    with gr.Accordion("How much, which columns, what is kept", open=False):
        gr.HTML(note_block(TEXTS["labels.limits"]))
        columns = gr.Textbox(
            label="Columns, where they can't be told: sentence=text, label=topic",
            elem_id="labels-columns",
        )
    return (file, text, columns), example, start


def build_asked() -> tuple[gr.Textbox, gr.Button, gr.HTML]:
    """Build the place of a sentence to be labelled, its button, and the answer's place."""
    with gr.Row():
        sentence = gr.Textbox(
            label="Any sentence",
            placeholder=TEXTS["labels.sentence"],
            elem_id="labels-sentence",
            scale=4,
            min_width=200,
        )
        ask = gr.Button("Label it", elem_id="labels-ask", scale=0, min_width=110)
    return sentence, ask, gr.HTML(elem_id="labels-answer")


def labels_events(labels: YourLabels, part: LabelsPart) -> None:
    """Compare on the button, in steps; switch the pooling; answer a sentence."""
    part.example.click(labels.example, None, list(part.brought), **AT_ONCE)
    begun = part.start.click(labels.begin, None, part.run, **AT_ONCE)
    begun.then(
        labels.compare,
        list(part.brought),
        [*part.run, part.held, part.chosen, part.scores, *part.curve, *part.switched],
        **LABEL_EVENTS,
        **QUIET,
    )
    part.stop.click(labels.stop, None, part.run, **AT_ONCE)
    asked: list[Any] = [part.held, part.chosen, part.sentence]
    switched = part.chosen.input(
        labels.switch, [part.held, part.chosen], part.switched, trigger_mode="always_last", **QUIET
    )
    switched.then(labels.again, asked, part.answer, **QUIET, **MODEL_EVENTS)
    gr.on(
        [part.ask.click, part.sentence.submit],
        labels.ask,
        asked,
        part.answer,
        **PRIVATE,
        **VISIBLE,
    )
