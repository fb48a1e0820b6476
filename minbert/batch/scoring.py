"""Scoring answers against the labels that came with them.

Calibration: Guo et al. 2017, "On Calibration of Modern Neural Networks", section 2
(https://arxiv.org/abs/1706.04599): reliability diagram, expected calibration error, ten bins.
Differs from the paper: a bin holds its lower end and not its upper one (the last holds both), and
of the paraphrase task the probability of "yes" is held against the share of "yes".
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from minbert.answers import PairResult, SentimentResult
from minbert.batch.answering import RowAnswer, check_answers, is_duplicate, predicted_class
from minbert.batch.reading import BatchTable
from minbert.metrics import THRESHOLD, Metric, accuracy, f1, pearson, spearman, within_one
from minbert.tasks import PARAPHRASE, SENTIMENT, SIMILARITY, Task

BINS = 10

Numbers = NDArray[np.float64]
Confusion = tuple[tuple[int, ...], ...]


@dataclasses.dataclass(frozen=True)
class Bin:
    """The rows whose prediction lies from `low` to below `high`; the last bin has its end too."""

    low: float
    high: float
    count: int
    predicted: float | None  # mean confidence, probability or score; None: an empty bin
    found: float | None  # share correct, share of duplicates, or mean label


@dataclasses.dataclass(frozen=True)
class BatchScores:
    """How good the answers are, by the labels of one task."""

    task: Task
    scored: int  # rows with answer and label
    unlabelled: int  # answered rows without a label
    unanswered: int  # rows that nobody asked the model about
    metrics: dict[str, Metric]  # by the name that the experiments use
    confusion: Confusion | None  # counts by label, then prediction; None: a score
    bins: tuple[Bin, ...]  # confidence against truth; of a score, its predictions against labels
    calibration_error: float | None  # 0 to 1; None for a score, or without any row


def score_batch(
    table: BatchTable, answers: Sequence[RowAnswer], *, threshold: float = THRESHOLD
) -> BatchScores:
    """Score the answers of the table's first rows: of all, unless somebody stopped the run.

    Args:
        table: with a column of labels.
        answers: what `answer_rows` yielded, in order and joined.
        threshold: a paraphrase's probability counts as yes above it.

    Raises:
        ValueError: no column of labels, more answers than rows, or answers of another kind.
    """
    task = table.label_task
    if task is None:
        targets = " or ".join(task.target for task in table.tasks)
        raise ValueError(f"`table` should have a column of labels, {targets}. Found none.")
    check_answers(table, answers)
    both = zip(table.rows, answers, strict=False)
    labelled = [(answer, row.label) for row, answer in both if row.label is not None]
    labels = np.array([label for _, label in labelled], dtype=np.float64)
    kept = [answer for answer, _ in labelled]
    if task == SENTIMENT:
        found = _sentiment(cast("list[SentimentResult]", kept), labels)
    elif task == PARAPHRASE:
        found = _paraphrase(cast("list[PairResult]", kept), labels, threshold)
    else:
        found = _similarity(cast("list[PairResult]", kept), labels)
    unlabelled, unanswered = len(answers) - len(kept), len(table.rows) - len(answers)
    return BatchScores(task, len(kept), unlabelled, unanswered, *found)


class _Found(NamedTuple):
    metrics: dict[str, Metric]
    confusion: Confusion | None
    bins: tuple[Bin, ...]
    calibration_error: float | None


def _sentiment(results: Sequence[SentimentResult], labels: Numbers) -> _Found:
    for result in results:
        if len(result.probabilities) != SENTIMENT.classes:
            raise ValueError(
                f"`answers` should have {SENTIMENT.classes} classes, as the labels do. "
                f"Found {len(result.probabilities)}."
            )
    predicted = np.array([predicted_class(result) for result in results], dtype=np.float64)
    confidence = np.array([max(result.probabilities) for result in results], dtype=np.float64)
    bins = _bins(confidence, predicted == labels)
    return _Found(
        {"accuracy": accuracy(predicted, labels), "within_one": within_one(predicted, labels)},
        _confusion(predicted, labels, SENTIMENT.classes),
        bins,
        _calibration_error(bins, len(results)),
    )


def _paraphrase(results: Sequence[PairResult], labels: Numbers, threshold: float) -> _Found:
    predicted = np.array([is_duplicate(result, threshold) for result in results], dtype=np.float64)
    probability = np.array([result.paraphrase for result in results], dtype=np.float64)
    bins = _bins(probability, labels)
    return _Found(
        {"accuracy": accuracy(predicted, labels), "f1": f1(predicted, labels)},
        _confusion(predicted, labels, 2),
        bins,
        _calibration_error(bins, len(results)),
    )


def _similarity(results: Sequence[PairResult], labels: Numbers) -> _Found:
    raw = np.array([result.raw for result in results], dtype=np.float64)  # clamped ones have ties
    return _Found(
        {"pearson": pearson(raw, labels), "spearman": spearman(raw, labels)},
        None,
        _bins(raw, labels, SIMILARITY.lowest, SIMILARITY.highest),
        None,
    )


def _confusion(predicted: Numbers, labels: Numbers, classes: int) -> Confusion:
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (labels.astype(np.int64), predicted.astype(np.int64)), 1)
    return tuple(tuple(row) for row in counts.tolist())


def _bins(
    predicted: Numbers, truth: NDArray[np.generic], lowest: float = 0, highest: float = 1
) -> tuple[Bin, ...]:
    """Gather predictions, clamped to both ends, in bins of equal width.

    What isn't a number is in no bin.
    """
    real = np.isfinite(predicted)
    predicted, truth = np.clip(predicted[real], lowest, highest), truth[real]
    span = highest - lowest
    at = np.minimum(np.floor((predicted - lowest) / span * BINS), BINS - 1)
    return tuple(
        Bin(
            low=lowest + span * index / BINS,
            high=lowest + span * (index + 1) / BINS,
            count=int((at == index).sum()),
            predicted=_mean(predicted[at == index]),
            found=_mean(truth[at == index]),
        )
        for index in range(BINS)
    )


def _mean(values: NDArray[np.generic]) -> float | None:
    return float(np.mean(values.astype(np.float64))) if values.size else None


def _calibration_error(bins: Sequence[Bin], n: int) -> float | None:
    """Return the mean gap between predicted and found, weighted by the bins' rows."""
    if not n or sum(each.count for each in bins) != n:  # a prediction that isn't a number
        return None
    return sum(
        each.count / n * abs(each.predicted - each.found)
        for each in bins
        if each.predicted is not None and each.found is not None
    )
