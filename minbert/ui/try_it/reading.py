"""As you read: the sentiment after each word of A; with B the similarity as B is read.

The model's work stands back behind other visitors' answers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from minbert.answers import SentimentResult
from minbert.explain import Beginnings, beginnings
from minbert.explain.spans import MOST_BEGINNINGS
from minbert.serving import bulk_work
from minbert.tasks import SENTIMENT
from minbert.ui.engine import Engine
from minbert.ui.input_area import Figure
from minbert.ui.parts.blocks import finding_block, note_block
from minbert.ui.parts.colours import POOLING_COLOURS
from minbert.ui.parts.figures import figure_place, plain, themed
from minbert.ui.parts.numbers import percent
from minbert.ui.parts.tables import table
from minbert.ui.parts.texts import texts_of
from minbert.ui.question import Asked

TEXTS = texts_of(__package__)
TURN = 0.5  # a change of the rating, or of the similarity, that is told as a turn
LONGEST_LABEL = 14
TOKENS = 2_000  # that a model reads for one curve, about; of long texts fewer beginnings are read
FEWEST = 8  # beginnings of a text that has so many words
Outputs = dict[Any, Any]


@dataclasses.dataclass(frozen=True)
class Curve:
    """What a model makes of K beginnings."""

    name: str  # what the page calls its pooling
    values: tuple[float, ...]  # K ratings 0-4, or similarities 0-5
    told: tuple[str, ...]  # K texts for the hover box


@dataclasses.dataclass(frozen=True)
class Read:
    """A text's beginnings, and each model's curve over them, by its short name."""

    text: Beginnings
    curves: Mapping[str, Curve]

    @property
    def labels(self) -> list[str]:
        """Return the last word of each beginning."""
        return [self.text.words[end - 1] for end in self.text.ends]


@dataclasses.dataclass(frozen=True)
class ReadingPart:
    """Both figures with their words."""

    mood: Figure
    likeness: Figure


def build_reading() -> ReadingPart:
    """Build the part."""
    return ReadingPart(figure_place("reading"), figure_place("reading-pair"))


class ReadingView:
    """The part as a view of the present question: one batch of at most 40 beginnings a model."""

    controls: Sequence[Any] = ()

    def __init__(self, part: ReadingPart, engine: Engine) -> None:
        """Bind the part to the models."""
        self._engine = engine
        self.outputs = [*part.mood, *part.likeness]

    def fill(self, asked: Asked) -> Outputs:
        """Return the curve of A, and of B where there is one."""
        shown: list[Any] = ["", None]
        with bulk_work():
            if asked.second:
                shown = list(pair_shown(read_pair(self._engine, *asked.question.texts)))
            shown = [*mood_shown(read_moods(self._engine, asked.first)), *shown]
        return dict(zip(self.outputs, shown, strict=True))

    def cleared(self) -> Outputs:
        """Return the part empty."""
        return dict(zip(self.outputs, ("", None, "", None), strict=True))


def read_moods(engine: Engine, text: str) -> Read:
    """Ask each model for the sentiment of the text's beginnings."""
    parts = beginnings(engine.mean, text, most_read(tokens_read(engine, text) / 2))
    curves = {}
    for name, model in engine.answering.items():
        results = model.sentiment(parts.texts)
        curves[name] = Curve(
            engine.names[name],
            tuple(result.expected for result in results),
            tuple(map(five_classes, results)),
        )
    return Read(parts, curves)


def tokens_read(engine: Engine, text: str) -> int:
    """Count a text's tokens, as far as the model reads them."""
    count = engine.mean.count_tokens(text)
    return count.tokens - count.left_out


def most_read(tokens: float) -> int:
    """Return how many beginnings are read, at so many tokens each on average."""
    return min(MOST_BEGINNINGS, max(FEWEST, int(TOKENS / tokens)))


def five_classes(result: SentimentResult) -> str:
    """List the classes with their probabilities, for a figure's hover box."""
    rows = zip(SENTIMENT.labels, result.probabilities, strict=True)
    return "<br>".join(f"{label} {percent(p)}" for label, p in reversed(list(rows)))


def read_pair(engine: Engine, first: str, second: str) -> Read:
    """Ask each model how close A is to the beginnings of B: both alone, and in both orders."""
    a, b = (tokens_read(engine, text) for text in (first, second))
    parts = beginnings(engine.mean, second, most_read(3 * (a + b / 2)))
    curves = {}
    for name, model in engine.answering.items():
        pairs = model.pairs([(first, part) for part in parts.texts])
        curves[name] = Curve(
            engine.names[name],
            tuple(pair.score for pair in pairs),
            tuple(pair.band for pair in pairs),
        )
    return Read(parts, curves)


def mood_shown(read: Read) -> tuple[str, go.Figure]:
    """Return the words and the figure of the sentiment as A is read."""
    figure = curves_figure(read, top=4)
    figure.update_yaxes(tickvals=list(range(5)), ticktext=list(SENTIMENT.labels))
    return curves_block(read, "A", "rating", 4), figure


def pair_shown(read: Read) -> tuple[str, go.Figure]:
    """Return the words and the figure of the similarity to A as B is read."""
    figure = curves_figure(read, top=5)
    figure.update_yaxes(tickvals=list(range(6)), title="similarity")
    return curves_block(read, "B", "similarity", 5), figure


def curves_block(read: Read, sentence: str, quantity: str, top: int) -> str:
    """Return a figure's finding, what was cut, and behind a fold how to read it and its table."""
    names = [curve.name for curve in read.curves.values()]
    rows = [
        [label, *(f"{curve.values[k]:.2f}" for curve in read.curves.values())]
        for k, label in enumerate(read.labels)
    ]
    caption = f"The {quantity} after each word of {sentence}, 0 to {top}"
    cut = cut_told(read.text, sentence)
    numbers = table(caption, ["After", *names], rows)
    shown = note_block(cut) if cut else ""
    return finding_block(turn(read, quantity), [], TEXTS["read.reading"], numbers, shown=shown)


def turn(read: Read, quantity: str) -> str:
    """Say at which word each curve changes most."""
    told: dict[str, list[str]] = {}
    for curve in read.curves.values():
        steps = [b - a for a, b in zip(curve.values, curve.values[1:], strict=False)]
        place = max(range(len(steps)), key=lambda k: abs(steps[k]), default=None)
        if place is None or abs(steps[place]) < TURN:
            continue
        move = (
            f"{curve.values[place]:.1f} → {curve.values[place + 1]:.1f} with {curve.name} pooling"
        )
        told.setdefault(bare(read.labels[place + 1]), []).append(move)
    if not told:
        last = [f"{curve.values[-1]:.1f} with {curve.name}" for curve in read.curves.values()]
        return f"No single word turns the {quantity}: it ends at {', '.join(last)} pooling"
    return "; ".join(f"“{word}” turns it: {', '.join(moves)}" for word, moves in told.items())


def bare(word: str) -> str:
    """Return a word without the marks around it, if anything is left."""
    return word.strip(".,;:!?\"“”„'()[]…") or word


def cut_told(text: Beginnings, sentence: str) -> str:
    """Say which words of a long text were looked at."""
    told = []
    if len(text.ends) < len(text.words):
        told.append(f"At {len(text.ends)} evenly spaced words of {len(text.words)}.")
    if text.skipped:
        told.append(f"The model doesn't read the last {text.skipped:,} words of {sentence}.")
    return " ".join(told)


def curves_figure(read: Read, top: int) -> go.Figure:
    """Draw each model's curve over the words; `top` is the scale's end."""
    figure = go.Figure()
    labels = [plain(label, LONGEST_LABEL) for label in read.labels]
    so_far = [plain(text[-80:], 80) for text in read.text.texts]
    for name, curve in read.curves.items():
        figure.add_scatter(
            x=list(range(len(labels))),
            y=[round(value, 3) for value in curve.values],
            name=curve.name,
            mode="lines+markers",
            line={"color": POOLING_COLOURS[name], "width": 2.5},
            marker={"size": 8, "symbol": "diamond" if name == "cls" else "circle"},
            customdata=list(zip(so_far, curve.told, strict=True)),
            hovertemplate=f"<b>%{{customdata[0]}}</b><br>{curve.name}: %{{y:.2f}}<br>"
            "%{customdata[1]}<extra></extra>",
        )
    themed(figure, height=340)
    figure.update_xaxes(
        tickvals=list(range(len(labels))), ticktext=labels, tickangle=-60, showgrid=False
    )
    figure.update_yaxes(range=[-0.1, top + 0.1])
    figure.update_layout(
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}, margin={"t": 48}
    )
    return figure
