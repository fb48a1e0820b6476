"""The encoder without padding, in either runtime, computes what the padded one computes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from minbert.backends.local import LocalBackend
from minbert.backends.unpadded import TOKENS_TOGETHER, UnpaddedEncoder, runs_of_equal
from minbert.bert import ACTIVATIONS
from minbert.config import POOLING_NAMES
from minbert.multitask import MultitaskBert
from minbert.text import Encoded, pad
from tests.support import assert_close, redraw, tiny_model

LENGTHS = (7, 3, 9, 3, 3, 16, 2, 9)


def inputs_of(lengths: tuple[int, ...], seed: int = 0) -> list[Encoded]:
    """Draw inputs of some lengths, the second half of each with token type 1."""
    generator = torch.Generator().manual_seed(seed)
    drawn = [torch.randint(5, 20, (length,), generator=generator).tolist() for length in lengths]
    return [Encoded(ids, [int(2 * at >= len(ids)) for at in range(len(ids))]) for ids in drawn]


@pytest.fixture
def model(tmp_path: Path) -> MultitaskBert:
    """Build a tiny model of which no weight is zero and no layer norm the identity."""
    model = tiny_model(tmp_path).eval()
    redraw(model.encoder, seed=1)
    return model


@torch.inference_mode()
def assert_same(model: MultitaskBert, inputs: list[Encoded]) -> None:
    """Hold states, maps and embeddings of a backend against the padded encoder's."""
    batch = pad(inputs)
    layers = range(len(model.encoder.layers))
    padded = model.encoder(
        batch.input_ids,
        batch.attention_mask,
        batch.token_type_ids,
        maps_of=layers,
        keep_layer_states=True,
    )
    states = torch.stack(padded.layer_states, dim=1)  # (B, L+1, T, D)
    for runtime in ("torch", "onnx"):
        backend = LocalBackend(model, torch.device("cpu"), runtime=runtime)
        every = backend.hidden(inputs, None, every_layer=True)
        last = backend.hidden(inputs, None, every_layer=False)
        for row, item in enumerate(inputs):
            real = slice(0, len(item))
            assert_close(every[row], states[row, :, real])
            assert_close(last[row], padded.hidden[row, real])
            found = [padded.attention_maps[layer][row, :, real, real] for layer in layers]
            assert_close(backend.maps(item, layers), torch.stack(found))
        assert_close(backend.pooled(inputs, None), model.embed(batch))


def test_states_maps_and_embeddings_are_those_of_the_padded_encoder(model: MultitaskBert) -> None:
    assert_same(model, inputs_of(LENGTHS))


@pytest.mark.parametrize("pooling", POOLING_NAMES)
def test_every_pooling(tmp_path: Path, pooling: str) -> None:
    model = tiny_model(tmp_path, pooling=pooling).eval()
    redraw(model, seed=2)
    assert_same(model, inputs_of(LENGTHS))


@pytest.mark.parametrize("function", sorted(set(ACTIVATIONS) - {"gelu_python"}))
def test_every_activation(model: MultitaskBert, function: str) -> None:
    for layer in model.encoder.layers:
        layer.activation = ACTIVATIONS[function]
    assert_same(model, inputs_of(LENGTHS))


def bypass(model: MultitaskBert) -> None:
    """Put another tensor in a parameter's place."""
    key = model.encoder.layers[1].attention.key
    key.weight = torch.nn.Parameter(torch.randn_like(key.weight))


@pytest.mark.parametrize(
    "change",
    [
        lambda model: redraw(model.encoder, seed=9),
        lambda model: model.load_state_dict({k: -v for k, v in model.state_dict().items()}),
        lambda model: model.encoder.layers[0].attention.query.bias.detach().add_(1.0),
        bypass,
    ],
    ids=["in place", "loaded", "one bias", "another parameter"],
)
def test_changed_weights_are_seen(
    model: MultitaskBert, change: Callable[[MultitaskBert], object]
) -> None:
    backend, inputs = LocalBackend(model, torch.device("cpu")), inputs_of(LENGTHS)
    before = backend.pooled(inputs, None)
    change(model)
    with torch.inference_mode():
        after = model.embed(pad(inputs))
    assert (after - before).abs().max() > 1e-3
    assert_close(backend.pooled(inputs, None), after)


def test_more_inputs_than_go_together(model: MultitaskBert) -> None:
    lengths = tuple(2 + row % 15 for row in range(2 * TOKENS_TOGETHER // 9))
    assert sum(lengths) > TOKENS_TOGETHER
    inputs = inputs_of(lengths)
    backend = LocalBackend(model, torch.device("cpu"))
    with torch.inference_mode():
        assert_close(backend.pooled(inputs, None), model.embed(pad(inputs)))


def test_gradients_are_none_of_its_business(model: MultitaskBert) -> None:
    encoder = UnpaddedEncoder(model.encoder)
    with torch.inference_mode():
        encoder(inputs_of((4,)))
    batch = pad(inputs_of((4,)))
    model.embed(batch).sum().backward()
    assert model.encoder.layers[0].output.weight.grad is not None


def test_runs_of_equal() -> None:
    assert runs_of_equal([3, 3, 5, 3]) == [(0, 3, 2), (6, 5, 1), (11, 3, 1)]
    assert runs_of_equal([]) == []
