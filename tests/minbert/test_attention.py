"""Attention: one softmax by hand, rows that sum to 1, and maps taken before dropout."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from minbert.attention import SelfAttention, additive_mask, attend, attention_probabilities
from minbert.bert import BertModel
from minbert.multitask import MultitaskBert
from minbert.text import Batch
from tests.support import (
    assert_attention_rows,
    assert_close,
    assert_follows_order,
    assert_leaves_inputs_alone,
    assert_padding_invariant,
    random_batch,
    redraw,
    seeded,
    tiny_config,
)

NOTHING_MASKED = torch.zeros(1, 1, 1, 2)


def two_tokens() -> tuple[Tensor, Tensor, Tensor]:
    """Return query, key and value, (1, 1, 2, 4): both queries score 4 on token 0 and 0 on 1."""
    query = torch.ones(1, 1, 2, 4)
    key = torch.tensor([[[[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]]]])
    value = torch.tensor([[[[10.0, 0.0, 0.0, 1.0], [0.0, 10.0, 0.0, 1.0]]]])
    return query, key, value


def projected(length: int = 6, width: int = 4) -> tuple[Tensor, Tensor, Tensor]:
    """Draw query, key and value, (2, 3, length, width)."""
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randn(3, 2, 3, length, width, generator=generator)
    return drawn[0], drawn[1], drawn[2]


def self_attention(dropout: float) -> SelfAttention:
    """Return a module whose every parameter counts."""
    module = SelfAttention(tiny_config(attention_probs_dropout_prob=dropout))
    redraw(module, seed=0)
    return module


def hidden_states() -> tuple[Tensor, Tensor]:
    """Draw hidden states (3, 6, 16) and their mask (3, 6)."""
    mask = torch.tensor([[1] * 6, [1, 1, 1, 0, 0, 0], [1, 1, 0, 0, 0, 0]])
    return torch.randn(3, 6, 16, generator=torch.Generator().manual_seed(1)), mask


def test_two_tokens_by_hand() -> None:
    query, key, _ = two_tokens()
    # The scores are 4 / sqrt(4) = 2 and 0, and e^2 / (e^2 + 1) = 0.880797.
    wanted = torch.tensor([[[[0.880797, 0.119203], [0.880797, 0.119203]]]])
    assert_close(attention_probabilities(query, key, NOTHING_MASKED), wanted, 1e-6)


@pytest.mark.parametrize("with_map", [True, False])
def test_the_context_of_two_tokens_by_hand(with_map: bool) -> None:
    context, _ = attend(*two_tokens(), NOTHING_MASKED, 0.0, with_map=with_map)
    row = [8.80797, 1.19203, 0.0, 1.0]
    assert_close(context, torch.tensor([[[row, row]]]), 1e-5)


@pytest.mark.parametrize("with_map", [True, False])
def test_a_masked_token_has_no_say(with_map: bool) -> None:
    mask = additive_mask(torch.tensor([[0, 1]]), torch.float32)
    context, attention_map = attend(*two_tokens(), mask, 0.0, with_map=with_map)
    row = [0.0, 10.0, 0.0, 1.0]
    assert_close(context, torch.tensor([[[row, row]]]), 1e-5)
    if with_map:
        assert attention_map is not None
        assert_close(attention_map, torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]]), 0.0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_the_additive_mask(dtype: torch.dtype) -> None:
    mask = additive_mask(torch.tensor([[1, 1, 0], [1, 0, 0]]), dtype)
    lowest = torch.finfo(dtype).min
    assert mask.dtype == dtype
    assert mask.tolist() == [[[[0.0, 0.0, lowest]]], [[[0.0, lowest, lowest]]]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_rows_sum_to_one_in_any_precision(dtype: torch.dtype) -> None:
    query, key, _ = (part.to(dtype) * 3 for part in projected())
    mask = torch.tensor([[1] * 6, [1, 1, 1, 0, 0, 0]])
    maps = attention_probabilities(query, key, additive_mask(mask, dtype))
    assert_attention_rows(maps.float(), mask, 1e-5 if dtype == torch.float32 else 2e-2)


def test_both_paths_give_one_context() -> None:
    mask = additive_mask(torch.tensor([[1] * 6, [1, 1, 1, 0, 0, 0]]), torch.float32)
    fused, no_map = attend(*projected(), mask, 0.0, with_map=False)
    explicit, attention_map = attend(*projected(), mask, 0.0, with_map=True)
    assert no_map is None
    assert attention_map is not None
    assert attention_map.shape == (2, 3, 6, 6)
    assert_close(fused, explicit, 1e-6)


def test_scores_are_divided_by_the_root_of_a_head_s_width() -> None:
    query, key, _ = projected(width=9)
    scores = torch.einsum("bhid,bhjd->bhij", query, key) / math.sqrt(9)
    wanted = scores.exp() / scores.exp().sum(dim=-1, keepdim=True)
    assert_close(attention_probabilities(query, key, torch.zeros(1, 1, 1, 6)), wanted, 1e-6)


def test_each_head_attends_with_its_own_slice() -> None:
    module = self_attention(0.0).eval()
    hidden, mask = hidden_states()
    context, maps = module(hidden, additive_mask(mask, hidden.dtype), with_map=True)
    assert maps.shape == (3, 4, 6, 6)
    head = slice(4, 8)  # the second of four heads, four units wide
    query, key = module.query(hidden)[..., head], module.key(hidden)[..., head]
    scores = query @ key.transpose(1, 2) / 2.0
    wanted = torch.softmax(scores.masked_fill(mask[:, None, :] == 0, -torch.inf), dim=-1)
    assert_close(maps[:, 1], wanted)
    assert_close(context[..., head], wanted @ module.value(hidden)[..., head])


def test_the_map_of_training_is_the_one_before_dropout() -> None:
    module = self_attention(0.5)
    hidden, mask = hidden_states()
    additive = additive_mask(mask, hidden.dtype)
    with torch.no_grad(), seeded(0):
        context, maps = module.train()(hidden, additive, with_map=True)
        plain, wanted = module.eval()(hidden, additive, with_map=True)
    assert_attention_rows(maps, mask)
    assert_close(maps, wanted, 0.0)
    assert (context - plain).abs().max() > 0.1, "the weights themselves are dropped in training"


def test_weights_are_dropped_in_training_only() -> None:
    module = self_attention(0.5)
    hidden, mask = hidden_states()
    additive = additive_mask(mask, hidden.dtype)
    with torch.no_grad(), seeded(0):
        first, second = (module.train()(hidden, additive)[0] for _ in range(2))
        third, fourth = (module.eval()(hidden, additive)[0] for _ in range(2))
    assert (first - second).abs().max() > 0.1
    assert_close(third, fourth, 0.0)


@pytest.mark.parametrize("with_map", [True, False])
def test_dropped_weights_are_made_up_for(with_map: bool) -> None:
    ones = torch.ones(50, 8, 20, 4)
    with seeded(0):
        context, _ = attend(ones, ones, ones, torch.zeros(50, 1, 1, 20), 0.25, with_map=with_map)
    assert context.std() > 0.05, "weights were dropped"
    assert context.mean().item() == pytest.approx(1.0, abs=0.01)


def test_the_share_of_weights_that_is_dropped() -> None:
    zeros, value = torch.zeros(50, 8, 20, 20), torch.eye(20).expand(50, 8, 20, 20)
    with seeded(0):  # each unit of the context is one weight, 1 / 20 before dropout
        context, _ = attend(zeros, zeros, value, torch.zeros(50, 1, 1, 20), 0.1, with_map=False)
    assert (context == 0).double().mean().item() == pytest.approx(0.1, abs=0.004)
    assert_close(context[context > 0], torch.full(((context > 0).sum(),), 0.05 / 0.9))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.bfloat16, 1e-2)])
def test_the_training_path_computes_what_the_fused_one_does(
    dtype: torch.dtype, tolerance: float
) -> None:
    parts = [part.to(dtype) for part in projected()]
    mask = additive_mask(torch.tensor([[1] * 6, [1, 1, 1, 0, 0, 0]]), torch.float32)
    fused, _ = attend(*parts, mask, 0.0, with_map=False)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
        training, _ = attend(*parts, mask, 1e-9, with_map=False)  # drops nothing
    assert training.dtype == dtype
    assert_close(training.float(), fused.float(), tolerance)


def test_the_inputs_stay_as_they_were() -> None:
    hidden, mask = hidden_states()
    module = self_attention(0.0).eval()
    additive = additive_mask(mask, hidden.dtype)
    assert_leaves_inputs_alone(lambda *tensors: module(*tensors, with_map=True), hidden, additive)
    assert_leaves_inputs_alone(module, hidden, additive)
    assert_leaves_inputs_alone(lambda tensor: additive_mask(tensor, torch.float32), mask)


def test_the_encoder_s_maps_are_distributions_over_real_tokens(model: MultitaskBert) -> None:
    batch = random_batch(pad_id=9)
    inputs = (batch.input_ids, batch.attention_mask, batch.token_type_ids)
    maps = model.encoder(*inputs, maps_of=(0, 1)).attention_maps
    assert sorted(maps) == [0, 1]
    for attention_map in maps.values():
        assert attention_map.shape == (4, 4, 9, 9)
        assert_attention_rows(attention_map, batch.attention_mask)


def test_only_the_maps_asked_for_are_kept(model: MultitaskBert) -> None:
    batch = random_batch()
    inputs = (batch.input_ids, batch.attention_mask, batch.token_type_ids)
    assert list(model.encoder(*inputs, maps_of=[1]).attention_maps) == [1]
    output = model.encoder(*inputs)
    assert output.attention_maps == {}
    assert output.layer_states == ()


def test_layer_states_end_with_the_hidden_states(model: MultitaskBert) -> None:
    batch = random_batch()
    output = model.encoder(
        batch.input_ids, batch.attention_mask, batch.token_type_ids, keep_layer_states=True
    )
    assert len(output.layer_states) == 3
    assert torch.equal(output.layer_states[-1], output.hidden)


def test_a_layer_that_isn_t_there_is_told(model: MultitaskBert) -> None:
    batch = random_batch()
    inputs = (batch.input_ids, batch.attention_mask, batch.token_type_ids)
    with pytest.raises(ValueError, match=r"`maps_of` should name layers 0 to 1\. Found \[-1, 2\]"):
        model.encoder(*inputs, maps_of=[2, 0, -1])


def test_too_many_tokens_are_told(model: MultitaskBert) -> None:
    batch = random_batch((65,))
    inputs = (batch.input_ids, batch.attention_mask, batch.token_type_ids)
    with pytest.raises(ValueError, match=r"at most 64 tokens\. Found 65; truncate first"):
        model.encoder(*inputs)
    longest = random_batch((64,))
    inputs = (longest.input_ids, longest.attention_mask, longest.token_type_ids)
    assert model.encoder(*inputs).hidden.shape == (1, 64, 16)


def test_a_row_of_the_encoder_depends_on_no_other_row(model: MultitaskBert) -> None:
    def first_states(batch: Batch) -> Tensor:
        inputs = (batch.input_ids, batch.attention_mask, batch.token_type_ids)
        return model.encoder(*inputs).hidden[:, 0]

    with torch.no_grad():
        assert_padding_invariant(first_states, random_batch(pad_id=9))
        assert_follows_order(first_states, random_batch(pad_id=9))


def test_positions_and_token_types_matter(model: MultitaskBert) -> None:
    ids, ones = torch.tensor([[7, 7, 7]]), torch.ones(1, 3, dtype=torch.long)
    zeros = torch.zeros_like(ones)
    plain = model.encoder(ids, ones, zeros).hidden
    assert (plain[0, 0] - plain[0, 1]).abs().max() > 0.1, "one word at two positions"
    typed = model.encoder(ids, ones, ones).hidden
    assert (plain - typed).abs().max() > 0.1, "one word in two segments"


def test_the_encoder_starts_as_bert_does() -> None:
    with seeded(0):
        encoder = BertModel(tiny_config(hidden_size=64, initializer_range=0.05))
    assert encoder.layers[0].intermediate.weight.std().item() == pytest.approx(0.05, rel=0.1)
    assert encoder.embeddings.position.weight.std().item() == pytest.approx(0.05, rel=0.1)
    assert not encoder.layers[1].attention.query.bias.any()
    assert not encoder.embeddings.word.weight[0].any(), "[PAD] starts at zero"


def test_hidden_dropout_acts_in_training_only(model: MultitaskBert) -> None:
    batch = random_batch()
    inputs = (batch.input_ids, batch.attention_mask, batch.token_type_ids)
    with torch.no_grad(), seeded(0):
        first, second = (model.encoder.train()(*inputs).hidden for _ in range(2))
        third, fourth = (model.encoder.eval()(*inputs).hidden for _ in range(2))
    assert (first - second).abs().max() > 0.1
    assert_close(third, fourth, 0.0)


def test_hidden_dropout_acts_at_bert_s_five_places(model: MultitaskBert) -> None:
    calls: list[str] = []
    for name, part in model.encoder.named_modules():
        if isinstance(part, torch.nn.Dropout):
            assert part.p == model.config.encoder.hidden_dropout_prob
            part.register_forward_hook(lambda *_, name=name: calls.append(name))
    batch = random_batch()
    model.encoder(batch.input_ids, batch.attention_mask, batch.token_type_ids)
    assert calls == ["embeddings.dropout", *["layers.0.dropout"] * 2, *["layers.1.dropout"] * 2]
