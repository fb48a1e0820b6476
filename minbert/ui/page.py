"""The page: what is built, and what happens on an event."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import getdoc
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import api

from minbert.lessons import Lesson
from minbert.records.scores import metrics_in
from minbert.ui.about.tab import build_about
from minbert.ui.answering import Answering, Place, View
from minbert.ui.attention.events import Studio
from minbert.ui.attention.tab import AttentionView, attention_events, build_attention
from minbert.ui.batch.events import Batch
from minbert.ui.batch.tab import build_batch
from minbert.ui.engine import Engine
from minbert.ui.experiments.tab import build_experiments
from minbert.ui.input_area import InputArea, build_input
from minbert.ui.lessons.row import CHOSEN, MARK, NOT_YOURS
from minbert.ui.parts.events import (
    FILES_CHECKED,
    FILES_KEPT,
    KEPT_SECONDS,
    LABEL_EVENTS,
    MODEL_EVENTS,
    PRIVATE,
    QUIET,
    VISIBLE,
)
from minbert.ui.parts.own_models import NOT_THEIRS, models_note, records_of
from minbert.ui.parts.score_rows import value_of
from minbert.ui.parts.views import SEPARATOR, tab_of, tabs, views_of
from minbert.ui.pooling.events import Lab
from minbert.ui.pooling.tab import PoolingView, build_pooling, lab_events
from minbert.ui.pooling.your_labels import LabelsEndpoint
from minbert.ui.scripts import LIVE, POINTING, READ_LINK, RESIZE, SWAP, TAB_KEYS
from minbert.ui.server.blocks import Page
from minbert.ui.try_it.coloured import ColouredView, coloured_events
from minbert.ui.try_it.edits import Edits, edit_events
from minbert.ui.try_it.events import Handlers
from minbert.ui.try_it.phrases import PhrasesView, phrases_events
from minbert.ui.try_it.reading import ReadingView
from minbert.ui.try_it.tab import TryTab, TryView, build_try, try_events
from minbert.ui.v1.routes import http_api
from minbert.ui.why.api import ExplainEndpoint
from minbert.ui.why.tab import WhyView, build_why, why_events

HEADER = (
    '<header class="mb-head"><h1>minBERT Lab</h1>'
    "<p>Type one sentence or two: one small BERT answers three tasks, and shows how.</p>"
    '<h2 class="mb-unseen">Your sentences, and what the models make of them</h2></header>'
)


def within_one(results: Path) -> float | None:
    """Return how often the mean model is at most one class off on dev; None where unknown."""
    found = metrics_in(results / "mean-dev.json").get("sentiment within_one")
    return found.value if found else None


def often_near(engine: Engine, results: Path) -> float | None:
    """Return `within_one` of the model that answers; of your own what its run recorded."""
    if not engine.own:
        return within_one(results)
    scores = records_of(engine, results, results).scores.get(engine.names["mean"])
    return value_of(scores, "sentiment within_one")


def build_page(engine: Engine, lessons: Sequence[Lesson], assets: Path) -> Page:
    """Return the page; it opens with the first lesson's sentences typed, and answers them live.

    `assets` is the folder of models/ and results/, of which the tabs Experiments and About tell;
    what is missing there is told on the page.
    """
    results = assets / "results"
    handlers, studio = Handlers(engine, often_near(engine, results)), Studio(engine)
    lab = Lab(engine)
    rows = Batch(engine)
    page = Page(
        title="minBERT Lab", analytics_enabled=False, delete_cache=(FILES_CHECKED, FILES_KEPT)
    )
    with page:
        gr.HTML(HEADER)
        if engine.own:
            gr.HTML(models_note(engine), elem_id="own-models")
        area = build_input(lessons, NOT_YOURS if engine.own else "")
        with tabs():
            answers = build_try(engine)
            pooling = build_pooling(engine, assets)
            attention = build_attention(engine)
            why = build_why(results, engine)
            build_batch(engine, rows)
            build_experiments(results, NOT_THEIRS if engine.own else "")
            build_about(assets / "models", results, engine)
            place = gr.State(Place("try"), time_to_live=KEPT_SECONDS)
        texts = [area.first, area.second]
        extras = attention_events(page, attention, texts, results, studio)
        edits = Edits(engine)
        views: dict[str, View] = {
            "try": TryView(area, answers, handlers, edits),
            "try-words": ColouredView(answers.coloured),
            "try-reading": ReadingView(answers.reading, engine),
            "try-phrases": PhrasesView(answers.phrases, engine),
            "pooling": PoolingView(pooling, lab),
            "attention": AttentionView(attention, extras),
            "why": WhyView(why),
        }
        answering = Answering(engine, views, place)
        answer_events(page, area, answers, answering, edits)
        opening_events(page, answering)
        try_events(area, answers, handlers)
        coloured_events(page, engine, texts, answers.coloured)
        phrases_events(page)
        lab_events(engine, texts, pooling)
        why_events(engine, texts, answers.current, why)
        endpoints = (
            *(handlers.predict, handlers.compare_pooling, studio.attention),
            *(ExplainEndpoint(engine).explain, lab.similarity_split, lab.similarity_matrix),
        )
        functions = {endpoint.__name__: endpoint for endpoint in endpoints}
        for name, endpoint in functions.items():
            api(endpoint, api_name=name, api_description=getdoc(endpoint), **MODEL_EVENTS)
        labels = LabelsEndpoint(engine)
        api(labels.your_labels, api_name="your_labels", **LABEL_EVENTS)
    page.http_api = http_api(functions, rows, labels)
    return page


def answer_events(
    page: gr.Blocks,
    area: InputArea,
    answers: TryTab,
    answering: Answering,
    edits: Edits,
) -> None:
    """Answer when the page opens, on the button, on Enter, on a lesson, a swap and an edit.

    Each is one event, which fills the open tab.
    """
    texts = [area.first, area.second]
    inputs, outputs = [*texts, *answering.controls], answering.outputs
    begun = [area.answer.click, area.first.submit, area.second.submit]
    gr.on(begun, answering.answer, inputs, outputs, api_name="answer", **PRIVATE, **VISIBLE)
    typing: dict[str, Any] = {"trigger_mode": "always_last", **QUIET, **MODEL_EVENTS}
    area.live.click(answering.live, inputs, outputs, api_name="live", **typing)
    page.load(None, js=LIVE, **PRIVATE)
    for filled in (
        page.load(None, texts, texts, js=READ_LINK, **PRIVATE),
        area.lessons.chosen.click(None, None, texts, js=CHOSEN, **PRIVATE),
        answers.swap.click(None, texts, texts, js=SWAP, **PRIVATE),
        *edit_events(answers.edits, texts, answers.current, answers.pinned, edits),
    ):
        # A lesson chosen while another is still answered is answered after it, not dropped.
        newest: dict[str, Any] = {"trigger_mode": "always_last", **PRIVATE, **VISIBLE}
        filled.success(answering.answer, inputs, outputs, **newest)
    gr.on([area.first.change, area.second.change], None, texts, js=MARK, **PRIVATE)


def opening_events(page: gr.Blocks, answering: Answering) -> None:
    """Fill a view when it is opened, let its figures look for their width; arrows along tabs."""
    views = views_of(page)
    gr.on([view.select for view in views], None, js=RESIZE, **PRIVATE)
    for script in (TAB_KEYS, POINTING):
        page.load(None, js=script, **PRIVATE)
    for view in views:
        name = str(view.id)
        if name in answering.views or tab_of(name) == name:
            view.select(
                answering.opening(name),
                answering.controls,
                answering.outputs,
                api_name=f"open_{name.replace(SEPARATOR, '_')}",
                **PRIVATE,
                **VISIBLE,
            )
