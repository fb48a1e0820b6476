"""Poolings: each by hand, and none of them sees padding or changes its inputs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from minbert.config import POOLING_NAMES
from minbert.multitask import MultitaskBert
from minbert.pooling import (
    POOLERS,
    AttentionPooling,
    cls_pooling,
    max_pooling,
    mean_pooling,
    pooler_for,
)
from tests.support import (
    assert_close,
    assert_follows_order,
    assert_leaves_inputs_alone,
    assert_padding_invariant,
    random_batch,
    redraw,
    tiny_model,
)

HIDDEN = torch.tensor(
    [
        [[1.0, -2.0], [3.0, -4.0], [8.0, -9.0]],
        [[5.0, -6.0], [7.0, -1.0], [99.0, 99.0]],
    ]
)
MASK = torch.tensor([[1, 1, 1], [1, 1, 0]])


@pytest.fixture(params=POOLING_NAMES)
def pooled_model(request: pytest.FixtureRequest, tmp_path: Path) -> MultitaskBert:
    """Give a model of each pooling in turn, in eval mode."""
    model = tiny_model(tmp_path, pooling=request.param)
    redraw(model, seed=2)
    return model.eval()


def test_mean_by_hand() -> None:
    assert_close(mean_pooling(HIDDEN, MASK), torch.tensor([[4.0, -5.0], [6.0, -3.5]]), 1e-6)


def test_max_by_hand() -> None:
    assert_close(max_pooling(HIDDEN, MASK), torch.tensor([[8.0, -2.0], [7.0, -1.0]]), 0.0)


def test_cls_by_hand() -> None:
    assert_close(cls_pooling(HIDDEN, MASK), torch.tensor([[1.0, -2.0], [5.0, -6.0]]), 0.0)


def test_pooler_by_hand(model: MultitaskBert) -> None:
    hidden = torch.zeros(1, 2, 16)
    hidden[0, 0, 0], hidden[0, 1, 0] = 0.5, 99.0
    with torch.no_grad():
        model.encoder.pooler.dense.weight.copy_(2.0 * torch.eye(16))
        model.encoder.pooler.dense.bias.zero_()
        pooled = pooler_for("pooler", model.encoder)(hidden, torch.ones(1, 2))
    wanted = torch.zeros(1, 16)
    wanted[0, 0] = 0.761594  # tanh(1)
    assert_close(pooled, wanted, 1e-6)


def test_attention_by_hand() -> None:
    pooling = AttentionPooling(2, init_std=0.02)
    with torch.no_grad():
        pooling.projection.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 0.0]]))
        pooling.score.weight.copy_(torch.tensor([[2.0, 5.0]]))
        hidden = torch.tensor([[[0.5, 4.0], [-0.5, 8.0], [9.0, 9.0]]])
        weights = pooling.weights(hidden, torch.tensor([[1, 1, 0]]))
        pooled = pooling(hidden, torch.tensor([[1, 1, 0]]))
    # scores 2 tanh(1/2) and -2 tanh(1/2): the first weight is 1 / (1 + exp(-4 * 0.4621172))
    assert_close(weights, torch.tensor([[0.863945, 0.136055, 0.0]]), 1e-5)
    assert_close(pooled, torch.tensor([[0.363945, 4.544220]]), 1e-5)


def test_attention_starts_as_mean_pooling_and_learns(tmp_path: Path) -> None:
    model = tiny_model(tmp_path, pooling="attention").eval()
    pooling = model.attention_pooling
    assert pooling is not None
    assert pooling.projection.weight.std().item() == pytest.approx(0.02, rel=0.2)
    hidden = torch.randn(2, 3, 16, generator=torch.Generator().manual_seed(0))
    assert_close(pooling(hidden, MASK), mean_pooling(hidden, MASK), 1e-6)
    model.embed(random_batch())[:, 0].sum().backward()
    gradient = pooling.score.weight.grad
    assert gradient is not None
    assert gradient.any(), "the first step moves w_s2"


def test_attention_weighs_real_tokens_only(pooled_model: MultitaskBert) -> None:
    pooling = AttentionPooling(16, init_std=0.02)
    redraw(pooling, seed=3)
    batch = random_batch((9, 4, 1))
    hidden = torch.randn(3, 9, 16, generator=torch.Generator().manual_seed(0))
    weights = pooling.weights(hidden, batch.attention_mask)
    assert_close(weights.sum(dim=1), torch.ones(3))
    assert (weights[batch.attention_mask == 0] == 0).all()
    assert weights.std() > 0.01
    assert_leaves_inputs_alone(pooling, hidden, batch.attention_mask)
    assert (pooled_model.attention_pooling is None) == (pooled_model.config.pooling != "attention")


def test_only_attention_adds_weights_to_a_checkpoint(tmp_path: Path) -> None:
    plain = set(tiny_model(tmp_path, pooling="mean").state_dict())
    learned = set(tiny_model(tmp_path, pooling="attention").state_dict())
    added = {"attention_pooling.projection.weight", "attention_pooling.score.weight"}
    assert learned - plain == added
    assert plain <= learned


def test_a_row_without_tokens_has_no_nan() -> None:
    assert_close(mean_pooling(HIDDEN[:1], torch.zeros(1, 3)), torch.zeros(1, 2), 0.0)


@pytest.mark.parametrize("name", sorted(POOLERS))
def test_half_precision_stays_half(name: str) -> None:
    pooled = POOLERS[name](HIDDEN.half(), MASK)
    assert pooled.dtype == torch.float16
    assert_close(pooled.float(), POOLERS[name](HIDDEN, MASK), 1e-2)


@pytest.mark.parametrize("name", sorted(POOLERS))
def test_a_pooling_leaves_its_inputs_alone(name: str) -> None:
    assert_leaves_inputs_alone(POOLERS[name], HIDDEN.clone(), MASK.clone())


def test_a_sentence_alone_is_what_it_is_in_a_padded_batch(pooled_model: MultitaskBert) -> None:
    with torch.no_grad():
        assert_padding_invariant(pooled_model.embed, random_batch((9, 4, 17, 2, 7), pad_id=9))


def test_embeddings_follow_the_order_of_the_batch(pooled_model: MultitaskBert) -> None:
    with torch.no_grad():
        assert_follows_order(pooled_model.embed, random_batch((9, 4, 17, 2, 7), pad_id=9))


def test_embedding_leaves_the_batch_alone(pooled_model: MultitaskBert) -> None:
    batch = random_batch()

    def embed(*_: Tensor) -> Tensor:
        return pooled_model.embed(batch)

    assert_leaves_inputs_alone(embed, batch.input_ids, batch.attention_mask, batch.token_type_ids)


def test_every_pooling_gives_an_embedding_of_its_own(tmp_path: Path) -> None:
    embeddings = []
    for name in POOLING_NAMES:
        model = tiny_model(tmp_path, pooling=name)
        redraw(model, seed=2)
        embeddings.append(model.eval().embed(random_batch()))
    for index, first in enumerate(embeddings):
        for second in embeddings[:index]:
            assert (first - second).abs().max() > 0.1


def test_an_unknown_pooling_lists_the_known_ones(model: MultitaskBert) -> None:
    listed = (
        r"`pooling` should be one of 'cls', 'pooler', 'mean', 'max', 'attention'\. Found 'avg'\."
    )
    with pytest.raises(ValueError, match=listed):
        pooler_for("avg", model.encoder)


def test_attention_without_its_module_is_told(model: MultitaskBert) -> None:
    with pytest.raises(ValueError, match=r"`attention_pooling` should be given.*Found None"):
        pooler_for("attention", model.encoder)


def test_the_names_and_the_functions_are_the_same_set(model: MultitaskBert) -> None:
    assert {*POOLERS, "pooler", "attention"} == set(POOLING_NAMES)
    learned = AttentionPooling(16, init_std=0.02)
    for name in POOLING_NAMES:
        assert callable(pooler_for(name, model.encoder, learned))
    assert pooler_for("attention", model.encoder, learned) is learned
