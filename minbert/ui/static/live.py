"""The part of the page of findings in which a visitor's browser answers: `--live`.

The model and what runs it lie beside the page and are fetched when the visitor asks for an answer.
`live.js` draws the same cards as `minbert.ui.parts.answer_cards`, in the same words;
`live_words.js` and `live_reading.js` fill what the app's templates made of the first lesson anew.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from minbert.browser.package import FOLDER, scripts
from minbert.explain.spans import MOST_BEGINNINGS
from minbert.lessons import Lesson
from minbert.tasks import SENTIMENT, SIMILARITY_BANDS
from minbert.ui.engine import MOST_PAIRS, Engine
from minbert.ui.page import within_one
from minbert.ui.parts.answer_cards import answer_panel
from minbert.ui.parts.blocks import notice_line
from minbert.ui.parts.colouring import exact_words
from minbert.ui.parts.tables import MOST_CELLS
from minbert.ui.parts.texts import texts_of
from minbert.ui.question import LONGEST_TEXT
from minbert.ui.static.document import Additions, Figures, options, select
from minbert.ui.static.sections import Parts, Source, question
from minbert.ui.try_it.reading import (
    FEWEST,
    LONGEST_LABEL,
    TOKENS,
    TURN,
    mood_shown,
    pair_shown,
    read_moods,
    read_pair,
)

TEXTS = texts_of(__package__)
HERE = Path(__file__).parent
SCRIPTS = ("live_words.js", "live_reading.js", "live.js")
READING = {
    **{"most": MOST_BEGINNINGS, "fewest": FEWEST, "tokens": TOKENS},
    **{"turn": TURN, "longest": LONGEST_LABEL},
}
# A Space's host may answer for its large files from the Hub's own file store; the page itself names
# no host but its own.
STORE = ("https://*.hf.co", "https://*.huggingface.co")
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; style-src "
    f"'unsafe-inline'; img-src data: blob:; connect-src 'self' {' '.join(STORE)}; base-uri 'none'; "
    "form-action 'none'"
)


@dataclasses.dataclass(frozen=True)
class Live:
    """What the page has more when it answers."""

    parts: Parts  # sections that come first
    told: str  # what is computed when
    data: Mapping[str, Any]  # read by the script
    additions: Additions


def make_live(source: Source, settings: Mapping[str, Any]) -> Live:
    """Return the part that answers, the first lesson already answered.

    Args:
        source: of the page; its mean model is the one that `settings` belong to.
        settings: of the model's files, as `minbert.browser.package` gives them.
    """
    often, figures = within_one(source.results), Figures()
    data: dict[str, Any] = {
        "folder": FOLDER,
        "model": settings,
        "labels": SENTIMENT.labels,
        "bands": SIMILARITY_BANDS,
        "withinOne": often,
        "longest": LONGEST_TEXT,
        "pooling": source.engine.names["mean"],
        "reading": READING,
        "cells": MOST_CELLS,
        "mostPairs": MOST_PAIRS,
        "tooLong": texts_of("minbert.ui.parts")["colour.too_long"],
        "lessons": [[lesson.first, lesson.second] for lesson in source.lessons],
    }
    styles = (HERE / "live.css").read_text(encoding="utf-8")
    script = "".join((HERE / name).read_text(encoding="utf-8") for name in SCRIPTS)
    additions = Additions(POLICY, styles, f"<script>\n{scripts()}{script}</script>\n")
    told = TEXTS["live.stored"].format(megabytes=settings["fetched"] / 1e6)
    body = try_block(source, often, told, figures)
    data["figures"] = figures.stored
    return Live({"try": ("Try it", body)}, TEXTS["live.told"], data, additions)


def try_block(source: Source, often: float | None, told: str, figures: Figures) -> str:
    """Return both fields, the lessons, the button, and all of the first lesson's answer."""
    engine, lesson = source.engine, source.lessons[0]
    asked = engine.ask(lesson.first, lesson.second)
    names = [each.title for each in source.lessons]
    fields = field("first", "Sentence A", asked.first)
    fields += field("second", "Sentence B (optional)", asked.second)
    answered = answer_panel(engine.answer(engine.mean, asked), 0.5, often)
    return (
        f'<div id="live"><div class="mb-fields">{fields}</div><div class="mb-asking">'
        f"{select('live-lesson', 'Lesson', options(names))}"
        '<button type="button" id="live-answer">Answer</button></div>'
        f'<p class="mb-told" id="live-told" role="status">{escape(told)}</p>'
        '<div class="mb-meter mb-progress" id="live-progress" role="progressbar" aria-valuemin="0" '
        'aria-valuemax="100" aria-label="Fetching the model" hidden>'
        '<div class="mb-fill"></div></div>'
        f'<div id="live-counts">{notice_line(asked.notices)}</div>'
        f'<div id="live-cards">{answered}</div>'
        f'<div id="live-words">{exact_words(engine.asked(asked))}</div>'
        f"{reading_blocks(engine, lesson, figures)}</div>"
    )


def reading_blocks(engine: Engine, lesson: Lesson, figures: Figures) -> str:
    """Return the answering model's curves of the first lesson; `live_reading.js` fills them."""
    alone = Engine(engine.mean)
    curves = {"reading": ("As you read A", mood_shown(read_moods(alone, lesson.first)))}
    second = lesson.second or lesson.first  # a curve that isn't shown, but has a place
    curves["reading-pair"] = "As you read B", pair_shown(read_pair(alone, lesson.first, second))
    shown = ""
    for key, (name, curve) in curves.items():
        words, figure = curve
        place = figures.place(f"live-{key}-plot", figure, name)
        hidden = "" if lesson.second or key == "reading" else " hidden"
        cut = '<p class="mb-note mb-cut"></p>'
        shown += f'<div id="live-{key}"{hidden}>{question(name, words, cut + place)}</div>'
    return shown


def field(key: str, label: str, text: str) -> str:
    """Return one labelled field with a text in it."""
    return (
        f'<label class="mb-field" for="live-{key}"><span>{escape(label)}</span>'
        f'<textarea id="live-{key}" rows="2" spellcheck="false" autocomplete="off">\n'
        f"{escape(text)}</textarea></label>"
    )
