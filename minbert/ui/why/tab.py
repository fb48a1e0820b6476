"""Where things stand in the tab "Why?", and what happens on its own events."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from minbert.ui.engine import Engine
from minbert.ui.parts.blocks import heading, lead_block, note_block
from minbert.ui.parts.events import MODEL_EVENTS, QUIET
from minbert.ui.parts.figures import no_figure
from minbert.ui.parts.texts import texts_of
from minbert.ui.parts.views import view
from minbert.ui.why.bias_record import record_block
from minbert.ui.why.events import Why
from minbert.ui.why.subject import KINDS, OF_A, TARGETS

TEXTS = texts_of(__package__)
LATE = 1.5  # seconds that an answer already sent may still take
WAITING = TEXTS.by_name("tab.waiting")  # part: what it shows before its button is pressed
MASK_SWITCH = "Mask words for people before the model reads"


@dataclasses.dataclass(frozen=True)
class Part:
    """A button, what it fills, and the button that stops it where it takes long."""

    name: str
    start: gr.Button
    stop: gr.Button | None
    words: gr.HTML
    plot: gr.Plot | None

    @property
    def outputs(self) -> list[gr.components.Component]:
        """List what the event fills."""
        return [part for part in (self.words, self.plot, self.stop) if part is not None]

    def forget(self) -> tuple[Any, ...]:
        """Return what the part shows before its button is pressed."""
        shown: list[Any] = [note_block(WAITING[self.name])]
        if self.plot is not None:
            shown.append(no_figure())
        if self.stop is not None:
            shown.append(gr.update(visible=False))
        return tuple(shown)


@dataclasses.dataclass(frozen=True)
class WhyTab:
    """The tab's components."""

    tab: gr.Tab
    kind: gr.Radio
    target: gr.Dropdown
    masked: gr.Checkbox
    parts: dict[str, Part]


def build_why(results: Path, engine: Engine) -> WhyTab:
    """Build the tab; `results` may hold the record of bias. Nothing is computed here."""
    parts: dict[str, Part] = {}
    with view("Why?", "why") as tab:
        opening = TEXTS["tab.opening"].format(pooling=engine.names["mean"])
        gr.HTML(lead_block(opening), elem_id="why-opening")
        kind = gr.Radio(list(KINDS), value=OF_A, label="Explain which answer?", elem_id="why-kind")
        heading("Which words made this answer?", "why-words-head")
        with gr.Row():
            target = gr.Dropdown(
                TARGETS["sentiment"],
                value=TARGETS["sentiment"][0][1],
                label="Explain what of it?",
                elem_id="why-target",
                min_width=220,
            )
            start, stop = buttons("words", "Rank the words")
        parts["words"] = place("words", start, stop, figure=True)
        heading("The fewest words that keep the answer", "why-fewest-head")
        with gr.Row():
            start, stop = buttons("fewest", "Take words away")
        parts["fewest"] = place("fewest", start, stop)
        heading("One word that would change it", "why-swaps-head")
        with gr.Row():
            start, stop = buttons("swaps", "Try other words")
        parts["swaps"] = place("swaps", start, stop)
        heading("Nearest training examples", "why-nearest-head")
        with gr.Row():
            start = gr.Button("Find them", elem_id="why-nearest", scale=0, min_width=200)
        parts["nearest"] = place("nearest", start, None)
        heading("Does it treat people alike?", "why-people-head")
        masked = gr.Checkbox(
            label=MASK_SWITCH,
            info="The model then reads [MASK] in place of words such as “actress” or “Indian”.",
            elem_id="why-masked",
        )
        with gr.Row():
            start, stop = buttons("people", "Swap in my sentence")
        parts["people"] = place("people", start, stop)
        with gr.Row():
            start, stop = buttons("templates", "Swap in our sentences")
        parts["templates"] = place("templates", start, stop, figure=True)
        heading("What masking in training costs and gains", "why-record-head")
        gr.HTML(
            f'<div class="mb-texts">{record_block(results, own=bool(engine.own))}</div>',
            elem_id="why-record",
        )
    return WhyTab(tab, kind, target, masked, parts)


def buttons(name: str, label: str) -> tuple[gr.Button, gr.Button]:
    """Make a part's button, and the one that stops it."""
    start = gr.Button(label, elem_id=f"why-{name}", scale=0, min_width=240)
    stop = gr.Button("Stop", elem_id=f"why-{name}-stop", visible=False, scale=0, min_width=100)
    return start, stop


def place(name: str, start: gr.Button, stop: gr.Button | None, *, figure: bool = False) -> Part:
    """Make the place of what a part shows."""
    told = gr.HTML(note_block(WAITING[name]), elem_id=f"why-{name}-told")
    plot = None
    if figure:
        plot = gr.Plot(
            show_label=False, elem_id=f"why-{name}-plot", elem_classes="mb-plot", visible=False
        )
    return Part(name, start, stop, told, plot)


def why_events(engine: Engine, texts: Sequence[gr.Textbox], tab: WhyTab) -> None:
    """Wire the tab: each part on its button; all forget when the subject changes.

    Args:
        engine: the models.
        texts: both sentences' boxes.
        tab: what was built.
    """
    why, parts = Why(engine), tab.parts
    subject = [*texts, tab.kind]
    wired: list[tuple[Part, Callable[..., Any], list[Any]]] = [
        (parts["words"], why.attribute, [*subject, tab.target]),
        (parts["fewest"], why.reduce, subject),
        (parts["swaps"], why.swap, subject),
        (parts["nearest"], why.nearest, subject),
        (parts["people"], why.probe, [*subject, tab.masked]),
        (parts["templates"], why.probe_ours, [tab.kind, tab.masked]),
    ]
    tab.kind.input(why.choose, tab.kind, tab.target, **QUIET)
    for part, function, inputs in wired:
        begun = part.start.click(function, inputs, part.outputs, **QUIET, **MODEL_EVENTS)
        ends = [tab.kind.input]
        if part.name != "templates":  # its sentences are ours
            ends += [text.change for text in texts]
        if part.name == "words":
            ends.append(tab.target.input)
        if part.name in ("people", "templates"):
            ends.append(tab.masked.input)
        if part.stop is not None:
            ends.append(part.stop.click)
        gr.on(ends, part.forget, None, part.outputs, cancels=[begun], queue=False, **QUIET)
        if part.stop is not None:  # a last line of progress may come after the cancel
            late = part.stop.click(lambda: time.sleep(LATE), None, None, queue=False, **QUIET)
            late.then(part.forget, None, part.outputs, queue=False, **QUIET)
