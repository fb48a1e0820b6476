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
from minbert.ui.attention.bertviz import LISTEN, NO_FRAME, draw_view
from minbert.ui.attention.events import Studio
from minbert.ui.attention.files import write_files
from minbert.ui.attention.fine_tuning import MEASURE_NAMES, FineTuning
from minbert.ui.attention.masked_word import NO_WORD, Extras, pick_row, word_choices
from minbert.ui.engine import Engine
from minbert.ui.parts.blocks import heading, notice_line
from minbert.ui.parts.events import PRIVATE, QUIET, VISIBLE
from minbert.ui.parts.texts import file_text, texts_of
from minbert.ui.parts.views import view
from minbert.ui.question import Asked

TEXTS = texts_of(__package__)
Components = list[Any]  # gradio gives a component its events when it is made, unseen by mypy
DIRECTION_NAMES = [(name.replace("->", " → "), name) for name in DIRECTIONS]
# A click on a small map presses a hidden button, which sets layer, head and view. Plotly tells the
# cell; the figure's `meta` says how many cells a small map has. A figure that is drawn anew gets
# new events, so each click looks whether it is known already.
CLICKS = file_text(__package__, "clicks.js")
PICKED = f"() => [...window.minbertPicked, {json.dumps(events.ONE, allow_nan=False)}]"


@dataclasses.dataclass(frozen=True)
class AttentionTab:
    """The tab, what its controls are, and what is filled for new texts."""

    tab: gr.Tab
    controls: Components  # in the order of events.Controls
    figure: Components  # its words, and the figure
    heads: Components  # the table's words, and the table
    # the word to mask, what was said of it, both maps, bertviz's frame, files, the table's order
    cleared: Components
    buttons: list[gr.Button]  # bertviz's head view, its model view, the files
    picked: gr.Button  # a small map that was clicked
    tuning: Components  # measure, words, figure, and the fold around them

    @property
    def filled(self) -> Components:
        """Return what `Extras.refresh` fills."""
        return [*self.figure, *self.heads, *self.cleared]


def plot(name: str, *, visible: bool = True) -> gr.Plot:
    """Make the place of a figure, its camera always in sight."""
    place: dict[str, Any] = {"elem_id": f"{name}-plot", "elem_classes": ["mb-plot", "mb-camera"]}
    return gr.Plot(show_label=False, visible=visible, **place)


def build_attention(engine: Engine) -> AttentionTab:
    """Build the tab inside the page's tabs."""
    with view("Attention", "attention") as tab:
        gr.HTML(notice_line([TEXTS["tab.what_it_is"]]), elem_id="attention-what")
        controls = build_controls(engine)
        figure = [gr.HTML(elem_id="attention-words"), plot("attention")]
        picked = gr.Button("Show the small map", visible="hidden", elem_id="attention-picked")
        heading("Which head is worth a look?", "attention-all-heads")
        told = gr.HTML(elem_id="attention-heads-words")
        orders = list(events.SORTS)
        order = gr.Radio(orders, value=orders[0], label="First", elem_id="heads-order")
        heads = [
            told,
            gr.Dataframe(
                headers=list(events.HEAD_COLUMNS),
                datatype="number",
                type="array",
                interactive=False,
                max_height=320,
                show_label=False,
                elem_id="attention-heads",
            ),
        ]
        heading("What if the model didn't see a word?", "attention-without")
        masked = build_mask()
        heading("More ways to look, and files", "attention-more-ways")
        with gr.Accordion("bertviz: lines between words", open=False):
            with gr.Row():
                head = gr.Button("Draw the head view (this layer)", elem_id="bertviz-head")
                model = gr.Button("Draw the model view (all layers)", elem_id="bertviz-model")
            framed = gr.HTML(NO_FRAME, elem_id="attention-bertviz")
        fold = gr.Accordion("What fine-tuning changed", open=False, elem_id="attention-tuning-fold")
        with fold:
            measures = [(name, measure) for measure, (name, _, _) in MEASURE_NAMES.items()]
            measure = gr.Radio(measures, value="entropy", label="Show", elem_id="tuning-measure")
            changed = [gr.HTML(elem_id="tuning-words"), plot("tuning")]
        with gr.Accordion("Files of what is drawn above", open=False):
            make = gr.Button("Make a page, a table and JSON", elem_id="attention-make")
            files = gr.File(
                file_count="multiple", interactive=False, label="Files", elem_id="attention-files"
            )
    cleared = [*masked, framed, files, order]
    tuning = [measure, *changed, fold]
    return AttentionTab(tab, controls, figure, heads, cleared, [head, model, make], picked, tuning)


def build_controls(engine: Engine) -> Components:
    """Build the controls: what is looked at up front, the rest in a fold."""
    shape = engine.mean.config.encoder
    models = [(called, name) for name, called in Studio(engine).names.items()]
    with gr.Row():
        scopes = list(events.SCOPES)
        scope = gr.Radio(scopes, value=events.ALONE, label="Input", min_width=300, scale=4)
        model = gr.Radio(models, value="mean", label="Model", min_width=250, scale=3)
        view = gr.Radio(list(events.VIEWS), value=events.ONE, label="View", min_width=280, scale=4)
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
    said = gr.HTML(elem_id="masked-words")
    with gr.Row():
        with gr.Column(min_width=340):
            before = plot("unmasked", visible=False)
        with gr.Column(min_width=340):
            after = plot("masked", visible=False)
    return [word, said, before, after]


def fit_sliders(engine: Engine, view: str, model: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Show the sliders that a view needs; a rollout begins with all layers of the model."""
    layer = gr.update(visible=view != events.ALL)
    if view == events.ROLLOUT:
        layers = engine.models[model].config.encoder.num_hidden_layers
        layer = gr.update(visible=True, value=layers)
    return layer, gr.update(visible=view == events.ONE)


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
        self.controls, self.outputs = tab.controls, tab.filled

    def fill(self, asked: Asked, *values: Any) -> dict[Any, Any]:  # noqa: ANN401 - see events.Controls
        """Return the maps, the table of heads and the words to mask."""
        filled = self._extras.refresh(*asked.question.texts, *values)
        return dict(zip(self.outputs, filled, strict=True))

    def cleared(self) -> dict[Any, Any]:
        """Return the figure empty."""
        return dict.fromkeys(self._tab.figure)


def attention_events(
    page: gr.Blocks, built: AttentionTab, texts: list[Any], results: Path, studio: Studio
) -> Extras:
    """Wire the tab; return what fills it for new texts, `built.filled` being the outputs."""
    extras = Extras(studio)
    asked = [*texts, *built.controls]
    scope, layer, head, model, view, *more = built.controls
    redraw = [one.change for one in (layer, head, view, *more)]
    newest: dict[str, Any] = {"trigger_mode": "always_last", **VISIBLE}
    gr.on(redraw, studio.show, asked, built.figure, api_name="show_attention", **PRIVATE, **newest)
    scope.change(extras.refresh, asked, built.filled, **PRIVATE, **newest)
    changing, outputs = functools.partial(change_model, extras), [*built.filled, layer, head]
    model.change(changing, asked, outputs, api_name="change_model", **PRIVATE, **newest)
    fitting = functools.partial(fit_sliders, studio.engine)
    view.change(fitting, [view, model], [layer, head], **QUIET)
    chosen = [layer, head, view]
    _, table = built.heads
    table.select(pick_row, None, chosen, **QUIET)
    built.picked.click(None, None, chosen, js=PICKED, **PRIVATE)
    word, *shown, framed, files, order = built.cleared
    order.change(events.sort_heads, [table, order], table, **QUIET)
    to_mask = [*texts, word, *built.controls]
    word.input(extras.mask, to_mask, shown, **PRIVATE, **newest)
    gr.on(redraw, extras.redraw, to_mask, [*shown, framed, files], **PRIVATE, **newest)
    to_head, to_model, make = built.buttons
    for kind, button in (("head", to_head), ("model", to_model)):
        drawn = functools.partial(draw_view, studio, kind)
        button.click(drawn, asked, framed, **PRIVATE, **VISIBLE)
    written = functools.partial(write_files, studio, files.GRADIO_CACHE)
    make.click(written, asked, files, **PRIVATE, **VISIBLE)
    measure, *changed, fold = built.tuning
    when = [measure.change, fold.expand, model.change]
    tuned = FineTuning(studio.engine, results)
    gr.on(when, tuned.show, [measure, model], changed, **PRIVATE, **newest)
    page.load(None, js=LISTEN, **PRIVATE)
    page.load(None, js=CLICKS, **PRIVATE)
    return extras
