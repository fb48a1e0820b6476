"""AdamW's groups: what decays, and each layer's learning rate by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.trainer.tuning import tuning_of
from trainer.run.fine_tuning import learning_rate_at
from trainer.run.optimizer import depth_of


def scales_of(tuning_folder: Path, layer_decay: float) -> dict[str, float]:
    """Return the scale of every parameter's group, by name."""
    tuning = tuning_of(tuning_folder, layer_decay=layer_decay)
    names = {id(parameter): name for name, parameter in tuning.trained.items()}
    return {
        names[id(parameter)]: group["scale"]
        for group in tuning.optimizer.param_groups
        for parameter in group["params"]
    }


def test_depths_by_hand() -> None:
    depths = {
        "encoder.embeddings.word.weight": 0,
        "encoder.layers.0.attention.query.weight": 1,
        "encoder.layers.5.output.bias": 6,
        "encoder.layers.11.output.bias": 12,
        "encoder.pooler.weight": 13,
        "heads.sentiment.linear.weight": 13,
        "attention_pooling.weight": 13,
    }
    assert {name: depth_of(name, 12) for name in depths} == depths


def test_each_layer_s_rate_by_hand(tmp_path: Path) -> None:
    found = scales_of(tmp_path, 0.5)
    layers = 1 + max(int(name.split(".")[2]) for name in found if ".layers." in name)
    expected = {"encoder.embeddings.": 0.5 ** (layers + 1), "heads.": 1.0, "encoder.pooler": 1.0}
    expected |= {f"encoder.layers.{n}.": 0.5 ** (layers - n) for n in range(layers)}
    for name, scale in found.items():
        (wanted,) = [value for prefix, value in expected.items() if name.startswith(prefix)]
        assert scale == pytest.approx(wanted), name
    assert set(scales_of(tmp_path, 1.0).values()) == {1.0}


def test_a_step_uses_the_scaled_rate(tmp_path: Path) -> None:
    tuning = tuning_of(tmp_path, layer_decay=0.5)
    tuning.train_step()
    rate = learning_rate_at(0, 1, tuning.config)
    assert rate > 0
    for group in tuning.optimizer.param_groups:
        assert group["lr"] == pytest.approx(group["scale"] * rate)
    assert len({group["lr"] for group in tuning.optimizer.param_groups}) > 2


def test_only_matrices_decay_and_every_parameter_is_there_once(tmp_path: Path) -> None:
    for decay in (1.0, 0.7):
        tuning = tuning_of(tmp_path, layer_decay=decay, weight_decay=0.03)
        groups = tuning.optimizer.param_groups
        for group in groups:
            wide = {parameter.dim() > 1 for parameter in group["params"]}
            assert wide == {group["weight_decay"] == 0.03}
        found = [id(parameter) for group in groups for parameter in group["params"]]
        assert sorted(found) == sorted(id(parameter) for parameter in tuning.trained.values())


def test_frozen_word_embeddings_stay_to_the_bit(tmp_path: Path) -> None:
    tuning = tuning_of(tmp_path, freeze_word_embeddings=True, ema=0.5, layer_decay=0.9)
    words = tuning.model.encoder.embeddings.word.weight
    before = words.detach().clone()
    others = {name: p.detach().clone() for name, p in tuning.trained.items()}
    for _ in range(3):
        tuning.train_step()
    assert torch.equal(words, before)
    assert "encoder.embeddings.word.weight" not in tuning.average.values
    assert any(not torch.equal(p, others[name]) for name, p in tuning.trained.items())
