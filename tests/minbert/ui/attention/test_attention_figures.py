"""The studio's figures hold the maps' own numbers, and never more than the page may receive."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from minbert.explain.attention_view import AttentionView
from minbert.ui.attention.figures import grid_entries, grid_figure, map_figure
from minbert.ui.attention.fine_tuning import tuning_figure
from minbert.ui.parts.figures import cut
from tests.support import assert_close

MOST_BYTES = 2_000_000  # of one view


def random_view(layers: int, heads: int, rows: int, columns: int) -> AttentionView:
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(layers, heads, rows, columns, generator=generator)
    return AttentionView(
        rows=tuple(f"row{number}" for number in range(rows)),
        columns=tuple(f"column{number}" for number in range(columns)),
        weights=scores.softmax(dim=-1),
        row_entries=tuple(range(rows)),
        column_entries=tuple(range(columns)),
    )


def tile(figure: object, layer: int, head: int) -> Tensor:
    """Cut a small map, 1-based, out of the figure as a click would find it."""
    size = figure.layout.meta  # type: ignore[attr-defined]
    rows, columns = size["rows"], size["columns"]
    whole = torch.tensor(np.asarray(figure.data[0].z).astype(np.float32)) / 1000  # type: ignore[attr-defined]
    across = whole[(layer - 1) * rows : layer * rows]
    return across[:, (head - 1) * columns : head * columns]


def test_a_map_is_drawn_as_it_is_and_repeated_words_keep_their_rows() -> None:
    weights = torch.tensor([[0.25, 0.75], [0.5, 0.5]])
    figure = map_figure(["good", "good"], ["good", "film"], weights)
    trace = figure.data[0]
    assert_close(torch.tensor(trace.z), weights, 5e-5)
    assert len(set(trace.y)) == 2
    assert list(figure.layout.yaxis.ticktext) == ["good", "good"]
    assert trace.zmax == 0.75
    assert map_figure(["a"], ["b"], weights[:1, :1], 0.9).data[0].zmax == 0.9


def test_numbers_are_printed_only_where_there_is_room() -> None:
    for size, printed in ((14, True), (15, False)):
        figure = map_figure(["x"] * size, ["x"] * size, torch.full((size, size), 1 / size))
        assert (figure.data[0].texttemplate is not None) == printed
        assert figure.layout.height >= 320


def test_a_map_without_cells_is_still_a_figure() -> None:
    assert map_figure([], [], torch.zeros(0, 0)).data[0].zmax == 1.0


@pytest.mark.parametrize("size", [(5, 5), (3, 4)])
def test_every_small_map_is_in_its_place(size: tuple[int, int]) -> None:
    view = random_view(2, 3, *size)
    figure = grid_figure(view)
    for layer in (1, 2):
        for head in (1, 2, 3):
            wanted = view.weights[layer - 1, head - 1]
            assert_close(tile(figure, layer, head), wanted, 0.00051)
    trace = figure.data[0]
    assert trace.y[size[0]].startswith("layer 2, row0")
    assert trace.x[2 * size[1] + 1].startswith("head 3: column1")
    assert list(figure.layout.xaxis.ticktext) == ["1", "2", "3"]
    assert figure.layout.xaxis.tickvals[0] == (size[1] - 1) / 2


@pytest.mark.parametrize("length", [64, 128])
def test_all_heads_of_a_long_text_stay_below_two_megabytes(length: int) -> None:
    view = random_view(6, 12, length, length)
    figure = grid_figure(view)
    assert len(figure.to_json()) < MOST_BYTES
    assert figure.layout.meta["rows"] == min(length, grid_entries(view))
    assert grid_entries(view) >= 64


def test_one_map_of_the_longest_text_stays_far_below() -> None:
    view = random_view(1, 1, 128, 128)
    assert len(map_figure(view.rows, view.columns, view.weights[0, 0]).to_json()) < 300_000


def test_the_change_is_after_less_before_on_a_scale_centred_at_zero() -> None:
    before, after = [[1.0, 2.0]], [[1.5, 0.0]]
    first, second, change = tuning_figure(before, after, "entropy").data
    assert [list(row) for row in change.z] == [[0.5, -2.0]]
    assert (change.zmin, change.zmax) == (-2.0, 2.0)
    assert first.zmax == second.zmax == 2.0
    assert [list(row) for row in change.text] == [["+0.50", "-2.00"]]


def test_a_long_word_is_cut_on_the_axis() -> None:
    assert cut("internationalisation", 14) == "international…"
    assert cut("short", 14) == "short"
