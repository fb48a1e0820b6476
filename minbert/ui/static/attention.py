"""Attention maps of every layer and head for our lessons, chosen in the browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from minbert.answers import AttentionResult
from minbert.lessons import Lesson
from minbert.ui.attention.figures import map_figure
from minbert.ui.attention.findings import READ_MAP, head_finding
from minbert.ui.engine import Engine
from minbert.ui.parts.blocks import finding_block
from minbert.ui.static.document import options, plain_figure, select

UNIT = 10_000  # a share of 1 is stored as this whole number: as exact as the page's own maps
PLACE = "attention-map"


def attention_texts(lessons: Sequence[Lesson]) -> dict[str, tuple[str, str]]:
    """Return what is looked at, by its name in the list: each sentence pair, then A and B alone."""
    texts = {}
    for lesson in lessons:
        first, second = lesson.first, lesson.second
        if second:
            texts[f"{first} | {second}"] = first, second
        for alone in filter(None, (first, second)):
            texts[alone] = alone, ""
    return texts


def attention_data(engine: Engine, lessons: Sequence[Lesson]) -> list[dict[str, Any]]:
    """Return each text's figure without a map, and its maps and findings by layer and head.

    Head 0 is the mean over heads, as on the page.
    """
    found = []
    layers = engine.mean.config.encoder.num_hidden_layers
    for first, second in attention_texts(lessons).values():
        results = [engine.attention(first, second, [layer]) for layer in range(1, layers + 1)]
        tokens = results[0].tokens
        figure = plain_figure(map_figure(tokens, tokens, head_map(results[0], 0)))
        (heatmap,) = figure["data"]
        del heatmap["z"], heatmap["zmax"]
        found.append(
            {
                "tokens": tokens,
                "figure": figure,
                "maps": [layer_maps(result) for result in results],
                "findings": [
                    [finding(result, head) for head in range(result.weights.shape[1] + 1)]
                    for result in results
                ],
            }
        )
    return found


def head_map(result: AttentionResult, head: int) -> Tensor:
    """Return one layer's map of a head (1-based; 0: the mean over heads), (T, T)."""
    return result.weights[0].mean(dim=0) if head == 0 else result.weights[0][head - 1]


def finding(result: AttentionResult, head: int) -> str:
    """Say what a head (0: the mean over heads) looks at most."""
    tokens = result.tokens
    return head_finding(tokens, tokens, head_map(result, head), result.layers[0] + 1, head)


def layer_maps(result: AttentionResult) -> list[list[list[int]]]:
    """Return one layer's maps, (1 + H, T, T) with the mean over heads first, in ten-thousandths."""
    maps = [head_map(result, head) for head in range(result.weights.shape[1] + 1)]
    return [(one * UNIT).round().int().tolist() for one in maps]


def attention_block(
    engine: Engine, lessons: Sequence[Lesson], data: Sequence[Mapping[str, Any]]
) -> str:
    """Return the lists to choose from and the place of the map; the browser fills it."""
    shape = engine.mean.config.encoder
    layers = [f"{layer}" for layer in range(1, shape.num_hidden_layers + 1)]
    heads = ["mean of all", *(f"{head}" for head in range(1, shape.num_attention_heads + 1))]
    lists = (
        select("attention-text", "Sentences", options(attention_texts(lessons))),
        select("attention-layer", "Layer (1: lowest)", options(layers)),
        select("attention-head", "Head", options(heads)),
    )
    first = data[0]
    numbers = '<div id="attention-numbers"></div>'
    height = first["figure"]["layout"]["height"]
    return (
        f'<div class="mb-choices">{"".join(lists)}</div><div class="mb-figure">'
        '<div id="attention-words">'
        + finding_block(first["findings"][0][0], [], READ_MAP, numbers)
        + f'</div><div class="mb-plot" id="{PLACE}" data-figure style="min-height:{height}px" '
        'role="img" aria-label="Attention map; its numbers are in a table below it"></div></div>'
    )
