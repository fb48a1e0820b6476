"""Figures of the experiments: scores, training curves, task shares, gradient conflicts.

All of them are one column, so that they fit a phone; what stands beside a colour in words or in a
dash says the same as the colour does.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from minbert.records.form import TASKS
from minbert.records.runs import Conflict, CurvePoint, Run, Shares
from minbert.ui.experiments.sampling import Epoch
from minbert.ui.parts.colours import GRID, NEUTRAL, TASK_COLOURS, colour_of
from minbert.ui.parts.figures import TITLE, themed
from minbert.ui.parts.score_rows import NORMALISED, Row

DASHES = ("solid", "dash", "dot", "dashdot")  # one a row, with its own symbol
SYMBOLS = ("circle", "square-open", "diamond", "x-open")
AGAINST = {"tokens": "tokens read", "minutes": "minutes", "epoch": "epoch"}
MEASURES = ("conflict rate", "cosine")


def plain(label: str) -> str:
    """Write a text for a figure: angle brackets in it stay text, lines are kept."""
    return label.replace("<", "&lt;").replace("\n", "<br>")


def note(label: str, **place: object) -> dict[str, object]:
    """Return an annotation, its left end in place."""
    return {"text": plain(label), "showarrow": False, "xanchor": "left", **place}


def curves_figure(rows: Sequence[Row], measures: Sequence[str], against: str) -> go.Figure:
    """Draw a panel a measure, a line a run; rows differ in dash and symbol."""
    titles = [NORMALISED.capitalize() + " mean" if m == NORMALISED else m for m in measures]
    figure = panels([title.capitalize() for title in titles])
    for place, row in enumerate(rows):
        style = {
            "mode": "lines+markers",
            "legendgroup": plain(row.name),
            "name": plain(row.name),
        }
        dash, symbol = DASHES[place % len(DASHES)], SYMBOLS[place % len(SYMBOLS)]
        figure.add_scatter(
            x=[None],
            y=[None],
            line={"dash": dash, "color": NEUTRAL},
            marker={"symbol": symbol, "size": 8},
            **style,
        )
        for panel, measure in enumerate(measures, start=1):
            for run in row.runs:
                points = curve_points(run.curve, measure, against)
                figure.add_scatter(
                    x=[x for x, _ in points],
                    y=[y for _, y in points],
                    line={"dash": dash, "color": colour_of(measure), "width": 2},
                    marker={"symbol": symbol, "size": 7},
                    hovertemplate=f"{style['name']}, seed {run.seed}: {measure} %{{y:.3f}} "
                    f"at %{{x}} {AGAINST[against]}<extra></extra>",
                    showlegend=False,
                    row=panel,
                    col=1,
                    **style,
                )
    finish_panels(figure, len(measures), AGAINST[against])
    figure.update_layout(margin={"t": 44 + 16 * len(rows)})
    figure.update_yaxes(title={"text": "score", "font": TITLE}, tickformat=".2f", nticks=5)
    return figure


def curve_points(
    curve: Sequence[CurvePoint], measure: str, against: str
) -> list[tuple[float, float]]:
    """Return a curve's points that have both numbers."""
    found = []
    for point in curve:
        x, y = getattr(point, against), point.scores.get(measure)
        if x is not None and y is not None:
            found.append((x, y))
    return found


def panels(titles: Sequence[str]) -> go.Figure:
    """Return panels below each other, each with its title at the left above it."""
    figure = make_subplots(
        rows=len(titles),
        cols=1,
        shared_xaxes=True,
        subplot_titles=[plain(title) for title in titles],
        vertical_spacing=0.22 / len(titles),
    )
    figure.update_annotations(x=0, xanchor="left", font={"size": 14})
    return figure


def finish_panels(figure: go.Figure, count: int, x_title: str) -> None:
    """Set the height of panels, the legend's place above them, the name of the last x axis."""
    themed(figure, height=150 + 160 * count)
    figure.update_layout(
        margin={"t": 90, "b": 50},
        legend={"orientation": "h", "x": 0, "y": 1, "yref": "container", "yanchor": "top"},
    )
    figure.update_xaxes(title={"text": x_title, "font": TITLE}, row=count, col=1)


def shares_figure(epochs: Sequence[Epoch], recorded: Sequence[Shares] = ()) -> go.Figure:
    """Draw each task's share of the steps; a run's recorded shares are open circles."""
    figure = go.Figure()
    numbers = list(range(1, len(epochs) + 1))
    ends = spread([100 * share for share in epochs[-1].shares], 7)
    for place, task in enumerate(TASKS):
        shares = [100 * epoch.shares[place] for epoch in epochs]
        figure.add_scatter(
            x=numbers,
            y=shares,
            name=task,
            mode="lines+markers",
            line={"color": TASK_COLOURS[task], "width": 2.5, "dash": DASHES[place]},
            marker={"size": 6, "symbol": ("circle", "square", "diamond")[place]},
            customdata=[epoch.alpha for epoch in epochs],
            hovertemplate=f"epoch %{{x}}, α %{{customdata:.2f}}: {task} %{{y:.1f}} %"
            "<extra></extra>",
        )
        figure.add_annotation(
            note(f"{task} {shares[-1]:.0f} %", x=1.01, y=ends[place], xref="paper")
        )
        add_recorded(figure, task, recorded)
    figure.add_hline(y=100 / len(TASKS), line={"dash": "dot", "color": GRID, "width": 2})
    last = max([len(epochs), *(one.epoch for one in recorded)])
    themed(figure, height=360)
    figure.update_layout(showlegend=False, margin={"t": 16, "b": 50, "r": 116})
    figure.update_xaxes(
        title={"text": "epoch", "font": TITLE},
        range=[0.8, last + 0.2],
        nticks=min(int(last), 10),
        tickformat="d",
    )
    figure.update_yaxes(
        title={"text": "share of the steps, %", "font": TITLE}, range=[0, 102], nticks=6
    )
    return figure


def add_recorded(figure: go.Figure, task: str, recorded: Sequence[Shares]) -> None:
    """Draw a run's recorded shares of one task as open circles."""
    drawn = [one for one in recorded if task in one.p]
    if drawn:
        figure.add_scatter(
            x=[one.epoch for one in drawn],
            y=[100 * one.p[task] for one in drawn],
            mode="markers",
            marker={
                "symbol": "circle-open",
                "size": 14,
                "line": {"width": 2},
                "color": TASK_COLOURS[task],
            },
            hovertemplate=f"recorded, epoch %{{x}}: {task} %{{y:.1f}} %<extra></extra>",
        )


def spread(values: Sequence[float], gap: float) -> list[float]:
    """Move labels apart, lowest first, so that none is nearer to the next than `gap`."""
    places = list(values)
    order = sorted(range(len(values)), key=lambda index: values[index])
    for below, above in itertools.pairwise(order):
        places[above] = max(places[above], places[below] + gap)
    return places


def conflicts_figure(run: Run, measure: str) -> go.Figure:
    """Draw a panel a task pair: the measure before surgery (dashed) and after (solid)."""
    names = list(dict.fromkeys(pair for epoch in run.surgery for pair in epoch.pairs))
    figure = panels([pair_label(name) for name in names])
    for panel, name in enumerate(names, start=1):
        for after in (False, True):
            points = [
                (epoch.epoch, value_of(epoch.pairs[name], measure, after=after))
                for epoch in run.surgery
                if name in epoch.pairs
            ]
            when = "after surgery" if after else "before surgery"
            figure.add_scatter(
                x=[x for x, _ in points],
                y=[y for _, y in points],
                name=when,
                legendgroup=when,
                showlegend=panel == 1,
                mode="lines+markers",
                line={"color": NEUTRAL, "width": 2.5, "dash": "solid" if after else "dot"},
                marker={"symbol": "circle" if after else "circle-open", "size": 8},
                hovertemplate=f"epoch %{{x}}, {when}: %{{y}}<extra></extra>",
                row=panel,
                col=1,
            )
    finish_panels(figure, len(names), "epoch")
    figure.update_layout(margin={"t": 70})
    last = max((epoch.epoch for epoch in run.surgery), default=1)
    figure.update_xaxes(tickformat="d", tick0=0, dtick=max(1, math.ceil(last / 10)))
    rate = measure == "conflict rate"
    figure.update_yaxes(
        title={"text": measure, "font": TITLE},
        tickformat=".0%" if rate else "+.2f",
        rangemode="tozero",
        nticks=5,
    )
    return figure


def value_of(conflict: Conflict, measure: str, *, after: bool) -> float | None:
    """Return one of a conflict's four numbers."""
    if measure == "conflict rate":
        return conflict.conflict_rate_after if after else conflict.conflict_rate
    return conflict.cosine_after if after else conflict.cosine


def pair_label(pair: str) -> str:
    """Write a task pair in words."""
    return pair.replace("-", " and ").capitalize()
