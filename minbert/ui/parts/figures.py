"""Plotly figures: transparent, their text coloured by the page's theme, always of a set height."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import gradio as gr
import plotly.graph_objects as go

from minbert.ui.input_area import Figure
from minbert.ui.parts.colours import GRID

TITLE = {"size": 13}  # of an axis
SHADE = [[0.0, "rgba(122,135,153,0)"], [1.0, "rgba(122,135,153,0.75)"]]  # background upwards
SIDE = 330  # pixels that one of two figures side by side needs at least
ROOMY = 8  # classes; of more a confusion's names are shorter
MOST_ROWS = 320  # pixels of all of a confusion's rows


def themed(figure: go.Figure, height: int) -> go.Figure:
    """Give a figure the page's background, a fixed height and small margins."""
    figure.update_layout(
        height=height,
        autosize=True,
        margin={"l": 8, "r": 8, "t": 40, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "IBM Plex Sans, sans-serif", "size": 13},
        modebar={"remove": ["select2d", "lasso2d", "zoom2d", "pan2d", "autoScale2d"]},
    )
    figure.update_xaxes(gridcolor=GRID, zerolinecolor=GRID, automargin=True)
    figure.update_yaxes(gridcolor=GRID, zerolinecolor=GRID, automargin=True)
    return figure


def places(labels: Sequence[str]) -> list[str]:
    """Return a place for each label, so that repeated words stay apart on an axis."""
    return [f"{index}:{label}" for index, label in enumerate(labels)]


def figure_place(name: str, *, classes: Sequence[str] = ()) -> Figure:
    """Make the place of a figure: its finding above it, and below it how to read it.

    Args:
        name: what its parts' ids begin with.
        classes: the plot's, beside its own.
    """
    with gr.Column(elem_classes="mb-figure"):
        words = gr.HTML(elem_id=f"{name}-words")
        plot = plot_place(name, classes=classes)
    return words, plot


def plot_place(name: str, *, classes: Sequence[str] = ()) -> gr.Plot:
    """Make the place of a plot; arguments as `figure_place`.

    It is always there, and style.css hides it while it is empty: of updates in a burst gradio's
    page may lose one that shows what was hidden.
    """
    return gr.Plot(
        show_label=False,
        elem_id=f"{name}-plot",
        elem_classes=["mb-plot", *classes],
    )


def two_sides(left: str, right: str) -> tuple[Figure, Figure]:
    """Make the places of two figures side by side; on a phone one stands below the other."""
    with gr.Row(equal_height=True):
        with gr.Column(min_width=SIDE, elem_classes="mb-column"):
            first = figure_place(left)
        with gr.Column(min_width=SIDE, elem_classes="mb-column"):
            second = figure_place(right)
    return first, second


def cut(text: str, most: int) -> str:
    """Return a text of at most so many characters; a longer one ends in an ellipsis."""
    return text if len(text) <= most else text[: most - 1] + "…"


def plain(text: str, most: int) -> str:
    """Return a text for a label: shortened, its tags taken as letters."""
    cut = text if len(text) <= most else text[: most - 1].rstrip() + "…"
    return escape(cut, quote=False)


def confusion_figure(
    counts: Sequence[Sequence[int]],
    labels: Sequence[str],
    *,
    given: str = "people's class",
    answered: str = "the model's class",
) -> go.Figure:
    """Draw counts, the class given down and the answer across, shaded by the share of a row.

    Args:
        counts: (C, C) rows by class and answer.
        labels: C names.
        given: what stands down the side.
        answered: what stands across.
    """
    shares = [[cell / (sum(row) or 1) for cell in row] for row in counts]
    names = [plain(label, 24 if len(labels) <= ROOMY else 12) for label in labels]
    at = places(names) if len(set(names)) < len(names) else names
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=at,
            y=at,
            text=[[f"{cell:,}" for cell in row] for row in counts],
            texttemplate="%{text}",
            colorscale=SHADE,
            zmin=0,
            zmax=1,
            xgap=2,
            ygap=2,
            showscale=False,
            hovertemplate=f"{given}: %{{y}}<br>{answered}: %{{x}}<br>%{{text}} rows, %{{z:.0%}} of "
            "the row<extra></extra>",
        )
    )
    themed(figure, height=150 + min(46 * len(at), MOST_ROWS))
    wrapped = [name.replace(" ", "<br>") for name in names] if len(at) <= ROOMY else names
    axis = {"tickvals": at, "ticktext": wrapped, "showgrid": False, "zeroline": False}
    across = {"text": answered, "font": TITLE}
    figure.update_xaxes(side="top", autotickangles=[0, 60], title=across, **axis)
    down = {"text": given, "font": TITLE}
    figure.update_yaxes(autorange="reversed", title=down, **axis)
    figure.update_layout(margin={"t": 64})
    return figure
