"""Metrics against scipy and by hand; an undefined one is None, never NaN."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from minbert import metrics
from minbert.metrics import Metric


def drawn(seed: int, n: int, *, ties: bool) -> tuple[np.ndarray, np.ndarray]:
    """Draw two related columns; with `ties` both are rounded to few values."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=n)
    y = 0.6 * x + generator.normal(size=n)
    return (np.round(x), np.round(y)) if ties else (x, y)


def test_accuracy_by_hand() -> None:
    found = metrics.accuracy([0, 1, 2, 4], [0, 1, 3, 0])
    assert found == Metric(0.5, 0.25, 4)


def test_the_report_s_standard_error_of_sentiment_accuracy() -> None:
    found = metrics.accuracy([1] * 1101, [1] * 550 + [0] * 551)
    assert found.n == 1101
    assert found.value == pytest.approx(0.5, abs=1e-3)
    assert found.se == pytest.approx(0.015, abs=1e-4)


def test_accuracy_takes_labels_as_floats_and_bools() -> None:
    assert metrics.accuracy([3, 0], [3.0, 1.0]).value == 0.5
    assert metrics.accuracy([True, False], [1.0, 1.0]).value == 0.5


def test_within_one_by_hand() -> None:
    found = metrics.within_one([0, 0, 4, 2, 1], [1, 2, 3, 2, 4])
    assert found.value == pytest.approx(3 / 5)
    assert found.se == pytest.approx(math.sqrt(0.6 * 0.4 / 5))


def test_f1_by_hand() -> None:
    predicted = [1, 1, 1, 0, 0, 0, 0]
    labels = [1, 1, 0, 1, 1, 1, 0]  # 2 true positives, 1 false positive, 3 false negatives
    assert metrics.f1(predicted, labels).value == pytest.approx(4 / 8)
    assert metrics.f1(predicted, labels).n == 7


def test_f1_is_undefined_without_any_positive() -> None:
    assert metrics.f1([0, 0], [0, 0]) == Metric(None, None, 2)


def test_f1_is_zero_where_every_positive_is_missed() -> None:
    assert metrics.f1([0, 1, 0], [1, 0, 0]).value == 0.0


def test_the_error_of_f1_agrees_with_the_delta_method() -> None:
    counts = np.array([300, 100, 140, 460])  # TP, FP, FN, TN
    predicted = np.repeat([1, 1, 0, 0], counts)
    labels = np.repeat([1, 0, 1, 0], counts)
    n, shares = counts.sum(), counts / counts.sum()
    bottom = 2 * shares[0] + shares[1] + shares[2]
    value = 2 * shares[0] / bottom
    slope = np.array([(2 - 2 * value) / bottom, -value / bottom, -value / bottom, 0.0])
    variance = (shares * slope**2).sum() - (shares * slope).sum() ** 2
    found = metrics.f1(predicted, labels)
    assert found.value == pytest.approx(value)
    assert found.se == pytest.approx(math.sqrt(variance / n), rel=0.08)


def test_the_error_of_f1_is_the_same_each_time() -> None:
    assert metrics.f1([1, 0, 1, 1], [1, 1, 0, 1]) == metrics.f1([1, 0, 1, 1], [1, 1, 0, 1])


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n", [3, 4, 17, 500])
def test_correlations_agree_with_scipy(n: int, ties: bool) -> None:
    x, y = drawn(n, n, ties=ties)
    assert metrics.pearson(x, y).value == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-12)
    assert metrics.spearman(x, y).value == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)
    assert metrics.pearson(x, y).n == metrics.spearman(x, y).n == n


def test_ranks_of_equal_values_are_their_mean() -> None:
    assert metrics.average_ranks([10.0, -1.0, 10.0, 3.0, 10.0]).tolist() == [4, 1, 4, 2, 4]
    x, _ = drawn(5, 60, ties=True)
    assert metrics.average_ranks(x).tolist() == stats.rankdata(x).tolist()


def test_the_errors_of_correlations_by_hand() -> None:
    x, y = drawn(3, 103, ties=False)
    r, rho = metrics.pearson(x, y), metrics.spearman(x, y)
    assert r.value is not None
    assert rho.value is not None
    assert r.se == pytest.approx((1 - r.value**2) / 10)
    assert rho.se == pytest.approx((1 - rho.value**2) / 10 * math.sqrt(1 + rho.value**2 / 2))


@pytest.mark.parametrize(("name", "slack"), [("pearson", 0.12), ("spearman", 0.15)])
def test_the_errors_of_correlations_agree_with_a_bootstrap(name: str, slack: float) -> None:
    correlation = getattr(metrics, name)
    x, y = drawn(8, 400, ties=False)
    generator = np.random.default_rng(1)
    resampled = []
    for _ in range(1200):
        rows = generator.integers(0, len(x), len(x))
        resampled.append(correlation(x[rows], y[rows]).value)
    assert correlation(x, y).se == pytest.approx(np.std(resampled), rel=slack)


@pytest.mark.parametrize("name", ["pearson", "spearman"])
@pytest.mark.parametrize(
    ("scores", "labels"),
    [
        ([], []),
        ([1.0, 2.0], [1.0, 2.0]),
        ([0.0] * 5, [1.0, 2.0, 3.0, 4.0, 5.0]),
        ([1.0, 2.0, 3.0], [4.0, 4.0, 4.0]),
        ([0.1] * 7, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        ([math.nan] * 4, [1.0, 2.0, 3.0, 4.0]),
        ([math.nan, 1.0, 2.0, 3.0], [1.0, 2.0, 3.0, 4.0]),
    ],
    ids=["none", "two", "dead", "constant labels", "constant", "all NaN", "one NaN"],
)
def test_an_undefined_correlation_is_none(
    name: str, scores: list[float], labels: list[float]
) -> None:
    found = getattr(metrics, name)(scores, labels)
    assert found == Metric(None, None, len(scores))
    assert str(found) == "undefined"


def test_a_correlation_of_infinite_scores_is_undefined() -> None:
    assert metrics.pearson([math.inf, 1.0, 2.0], [1.0, 2.0, 3.0]).value is None


def test_a_correlation_of_three_has_no_error() -> None:
    found = metrics.pearson([1.0, 2.0, 4.0], [2.0, 3.0, 3.5])
    assert found.value is not None
    assert found.se is None


@pytest.mark.parametrize("sign", [1, -1])
def test_a_perfect_correlation_stays_within_one_and_its_error_above_zero(sign: int) -> None:
    for seed in range(50):
        x, _ = drawn(seed, 7, ties=False)
        found = metrics.pearson(x, sign * 3 * x + 1)
        assert found.value == pytest.approx(sign)
        assert abs(found.value) <= 1
        assert found.se is not None
        assert found.se >= 0


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(st.floats(-5, 5, width=32), st.floats(-5, 5, width=32)), min_size=0, max_size=12
    )
)
def test_no_correlation_is_ever_nan(pairs: list[tuple[float, float]]) -> None:
    x, y = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    for found in (metrics.pearson(x, y), metrics.spearman(x, y)):
        assert found.value is None or math.isfinite(found.value)
        assert found.se is None or math.isfinite(found.se)


def test_shares_of_nothing_are_undefined() -> None:
    assert metrics.accuracy([], []) == Metric(None, None, 0)
    assert metrics.share([]) == Metric(None, None, 0)


@pytest.mark.parametrize(
    ("candidate", "best", "wanted"),
    [
        (0.5, None, True),
        (0.5, 0.4, True),
        (0.5, 0.5, False),
        (0.4, 0.5, False),
        (None, None, False),
        (None, 0.1, False),
        (-0.2, -0.3, True),
        (0.0, None, True),
        (0.1, 0.0, True),
        (-0.1, 0.0, False),
    ],
)
def test_better(candidate: float | None, best: float | None, wanted: bool) -> None:
    assert metrics.better(candidate, best) is wanted


@pytest.mark.parametrize(
    ("scores", "wanted"),
    [
        ((0.521, 0.803, 0.857), (0.521 + 0.803 + 0.9285) / 3),
        ((0.0, 0.0, -1.0), 0.0),
        ((1.0, 1.0, 1.0), 1.0),
        ((0.5, 0.5, 0.0), 0.5),
    ],
)
def test_the_normalised_mean_by_hand(scores: tuple[float, ...], wanted: float) -> None:
    assert metrics.normalised_mean(*scores) == pytest.approx(wanted)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_normalised_mean_is_undefined_where_one_score_is(place: int) -> None:
    scores: list[float | None] = [0.5, 0.5, 0.5]
    scores[place] = None
    assert metrics.normalised_mean(*scores) is None


def test_the_majority_class() -> None:
    assert metrics.majority_class([1.0, 3.0, 3.0, 0.0]) == 3.0
    assert metrics.majority_class([4.0, 2.0, 4.0, 2.0]) == 2.0


def test_a_metric_as_text() -> None:
    assert str(Metric(0.5126, 0.01499, 1101)) == "0.513 ± 0.015"
    assert str(Metric(-0.25, None, 3)) == "-0.250"


def test_an_undefined_metric_is_null_in_json() -> None:
    text = json.dumps(dataclasses.asdict(metrics.pearson([1.0] * 4, [1.0, 2.0, 3.0, 4.0])))
    assert text == '{"value": null, "se": null, "n": 4}'
