"""Paired intervals: by hand, against a plain loop, covering what they should."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from minbert import metrics
from trainer.reproduction import intervals
from trainer.reproduction.intervals import Difference, paired_accuracy, paired_pearson


def hits(seed: int, n: int, rates: tuple[float, float], seeds: int = 1) -> list[np.ndarray]:
    """Draw hits of two runs that share half of what makes an example hard."""
    generator = np.random.default_rng(seed)
    hard = generator.random(n)
    return [(hard + generator.random((seeds, n))) / 2 < rate for rate in rates]


def scores(seed: int, n: int, noises: tuple[float, float], seeds: int = 1) -> list[np.ndarray]:
    """Draw labels and the scores of two runs, some of their noise in common."""
    generator = np.random.default_rng(seed)
    labels = generator.normal(size=n)
    shared = labels + 0.5 * generator.normal(size=n)
    return [labels, *(shared + noise * generator.normal(size=(seeds, n)) for noise in noises)]


def plain_bootstrap(statistic: object, n: int, draws: int) -> tuple[float, float]:
    generator = np.random.default_rng(99)
    drawn = [statistic(generator.integers(n, size=n)) for _ in range(draws)]  # type: ignore[operator]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def test_the_value_of_an_accuracy_difference_by_hand() -> None:
    found = paired_accuracy([[1, 1, 0, 1], [1, 0, 0, 1]], [[0, 1, 0, 0], [1, 0, 1, 0]])
    assert found.value == pytest.approx((2 + 0) / 8)
    assert found.n == 4


def test_the_interval_of_one_differing_example_by_hand() -> None:
    a = np.zeros(1000, dtype=bool)
    a[0] = True  # drawn 0 to 3 or 4 times: Poisson(1) has P(0) = .37, P(X <= 3) = .981
    assert paired_accuracy(a, np.zeros(1000, dtype=bool)) == Difference(0.001, 0.0, 0.003, 1000)


def test_the_interval_is_as_wide_as_theory_says() -> None:
    a, b = hits(1, 4000, (0.55, 0.5))
    found = paired_accuracy(a, b, draws=20000)
    each = a[0].astype(float) - b[0]
    assert found.value == pytest.approx(each.mean())
    assert found.low is not None
    assert found.high is not None
    half = 1.96 * each.std() / math.sqrt(4000)
    assert found.low == pytest.approx(each.mean() - half, abs=0.05 * half)
    assert found.high == pytest.approx(each.mean() + half, abs=0.05 * half)


def test_intervals_of_several_seeds_agree_with_a_plain_loop() -> None:
    a, b = hits(2, 300, (0.6, 0.5), seeds=3)
    labels, x, y = scores(2, 300, (0.5, 1.0), seeds=3)

    def accuracies(rows: np.ndarray) -> float:
        return float(a[:, rows].mean() - b[:, rows].mean())

    def correlations(rows: np.ndarray) -> float:
        r = [[metrics.pearson(s[rows], labels[rows]).value for s in run] for run in (x, y)]
        return float(np.mean(r[0]) - np.mean(r[1]))

    for found, statistic in (
        (paired_accuracy(a, b), accuracies),
        (paired_pearson(x, y, labels), correlations),
    ):
        low, high = plain_bootstrap(statistic, 300, 1500)
        width = high - low
        assert found.value == pytest.approx(statistic(np.arange(300)), abs=1e-12)
        assert found.low == pytest.approx(low, abs=0.1 * width)
        assert found.high == pytest.approx(high, abs=0.1 * width)


def covered(found: Difference, truth: float) -> bool:
    assert found.low is not None
    assert found.high is not None
    return found.low <= truth <= found.high


def test_accuracy_intervals_cover_the_true_difference() -> None:
    def rate(x: float) -> float:  # P((U + V) / 2 < x)
        return 2 * x * x if x < 0.5 else 1 - 2 * (1 - x) ** 2

    truth = rate(0.55) - rate(0.45)
    times = [
        covered(paired_accuracy(*hits(k, 400, (0.55, 0.45)), draws=500), truth) for k in range(400)
    ]
    assert 0.91 <= np.mean(times) <= 0.98


def test_correlation_intervals_cover_the_true_difference() -> None:
    truth = 1 / math.sqrt(1 + 0.25 + 0.16) - 1 / math.sqrt(1 + 0.25 + 1)
    times = []
    for k in range(300):
        labels, a, b = scores(k, 200, (0.4, 1.0))
        times.append(covered(paired_pearson(a, b, labels, draws=300), truth))
    assert 0.89 <= np.mean(times) <= 0.98


@pytest.mark.parametrize("seeds", [1, 3])
def test_swapping_the_runs_turns_the_sign_and_nothing_else(seeds: int) -> None:
    a, b = hits(5, 200, (0.6, 0.5), seeds)
    labels, x, y = scores(5, 200, (0.4, 0.6), seeds)
    for one, other in (
        (paired_accuracy(a, b), paired_accuracy(b, a)),
        (paired_pearson(x, y, labels), paired_pearson(y, x, labels)),
    ):
        assert one.value == pytest.approx(-other.value, abs=1e-12)  # type: ignore[operator]
        assert one.low == pytest.approx(-other.high, abs=1e-12)  # type: ignore[operator]
        assert one.high == pytest.approx(-other.low, abs=1e-12)  # type: ignore[operator]
        assert one.low != one.high


def test_a_run_against_itself_differs_by_nothing() -> None:
    a, _ = hits(6, 100, (0.6, 0.5), seeds=2)
    labels, x, _ = scores(6, 100, (0.4, 0.6))
    assert paired_accuracy(a, a) == Difference(0.0, 0.0, 0.0, 100)
    assert paired_pearson(x, x, labels) == Difference(0.0, 0.0, 0.0, 100)


def test_a_seed_gives_the_same_interval_and_another_another() -> None:
    a, b = hits(7, 1101, (0.55, 0.5), seeds=3)
    labels, x, y = scores(7, 150, (0.4, 0.6))
    assert paired_accuracy(a, b) == paired_accuracy(a, b, seed=0) != paired_accuracy(a, b, seed=1)
    first = paired_pearson(x, y, labels)
    assert first == paired_pearson(x, y, labels, seed=0) != paired_pearson(x, y, labels, seed=1)


def test_the_chunks_are_one_sequence_of_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, x, y = scores(8, 50, (0.4, 0.6))
    whole = paired_pearson(x, y, labels, draws=400)
    monkeypatch.setattr(intervals, "CELLS", 50 * 7)  # 7 draws at once; the last chunk has 1
    found = paired_pearson(x, y, labels, draws=400)
    assert (found.low, found.high) == pytest.approx((whole.low, whole.high), abs=1e-12)


def test_a_correlation_feels_neither_scale_nor_shift() -> None:
    labels, x, y = scores(9, 150, (0.4, 0.6))
    found = paired_pearson(x, y, labels)
    moved = paired_pearson(1e-4 * x + 1e5, y, 1e3 * labels - 1e6)
    assert (found.low, found.high) == pytest.approx((moved.low, moved.high), abs=1e-5)


@pytest.mark.parametrize("broken", [0.0, math.nan, math.inf])
@pytest.mark.parametrize("side", [0, 1])
def test_one_undefined_seed_makes_the_difference_undefined(broken: float, side: int) -> None:
    labels, *runs = scores(10, 40, (0.4, 0.6), seeds=2)
    runs[side][1] = broken
    assert paired_pearson(runs[0], runs[1], labels) == Difference(None, None, None, 40)


def test_nothing_to_compare_is_undefined() -> None:
    assert paired_accuracy([], []) == Difference(None, None, None, 0)
    assert paired_pearson([1.0, 2.0], [2.0, 1.0], [1.0, 2.0]).value is None


def test_draws_without_a_correlation_are_left_out() -> None:
    labels = np.arange(6.0)
    a, b = labels + np.array([0, 1] * 3), np.array([0.0, 0, 0, 0, 1, 1])  # b is constant in 9 %
    found = paired_pearson(a, b, labels)
    assert found.low is not None
    assert math.isfinite(found.low)
    lone = np.array([0.0] * 200 + [1.0])  # constant in 37 % of the draws
    noise = np.random.default_rng(0).normal(size=201)
    assert paired_pearson(noise, lone, noise + lone).low is not None


def test_an_interval_of_few_draws_with_a_correlation_can_not_be_told() -> None:
    lone = np.array([0.0] * 9 + [1.0])
    noise = np.random.default_rng(0).normal(size=10)
    other = np.array([1.0] + [0.0] * 9)
    found = paired_pearson([lone, other], [noise, noise], noise)  # both vary in under half
    assert found.value is not None
    assert (found.low, found.high) == (None, None)


@pytest.mark.parametrize("other", [np.ones((2, 5)), np.ones((3, 4)), np.ones(4)])
def test_unlike_shapes_are_refused(other: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"same seeds and examples.*\(2, 4\)"):
        paired_accuracy(np.ones((2, 4)), other)
    with pytest.raises(ValueError, match=r"same seeds and examples.*\(2, 4\)"):
        paired_pearson(np.ones((2, 4)), other, np.ones(4))


def test_labels_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"`labels` should have the shape \(4,\)"):
        paired_pearson(np.ones((2, 4)), np.ones((2, 4)), np.ones(5))


def test_mean_and_sd_by_hand() -> None:
    assert intervals.mean_and_sd([1.0, 2.0, 4.0]) == pytest.approx((7 / 3, math.sqrt(7 / 3)))
    assert intervals.mean_and_sd([0.5]) == (0.5, None)
    assert intervals.mean_and_sd([]) == intervals.mean_and_sd([0.5, None]) == (None, None)


def test_the_size_of_the_dev_files_takes_seconds() -> None:
    a, b = hits(11, 10_006, (0.55, 0.5), seeds=3)
    labels, x, y = scores(11, 10_006, (0.5, 0.6), seeds=3)
    started = time.process_time()
    paired_accuracy(a, b)
    paired_pearson(x, y, labels)
    assert time.process_time() - started < 20  # half a second here
