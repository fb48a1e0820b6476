"""Figures of labelled batches: reliability, and the model's scores against people's."""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from minbert.batch import BatchScores, Bin
from minbert.ui.parts.colours import NEUTRAL, TASK_COLOURS
from minbert.ui.parts.figures import TITLE, themed

MOST_POINTS = 2000  # of the scatter; more are thinned out evenly


def whisker(each: Bin) -> float:
    """Return one binomial standard error of a bin's share."""
    share = each.found or 0.0
    return math.sqrt(share * (1 - share) / each.count)


def reliability_figure(scores: BatchScores) -> go.Figure:
    """Draw what was found against what was predicted, a point a bin, and the bins' rows below."""
    bins = [each for each in scores.bins if each.count]
    colour = TASK_COLOURS[scores.task.name]
    yes = scores.task.pair
    names = ("probability of yes", "share of yes") if yes else ("how sure", "share right")
    figure = make_subplots(
        rows=2, cols=1, row_heights=[0.75, 0.25], shared_xaxes=True, vertical_spacing=0.06
    )
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": NEUTRAL, "dash": "dash"}, hoverinfo="skip"
    )
    figure.add_scatter(
        x=[each.predicted for each in bins],
        y=[each.found for each in bins],
        mode="lines+markers",
        line={"color": colour, "width": 2},
        marker={"size": 9},
        error_y={"array": [whisker(each) for each in bins], "thickness": 1.5, "width": 4},
        customdata=[each.count for each in bins],
        hovertemplate=f"{names[0]} %{{x:.0%}}, {names[1]} %{{y:.0%}}, %{{customdata}} rows"
        "<extra></extra>",
    )
    figure.add_bar(
        x=[(each.low + each.high) / 2 for each in scores.bins],
        y=[each.count for each in scores.bins],
        width=[0.9 * (each.high - each.low) for each in scores.bins],
        marker={"color": NEUTRAL},
        hovertemplate="%{y} rows<extra></extra>",
        row=2,
        col=1,
    )
    themed(figure, height=420)
    figure.update_layout(showlegend=False, margin={"t": 16})
    figure.update_xaxes(range=[-0.02, 1.02], tickformat=".0%", nticks=6)
    figure.update_xaxes(title={"text": names[0], "font": TITLE}, row=2, col=1)
    figure.update_yaxes(
        range=[-0.05, 1.05],
        tickformat=".0%",
        nticks=6,
        title={"text": names[1], "font": TITLE},
        row=1,
        col=1,
    )
    figure.update_yaxes(title={"text": "rows", "font": TITLE}, nticks=3, row=2, col=1)
    return figure


def thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return at most MOST_POINTS points, evenly from first to last."""
    step = max(math.ceil(len(points) / MOST_POINTS), 1)
    return list(points[::step])


def scatter_figure(points: Sequence[tuple[float, float]]) -> go.Figure:
    """Draw pairs by people's score and the model's, (people, model) each, both 0 to 5."""
    kept = thinned(points)
    people, model = [point[0] for point in kept], [point[1] for point in kept]
    low, high = min([0.0, *model]), max([5.0, *model])
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 5], y=[0, 5], mode="lines", line={"color": NEUTRAL, "dash": "dash"}, hoverinfo="skip"
    )
    figure.add_scatter(
        x=people,
        y=[round(score, 4) for score in model],
        mode="markers",
        marker={
            "size": 8,
            "color": people,
            "colorscale": "Viridis",
            "reversescale": True,
            "cmin": 0,
            "cmax": 5,
            "line": {"color": NEUTRAL, "width": 1.5},
        },
        hovertemplate="people %{x:.1f}, model %{y:.2f}<extra></extra>",
    )
    themed(figure, height=420)
    figure.update_layout(showlegend=False, margin={"t": 16})
    ticks = {"tickvals": list(range(6)), "zeroline": False}
    figure.update_xaxes(
        title={"text": "people's score", "font": TITLE}, range=[-0.15, 5.15], **ticks
    )
    figure.update_yaxes(
        title={"text": "the model's score", "font": TITLE},
        range=[low - 0.15, high + 0.15],
        **ticks,
    )
    return figure
