"""Answers as a tab-separated table that a spreadsheet opens and `read_batch` reads, and as values.

The rows come in their order with what they had, then the rows that could not be read, with the
reason in the last column: no row of the file goes missing.

A text that a spreadsheet would run as a formula gets an apostrophe in front, which `read_batch`
takes off again (`minbert.reading.guard`). Numbers are ours and stay as they are.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from minbert.answers import SentimentResult
from minbert.batch.answering import RowAnswer, check_answers, is_duplicate, predicted_class
from minbert.batch.reading import BatchRow, BatchTable
from minbert.batch.scoring import BatchScores
from minbert.files import write_bytes
from minbert.metrics import THRESHOLD
from minbert.reading.guard import guarded
from minbert.tasks import SENTIMENT, clamped

PAIR_COLUMNS = (
    *("p_duplicate", "predicted_duplicate", "predicted_similarity"),
    *("joint_similarity", "siamese_similarity", "raw_similarity", "raw_joint", "raw_siamese"),
)
CUT = "left_out"  # word pieces of the row that the model didn't read
NOT_ANSWERED = "not answered: the run was stopped"


def as_tsv(
    table: BatchTable, answers: Sequence[RowAnswer], *, threshold: float = THRESHOLD
) -> Iterator[str]:
    """Yield the table's lines, header first, each with its line break.

    Args:
        table: what was read.
        answers: of its first rows, in order; rows without one are told in the last column.
        threshold: a paraphrase's probability counts as yes above it.

    Raises:
        ValueError: more answers than rows, or answers of another kind.
    """
    check_answers(table, answers)
    return _lines(table, answers, threshold)


def write_answers(
    path: Path,
    table: BatchTable,
    answers: Sequence[RowAnswer],
    *,
    threshold: float = THRESHOLD,
) -> None:
    """Write the lines of `as_tsv` as UTF-8 with its mark, for Excel; the whole file or none.

    Raises:
        ValueError: more answers than rows, or answers of another kind.
    """
    write_bytes(path, "".join(as_tsv(table, answers, threshold=threshold)).encode("utf-8-sig"))


def _lines(table: BatchTable, answers: Sequence[RowAnswer], threshold: float) -> Iterator[str]:
    texts = table.tasks[0].text_columns
    target = [] if table.label_task is None else [table.label_task.target]
    predictions = _prediction_columns(table, answers)
    yield _line(["line", "id", *texts, *target, *predictions, CUT, "problem"])
    nothing = [""] * (len(predictions) + 1)
    unread = {label.line: label.reason for label in table.bad_labels}
    for row, answer in zip_longest(table.rows, answers):
        label = [] if not target else ["" if row.label is None else f"{row.label:g}"]
        told, problem = nothing, NOT_ANSWERED
        if answer is not None:
            told = [*_predictions(answer, threshold), str(answer.left_out)]
            problem = unread.get(row.line, "")
        yield _line([str(row.line), *_texts(row), *label, *told, guarded(problem)])
    empty = [""] * (1 + len(texts) + len(target) + len(nothing))
    for bad in table.bad_rows:
        yield _line([str(bad.line), *empty, guarded(bad.reason)])


def _texts(row: BatchRow) -> list[str]:
    texts = [row.id or "", row.first, *([] if row.second is None else [row.second])]
    return [guarded(text) for text in texts]


def _prediction_columns(table: BatchTable, answers: Sequence[RowAnswer]) -> tuple[str, ...]:
    if table.kind == "pairs":
        return PAIR_COLUMNS
    classes = SENTIMENT.classes
    for answer in answers[:1]:
        if isinstance(answer, SentimentResult):
            classes = len(answer.probabilities)
    shares = (f"p_{rating}" for rating in range(classes))
    return ("predicted_sentiment", "predicted_label", "expected_rating", *shares)


def _predictions(answer: RowAnswer, threshold: float) -> list[str]:
    if isinstance(answer, SentimentResult):
        numbers = (answer.expected, *answer.probabilities)
        return [str(predicted_class(answer)), answer.label, *(f"{x:.6f}" for x in numbers)]
    raw = (answer.raw, answer.joint, answer.siamese)
    scores = (*(clamped(score) for score in raw), *raw)
    return [
        f"{answer.paraphrase:.6f}",
        str(int(is_duplicate(answer, threshold))),
        *(f"{score:.6f}" for score in scores),
    ]


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    # this line break makes the writer quote a text's lone \r as well as its \n
    csv.writer(buffer, delimiter="\t", lineterminator="\r\n").writerow(cells)
    return buffer.getvalue().removesuffix("\r\n") + "\n"


def rows_as_dicts(table: BatchTable, answers: Sequence[RowAnswer]) -> list[dict[str, Any]]:
    """Return each answered row with its prediction."""
    target = None if table.label_task is None else table.label_task.target
    told = []
    for row, answer in zip(table.rows, answers, strict=False):
        texts = zip(table.tasks[0].text_columns, texts_of(row), strict=True)
        label = {} if target is None else {target: row.label}
        asked = {"line": row.line, "id": row.id, **dict(texts), **label}
        told.append({**asked, **prediction(answer), CUT: answer.left_out})
    return told


def texts_of(row: BatchRow) -> list[str]:
    """Return a row's one or two texts."""
    return [row.first] if row.second is None else [row.first, row.second]


def prediction(answer: RowAnswer) -> dict[str, Any]:
    """Return one answer's numbers."""
    if isinstance(answer, SentimentResult):
        shares = {f"p_{rating}": p for rating, p in enumerate(answer.probabilities)}
        return {
            "predicted_sentiment": predicted_class(answer),
            "predicted_label": answer.label,
            "expected_rating": answer.expected,
            **shares,
        }
    return {
        "p_duplicate": answer.paraphrase,
        "predicted_duplicate": int(is_duplicate(answer)),
        "predicted_similarity": answer.score,
        "joint_similarity": clamped(answer.joint),
        "siamese_similarity": clamped(answer.siamese),
        "raw_similarity": answer.raw,
        "raw_joint": answer.joint,
        "raw_siamese": answer.siamese,
    }


def scores_as_dict(scores: BatchScores) -> dict[str, Any]:
    """Return the scores: task, scored, unlabelled, metrics, confusion, bins, calibration_error."""
    told = dataclasses.asdict(scores)
    return {**told, "task": scores.task.name}
