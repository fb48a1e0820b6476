"""What the Batch tab finds, in plain words: pure functions of answers and scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import cast

from minbert.answers import PairResult, SentimentResult
from minbert.batch import (
    LONGEST_TEXT,
    MOST_BYTES,
    MOST_ROWS,
    BatchScores,
    BatchTable,
    Bin,
    RowAnswer,
    is_duplicate,
)
from minbert.tasks import PARAPHRASE, SENTIMENT
from minbert.ui.parts.numbers import percent, shown

ROUGH = 100  # with fewer labelled rows a curve of ten bins is mostly chance
EVEN = 0.02  # a mean gap between certainty and truth below this is called even
MEASURES = {
    "accuracy": "accuracy",
    "within_one": "within one class",
    "f1": "F1 of “yes”",
    "pearson": "Pearson",
    "spearman": "Spearman",
}


def limits(*longest: int) -> str:
    """Tell what a file may hold before anybody brings one; `longest` are the models', in tokens."""
    tokens = " or ".join(map(str, dict.fromkeys(longest)))
    return (
        f"Limits: {MOST_ROWS:,} rows, {MOST_BYTES:,} bytes of UTF-8 text, {LONGEST_TEXT:,} "
        f"characters a sentence, of which the model reads {tokens} tokens."
    )


def duration(seconds: float) -> str:
    """Write a time as a person would say it."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def count(number: int, thing: str) -> str:
    """Write how many there are of a thing whose plural ends in s."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


def progress(done: int, total: int, seconds: float) -> str:
    """Tell how far a run is, how fast, and how long it still takes."""
    if not done:
        return f"0 of {count(total, 'row')}: the first ones are being answered"
    rate = done / max(seconds, 1e-9)
    speed = f"{rate:.0f}" if rate >= 10 else f"{rate:.1f}"
    told = f"{done:,} of {count(total, 'row')} · {speed} rows a second"
    return told if done == total else f"{told} · about {duration((total - done) / rate)} left"


def ready(table: BatchTable, working: int, places: int) -> str:
    """Tell what was read, and whether it has to wait."""
    told = f"{count(len(table.rows), 'row')} of {table.kind} to answer"
    if table.bad_rows:
        told += f", {len(table.bad_rows):,} that can't be read"
    if working < places:
        return f"{told}. Starting."
    return (
        f"{told}. Waiting: {count(working, 'file')} of other visitors are being answered, which is "
        "as many as go at once. Yours begins when one is done; leave this page open."
    )


def summary(
    table: BatchTable, answers: Sequence[RowAnswer], seconds: float, name: str, shown_rows: int
) -> tuple[str, list[str]]:
    """Return a run's title, and what its answers are in sum."""
    total = len(table.rows)
    title = f"{count(total, 'row')} answered in {duration(seconds)}"
    if len(answers) < total:
        title = f"Stopped: {len(answers):,} of {count(total, 'row')} answered"
    lines = [f"The model: {name} pooling."]
    if answers and table.kind == "sentences":
        counts = Counter(answer.label for answer in cast("Sequence[SentimentResult]", answers))
        each = ", ".join(f"{label} {counts[label]:,}" for label in SENTIMENT.labels)
        lines.append(f"Sentiment: {each}.")
    elif answers:
        pairs = cast("Sequence[PairResult]", answers)
        yes = sum(is_duplicate(pair) for pair in pairs)
        middle = shown(median(pair.similarity for pair in pairs))
        lines.append(f"Paraphrases: {yes:,} of {len(pairs):,}. Median similarity {middle} of 5.")
    cut = sum(answer.left_out > 0 for answer in answers)
    if cut:
        lines.append(f"Longer than the model reads, so cut: {count(cut, 'row')}; see the column.")
    lines += table.notes
    if len(answers) > shown_rows:
        lines.append(f"Below are the first {shown_rows:,} rows; the download has all.")
    return title, lines


def measures(scores: BatchScores) -> list[tuple[str, str, str, str]]:
    """Return each measure's name, value, standard error and rows."""
    told = [
        (
            MEASURES[name],
            "undefined" if metric.value is None else f"{metric.value:.3f}",
            "" if metric.se is None else f"± {metric.se:.3f}",
            f"{metric.n:,}",
        )
        for name, metric in scores.metrics.items()
    ]
    if scores.calibration_error is not None:
        error = f"{scores.calibration_error:.3f}"
        told.append(("calibration error", error, "", f"{scores.scored:,}"))
    return told


def scores_finding(scores: BatchScores) -> tuple[str, list[str]]:
    """Return a title with the task's measure, and which rows it does not speak of."""
    value = {name: metric.value for name, metric in scores.metrics.items()}
    rows = count(scores.scored, "labelled row")
    if scores.task == SENTIMENT and value["accuracy"] is not None:
        near = percent(value["within_one"] or 0.0)
        title = f"People's class in {percent(value['accuracy'])} of {rows}, within one in {near}"
    elif scores.task == PARAPHRASE and value["accuracy"] is not None:
        f1 = value["f1"]
        also = "no “yes” among them" if f1 is None else f"F1 {f1:.2f}"
        title = f"People's answer in {percent(value['accuracy'])} of {rows}; {also}"
    elif value.get("pearson") is not None:
        title = f"The model's scores go with people's at Pearson {value['pearson']:.2f} on {rows}"
    else:
        title = f"{rows.capitalize()}: too few, or too much alike, to score"
    left = []
    if scores.unlabelled:
        left.append(f"{count(scores.unlabelled, 'answered row')} without a label: not scored.")
    if scores.unanswered:
        left.append(f"{count(scores.unanswered, 'row')} not answered, so not scored.")
    if 0 < scores.scored < ROUGH:
        left.append(f"Only {rows}: one more run on other rows may tell otherwise.")
    return title, left


def confusion_finding(scores: BatchScores) -> str:
    """Name the most frequent confusion."""
    counts, labels = scores.confusion or (), scores.task.labels
    wrong = [
        (number, people, model)
        for people, row in enumerate(counts)
        for model, number in enumerate(row)
        if people != model and number
    ]
    if not wrong:
        return "No labelled row is confused with another class"
    number, people, model = max(wrong, key=lambda cell: cell[0])
    return (
        f"Most often confused: {labels[people]} taken for {labels[model]}, {count(number, 'row')}"
    )


def reliability_finding(scores: BatchScores) -> str:
    """Say whether the model is surer than it is right, averaged over the rows."""
    kept = [each for each in scores.bins if each.predicted is not None and each.found is not None]
    rows = sum(each.count for each in kept)
    if not rows:
        return "No labelled row, so no curve"
    said = sum(each.count * (each.predicted or 0.0) for each in kept) / rows
    found = sum(each.count * (each.found or 0.0) for each in kept) / rows
    if scores.task == PARAPHRASE:
        numbers = f"{percent(said)} “yes” on average, people {percent(found)}"
        even, over, under = "as often as people", "too readily", "too rarely"
        verdict = even if abs(said - found) < EVEN else over if said > found else under
        return f"It says yes {verdict}: {numbers}"
    numbers = f"on average {percent(said)} sure, {percent(found)} right"
    if abs(said - found) < EVEN:
        return f"It is about as sure as it is right: {numbers}"
    return f"It is {'surer' if said > found else 'less sure'} than it is right: {numbers}"


def scatter_finding(scores: BatchScores) -> str:
    """Say how model and people differ on average."""
    kept = [each for each in scores.bins if each.predicted is not None and each.found is not None]
    rows = sum(each.count for each in kept)
    if not rows:
        return "No labelled row, so no picture"
    gap = sum(each.count * ((each.predicted or 0) - (each.found or 0)) for each in kept) / rows
    if abs(gap) < 0.1:
        return "On average the model scores as people do"
    return f"On average the model scores {abs(gap):.1f} {'above' if gap > 0 else 'below'} people"


def bin_cells(bins: Sequence[Bin]) -> list[tuple[str, str, str, str]]:
    """Return each bin's range, rows, mean prediction and truth, for a table."""
    return [
        (
            f"{each.low:.1f} to {each.high:.1f}",
            f"{each.count:,}",
            "" if each.predicted is None else f"{each.predicted:.3f}",
            "" if each.found is None else f"{each.found:.3f}",
        )
        for each in bins
    ]
