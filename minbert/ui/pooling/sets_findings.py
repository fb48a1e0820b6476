"""What a set of sentences shows under two poolings, in plain words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from minbert.ui.parts.answer_words import capital
from minbert.ui.parts.tables import map_table, table
from minbert.ui.pooling.sets import (
    ENCODERS,
    NEIGHBOURS,
    NO_ATTENTION,
    UNTRAINED,
    WORTH,
    Compared,
    Comparison,
)

SAME_GAP = 0.015  # gaps closer than this are called alike


def gap(side: Compared) -> float | None:
    """Return how much more alike sentences of one group are than those of different groups."""
    within, between = side.separation.within, side.separation.between
    return None if within is None or between is None else within - between


def short(side: Compared) -> str:
    """Name a side's pooling."""
    return side.shown.short


def decimals(value: float) -> str:
    """Write a cosine or a difference with two decimals and a real minus sign."""
    text = f"{value:.2f}"
    sign = "−" if float(text) < 0 else ""
    digits = text.lstrip("-")
    return sign + (digits if abs(float(text)) >= 1 else digits.removeprefix("0"))


def set_finding(found: Comparison) -> tuple[str, list[str]]:
    """Say which pooling keeps the groups further apart, and how far both agree."""
    left, right = found.sides
    lines = []
    gaps = gap(left), gap(right)
    if gaps[0] is None or gaps[1] is None:
        title = "; ".join(
            f"{capital(short(side))}: most alike are {most_alike(found, side)}"
            for side in found.sides
        )
    else:
        title = gap_title(left, right, (gaps[0], gaps[1]))
        lines = [group_line(found, side) for side in found.sides]
    agreement = correlation(left.matrix, right.matrix)
    if agreement is not None:
        lines.append(
            f"The two agree on who is near whom with a correlation of {decimals(agreement)}; "
            "1 is the same view."
        )
    return title, [*lines, *worth_lines(found.sides)]


def worth_lines(sides: Sequence[Compared]) -> list[str]:
    """Say what there is more to know of the poolings than their names."""
    if sides[0].own is not None:
        untrained = dict.fromkeys(short(side) for side in sides if side.way in ENCODERS)
        return [f"{capital(name)}: {UNTRAINED}" for name in untrained]
    ways = [side.way for side in sides]
    lines = [WORTH[name] for name in dict.fromkeys(ways) if name in WORTH]
    return lines if "attention" in ways else [*lines, NO_ATTENTION]


def gap_title(left: Compared, right: Compared, gaps: tuple[float, float]) -> str:
    """Say which side keeps the groups further apart."""
    told = sorted(zip(gaps, map(short, (left, right)), strict=True), reverse=True)
    (most, better), (least, other) = told
    if most <= 0:
        return (
            f"Neither keeps the groups together: {better} {decimals(most)}, "
            f"{other} {decimals(least)}"
        )
    if most - least < SAME_GAP:
        return (
            f"Both keep the groups about equally apart: {better} {decimals(most)}, "
            f"{other} {decimals(least)}"
        )
    return (
        f"{capital(better)} separates the groups better: {decimals(most)} against "
        f"{decimals(least)} under {other}"
    )


def group_line(found: Comparison, side: Compared) -> str:
    """Tell both means behind a gap, and how often the nearest sentence is of the same group."""
    within, between = side.separation.within or 0.0, side.separation.between or 0.0
    counted = [place for place, group in enumerate(found.groups) if group]
    same = sum(found.groups[nearest(side, k, 1)[0]] == found.groups[k] for k in counted)
    return (
        f"{capital(short(side))}: cosine {decimals(within)} on average within a group, "
        f"{decimals(between)} between groups; the nearest sentence is of the same group for "
        f"{same} of {len(counted)}."
    )


def nearest(side: Compared, place: int, count: int = NEIGHBOURS) -> list[int]:
    """Return the sentences most alike one, the most alike first; ties by line."""
    row = side.matrix[place]
    others = [k for k in range(len(row)) if k != place]
    return sorted(others, key=lambda k: -row[k])[:count]


def most_alike(found: Comparison, side: Compared) -> str:
    """Name the two sentences that are most alike."""
    count = len(found.sentences)
    pairs = ((a, b) for a in range(count) for b in range(a + 1, count))
    a, b = max(pairs, key=lambda pair: side.matrix[pair[0]][pair[1]])
    return f"{a + 1} and {b + 1} ({decimals(side.matrix[a][b])})"


def correlation(one: Sequence[Sequence[float]], other: Sequence[Sequence[float]]) -> float | None:
    """Return Pearson's correlation of two matrices above their diagonals; None if undefined."""
    places = [(a, b) for a in range(len(one)) for b in range(a + 1, len(one))]
    if len(places) < 3:
        return None
    x, y = ([matrix[a][b] for a, b in places] for matrix in (one, other))
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    top = sum((p - mean_x) * (q - mean_y) for p, q in zip(x, y, strict=True))
    bottom = math.sqrt(sum((p - mean_x) ** 2 for p in x) * sum((q - mean_y) ** 2 for q in y))
    return top / bottom if bottom > 0 else None


def points_finding(found: Comparison, chosen: int | None) -> tuple[str, list[str]]:
    """Say who is nearest the chosen sentence under both poolings, or how much the maps show."""
    if chosen is None:
        shown = ", ".join(f"{short(side)} {100 * sum(side.shares):.0f} %" for side in found.sides)
        return f"What two dimensions show of the differences: {shown}", []
    near = [nearest(side, chosen) for side in found.sides]
    both = len(set(near[0]) & set(near[1]))
    count = len(near[0])
    lines = [
        f"{capital(short(side))}: "
        + "; ".join(
            f"{k + 1} “{found.sentences[k]}” ({decimals(side.matrix[chosen][k])})" for k in rows
        )
        for side, rows in zip(found.sides, near, strict=True)
    ]
    title = (
        f"Of the {count} nearest to sentence {chosen + 1}, {both} are the same under both"
        if count > 1
        else f"There is one other sentence than {chosen + 1}"
    )
    return title, lines


def matrix_table(found: Comparison, side: Compared, order: Sequence[int]) -> str:
    """Return a side's cosines in the order shown."""
    rows = [f"{place + 1} {found.sentences[place]}" for place in order]
    values = [[side.matrix[a][b] for b in order] for a in order]
    caption = f"Cosines under {short(side)}"
    return map_table(caption, "Sentence", rows, [str(k + 1) for k in order], values, ".2f")


def points_table(found: Comparison) -> str:
    """Return both maps' coordinates."""
    names = [f"{short(side)} {axis}" for side in found.sides for axis in ("x", "y")]
    rows = [
        [f"{k + 1} {sentence}", found.groups[k] or "–"]
        + [f"{value:.3f}" for side in found.sides for value in side.points[k]]
        for k, sentence in enumerate(found.sentences)
    ]
    return table("The maps' points", ["Sentence", "Group", *names], rows)
