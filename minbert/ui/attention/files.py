"""What is drawn, as files: a page that opens offline, a table, and JSON."""

from __future__ import annotations

import csv
import dataclasses
import io
from html import escape
from typing import Any

import plotly.graph_objects as go
import torch
from gradio.processing_utils import save_bytes_to_cache
from plotly.io import to_html
from torch import Tensor

from minbert.explain.attention_view import AttentionView
from minbert.files import json_text
from minbert.ui.attention.events import ALL, Controls, Studio

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:1100px;margin:24px auto;padding:0 16px}"
    ".mb-heads-picture{display:grid;max-width:768px;aspect-ratio:var(--heads)/var(--layers);"
    "background-size:100% 100%;outline:1px solid #888}"
    ".mb-heads-across,.mb-heads-down,.mb-readout{display:none}"
)


def chosen_maps(
    view: AttentionView, layers: list[int], head: int | None
) -> list[tuple[str, str, Tensor]]:
    """Name each map (R, C) that is written: its layer, its head.

    Args:
        view: of as many layers as `layers` names, or of a rollout through the last of them.
        layers: 1-based.
        head: 1-based, 0 for the mean over heads; None: all.
    """
    found = []
    for layer, maps in zip(layers[-len(view.weights) :], view.weights, strict=True):
        if head == 0:
            found.append((f"{layer}", "mean", maps.mean(dim=0)))
            continue
        for number, one in enumerate(maps, start=1):
            if head in (None, number):
                found.append((f"{layer}", f"{number}", one))
    return found


def as_csv(view: AttentionView, maps: list[tuple[str, str, Tensor]]) -> str:
    """Write maps as one table: a line for each row, a column for each word that is looked at.

    Words are numbered, so that no cell begins with a sign that a spreadsheet takes for a formula.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    numbered = [f"{number}: {name}" for number, name in enumerate(view.columns, start=1)]
    writer.writerow(["layer", "head", "looks", *numbered])
    for layer, head, one in maps:
        for number, (name, row) in enumerate(zip(view.rows, plain(one), strict=True), start=1):
            writer.writerow([layer, head, f"{number}: {name}", *row])
    return text.getvalue()


def as_json(
    view: AttentionView, maps: list[tuple[str, str, Tensor]], settings: dict[str, Any]
) -> str:
    """Write maps with the settings that made them."""
    told = {
        **settings,
        "rows": view.rows,
        "columns": view.columns,
        "maps": [{"layer": layer, "head": head, "weights": plain(m)} for layer, head, m in maps],
    }
    return json_text(told) + "\n"


def plain(weights: Tensor) -> list[list[float]]:
    """Return a map as numbers of 6 decimals."""
    rows: list[list[float]] = torch.round(weights.double(), decimals=6).tolist()
    return rows


def as_page(figure: go.Figure, words: str, picture: str) -> str:
    """Return a page that needs no network: all heads, the map's words (our own HTML), the map."""
    printed = go.Figure(figure)
    printed.update_layout(paper_bgcolor="white", plot_bgcolor="white", font={"color": "#111"})
    drawn = to_html(printed, include_plotlyjs=True, full_html=False)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape('Attention, minBERT Lab')}</title><style>{STYLE}</style></head>"
        f"<body>{picture}{words}{drawn}</body></html>"
    )


def write_files(studio: Studio, cache: str, first: str, second: str, *controls: Any) -> list[str]:  # noqa: ANN401 - see Controls
    """Write what is drawn as a page, a table and JSON into gradio's cache.

    With the view `ALL`, table and JSON hold the maps of all layers and heads.
    """
    chosen = Controls(*controls)
    block, figure, _, picture = studio.show(first, second, *controls)
    drawn = studio.draw(first, second, chosen)
    view, numbers = drawn.view, [layer + 1 for layer in drawn.result.layers]
    maps = chosen_maps(view, numbers, None if chosen.view == ALL else drawn.head)
    settings = {
        **{"first": first, "second": second, **dataclasses.asdict(chosen)},
        "shown_share": float(view.shown.mean()) if view.weights.numel() else 0.0,
    }
    texts = {
        "attention.html": as_page(figure, block, picture),
        "attention.csv": as_csv(view, maps),
        "attention.json": as_json(view, maps, settings),
    }
    return [
        save_bytes_to_cache(
            text.encode("utf-8-sig" if name.endswith(".csv") else "utf-8"), name, cache_dir=cache
        )
        for name, text in texts.items()
    ]
