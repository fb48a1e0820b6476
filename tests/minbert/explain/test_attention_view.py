"""Views of attention: directions, special tokens, words, the strongest part."""

from __future__ import annotations

import pytest
import torch

from minbert.answers import AttentionResult
from minbert.explain.attention_view import strongest, view_attention
from tests.minbert.explain.conftest import Build
from tests.support import assert_close

TOKENS = ["[CLS]", "dog", "##s", "[SEP]", "cat", "[SEP]"]
SEGMENTS = [0, 0, 0, 0, 1, 1]
WEIGHTS = torch.tensor(
    [
        [0.1, 0.2, 0.1, 0.3, 0.2, 0.1],
        [0.0, 0.5, 0.1, 0.1, 0.2, 0.1],
        [0.2, 0.1, 0.3, 0.1, 0.2, 0.1],
        [0.1, 0.1, 0.1, 0.4, 0.1, 0.2],
        [0.3, 0.2, 0.1, 0.1, 0.1, 0.2],
        [0.2, 0.2, 0.2, 0.2, 0.1, 0.1],
    ]
)
GIVEN = AttentionResult(TOKENS, SEGMENTS, (0,), WEIGHTS[None, None], 0)


def test_nothing_asked_for_is_the_map_as_it_is() -> None:
    found = view_attention(GIVEN)
    assert found.rows == found.columns == tuple(TOKENS)
    assert torch.equal(found.weights, GIVEN.weights)
    assert_close(found.shown, torch.ones(1, 1, 6))


@pytest.mark.parametrize(
    ("direction", "rows", "columns"),
    [
        ("A->A", [0, 1, 2, 3], [0, 1, 2, 3]),
        ("A->B", [0, 1, 2, 3], [4, 5]),
        ("B->A", [4, 5], [0, 1, 2, 3]),
        ("B->B", [4, 5], [4, 5]),
    ],
)
def test_directions(direction: str, rows: list[int], columns: list[int]) -> None:
    found = view_attention(GIVEN, direction=direction)
    assert (found.row_entries, found.column_entries) == (tuple(rows), tuple(columns))
    assert found.rows == tuple(TOKENS[row] for row in rows)
    assert found.columns == tuple(TOKENS[column] for column in columns)
    assert torch.equal(found.weights[0, 0], WEIGHTS[rows][:, columns])


def test_hidden_specials_are_not_made_up_for() -> None:
    found = view_attention(GIVEN, hide_specials=True)
    assert found.rows == ("dog", "##s", "cat")
    assert torch.equal(found.weights[0, 0], WEIGHTS[[1, 2, 4]][:, [1, 2, 4]])
    assert found.shown[0, 0].tolist() == pytest.approx([0.8, 0.6, 0.4])


def test_words_sum_columns_and_average_rows() -> None:
    found = view_attention(GIVEN, words=True)
    assert found.rows == ("[CLS]", "dogs", "[SEP]", "cat", "[SEP]")
    assert found.weights[0, 0, 0].tolist() == pytest.approx([0.1, 0.3, 0.3, 0.2, 0.1])
    assert found.weights[0, 0, 1].tolist() == pytest.approx([0.1, 0.5, 0.1, 0.2, 0.1])
    assert_close(found.shown, torch.ones(1, 1, 5))


def test_all_of_it_together() -> None:
    found = view_attention(GIVEN, direction="B->A", hide_specials=True, words=True)
    assert (found.rows, found.columns) == (("cat",), ("dogs",))
    assert found.weights.flatten().tolist() == pytest.approx([0.3])
    assert (found.row_entries, found.column_entries) == ((3,), (1,))


def test_the_strongest_part_by_hand() -> None:
    maps = torch.tensor([[[0.5, 0.1], [0.3, 0.1]], [[0.1, 0.2], [0.3, 0.4]]])
    half = strongest(maps, 50)
    assert_close(half, torch.tensor([[[0.5, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.3, 0.4]]]), 0)
    assert_close(strongest(maps, 51)[0], torch.tensor([[0.5, 0.0], [0.3, 0.0]]), 0)
    assert torch.equal(strongest(maps, 100), maps)
    even = strongest(torch.full((1, 2, 2), 0.25), 30)
    assert_close(even, torch.tensor([[[0.25, 0.25], [0.0, 0.0]]]), 0)


def test_the_strongest_part_of_what_the_view_shows() -> None:
    found = view_attention(GIVEN, direction="A->B", hide_specials=True, top=60)
    # of .2 and .2 the first alone is half, so both stay
    assert found.weights.flatten().tolist() == pytest.approx([0.2, 0.2])
    found = view_attention(GIVEN, direction="A->B", hide_specials=True, top=50)
    assert found.weights.flatten().tolist() == pytest.approx([0.2, 0.0])


def test_a_view_of_nothing() -> None:
    empty = AttentionResult(["[CLS]", "[SEP]"], [0, 0], (0,), torch.full((1, 1, 2, 2), 0.5), 0)
    found = view_attention(empty, hide_specials=True, top=10)
    assert (found.rows, found.weights.shape) == ((), (1, 1, 0, 0))


def test_a_real_pair(build: Build) -> None:
    given = build().attention("the dogs film", "a cat")
    found = view_attention(given, direction="B->A", words=True, hide_specials=True)
    assert (found.rows, found.columns) == (("a", "cat"), ("the", "dogs", "film"))
    wanted = given.weights[1, 3, 7, [2, 3]].sum().item()
    assert found.weights[1, 3, 1, 1].item() == pytest.approx(wanted, abs=1e-6)


def test_what_is_refused(build: Build) -> None:
    with pytest.raises(ValueError, match=r"`direction` should be one of 'all'.*Found 'A->C'"):
        view_attention(GIVEN, direction="A->C")
    with pytest.raises(ValueError, match=r"`direction` 'A->B' needs a pair's maps"):
        view_attention(build().attention("film"), direction="A->B")
    for top in (0.0, -1.0, 100.5, float("nan")):
        with pytest.raises(ValueError, match="`top` should lie above 0"):
            view_attention(GIVEN, top=top)
