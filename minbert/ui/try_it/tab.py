"""The tab of answers: its components and what happens on their events."""

from __future__ import annotations

import dataclasses
from typing import Any

import gradio as gr

from minbert.ui.engine import Engine
from minbert.ui.input_area import InputArea
from minbert.ui.parts.events import KEPT_SECONDS, PRIVATE, QUIET
from minbert.ui.parts.views import sub_views, view
from minbert.ui.question import Asked
from minbert.ui.scripts import MAKE_LINK
from minbert.ui.try_it.coloured import ColouredPart, build_coloured
from minbert.ui.try_it.edits import EditRow, Edits, Steps, build_edits
from minbert.ui.try_it.events import Handlers
from minbert.ui.try_it.phrases import build_phrases
from minbert.ui.try_it.reading import ReadingPart, build_reading


@dataclasses.dataclass(frozen=True)
class TryTab:
    """The answers, what can be done with them, and what one visit keeps."""

    tab: gr.Tab
    predictions: gr.HTML
    coloured: ColouredPart
    reading: ReadingPart
    phrases: gr.HTML
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


def build_try(engine: Engine) -> TryTab:
    """Build the tab of the answers."""
    with view("Try it", "try") as tab:
        # Of one visit: the present answer, the pinned one. Inside the tab, since a child of gr.Tabs
        # that is no tab makes gradio list tabs twice.
        kept = [gr.State(None, time_to_live=KEPT_SECONDS) for _ in range(2)]
        with sub_views():
            with view("Answers", "try-answers"):
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
                shared = build_share()
            with view("The words", "try-words"):
                coloured = build_coloured(engine)
            with view("As you read", "try-reading"):
                reading = build_reading()
            with view("Every phrase", "try-phrases"):
                phrases = build_phrases()
    return TryTab(
        tab,
        predictions,
        coloured,
        reading,
        phrases,
        threshold,
        swap,
        pin,
        unpin,
        edits,
        change,
        *shared,
        *kept,
    )


def build_share() -> tuple[gr.Button, gr.Textbox, gr.Code, gr.Code]:
    """Build the link, and the same answer as Python and as JSON, behind a fold."""
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
    return share, link, python, as_json


class TryView:
    """The tab as a view of the present question."""

    def __init__(self, area: InputArea, tab: TryTab, handlers: Handlers, edits: Edits) -> None:
        """Bind the tab to its events; the area shows how long the texts are."""
        self._handlers, self._edits, self._tab = handlers, edits, tab
        self._told = [area.counts, tab.predictions, tab.change, tab.python, tab.as_json]
        self.controls = [tab.threshold, tab.pinned, tab.edits.steps]
        self.outputs = [*self._told, tab.current, *tab.edits.offered]

    def fill(
        self, asked: Asked, threshold: float, pinned: Asked | None, steps: Steps
    ) -> dict[Any, Any]:
        """Return the answer's cards, and what can be done with it."""
        shown = self._handlers.show(asked, threshold, pinned)
        offered = self._edits.offer(asked, steps or ())
        values = [*dataclasses.astuple(shown), asked, *offered]
        return dict(zip(self.outputs, values, strict=True))

    def cleared(self) -> dict[Any, Any]:
        """Return the cards empty."""
        return {**dict.fromkeys(self._told, ""), self._tab.current: None}


def try_events(area: InputArea, answers: TryTab, handlers: Handlers) -> None:
    """Wire what can be done with an answer; none of it asks the model."""
    answers.threshold.change(
        handlers.show_threshold,
        [answers.current, answers.threshold],
        answers.predictions,
        trigger_mode="always_last",
        **QUIET,
    )
    pinned = [answers.pinned, answers.change]
    answers.pin.click(handlers.pin, answers.current, pinned, **PRIVATE)
    answers.unpin.click(lambda: (None, ""), None, pinned, **PRIVATE)
    answers.pinned.change(
        lambda asked: gr.update(visible=asked is not None),
        answers.pinned,
        answers.unpin,
        **QUIET,
    )
    texts = [area.first, area.second]
    answers.share.click(None, texts, answers.link, js=MAKE_LINK, **PRIVATE)
