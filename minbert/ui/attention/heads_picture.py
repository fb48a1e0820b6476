"""All heads in one picture: a small map for each, to be pointed at and chosen.

The maps of all layers and heads are one image of so many levels of one colour, from the page's
background upwards; cells of a grid lie over it, one for each head (heads.html). A click, or Enter
on the cell that the arrow keys reached, makes the head the chosen one (heads.js).
"""

from __future__ import annotations

import base64
import io

import torch
from PIL import Image
from torch import Tensor

from minbert.explain.attention_view import AttentionView
from minbert.ui.attention.figures import TEAL
from minbert.ui.parts.numbers import percent
from minbert.ui.parts.templates import render
from minbert.ui.parts.texts import file_text

TEMPLATE = "attention/heads.html"
SCRIPT = file_text(__package__, "heads.js")
MARK_CHOSEN = file_text(__package__, "mark_chosen.js")
TILE = 64  # pixels of a small map's side, whatever its words
LEVELS = 32  # of colour
OPAQUE = 0.95  # the colour's opacity where a word gives all of its attention


def picture_block(view: AttentionView, reading: str) -> str:
    """Return the picture of (L, H, R, C) maps as a grid of cells.

    Args:
        view: of all layers; empty where nothing is left to draw.
        reading: what stands below the picture until a head is pointed at.
    """
    layers, heads = view.weights.shape[:2]
    told = tells(view)
    rows = [
        [
            (head, f"Layer {layer}, head {head}: {told[layer - 1][head - 1]}")
            for head in range(1, heads + 1)
        ]
        for layer in range(1, layers + 1)
    ]
    return render(TEMPLATE, rows=rows, heads=heads, image=image_url(view.weights), hint=reading)


def tells(view: AttentionView) -> list[list[str]]:
    """Say of each head which word it looks at most: L lists of H texts."""
    if not view.weights.numel():
        return [["nothing is left to draw"] * view.weights.shape[1]] * view.weights.shape[0]
    received = view.weights.sum(dim=-2)  # (L, H, C)
    shares = received / received.sum(dim=-1, keepdim=True).clamp(min=1e-12)
    most, places = shares.max(dim=-1)
    return [
        [
            f"looks most at “{view.columns[place]}”, {percent(share)}"
            for share, place in zip(*of_layer, strict=True)
        ]
        for of_layer in zip(most.tolist(), places.tolist(), strict=True)
    ]


def image_url(weights: Tensor) -> str:
    """Return maps (L, H, R, C) as a PNG in a data URL: L by H tiles, rows looking at columns."""
    kept = io.BytesIO()
    image = Image.fromarray(levels(weights).numpy(), mode="P")
    image.putpalette([int(part) for part in TEAL.split(",")] * LEVELS)
    opacity = bytes(round(255 * OPAQUE * level / (LEVELS - 1)) for level in range(LEVELS))
    image.save(kept, "PNG", transparency=opacity)
    return f"data:image/png;base64,{base64.b64encode(kept.getvalue()).decode('ascii')}"


def levels(weights: Tensor) -> Tensor:
    """Return maps (L, H, R, C) as levels of colour, (L * TILE, H * TILE) bytes.

    The level grows as the root of the share, so that a weak pattern shows beside a strong one. A
    pixel that several cells of a long text fall on is the strongest of them.
    """
    layers, heads = weights.shape[:2]
    if not weights.numel():
        return torch.zeros(layers * TILE, heads * TILE, dtype=torch.uint8)
    tiles = torch.nn.functional.adaptive_max_pool2d(weights, (TILE, TILE))  # (L, H, TILE, TILE)
    scaled = (tiles.clamp(0, 1).sqrt() * (LEVELS - 1)).round().to(torch.uint8)
    return scaled.transpose(1, 2).reshape(layers * TILE, heads * TILE)
