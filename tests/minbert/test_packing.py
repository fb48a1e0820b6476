"""Training without padding in the linear layers: the padded path's numbers and gradients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from minbert import bert
from minbert.config import POOLING_NAMES
from minbert.multitask import MultitaskBert
from minbert.packing import packing_of
from minbert.text import Batch
from tests.support import assert_close, random_batch, redraw, tiny_model

LENGTHS = (7, 3, 9, 3, 3, 16, 2, 9)
BATCH = random_batch(LENGTHS, pad_id=9)


def model_with(folder: Path, **changes: Any) -> MultitaskBert:  # noqa: ANN401 - any field's value
    """Build a tiny model in training mode without dropout, every parameter of which counts."""
    rates = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    model = tiny_model(folder, **{**rates, **changes})
    redraw(model, seed=1, std=0.3)
    return model.train()


def trained_on(model: MultitaskBert, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
    """Return embeddings (B, D) and the gradients of a function of them, by parameter."""
    model.zero_grad(set_to_none=True)
    embedding = model.embed(batch, "sentiment")
    embedding.pow(2).mean().backward()
    found = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
    return embedding.detach(), found


def assert_same(model: MultitaskBert, monkeypatch: pytest.MonkeyPatch, tolerance: float) -> None:
    """Hold embeddings and gradients with and without padding against each other."""
    rows: list[int] = []
    layer = model.encoder.layers[0].output
    layer.register_forward_hook(lambda _, given, __: rows.append(given[0].shape[:-1].numel()))
    embedding, gradients = trained_on(model, BATCH)
    monkeypatch.setattr(bert, "packing_of", lambda _: None)
    wanted, wanted_gradients = trained_on(model, BATCH)
    assert rows == [sum(LENGTHS), len(LENGTHS) * max(LENGTHS)]
    assert_close(embedding, wanted, tolerance)
    assert gradients.keys() == wanted_gradients.keys()
    assert len(gradients) > 30
    for name, gradient in gradients.items():
        assert_close(gradient, wanted_gradients[name], tolerance)


@pytest.mark.parametrize("pooling", POOLING_NAMES)
def test_embeddings_and_gradients_are_the_padded_path_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pooling: str
) -> None:
    assert_same(model_with(tmp_path, pooling=pooling), monkeypatch, 1e-5)


def test_with_projected_attention(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_same(model_with(tmp_path, pal_size=8), monkeypatch, 1e-5)


def test_in_bf16(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert_same(model_with(tmp_path), monkeypatch, 2e-2)


def test_hidden_states_at_padding_are_zero(tmp_path: Path) -> None:
    encoder = model_with(tmp_path).encoder
    hidden = encoder(BATCH.input_ids, BATCH.attention_mask, BATCH.token_type_ids).hidden
    assert not hidden[BATCH.attention_mask == 0].any()
    assert hidden[BATCH.attention_mask == 1].all()


def test_little_padding_stays() -> None:
    mask = torch.ones(10, 10)
    assert packing_of(mask) is None
    mask[9, 5:] = 0  # one token in twenty
    packing = packing_of(mask)
    assert packing is not None
    assert packing.places.tolist() == [*range(95)]
    mask[9, 5] = 1
    assert packing_of(mask) is None


def test_rows_go_and_come_back() -> None:
    mask = torch.tensor([[1, 1, 0], [1, 0, 0]])
    packing = packing_of(mask)
    assert packing is not None
    states = torch.arange(12.0).view(2, 3, 2)
    packed = packing.packed(states)
    assert packed.tolist() == [[0.0, 1.0], [2.0, 3.0], [6.0, 7.0]]
    assert torch.equal(packing.padded(packed), states * mask.unsqueeze(-1))


def test_maps_and_layer_states_keep_the_padded_shape(tmp_path: Path) -> None:
    encoder = model_with(tmp_path).encoder
    inputs = BATCH.input_ids, BATCH.attention_mask, BATCH.token_type_ids
    asked = encoder(*inputs, maps_of=(1,), keep_layer_states=True)
    assert asked.attention_maps[1].shape == (8, 4, 16, 16)
    assert [tuple(state.shape) for state in asked.layer_states] == [(8, 16, 16)] * 3
    real = BATCH.attention_mask == 1
    assert_close(encoder(*inputs).hidden[real], asked.hidden[real])


def test_dropout_acts_without_padding_too(tmp_path: Path) -> None:
    model = model_with(tmp_path, hidden_dropout_prob=0.2)
    first, second = (trained_on(model, BATCH)[0] for _ in range(2))
    assert (first - second).abs().max() > 0.05
    model.eval()
    assert torch.equal(*(trained_on(model, BATCH)[0] for _ in range(2)))
