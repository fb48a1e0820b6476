"""The tab "About": what this is, its numbers beside others', its cost, its card, its limits."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from minbert.records.shipped import Records, read_records
from minbert.ui.about.card import card_html
from minbert.ui.about.tables import cost_block, numbers_block, speed_block, tasks_block
from minbert.ui.engine import Engine
from minbert.ui.parts.blocks import list_block, note_block, problems_block
from minbert.ui.parts.events import draw_when_seen
from minbert.ui.parts.own_models import models_block, records_of
from minbert.ui.parts.tables import fold
from minbert.ui.parts.texts import texts_of
from minbert.ui.parts.views import sub_views, view

TEXTS = texts_of(__package__)
LICENCE = TEXTS.lines("tab.licence")
VIEWS = {  # sub-view: its title, its parts
    "what": ("What this is", ("problems", "purpose", "code")),
    "data": ("What it learned", ("tasks",)),
    "numbers": ("How good it is", ("numbers",)),
    "training": ("Training", ("cost",)),
    "speed": ("How fast it is", ("speed",)),
    "card": ("Model card", ("card",)),
    "privacy": ("Privacy and licence", ("privacy", "licence")),
}
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
    parts: list[Any] = []
    with built:
        with sub_views():
            for name, (title, keys) in VIEWS.items():
                kept = {key: shown[key] for key in keys if key in shown}
                if kept:
                    with view(title, f"about-{name}") as part:
                        places = [gr.HTML(elem_id=f"about-{key}") for key in kept]
                    parts.append((part, functools.partial(tuple, kept.values()), [], places))
        for one in parts:  # a state among sub-views would be counted as one
            draw_when_seen(*one)
    return built


def sections(records: Records) -> dict[str, str]:
    """Return the tab's parts as HTML, by name, in their order."""
    missing = problems_block(records.problems, "Some of this page can't be shown")
    parts = {
        "problems": missing,
        "purpose": purpose(TEXTS["tab.purpose"]),
        "tasks": tasks_block(records),
        "numbers": numbers_block(records),
        "cost": cost_block(records),
        "speed": speed_block(records.speed) if records.speed else "",
        "card": records.card and card_block(records.card),
        "privacy": titled(TEXTS["tab.private"], listed(TEXTS.lines("tab.privacy"))),
        "licence": titled("Licence", listed(LICENCE)),
        "code": fold("Where the code is", code_block()),
    }
    return {key: html for key, html in parts.items() if html}


def own_sections(engine: Engine, records: Records) -> dict[str, str]:
    """Return the tab's parts where models of your own answer: what is recorded of them alone."""
    unknown = note_block(TEXTS["own.no_record"])
    parts = sections(records)
    scored = parts["numbers"] + note_block(TEXTS["own.scored"])
    changed = {
        "purpose": purpose(TEXTS["own.purpose"]) + models_block(engine),
        "tasks": "",  # what the shipped models learned from
        "numbers": scored if records.scores else unknown,
        "cost": parts["cost"] if records.training else "",
        "speed": "",  # of the shipped models' size
        "card": card_block(records.card) if records.card else "",
        "licence": titled("Licence", listed(TEXTS.lines("own.licence"))),
    }
    return {key: html for key, html in (parts | changed).items() if html}


def titled(title: str, html: str) -> str:
    """Return HTML made here under a title."""
    return f'<div class="mb-findings"><h3>{escape(title)}</h3>{html}</div>'


def purpose(text: str) -> str:
    """Return what this is: its first sentence as the title."""
    first, _, rest = text.partition(". ")
    return titled(first, f"<p>{escape(rest)}</p>")


def card_block(markdown: str) -> str:
    """Return the model card, each section behind a fold."""
    return titled(TEXTS["tab.card_title"], note_block(TEXTS["tab.card_note"]) + card_html(markdown))


def listed(lines: Sequence[str]) -> str:
    """Return plain lines as a list."""
    return list_block(map(escape, lines))


def code_block() -> str:
    """Return the code's parts, each a path and what it does."""
    return list_block(
        f"<code>{escape(path)}</code>: {escape(what)}" for path, what in PARTS.items()
    )
