"""The Attention studio's findings in plain words: pure functions of what is drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from minbert.answers import AttentionResult
from minbert.explain.heads_summary import CLS, SEP, HeadsSummary
from minbert.ui.parts import tables
from minbert.ui.parts.numbers import percent
from minbert.ui.parts.texts import texts_of

READ_MAP = texts_of(__package__)["read.map"]
MOST_IN_TABLE = 24  # rows and columns that are shown as a whole table
STRONGEST = 100  # pairs that are listed of a larger map


def head_finding(
    rows: Sequence[str], columns: Sequence[str], weights: Tensor, layer: int, head: int
) -> str:
    """Say what a head (1-based; 0 for the mean over heads) looks at most, of a map (R, C)."""
    who = "the average of its heads looks" if head == 0 else f"head {head} looks"
    given = weights.sum().item()
    if not rows or not columns or given <= 0:
        return f"Layer {layer}: nothing is left to draw with these settings"
    shares = weights / weights.sum(dim=-1, keepdim=True).clamp(min=1e-12)
    focus = torch.special.entr(shares).sum(dim=-1).mean().item() / math.log(2)
    spread = focus / max(math.log2(len(columns)), 1e-9)
    manner = "sharply" if spread < 1 / 3 else "broadly" if spread > 3 / 4 else "with some focus"
    received = weights.sum(dim=0) / given  # (C,)
    top = int(received.argmax())
    return (
        f"Layer {layer}: {who} {manner}, most at “{columns[top]}” "
        f"({percent(received[top].item())} of the attention shown)"
    )


def grid_finding(result: AttentionResult, summary: HeadsSummary) -> str:
    """Say how many heads rest on the marks [CLS] and [SEP], and which one looks most sharply."""
    marks = [place for place, token in enumerate(result.tokens) if token in (CLS, SEP)]
    resting = result.weights[..., marks].sum(dim=-1).mean(dim=-1) > 0.5  # (L, H)
    layer, head = divmod(int(summary.entropy.argmin()), summary.entropy.shape[1])
    return (
        f"{int(resting.sum())} of {resting.numel()} heads give more than half of their attention "
        f"to [CLS] and [SEP]; the sharpest is head {head + 1} of layer {layer + 1}"
    )


def drawn_name(result: AttentionResult, head: int, *, rollout: bool) -> str:
    """Name the map that is drawn: its layer and head (1-based; 0 for the mean), or the rollout."""
    layer = result.layers[-1] + 1
    if rollout:
        return f"rollout through layer {layer}"
    return f"layer {layer}, " + ("mean of all heads" if head == 0 else f"head {head}")


def rollout_finding(labels: Sequence[str], shares: Tensor, layers: int) -> str:
    """Say which written word goes most into the embedding; `shares` are (W,)."""
    written = [place for place, label in enumerate(labels) if label not in (CLS, SEP)]
    if not written:
        return "There is no word to follow"
    top = max(written, key=lambda place: float(shares[place]))
    through = "layer 1" if layers == 1 else f"layers 1 to {layers}"
    return (
        f"Through {through}, “{labels[top]}” goes most into the embedding: "
        f"{percent(float(shares[top]))} of it by attention rollout"
    )


def attention_table(
    rows: Sequence[str], columns: Sequence[str], weights: Tensor, name: str = ""
) -> str:
    """Return a map (R, C) as a table; of a large one its strongest cells, the rest as files.

    `name` begins the caption, where several maps are shown.
    """
    named = f"{name}: " if name else ""
    if max(len(rows), len(columns)) <= MOST_IN_TABLE:
        body = [
            [name, *(f"{100 * value:.1f}" for value in row)]
            for name, row in zip(rows, weights.tolist(), strict=True)
        ]
        caption = f"{named}Per cent of each row's attention"
        return tables.table(caption, ["Looks \\ at", *columns], body)
    count = min(STRONGEST, weights.numel())
    values, order = weights.flatten().sort(descending=True, stable=True)
    body = []
    for value, cell in zip(values[:count].tolist(), order[:count].tolist(), strict=True):
        row, column = divmod(cell, len(columns))
        body.append([f"{rows[row]} ({row + 1})", f"{columns[column]} ({column + 1})"])
        body[-1].append(f"{100 * value:.1f}")
    caption = (
        f"{named}The {count} strongest of {weights.numel():,} cells, per cent; all are in the files"
    )
    return tables.table(caption, ["Looks", "At", "Share"], body)
