"""The picture of all heads holds each map in its place, tells each head, and stays small."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from minbert.explain.attention_view import AttentionView
from minbert.ui.attention.heads_picture import LEVELS, OPAQUE, TILE, image_url, picture_block
from tests.read_html import numbers_in, quoted_in, read
from tests.support import assert_close

ONE_STEP = 1.01 / (LEVELS - 1)  # of the root of a share


def random_view(layers: int, heads: int, rows: int, columns: int) -> AttentionView:
    generator = torch.Generator().manual_seed(0)
    scores = 3 * torch.randn(layers, heads, rows, columns, generator=generator)
    return AttentionView(
        rows=tuple(f"row{number}" for number in range(rows)),
        columns=tuple(f"column{number}" for number in range(columns)),
        weights=scores.softmax(dim=-1),
        row_entries=tuple(range(rows)),
        column_entries=tuple(range(columns)),
    )


def opacity_of(url: str) -> Tensor:
    """Return how opaque each pixel is, 0 to 1."""
    _, _, code = url.partition("base64,")
    image = Image.open(io.BytesIO(base64.b64decode(code))).convert("RGBA")
    return torch.tensor(np.asarray(image)[..., 3] / 255, dtype=torch.float32)


@pytest.mark.parametrize("size", [(5, 5), (3, 4), (1, 1), (64, 64)])
def test_every_small_map_is_in_its_place(size: tuple[int, int]) -> None:
    view = random_view(2, 3, *size)
    opacity = opacity_of(image_url(view.weights))
    assert opacity.shape == (2 * TILE, 3 * TILE)
    middles = [[int((part + 0.5) * TILE / count) for part in range(count)] for count in size]
    for layer in range(2):
        for head in range(3):
            tile = opacity[layer * TILE :, head * TILE :]
            cells = tile[middles[0]][:, middles[1]]
            wanted = OPAQUE * view.weights[layer, head].sqrt()
            assert_close(cells, wanted, ONE_STEP)


def test_the_strongest_cells_of_a_long_text_are_seen() -> None:
    weights = torch.zeros(1, 1, 128, 128)
    weights[0, 0, 70, 101] = 1.0
    assert float(opacity_of(image_url(weights)).max()) == pytest.approx(OPAQUE, abs=0.01)


def test_each_head_has_a_cell_that_tells_what_it_looks_at() -> None:
    view = random_view(3, 4, 5, 5)
    grid = read(picture_block(view, "Point.")).one("div", role="grid")
    cells = grid.find("div", role="gridcell")
    assert len(grid.find("div", role="row")) == 3
    assert len(cells) == 12
    for place, cell in enumerate(cells):
        layer, head = divmod(place, 4)
        told = cell.attributes["aria-label"]
        shares = view.weights[layer, head].mean(dim=0)
        assert [int(number) for number in numbers_in(told)[:2]] == [layer + 1, head + 1]
        assert quoted_in(told) == [view.columns[int(shares.argmax())]]
        assert numbers_in(told)[-1] == f"{100 * float(shares.max()):.0f}"
        assert (cell.attributes["data-layer"], cell.attributes["data-head"]) == (
            str(layer + 1),
            str(head + 1),
        )
    assert [cell.attributes["tabindex"] for cell in cells] == ["0"] + ["-1"] * 11


def test_where_nothing_is_left_every_head_says_so() -> None:
    view = AttentionView((), (), torch.zeros(2, 3, 0, 0), (), ())
    page = read(picture_block(view, "Point."))
    told = [cell.attributes["aria-label"] for cell in page.find("div", role="gridcell")]
    assert len(told) == 6
    assert [quoted_in(each) for each in told] == [[]] * 6
    assert len({each.partition(": ")[2] for each in told}) == 1


@pytest.mark.parametrize(("layers", "heads"), [(6, 12), (24, 16)])
@pytest.mark.parametrize("words", [12, 64, 128])
def test_the_picture_is_small_whatever_the_model_and_the_text(
    layers: int, heads: int, words: int
) -> None:
    block = picture_block(random_view(layers, heads, words, words), "Point.")
    assert len(block) < 3_300 * layers * heads
    assert len(re.findall("data:image", block)) == 1
