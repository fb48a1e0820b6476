"""Metrics with standard errors; an undefined one is None, never NaN.

Report: section 5.2 (accuracy, accuracy, Pearson). Standard errors: binomial for shares; for
correlations Fisher's z carried back to r, (1 - r^2) / sqrt(n - 3), with Bonett & Wright's 2000
factor for Spearman; a multinomial bootstrap of the confusion counts for F1.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

BOOTSTRAP_DRAWS = 2000
THRESHOLD = 0.5


@dataclasses.dataclass(frozen=True)
class Metric:
    """One number with its uncertainty."""

    value: float | None  # None: undefined on these examples
    se: float | None  # standard error; None where it can't be told
    n: int  # examples

    def __str__(self) -> str:
        """Write the value as `0.512 +- 0.015`, or `undefined`."""
        if self.value is None:
            return "undefined"
        return f"{self.value:.3f}" + ("" if self.se is None else f" ± {self.se:.3f}")


def share(hits: ArrayLike) -> Metric:
    """Return the share of true values, with its binomial standard error."""
    values = np.asarray(hits, dtype=bool)
    if values.size == 0:
        return Metric(None, None, 0)
    rate = float(values.mean())
    return Metric(rate, math.sqrt(rate * (1 - rate) / values.size), int(values.size))


def accuracy(predicted: ArrayLike, labels: ArrayLike) -> Metric:
    """Return the share of predictions that equal their label."""
    return share(np.asarray(predicted) == np.asarray(labels))


def within_one(predicted: ArrayLike, labels: ArrayLike) -> Metric:
    """Return the share of predicted classes at most one step from their label."""
    return share(np.abs(np.asarray(predicted) - np.asarray(labels)) <= 1)


def f1(predicted: ArrayLike, labels: ArrayLike) -> Metric:
    """Return the F1 of the positive class; undefined where there is no positive at all."""
    yes, truth = np.asarray(predicted, dtype=bool), np.asarray(labels, dtype=bool)
    counts = np.array(
        [(yes & truth).sum(), (yes & ~truth).sum(), (~yes & truth).sum(), (~yes & ~truth).sum()]
    )
    n = int(counts.sum())
    value = _f1_of_counts(counts)
    if value is None:
        return Metric(None, None, n)
    draws = np.random.default_rng(0).multinomial(n, counts / n, size=BOOTSTRAP_DRAWS)
    resampled = [drawn for row in draws if (drawn := _f1_of_counts(row)) is not None]
    return Metric(value, float(np.std(resampled)), n)


def _f1_of_counts(counts: NDArray[np.int64]) -> float | None:
    true_positive, false_positive, false_negative = (int(count) for count in counts[:3])
    denominator = 2 * true_positive + false_positive + false_negative
    return 2 * true_positive / denominator if denominator else None


def pearson(scores: ArrayLike, labels: ArrayLike) -> Metric:
    """Return Pearson's r; undefined for under three examples or where one side is constant."""
    x, y = np.asarray(scores, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    n = int(x.size)
    if n < 3 or not (np.isfinite(x).all() and np.isfinite(y).all()):
        return Metric(None, None, n)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return Metric(None, None, n)
    x, y = x - x.mean(), y - y.mean()
    r = float((x * y).sum() / math.sqrt((x * x).sum() * (y * y).sum()))
    r = min(max(r, -1.0), 1.0)  # rounding may carry a perfect one past the end
    return Metric(r, (1 - r * r) / math.sqrt(n - 3) if n > 3 else None, n)


def spearman(scores: ArrayLike, labels: ArrayLike) -> Metric:
    """Return Spearman's rank correlation, ties by their average rank; undefined as Pearson's."""
    if not (np.isfinite(np.asarray(scores)).all() and np.isfinite(np.asarray(labels)).all()):
        return Metric(None, None, int(np.size(scores)))
    found = pearson(average_ranks(scores), average_ranks(labels))
    if found.value is None or found.se is None:
        return found
    return dataclasses.replace(found, se=found.se * math.sqrt(1 + found.value**2 / 2))


def average_ranks(values: ArrayLike) -> NDArray[np.float64]:
    """Rank values from 1, equal values by the mean of their ranks."""
    array = np.asarray(values, dtype=np.float64)
    _, inverse, counts = np.unique(array, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: NDArray[np.float64] = ((2 * last - counts + 1) / 2)[inverse]
    return ranks


def normalised_mean(
    sentiment_accuracy: float | None,
    paraphrase_accuracy: float | None,
    similarity_pearson: float | None,
) -> float | None:
    """Return the course's aggregate, (SST + Para + (STS + 1) / 2) / 3; None if one is None."""
    if sentiment_accuracy is None or paraphrase_accuracy is None or similarity_pearson is None:
        return None
    return (sentiment_accuracy + paraphrase_accuracy + (similarity_pearson + 1) / 2) / 3


def better(candidate: float | None, best: float | None) -> bool:
    """Say whether a score beats the best so far; an undefined score never does."""
    return candidate is not None and (best is None or candidate > best)


def majority_class(labels: Sequence[float]) -> float:
    """Return the most frequent label, the smallest among equals."""
    values, counts = np.unique(np.asarray(labels), return_counts=True)
    return float(values[counts.argmax()])
