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

WHAT_IT_IS = (
    "Attention says how much each word draws on each other word when a layer rewrites it. It shows "
    "where information flows, not why an answer came out: other maps can lead to the same answer. "
    "To check a reason, take the word away: mask it below, or see the tab “Why?”."
)
READ_MAP = (
    "How to read this: each row is a word that looks, each column one that is looked at; a whole "
    "row adds up to 100 %. Look for columns that many rows share, and for diagonals (neighbours). "
    "It can't tell which word made the answer."
)
READ_GRID = (
    "How to read this: one small map for each layer (down) and head (across), rows looking at "
    "columns as in the single map; colour deepens with the root of the share, so that weak "
    "patterns show. Click a small map, or a row of the table below, to see it large. Stripes are "
    "words that all look at. It can't tell which heads matter for the answer."
)
READ_ROLLOUT = (
    "How to read this: each row is a word after the chosen layer, each column a word as it was "
    "typed; a cell is how much of it has arrived, all layers up to there multiplied, heads "
    "averaged, half of each state kept as it was (attention rollout, Abnar & Zuidema 2020). "
    "It follows attention alone, so it can't tell what the values carried, nor which class they "
    "speak for."
)
READ_HEADS = (
    "How to read this: choose a row to see that head; above, choose which come first. Spread is "
    "the mean entropy in bits (0: each word looks at one other), on [SEP] the share that rests "
    "there with nothing else to look at, distance the mean number of tokens between who looks "
    "and what is looked at, A → B the share that A's words give to B's. A head that stands out "
    "here need not matter for the answer."
)
READ_MASK = (
    "How to read this: the map that is drawn above, without and with the mask, in the same "
    "colours; the masked word is read as [MASK]. Look at what its column's attention went to. A "
    "masked sentence is one that fine-tuning never saw, so a small change of an answer may come "
    "from that alone."
)
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
    rows: Sequence[str], columns: Sequence[str], weights: Tensor, summary: str = "The numbers"
) -> str:
    """Return a map (R, C) as a table; of a large one its strongest cells, the rest as files."""
    if max(len(rows), len(columns)) <= MOST_IN_TABLE:
        body = [
            [name, *(f"{100 * value:.1f}" for value in row)]
            for name, row in zip(rows, weights.tolist(), strict=True)
        ]
        caption = "Per cent of each row's attention"
        return tables.numbers_table(caption, ["Looks \\ at", *columns], body, summary)
    count = min(STRONGEST, weights.numel())
    values, order = weights.flatten().sort(descending=True, stable=True)
    body = []
    for value, cell in zip(values[:count].tolist(), order[:count].tolist(), strict=True):
        row, column = divmod(cell, len(columns))
        body.append([f"{rows[row]} ({row + 1})", f"{columns[column]} ({column + 1})"])
        body[-1].append(f"{100 * value:.1f}")
    caption = f"The {count} strongest of {weights.numel():,} cells, per cent; all are in the files"
    return tables.numbers_table(caption, ["Looks", "At", "Share"], body, summary)
