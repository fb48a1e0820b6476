"""How sure the scores are: intervals of 95 % over the rows that were tested.

Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference" (accuracy);
Efron & Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13 (macro F1 and the paired
difference: rows drawn with replacement, percentiles); McNemar 1947, "Note on the sampling error of
the difference between correlated proportions", in its exact form. Differs: rows are drawn as counts
of what happened to them, which is exact. All tell the chance of the rows, not of the training.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

DRAWS = 2000
LEVEL = 0.95
Z = 1.959963984540054  # of a normal distribution, 95 % lie within
SIGNIFICANT = 1 - LEVEL

Kind = Literal["better", "worse", "may be chance", "no difference"]


@dataclasses.dataclass(frozen=True)
class Interval:
    """A number and its interval of 95 %."""

    value: float
    low: float
    high: float


@dataclasses.dataclass(frozen=True)
class Difference:
    """How much more often one side is right than another on the same rows."""

    value: float  # difference of the accuracies, -1 to 1
    low: float
    high: float
    won: int  # rows that this side alone gets right
    lost: int  # rows that the other side alone gets right
    p: float  # exact McNemar: the chance of so uneven a count, were both equally good

    @property
    def kind(self) -> Kind:
        """Say what it comes to: better or worse if interval and p both speak against chance."""
        if self.value == 0:
            return "no difference"
        if self.p < SIGNIFICANT and not self.low <= 0 <= self.high:
            return "better" if self.value > 0 else "worse"
        return "may be chance"


def wilson(share: float, n: int) -> Interval:
    """Return a share of n rows with Wilson's interval.

    Raises:
        ValueError: no rows, or a share outside 0 to 1.
    """
    if n < 1 or not 0 <= share <= 1:
        raise ValueError(f"`share` should be 0 to 1 of at least one row. Found {share:g} of {n}.")
    middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
    return Interval(share, min(max(middle - half, 0.0), share), max(min(middle + half, 1.0), share))


def confusion(labels: ArrayLike, answers: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Count rows by label and answer, (C, C), of labels (N,) and answers (N,) from 0 to C - 1."""
    places = np.asarray(labels, dtype=np.int64) * classes + np.asarray(answers, dtype=np.int64)
    counts = np.bincount(places, minlength=classes * classes)
    return counts.astype(np.int64).reshape(classes, classes)


def macro_f1(counts: ArrayLike, *, draws: int = DRAWS, seed: int = 0) -> Interval:
    """Return the mean of the classes' F1 with its bootstrap interval.

    A class that is neither label nor answer of any row has no F1 and is left out.

    Args:
        counts: (C, C) rows by label and answer, at least one row.
        draws: number of resamples.
        seed: of the draws.
    """
    table = np.asarray(counts, dtype=np.int64)
    n = int(table.sum())
    shares = table.ravel() / n
    drawn = np.random.default_rng(seed).multinomial(n, shares, size=draws)
    low, high = _central(_macro_f1(drawn.reshape(draws, *table.shape)))
    return Interval(float(_macro_f1(table[None])[0]), low, high)


def _macro_f1(tables: NDArray[np.int64]) -> NDArray[np.float64]:
    right = np.diagonal(tables, axis1=1, axis2=2)  # (draws, C)
    either = tables.sum(axis=1) + tables.sum(axis=2)
    scores = np.where(either > 0, 2 * right / np.maximum(either, 1), 0.0)
    found: NDArray[np.float64] = scores.sum(axis=1) / (either > 0).sum(axis=1)
    return found


def paired_difference(
    hits: Sequence[bool], others: Sequence[bool], *, draws: int = DRAWS, seed: int = 0
) -> Difference:
    """Return how much more often `hits` has true than `others`, on the same N rows.

    Raises:
        ValueError: not the same number of rows, or none.
    """
    ours, theirs = np.asarray(hits, dtype=bool), np.asarray(others, dtype=bool)
    n = len(ours)
    if n == 0 or ours.shape != theirs.shape:
        raise ValueError(
            f"`hits` and `others` should be of the same rows. Found {n} and {len(theirs)}."
        )
    won, lost = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    counts = np.random.default_rng(seed).multinomial(
        n, np.array([won, lost, n - won - lost]) / n, size=draws
    )
    low, high = _central((counts[:, 0] - counts[:, 1]) / n)
    return Difference((won - lost) / n, low, high, won, lost, mcnemar(won, lost))


def mcnemar(won: int, lost: int) -> float:
    """Return the two-sided chance of counts at least so uneven, each row being a fair coin."""
    n = won + lost
    tail = sum(math.comb(n, count) for count in range(min(won, lost) + 1))
    return min(1.0, float(2 * tail / 2**n))


def _central(drawn: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
