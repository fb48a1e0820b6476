"""Pieces into words, and how contributions and attention merge."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from minbert.explain.words import Words, merge_attention, merge_sum, words_of
from minbert.text import Tokenizer
from tests.support import assert_close

GROUPS = ((0,), (1, 2), (3,))


def words(tokenizer: Tokenizer, text: str, *, pieces: bool = False, most: int = 48) -> Words:
    """Return the words of one sentence."""
    return words_of(tokenizer.single(tokenizer.pieces([text])[0], most), tokenizer, pieces=pieces)


def test_later_pieces_join_their_word(tokenizer: Tokenizer) -> None:
    found = words(tokenizer, "the films sleeping")
    assert found.labels == ("[CLS]", "the", "films", "sleeping", "[SEP]")
    spelt = tokenizer.tokens(tokenizer.pieces(["the films sleeping"])[0])
    assert spelt[:3] == ["the", "film", "##s"]
    last = tuple(range(4, len(spelt) + 1))
    assert len(last) > 2
    assert found.groups == ((0,), (1,), (2, 3), last, (len(spelt) + 1,))
    assert found.specials == (0, 4)
    assert len(found) == 5


def test_repeated_words_stay_distinct(tokenizer: Tokenizer) -> None:
    found = words(tokenizer, "film film films film")
    assert found.labels == ("[CLS]", "film", "film", "films", "film", "[SEP]")
    assert found.groups == ((0,), (1,), (2,), (3, 4), (5,), (6,))


def test_a_typed_special_token_is_words_like_any_other(tokenizer: Tokenizer) -> None:
    found = words(tokenizer, "[SEP] [CLS] ##s")
    assert found.labels == (
        "[CLS]",
        "[",
        "sep",
        "]",
        "[",
        "cls",
        "]",
        "[UNK]",
        "[UNK]",
        "s",
        "[SEP]",
    )
    assert found.specials == (0, 10)
    assert found.sentences == (tuple(range(1, 10)),)


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_an_empty_text_is_its_special_tokens(text: str, tokenizer: Tokenizer) -> None:
    found = words(tokenizer, text)
    assert found == Words(("[CLS]", "[SEP]"), ((0,), (1,)), (0, 1))
    assert found.sentences == ((),)


def test_pieces_on_request(tokenizer: Tokenizer) -> None:
    found = words(tokenizer, "the films", pieces=True)
    assert found.labels == ("[CLS]", "the", "film", "##s", "[SEP]")
    assert found.groups == ((0,), (1,), (2,), (3,), (4,))
    assert found.specials == (0, 4)


def test_a_pair_has_two_sentences(tokenizer: Tokenizer) -> None:
    first, second = tokenizer.pieces(["films", "a red dog"])
    found = words_of(tokenizer.joint(first, second, 48, token_types=True), tokenizer)
    assert found.labels == ("[CLS]", "films", "[SEP]", "a", "red", "dog", "[SEP]")
    assert found.specials == (0, 2, 6)
    assert found.sentences == ((1,), (3, 4, 5))


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "naïve café",
        "🙂🙂 日本語",
        "films " * 200,
        "\ud83d",
        "a\x00b",
        "##",
    ],
)
def test_every_token_is_in_one_word(text: str, tokenizer: Tokenizer) -> None:
    item = tokenizer.single(tokenizer.pieces([text])[0], 48)
    found = words_of(item, tokenizer)
    assert [place for group in found.groups for place in group] == list(range(len(item)))
    assert len(found.labels) == len(found.groups)
    assert found.specials == (0, len(found) - 1)


def test_a_word_cut_by_truncation_keeps_what_is_left_of_it(tokenizer: Tokenizer) -> None:
    assert words(tokenizer, "the films", most=4).labels == ("[CLS]", "the", "film", "[SEP]")


def test_contributions_sum_by_hand() -> None:
    values = torch.tensor([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0], [4.0, 40.0]])
    wanted = torch.tensor([[1.0, 10.0], [5.0, 50.0], [4.0, 40.0]])
    assert_close(merge_sum(values, GROUPS), wanted)
    assert_close(merge_sum(values.T, GROUPS, dim=1), wanted.T)
    assert_close(merge_sum(values.T, GROUPS, dim=-1), wanted.T)
    assert_close(merge_sum(values[:, 0], GROUPS), wanted[:, 0])
    assert merge_sum(values.double(), GROUPS).dtype == torch.float64


def test_attention_merges_by_hand() -> None:
    maps = torch.tensor(
        [[0.1, 0.2, 0.3, 0.4], [0.5, 0.1, 0.1, 0.3], [0.7, 0.1, 0.2, 0.0], [0.0, 0.0, 1.0, 0.0]]
    )
    wanted = torch.tensor([[0.1, 0.5, 0.4], [0.6, 0.25, 0.15], [0.0, 1.0, 0.0]])
    assert_close(merge_attention(maps, GROUPS), wanted)


def test_merged_attention_s_rows_still_sum_to_one() -> None:
    noise = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))

    def sums(maps: Tensor) -> Tensor:
        return maps.sum(dim=-1)

    merged = merge_attention(noise.softmax(dim=-1), GROUPS)
    assert merged.shape == (2, 3, 3, 3)
    assert_close(sums(merged), torch.ones(2, 3, 3))
