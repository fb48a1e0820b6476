"""Which rows are tested on and which are learned from: the same ones for every pooling.

All of it follows from the texts, the labels and a seed, not from the order of the rows: a row's
place is that of its hash among its class's.

Kohavi 1995, "A Study of Cross-Validation and Bootstrap for Accuracy Estimation and Model
Selection", section 3.2: stratified k-fold cross-validation. Differs: nothing.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Sequence

FOLDS = 5
SIZES = 6  # training sizes of a learning curve, at most
SMALLEST = 8  # rows to learn from
REPEATS = 2  # draws of the rows to learn from, for each fold and size below the whole


@dataclasses.dataclass(frozen=True)
class Trial:
    """Rows to learn from and rows to test on, by their places."""

    size: int | None  # rows to learn from; None: the whole training part
    learned: list[int]
    tested: list[int]


def canonical_order(texts: Sequence[str], labels: Sequence[int]) -> list[int]:
    """Return the rows in an order of their own, which no order of the file changes."""
    return sorted(range(len(texts)), key=lambda row: (texts[row], labels[row]))


def drawn_keys(texts: Sequence[str], seed: int, what: str) -> list[bytes]:
    """Return a random number of each text, always the same for a text, a seed and a purpose."""
    start = hashlib.sha256(f"{seed}/{what}/".encode())
    found = []
    for text in texts:
        one = start.copy()
        one.update(text.encode("utf-8", "surrogatepass"))
        found.append(one.digest())
    return found


def stratified_folds(labels: Sequence[int], keys: Sequence[bytes], folds: int = FOLDS) -> list[int]:
    """Return each row's fold, from 0: classes dealt one after the other, like cards.

    So each fold has its share of each class, give or take one row, and of all rows.
    """
    order = sorted(range(len(labels)), key=lambda row: (labels[row], keys[row]))
    found = [0] * len(labels)
    for place, row in enumerate(order):
        found[row] = place % folds
    return found


def nested_order(rows: Sequence[int], labels: Sequence[int], keys: Sequence[bytes]) -> list[int]:
    """Order rows so that each beginning has the classes' shares, from C rows on each class.

    Args:
        rows: some rows.
        labels: of all rows.
        keys: of all rows, by which those of a class are ordered.
    """
    by_class: dict[int, list[int]] = {}
    for row in sorted(rows, key=lambda row: keys[row]):
        by_class.setdefault(labels[row], []).append(row)
    placed = [
        (0.0 if place == 0 else place / len(members), label, row)
        for label, members in by_class.items()
        for place, row in enumerate(members)
    ]
    return [row for _, _, row in sorted(placed)]


def curve_sizes(smallest_part: int, classes: int) -> list[int]:
    """Return up to five training sizes below a whole training part, with equal ratios.

    Args:
        smallest_part: rows of the smallest training part.
        classes: C; the smallest size has two rows a class.
    """
    first = max(SMALLEST, 2 * classes)
    if first >= smallest_part:
        return []
    ratio = (smallest_part / first) ** (1 / (SIZES - 1))
    sizes = [round(first * ratio**step) for step in range(SIZES - 1)]
    return [size for size in dict.fromkeys(sizes) if size <= 0.9 * smallest_part]


def trials_of(
    texts: Sequence[str], labels: Sequence[int], order: Sequence[int], seed: int
) -> list[Trial]:
    """Return what is fitted and tested: the curve's sizes of each fold, then each fold's whole.

    Args:
        texts: N.
        labels: N, from 0 to C - 1.
        order: of the rows, as `canonical_order` returns it.
        seed: of folds and draws.
    """
    folds = stratified_folds(labels, drawn_keys(texts, seed, "folds"))
    draws = [drawn_keys(texts, seed, f"draw {draw}") for draw in range(REPEATS)]
    sizes = curve_sizes(len(order) - max(Counter(folds).values()), len(set(labels)))
    trials: list[Trial] = []
    whole: list[Trial] = []
    for fold in range(FOLDS):
        part = [row for row in order if folds[row] != fold]
        tested = [row for row in order if folds[row] == fold]
        for keys in draws:
            nested = nested_order(part, labels, keys)
            trials += [Trial(size, nested[:size], tested) for size in sizes]
        whole.append(Trial(None, part, tested))
    return [*trials, *whole]
