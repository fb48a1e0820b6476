"""The page: what is built, and what happens on an event."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import api

from minbert.records.scores import metrics_in
from minbert.ui.about.tab import build_about
from minbert.ui.attention.events import Studio
from minbert.ui.attention.tab import AttentionTab, attention_events, build_attention
from minbert.ui.batch.tab import CHECK_EVERY, KEPT, build_batch
from minbert.ui.engine import Engine
from minbert.ui.experiments.tab import build_experiments
from minbert.ui.input_area import InputArea, build_input
from minbert.ui.parts.events import MODEL_EVENTS, PRIVATE, VISIBLE
from minbert.ui.pooling.events import Lab
from minbert.ui.pooling.tab import PoolingTab, build_pooling, lab_events
from minbert.ui.scripts import READ_LINK, RESIZE, SWAP
from minbert.ui.try_it.edits import edit_events
from minbert.ui.try_it.events import Handlers
from minbert.ui.try_it.tab import TryTab, build_try, try_events
from minbert.ui.why.api import ExplainEndpoint
from minbert.ui.why.tab import build_why, why_events

HEADER = (
    '<header class="mb-head"><h1>minBERT Lab</h1>'
    "<p>Type one sentence or two: one small BERT answers three tasks, and shows how.</p>"
    '<h2 class="mb-unseen">Your sentences, and what the models make of them</h2></header>'
)


def read_examples(path: Path) -> list[dict[str, str]]:
    """Read our own example sentences, each {name, first, second}."""
    examples: list[dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return examples


def within_one(results: Path) -> float | None:
    """Return how often the mean model is at most one class off on dev; None where unknown."""
    found = metrics_in(results / "mean-dev.json").get("sentiment within_one")
    return found.value if found else None


def build_page(engine: Engine, examples: list[dict[str, str]], assets: Path) -> gr.Blocks:
    """Return the page; it opens with the first example typed, and answers it live.

    `assets` is the folder of models/ and results/, of which the tabs Experiments and About tell;
    what is missing there is told on the page.
    """
    results = assets / "results"
    handlers, lab, studio = Handlers(engine, within_one(results)), Lab(engine), Studio(engine)
    page = gr.Blocks(title="minBERT Lab", analytics_enabled=False, delete_cache=(CHECK_EVERY, KEPT))
    with page:
        gr.HTML(HEADER)
        area = build_input(examples)
        with gr.Tabs():
            answers = build_try()
            pooling = build_pooling(engine, assets / "models", results)
            attention = build_attention(engine)
            why = build_why(results)
            batch = build_batch(engine)
            experiments = build_experiments(results)
            about = build_about(assets / "models", results)
        extras = attention_events(page, attention, [area.first, area.second], results, studio)
        refresh = extras.refresh
        answer_events(page, area, answers, attention, refresh, pooling, handlers, lab, examples)
        try_events(area, answers, handlers)
        lab_events(engine, [area.first, area.second], pooling, MODEL_EVENTS)
        why_events(engine, [area.first, area.second], why, MODEL_EVENTS)
        others = (why.tab, batch, experiments, about)
        for tab in (answers.tab, attention.tab, pooling.tab, *others):
            tab.select(None, js=RESIZE, **PRIVATE)
        api(handlers.predict, api_name="predict", **MODEL_EVENTS)
        api(handlers.compare_pooling, api_name="compare_pooling", **MODEL_EVENTS)
        api(studio.attention, api_name="attention", **MODEL_EVENTS)
        api(ExplainEndpoint(engine).explain, api_name="explain", **MODEL_EVENTS)
        api(lab.similarity_split, api_name="similarity_split", **MODEL_EVENTS)
        api(lab.similarity_matrix, api_name="similarity_matrix", **MODEL_EVENTS)
    return page


def answer_events(
    page: gr.Blocks,
    area: InputArea,
    answers: TryTab,
    attention: AttentionTab,
    refresh_attention: Callable[..., Any],
    pooling: PoolingTab,
    handlers: Handlers,
    lab: Lab,
    examples: list[dict[str, str]],
) -> None:
    """Answer when the page opens, on the button, on Enter, on an example and on a swap."""
    texts = [area.first, area.second]
    asked = [*texts, answers.threshold, answers.pinned]
    looked_at = [*texts, *attention.controls]
    shown = [
        *(area.counts, answers.predictions, answers.change, answers.python, answers.as_json),
        *(answers.current, *pooling.answers),
    ]
    drawn = [*pooling.split, *pooling.contributions, *pooling.layers]
    begun = [area.answer.click, area.first.submit, area.second.submit]
    gr.on(begun, handlers.show_all, asked, shown, api_name="show_all", **VISIBLE)
    gr.on(begun, lab.show_lab, texts, drawn, api_name="show_lab", **VISIBLE)
    gr.on(begun, refresh_attention, looked_at, attention.filled, **PRIVATE, **VISIBLE)
    chosen = area.examples.click(
        lambda index: (examples[index]["first"], examples[index]["second"]),
        area.examples,
        texts,
        api_name="load_example",
        show_progress="hidden",
    )
    chosen.success(handlers.show_all, asked, shown, api_name="show_example", **VISIBLE)
    chosen.success(lab.show_lab, texts, drawn, api_name="show_example_lab", **VISIBLE)
    chosen.success(refresh_attention, looked_at, attention.filled, **PRIVATE, **VISIBLE)
    for filled in (
        page.load(None, texts, texts, js=READ_LINK, **PRIVATE),
        answers.swap.click(None, texts, texts, js=SWAP, **PRIVATE),
        *edit_events(answers.edits, texts, answers.current, answers.pinned, handlers.engine),
    ):
        for name, function, inputs, outputs in (
            ("refresh_all", handlers.show_all, asked, shown),
            ("refresh_lab", lab.show_lab, texts, drawn),
            ("refresh_attention", refresh_attention, looked_at, attention.filled),
        ):
            filled.success(function, inputs, outputs, api_name=name, **PRIVATE, **VISIBLE)
