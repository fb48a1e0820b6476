"""The predictor's hidden states: order, no padding, each layer, each task's own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor
from minbert.text import pad
from tests.support import assert_close, redraw, tiny_model

TEXTS = (
    "the film is good, the plot is dull, and it is not funny",
    ".",
    "a dog",
    "zebra crossings " * 40,
    "the cat sleeps 🙂 [SEP] on the sofa",
)


@pytest.fixture
def predictor(model: MultitaskBert) -> Predictor:
    """Give a predictor whose states differ from text to text."""
    return Predictor(model, device="cpu")


@pytest.mark.parametrize("every_layer", [False, True])
def test_states_in_a_crowd_are_those_alone(every_layer: bool, predictor: Predictor) -> None:
    inputs = predictor.encode_single(TEXTS)
    together = predictor.hidden(inputs, every_layer=every_layer)
    assert len(together) == len(TEXTS)
    layers = (3,) if every_layer else ()
    for item, states in zip(inputs, together, strict=True):
        assert states.shape == (*layers, len(item), 16), "no padding"
        assert states.dtype == torch.float32
        (alone,) = predictor.hidden([item], every_layer=every_layer)
        assert_close(states, alone)


def test_states_are_the_encoder_s_embeddings_first(predictor: Predictor) -> None:
    (item,) = predictor.encode_joint([("the film", "a dog runs")])
    batch = pad([item])
    with torch.no_grad():
        embedded = predictor.model.encoder.embeddings(batch.input_ids, batch.token_type_ids)
        last = predictor.model.encoder(
            batch.input_ids, batch.attention_mask, batch.token_type_ids
        ).hidden
    (every,) = predictor.hidden([item], every_layer=True)
    assert_close(every[0], embedded[0])
    assert_close(every[-1], last[0])
    assert_close(predictor.hidden([item])[0], last[0])
    assert (every[1] - every[0]).abs().max() > 0.1
    assert (every[1] - every[2]).abs().max() > 0.1


def test_their_mean_is_what_pooled_returns(predictor: Predictor) -> None:
    inputs = predictor.encode_single(TEXTS)
    means = torch.stack([states.mean(dim=0) for states in predictor.hidden(inputs)])
    assert_close(means, predictor.pooled(inputs))


def test_order_holds_over_several_batches_of_states(predictor: Predictor) -> None:
    words = ("film", "plot", "dull", "good", "red", "slow", "cat", "park")
    inputs = predictor.encode_single(
        [" ".join(words[(i + j) % 8] for j in range(1 + i % 11)) for i in range(150)]
    )
    together = predictor.hidden(inputs)
    for row in (0, 10, 63, 64, 65, 149):
        assert_close(together[row], predictor.hidden([inputs[row]])[0])


def test_no_inputs_give_no_states(predictor: Predictor) -> None:
    assert predictor.hidden([]) == []
    assert predictor.hidden([], every_layer=True) == []


def test_a_task_s_pals_join_in(tmp_path: Path) -> None:
    model = tiny_model(tmp_path, pal_size=4)
    redraw(model, seed=1)
    predictor = Predictor(model, "cpu")
    inputs = predictor.encode_single(["the film is good"])
    (trunk,), (mine,) = predictor.hidden(inputs), predictor.hidden(inputs, "sentiment")
    assert (trunk - mine).abs().max() > 0.1
    assert_close(mine.mean(dim=0), predictor.pooled(inputs, "sentiment")[0])


def test_states_under_autocast_are_float32_still(model: MultitaskBert) -> None:
    exact, rough = Predictor(model, "cpu"), Predictor(model, "cpu", autocast=True)
    inputs = exact.encode_single(TEXTS[:3])
    pairs = zip(
        exact.hidden(inputs, every_layer=True), rough.hidden(inputs, every_layer=True), strict=True
    )
    for wanted, found in pairs:
        assert found.dtype == torch.float32
        assert 0 < (found - wanted).abs().max() < 0.5
