"""The Attention studio: where its controls, figures and tables stand, and what is wired to what."""

from __future__ import annotations

import dataclasses
import functools
import json
from pathlib import Path
from typing import Any

import gradio as gr

from minbert.explain.attention_view import DIRECTIONS
from minbert.ui.attention import events
from minbert.ui.attention.bertviz import LISTEN, NO_FRAME
from minbert.ui.attention.events import Studio
from minbert.ui.attention.fine_tuning import MEASURE_NAMES, FineTuning
from minbert.ui.attention.heads_picture import MARK_CHOSEN
from minbert.ui.attention.heads_picture import SCRIPT as HEADS
from minbert.ui.attention.latest import (
    Latest,
    clear_outdated,
    draw_frame,
    draw_maps,
    draw_masked,
    make_files,
)
from minbert.ui.attention.lines import SCRIPT as LINES
from minbert.ui.attention.masked_word import NO_WORD, Extras, pick_row, word_choices
from minbert.ui.engine import Engine
from minbert.ui.input_area import Figure
from minbert.ui.parts.blocks import note_block
from minbert.ui.parts.events import KEPT_SECONDS, PRIVATE, QUIET, VISIBLE
from minbert.ui.parts.figures import figure_place, plot_place
from minbert.ui.parts.texts import texts_of
from minbert.ui.parts.views import sub_views, view
from minbert.ui.question import Asked

TEXTS = texts_of(__package__)
Components = list[Any]  # gradio gives a component its events when it is made, unseen by mypy
DIRECTION_NAMES = [(name.replace("->", " → "), name) for name in DIRECTIONS]
CAMERA = ("mb-camera",)  # Plotly's buttons are always in sight
# A head that is picked in the picture of all presses a hidden button, which sets layer, head, view.
PICKED = f"() => [...window.minbertPicked, {json.dumps(events.ONE, allow_nan=False)}]"
CHOSEN = MARK_CHOSEN.replace("ONE", json.dumps(events.ONE, allow_nan=False))


# Of the events of one component's change at most one may be "always_last": gradio, when such a one
# is done, sends the whole change again, and two of them would keep each other running for ever.
EACH: dict[str, Any] = {"trigger_mode": "multiple"}


@dataclasses.dataclass(frozen=True)
class AttentionTab:
    """The tab, what its controls are, and what is filled for new texts."""

    controls: Components  # in the order of events.Controls
    shown: Components  # the map's words, the map, its lines, the picture of all heads
    heads: Components  # the table, and its order
    masked: Components  # the word to mask, what was said of it, both maps
    frame: Components  # bertviz's head view, its model view (buttons), and where they are drawn
    files: Components  # whether of all heads, the button, the files
    picked: gr.Button  # a small map that was clicked
    tuning: Components  # measure, words, figure
    tuning_view: gr.Tab
    latest: gr.State

    @property
    def asked(self) -> Components:
        """Return what the maps depend on beside the texts."""
        return [*self.controls, self.latest]

    @property
    def pressed(self) -> Components:
        """Return what is filled on a button: bertviz's frame and the files."""
        return [self.frame[-1], self.files[-1]]

    @property
    def filled(self) -> Components:
        """Return what `Extras.refresh` fills."""
        return [*self.shown, *self.heads, *self.masked]


def build_attention(engine: Engine) -> AttentionTab:
    """Build the tab inside the page's tabs."""
    with view("Attention", "attention"):
        controls = build_controls(engine)
        with sub_views():
            with view("Heads", "attention-maps"):
                figure, picture, heads = build_maps()
            with view("Lines", "attention-lines"):
                with gr.Column(elem_classes="mb-figure"):
                    lines = gr.HTML(elem_id="attention-between")
                frame = build_frame()
            with view("Without a word", "attention-without"):
                masked = build_mask()
            with view("Fine-tuning", "attention-tuning") as tuning_view:
                measures = [(name, measure) for measure, (name, _, _) in MEASURE_NAMES.items()]
                measure = gr.Radio(
                    measures, value="entropy", label="Show", elem_id="tuning-measure"
                )
                changed = figure_place("tuning", classes=CAMERA)
            with view("Files", "attention-files"):
                every = gr.Checkbox(
                    label="All layers and heads, not the chosen one", elem_id="attention-every"
                )
                make = gr.Button("Make a page, a table and JSON", elem_id="attention-make")
                files = gr.File(
                    file_count="multiple",
                    interactive=False,
                    label="Files of the map",
                    elem_id="attention-files",
                )
        picked = gr.Button("Show the small map", visible="hidden", elem_id="attention-picked")
        latest = gr.State(Latest(), time_to_live=KEPT_SECONDS)
    return AttentionTab(
        controls,
        [*figure, lines, picture],
        heads,
        masked,
        frame,
        [every, make, files],
        picked,
        [measure, *changed],
        tuning_view,
        latest,
    )


def build_maps() -> tuple[Figure, gr.HTML, Components]:
    """Build the picture of all heads, the table of them below it, and the chosen one's map."""
    with gr.Row(elem_classes="mb-attention"):
        with gr.Column(min_width=330):
            with gr.Column(elem_classes="mb-figure"):
                picture = gr.HTML(elem_id="attention-all")
            with gr.Column(elem_classes="mb-heads-table"):
                orders = list(events.SORTS)
                order = gr.Dropdown(
                    orders, value=orders[0], label="First", filterable=False, elem_id="heads-order"
                )
                table = gr.Dataframe(
                    headers=list(events.HEAD_COLUMNS),
                    datatype="number",
                    type="array",
                    interactive=False,
                    max_height=280,
                    show_label=False,
                    buttons=[],
                    elem_id="attention-heads",
                )
        with gr.Column(min_width=330, elem_classes="mb-chosen"):
            figure = figure_place("attention", classes=CAMERA)
    gr.HTML(note_block(TEXTS["tab.what_it_is"]), elem_id="attention-what")
    return figure, picture, [table, order]


def build_frame() -> Components:
    """Build bertviz's part: a button for each of its views, and the frame."""
    with gr.Row():
        head = gr.Button("This layer in bertviz (head view)", elem_id="bertviz-head")
        model = gr.Button("All layers in bertviz (model view)", elem_id="bertviz-model")
    return [head, model, gr.HTML(NO_FRAME, elem_id="attention-bertviz")]


def build_controls(engine: Engine) -> Components:
    """Build the controls: what is looked at up front, the rest in a fold."""
    shape = engine.mean.config.encoder
    models = [(called, name) for name, called in Studio(engine).names.items()]
    with gr.Row():
        scopes = list(events.SCOPES)
        scope = gr.Radio(scopes, value=events.TOGETHER, label="Input", min_width=300, scale=9)
        model = gr.Radio(models, value="mean", label="Model", min_width=250, scale=7)
        view = gr.Radio(list(events.VIEWS), value=events.ONE, label="View", min_width=280, scale=8)
    with gr.Row():
        layer = gr.Slider(
            1, shape.num_hidden_layers, value=1, step=1, label="Layer (1: lowest)", min_width=260
        )
        head = gr.Slider(
            *(0, shape.num_attention_heads),
            value=1,
            step=1,
            label="Head (0: mean of all)",
            min_width=260,
        )
    with gr.Accordion("More", open=False, elem_id="attention-more"), gr.Row():
        direction = gr.Radio(
            DIRECTION_NAMES,
            value="all",
            label="Direction, of A and B together",
            min_width=300,
            elem_id="attention-direction",
        )
        top = gr.Slider(
            *(5, 100),
            value=100,
            step=5,
            label="Keep the strongest, % of the attention",
            min_width=260,
            elem_id="attention-top",
        )
        with gr.Column(min_width=200):
            hide = gr.Checkbox(label="Hide [CLS] and [SEP]", elem_id="attention-hide")
            pieces = gr.Checkbox(label="Show word pieces", elem_id="attention-pieces")
    return [scope, layer, head, model, view, direction, hide, pieces, top]


def build_mask() -> Components:
    """Build the masked word's part: which word, what is said, both maps."""
    word = gr.Radio(
        word_choices({}),
        value=NO_WORD,
        label="Click a word to mask it",
        elem_id="attention-mask",
        elem_classes="mb-chips",
    )
    with gr.Column(elem_classes="mb-figure"):
        said = gr.HTML(elem_id="masked-words")
        with gr.Row():
            with gr.Column(min_width=340):
                before = plot_place("unmasked", classes=CAMERA)
            with gr.Column(min_width=340):
                after = plot_place("masked", classes=CAMERA)
    return [word, said, before, after]


def rollout_layers(engine: Engine) -> str:
    """Return the script that begins a rollout with all layers of the model.

    An answer of the server could come after the next click, and take its layer away.
    """
    layers = {name: one.config.encoder.num_hidden_layers for name, one in engine.models.items()}
    whole, rollout = (json.dumps(one, allow_nan=False) for one in (layers, events.ROLLOUT))
    return f"(view, model, layer) => view === {rollout} ? {whole}[model] : layer"


def change_model(extras: Extras, first: str, second: str, *controls: Any) -> tuple[Any, ...]:  # noqa: ANN401 - see events.Controls
    """Fill the tab for another model; its sliders end where the model does.

    Returns:
        what `Extras.refresh` returns, and the sliders of layer and head.
    """
    chosen = events.Controls(*controls)
    shape = extras.engine.models[chosen.model].config.encoder
    fitted, _ = extras.studio.fitted(chosen)
    return (
        *extras.refresh(first, second, *dataclasses.astuple(fitted)),
        gr.update(maximum=shape.num_hidden_layers, value=fitted.layer),
        gr.update(maximum=shape.num_attention_heads, value=fitted.head),
    )


class AttentionView:
    """The tab as a view of the present question."""

    def __init__(self, tab: AttentionTab, extras: Extras) -> None:
        """Bind the tab to its events."""
        self._tab, self._extras = tab, extras
        self.controls, self.outputs = tab.asked, [*tab.filled, *tab.pressed]

    def fill(self, asked: Asked, *values: Any) -> dict[Any, Any]:  # noqa: ANN401 - see events.Controls
        """Return the maps, the table of heads and the words to mask; the rest is outdated."""
        texts = asked.question.texts
        filled = draw_maps(self._extras.refresh, *texts, *values)
        cleared = clear_outdated(*texts, *values)
        return dict(zip(self.outputs, [*filled, *cleared], strict=True))

    def cleared(self) -> dict[Any, Any]:
        """Return the maps empty, and nothing made of them."""
        framed, files = self._tab.pressed
        return {**dict.fromkeys(self._tab.shown), framed: NO_FRAME, files: None}


def attention_events(
    page: gr.Blocks, built: AttentionTab, texts: list[Any], results: Path, studio: Studio
) -> Extras:
    """Wire the tab; return what fills it for new texts, `built.filled` being the outputs."""
    extras = Extras(studio)
    asked = [*texts, *built.asked]
    scope, layer, head, model, view, *more = built.controls
    redraw = [one.change for one in (layer, head, view, *more)]
    newest: dict[str, Any] = {"trigger_mode": "always_last", **VISIBLE}
    each: dict[str, Any] = {**EACH, **VISIBLE}
    showing, refreshing, changing = (
        functools.partial(draw_maps, make)
        for make in (studio.show, extras.refresh, functools.partial(change_model, extras))
    )
    gr.on(redraw, showing, asked, built.shown, api_name="show_attention", **PRIVATE, **newest)
    scope.change(refreshing, asked, built.filled, **PRIVATE, **newest)
    outputs = [*built.filled, layer, head]
    model.change(changing, asked, outputs, api_name="change_model", **PRIVATE, **newest)
    whole = rollout_layers(studio.engine)
    view.input(None, [view, model, layer], layer, js=whole, **PRIVATE)
    picking_events(page, built)
    word, *maps = built.masked
    to_mask = [word, *texts, *built.asked]
    masking = functools.partial(draw_masked, extras.mask)
    gr.on([word.input, *redraw], masking, to_mask, maps, **PRIVATE, **each)
    pressing_events(studio, built, asked)
    measure, *changed = built.tuning
    when = [measure.change, built.tuning_view.select, model.change]
    tuned = FineTuning(studio.engine, results)
    gr.on(when, tuned.show, [measure, model], changed, **PRIVATE, **each)
    return extras


def picking_events(page: gr.Blocks, built: AttentionTab) -> None:
    """Choose a head in the picture or in the table; mark the chosen one in the picture."""
    _, layer, head, _, view, *_ = built.controls
    chosen = [layer, head, view]
    table, order = built.heads
    table.select(pick_row, None, chosen, **QUIET)
    order.change(events.sort_heads, [table, order], table, **QUIET)
    built.picked.click(None, None, chosen, js=PICKED, **PRIVATE)
    *_, picture = built.shown
    marked = [picture.change, *(one.change for one in chosen)]
    gr.on(marked, None, chosen, js=CHOSEN, **PRIVATE)
    for script in (LISTEN, HEADS, LINES):
        page.load(None, js=script, **PRIVATE)


def pressing_events(studio: Studio, built: AttentionTab, asked: Components) -> None:
    """Draw bertviz's frame and make the files on a button; take away what is outdated.

    A press while an earlier one is worked off is worked off after it, never dropped.
    """
    newest: dict[str, Any] = {"trigger_mode": "always_last", **PRIVATE, **VISIBLE}
    (head, model, framed), (every, make, files) = built.frame, built.files
    for kind, button in (("head", head), ("model", model)):
        drawn = functools.partial(draw_frame, studio, kind)
        button.click(drawn, asked, framed, **newest)
    made = functools.partial(make_files, studio, files.GRADIO_CACHE)
    make.click(made, [every, *asked], files, **newest)
    changed = [one.change for one in built.controls]
    gr.on(changed, clear_outdated, asked, built.pressed, **EACH, **QUIET)
