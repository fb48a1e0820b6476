"""The page: one input area that every tab shares, and the tabs below it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import api
from gradio.themes.utils.fonts import LocalFont

from minbert.ui.engine import Engine
from minbert.ui.experiments import build_experiments, heading
from minbert.ui.handlers import ALONE, TOGETHER, Handlers
from minbert.ui.lab import Lab

HEADER = (
    '<header class="mb-head"><h1>minBERT Lab</h1>'
    "<p>Type one sentence or two: one small BERT answers three tasks, and shows how.</p></header>"
)
# A figure that was updated while its tab was hidden keeps a wrong width until a resize.
RESIZE = "() => { setTimeout(() => window.dispatchEvent(new Event('resize')), 60); }"
# Events wait for the model in its own queue, where those that wait together are answered together.
MODEL_EVENTS: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 32}


def theme() -> gr.themes.Base:
    """Return the theme: ink on paper, no hue that a figure uses; fonts that gradio ships.

    The semi-bold files that gradio ships hold Cyrillic letters only, so bold stands in for them.
    """
    weights = (400, 700)
    return gr.themes.Base(
        primary_hue="slate",
        secondary_hue="slate",
        neutral_hue="slate",
        radius_size="md",
        font=[LocalFont("IBM Plex Sans", weights), "system-ui", "sans-serif"],
        font_mono=[LocalFont("IBM Plex Mono", weights), "ui-monospace", "monospace"],
    ).set(
        button_primary_background_fill="*neutral_800",
        button_primary_background_fill_hover="*neutral_700",
        button_primary_background_fill_dark="*neutral_200",
        button_primary_background_fill_hover_dark="*neutral_50",
        button_primary_text_color="white",
        button_primary_text_color_dark="*neutral_900",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
    )


def launch_options() -> dict[str, Any]:
    """Return what `launch` is given wherever the page is started."""
    return {
        "theme": theme(),
        "css_paths": [Path(__file__).with_name("style.css")],
        "footer_links": ["api"],
        "run_history": False,
        "show_error": True,
        "ssr_mode": False,
        "max_file_size": "1mb",
        "max_threads": 64,
    }


def read_examples(path: Path) -> list[dict[str, str]]:
    """Read our own example sentences, each {name, first, second}."""
    examples: list[dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return examples


def figure_place(name: str) -> tuple[gr.HTML, gr.Plot]:
    """Make the place of a figure: its words, and the figure below them."""
    words = gr.HTML(elem_id=f"{name}-words")
    plot = gr.Plot(show_label=False, elem_id=f"{name}-plot", elem_classes="mb-plot")
    return words, plot


def build_page(engine: Engine, examples: list[dict[str, str]], results: Path) -> gr.Blocks:
    """Return the page; it opens with the first example typed, and answers it live.

    `results` is the folder of the reproduction's results; it may be empty or missing.
    """
    handlers, lab = Handlers(engine), Lab(engine)
    shape = engine.mean.config.encoder
    page = gr.Blocks(title="minBERT Lab", analytics_enabled=False)
    with page:
        gr.HTML(HEADER)
        with gr.Row():
            first = gr.Textbox(
                examples[0]["first"],
                label="Sentence A",
                lines=1,
                max_lines=4,
                elem_id="first",
                min_width=260,
            )
            second = gr.Textbox(
                examples[0]["second"],
                label="Sentence B (optional)",
                lines=1,
                max_lines=4,
                elem_id="second",
                min_width=260,
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
        with gr.Tabs():
            with gr.Tab("Try it", id="try") as try_tab:
                predictions = gr.HTML(elem_id="predictions")
            with gr.Tab("Attention", id="attention") as attention_tab:
                with gr.Row():
                    scope = gr.Radio([ALONE, TOGETHER], value=ALONE, label="Input")
                    layer = gr.Slider(
                        1, shape.num_hidden_layers, value=1, step=1, label="Layer (1: lowest)"
                    )
                    head = gr.Slider(
                        0, shape.num_attention_heads, value=1, step=1, label="Head (0: mean of all)"
                    )
                attention_words, attention_plot = figure_place("attention")
            with gr.Tab("Pooling lab", id="pooling") as pooling_tab:
                pooling_words, pooling_plot = figure_place("pooling")
                heading("Why are these two similar?", "lab-split")
                split = figure_place("split")
                heading("Which words make the mood?", "lab-contributions")
                contributions = figure_place("contributions")
                heading("Layer by layer", "lab-layers")
                layers = figure_place("layers")
            experiments_tab = build_experiments(results)

        asked = [first, second, scope, layer, head]
        figures = [attention_words, attention_plot]
        shown = [counts, predictions, *figures, pooling_words, pooling_plot]
        gr.on(
            [page.load, answer.click, first.submit, second.submit],
            handlers.show_all,
            asked,
            shown,
            api_name="show_all",
            show_progress="minimal",
            **MODEL_EVENTS,
        )
        drawn = [*split, *contributions, *layers]
        gr.on(
            [page.load, answer.click, first.submit, second.submit],
            lab.show_lab,
            [first, second],
            drawn,
            api_name="show_lab",
            show_progress="minimal",
            **MODEL_EVENTS,
        )
        chosen = chooser.click(
            lambda index: (examples[index]["first"], examples[index]["second"]),
            chooser,
            [first, second],
            api_name="load_example",
            show_progress="hidden",
        )
        chosen.success(
            handlers.show_all,
            asked,
            shown,
            api_name="show_example",
            show_progress="minimal",
            **MODEL_EVENTS,
        )
        chosen.success(
            lab.show_lab,
            [first, second],
            drawn,
            api_name="show_example_lab",
            show_progress="minimal",
            **MODEL_EVENTS,
        )
        gr.on(
            [scope.change, layer.change, head.change],
            handlers.show_attention,
            asked,
            figures,
            api_name="show_attention",
            trigger_mode="always_last",
            show_progress="minimal",
            **MODEL_EVENTS,
        )
        for tab in (try_tab, attention_tab, pooling_tab, experiments_tab):
            tab.select(None, js=RESIZE, api_visibility="private")
        api(handlers.predict, api_name="predict", **MODEL_EVENTS)
        api(handlers.compare_pooling, api_name="compare_pooling", **MODEL_EVENTS)
        api(handlers.attention, api_name="attention", **MODEL_EVENTS)
        api(lab.similarity_split, api_name="similarity_split", **MODEL_EVENTS)
        api(lab.similarity_matrix, api_name="similarity_matrix", **MODEL_EVENTS)
    return page
