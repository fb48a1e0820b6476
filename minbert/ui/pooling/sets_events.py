"""What happens on an event of the pooling lab's sets: a box and settings in, figures out."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import gradio as gr

from minbert.ui.engine import Engine
from minbert.ui.parts.blocks import finding_block, note_block, progress_block
from minbert.ui.parts.figures import cut
from minbert.ui.parts.texts import texts_of
from minbert.ui.pooling import sets_findings
from minbert.ui.pooling.sets import (
    QUICK_SET,
    Compared,
    Comparison,
    compare_in_steps,
    offered,
    read_lines,
    read_sets,
)
from minbert.ui.pooling.sets_figures import matrix_figure, points_figure
from minbert.ui.question import InputError

TEXTS = texts_of(__package__)
TOGETHER, OWN = "One order for both", "Each in its own order"
NOBODY = -1  # no sentence is chosen
OUTPUTS = 12
LABEL = 60  # characters of a sentence in the list to choose from
REFUSED = "Can't compare this set"

Shown = tuple[Any, ...]  # as `SetPart.outputs` lists them


class Sets:
    """The events of the sets, bound to one engine."""

    def __init__(self, engine: Engine) -> None:
        """Serve this engine."""
        self.engine = engine
        self.sets = {one.name: one for one in read_sets()}
        self.ways = offered(engine)

    def choose(self, name: str) -> tuple[str, str]:
        """Return one of our sets: what it is for, and its lines."""
        return note_block(self.sets[name].about), self.sets[name].text

    def begin(
        self, known: Comparison | None, text: str, left: str, right: str, order: str
    ) -> Iterator[Shown]:
        """Compare the first set when the tab is first looked at."""
        if known is None:
            yield from self.compare(text, left, right, order)
        else:
            yield (gr.skip(),) * OUTPUTS

    def compare(self, text: str, left: str, right: str, order: str) -> Iterator[Shown]:
        """Embed and compare a set under two poolings; a large set shows how far it is.

        What is wrong with the box is told above the figures, which stay.
        """
        try:
            sentences, groups = read_lines(text, self.engine)
        except InputError as error:
            yield (finding_block(REFUSED, [str(error)], ""), *(gr.skip(),) * (OUTPUTS - 1))
            return
        whole = 2 * len(sentences)
        for found in compare_in_steps(self.engine, sentences, groups, (left, right)):
            if isinstance(found, Comparison):
                yield (*drawn(found, order, NOBODY), choices(found), found)
            elif len(sentences) > QUICK_SET:
                told = f"{found} of {whole} embeddings made"
                yield (progress_block(told, found / whole), *(gr.skip(),) * (OUTPUTS - 1))

    def redraw(self, found: Comparison | None, order: str, chosen: int | None) -> Shown:
        """Draw the same comparison in another order, or with another sentence marked."""
        if found is None:
            return (gr.skip(),) * (OUTPUTS - 2)
        return drawn(found, order, NOBODY if chosen is None else int(chosen))


def drawn(found: Comparison, order: str, chosen: int) -> Shown:
    """Return the words and figures of a comparison."""
    marked = chosen if 0 <= chosen < len(found.sentences) else None
    orders = found.orders[:2] if order == OWN else (found.orders[2], found.orders[2])
    title, lines = sets_findings.set_finding(found)
    sides = [*zip(found.sides, orders, strict=True)]
    numbers = "".join(sets_findings.matrix_table(found, side, rows) for side, rows in sides)
    shown: list[Any] = [finding_block(title, lines, TEXTS["read.matrix"], numbers)]
    for side, rows in sides:
        shown += [side_head(side), matrix_figure(found, side, rows, marked)]
    title, lines = sets_findings.points_finding(found, marked)
    shown.append(
        finding_block(title, lines, TEXTS["read.points"], sets_findings.points_table(found))
    )
    for side in found.sides:
        shown += [side_head(side), points_figure(found, side, marked)]
    return tuple(shown)


def choices(found: Comparison) -> dict[str, Any]:
    """Offer the sentences to choose one from; none is chosen."""
    names = [
        (f"{place} {cut(text, LABEL)}", place - 1)
        for place, text in enumerate(found.sentences, start=1)
    ]
    return gr.update(choices=[("none", NOBODY), *names], value=NOBODY)


def side_head(side: Compared) -> str:
    """Name a side, in its pooling's colour where it has one."""
    return f'<h4 class="mb-side mb-side-{escape(side.way)}">{escape(side.shown.label)}</h4>'
