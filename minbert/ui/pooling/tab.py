"""Where things stand in the tab "Pooling lab", and what happens on its own events."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from minbert.ui.engine import Engine
from minbert.ui.input_area import Figure
from minbert.ui.parts.blocks import note_block
from minbert.ui.parts.colouring import GradientsButton, build_button, button_events
from minbert.ui.parts.events import (
    KEPT_SECONDS,
    PRESSED,
    PRIVATE,
    QUIET,
    VISIBLE,
    pressed_until_typing,
)
from minbert.ui.parts.figures import figure_place, plot_place, two_sides
from minbert.ui.parts.own_models import records_of
from minbert.ui.parts.steps import Press
from minbert.ui.parts.texts import texts_of
from minbert.ui.parts.views import sub_views, view
from minbert.ui.pooling.events import Lab
from minbert.ui.pooling.intro import consequences, opening, scores_block
from minbert.ui.pooling.labels_events import YourLabels
from minbert.ui.pooling.labels_tab import build_labels, labels_events
from minbert.ui.pooling.left_out import Occlusion, Shown, waiting
from minbert.ui.pooling.sets_events import NOBODY, OWN, TOGETHER, Sets
from minbert.ui.question import Asked

TEXTS = texts_of(__package__)


@dataclasses.dataclass(frozen=True)
class LeftOutPart:
    """The button that leaves out each word, and both scores' figures."""

    start: gr.Button
    stop: gr.Button
    siamese: Figure
    joint: Figure
    press: gr.State

    @property
    def outputs(self) -> list[gr.components.Component]:
        """List what the event fills."""
        return [*self.siamese, *self.joint, self.stop]


@dataclasses.dataclass(frozen=True)
class SetPart:
    """A set of sentences under two poolings."""

    view: gr.Tab
    chooser: gr.Radio
    about: gr.HTML
    box: gr.Textbox
    ways: tuple[gr.Dropdown, gr.Dropdown]
    compare: gr.Button
    order: gr.Radio
    chosen: gr.Dropdown
    words: gr.HTML
    matrices: tuple[Figure, Figure]
    points_words: gr.HTML
    points: tuple[Figure, Figure]
    state: gr.State

    @property
    def figures(self) -> list[gr.components.Component]:
        """List what a redraw fills."""
        (a, b), (c, d) = self.matrices, self.points
        return [self.words, *a, *b, self.points_words, *c, *d]

    @property
    def outputs(self) -> list[gr.components.Component]:
        """List what a comparison fills."""
        return [*self.figures, self.chosen, self.state]


@dataclasses.dataclass(frozen=True)
class PoolingTab:
    """Both models' answers, and the figures that explain them."""

    answers: Figure
    split: Figure
    contributions: Figure
    colour: GradientsButton
    layers: Figure
    left_out: LeftOutPart
    sets: SetPart

    @property
    def filled(self) -> list[gr.components.Component]:
        """List what a question fills: words and a figure for each part."""
        return [*self.answers, *self.split, *self.contributions, *self.layers]


def build_pooling(engine: Engine, assets: Path) -> PoolingTab:
    """Build the pooling lab; `assets` holds both models, their scores on dev, and examples."""
    records = records_of(engine, assets / "models", assets / "results")
    widths = [model.config.encoder.hidden_size for model in reversed(engine.answering.values())]
    several = len(widths) > 1
    with view("Pooling lab", "pooling"), sub_views():
        with view("Both answers" if several else "The answers", "pooling-both"):
            answers = figure_place("pooling")
        with view("What is pooling?", "pooling-what"):
            gr.HTML(opening(*widths), elem_id="lab-opening")
            gr.HTML(scores_block(records), elem_id="lab-scores")
            gr.HTML(consequences(records, len(widths)), elem_id="lab-consequences")
        with view("Why similar?", "pooling-split"):
            split = figure_place("split")
        with view("Words and mood", "pooling-moods"), gr.Column(elem_classes="mb-figure"):
            words = gr.HTML(elem_id="contributions-words")
            colour = build_button(engine, "moods")
            contributions = words, plot_place("contributions")
        with view("Words left out", "pooling-left_out"):
            left_out = build_left_out()
        with view("Layer by layer", "pooling-layers"):
            layers = figure_place("layers")
        with view("A set", "pooling-sets") as sets_view:
            sets = build_sets(Sets(engine), sets_view)
        with view("Your labels", "pooling-labels"):
            labels = build_labels(engine)
        labels_events(YourLabels(engine, assets / "examples" / "tickets.csv"), labels)
    return PoolingTab(answers, split, contributions, colour, layers, left_out, sets)


def build_left_out() -> LeftOutPart:
    """Build the left-out words: a button, and both scores side by side."""
    first, *_ = waiting()
    with gr.Row():
        start = gr.Button("Leave out each word", elem_id="leave-out", scale=0, min_width=200)
        stop = gr.Button("Stop", elem_id="leave-out-stop", visible=False, scale=0, min_width=100)
        press = gr.State(Press(), time_to_live=KEPT_SECONDS)
    siamese, joint = two_sides("left-out-siamese", "left-out-joint")
    siamese[0].value = first
    return LeftOutPart(start, stop, siamese, joint, press)


def build_sets(sets: Sets, sets_view: gr.Tab) -> SetPart:
    """Build the sets: which one, its lines, two poolings, two matrices, two maps."""
    names = list(sets.sets)
    ways = [(way.label, name) for name, way in sets.ways.items()]
    first = sets.sets[names[0]]
    left_way = "cls" if "cls" in sets.ways else list(sets.ways)[1]
    chooser = gr.Radio(names, value=names[0], label="Our sets", elem_id="set-of")
    told = gr.HTML(note_block(first.about), elem_id="set-about")
    with gr.Accordion("Its sentences, or your own", open=False, elem_id="set-own"):
        box = gr.Textbox(
            first.text,
            label="A sentence a line; group | sentence puts it into a group",
            lines=6,
            max_lines=10,
            elem_id="set-lines",
        )
        compare = gr.Button("Compare these", elem_id="set-compare")
    with gr.Row():
        left = gr.Dropdown(
            ways, value=left_way, label="On the left", elem_id="set-left", min_width=140
        )
        right = gr.Dropdown(
            ways, value="mean", label="On the right", elem_id="set-right", min_width=140
        )
        order = gr.Radio(
            [TOGETHER, OWN],
            value=TOGETHER,
            label="Order of the lines",
            elem_id="set-order",
            min_width=300,
            scale=2,
        )
        chosen = gr.Dropdown(
            [("none", NOBODY)],
            value=NOBODY,
            label="Mark a sentence",
            elem_id="set-chosen",
            min_width=160,
        )
    with gr.Column(elem_classes="mb-figure"):
        words = gr.HTML(elem_id="set-words")
        matrices = two_sides("set-left-matrix", "set-right-matrix")
    with gr.Column(elem_classes="mb-figure"):
        points_words = gr.HTML(elem_id="set-points-words")
        points = two_sides("set-left-points", "set-right-points")
    state = gr.State(None)
    return SetPart(
        sets_view,
        chooser,
        told,
        box,
        (left, right),
        compare,
        order,
        chosen,
        words,
        matrices,
        points_words,
        points,
        state,
    )


class PoolingView:
    """The tab as a view of the present question."""

    controls: Sequence[Any] = ()

    def __init__(self, tab: PoolingTab, lab: Lab) -> None:
        """Bind the tab to its events."""
        self._lab, self.outputs = lab, tab.filled

    def fill(self, asked: Asked) -> dict[Any, Any]:
        """Return both poolings' answers and what explains them."""
        found = self._lab.compare(asked.question, asked)
        parts = (found.answers, found.split, found.contributions, found.layers)
        return dict(zip(self.outputs, itertools.chain(*parts), strict=True))

    def cleared(self) -> dict[Any, Any]:
        """Return the parts empty."""
        return dict.fromkeys(self.outputs)


def lab_events(engine: Engine, texts: list[gr.Textbox], tab: PoolingTab) -> None:
    """Wire the coloured words, the left-out words and the sets."""
    button_events(tab.colour, texts, tab.contributions[0], Lab(engine).colour)
    left_out_events(Occlusion(engine), texts, tab.left_out)
    set_events(Sets(engine), tab.sets)


def left_out_events(occlusion: Occlusion, texts: list[gr.Textbox], part: LeftOutPart) -> None:
    """Leave out words on the button; stop on the other; forget it when the question changes."""
    inputs = [*texts, part.press]
    noted, typed = pressed_until_typing(part.start, texts)
    part.start.click(occlusion.leave_out, inputs, part.outputs, **noted, **PRESSED)
    gr.on([part.stop.click, typed], stopped, part.press, part.outputs, queue=False, **QUIET)


def stopped(press: Press) -> Shown:
    """End what is under way; return the part as it waits."""
    press.end()
    return waiting()


def set_events(sets: Sets, part: SetPart) -> None:
    """Compare when asked, when a set or a pooling is chosen, and when it is first seen."""
    inputs: list[Any] = [part.box, *part.ways, part.order]
    options: dict[str, Any] = {
        "trigger_mode": "always_last",
        "show_progress_on": part.words,
        **PRIVATE,
        **VISIBLE,
    }
    part.view.select(sets.begin, [part.state, *inputs], part.outputs, **options)
    part.chooser.input(sets.choose, part.chooser, [part.about, part.box], **QUIET).then(
        sets.compare, inputs, part.outputs, **options
    )
    gr.on(
        [part.compare.click, *(way.input for way in part.ways)],
        sets.compare,
        inputs,
        part.outputs,
        **options,
    )
    gr.on(
        [part.order.input, part.chosen.input],
        sets.redraw,
        [part.state, part.order, part.chosen],
        part.figures,
        trigger_mode="always_last",
        **QUIET,
    )
