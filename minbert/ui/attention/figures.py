"""The Attention studio's figures: one map, all maps at once, and what fine-tuning changed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import torch
from torch import Tensor

from minbert.explain.attention_view import AttentionView
from minbert.ui.parts.figures import cut, themed

TEAL = "20,148,136"
ATTENTION_SCALE = [[0.0, f"rgba({TEAL},0)"], [1.0, f"rgba({TEAL},0.9)"]]  # background up
# Opacity grows as the root of the share, so that a weak pattern shows beside a strong one.
ROOT_STEPS = (0.0, 0.01, 0.04, 0.16, 0.36, 0.64, 1.0)
ROOT_SCALE = [[share, f"rgba({TEAL},{0.95 * math.sqrt(share):.3f})"] for share in ROOT_STEPS]
PRINTED_ENTRIES = 14  # numbers are printed in the cells of maps up to this size
LARGE_LETTERS, SLANTED = 24, 16  # most entries of an axis in letters of 12 px, and slanted
BELOW = {  # the colours' scale takes no width: a phone has little
    **{"orientation": "h", "x": 0.5, "y": 0, "xanchor": "center", "yanchor": "top", "len": 0.8},
    **{"thickness": 10, "outlinewidth": 0, "title": {"text": "share of attention", "side": "top"}},
}
LONGEST_WORD = 14  # characters on an axis; hovering shows it whole
MOST_CELLS = 600_000  # of all small maps together: 2 bytes each, written as base64
CAMERA = {  # the figure as PNG; a grey that is seen on both themes
    "remove": ["select", "lasso", "zoom", "pan", "autoScale", "zoomIn", "zoomOut", "resetScale"],
    "color": "rgba(128,128,128,0.9)",
    "activecolor": f"rgb({TEAL})",
    "bgcolor": "rgba(0,0,0,0)",
}
GRID_LINE = "rgba(128,128,128,0.55)"


def places(labels: Sequence[str]) -> list[str]:
    """Number labels, so that a repeated word keeps a row of its own."""
    return [f"{label} ({number})" for number, label in enumerate(labels, start=1)]


def map_figure(
    rows: Sequence[str], columns: Sequence[str], weights: Tensor, most: float | None = None
) -> go.Figure:
    """Draw one map (R, C); `most` is where the colours end, the map's own maximum by default."""
    values = torch.round(weights.double(), decimals=4).tolist()
    top = max((max(row) for row in values if row), default=0.0) if most is None else most
    printed = max(len(rows), len(columns)) <= PRINTED_ENTRIES
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=places(columns),
            y=places(rows),
            colorscale=ATTENTION_SCALE,
            zmin=0,
            zmax=top or 1.0,
            xgap=1,
            ygap=1,
            texttemplate="%{z:.2f}" if printed else None,
            hovertemplate="%{y} looks at %{x}: %{z:.1%}<extra></extra>",
            colorbar={**BELOW, "tickformat": ".0%", "nticks": 5},
        )
    )
    themed(figure, height=max(340, min(1440, 160 + 24 * len(rows)))).update_layout(modebar=CAMERA)
    for update, labels in ((figure.update_xaxes, columns), (figure.update_yaxes, rows)):
        update(
            tickmode="array",
            tickvals=places(labels),
            ticktext=[cut(label, LONGEST_WORD) for label in labels],
            tickfont={"size": 12 if len(labels) <= LARGE_LETTERS else 10},
            showgrid=False,
            title=None,
        )
    figure.update_xaxes(side="top", tickangle=-60 if len(columns) <= SLANTED else -90)
    figure.update_yaxes(autorange="reversed")
    return figure


def grid_entries(view: AttentionView) -> int:
    """Return how many rows and columns of each small map can be drawn."""
    return math.isqrt(MOST_CELLS // max(1, view.weights.shape[0] * view.weights.shape[1]))


def grid_figure(view: AttentionView) -> go.Figure:
    """Draw all maps of (L, H, R, C) as one heat map of L by H tiles, in thousandths.

    Rows and columns beyond `grid_entries` are left out. `layout.meta` says how many of each a
    tile has, for whoever turns a clicked cell into a layer and a head.
    """
    most = grid_entries(view)
    rows, columns = view.rows[:most], view.columns[:most]
    weights = view.weights[:, :, : len(rows), : len(columns)]
    layers, heads = weights.shape[:2]
    tiled = weights.transpose(1, 2).reshape(layers * len(rows), heads * len(columns))
    thousandths = torch.round(tiled.double() * 1000).numpy().astype(np.uint16)
    figure = go.Figure(
        go.Heatmap(
            z=thousandths,
            x=[f"head {h}: {name}" for h in range(1, heads + 1) for name in places(columns)],
            y=[f"layer {k}, {name}" for k in range(1, layers + 1) for name in places(rows)],
            colorscale=ROOT_SCALE,
            zmin=0,
            zmax=1000,
            hovertemplate="%{y} looks, %{x}<br>%{z} thousandths of its attention<extra></extra>",
            colorbar={
                **BELOW,
                "tickvals": [0, 250, 500, 1000],
                "ticktext": ["0%", "25%", "50%", "100%"],
                "tickangle": 0,
            },
        )
    )
    themed(figure, height=96 * layers + 100).update_layout(modebar=CAMERA)
    for update, count, size, name in (
        (figure.update_xaxes, heads, len(columns), "head"),
        (figure.update_yaxes, layers, len(rows), "layer"),
    ):
        middles = [part * size + (size - 1) / 2 for part in range(count)]
        numbers = [str(part + 1) for part in range(count)]
        update(tickmode="array", tickvals=middles, ticktext=numbers, title=name, showgrid=False)
    figure.update_xaxes(side="top", type="category", range=[-0.5, heads * len(columns) - 0.5])
    figure.update_yaxes(type="category", range=[layers * len(rows) - 0.5, -0.5])
    figure.update_layout(
        meta={"rows": len(rows), "columns": len(columns)},
        shapes=[
            *(line("x", h * len(columns) - 0.5) for h in range(heads + 1)),
            *(line("y", k * len(rows) - 0.5) for k in range(layers + 1)),
        ],
    )
    return figure


def line(axis: str, at: float) -> dict[str, object]:
    """Return a line across the whole figure at a place of one axis."""
    other = "y" if axis == "x" else "x"
    return {
        "type": "line",
        **{f"{axis}0": at, f"{axis}1": at, f"{axis}ref": axis},
        **{f"{other}0": 0, f"{other}1": 1, f"{other}ref": f"{other} domain"},
        "line": {"width": 1, "color": GRID_LINE},
    }
