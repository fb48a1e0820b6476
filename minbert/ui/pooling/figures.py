"""Figures of the pooling lab: contributions on one diverging scale, poolings in their colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots
from torch import Tensor

from minbert.explain import SentimentSplit, SimilaritySplit
from minbert.tasks import SENTIMENT
from minbert.ui.parts.answer_words import POOLING_NAMES
from minbert.ui.parts.colours import (
    AGAINST,
    DIVERGING,
    FOR,
    POOLING_COLOURS,
)
from minbert.ui.parts.figures import places, themed

PRINTED_WORDS = 12  # numbers are printed in the cells of figures up to this many words


def rounded(values: Tensor) -> list[list[float]]:
    """Return a matrix as plain numbers of four decimals."""
    return [[round(value, 4) for value in row] for row in values.tolist()]


def split_figure(split: SimilaritySplit) -> go.Figure:
    """Draw the matrix whose sum is the cosine, with the words' own sums beside it."""
    rows, columns = split.first.labels, split.second.labels
    y, x = places(rows), places(columns)
    limit = max(split.matrix.abs().max().item(), 1e-6)
    printed = max(len(rows), len(columns)) <= PRINTED_WORDS
    figure = make_subplots(
        rows=2,
        cols=2,
        column_widths=[0.84, 0.16],
        row_heights=[0.16, 0.84],
        shared_xaxes=True,
        shared_yaxes=True,
        horizontal_spacing=0.02,
        vertical_spacing=0.02,
    )
    figure.add_heatmap(
        z=rounded(split.matrix),
        x=x,
        y=y,
        customdata=[[[a, b] for b in columns] for a in rows],
        colorscale=DIVERGING,
        zmin=-limit,
        zmax=limit,
        xgap=1,
        ygap=1,
        showscale=False,
        texttemplate="%{z:.3f}" if printed else None,
        hovertemplate="%{customdata[0]} with %{customdata[1]}: %{z:.4f}<extra></extra>",
        row=2,
        col=1,
    )
    figure.add_bar(
        x=x,
        y=split.second_sums.tolist(),
        marker={"color": signs(split.second_sums)},
        customdata=list(columns),
        hovertemplate="%{customdata}: %{y:.4f}<extra></extra>",
        row=1,
        col=1,
    )
    figure.add_bar(
        x=split.first_sums.tolist(),
        y=y,
        orientation="h",
        marker={"color": signs(split.first_sums)},
        customdata=list(rows),
        hovertemplate="%{customdata}: %{x:.4f}<extra></extra>",
        row=2,
        col=2,
    )
    themed(figure, height=max(360, min(1400, 190 + 26 * len(rows))))
    figure.update_layout(showlegend=False, margin={"t": 16})
    figure.update_xaxes(
        tickvals=x, ticktext=list(columns), tickangle=-60, showgrid=False, row=2, col=1
    )
    figure.update_yaxes(
        tickvals=y, ticktext=list(rows), autorange="reversed", showgrid=False, row=2
    )
    figure.update_yaxes(nticks=3, row=1, col=1)
    figure.update_xaxes(nticks=3, row=2, col=2)
    return figure


def signs(values: Tensor) -> list[str]:
    """Return the colour of each value's sign."""
    return [FOR if value >= 0 else AGAINST for value in values.tolist()]


def contributions_figure(splits: Mapping[str, SentimentSplit]) -> go.Figure:
    """Draw what each word adds to each class, one panel a sentence, all on one scale."""
    names = list(splits)
    figure = make_subplots(
        rows=len(names),
        cols=1,
        subplot_titles=[f"Sentence {name}" for name in names],
        vertical_spacing=0.3 if len(names) > 1 else 0,
    )
    limit = max(max(split.relative.abs().max().item() for split in splits.values()), 1e-6)
    for row, name in enumerate(names, start=1):
        split = splits[name]
        labels = split.words.labels
        x = places(labels)
        figure.add_heatmap(
            z=rounded(split.relative.T),
            x=x,
            y=list(SENTIMENT.labels),
            customdata=[list(labels)] * len(SENTIMENT.labels),
            colorscale=DIVERGING,
            zmin=-limit,
            zmax=limit,
            xgap=1,
            ygap=1,
            showscale=False,
            texttemplate="%{z:.2f}" if len(labels) <= PRINTED_WORDS else None,
            hovertemplate="%{customdata}, %{y}: %{z:+.3f}<extra></extra>",
            row=row,
            col=1,
        )
        figure.update_xaxes(
            tickvals=x, ticktext=list(labels), tickangle=-60, showgrid=False, row=row, col=1
        )
    themed(figure, height=60 + 270 * len(names))
    figure.update_yaxes(showgrid=False)
    return figure


def layers_figure(
    cosines: Mapping[str, Sequence[float]], names: Mapping[str, str] = POOLING_NAMES
) -> go.Figure:
    """Draw the cosine of A and B after each layer, one line a pooling."""
    figure = go.Figure()
    for name, values in cosines.items():
        figure.add_scatter(
            x=list(range(len(values))),
            y=[round(value, 4) for value in values],
            name=names[name],
            mode="lines+markers",
            line={"color": POOLING_COLOURS[name], "width": 2.5},
            marker={"size": 8, "symbol": "diamond" if name == "cls" else "circle"},
            hovertemplate=f"{names[name]}, layer %{{x}}: %{{y:.3f}}<extra></extra>",
        )
    themed(figure, height=320)
    last = max(len(values) for values in cosines.values()) - 1
    figure.update_xaxes(
        tickvals=list(range(last + 1)),
        ticktext=["words", *(str(layer) for layer in range(1, last + 1))],
        title="layer",
    )
    figure.update_yaxes(title="cosine of A and B")
    figure.update_layout(
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}, margin={"t": 48}
    )
    return figure
