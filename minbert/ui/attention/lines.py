"""Lines between words: who looks at whom in one map, thicker for more of the attention.

Two columns of words, and an SVG of lines between them. Pointing at a word, or reaching it with the
arrow keys, leaves only its lines and puts their numbers beside the words at the other end. All
numbers are in the HTML, so nobody is asked (lines.js, ui/pointing.js).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from torch import Tensor

from minbert.ui.attention.figures import LONGEST_WORD
from minbert.ui.parts.figures import cut
from minbert.ui.parts.numbers import percent
from minbert.ui.parts.templates import render
from minbert.ui.parts.texts import file_text

TEMPLATE = "attention/lines.html"
SCRIPT = file_text(__package__, "lines.js")
MOST_WORDS = 48  # of a side; each pair of words may be a line
WEAKEST = 0.02  # share of a row's attention that is drawn; all numbers are told
PARTNERS = 3  # the strongest, which a word's label names


@dataclasses.dataclass(frozen=True)
class End:
    """A word at one end of the lines."""

    label: str
    told: str  # for screen readers: its strongest partners
    shares: tuple[int, ...]  # with each word of the other side, in thousandths


@dataclasses.dataclass(frozen=True)
class Line:
    """A line from a row to a column, both counted from 0."""

    row: int
    column: int
    share: float
    strength: float  # 0 to 1: the square of its share of the map's largest, so that a pattern shows


def lines_figure(rows: Sequence[str], columns: Sequence[str], weights: Tensor) -> str:
    """Draw a map (R, C) as lines; of a long text its first words."""
    drawn = weights[:MOST_WORDS, :MOST_WORDS].double()
    rows, columns = rows[:MOST_WORDS], columns[:MOST_WORDS]
    found = (drawn >= WEAKEST).nonzero().tolist() if drawn.numel() else []
    strong = (drawn / drawn.max()).square() if found else drawn
    lines = [
        Line(row, column, round(float(drawn[row, column]), 3), round(float(strong[row, column]), 2))
        for row, column in found
    ]
    return render(
        TEMPLATE,
        looks=ends(rows, columns, drawn, "looks most at"),
        looked=ends(columns, rows, drawn.T, "is looked at most by"),
        lines=sorted(lines, key=lambda line: line.share),  # the strong ones above the weak
        height=max(len(rows), len(columns)),
    )


def ends(words: Sequence[str], others: Sequence[str], weights: Tensor, does: str) -> list[End]:
    """Return the words of one side, given their weights (words, others) with the other side."""
    found = []
    for word, shares in zip(words, weights, strict=True):
        values, order = shares.sort(descending=True, stable=True)
        strongest = ", ".join(
            f"“{others[place]}” {percent(share)}"
            for share, place in zip(
                values[:PARTNERS].tolist(), order[:PARTNERS].tolist(), strict=True
            )
            if share > 0
        )
        thousandths = tuple((shares * 1000).round().int().tolist())
        found.append(
            End(cut(word, LONGEST_WORD), f"{word} {does} {strongest or 'nothing'}", thousandths)
        )
    return found
