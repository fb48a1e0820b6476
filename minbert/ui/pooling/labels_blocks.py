"""What "Your labels" shows: scores, a learning curve, confusions, mistakes, and one answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from markupsafe import Markup

from minbert.explain.splits import LogitSplit
from minbert.labels import Comparison, Interval, Side, loading_lines
from minbert.ui.parts.blocks import finding_block
from minbert.ui.parts.coloured_words import Line, coloured, written
from minbert.ui.parts.colours import NEUTRAL, POOLING_COLOURS
from minbert.ui.parts.figures import TITLE, confusion_figure, cut, themed
from minbert.ui.parts.numbers import percent, signed
from minbert.ui.parts.tables import table
from minbert.ui.parts.templates import render
from minbert.ui.parts.texts import texts_of

TEXTS = texts_of(__package__)
SHOWN_MISTAKES = 200
SHOWN_TEXT = 240  # characters of a sentence in the table
SHOWN_NAME = 40  # of a class in a title
SHOWN_CLASSES = 3  # of an answer, the most probable ones
BAND = 0.15  # how strong an interval is drawn
SENTENCE = "your sentence"


@dataclasses.dataclass(frozen=True)
class Bar:
    """One class of an answer."""

    name: str
    share: float
    value: str
    best: bool


def scores_block(found: Comparison) -> str:
    """Return the verdict as the title of both poolings' scores."""
    rows = [
        [capitalised(side.called), interval(side.accuracy), interval(side.macro_f1)]
        for side in found.sides
    ]
    often = found.examples.classes[found.baseline.label]
    rows.append([f"always “{short(often)}”", interval(found.baseline.accuracy), ""])
    caption = f"{len(found.examples):,} rows, {len(found.examples.classes)} classes"
    names = ("Pooling", "Accuracy (95 % interval)", "Macro F1 (95 % interval)")
    return finding_block(
        found.verdict, found.notes, TEXTS["read.labels"], shown=table(caption, names, rows)
    )


def interval(value: Interval) -> str:
    """Write a share with its interval."""
    return f"{100 * value.value:.1f} % ({100 * value.low:.1f} to {100 * value.high:.1f})"


def capitalised(text: str) -> str:
    """Write a text with a capital at its start."""
    return text[:1].upper() + text[1:]


def short(name: str) -> str:
    """Return a class's name as a title has room for it."""
    return cut(" ".join(name.split()), SHOWN_NAME)


def confusion(side: Side, classes: Sequence[str]) -> tuple[str, go.Figure]:
    """Return which classes one pooling takes for one another."""
    off = [
        (count, given, answered)
        for given, row in enumerate(side.confusion)
        for answered, count in enumerate(row)
        if given != answered and count
    ]
    title = f"{capitalised(side.called)}: every row right"
    if off:
        count, given, answered = max(off, key=lambda each: each[0])
        title = f"“{short(classes[given])}” taken for “{short(classes[answered])}”: {count:,}"
    rows = [
        [name, *(f"{cell:,}" for cell in row)]
        for name, row in zip(classes, side.confusion, strict=True)
    ]
    numbers = table("Rows by your label and the answer", ["Yours ↓ answer →", *classes], rows)
    figure = confusion_figure(side.confusion, classes, given="your label", answered="the answer")
    return finding_block(title, [], TEXTS["read.labels_confusion"], numbers), figure


def curve(found: Comparison) -> tuple[str, go.Figure]:
    """Return how many labels it takes, told of the last side, drawn for each."""
    figure = go.Figure()
    for side in found.sides:
        sizes = [point.rows for point in side.curve]
        rights = [point.accuracy for point in side.curve]
        figure.add_scatter(
            x=[*sizes, *sizes[::-1]],
            y=[*(right.high for right in rights), *(right.low for right in rights[::-1])],
            fill="toself",
            fillcolor=POOLING_COLOURS[side.name],
            opacity=BAND,
            line={"width": 0},
            mode="lines",
            hoverinfo="skip",
            showlegend=False,
        )
        figure.add_scatter(
            x=sizes,
            y=[round(right.value, 4) for right in rights],
            name=side.called,
            mode="lines+markers",
            line={"color": POOLING_COLOURS[side.name], "width": 2.5},
            marker={"size": 8, "symbol": "diamond" if side.name == "cls" else "circle"},
            hovertemplate=f"{side.called}: %{{x:,}} labels, %{{y:.1%}} right<extra></extra>",
        )
    figure.add_hline(
        y=found.baseline.accuracy.value, line={"color": NEUTRAL, "dash": "dash", "width": 1.5}
    )
    themed(figure, height=380)
    figure.update_xaxes(
        type="log",
        tickvals=[point.rows for point in found.sides[-1].curve],
        tickformat=",d",
        title={"text": "labels learned from", "font": TITLE},
    )
    lowest = min(point.accuracy.low for side in found.sides for point in side.curve)
    figure.update_yaxes(
        range=[max(min(lowest, found.baseline.accuracy.value) - 0.04, 0), 1.02],
        tickformat=".0%",
        title={"text": "sentences right", "font": TITLE},
    )
    figure.update_layout(
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}, margin={"t": 48}
    )
    names = ("Labels learned from", *(capitalised(side.called) for side in found.sides))
    rows = [
        [f"{points[0].rows:,}", *(interval(point.accuracy) for point in points)]
        for points in zip(*(side.curve for side in found.sides), strict=True)
    ]
    *others, last = found.sides
    lines = [f"{capitalised(side.called)}: {side.curve_told}" for side in others]
    numbers = table("Accuracy by labels learned from", names, rows)
    return finding_block(last.curve_told, lines, TEXTS["read.labels_curve"], numbers), figure


def mistakes_table(side: Side, found: Comparison) -> str:
    """Return the sentences that one pooling gets wrong, the surest first."""
    examples = found.examples
    rows = [
        [
            cut(" ".join(examples.texts[wrong.row].split()), SHOWN_TEXT),
            short(examples.classes[examples.labels[wrong.row]]),
            f"{short(examples.classes[wrong.answer])} ({percent(wrong.probability)})",
            f"{examples.rows[wrong.row]:,}",
        ]
        for wrong in side.mistakes[:SHOWN_MISTAKES]
    ]
    count = len(side.mistakes)
    told = f"Wrong: {count:,} of {len(examples):,}, the surest first"
    if count > SHOWN_MISTAKES:
        told += f" ({SHOWN_MISTAKES} shown)"
    names = ("Sentence", "Your label", "Answer (how sure)", "Line")
    return f'<div class="mb-batch mb-wrong">{table(told, names, rows)}</div>'


def answer_block(
    probabilities: Mapping[str, float], pooling: str, split: LogitSplit | None, left_out: int
) -> str:
    """Return one sentence's label and, where they can be told exactly, its words' parts in it.

    Args:
        probabilities: by class.
        pooling: the slot of the model, which its colour follows.
        split: of the logits, under mean pooling.
        left_out: word pieces that were cut.
    """
    ranked = sorted(probabilities.items(), key=lambda each: -each[1])
    bars = [
        Bar(cut(name, SHOWN_NAME), share, percent(share), place == 0)
        for place, (name, share) in enumerate(ranked[:SHOWN_CLASSES])
    ]
    label, share = ranked[0]
    title = f"{short(label)}: {percent(share)}"
    notes = [f"{left_out:,} word pieces are cut."] if left_out else []
    if split is None:
        notes.append(TEXTS["labels.no_split"])
    words = "" if split is None else words_block(title, split, list(probabilities).index(label))
    return render(
        "pooling/labels_answer.html",
        title=title,
        words=Markup(words),  # made here, its texts escaped
        bars=bars,
        slot=pooling,
        notes=notes,
    )


def words_block(title: str, split: LogitSplit, place: int) -> str:
    """Return the sentence, each word tinted by what it does for the class at a place."""
    values = split.relative[:, place].tolist()
    bias = (split.bias[place] - split.bias.mean()).item()
    words = [(split.words.labels[k], values[k]) for k in written(split.words)]
    inner = sum(value for _, value in words)
    total = sum(values) + bias
    line = (
        f"Words {signed(inner, 2)}, start and end marks {signed(sum(values) - inner, 2)}, bias "
        f"{signed(bias, 2)}: together {signed(total, 2)} for this label against the mean of all."
    )
    rows = [[label, signed(value)] for label, value in zip(split.words.labels, values, strict=True)]
    rows += [["bias", signed(bias)], ["sum", signed(total)]]
    numbers = table("What each word does for the label", ["Word", "adds"], rows)
    shown = coloured([Line(SENTENCE, words)])
    return finding_block(title, [line], TEXTS["read.labels_words"], numbers, shown=shown)


def loading_block(encoder: str, text: str) -> str:
    """Return the three lines that load the folder; `encoder` is where the model comes from."""
    return render("pooling/labels_lines.html", lines=loading_lines(encoder, text=text))
