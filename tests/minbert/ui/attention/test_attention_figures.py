"""The studio's figures hold the maps' own numbers, and never more than the page may receive."""

from __future__ import annotations

import torch

from minbert.ui.attention.figures import map_figure
from minbert.ui.attention.fine_tuning import tuning_figure
from minbert.ui.parts.figures import cut
from tests.support import assert_close


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


def test_one_map_of_the_longest_text_stays_far_below() -> None:
    weights = torch.rand(128, 128, generator=torch.Generator().manual_seed(0))
    names = [f"word{number}" for number in range(128)]
    assert len(map_figure(names, names, weights).to_json()) < 300_000


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
