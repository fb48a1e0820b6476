"""Dropout: how many units fall, that they fall alone, what the others become, gradients, seeds."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from minbert.dropout import Dropout, drop_units
from tests.support import assert_close, assert_seed_decides, seeded

COUNT = 400_003  # not a multiple of 4


def dropped_ones(probability: float, dtype: torch.dtype = torch.float32, seed: int = 0) -> Tensor:
    """Drop units of ones (COUNT,)."""
    with seeded(seed):
        return drop_units(torch.ones(COUNT, dtype=dtype), probability, training=True)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("probability", [0.001, 0.1, 0.2, 0.5, 0.9])
def test_the_share_that_falls_and_what_the_others_become(
    probability: float, dtype: torch.dtype
) -> None:
    found = dropped_ones(probability, dtype)
    assert found.dtype == dtype
    share = (found == 0).double().mean().item()
    error = (probability * (1 - probability) / COUNT) ** 0.5
    assert abs(share - probability) < 4 * error + 2**-17
    (kept,) = found[found != 0].unique().tolist()
    tolerance = 1e-4 if dtype == torch.float32 else 8e-3
    assert kept == pytest.approx(1 / (1 - probability), rel=tolerance)


def test_units_fall_independently_of_their_neighbours() -> None:
    fallen = (dropped_ones(0.2) == 0).double()
    for distance in (1, 2, 3, 4, 8, 64):
        both = (fallen[distance:] * fallen[:-distance]).mean().item()
        assert both == pytest.approx(0.04, abs=4 * (0.04 / COUNT) ** 0.5)
    for place in range(4):  # of the 16-bit word in its 64 bits
        assert fallen[place::4].mean().item() == pytest.approx(0.2, abs=0.006)


@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 5), (2, 3, 4, 7)])
def test_any_shape(shape: tuple[int, ...]) -> None:
    units = torch.ones(shape)
    assert drop_units(units, 0.3, training=True).shape == shape
    assert torch.equal(units, torch.ones(shape))


def test_rows_of_a_transposed_tensor_fall_by_themselves() -> None:
    with seeded(0):
        found = drop_units(torch.arange(1.0, 1201.0).view(30, 40).t(), 0.5, training=True)
    kept = found != 0
    assert_close(found[kept], 2 * torch.arange(1.0, 1201.0).view(30, 40).t()[kept], 1e-3)
    assert 0.4 < kept.double().mean() < 0.6


def test_the_seed_decides() -> None:
    assert_seed_decides(lambda seed: dropped_ones(0.1, seed=seed).tolist())


def test_nothing_falls_in_eval_mode_or_at_0_and_everything_at_1() -> None:
    units = torch.randn(50)
    assert torch.equal(drop_units(units, 0.5, training=False), units)
    assert torch.equal(drop_units(units, 0.0, training=True), units)
    assert not drop_units(units, 1.0, training=True).any()
    module = Dropout(0.5)
    assert torch.equal(module.eval()(units), units)
    assert (module.train()(units) == 0).any()


def test_gradients_pass_where_units_did() -> None:
    units = torch.randn(1000, requires_grad=True)
    with seeded(0):
        found = drop_units(units, 0.25, training=True)
    found.sum().backward()  # type: ignore[no-untyped-call]
    assert units.grad is not None
    assert_close(units.grad, found.detach() / units.detach(), 1e-4)
