"""What a comparison comes to, in words for people who have never heard of an interval."""

from __future__ import annotations

from collections.abc import Sequence

from minbert.labels.intervals import Difference, Interval

NEAR = 0.02  # of the accuracy with all labels: so near counts as arrived


def verdict(difference: Difference, rows: int, ours: str, other: str, accuracy: float) -> str:
    """Say which of two poolings is right more often, and whether that is more than chance.

    Args:
        difference: of `ours` against `other`.
        rows: that were tested.
        ours: name of the pooling, as in "mean pooling".
        other: name of the other one, as in "CLS pooling".
        accuracy: of `ours`.
    """
    if difference.kind == "no difference":
        same = f"Both get {_of_100(accuracy)} of 100 right"
        if difference.won:
            same += f" ({difference.won} rows each alone)"
        return f"{same}: no difference."
    if difference.value < 0:
        ours, other = other, ours
    sign = 1 if difference.value > 0 else -1
    low, high = sorted((sign * difference.low, sign * difference.high))
    range_told = f"between {_more(low)} and {_more(high)}"
    surely = "is more than chance"
    if difference.kind == "may be chance":
        surely = "isn't more than chance may do"
    return (
        f"{_capital(ours)} gets {_more(abs(difference.value))} of 100 right than {other} "
        f"({range_told}); with {rows:,} rows that {surely}."
    )


def alone(ours: str, accuracy: Interval, baseline: Interval, rows: int) -> str:
    """Say how often one pooling is right, where there is no other, and whether it has learned."""
    learned = (
        "has learned something" if accuracy.low > baseline.value else "may have learned nothing"
    )
    return (
        f"{_capital(ours)} gets {_of_100(accuracy.value)} of 100 right, always the most frequent "
        f"class {_of_100(baseline.value)}; with {rows:,} rows it {learned}."
    )


def curve_verdict(sizes: Sequence[int], accuracies: Sequence[Interval]) -> str:
    """Say how many labels it takes, by a learning curve's sizes and accuracies; the last is all."""
    whole = accuracies[-1].value
    if len(sizes) < 2:
        return "There are too few rows to say how many labels it takes."
    before, rise = sizes[-2], whole - accuracies[-2].value
    first = next(
        size
        for place, size in enumerate(sizes)
        if all(whole - each.value <= NEAR for each in accuracies[place:])
    )
    if first == sizes[-1]:
        return (
            f"More labels should help: from {before:,} to {sizes[-1]:,} of them, {_of_100(rise)} "
            "more of 100 became right."
        )
    return (
        f"About {first:,} labels do as well as {sizes[-1]:,}, within {round(100 * NEAR)} of 100 "
        "sentences."
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _of_100(share: float) -> str:
    return f"{100 * share:.0f}"


def _more(share: float) -> str:
    """Write a difference of shares, as in "4 more" and "2 fewer"."""
    count = round(100 * abs(share))
    if count == 0:
        return "less than 1 more" if share > 0 else "less than 1 fewer" if share < 0 else "0 more"
    return f"{count} {'more' if share > 0 else 'fewer'}"
