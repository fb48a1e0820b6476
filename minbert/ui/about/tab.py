"""The tab "About": what this is, its numbers beside others', its cost, its card, its limits."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import gradio as gr

from minbert.records.shipped import Records, read_records
from minbert.ui.about.card import card_html, heading
from minbert.ui.about.tables import cost_block, numbers_block, tasks_block
from minbert.ui.engine import Engine
from minbert.ui.parts.blocks import list_block, note_block, problems_block
from minbert.ui.parts.events import draw_when_seen
from minbert.ui.parts.own_models import models_block, records_of
from minbert.ui.parts.texts import texts_of
from minbert.ui.parts.views import view

TEXTS = texts_of(__package__)
LICENCE = TEXTS.lines("tab.licence")
PARTS = TEXTS.by_name("tab.parts")  # of the code: path, what it does


def build_about(models: Path, results: Path, engine: Engine | None = None) -> gr.Tab:
    """Build the tab inside the page's tabs; return it.

    Args:
        models: folder of the shipped models.
        results: folder of their records.
        engine: the models that answer; None: the shipped ones.
    """
    built = view("About", "about")
    if engine is not None and engine.own:
        shown = own_sections(engine, records_of(engine, models, results))
    else:
        shown = sections(read_records(models, results))
    with built:
        places = [gr.HTML(elem_id=f"about-{key}") for key in shown]
        draw_when_seen(built, lambda: tuple(shown.values()), [], places)
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


def own_sections(engine: Engine, records: Records) -> dict[str, str]:
    """Return the tab's parts where models of your own answer: what is recorded of them alone."""
    unknown = note_block(TEXTS["own.no_record"])
    parts = sections(records)
    scored = parts["numbers"] + note_block(TEXTS["own.scored"])
    purpose = heading("What this is") + f"<p>{escape(TEXTS['own.purpose'])}</p>"
    changed = {
        "purpose": purpose + models_block(engine),
        "tasks": "",  # what the shipped models learned from
        "numbers": scored if records.scores else heading("How good it is") + unknown,
        "cost": parts["cost"] if records.training else "",
        "card": card_html(records.card) if records.card else "",
        "licence": heading("Licence") + listed(TEXTS.lines("own.licence")),
    }
    return {key: html for key, html in (parts | changed).items() if html}


def listed(lines: Sequence[str]) -> str:
    """Return plain lines as a list."""
    return list_block(map(escape, lines))


def code_block() -> str:
    """Return the code's parts, each a path and what it does."""
    return list_block(
        f"<code>{escape(path)}</code>: {escape(what)}" for path, what in PARTS.items()
    )
