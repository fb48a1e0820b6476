"""Answers and scores as plain values, for programs; the names are those of the download."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from minbert.answers import SentimentResult
from minbert.batch import (
    BatchRow,
    BatchScores,
    BatchTable,
    RowAnswer,
    is_duplicate,
    predicted_class,
)


def rows_as_dicts(table: BatchTable, answers: Sequence[RowAnswer]) -> list[dict[str, Any]]:
    """Return each answered row with its prediction."""
    target = None if table.label_task is None else table.label_task.target
    told = []
    for row, answer in zip(table.rows, answers, strict=False):
        texts = zip(table.tasks[0].text_columns, texts_of(row), strict=True)
        label = {} if target is None else {target: row.label}
        told.append({"line": row.line, "id": row.id, **dict(texts), **label, **prediction(answer)})
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
        "predicted_similarity": answer.similarity,
        "joint_similarity": answer.joint,
        "siamese_similarity": answer.siamese,
    }


def scores_as_dict(scores: BatchScores) -> dict[str, Any]:
    """Return the scores: task, scored, unlabelled, metrics, confusion, bins, calibration_error."""
    told = dataclasses.asdict(scores)
    return {**told, "task": scores.task.name}
