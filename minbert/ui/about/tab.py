"""The tab "About": what this is, its numbers beside others', its cost, its card, its limits."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import gradio as gr

from minbert.records.shipped import Records, read_records
from minbert.ui.about.card import card_html, heading
from minbert.ui.about.tables import cost_block, numbers_block, tasks_block
from minbert.ui.parts.blocks import list_block, note_block, problems_block
from minbert.ui.parts.texts import texts_of

TEXTS = texts_of(__package__)
LICENCE = TEXTS.lines("tab.licence")
PARTS = TEXTS.by_name("tab.parts")  # of the code: path, what it does


def build_about(models: Path, results: Path) -> gr.Tab:
    """Build the tab inside the page's tabs from the folders of models and results; return it."""
    built = gr.Tab("About", id="about")
    with built:
        for key, html in sections(read_records(models, results)).items():
            gr.HTML(html, elem_id=f"about-{key}")
    return built


def sections(records: Records) -> dict[str, str]:
    """Return the tab's parts as HTML, by name, in their order."""
    missing = problems_block(records.problems, "Some of this page can't be shown")
    parts = {
        "problems": missing,
        "purpose": heading("What this is") + f"<p>{escape(TEXTS['tab.purpose'])}</p>",
        "tasks": heading("What it learned from") + tasks_block(records),
        "numbers": heading("How good it is") + numbers_block(records),
        "cost": heading("What training took") + cost_block(records),
        "card": records.card and card_html(records.card) + note_block(TEXTS["tab.card_note"]),
        "privacy": heading("Privacy") + listed(TEXTS.lines("tab.privacy")),
        "licence": heading("Licence") + listed(LICENCE),
        "code": heading("Where the code is") + code_block(),
    }
    return {key: html for key, html in parts.items() if html}


def listed(lines: Sequence[str]) -> str:
    """Return plain lines as a list."""
    return list_block(map(escape, lines))


def code_block() -> str:
    """Return the code's parts, each a path and what it does."""
    return list_block(
        f"<code>{escape(path)}</code>: {escape(what)}" for path, what in PARTS.items()
    )
