"""Intervals of a difference of two runs: paired bootstrap over dev examples.

Method: Efron & Tibshirani 1993, chapters 8 and 13: examples are drawn with replacement, the same
ones for both runs, and the 95 % interval is the central part of what the draws give. With
several seeds a draw takes the same examples of every seed, and the difference is averaged over
the seeds. So an interval tells the chance of the dev examples, not that of training: with one
seed, another one may say otherwise; `mean_and_sd` tells the spread over seeds.

Legend: S seeds, N examples.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minbert import metrics
from minbert.records.runs import Difference

DRAWS = 2000
LEVEL = 0.95
CELLS = 4_000_000  # random numbers held at once
CONSTANT = 1e-10  # of the variance of all examples; a draw that varies less counts as constant

Floats = NDArray[np.float64]


def paired_accuracy(
    a_hits: ArrayLike, b_hits: ArrayLike, *, draws: int = DRAWS, seed: int = 0
) -> Difference:
    """Return the difference of two accuracies on the same examples.

    Only how often each difference of hits occurs matters, so the counts are drawn, which is
    exact: one multinomial draw of up to 2S + 1 counts is a draw of N examples. Swapping the runs
    gives exactly the negative.

    Args:
        a_hits: (S, N) whether A was right, by seed and example; (N,) is one seed.
        b_hits: (S, N) the same of B.
        draws: number of resamples.
        seed: of the draws.

    Raises:
        ValueError: the shapes differ.
    """
    a, b = _paired(np.atleast_2d(np.asarray(a_hits, dtype=bool)), np.atleast_2d(b_hits))
    seeds, n = a.shape
    if n == 0 or seeds == 0:
        return Difference(None, None, None, n)
    wins = a.sum(axis=0, dtype=np.int64) - b.astype(bool).sum(axis=0, dtype=np.int64)
    counts = np.bincount(wins + seeds, minlength=2 * seeds + 1)  # of wins -S..S
    turned = counts.tolist() < counts[::-1].tolist()
    if turned:  # draw in one orientation alone: a swap then gives the same draws
        counts = counts[::-1]
    sizes = np.arange(-seeds, seeds + 1)
    drawn = np.random.default_rng(seed).multinomial(n, counts / n, size=draws) @ sizes
    low, high = _central(drawn / (seeds * n))
    if turned:
        low, high = -high, -low
    return Difference(float(wins.sum() / (seeds * n)), low, high, n)


def paired_pearson(
    a_scores: ArrayLike,
    b_scores: ArrayLike,
    labels: ArrayLike,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Difference:
    """Return the difference of two Pearson correlations on the same examples.

    A draw in which some run is constant has no correlation and is left out; where more than
    half of the draws are, the interval can't be told.

    Args:
        a_scores: (S, N) scores of A, by seed and example; (N,) is one seed.
        b_scores: (S, N) the same of B.
        labels: (N,) what the scores are correlated with.
        draws: number of resamples.
        seed: of the draws.

    Returns:
        A value of None where a correlation of either run is undefined in any seed.

    Raises:
        ValueError: the shapes differ.
    """
    a, b = _paired(np.atleast_2d(a_scores), np.atleast_2d(b_scores))
    truth = np.asarray(labels, dtype=np.float64)
    seeds, n = a.shape
    if truth.shape != (n,):
        raise ValueError(f"`labels` should have the shape ({n},). Found {truth.shape}.")
    scores = np.concatenate([a, b]).astype(np.float64)  # (2S, N)
    found = [metrics.pearson(row, truth).value for row in scores]
    known = np.array([r for r in found if r is not None])
    if seeds == 0 or len(known) < len(found):
        return Difference(None, None, None, n)
    resampled = _resampled_correlations(_standard(scores), _standard(truth[None]), draws, seed)
    kept = resampled[np.isfinite(resampled).all(axis=1)]  # (draws kept, 2S)
    value = float(known[:seeds].mean() - known[seeds:].mean())
    if 2 * len(kept) < draws:
        return Difference(value, None, None, n)
    low, high = _central(kept[:, :seeds].mean(axis=1) - kept[:, seeds:].mean(axis=1))
    return Difference(value, low, high, n)


def mean_and_sd(values: Sequence[float | None]) -> tuple[float | None, float | None]:
    """Return the mean and the sample's standard deviation (n - 1); None where undefined."""
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return None, None
    return float(np.mean(known)), float(np.std(known, ddof=1)) if len(known) > 1 else None


def _paired(
    a: NDArray[np.generic], b: ArrayLike
) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
    other = np.asarray(b)
    if a.ndim != 2 or a.shape != other.shape:
        raise ValueError(
            "both runs should have the same seeds and examples, (S, N). "
            f"Found {a.shape} and {other.shape}."
        )
    return a, other


def _central(drawn: Floats) -> tuple[float, float]:
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)


def _standard(rows: Floats) -> Floats:
    """Shift and scale each row to mean 0 and variance 1, which no correlation feels."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    scaled: Floats = centred / centred.std(axis=1, keepdims=True)
    return scaled


def _resampled_correlations(scores: Floats, labels: Floats, draws: int, seed: int) -> Floats:
    """Return (draws, R) correlations of R standardised rows of scores (R, N) with labels (1, N).

    A draw is how often each example was taken, so all sums are one matrix product.
    """
    generator = np.random.default_rng(seed)
    rows, n = scores.shape
    terms = np.concatenate([scores, scores**2, scores * labels, labels, labels**2]).T  # (N, 3R + 2)
    parts = []
    chunk = max(1, CELLS // n)
    for start in range(0, draws, chunk):
        size = min(chunk, draws - start)
        taken = generator.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
        weights = np.bincount(taken.ravel(), minlength=size * n).reshape(size, n)
        means = weights @ terms / n
        x, xx, xy = np.split(means[:, : 3 * rows], 3, axis=1)  # each (size, R)
        y, yy = means[:, -2:-1], means[:, -1:]
        x_variance, y_variance = xx - x * x, yy - y * y
        constant = (x_variance < CONSTANT) | (y_variance < CONSTANT)
        spread = np.sqrt(np.where(constant, 1.0, x_variance * y_variance))
        parts.append(np.where(constant, np.nan, (xy - x * y) / spread))
    return np.concatenate(parts)
