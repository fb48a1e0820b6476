"""The share of the machine's peak that training is."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.support import tiny_model
from trainer.run import peak
from trainer.run.peak import Pace, flops_per_token, matrix_peak

CPU = torch.device("cpu")


class Machine:
    """Multiplies matrices in no time of ours, by a clock of its own."""

    def __init__(self, seconds_of: dict[int, float], other: float) -> None:
        self.now, self.sizes = 0.0, list[int]()
        self.seconds_of, self.other = seconds_of, other

    def time_product(self, matrix: torch.Tensor) -> float:
        size = len(matrix)
        self.sizes.append(size)
        taken = self.seconds_of.get(size, self.other * (size / 256) ** 3)
        self.now += taken
        return taken


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Put a machine in place of ours that takes 1 ms for 256 x 256, and half as long for 512."""
    built = Machine({512: 0.004}, 0.001)
    monkeypatch.setattr(peak, "time_product", built.time_product)
    monkeypatch.setattr(peak.time, "perf_counter", lambda: built.now)
    matrix_peak.cache_clear()
    yield built
    matrix_peak.cache_clear()


def test_the_operations_of_a_token_by_hand(tmp_path: Path) -> None:
    encoder = tiny_model(tmp_path).encoder
    attention, feed_forward = 4 * 16 * 16, 2 * 16 * 32
    assert flops_per_token(encoder) == 6 * 2 * (attention + feed_forward)


def test_the_fastest_product_of_half_a_second_counts(machine: Machine) -> None:
    assert matrix_peak(CPU, torch.float32, 1) == pytest.approx(2 * 512**3 / 0.004)
    assert set(machine.sizes) == {256, 512, 1024}
    assert peak.SECONDS <= machine.now < 1.3 * peak.SECONDS
    measured = len(machine.sizes)
    matrix_peak(CPU, torch.float32, 1)
    assert len(machine.sizes) == measured, "once for each device, precision and number of threads"
    matrix_peak(CPU, torch.float32, 2)
    assert len(machine.sizes) > measured


def test_a_slow_machine_multiplies_the_smallest_alone(machine: Machine) -> None:
    machine.other = 0.1
    matrix_peak(CPU, torch.float32, 1)
    assert set(machine.sizes) == {256}


def test_our_own_machine_s_peak_is_one_that_products_reach() -> None:
    matrix_peak.cache_clear()
    found = matrix_peak(CPU, torch.float32, 1)
    again = max(2 * 512**3 / peak.time_product(torch.ones(512, 512)) for _ in range(20))
    assert 0.2 < found / again < 5


@pytest.mark.parametrize(("precision", "name"), [("fp32", "float32"), ("bf16", "bf16")])
def test_pace_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str, name: str
) -> None:
    asked: list[torch.dtype] = []

    def measured(_: torch.device, dtype: torch.dtype, __: int) -> float:
        asked.append(dtype)
        return 24_576e3

    monkeypatch.setattr(peak, "matrix_peak", measured)
    pace = Pace(tiny_model(tmp_path).encoder, precision, CPU, processes=2)
    assert asked == [torch.float32 if precision == "fp32" else torch.bfloat16]
    assert f"in {name} reach" in pace.told_peak
    assert "2,000 tokens/s" in pace.told_peak
    assert pace.rate == 0
    pace.add(1000, 1.5)
    pace.add(2000, 0.5)
    assert pace.rate == pytest.approx(1500)
    assert pace.share == pytest.approx(0.75)
    assert pace.told == "1,500 tokens/s, 75% of peak"
