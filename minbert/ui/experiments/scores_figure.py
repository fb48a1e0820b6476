"""The figure of the result tables: a bar a score, its interval, and the report's number."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import plotly.graph_objects as go

from minbert.ui.experiments.figures import note, plain
from minbert.ui.parts.colours import colour_of
from minbert.ui.parts.figures import TITLE, themed
from minbert.ui.parts.numbers import fixed
from minbert.ui.parts.score_rows import Row, metric_label, seeds_of, spread_of

LONGEST_LABEL = 44  # characters of a row's label in one line: what a phone has room for
LINE, BAR, GAP = 18, 20, 14  # pixels of a label's line, of a bar, between rows


def wrapped(label: str) -> list[str]:
    """Return a label's lines."""
    return textwrap.wrap(label, LONGEST_LABEL) or [label]


def scores_figure(rows: Sequence[Row], metrics: Sequence[str]) -> go.Figure:
    """Draw a bar a row and metric with its 95 % interval; the report's number is a diamond."""
    figure = go.Figure()
    bars: dict[str, list[tuple[float, Row]]] = {metric: [] for metric in metrics}
    notes = []
    top = 0.0  # pixels from the figure's upper end
    for row in rows:
        lines = wrapped(row.label)
        place = {"x": 0, "y": top, "xref": "paper", "yanchor": "top", "align": "left"}
        notes.append(note("\n".join(lines), **place, bgcolor="#FFFFFF"))  # by CSS the page's
        top += LINE * len(lines) + 6
        for metric in metrics:
            score = row.score(metric)
            if score is not None or row.reported(metric) is not None:
                middle = top + BAR / 2
                bars[metric].append((middle, row))
                number = "not run" if score is None else spread_of(score)
                notes.append(note(number, x=1.01, y=middle, xref="paper"))
                top += BAR
        top += GAP
    for metric in metrics:
        add_bars(figure, metric, bars[metric])
    add_reported(figure, [(y, metric, row) for metric in metrics for y, row in bars[metric]])
    themed(figure, height=int(top) + 130)
    figure.update_layout(
        annotations=notes,
        barmode="overlay",
        margin={"t": 72, "b": 50, "l": 12, "r": 112},
        legend={"orientation": "h", "x": 0, "y": 1, "yref": "container", "yanchor": "top"},
    )
    figure.update_xaxes(
        title={"text": "score", "font": TITLE}, range=score_range(rows, metrics), nticks=6
    )
    figure.update_yaxes(range=[top, 0], visible=False, fixedrange=True)
    return figure


def add_bars(figure: go.Figure, metric: str, places: Sequence[tuple[float, Row]]) -> None:
    """Draw one metric's bars with their intervals."""
    scores = [(y, row, score) for y, row in places if (score := row.score(metric)) is not None]
    hover = [
        f"{plain(row.label)}<br>{plain(metric_label(metric))}: {spread_of(score)} "
        f"({plain(score.split)}, n {score.n or '?'}, {seeds_of(row.runs)})"
        + (f"<br>SD over seeds {score.sd:.3f}" if score.sd is not None else "")
        for _, row, score in scores
    ]
    figure.add_bar(
        x=[score.value for _, _, score in scores],
        y=[y for y, _, _ in scores],
        width=[BAR - 5] * len(scores),
        error_x={
            "type": "data",
            "array": [score.half or 0 for _, _, score in scores],
            "color": "#000000",
            "thickness": 1.5,
            "width": 4,
        },
        orientation="h",
        name=plain(metric_label(metric)),
        marker={"color": colour_of(metric)},
        hovertext=hover,
        hovertemplate="%{hovertext}<extra></extra>",
    )


def add_reported(figure: go.Figure, places: Sequence[tuple[float, str, Row]]) -> None:
    """Draw the report's numbers as diamonds that show on both themes and on every bar."""
    found = [
        (y, value, metric, row)
        for y, metric, row in places
        if (value := row.reported(metric)) is not None
    ]
    if found:
        splits = [row.runs[0].report_split or "split not told" for _, _, _, row in found]
        figure.add_scatter(
            x=[value for _, value, _, _ in found],
            y=[y for y, _, _, _ in found],
            mode="markers",
            name="the report's number",
            marker={
                "symbol": "diamond",
                "size": 11,
                "color": "#FFFFFF",
                "line": {"color": "#000000", "width": 2},
            },
            hovertext=[
                f"{plain(row.label)}<br>the report's {plain(metric_label(metric))}: "
                f"{fixed(value)} ({plain(split)})"
                for (_, value, metric, row), split in zip(found, splits, strict=True)
            ],
            hovertemplate="%{hovertext}<extra></extra>",
        )


def score_range(rows: Sequence[Row], metrics: Sequence[str]) -> list[float]:
    """Return the axis that holds zero, every interval's end and every number of the report."""
    ends = [0.1]
    for row in rows:
        for metric in metrics:
            score, reported = row.score(metric), row.reported(metric)
            if score is not None and score.value is not None:
                ends += [score.value - (score.half or 0), score.value + (score.half or 0)]
            ends += [reported] if reported is not None else []
    low, high = min(0.0, *ends), max(ends)
    margin = 0.03 * (high - low)
    return [low - margin if low < 0 else 0.0, high + margin]
