"""Both models' answers side by side: the figure, its table, how to read it."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from minbert.tasks import SENTIMENT, clamped
from minbert.ui.parts.answer_words import POOLING_NAMES
from minbert.ui.parts.colours import CLS_COLOUR, MEAN_COLOUR
from minbert.ui.parts.figures import themed
from minbert.ui.parts.numbers import percent, shown
from minbert.ui.parts.tables import table
from minbert.ui.question import Answer


def pooling_figure(
    cls: Answer | None, mean: Answer, names: Mapping[str, str] = POOLING_NAMES
) -> go.Figure:
    """Draw both models' predictions of all three tasks, one pooling a colour; or one model's."""
    paired = mean.pair is not None
    drawn = [(names["mean"], MEAN_COLOUR, mean)]
    if cls is not None:
        drawn.append((names["cls"], CLS_COLOUR, cls))
    titles = ["Sentiment of A"] + ["Sentiment of B", "Paraphrase", "Similarity, 0–5"] * paired
    rows, columns = (2, 2) if paired else (1, 1)
    figure = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=titles,
        row_heights=[0.72, 0.28] if paired else [1.0],
        shared_yaxes=True,
        vertical_spacing=0.18,
        horizontal_spacing=0.06,
    )
    for name, colour, answer in drawn:
        style = {
            "name": name,
            "legendgroup": name,
            "marker": {"color": colour},
            "orientation": "h",
            "cliponaxis": False,
        }
        for column, result in enumerate(answer.sentiments, start=1):
            figure.add_bar(
                x=list(result.probabilities),
                y=list(SENTIMENT.labels),
                text=[percent(p) for p in result.probabilities],
                textposition="outside",
                hovertemplate=f"{name}: %{{y}} %{{x:.1%}}<extra></extra>",
                showlegend=column == 1,
                row=1,
                col=column,
                **style,
            )
        if answer.pair is not None:
            bars = (
                (1, answer.pair.paraphrase, percent(answer.pair.paraphrase)),
                (2, answer.pair.score, shown(answer.pair.score)),
            )
            for column, value, text in bars:
                figure.add_bar(
                    x=[value],
                    y=[name],
                    text=[text],
                    textposition="outside",
                    hovertemplate=f"{name}: {text}<extra></extra>",
                    showlegend=False,
                    row=2,
                    col=column,
                    **style,
                )
    themed(figure, height=500 if paired else 320)
    figure.update_layout(
        barmode="group",
        bargap=0.3,
        margin={"t": 72},
        legend={
            "orientation": "h",
            "x": 0.5,
            "xanchor": "center",
            "y": 1.08 if paired else 1.15,
            "yanchor": "bottom",
            "traceorder": "reversed",
        },
    )
    top = max(max(r.probabilities) for _, _, answer in drawn for r in answer.sentiments)
    figure.update_xaxes(range=[0, min(1.0, top) * 1.3], tickformat=".0%", nticks=4, row=1)
    if paired:
        figure.update_xaxes(range=[0, 1.25], tickvals=[0, 0.5, 1], tickformat=".0%", row=2, col=1)
        figure.update_xaxes(range=[0, 6.2], tickvals=list(range(6)), row=2, col=2)
    return figure


def answers_table(
    cls: Answer | None, mean: Answer, names: Mapping[str, str] = POOLING_NAMES
) -> str:
    """Return both models' answers to all three tasks; or one model's."""
    shown = [mean] if cls is None else [cls, mean]
    rows = [
        [f"Sentiment of {name}, {label}"]
        + [f"{answer.sentiments[place].probabilities[k]:.1%}" for answer in shown]
        for place, name in zip(range(len(mean.sentiments)), "AB", strict=False)
        for k, label in enumerate(SENTIMENT.labels)
    ]
    pairs = [answer.pair for answer in shown if answer.pair is not None]
    if pairs:
        rows += [
            ["Paraphrase, yes", *(f"{pair.paraphrase:.1%}" for pair in pairs)],
            ["Similarity, 0 to 5", *(f"{pair.score:.2f}" for pair in pairs)],
            ["Similarity, joint score", *(f"{clamped(pair.joint):.2f}" for pair in pairs)],
            ["Similarity, Siamese score", *(f"{clamped(pair.siamese):.2f}" for pair in pairs)],
        ]
    if cls is None:
        return table("Answers of the model", ["Answer", names["mean"]], rows)
    return table("Answers of both models", ["Answer", names["cls"], names["mean"]], rows)
