"""The tab "Batch": many rows at once; where its parts stand, and which event each one begins."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from html import escape
from typing import Any

import gradio as gr

from minbert.ui.batch import findings, tables
from minbert.ui.batch.events import PLACES, Batch
from minbert.ui.batch.previews import AUTO, PAIRS, SENTENCES, offer, preview_of
from minbert.ui.engine import Engine
from minbert.ui.parts.answer_words import capital
from minbert.ui.parts.events import FILES_CHECKED, FILES_KEPT, PRIVATE, QUIET
from minbert.ui.parts.figures import figure_place
from minbert.ui.parts.texts import texts_of
from minbert.ui.parts.views import sub_views, view

TEXTS = texts_of(__package__)
AT_ONCE: dict[str, Any] = {"queue": False, **QUIET}
EXAMPLES = TEXTS.by_name("tab.examples")  # rows to try
COLUMN_LABELS = {"first": "The sentence, or A", "second": "B, of pairs", "label": "Labels"}
BULK: dict[str, Any] = {"concurrency_id": "batch", "concurrency_limit": PLACES}


@dataclasses.dataclass(frozen=True)
class BatchTab:
    """What is asked, and what is shown."""

    tab: gr.Tab
    asked: tuple[gr.File, gr.Textbox, gr.Radio]  # file, pasted text, task
    model: gr.Radio
    preview: gr.HTML
    columns: tuple[gr.Dropdown, ...]  # first text, second text, labels
    run: gr.Button
    stop: gr.Button
    ticket: gr.Textbox
    notice: gr.HTML
    results: tuple[gr.Component, ...]
    by_name: gr.Button  # never seen: the API's own event
    columns_by_name: gr.Textbox
    as_json: gr.JSON


def build_batch(engine: Engine, batch: Batch) -> gr.Tab:
    """Build the tab inside the page's tabs, its events bound to one engine; return it."""
    with view("Batch", "batch") as tab:
        limits = findings.limits(
            *(one.config.max_length for one in reversed(engine.answering.values()))
        )
        least, most = FILES_KEPT // 60, (FILES_KEPT + FILES_CHECKED) // 60
        kept = TEXTS["tab.kept"].format(least=least, most=most)
        told = f'<p class="mb-note" id="batch-limits">{escape(limits)}</p>'
        told += f'<p class="mb-note" id="batch-kept">{escape(kept)}</p>'
        with sub_views():
            with view("Rows", "batch-rows"):
                file, text = build_inputs()
                task, model = build_choices(engine.names)
                gr.HTML(tables.formats(told))
                preview, columns = build_columns()
                with gr.Row():
                    run = gr.Button("Answer all rows", variant="primary", elem_id="batch-run")
                    stop = gr.Button("Stop", variant="stop", visible=False, elem_id="batch-stop")
                with gr.Column(elem_classes="mb-figure"):
                    notice = gr.HTML(elem_id="batch-notice")
                    download = gr.DownloadButton(visible=False, elem_id="batch-download")
                    rows = gr.HTML(elem_id="batch-rows")
            with view("Scores", "batch-scores"):
                scores = build_scores()
        results = (download, *scores, rows)
        ticket = gr.Textbox(visible="hidden", elem_id="batch-ticket")
        by_name, as_json = gr.Button(visible=False), gr.JSON(visible=False, label="answers")
        columns_by_name = gr.Textbox(visible=False, label="columns", value=None)
    parts = BatchTab(
        tab,
        (file, text, task),
        model,
        preview,
        columns,
        run,
        stop,
        ticket,
        notice,
        results,
        by_name,
        columns_by_name,
        as_json,
    )
    wire(parts, batch)
    return parts.tab


def build_inputs() -> tuple[gr.File, gr.Textbox]:
    """Build the places of a file and of pasted text, and two examples."""
    with gr.Row():
        file = gr.File(
            label="A file (.csv, .tsv or .txt)",
            type="binary",
            file_types=[".csv", ".tsv", ".txt"],
            height=180,
            elem_id="batch-file",
            min_width=280,
        )
        with gr.Column(min_width=280, scale=2):
            text = gr.Textbox(
                label="Or paste rows here",
                placeholder="One sentence a line, or a table with a header",
                lines=6,
                max_lines=6,
                elem_id="batch-text",
            )
            with gr.Row():
                for name, rows in EXAMPLES.items():
                    button = gr.Button(f"Try {name}", size="sm", min_width=150)
                    button.click(lambda rows=rows: (None, rows), None, [file, text], **AT_ONCE)
    return file, text


def build_choices(names: Mapping[str, str]) -> tuple[gr.Radio, gr.Radio]:
    """Build the choice of what the rows are, and of the model by its pooling's name."""
    with gr.Row():
        task = gr.Radio(
            [
                ("As the columns say", AUTO),
                ("Sentences: sentiment", SENTENCES),
                ("Pairs: paraphrase and similarity", PAIRS),
            ],
            value=AUTO,
            label="What the rows are",
            elem_id="batch-task",
            scale=2,
            min_width=280,
        )
        model = gr.Radio(
            [(f"{capital(name)} pooling", model) for model, name in reversed(list(names.items()))],
            value="mean",
            label="Model",
            elem_id="batch-model",
            min_width=240,
        )
    return task, model


def build_columns() -> tuple[gr.HTML, tuple[gr.Dropdown, ...]]:
    """Build the preview of what was brought, and the choice of its columns."""
    preview = gr.HTML(elem_id="batch-preview")
    with gr.Row():
        columns = tuple(
            gr.Dropdown(
                [],
                label=label,
                allow_custom_value=True,  # the choices are the visitor's own file's
                visible=False,
                elem_id=f"batch-column-{name}",
                min_width=200,
            )
            for name, label in COLUMN_LABELS.items()
        )
    return preview, columns


def build_scores() -> tuple[gr.Component, ...]:
    """Build the places of a run's scores, in the order in which events fill them."""
    measures = gr.HTML(tables.NO_SCORES, elem_id="batch-measures")
    first = figure_place("batch-first")
    second = figure_place("batch-second")
    return (measures, *first, *second)


def wire(parts: BatchTab, batch: Batch) -> None:
    """Say what the buttons do: read, wait for a place, answer; or stop."""
    gr.on(
        [part.change for part in parts.asked],
        offer,
        [*parts.asked],
        [parts.preview, *parts.columns],
        trigger_mode="always_last",
        **AT_ONCE,
    )
    gr.on(
        [part.input for part in parts.columns],
        preview_of,
        [*parts.asked, *parts.columns],
        parts.preview,
        trigger_mode="always_last",
        **AT_ONCE,
    )
    shown = [parts.notice, *parts.results]
    pressed = [parts.run, parts.stop]
    read = parts.run.click(
        batch.read,
        [*parts.asked, *parts.columns],
        [parts.notice, parts.ticket, *pressed, *parts.results],
        show_progress="minimal",
        show_progress_on=parts.notice,
        concurrency_id="batch-read",
        concurrency_limit=4,
        **PRIVATE,
    )
    allowed = read.success(
        batch.proceed,
        parts.ticket,
        None,
        concurrency_limit=None,
        **QUIET,
    )
    worked = allowed.success(
        batch.work,
        [parts.ticket, *parts.asked, parts.model, *parts.columns],
        shown,
        **BULK,
        **QUIET,
    )
    worked.then(batch.restore, parts.ticket, pressed, **AT_ONCE)
    parts.stop.click(batch.stop, parts.ticket, [parts.notice, *pressed], **AT_ONCE)
    asked = [*parts.asked, parts.model, parts.columns_by_name]
    parts.by_name.click(batch.batch, asked, parts.as_json, api_name="batch", **BULK)
