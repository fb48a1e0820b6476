"""Every phrase: the sentiment of all runs of words of A, as a pyramid with the whole at its top.

The model's work stands back behind other visitors' answers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import gradio as gr
from markupsafe import Markup

from minbert.answers import SentimentResult
from minbert.explain import Phrases, phrases
from minbert.serving import bulk_work
from minbert.tasks import SENTIMENT
from minbert.ui.engine import Engine
from minbert.ui.parts.events import PRIVATE
from minbert.ui.parts.figures import cut
from minbert.ui.parts.tables import fold, table
from minbert.ui.parts.templates import render
from minbert.ui.parts.texts import file_text, texts_of
from minbert.ui.question import Asked

TEXTS = texts_of(__package__)
SCRIPT = file_text(__package__, "phrases.js")
SIGNS = ("− −", "−", "○", "+", "+ +")  # of the classes, so that colour is never alone
EXTREMES = 5  # phrases of the table at either end
LONGEST_WORD = 12  # characters of a word below its column
LONGEST_TOLD = 60  # characters of a phrase in a title
Outputs = dict[Any, Any]


@dataclasses.dataclass(frozen=True)
class Cell:
    """A phrase as it is shown."""

    text: str
    told: str  # the phrase, its class and rating
    place: int  # of its class, 0 to 4
    sign: str
    column: int  # where it begins, in half words, from 1


class PhrasesView:
    """The part as a view of the present question: at most 210 phrases in one batch."""

    controls: Sequence[Any] = ()

    def __init__(self, part: gr.HTML, engine: Engine) -> None:
        """Bind the part to the models; the first one answers."""
        self._part, self._engine = part, engine
        self.outputs = [part]

    def fill(self, asked: Asked) -> Outputs:
        """Return the pyramid of A."""
        found = phrases(self._engine.mean, asked.first)
        with bulk_work():
            results = self._engine.mean.sentiment(found.texts)
        return {self._part: phrases_block(found, results)}

    def cleared(self) -> Outputs:
        """Return the part empty."""
        return {self._part: ""}


def build_phrases() -> gr.HTML:
    """Build the part."""
    return gr.HTML(elem_id="phrases")


def phrases_events(page: gr.Blocks) -> None:
    """Wire a click on a phrase, which puts it into A; pointing.js tells the one pointed at."""
    page.load(None, js=SCRIPT, **PRIVATE)


def phrases_block(found: Phrases, results: Sequence[SentimentResult]) -> str:
    """Show each phrase's class in a pyramid; the most extreme ones in a table."""
    cells = [
        Cell(text, told(text, result), place, SIGNS[place], 2 * start + (end - start))
        for (start, end), text, result in zip(found.places, found.texts, results, strict=True)
        for place in [SENTIMENT.labels.index(result.label)]
    ]
    count = len(found.words)
    by_length: dict[int, list[Cell]] = {}
    for (start, end), cell in zip(found.places, cells, strict=True):
        by_length.setdefault(end - start, []).append(cell)
    order = sorted(range(len(cells)), key=lambda k: (results[k].expected, k))
    ends = order if len(order) <= 2 * EXTREMES else [*order[:EXTREMES], *order[-EXTREMES:]]
    rows = [
        [found.texts[k], f"{results[k].expected:.2f}", results[k].label] for k in reversed(ends)
    ]
    caption = "The most positive and the most negative phrases"
    numbers = fold("The numbers", table(caption, ["Phrase", "rating", "class"], rows))
    skipped = f"The first {count} words; {found.skipped:,} more are left out."
    return render(
        "try_it/phrases.html",
        title=finding(found, results),
        cut=skipped if found.skipped else "",
        rows=[by_length[length] for length in range(count, 0, -1)],
        words=[cut(word, LONGEST_WORD) for word in found.words],
        hint=TEXTS["read.point"],
        reading=TEXTS["read.phrases"],
        table=Markup(numbers),  # made here, its texts escaped
    )


def told(text: str, result: SentimentResult) -> str:
    """Say what the model makes of a phrase."""
    return f"“{text}”: {result.label}, {result.expected:.1f}"


def finding(found: Phrases, results: Sequence[SentimentResult]) -> str:
    """Name the most positive and the most negative phrase."""
    ratings = [result.expected for result in results]
    high, low = (ratings.index(edge(ratings)) for edge in (max, min))
    parts = [
        f"{name}: “{cut(found.texts[k], LONGEST_TOLD)}” ({ratings[k]:.1f})"
        for name, k in (("Most positive", high), ("most negative", low))
    ]
    return ", ".join(parts)
