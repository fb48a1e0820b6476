"""The heads' numbers against values worked by hand."""

from __future__ import annotations

import pytest
import torch

from minbert.answers import AttentionResult
from minbert.explain.heads_summary import summarise_heads, written_of
from tests.minbert.explain.conftest import Build

TOKENS = ["[CLS]", "dog", "[SEP]", "cat", "[SEP]"]
SEGMENTS = [0, 0, 0, 1, 1]
EVEN = [[0.2] * 5] * 5
AHEAD = [[0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1]]
HALVES = [[0.5, 0.5, 0, 0, 0], [0, 0, 0, 0.25, 0.75]] * 2 + [[0.5, 0.5, 0, 0, 0]]


def result(*heads: list[list[float]]) -> AttentionResult:
    weights = torch.tensor(heads, dtype=torch.float32)[None]  # (1, H, 5, 5)
    return AttentionResult(TOKENS, SEGMENTS, (3,), weights, 0)


def test_entropy_in_bits() -> None:
    found = summarise_heads(result(EVEN, AHEAD, HALVES))
    quarters = 0.25 * 2 + 0.75 * 0.4150375
    wanted = [2.3219281, 0.0, (3 * 1.0 + 2 * quarters) / 5]
    assert found.entropy.shape == (1, 3)
    assert found.entropy[0].tolist() == pytest.approx(wanted, abs=1e-6)
    assert found.layers == (3,)


def test_share_on_sep_counts_both() -> None:
    found = summarise_heads(result(EVEN, AHEAD, HALVES))
    assert found.to_sep[0].tolist() == pytest.approx([0.4, 3 / 5, 2 * 0.75 / 5], abs=1e-6)


def test_distance_in_tokens() -> None:
    found = summarise_heads(result(EVEN, AHEAD))
    assert found.distance[0].tolist() == pytest.approx([8 / 5, 4 / 5], abs=1e-6)


def test_directions_count_written_tokens_alone() -> None:
    found = summarise_heads(result(EVEN, HALVES))
    assert found.a_to_b is not None
    assert found.a_to_b[0].tolist() == pytest.approx([0.2, 0.25], abs=1e-6)


def test_one_sentence_has_no_directions(build: Build) -> None:
    predictor = build()
    found = summarise_heads(predictor.attention("the film"))
    assert found.a_to_b is None
    assert found.entropy.shape == found.to_sep.shape == found.distance.shape == (2, 4)


def test_a_real_pair(build: Build) -> None:
    predictor = build()
    given = predictor.attention("the dogs film", "a cat")
    found = summarise_heads(given)
    assert written_of(given, 0) == [1, 2, 3, 4]
    assert written_of(given, 1) == [6, 7]
    assert found.a_to_b is not None
    wanted = given.weights[1, 2, 1:5, 6:8].sum(dim=-1).mean().item()
    assert found.a_to_b[1, 2].item() == pytest.approx(wanted, abs=1e-6)
    assert (found.entropy > 0).all()
    assert (found.entropy <= torch.log2(torch.tensor(9.0))).all()


def test_a_sentence_without_words_gives_nothing(build: Build) -> None:
    predictor = build()
    empty, words = predictor.tokenizer.pieces(["", "a cat"])
    (item,) = predictor.joint_inputs([(empty, words)])  # what is left when all words are taken out
    found = summarise_heads(predictor.attention(item))
    assert found.a_to_b is not None
    assert not found.a_to_b.any()
