"""The Attention studio's figure: one map."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import torch
from torch import Tensor

from minbert.ui.parts.figures import cut, themed

TEAL = "20,148,136"
ATTENTION_SCALE = [[0.0, f"rgba({TEAL},0)"], [1.0, f"rgba({TEAL},0.9)"]]  # background up
PRINTED_ENTRIES = 14  # numbers are printed in the cells of maps up to this size
LARGE_LETTERS, SLANTED = 24, 16  # most entries of an axis in letters of 12 px, and slanted
BELOW = {  # the colours' scale takes no width: a phone has little
    **{"orientation": "h", "x": 0.5, "y": 0, "xanchor": "center", "yanchor": "top", "len": 0.8},
    **{"thickness": 10, "outlinewidth": 0, "title": {"text": "share of attention", "side": "top"}},
}
LONGEST_WORD = 14  # characters on an axis; hovering shows it whole
CAMERA = {  # the figure as PNG; a grey that is seen on both themes
    "remove": ["select", "lasso", "zoom", "pan", "autoScale", "zoomIn", "zoomOut", "resetScale"],
    "color": "rgba(128,128,128,0.9)",
    "activecolor": f"rgb({TEAL})",
    "bgcolor": "rgba(0,0,0,0)",
}


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
