"""Intervals, the paired difference and the words for it: by hand, and against scipy."""

from __future__ import annotations

import pytest
from scipy import stats

from minbert.labels.intervals import (
    Difference,
    Interval,
    confusion,
    macro_f1,
    mcnemar,
    paired_difference,
    wilson,
)
from minbert.labels.verdicts import alone, curve_verdict, verdict

LABELS = [0] * 5 + [1] * 3 + [2] * 2
ANSWERS = [0, 0, 0, 1, 2, 1, 1, 0, 2, 2]


@pytest.mark.parametrize(("right", "n"), [(0, 8), (8, 8), (81, 100), (1, 5000)])
def test_wilson_is_scipy_s(right: int, n: int) -> None:
    found = wilson(right / n, n)
    wanted = stats.binomtest(right, n).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), abs=1e-9)
    assert found.low <= found.value <= found.high


@pytest.mark.parametrize(("share", "n"), [(0.5, 0), (1.2, 10)])
def test_a_share_of_nothing_is_refused(share: float, n: int) -> None:
    with pytest.raises(ValueError, match="share"):
        wilson(share, n)


def test_macro_f1_by_hand() -> None:
    counts = confusion(LABELS, ANSWERS, 3)
    assert counts.tolist() == [[3, 1, 1], [1, 2, 0], [0, 0, 2]]
    found = macro_f1(counts)
    assert found.value == pytest.approx((6 / 9 + 4 / 6 + 4 / 5) / 3)  # scikit-learn says the same
    assert 0.3 < found.low < found.value < found.high <= 1
    assert macro_f1(confusion(LABELS, ANSWERS, 5)).value == found.value  # two classes nobody has
    assert macro_f1([[4, 0], [0, 4]]) == Interval(1.0, 1.0, 1.0)


@pytest.mark.parametrize(("won", "lost"), [(3, 0), (6, 0), (28, 21), (4, 4), (0, 0), (900, 1100)])
def test_mcnemar_is_the_binomial_test(won: int, lost: int) -> None:
    wanted = stats.binomtest(won, won + lost).pvalue if won + lost else 1.0
    assert mcnemar(won, lost) == pytest.approx(min(wanted, 1.0), abs=1e-9)


def difference(won: int, lost: int, n: int) -> Difference:
    both = n - won - lost
    hits = [True] * won + [False] * lost + [True] * both
    others = [False] * won + [True] * lost + [True] * both
    return paired_difference(hits, others)


@pytest.mark.parametrize(
    ("won", "lost", "n", "kind"),
    [
        (30, 8, 300, "better"),
        (8, 30, 300, "worse"),
        (28, 21, 300, "may be chance"),
        (3, 0, 8, "may be chance"),  # the bootstrap alone would call it more
        (5, 5, 40, "no difference"),
        (0, 0, 40, "no difference"),
    ],
)
def test_a_difference_is_more_than_chance_or_not(won: int, lost: int, n: int, kind: str) -> None:
    found = difference(won, lost, n)
    assert (found.won, found.lost, found.kind) == (won, lost, kind)
    assert found.value == pytest.approx((won - lost) / n)
    assert found.low <= found.value <= found.high


def test_the_interval_of_a_difference_is_about_two_standard_errors() -> None:
    found = difference(40, 20, 400)
    error = (60 / 400 - 0.05**2) ** 0.5 / 20
    assert found.low == pytest.approx(0.05 - 1.96 * error, abs=0.005)
    assert found.high == pytest.approx(0.05 + 1.96 * error, abs=0.005)


def test_rows_of_both_sides_are_paired() -> None:
    with pytest.raises(ValueError, match="same rows"):
        paired_difference([True], [True, False])


def test_a_verdict_names_the_better_one_and_whether_it_is_chance() -> None:
    told = verdict(difference(30, 8, 300), 300, "mean pooling", "CLS pooling", 0.81)
    assert told.startswith("Mean pooling gets 7 more of 100 right than CLS pooling (between ")
    assert told.endswith("; with 300 rows that is more than chance.")
    told = verdict(difference(8, 30, 300), 300, "mean pooling", "CLS pooling", 0.81)
    assert told.startswith("CLS pooling gets 7 more of 100 right than mean pooling (between 3 more")
    told = verdict(difference(28, 21, 300), 300, "mean pooling", "CLS pooling", 0.81)
    assert "2 fewer and" in told
    assert told.endswith("isn't more than chance may do.")
    assert verdict(difference(0, 0, 40), 40, "a", "b", 0.81) == (
        "Both get 81 of 100 right: no difference."
    )
    assert "5 rows each" in verdict(difference(5, 5, 40), 40, "a", "b", 0.81)


@pytest.mark.parametrize(("right", "told"), [(0.9, "learned something"), (0.3, "learned nothing")])
def test_one_pooling_alone_is_held_against_the_most_frequent_class(right: float, told: str) -> None:
    said = alone("mean pooling", wilson(right, 50), wilson(0.25, 50), 50)
    assert said.startswith(f"Mean pooling gets {100 * right:.0f} of 100 right")
    assert told in said


@pytest.mark.parametrize(
    ("accuracies", "told"),
    [
        ([0.5, 0.7, 0.8], "More labels should help: from 80 to 160 of them, 10 more"),
        ([0.5, 0.79, 0.8], "About 80 labels do as well as 160"),
        ([0.8, 0.7, 0.8], "More labels should help"),
        ([0.9, 0.9, 0.8], "About 40 labels"),
        ([0.8], "too few rows"),
    ],
)
def test_a_curve_says_how_many_labels_it_takes(accuracies: list[float], told: str) -> None:
    sizes = [40, 80, 160][: len(accuracies)]
    assert told in curve_verdict(sizes, [wilson(each, 200) for each in accuracies])
