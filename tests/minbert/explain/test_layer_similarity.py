"""The cosine after each layer."""

from __future__ import annotations

import pytest
import torch

from minbert.explain.layers import layer_similarity
from minbert.predictor import Predictor
from minbert.text import pad
from tests.minbert.explain.conftest import Build

CAT, DOG = "the cat sleeps in the garden.", "a red dog runs to the park"


def states(predictor: Predictor, text: str) -> list[torch.Tensor]:
    """Return one sentence's hidden states of each layer, (T, D)."""
    batch = pad(predictor.encode_single([text]))
    with torch.no_grad():
        output = predictor.model.encoder(
            batch.input_ids, batch.attention_mask, batch.token_type_ids, keep_layer_states=True
        )
    return [layer[0] for layer in output.layer_states]


def test_each_value_is_the_cosine_at_its_layer(build: Build) -> None:
    predictor = build()
    found = layer_similarity(predictor, CAT, DOG, ("cls", "mean", "max"))
    assert list(found) == ["cls", "mean", "max"]
    pools = {"cls": lambda h: h[0], "mean": lambda h: h.mean(0), "max": lambda h: h.amax(0)}
    for layer, (h, k) in enumerate(
        zip(states(predictor, CAT), states(predictor, DOG), strict=True)
    ):
        for name, pool in pools.items():
            u, v = pool(h), pool(k)
            wanted = (u @ v / (u.norm() * v.norm())).item()
            assert found[name][layer] == pytest.approx(wanted, abs=1e-5)
    assert {len(values) for values in found.values()} == {3}


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_the_last_value_is_the_siamese_cosine(pooling: str, build: Build) -> None:
    predictor = build(pooling=pooling, cosine_scaling="positive", pal_size=4)
    found = layer_similarity(predictor, CAT, DOG)[pooling][-1]
    assert 5 * found == pytest.approx(predictor.siamese([(CAT, DOG)]).item(), abs=5e-5)


def test_cls_begins_at_one_for_it_is_everywhere_the_same(build: Build) -> None:
    found = layer_similarity(build(), CAT, DOG)
    assert list(found) == ["cls", "mean"]
    assert found["cls"][0] == pytest.approx(1.0, abs=1e-6)
    assert found["mean"][0] < 0.999


def test_order_doesn_t_matter_and_equal_sentences_are_alike(build: Build) -> None:
    predictor = build()
    there, back = layer_similarity(predictor, CAT, DOG), layer_similarity(predictor, DOG, CAT)
    assert there["mean"] == pytest.approx(back["mean"], abs=1e-6)
    assert there["cls"] == pytest.approx(back["cls"], abs=1e-6)
    same = layer_similarity(predictor, CAT, CAT)
    assert same["mean"] == pytest.approx([1.0] * 3, abs=1e-6)


def test_odd_texts_have_layers_too(build: Build) -> None:
    predictor = build()
    for text in (".", "🙂 [SEP]", "films " * 100):
        assert len(layer_similarity(predictor, text, CAT)["mean"]) == 3


@pytest.mark.parametrize("name", ["pooler", "attention", "avg"])
def test_a_pooling_that_is_no_plain_function_is_refused(name: str, build: Build) -> None:
    message = f"`poolings` should be one of 'cls', 'mean', 'max'. Found '{name}'"
    with pytest.raises(ValueError, match=message):
        layer_similarity(build(), CAT, DOG, ("mean", name))


def test_the_real_model_has_seven_values(real: Predictor) -> None:
    found = layer_similarity(real, "a man plays a guitar", "somebody makes music")
    assert {len(values) for values in found.values()} == {7}
    siamese = real.siamese([("a man plays a guitar", "somebody makes music")]).item()
    assert 5 * found["mean"][-1] == pytest.approx(siamese, abs=1e-4)
