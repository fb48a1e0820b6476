"""Findings of the experiments in plain words, computed from the numbers that are drawn."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from minbert.records.form import TASKS
from minbert.records.runs import VERDICTS, Comparison, Run, Shares, small_encoder
from minbert.ui.experiments.figures import AGAINST, curve_points, pair_label, value_of
from minbert.ui.experiments.sampling import Epoch
from minbert.ui.parts.numbers import fixed
from minbert.ui.parts.score_rows import (
    NORMALISED,
    Row,
    metric_label,
    named_seeds,
    seeds_of,
    spread_of,
    task_of,
)
from minbert.ui.parts.texts import texts_of

READ_CLAIMS = texts_of(__package__)["read.claims"]
Finding = tuple[str, list[str]]  # a title that says the finding, and its lines
SAME_SHARE = 0.005  # recorded shares nearer than this to the formula's are called equal


def provenance(runs: Iterable[Run]) -> list[str]:
    """Tell machine, profile, seeds and commit of every run whose numbers are shown."""
    groups: dict[tuple[str, str, str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.machine, run.profile, run.commit, run.encoder), []).append(run)
    lines = []
    for (machine, profile, commit, encoder), members in groups.items():
        rows = dict.fromkeys(run.row.replace("_", " ") for run in members)
        parts = [
            ", ".join(rows) + ":" if len(groups) > 1 else "Shown:",
            f"machine {machine or 'not told'}",
            f"profile {profile or 'not told'}",
            seeds_of(members),
            f"commit {commit or 'not told'}",
        ]
        line = f"{parts[0]} {' · '.join(parts[1:])}"
        lines.append(line + (f" · encoder {encoder.split('/')[-1]}" if encoder else ""))
    return lines


def waiting(one: Comparison) -> bool:
    """Return whether a claim has nothing to be judged by yet."""
    known = [found for found in one.differences.values() if found.value is not None]
    return one.verdict == "undecided" and not known


def claims_finding(comparisons: Sequence[Comparison]) -> Finding:
    """Count the verdicts."""
    judged = [one for one in comparisons if not waiting(one)]
    held, other, open_ = (sum(one.verdict == verdict for one in judged) for verdict in VERDICTS)
    left = len(comparisons) - len(judged)
    later = f"; {left} more wait{'s' if left == 1 else ''} for runs" if left else ""
    claims = "claim" if len(judged) == 1 else "claims"
    return (
        f"Of {len(judged)} {claims} judged here, {held} held, {other} did not, "
        f"{open_} undecided{later}"
    ), []


def scores_finding(rows: Sequence[Row], metrics: Sequence[str]) -> Finding:
    """Say how ours stand beside the report's numbers, and name the best row of each metric."""
    above = within = below = 0
    for row in rows:
        for metric in metrics:
            score, reported = row.score(metric), row.reported(metric)
            if score is None or score.value is None or reported is None:
                continue
            gap = score.value - reported
            inside = score.half is not None and abs(gap) <= score.half
            above, within, below = (
                above + (not inside and gap > 0),
                within + inside,
                below + (not inside and gap <= 0),
            )
    total = above + within + below
    best = [line for metric in metrics if (line := best_row(rows, metric))]
    if total == 0:
        return (best[0] if best else "No defined score here"), best[1:]
    numbers = "number" if total == 1 else "numbers"
    return (
        f"Beside the report's {total} {numbers}: ours are higher in {above}, lower in {below}, "
        f"alike within the interval in {within}",
        best,
    )


def best_row(rows: Sequence[Row], metric: str) -> str:
    """Name the row with the highest score, and whether the next is within its interval."""
    scored = [
        (score.value, row, score)
        for row in rows
        if (score := row.score(metric)) is not None and score.value is not None
    ]
    if not scored:
        return ""
    scored.sort(key=lambda one: one[0], reverse=True)
    value, row, score = scored[0]
    told = f"Highest {metric_label(metric)}: {row.name}, {spread_of(score)}"
    if len(scored) > 1:
        second, other, _ = scored[1]
        near = score.half is not None and value - second <= score.half
        told += f"; {'within its interval' if near else 'then'} {other.name}, {fixed(second)}"
    return told


def curves_finding(rows: Sequence[Row], measures: Sequence[str], against: str) -> Finding:
    """Say which row ends highest, and where each was best."""
    if not rows or not measures:
        return "Choose a row and something to show", []
    measure = NORMALISED if NORMALISED in measures else measures[0]
    shown = "normalised mean" if measure == NORMALISED else measure
    ends, lines = [], []
    for row in rows:
        curves = [curve_points(run.curve, measure, against) for run in row.runs]
        curves = [curve for curve in curves if curve]
        if not curves:
            continue
        last = statistics.fmean(curve[-1][1] for curve in curves)
        x, y = max((max(curve, key=lambda point: point[1]) for curve in curves), key=lambda p: p[1])
        ends.append((last, row))
        lines.append(
            f"{row.name}: {shown} {fixed(last)} at the end, "
            f"at best {fixed(y)} at {x:,.4g} {AGAINST[against]}"
            if x < 1000
            else f"{row.name}: {shown} {fixed(last)} at the end, "
            f"at best {fixed(y)} after {x:,.0f} {AGAINST[against]}"
        )
    if not ends:
        return f"These rows have no {shown} against {AGAINST[against]}", []
    value, row = max(ends, key=lambda end: end[0])
    verb = "ends" if len(ends) == 1 else "ends highest"
    return f"{row.name.capitalize()} {verb}: {shown} {fixed(value)}", lines


def shares_finding(epochs: Sequence[Epoch], recorded: Sequence[Shares], source: str) -> Finding:
    """Say how the largest task's share moves, and whether a recorded run did so too."""
    first, last = epochs[0].shares, epochs[-1].shares
    place = first.index(max(first))
    over = "in the only epoch" if len(epochs) == 1 else f"over {len(epochs)} epochs"
    moved = (
        f"is {first[place]:.0%}"
        if abs(first[place] - last[place]) < SAME_SHARE
        else f"{'falls' if last[place] < first[place] else 'rises'} "
        f"from {first[place]:.0%} to {last[place]:.0%}"
    )
    total = [statistics.fmean(epoch.shares[task] for epoch in epochs) for task in range(len(TASKS))]
    lines = [
        "Of all steps together: "
        + ", ".join(f"{task} {share:.0%}" for task, share in zip(TASKS, total, strict=True))
        + f"; α ends at {epochs[-1].alpha:.2f}."
    ]
    if recorded:
        lines.append(recorded_line(epochs, recorded, source))
    return f"{TASKS[place].capitalize()}'s share {moved} {over}".replace("%", " %"), [
        line.replace("%", " %") for line in lines
    ]


def recorded_line(epochs: Sequence[Epoch], recorded: Sequence[Shares], source: str) -> str:
    """Compare a run's recorded shares with the formula's."""
    gaps = [
        abs(one.p[task] - epochs[int(one.epoch) - 1].shares[place])
        for one in recorded
        if 1 <= one.epoch <= len(epochs)
        for place, task in enumerate(TASKS)
        if task in one.p
    ]
    if not gaps:
        return f"{source} (open circles) recorded no share for these epochs."
    if max(gaps) < SAME_SHARE and len(recorded) == len(epochs):
        return f"{source} (open circles) drew as this formula says."
    return (
        f"{source} (open circles) drew up to {100 * max(gaps):.0f} points apart from this; "
        f"it had {len(recorded)} epochs, and perhaps other sizes or another sampler."
    )


def conflicts_finding(run: Run) -> Finding:
    """Say which pair conflicts most, and what surgery changed, as means over all steps."""
    pairs = dict.fromkeys(pair for epoch in run.surgery for pair in epoch.pairs)
    rates, lines = [], []
    for pair in pairs:
        before = step_mean(run, pair, "conflict rate", after=False)
        after = step_mean(run, pair, "conflict rate", after=True)
        cosines = [
            "?" if (value := step_mean(run, pair, "cosine", after=after)) is None else fixed(value)
            for after in (False, True)
        ]
        if before is None:
            continue
        rates.append((before, after, pair))
        then = "" if after is None else f", {after:.0%} after it"
        lines.append(
            f"{pair_label(pair)}: in conflict in {before:.0%} of steps before surgery{then}; "
            f"cosine {cosines[0]}, then {cosines[1]}"
        )
    if not rates:
        return "No conflict was recorded", []
    before, _, pair = max(rates, key=lambda one: one[0])
    title = f"{pair_label(pair)} conflict most: in {before:.0%} of steps"
    return title.replace("%", " %"), [line.replace("%", " %") for line in lines]


def step_mean(run: Run, pair: str, measure: str, *, after: bool) -> float | None:
    """Return a measure's mean over a run, each epoch weighed by its steps."""
    values = [
        (value, epoch.steps or 1.0)
        for epoch in run.surgery
        if pair in epoch.pairs
        and (value := value_of(epoch.pairs[pair], measure, after=after)) is not None
    ]
    if not values:
        return None
    return sum(value * steps for value, steps in values) / sum(steps for _, steps in values)


def encoder_caveat(one: Comparison, runs: Iterable[Run]) -> str:
    """Say what the encoder had seen before, where it bears on a claim and isn't yet told."""
    if not small_encoder(runs):
        return ""
    about = f"{one.claim} {one.says}".lower()
    told = (one.caveat + one.why).lower()
    notes = []
    pooling = any(word in about for word in ("pool", "mean", "cls"))
    if pooling and not ("pool" in told and "trained" in told):
        notes.append("with mean pooling")
    paraphrase = any(task_of(name) == "paraphrase" for name in one.differences)
    if paraphrase and "duplicates" not in told:
        notes.append("on Quora duplicates")
    return f"the encoder was itself trained {' and '.join(notes)}" if notes else ""


def compared(one: Comparison) -> str:
    """Name the two rows of a claim and the seeds."""
    a, b = (name.replace("_", " ") or "not told" for name in (one.a, one.b))
    return f"{a} against {b}, {named_seeds(one.seeds)}"
