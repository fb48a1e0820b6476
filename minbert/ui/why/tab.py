"""Where things stand in the tab "Why?", and what happens on its own events."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.blocks import Block

from minbert.ui.engine import Engine
from minbert.ui.parts.blocks import note_block
from minbert.ui.parts.events import KEPT_SECONDS, PRESSED, QUIET, pressed_until_typing
from minbert.ui.parts.figures import plot_place
from minbert.ui.parts.steps import Press
from minbert.ui.parts.texts import texts_of
from minbert.ui.parts.views import sub_views, view
from minbert.ui.question import Asked
from minbert.ui.why.bias_record import record_block
from minbert.ui.why.events import PARTS, Why, exact_words, idle
from minbert.ui.why.subject import KINDS, OF_A, TARGETS

TEXTS = texts_of(__package__)
WAITING = TEXTS.by_name("tab.waiting")  # part: what it shows before the button is pressed
MASK_SWITCH = "Mask words for people before the model reads"


@dataclasses.dataclass(frozen=True)
class WhyTab:
    """The tab's components."""

    kind: gr.Radio
    target: gr.Dropdown
    start: gr.Button
    stop: gr.Button
    exact: gr.HTML
    masked: gr.Checkbox
    places: dict[str, Block]  # what the press fills, by its name
    templates: TemplatesPart
    press: gr.State

    def forget(self, *parts: str) -> Callable[[Press], dict[Any, Any]]:
        """Return what ends a press, and shows parts as before it."""

        def shown(press: Press) -> dict[Any, Any]:
            press.end(*parts)
            return self.waiting(parts)

        return shown

    def waiting(self, parts: Sequence[str]) -> dict[Any, Any]:
        """Return parts as before a press, and nothing under way."""
        told: dict[str, Any] = {part: note_block(WAITING[part]) for part in parts}
        return {self.places[name]: value for name, value in (told | idle()).items()}


@dataclasses.dataclass(frozen=True)
class TemplatesPart:
    """Sentences of ours, the button that asks about them, and the one that stops it."""

    start: gr.Button
    stop: gr.Button
    words: gr.HTML
    plot: gr.Plot
    press: gr.State

    @property
    def outputs(self) -> list[gr.components.Component]:
        """List what the event fills."""
        return [self.words, self.plot, self.stop]

    def forget(self, press: Press) -> tuple[Any, ...]:
        """End a press; return what the part shows before it."""
        press.end()
        return self.waiting()

    def waiting(self) -> tuple[Any, ...]:
        """Return what the part shows before a press."""
        return note_block(WAITING["templates"]), None, gr.update(visible=False)


def build_why(results: Path, engine: Engine) -> WhyTab:
    """Build the tab; `results` may hold the record of bias. Nothing is computed here."""
    places: dict[str, Block] = {}
    with view("Why?", "why"):
        with gr.Row():
            kind = gr.Radio(
                list(KINDS),
                value=OF_A,
                label="Explain which answer?",
                elem_id="why-kind",
                scale=3,
                min_width=320,
            )
            target = gr.Dropdown(
                TARGETS["sentiment"],
                value=TARGETS["sentiment"][0][1],
                label="What of it?",
                elem_id="why-target",
                min_width=200,
            )
            start = gr.Button(
                "Explain this answer",
                variant="primary",
                elem_id="why-explain",
                scale=0,
                min_width=240,
            )
        with gr.Row():
            places["progress"] = gr.HTML(elem_id="why-progress")
            places["stop"] = stop = stop_button("why-stop")
        with sub_views():
            with view("Words", "why-words"):
                exact = gr.HTML(elem_id="why-exact")
                places["words"] = told("words")
                opening = TEXTS["tab.opening"].format(pooling=engine.names["mean"])
                gr.HTML(note_block(opening), elem_id="why-opening")
            for part, title in (
                ("fewest", "Fewest words"),
                ("swaps", "Other words"),
                ("nearest", "Nearest examples"),
            ):
                with view(title, f"why-{part}"):
                    places[part] = told(part)
            with view("Alike for people?", "why-people"):
                masked = gr.Checkbox(
                    label=MASK_SWITCH,
                    info="It then reads [MASK] in place of words such as “actress” or “Indian”.",
                    elem_id="why-masked",
                )
                places["people"] = told("people")
                templates = build_templates()
            with view("Masked in training", "why-training"):
                record = record_block(results, own=bool(engine.own))
                gr.HTML(f'<div class="mb-texts">{record}</div>', elem_id="why-record")
        press = pressed()
    return WhyTab(kind, target, start, stop, exact, masked, places, templates, press)


def build_templates() -> TemplatesPart:
    """Build the part of our own sentences, which depend on nothing that is typed."""
    with gr.Row():
        start = gr.Button("Swap in our sentences", elem_id="why-templates", scale=0, min_width=240)
        stop = stop_button("why-templates-stop")
    with gr.Column(elem_classes="mb-figure"):
        words = gr.HTML(note_block(WAITING["templates"]), elem_id="why-templates-told")
        drawn = plot_place("why-templates")
    return TemplatesPart(start, stop, words, drawn, pressed())


def pressed() -> gr.State:
    """Make what the events of one button share."""
    return gr.State(Press(), time_to_live=KEPT_SECONDS)


def stop_button(name: str) -> gr.Button:
    """Make a button that stops something, for as long as that is under way."""
    return gr.Button("Stop", elem_id=name, visible=False, scale=0, min_width=100)


def told(part: str) -> gr.HTML:
    """Make the place of what a part shows."""
    return gr.HTML(note_block(WAITING[part]), elem_id=f"why-{part}-told")


class WhyView:
    """The words of the tab that come with the answer, as a view of the present question."""

    def __init__(self, tab: WhyTab) -> None:
        """Bind the tab."""
        self._exact = tab.exact
        self.controls, self.outputs = [tab.kind], [tab.exact]

    def fill(self, found: Asked, kind: str) -> dict[Any, Any]:
        """Return the coloured words."""
        return {self._exact: exact_words(found, kind)}

    def cleared(self) -> dict[Any, Any]:
        """Return the place empty."""
        return {self._exact: ""}


def why_events(engine: Engine, texts: Sequence[gr.Textbox], current: gr.State, tab: WhyTab) -> None:
    """Wire the tab: one press fills it; what it depends on makes it forget, and stops it.

    Args:
        engine: the models.
        texts: both sentences' boxes.
        current: the present answer.
        tab: what was built.
    """
    why, places = Why(engine), list(tab.places.values())

    def explain(*asked: Any) -> Iterator[dict[Any, Any]]:  # noqa: ANN401 - as `Why.explain`
        for shown in why.explain(*asked):
            yield {tab.places[name]: value for name, value in shown.items()}
        press: Press = asked[-1]
        if press.ended:  # what was sent before the end may be shown after it
            yield tab.waiting(press.forgotten)

    inputs = [*texts, tab.kind, tab.target, tab.masked, tab.press]
    noted, typed = pressed_until_typing(tab.start, texts)
    tab.start.click(explain, inputs, places, api_name="explain_answer", **noted, **PRESSED)
    tab.kind.input(why.choose, [tab.kind, current], [tab.target, tab.exact], **QUIET)
    free: dict[str, Any] = {"queue": False, **QUIET}
    gr.on([tab.kind.input, typed], tab.forget(*PARTS), tab.press, places, **free)
    tab.target.input(tab.forget("words"), tab.press, places, **free)
    tab.masked.input(tab.forget("people"), tab.press, places, **free)
    tab.stop.click(tab.forget(), tab.press, places, **free)

    part = tab.templates

    def ours(kind: str, masked: bool, press: Press) -> Iterator[tuple[Any, ...]]:
        yield from why.probe_ours(kind, masked, press)
        if press.ended:
            yield part.waiting()

    part.start.click(ours, [tab.kind, tab.masked, part.press], part.outputs, **PRESSED)
    ends = [tab.kind.input, tab.masked.input, part.stop.click]
    gr.on(ends, part.forget, part.press, part.outputs, **free)
