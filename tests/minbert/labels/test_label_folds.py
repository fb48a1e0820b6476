"""Folds and training parts: stratified, nested, and the same in any order of the rows."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minbert.labels.folds import (
    FOLDS,
    REPEATS,
    canonical_order,
    curve_sizes,
    drawn_keys,
    stratified_folds,
    trials_of,
)

Rows = list[tuple[str, int]]


def rows_of(*counts: int) -> Rows:
    """Return so many rows of each class."""
    return [
        (f"text {label} {n}", label) for label, count in enumerate(counts) for n in range(count)
    ]


def trials(rows: Rows, seed: int = 0) -> list[tuple[int | None, list[Rows]]]:
    """Return each trial's size, and its rows to learn from and to test on by their contents."""
    texts, labels = [text for text, _ in rows], [label for _, label in rows]
    found = trials_of(texts, labels, canonical_order(texts, labels), seed)
    return [
        (trial.size, [[rows[row] for row in part] for part in (trial.learned, trial.tested)])
        for trial in found
    ]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(4, 30), min_size=2, max_size=6), st.integers(0, 3))
def test_each_fold_has_its_share_of_each_class(counts: list[int], seed: int) -> None:
    rows = rows_of(*counts)
    labels = [label for _, label in rows]
    folds = stratified_folds(labels, drawn_keys([text for text, _ in rows], seed, "folds"))
    for label, count in enumerate(counts):
        found = Counter(fold for fold, one in zip(folds, labels, strict=True) if one == label)
        assert all(count // FOLDS <= found[fold] <= -(-count // FOLDS) for fold in range(FOLDS))
    sizes = Counter(folds).values()
    assert max(sizes) - min(sizes) <= 1


def test_each_row_is_tested_once_a_draw_by_what_had_not_seen_it() -> None:
    rows = rows_of(30, 25, 9)
    tested: Counter[int | None] = Counter()
    for size, (learned, others) in trials(rows):
        assert not set(learned) & set(others)
        assert {label for _, label in learned} == {0, 1, 2}
        assert size in (None, len(learned))
        tested[size] += len(others)
    assert tested.pop(None) == len(rows)
    assert len(tested) == 5
    assert set(tested.values()) == {REPEATS * len(rows)}


def test_a_smaller_training_part_lies_in_the_larger_one() -> None:
    first_draw = trials(rows_of(40, 20))[:5]
    parts = [set(learned) for _, (learned, _) in first_draw]
    assert all(one < other for one, other in itertools.pairwise(parts))
    for _, (learned, _) in first_draw[1:]:
        share = sum(label == 0 for _, label in learned) / len(learned)
        assert share == pytest.approx(2 / 3, abs=0.06)


def test_the_order_of_the_rows_changes_nothing_and_the_seed_does() -> None:
    rows = rows_of(12, 17, 5)
    shuffled = rows.copy()
    random.Random(1).shuffle(shuffled)
    assert trials(shuffled) == trials(rows)
    assert trials(rows, seed=1) != trials(rows)


@pytest.mark.parametrize(
    ("part", "classes", "wanted"),
    [
        (6, 2, []),
        (8, 2, []),
        (240, 5, [10, 19, 36, 67, 127]),
        (4000, 20, [40, 100, 252, 634, 1592]),
        (10, 2, [8, 9]),
    ],
)
def test_sizes_have_equal_ratios(part: int, classes: int, wanted: list[int]) -> None:
    assert curve_sizes(part, classes) == wanted
