"""Answering a table chunk by chunk, behind whoever asks something quick.

Between two chunks nothing is queued and nothing is computed: who stops asking stops the work.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

from minbert.answers import PairResult, SentimentResult
from minbert.batch.reading import BatchRow, BatchTable
from minbert.metrics import THRESHOLD
from minbert.predictor import Predictor
from minbert.serving import bulk_work

ROWS_AT_A_TIME = 256

RowAnswer = SentimentResult | PairResult  # by the table's kind: of a sentence, or of a pair


def answer_rows(
    predictor: Predictor, table: BatchTable, *, rows_at_a_time: int = ROWS_AT_A_TIME
) -> Generator[list[RowAnswer], None, None]:
    """Yield the answers of the table's rows in order, so many rows at a time.

    Args:
        predictor: a served one where others ask too.
        table: what to answer.
        rows_at_a_time: of one chunk; the last one may be shorter.

    Raises:
        ValueError: a chunk of less than one row.
    """
    if rows_at_a_time < 1:
        raise ValueError(f"`rows_at_a_time` should be at least 1. Found {rows_at_a_time}.")
    return _chunks(predictor, table.rows, rows_at_a_time)


def _chunks(
    predictor: Predictor, rows: Sequence[BatchRow], size: int
) -> Generator[list[RowAnswer], None, None]:
    for start in range(0, len(rows), size):
        yield _answer(predictor, rows[start : start + size])


def _answer(predictor: Predictor, rows: Sequence[BatchRow]) -> list[RowAnswer]:
    # not around the yield: a generator's context is its caller's, who asks quick things meanwhile
    with bulk_work():
        pairs = [(row.first, row.second) for row in rows if row.second is not None]
        if pairs:
            return [*predictor.pairs(pairs)]
        return [*predictor.sentiment([row.first for row in rows])]


def check_answers(table: BatchTable, answers: Sequence[RowAnswer]) -> None:
    """Check that answers can be those of the table's first rows.

    Raises:
        ValueError: more answers than rows, or answers of another kind.
    """
    if len(answers) > len(table.rows):
        raise ValueError(
            f"`answers` should be at most one a row, {len(table.rows)}. Found {len(answers)}."
        )
    kind = SentimentResult if table.kind == "sentences" else PairResult
    others = sum(not isinstance(answer, kind) for answer in answers)
    if others:
        raise ValueError(
            f"`answers` to {table.kind} should all be {kind.__name__}. Found {others} others."
        )


def predicted_class(answer: SentimentResult) -> int:
    """Return the most probable class's number, the first among equals."""
    return answer.probabilities.index(max(answer.probabilities))


def is_duplicate(answer: PairResult, threshold: float = THRESHOLD) -> bool:
    """Say whether a pair counts as paraphrases: its probability is above the threshold."""
    return answer.paraphrase > threshold
