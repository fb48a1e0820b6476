"""Many rows at once: read what somebody uploads or pastes, answer, score, write it down.

Plain values only, nothing of the page: `read_batch` -> `answer_rows` -> `score_batch`, `as_tsv`.
"""

from minbert.batch.answering import (
    ROWS_AT_A_TIME,
    RowAnswer,
    answer_rows,
    is_duplicate,
    predicted_class,
)
from minbert.batch.reading import (
    LONGEST_TEXT,
    MOST_BYTES,
    MOST_ROWS,
    BatchRow,
    BatchTable,
    Kind,
    open_batch,
    read_batch,
)
from minbert.batch.scoring import BatchScores, Bin, score_batch
from minbert.batch.writing import as_tsv, rows_as_dicts, scores_as_dict, write_answers
from minbert.reading import BadRow
from minbert.reading import ReadError as BatchError

__all__ = [
    "LONGEST_TEXT",
    "MOST_BYTES",
    "MOST_ROWS",
    "ROWS_AT_A_TIME",
    "BadRow",
    "BatchError",
    "BatchRow",
    "BatchScores",
    "BatchTable",
    "Bin",
    "Kind",
    "RowAnswer",
    "answer_rows",
    "as_tsv",
    "is_duplicate",
    "open_batch",
    "predicted_class",
    "read_batch",
    "rows_as_dicts",
    "score_batch",
    "scores_as_dict",
    "write_answers",
]
