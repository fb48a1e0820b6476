"""Reading what somebody brings: the course's tables, a spreadsheet's CSV, or plain sentences.

A row that does not parse is kept as a `BadRow` with its line and the reason; what is wrong with
the file as a whole is a `BatchError`. Lines without any text are no rows.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

from minbert.reading import (
    BadRow,
    Columns,
    LabelError,
    Reading,
    Row,
    Scale,
    Wanted,
    decoded,
    label_of,
    open_rows,
    text_source,
)
from minbert.reading import ReadError as BatchError
from minbert.tasks import PARAPHRASE, SENTIMENT, SIMILARITY, Task

MOST_ROWS = 20_000
MOST_BYTES = 5_000_000
LONGEST_TEXT = 100_000  # characters of one sentence; the model reads far fewer

Kind = Literal["sentences", "pairs"]


@dataclasses.dataclass(frozen=True, slots=True)
class BatchRow:
    """One row to answer, its texts as they were written."""

    line: int  # 1-based line of the file where the row begins
    id: str | None  # None: the file has none
    first: str
    second: str | None  # None: a single sentence
    label: float | None  # None: the row has none


@dataclasses.dataclass(frozen=True)
class BatchTable:
    """All that was brought: rows to answer, and rows that can't be."""

    kind: Kind
    rows: tuple[BatchRow, ...]  # in the file's order
    bad_rows: tuple[BadRow, ...]
    label_task: Task | None  # the task whose label column there is
    bad_labels: tuple[BadRow, ...] = ()  # labels that can't be read; their rows are answered
    reading: Reading | None = dataclasses.field(default=None, compare=False, repr=False)
    notes: tuple[str, ...] = ()  # what the labels look like, where that isn't what it should be

    @property
    def columns(self) -> dict[str, str] | None:
        """Return by what it is read as each column's name, or number; None: it is no table."""
        found = None if self.reading is None else self.reading.columns
        if found is None:
            return None
        return {
            role: found.names[at].strip() if found.names else str(at + 1)
            for role, at in found.roles().items()
        }

    @property
    def taken_for(self) -> tuple[str, ...]:
        """Say what was taken for what, and what the labels look like."""
        return (*(self.reading.notes if self.reading else ()), *self.notes)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Return the tasks that can be answered."""
        return (SENTIMENT,) if self.kind == "sentences" else (PARAPHRASE, SIMILARITY)


def read_batch(
    content: bytes | str,
    *,
    kind: Kind | None = None,
    most_rows: int = MOST_ROWS,
    most_bytes: int = MOST_BYTES,
    columns: str | None = None,
) -> BatchTable:
    """Read a table, or plain text with one sentence a line.

    Args:
        content: an uploaded file's bytes (UTF-8, or UTF-16 with its mark), or pasted text.
        kind: what the rows should be; a text without a header is then read as that, pairs with a
            tab between their two sentences. None: what the columns say.
        most_rows: more rows, bad ones included, are refused.
        most_bytes: so is more, counted as UTF-8.
        columns: which column is what, as in `sentence=review, sentiment=3`; None: as they look.

    Raises:
        BatchError: too much, empty, not text, columns that can't be told or are of the other kind.
    """
    reading = open_batch(content, kind=kind, most_bytes=most_bytes, columns=columns)
    task = None if reading.columns is None else reading.columns.label_task
    scale = None if task is None else Scale(task)
    rows: list[BatchRow] = []
    bad_rows: list[BadRow] = []
    bad_labels: list[BadRow] = []
    count = 0
    for row in reading:
        count += 1
        if count > most_rows:
            continue  # only counted, so that the message can say how many
        try:
            if isinstance(row, BadRow):
                bad_rows.append(row)
            else:
                rows.append(_batch_row(row, task, scale, bad_labels))
        except ValueError as error:
            bad_rows.append(BadRow(row.line, str(error)))
    if count > most_rows:
        raise BatchError(f"The file should have at most {most_rows:,} rows. Found {count:,}.")
    if not count:
        raise BatchError("The file should have rows below its header. Found none.")
    table = BatchTable(
        _kind_of(reading.columns), tuple(rows), tuple(bad_rows), task, tuple(bad_labels), reading
    )
    problem = scale and scale.problem()
    doubt = scale and scale.doubt()
    if doubt:
        return dataclasses.replace(table, notes=(doubt,))
    return table if not problem else _without_labels(table, problem)


def open_batch(
    content: bytes | str,
    *,
    kind: Kind | None = None,
    most_bytes: int = MOST_BYTES,
    columns: str | None = None,
) -> Reading:
    """Recognise what was brought, without reading all of it; the arguments are `read_batch`'s.

    Raises:
        BatchError: as `read_batch`, but for what is wrong with the rows.
    """
    pair = None if kind is None else kind == "pairs"
    return open_rows(text_source(decoded(content, most_bytes)), Wanted(pair=pair), columns)


def _without_labels(table: BatchTable, problem: str) -> BatchTable:
    """Return a table whose labels are on another scale: none of them may be scored or shown."""
    rows = tuple(dataclasses.replace(row, label=None) for row in table.rows)
    notes = (f"{problem} The rows are answered and not scored.",)
    return dataclasses.replace(table, rows=rows, label_task=None, bad_labels=(), notes=notes)


def _kind_of(columns: Columns | None) -> Kind:
    return "pairs" if columns is not None and len(columns.texts) == 2 else "sentences"


def _batch_row(
    row: Row, task: Task | None, scale: Scale | None, bad_labels: list[BadRow]
) -> BatchRow:
    """Return a row to answer; a label that can't be read is noted, and the row has none.

    Raises:
        ValueError: a text that is too long.
    """
    names = SENTIMENT.text_columns if len(row.texts) == 1 else PARAPHRASE.text_columns
    for name, text in zip(names, row.texts, strict=True):
        if len(text) > LONGEST_TEXT:
            told = f"{name} has {len(text):,} characters, at most {LONGEST_TEXT:,} allowed"
            raise ValueError(told)
    label = None
    if task is not None and scale is not None and row.label is not None:
        try:
            label = label_of(row.label, task)
            scale.see(label)
        except LabelError as error:
            bad_labels.append(BadRow(row.line, str(error)))
            if error.number is not None:
                scale.see(error.number)
    second = row.texts[1] if len(row.texts) == 2 else None
    return BatchRow(row.line, row.id, row.texts[0], second, label)
