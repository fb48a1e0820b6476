"""Figures of a set of sentences: a matrix of cosines and a map, for one pooling each.

Sentences are somebody's text: Plotly reads tags in labels, so they are escaped here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from minbert.ui.parts.figures import plain, themed
from minbert.ui.pooling.sets import Compared, Comparison
from minbert.ui.pooling.sets_findings import nearest

MARK = "#D6336C"  # the chosen sentence
GLYPHS = ("●", "■", "◆", "▲", "▼", "★")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "star")
COLOURS = ("#8B5E3C", "#64748B", "#9C9A1B", "#C98BA4", "#8B5E3C", "#64748B")
LINE = "rgba(128,128,128,0.8)"
LABEL = 24  # characters of a sentence on an axis
HOVER = 90


def group_place(found: Comparison, place: int) -> int | None:
    """Return the number of a sentence's group, or None where it has none."""
    group = found.groups[place]
    return found.named.index(group) % len(GLYPHS) if group else None


def axis_label(found: Comparison, place: int) -> str:
    """Return a sentence's line number, its group's mark and its beginning."""
    group = group_place(found, place)
    mark = "" if group is None else f"{GLYPHS[group]} "
    return f"{plain(found.sentences[place], LABEL)} {mark}{place + 1}"


def limits(found: Comparison) -> tuple[float, float]:
    """Return the least and largest cosine of different sentences on both sides, in tenths."""
    count = len(found.sentences)
    values = [
        side.matrix[a][b]
        for side in found.sides
        for a in range(count)
        for b in range(count)
        if a != b
    ]
    low, high = math.floor(min(values) * 10) / 10, math.ceil(max(values) * 10) / 10
    return (low, high) if high > low else (low - 0.1, high)


def matrix_figure(
    found: Comparison, side: Compared, order: Sequence[int], chosen: int | None
) -> go.Figure:
    """Draw one side's cosines in an order, with the chosen sentence's row and column framed."""
    low, high = limits(found)
    count = len(order)
    names = [plain(found.sentences[place], HOVER) for place in order]
    steps = list(range(count))
    figure = go.Figure(
        go.Heatmap(
            z=[[None if a == b else round(side.matrix[a][b], 4) for b in order] for a in order],
            x=steps,
            y=steps,
            customdata=[[[a, b] for b in names] for a in names],
            colorscale="Viridis",
            reversescale=True,
            zmin=low,
            zmax=high,
            hoverongaps=False,
            hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>cosine %{z:.2f}<extra></extra>",
            colorbar={
                "orientation": "h",
                "thickness": 8,
                "y": -0.02,
                "yanchor": "top",
                "outlinewidth": 0,
                "nticks": 5,
            },
        )
    )
    themed(figure, height=130 + max(180, min(700, 20 * count)))
    size = 11 if count <= 32 else 8
    axis = {"tickmode": "array", "tickvals": steps, "showgrid": False, "zeroline": False}
    figure.update_xaxes(
        side="top",
        ticktext=[str(place + 1) for place in order],
        tickangle=0 if count <= 10 else -90,
        tickfont={"size": size},
        **axis,
    )
    figure.update_yaxes(
        autorange="reversed",
        ticktext=[axis_label(found, place) for place in order],
        tickfont={"size": size},
        **axis,
    )
    if chosen is not None:
        frame(figure, order.index(chosen), count)
    return figure


def frame(figure: go.Figure, step: int, count: int) -> None:
    """Frame one row and one column of a matrix."""
    line = {"color": MARK, "width": 2}
    for x0, x1, y0, y1 in (
        (-0.5, count - 0.5, step - 0.5, step + 0.5),
        (step - 0.5, step + 0.5, -0.5, count - 0.5),
    ):
        figure.add_shape(type="rect", x0=x0, x1=x1, y0=y0, y1=y1, line=line)


def points_figure(found: Comparison, side: Compared, chosen: int | None) -> go.Figure:
    """Draw one side's map, a mark a group, with thin lines from the chosen to its nearest."""
    figure = go.Figure()
    if chosen is not None:
        x0, y0 = side.points[chosen]
        for place in nearest(side, chosen):
            x, y = side.points[place]
            figure.add_scatter(
                x=[x0, x],
                y=[y0, y],
                mode="lines",
                line={"color": MARK, "width": 1},
                hoverinfo="skip",
                showlegend=False,
            )
        figure.add_scatter(
            x=[x0],
            y=[y0],
            mode="markers",
            marker={"size": 24, "symbol": "circle-open", "color": MARK, "line": {"width": 3}},
            hoverinfo="skip",
            showlegend=False,
        )
    for name in [*found.named, ""]:
        rows = [place for place, group in enumerate(found.groups) if group == name]
        if rows:
            add_group(figure, found, side, rows, name)
    themed(figure, height=330)
    for update, share, axis in zip(
        (figure.update_xaxes, figure.update_yaxes), side.shares, ("first", "second"), strict=True
    ):
        update(
            title={"text": f"{axis} component, {100 * share:.0f} %", "font": {"size": 13}},
            showticklabels=False,
            zeroline=False,
        )
    figure.update_layout(
        showlegend=bool(found.named),
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        margin={"t": 40},
    )
    return figure


def add_group(
    figure: go.Figure, found: Comparison, side: Compared, rows: Sequence[int], name: str
) -> None:
    """Add one group's points, numbered by line."""
    group = group_place(found, rows[0])
    kind = 0 if group is None else group
    figure.add_scatter(
        x=[side.points[place][0] for place in rows],
        y=[side.points[place][1] for place in rows],
        mode="markers+text",
        name=plain(name, HOVER) or "no group",
        text=[str(place + 1) for place in rows],
        textposition="top center",
        textfont={"size": 11},
        marker={
            "size": 11,
            "symbol": SYMBOLS[kind],
            "color": LINE if group is None else COLOURS[kind],
            "line": {"width": 1, "color": LINE},
        },
        customdata=[plain(found.sentences[place], HOVER) for place in rows],
        hovertemplate="%{text} %{customdata}<extra></extra>",
    )
