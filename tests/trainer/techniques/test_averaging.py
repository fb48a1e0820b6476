"""Averaged weights: three updates by hand, the swap, the state, and what a run keeps."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
import torch
from torch import nn

from minbert.metrics import Metric
from tests.trainer.tuning import tuning_of
from trainer.evaluation.scores import Scores
from trainer.run.folder import Run
from trainer.run.loop import fine_tune
from trainer.techniques.averaging import Average, decay_at


def parameter(*values: float) -> nn.Parameter:
    """Return a parameter."""
    return nn.Parameter(torch.tensor(values))


def test_the_decay_rises_to_what_is_asked_for() -> None:
    assert decay_at(0.999, 1) == pytest.approx(2 / 11)
    assert decay_at(0.999, 2) == pytest.approx(3 / 12)
    assert decay_at(0.2, 2) == 0.2
    assert decay_at(0.999, 8989) < 0.999 == decay_at(0.999, 8991)


def test_three_updates_by_hand() -> None:
    weight = parameter(0.0, 11.0)
    average = Average({"w": weight}, 0.2)
    for number, values in enumerate(([11.0, 22.0], [1.0, -1.0], [5.0, 0.0]), start=1):
        with torch.no_grad():
            weight.copy_(torch.tensor(values))
        average.update(number)
    # 2/11 * (0, 11) + 9/11 * (11, 22) = (9, 20); 0.2 * that + 0.8 * (1, -1) = (2.6, 3.2);
    # 0.2 * that + 0.8 * (5, 0)
    torch.testing.assert_close(average.values["w"], torch.tensor([4.52, 0.64]))
    assert weight.tolist() == [5.0, 0.0]
    assert not average.values["w"].requires_grad


def test_the_swap_is_undone_to_the_bit_even_after_an_error() -> None:
    weight = parameter(0.1, 0.7)
    average = Average({"w": weight}, 0.5)
    with torch.no_grad():
        weight.mul_(3.3)
    before = weight.detach().clone()
    with average.swapped_in():
        inside = weight.detach().clone()
    torch.testing.assert_close(inside, torch.tensor([0.1, 0.7]), rtol=0, atol=0)
    assert torch.equal(weight, before)
    with contextlib.suppress(KeyError), average.swapped_in():
        raise KeyError
    assert torch.equal(weight, before)
    torch.testing.assert_close(average.values["w"], torch.tensor([0.1, 0.7]), rtol=0, atol=0)


def test_without_a_decay_nothing_is_kept() -> None:
    weight = parameter(1.0)
    average = Average({"w": weight}, 0.0)
    average.update(1)
    assert (average.values, average.state()) == ({}, {})
    with average.swapped_in():
        assert weight.item() == 1.0


def test_training_is_the_same_with_and_without_an_average(tmp_path: Path) -> None:
    plain, averaged = tuning_of(tmp_path / "a"), tuning_of(tmp_path / "b", ema=0.9)
    for tuning in (plain, averaged):
        for _ in range(4):
            tuning.train_step()
    for name, value in plain.model.state_dict().items():
        assert torch.equal(value, averaged.model.state_dict()[name]), name
    assert set(averaged.average.values) == set(averaged.trained)
    with averaged.average.swapped_in():
        moved = [n for n, p in plain.trained.items() if not torch.equal(p, averaged.trained[n])]
    assert len(moved) > 10


def test_the_average_follows_every_step(tmp_path: Path) -> None:
    tuning = tuning_of(tmp_path, ema=0.9)
    name = next(name for name in tuning.trained if name.startswith("encoder.layers.0."))
    expected = tuning.trained[name].detach().clone()
    for step in range(1, 5):
        tuning.train_step()
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * tuning.trained[name].detach()
    torch.testing.assert_close(tuning.average.values[name], expected)


def test_a_restored_average_goes_on_bit_for_bit(tmp_path: Path) -> None:
    unbroken, first = tuning_of(tmp_path / "a", ema=0.9), tuning_of(tmp_path / "b", ema=0.9)
    for _ in range(5):
        unbroken.train_step()
    for _ in range(2):
        first.train_step()
    tensors, counters = first.state()
    kept = {name: value.clone() for name, value in tensors.items()}
    second = tuning_of(tmp_path / "c", seed=9, ema=0.9)
    second.restore(kept, counters)
    for _ in range(3):
        second.train_step()
    for name, value in unbroken.average.values.items():
        assert torch.equal(value, second.average.values[name]), name


def test_validation_and_the_kept_model_see_the_average(tmp_path: Path) -> None:
    tuning = tuning_of(tmp_path / "model", ema=0.9, steps_per_epoch=3, epochs=1)
    name = next(name for name in tuning.trained if name.startswith("encoder.layers.0."))
    weight = tuning.trained[name]
    seen: list[tuple[str, torch.Tensor, torch.Tensor]] = []

    def look(event: str) -> dict[str, Scores]:
        seen.append((event, weight.detach().clone(), tuning.average.values[name].clone()))
        return {"sentiment": {"accuracy": Metric(len(seen) / 10, 0.1, 10)}}

    run = Run(tmp_path / "run")
    run.prepare(tuning.config, {}, resume=False)
    run.load_state()  # begins an empty metrics.jsonl

    def save() -> None:
        look("save")

    fine_tune(tuning, run, lambda: look("validate"), save)
    assert [event for event, *_ in seen] == ["validate", "save"] * 2
    assert all(torch.equal(found, average) for _, found, average in seen)
    assert not torch.equal(weight, tuning.average.values[name])
