"""The shared helpers: each assert passes for what has its property, and fails for what hasn't."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from minbert.multitask import MultitaskBert
from minbert.text import Batch
from tests.support import (
    WORDS,
    assert_attention_rows,
    assert_close,
    assert_follows_order,
    assert_leaves_inputs_alone,
    assert_padding_invariant,
    assert_permutation_invariant,
    assert_says,
    assert_seed_decides,
    markdown_tables,
    random_batch,
    redraw,
    row_alone,
    seeded,
    tiny_model,
    tiny_tokenizer,
)


def test_close_means_one_shape_no_nan_and_near() -> None:
    assert_close(torch.tensor([1.0]), torch.tensor([1.000001]))
    for found in ([1.1], [float("nan")], [float("inf")], [1.0, 1.0]):
        with pytest.raises(AssertionError):
            assert_close(torch.tensor(found), torch.tensor([1.0]))


def real_sum(batch: Batch) -> Tensor:
    """Return a value of each row that padding has no part in."""
    return (batch.input_ids * batch.attention_mask).sum(dim=1).float()


def test_padding_invariance_fails_for_a_sum_over_padding() -> None:
    batch = random_batch(pad_id=9)
    assert_padding_invariant(real_sum, batch)
    with pytest.raises(AssertionError):
        assert_padding_invariant(lambda rows: rows.input_ids.sum(dim=1).float(), batch)
    with pytest.raises(AssertionError, match="no padding"):
        assert_padding_invariant(real_sum, random_batch((4, 4)))


def test_following_the_order_fails_for_a_result_that_knows_its_neighbours() -> None:
    batch = random_batch()
    assert_follows_order(real_sum, batch)
    with pytest.raises(AssertionError):
        assert_follows_order(lambda rows: real_sum(rows).cumsum(dim=0), batch)


def test_permutation_invariance_fails_for_a_weighted_sum() -> None:
    values = torch.tensor([1.0, 2.0, 3.0])
    assert_permutation_invariant(lambda rows: rows.sum(), values)
    assert_permutation_invariant(lambda a, b: (a * b).sum(), values, values)
    with pytest.raises(AssertionError):
        assert_permutation_invariant(lambda rows: rows @ torch.arange(3.0), values)


def test_leaving_inputs_alone_fails_for_an_edit_in_place() -> None:
    assert_leaves_inputs_alone(lambda tensor: tensor + 1, torch.zeros(2))
    with pytest.raises(AssertionError):
        assert_leaves_inputs_alone(lambda tensor: tensor.add_(1), torch.zeros(2))


@pytest.mark.parametrize("row", [[0.5, 0.4, 0.0], [0.4, 0.4, 0.2], [1.5, -0.5, 0.0]])
def test_attention_rows_fail_for_what_is_no_distribution_over_real_tokens(
    row: list[float],
) -> None:
    mask = torch.tensor([[1, 1, 0]])
    assert_attention_rows(torch.tensor([[[[0.5, 0.5, 0.0]]]]), mask)
    with pytest.raises(AssertionError):
        assert_attention_rows(torch.tensor([[[row]]]), mask)


def test_a_seed_decides_fails_for_chance_and_for_a_constant() -> None:
    assert_seed_decides(lambda seed: seed * 2)
    counter = itertools.count()
    for draw in (lambda _seed: 1, lambda _seed: next(counter)):
        with pytest.raises(AssertionError):
            assert_seed_decides(draw)


def test_seeding_a_block_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    with seeded(5):
        first = torch.rand(3)
    with seeded(5):
        assert torch.equal(torch.rand(3), first)
    assert torch.equal(torch.get_rng_state(), before)


def test_building_and_redrawing_leave_the_global_generator_alone(tmp_path: Path) -> None:
    before = torch.get_rng_state()
    model = tiny_model(tmp_path)
    redraw(model, seed=1)
    random_batch()
    assert torch.equal(torch.get_rng_state(), before)


def test_one_seed_builds_one_model(tmp_path: Path) -> None:
    first, second = tiny_model(tmp_path).state_dict(), tiny_model(tmp_path).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_redrawing_leaves_nothing_negligible(model: MultitaskBert) -> None:
    for parameter in model.parameters():
        assert (parameter.abs() > 1e-2).float().mean() > 0.8
    norm = nn.LayerNorm(4000)
    redraw(norm, seed=0)
    assert norm.weight.mean().item() == pytest.approx(1.0, abs=0.05)
    assert norm.weight.std().item() == pytest.approx(0.5, abs=0.05)
    assert norm.bias.mean().item() == pytest.approx(0.0, abs=0.05)
    assert norm.bias.std().item() == pytest.approx(0.5, abs=0.05)


def test_redrawing_follows_the_seed(model: MultitaskBert) -> None:
    def draw(seed: int) -> list[float]:
        redraw(model, seed)
        return torch.cat([part.flatten() for part in model.parameters()]).tolist()

    assert_seed_decides(draw)


def test_a_random_batch_has_padding_and_both_token_types() -> None:
    batch = random_batch((5, 2), pad_id=7)
    assert batch.attention_mask.tolist() == [[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]]
    assert batch.token_type_ids.tolist() == [[0, 0, 0, 1, 1], [0, 1, 0, 0, 0]]
    assert batch.input_ids[1, 2:].tolist() == [7, 7, 7]
    assert (batch.input_ids >= 5).all(), "special tokens are not drawn"
    assert row_alone(batch, 1).input_ids.tolist() == [batch.input_ids[1, :2].tolist()]
    assert random_batch((400,), vocab_size=8).input_ids.unique().tolist() == [5, 6, 7]
    assert_seed_decides(lambda seed: random_batch(seed=seed).input_ids.tolist())


def test_the_tiny_tokenizer_spells_any_lowercase_word(tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer(tmp_path / "deep" / "folder")
    words = [*WORDS, "abcdefghijklmnopqrstuvwxyz", "zebra99", "quizzically"]
    for pieces in tokenizer.pieces(words):
        assert pieces
        assert tokenizer.unknown_id not in pieces


def test_an_error_names_each_part_and_no_secret() -> None:
    error = ValueError("`k` should be at least 1. Found 0; leave it out.")
    assert_says(error, parameter="`k`", rule="1", found="Found 0", step=("leave", "out"))
    assert_says(error, never=("hf_token", "`n`"))
    for parts in ({"parameter": "`n`"}, {"step": ("leave", "--k")}, {"never": ("x", "Found 0")}):
        with pytest.raises(AssertionError):
            assert_says(str(error), **parts)


def test_the_tables_of_a_markdown_text() -> None:
    text = "| a | b |\n|---|:-:|\n| 1 | x \\| y |\n| 2 |  |\n\ntext\n\n| c |\n|---|\n"
    assert markdown_tables(text) == [[{"a": "1", "b": "x \\| y"}, {"a": "2", "b": ""}], []]
    with pytest.raises(ValueError, match="shorter"):
        markdown_tables("| a | b |\n|---|---|\n| 1 |\n")
